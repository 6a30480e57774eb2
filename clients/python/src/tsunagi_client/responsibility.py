"""The operations by which responsibility is put right, and compared over time; and what they answer."""

from datetime import datetime
from typing import Literal, NotRequired, TypedDict

from tsunagi_client._operations import Driver, Group, document, listing, operation
from tsunagi_client._session import Ask
from tsunagi_client.codes import Basis, CorrectionCode, Domain, EndCode, Role, VersionReason
from tsunagi_client.handovers import Day, Id, new_key
from tsunagi_client.models import Holder, OpenPeriod, Support

Moment = str | datetime

HolderChange = TypedDict(
    "HolderChange", {"from": str, "to": str | None, "before": Holder | None, "after": Holder | None}
)


class DomainDifference(TypedDict):
    domain: Domain
    holders: list[HolderChange]
    supportBegun: list[Support]
    supportEnded: list[Support]


class ResponsibilityChange(TypedDict):
    """One version of responsibility, and how it differs from the one before."""

    personId: str
    domain: Domain
    version: int
    recordedAt: str
    recordedBy: NotRequired[Holder]
    """Absent where the operator did."""
    reason: VersionReason
    code: NotRequired[CorrectionCode | EndCode | Literal["organization_closed"]]
    effectiveOn: str
    handoverId: NotRequired[str]
    entryId: NotRequired[str]
    holders: list[HolderChange]
    supportBegun: list[Support]
    supportEnded: list[Support]


ResponsibilityChanges = TypedDict(
    "ResponsibilityChanges",
    {
        "personId": str,
        "from": str | None,
        "to": str,
        "difference": list[DomainDifference],
        "changes": list[ResponsibilityChange],
    },
)


class AreaTotal(TypedDict):
    domain: Domain
    organization: Holder | None
    people: int


class Holding(OpenPeriod):
    domain: Domain
    holder: Holder | None


class PersonHoldings(TypedDict):
    personId: str
    domains: list[Holding]


class AreaResponsibility(TypedDict):
    """Who holds what in a whole area on one day: the totals of all, and a page of people, gaps first."""

    areaCode: str
    asOf: str
    knownAt: str
    people: int
    totals: list[AreaTotal]
    items: list[PersonHoldings]
    nextCursor: str | None


class Responsibilities(Group[Driver]):
    @operation("correctResponsibility", "POST", "/v1/people/{personId}/responsibility/corrections")
    def correct(
        self,
        person_id: Id,
        domain: Domain,
        role: Role,
        *,
        from_: Day,
        to: Day | None,
        held: bool,
        code: CorrectionCode,
        basis: Basis | None = None,
        idempotency_key: str | None = None,
    ) -> Ask[ResponsibilityChange]:
        """On these days this organization did have the role, or (`held` false) did not. `to` is exclusive, None
        where it goes on.

        Raises ResponsibilityNotHeld about another organization's days, which that one has to give up first.
        """
        body: dict[str, object] = {
            "domain": domain,
            "role": role,
            "from": from_,
            "to": to,
            "held": held,
            "reason": {"code": code},
        }
        if basis is not None:
            body["basis"] = basis
        return Ask(document, path={"personId": person_id}, body=body, headers=new_key(idempotency_key))

    @operation("endResponsibility", "POST", "/v1/people/{personId}/responsibility/end")
    def end(
        self,
        person_id: Id,
        domain: Domain,
        role: Role,
        *,
        on: Day,
        code: EndCode,
        idempotency_key: str | None = None,
    ) -> Ask[ResponsibilityChange]:
        """From the day `on` this organization has the role no longer, and nobody follows."""
        body = {"domain": domain, "role": role, "on": on, "reason": {"code": code}}
        return Ask(document, path={"personId": person_id}, body=body, headers=new_key(idempotency_key))

    @operation("getResponsibilityChanges", "GET", "/v1/people/{personId}/responsibility/changes")
    def changes_of(
        self, person_id: Id, *, from_: Moment | None = None, to: Moment | None = None
    ) -> Ask[ResponsibilityChanges]:
        """What was known otherwise at `to` (now) than at `from_` (before anything), and the steps in between."""
        return Ask(document, path={"personId": person_id}, query={"from": from_, "to": to})

    @operation("getAreaResponsibility", "GET", "/v1/areas/{areaCode}/responsibility")
    def of_area(
        self,
        area_code: str,
        *,
        as_of: Day | None = None,
        known_at: Moment | None = None,
        number: str | None = None,
        cursor: str | None = None,
        page_size: int | None = None,
    ) -> Ask[AreaResponsibility]:
        """Everybody's holders in the area on that day (today), as known at `known_at` (now): the totals of all, and
        the page of people behind `cursor`, the `nextCursor` of the page before. `number`: only those whose
        own id, or the id of a handover about them, is this one or ends in these six digits."""
        query = {
            "asOf": as_of,
            "knownAt": known_at,
            "number": number,
            "cursor": cursor,
            "limit": page_size,
        }
        return Ask(document, path={"areaCode": area_code}, query=query)

    @listing("listResponsibilityChanges", "/v1/responsibility/changes")
    def changes(
        self,
        since: Moment,
        *,
        until: Moment | None = None,
        area: str | None = None,
        organization: Id | None = None,
        page_size: int | None = None,
    ) -> Ask[ResponsibilityChange]:
        """What was recorded after `since` of the people this organization may see, person by person."""
        query = {
            "since": since,
            "until": until,
            "area": area,
            "organization": None if organization is None else str(organization),
            "limit": page_size,
        }
        return Ask(document, query=query)
