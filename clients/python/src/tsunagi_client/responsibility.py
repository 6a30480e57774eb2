"""The operations by which responsibility is put right, and compared over time."""

from datetime import datetime

from tsunagi_client._operations import Driver, Group, document, listing, operation
from tsunagi_client._session import Ask
from tsunagi_client.codes import Basis, CorrectionCode, Domain, EndCode, Role
from tsunagi_client.handovers import Day, Id, new_key
from tsunagi_client.models import ResponsibilityChange, ResponsibilityChanges

Moment = str | datetime


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
