"""The operations under /v1/provisions."""

from datetime import date
from typing import Literal, TypeAlias

from tsunagi_client._operations import Driver, Group, content, document, listing, operation
from tsunagi_client._session import Ask
from tsunagi_client.handovers import Id
from tsunagi_client.provision_models import Provision

File: TypeAlias = Literal["csv", "pdf"]


class Provisions(Group[Driver]):
    @listing("listProvisions", "/v1/provisions")
    def list(
        self,
        *,
        role: Literal["giver", "receiver", "auditor"] | None = None,
        since: date | str | None = None,
        until: date | str | None = None,
        person_id: Id | None = None,
        handover_id: Id | None = None,
        page_size: int | None = None,
    ) -> Ask[Provision]:
        """Records of provision in the order of their days, from `since` on and before `until`."""
        query = {
            "role": role,
            "from": since,
            "to": until,
            "personId": _id(person_id),
            "handoverId": _id(handover_id),
            "limit": page_size,
        }
        return Ask(document, query=query | {"format": "json"})

    @operation("listProvisions", "GET", "/v1/provisions")
    def file(
        self,
        form: File,
        *,
        role: Literal["giver", "receiver", "auditor"] | None = None,
        since: date | str | None = None,
        until: date | str | None = None,
        person_id: Id | None = None,
        handover_id: Id | None = None,
    ) -> Ask[bytes]:
        """The same records, all of them, as a file."""
        query = {
            "role": role,
            "from": since,
            "to": until,
            "personId": _id(person_id),
            "handoverId": _id(handover_id),
        }
        return Ask(content, query=query | {"format": form})


def _id(given: Id | None) -> str | None:
    return None if given is None else str(given)
