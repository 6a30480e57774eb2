"""The operations under /v1/handovers."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Literal, TypeAlias
from uuid import UUID, uuid4

from tsunagi_client._operations import (
    Driver,
    Group,
    changed,
    content,
    document,
    listing,
    operation,
    reply,
    stream,
)
from tsunagi_client._session import Ask
from tsunagi_client.activity_models import Activity, ActivityList
from tsunagi_client.codes import DeclineCode, Direction, HandoverType, ReturnCode, Status, WithdrawCode
from tsunagi_client.models import (
    AcceptancePreview,
    Assignee,
    DomainAnswer,
    Handover,
    HandoverNotice,
    HandoverStatus,
    HandoverSummary,
    PersonInCharge,
    Reply,
    Validation,
)

Id: TypeAlias = str | UUID
Day: TypeAlias = str | date
Record: TypeAlias = Mapping[str, Any]
"""A document of the schema `handover-record.json`."""
Seen: TypeAlias = Reply[Handover | HandoverNotice]

_ONE = "/v1/handovers/{handoverId}"
_ACTIVITIES = _ONE + "/activities"
_VERSION = _ONE + "/versions/{version}"


class Handovers(Group[Driver]):
    """`idempotency_key` is made where it is not given, and used for every attempt of the call. Give your own,
    and keep it, to be able to repeat the call after a crash. `if_match` is the `etag` of a Reply: the step is
    taken only if the handover is as it was then."""

    @operation("createHandover", "POST", "/v1/handovers")
    def create(self, record: Record, *, idempotency_key: str | None = None) -> Ask[Reply[HandoverStatus]]:
        """The record is kept as a draft. The receiver knows nothing yet: record the consent, then `offer`."""
        return Ask(reply, body=record, headers=new_key(idempotency_key))

    @operation("createHandover", "POST", "/v1/handovers")
    def check(self, record: Record) -> Ask[Validation]:
        """The record would be taken as it is, with these warnings. Nothing is kept."""
        return Ask(document, body=record, query={"dryRun": "true"}, headers=new_key(None))

    @operation("amendHandover", "PUT", _ONE)
    def amend(self, handover_id: Id, record: Record, *, if_match: str) -> Ask[Reply[HandoverStatus]]:
        """The record has one version more.

        Raises PreconditionFailed when the handover has changed since; with a note when an earlier attempt got
        no answer, since that may have been the change.
        """
        return Ask(reply, path={"handoverId": handover_id}, body=record, headers={"if-match": if_match})

    @operation("amendHandover", "PUT", _ONE)
    def check_amendment(self, handover_id: Id, record: Record, *, if_match: str) -> Ask[Validation]:
        """The amendment would be taken as it is, with these warnings. Nothing is kept."""
        return Ask(
            document,
            path={"handoverId": handover_id},
            query={"dryRun": "true"},
            body=record,
            headers={"if-match": if_match},
        )

    @operation("getHandover", "GET", _ONE)
    def get(self, handover_id: Id) -> Ask[Seen]:
        """What this organization may see of it: to the receiver the notice only, before the window opens. The
        receiver's first reading makes the handover `received`."""
        return Ask(reply, path={"handoverId": handover_id})

    @operation("getHandover", "GET", _ONE)
    def get_if_changed(self, handover_id: Id, etag: str) -> Ask[Seen | None]:
        """As `get`, or None when it is as it was when `etag` was given."""
        return Ask(changed, path={"handoverId": handover_id}, headers={"if-none-match": etag})

    @operation("getHandoverVersion", "GET", _VERSION)
    def get_version(self, handover_id: Id, version: int) -> Ask[Seen]:
        """As `get`, with the record of that version."""
        return Ask(reply, path={"handoverId": handover_id, "version": version})

    @operation("getHandoverVersion", "GET", _VERSION)
    def get_version_if_changed(self, handover_id: Id, version: int, etag: str) -> Ask[Seen | None]:
        path = {"handoverId": handover_id, "version": version}
        return Ask(changed, path=path, headers={"if-none-match": etag})

    @operation("getHandover", "GET", _ONE)
    def printed(self, handover_id: Id) -> Ask[bytes]:
        """As `get`, as a PDF with the JSON attached: a reading like any other. Raises DocumentTooLong."""
        headers = {"accept": "application/pdf, application/problem+json"}
        return Ask(content, path={"handoverId": handover_id}, headers=headers)

    @listing("listHandovers", "/v1/handovers")
    def list(
        self,
        *,
        direction: Direction | None = None,
        status: Status | Sequence[Status] | None = None,
        due_before: Day | None = None,
        window: Literal["open", "closed"] | None = None,
        area: str | None = None,
        handover_type: HandoverType | None = None,
        assignee: str | None = None,
        unassigned: bool | None = None,
        person: Id | None = None,
        page_size: int | None = None,
    ) -> Ask[HandoverSummary]:
        """Handovers that this organization gives or gets, the nearest due date first. `assignee`, `unassigned`: who
        of its own is in charge, or whether nobody is."""
        query = {
            "direction": direction,
            "status": status,
            "dueBefore": due_before,
            "window": window,
            "area": area,
            "handoverType": handover_type,
            "assignee": assignee,
            "personId": None if person is None else str(person),
            "unassigned": None if unassigned is None else str(unassigned).lower(),
            "limit": page_size,
        }
        return Ask(document, query=query)

    @stream("exportHandovers", "/v1/handovers/export")
    def export(self) -> Ask[Handover]:
        """Every incoming handover that may be read now, as it arrives. Counts as reading them.

        Raises ConnectionFailed when the stream breaks off.
        """
        return Ask(document)

    @operation("offerHandover", "POST", _ONE + "/offer")
    def offer(
        self, handover_id: Id, *, if_match: str | None = None, idempotency_key: str | None = None
    ) -> Ask[Reply[HandoverStatus]]:
        """A draft or returned handover is `offered`, and the receiver told. Raises ConsentMissing."""
        return _step(handover_id, {}, if_match, idempotency_key)

    @operation("assignHandover", "PUT", _ONE + "/assignee")
    def assign(self, handover_id: Id, assignee: str | None) -> Ask[Assignee]:
        """Of this organization's own staff, whom this id of its own means is in charge; None: nobody. The other side
        neither sees it nor is told."""
        return Ask(document, path={"handoverId": handover_id}, body={"assignee": assignee})

    @operation("openHandover", "POST", _ONE + "/open")
    def open(
        self, handover_id: Id, *, if_match: str | None = None, idempotency_key: str | None = None
    ) -> Ask[Reply[HandoverStatus]]:
        """The receiver may read from now on, not only from the day the window opens."""
        return _step(handover_id, {}, if_match, idempotency_key)

    @operation("withdrawHandover", "POST", _ONE + "/withdraw")
    def withdraw(
        self,
        handover_id: Id,
        code: WithdrawCode,
        text: str | None = None,
        *,
        if_match: str | None = None,
        idempotency_key: str | None = None,
    ) -> Ask[Reply[HandoverStatus]]:
        """The handover has ended; responsibility stays with the sender. Possible after the acceptance, too, until
        the overlap or the first domain begins."""
        return _step(handover_id, _reason(code, text), if_match, idempotency_key)

    @operation("receiveHandover", "POST", _ONE + "/receive")
    def receive(
        self, handover_id: Id, *, if_match: str | None = None, idempotency_key: str | None = None
    ) -> Ask[Reply[HandoverStatus]]:
        """The sender knows that the record has arrived. Raises WindowNotOpen."""
        return _step(handover_id, {}, if_match, idempotency_key)

    @operation("acceptHandover", "POST", _ONE + "/accept")
    def accept(
        self,
        handover_id: Id,
        domains: Sequence[DomainAnswer],
        *,
        person_in_charge: PersonInCharge | None = None,
        if_match: str | None = None,
        idempotency_key: str | None = None,
    ) -> Ask[Reply[HandoverStatus]]:
        """Every offered domain is answered; each accepted one moves on its date. Raises WindowNotOpen."""
        body: dict[str, object] = {"domains": domains}
        if person_in_charge is not None:
            body["personInCharge"] = person_in_charge
        return _step(handover_id, body, if_match, idempotency_key)

    @operation("acceptHandover", "POST", _ONE + "/accept")
    def check_acceptance(
        self, handover_id: Id, domains: Sequence[DomainAnswer], *, if_match: str | None = None
    ) -> Ask[AcceptancePreview]:
        """The answer would be taken, and responsibility would then be this. Nothing is kept."""
        return Ask(
            document,
            path={"handoverId": handover_id},
            query={"dryRun": "true"},
            body={"domains": domains},
            headers={"if-match": if_match, **new_key(None)},
        )

    @operation("declineHandover", "POST", _ONE + "/decline")
    def decline(
        self,
        handover_id: Id,
        code: DeclineCode,
        text: str | None = None,
        *,
        if_match: str | None = None,
        idempotency_key: str | None = None,
    ) -> Ask[Reply[HandoverStatus]]:
        """The handover has ended; responsibility stays with the sender. Possible before the window opens."""
        return _step(handover_id, _reason(code, text), if_match, idempotency_key)

    @operation("returnHandover", "POST", _ONE + "/return")
    def return_(
        self,
        handover_id: Id,
        code: ReturnCode,
        text: str,
        *,
        if_match: str | None = None,
        idempotency_key: str | None = None,
    ) -> Ask[Reply[HandoverStatus]]:
        """It is the sender's turn to amend the record and offer again. Raises WindowNotOpen."""
        return _step(handover_id, _reason(code, text), if_match, idempotency_key)

    @operation("listActivities", "GET", _ACTIVITIES)
    def activities(self, handover_id: Id) -> Ask[ActivityList]:
        """What both sides did together, and what each says of the employer's window. The receiver sees its own
        alone where it may not read the handover plan."""
        return Ask(document, path={"handoverId": handover_id})

    @operation("recordActivity", "POST", _ACTIVITIES)
    def record_activity(
        self, handover_id: Id, activity: Record, *, idempotency_key: str | None = None
    ) -> Ask[Activity]:
        """A conference, a joint visit or a statement of the employer's window (the schema `activity.json`) is
        recorded, and the other side told. Raises WrongState, WindowNotOpen, ConsentMissing."""
        return Ask(
            document, path={"handoverId": handover_id}, body=activity, headers=new_key(idempotency_key)
        )

    @operation("withdrawActivity", "POST", _ACTIVITIES + "/{activityId}/withdraw")
    def withdraw_activity(
        self, handover_id: Id, activity_id: Id, *, idempotency_key: str | None = None
    ) -> Ask[Activity]:
        """What this organization recorded by mistake no longer counts. It stays to be read."""
        path = {"handoverId": handover_id, "activityId": activity_id}
        return Ask(document, path=path, body={}, headers=new_key(idempotency_key))


def new_key(given: str | None) -> dict[str, str]:
    """The header of a creation or a step, which the service then does only once."""
    return {"idempotency-key": given or str(uuid4())}


def _reason(code: str, text: str | None) -> dict[str, object]:
    return {"reason": {"code": code} if text is None else {"code": code, "text": text}}


def _step(
    handover_id: Id, body: Mapping[str, object], if_match: str | None, idempotency_key: str | None
) -> Ask[Reply[HandoverStatus]]:
    headers = {"if-match": if_match, **new_key(idempotency_key)}
    return Ask(reply, path={"handoverId": handover_id}, body=body, headers=headers)
