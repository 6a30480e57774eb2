"""What both sides of a handover did together, as the service answers it: plain dicts, as in `models`."""

from typing import Any, Literal, NotRequired, TypedDict

from tsunagi_client.codes import ActivityKind, Side
from tsunagi_client.models import RuleWarning, Withheld


class Activity(TypedDict):
    """What both sides did or settled together, as one of them recorded it. It has the member of its kind."""

    id: str
    handoverId: str
    kind: ActivityKind
    caseConference: NotRequired[dict[str, Any]]
    jointVisit: NotRequired[dict[str, Any]]
    employerWindow: NotRequired[dict[str, Any]]
    side: Side
    recordedAt: str
    withdrawnAt: NotRequired[str]
    availableActions: list[Literal["withdraw"]]
    warnings: list[RuleWarning]


WindowStatement = TypedDict("WindowStatement", {"organizationId": str, "from": str})


class EmployerWindow(TypedDict):
    """What each side named last, and what is agreed where both name the same."""

    sender: WindowStatement | None
    receiver: WindowStatement | None
    agreed: WindowStatement | None


class ActivityList(TypedDict):
    items: list[Activity]
    employerWindow: NotRequired[EmployerWindow]
    withheld: list[Withheld]
    availableActions: list[Literal["record"]]
    nextCursor: None
