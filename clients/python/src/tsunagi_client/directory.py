"""The operations under /v1/organizations, /v1/areas, /v1/findings and /v1/events."""

from datetime import datetime

from tsunagi_client._operations import Driver, Group, document, feed, listing, operation
from tsunagi_client._session import Ask
from tsunagi_client.codes import FindingKind, OrganizationKind
from tsunagi_client.handovers import Day, Id
from tsunagi_client.models import Area, Event, Finding, Organization


class Organizations(Group[Driver]):
    @listing("listOrganizations", "/v1/organizations")
    def list(
        self,
        *,
        q: str | None = None,
        kind: OrganizationKind | None = None,
        municipality: str | None = None,
        area: str | None = None,
        identifier: str | None = None,
        page_size: int | None = None,
    ) -> Ask[Organization]:
        """Organizations that meet all conditions, by name, closed ones included. `q` is a part of the name or
        its kana, `municipality` a JIS code of five digits, `identifier` such as an office number."""
        query = {
            "q": q,
            "kind": kind,
            "municipality": municipality,
            "area": area,
            "identifier": identifier,
            "limit": page_size,
        }
        return Ask(document, query=query)

    @operation("getOrganization", "GET", "/v1/organizations/{organizationId}")
    def get(self, organization_id: Id) -> Ask[Organization]:
        return Ask(document, path={"organizationId": organization_id})


class Areas(Group[Driver]):
    @listing("listAreas", "/v1/areas")
    def list(self) -> Ask[Area]:
        """All areas and their lead times, by code."""
        return Ask(document)


class Findings(Group[Driver]):
    @listing("listFindings", "/v1/findings")
    def list(
        self,
        *,
        kind: FindingKind | None = None,
        person: Id | None = None,
        area: str | None = None,
        organization: Id | None = None,
        from_: Day | None = None,
        to: Day | None = None,
        known_at: str | datetime | None = None,
        page_size: int | None = None,
    ) -> Ask[Finding]:
        """What needs attention about people this organization may see, as it was known at `known_at` (now). Gone once
        it has been put right. `from_` and `to` are about the day on which it became so.

        Raises NotFound when `person` is nobody whom this organization may see."""
        query = {
            "kind": kind,
            "personId": None if person is None else str(person),
            "area": area,
            "organization": None if organization is None else str(organization),
            "from": from_,
            "to": to,
        }
        return Ask(document, query=query | {"knownAt": known_at, "limit": page_size})


class Events(Group[Driver]):
    @feed("listEvents", "/v1/events")
    def list(self, *, after: int = 0, page_size: int | None = None) -> Ask[Event]:
        """What has happened after that position, in order, up to now. Keep the `position` of the last event
        that you have dealt with, and go on from it the next time: nothing is missed or repeated."""
        return Ask(document, query={"after": after, "limit": page_size})
