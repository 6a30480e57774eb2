"""The operations under /v1/provisions, /v1/sharing-guidelines and /v1/fee-reduction-evidence."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal, TypeAlias

from tsunagi_client._operations import Driver, Group, content, document, listing, operation
from tsunagi_client._session import Ask
from tsunagi_client.handovers import Id, new_key
from tsunagi_client.provision_models import FeeReductionEvidence, Provision, SharingGuideline

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


class Evidence(Group[Driver]):
    """What a settlement provider can show against the fee reduction (支援体制構築未実施減算)."""

    @operation("adoptSharingGuideline", "POST", "/v1/sharing-guidelines")
    def adopt(
        self, guideline: Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> Ask[SharingGuideline]:
        """One more version of this organization's guideline for sharing."""
        return Ask(document, headers=new_key(idempotency_key), body=guideline)

    @listing("listSharingGuidelines", "/v1/sharing-guidelines")
    def guidelines(self, *, organization_id: Id | None = None) -> Ask[SharingGuideline]:
        """All versions, the newest first."""
        return Ask(document, query={"organizationId": _id(organization_id)})

    @operation("getFeeReductionEvidence", "GET", "/v1/fee-reduction-evidence")
    def get(
        self, since: date | str, until: date | str, *, organization_id: Id | None = None
    ) -> Ask[FeeReductionEvidence]:
        """Of each person whose service ends from `since` on and before `until`."""
        query = {"from": since, "to": until, "organizationId": _id(organization_id)}
        return Ask(document, query=query | {"format": "json"})

    @operation("getFeeReductionEvidence", "GET", "/v1/fee-reduction-evidence")
    def file(
        self, form: File, since: date | str, until: date | str, *, organization_id: Id | None = None
    ) -> Ask[bytes]:
        """The same, as a file."""
        query = {"from": since, "to": until, "organizationId": _id(organization_id)}
        return Ask(content, query=query | {"format": form})


def _id(given: Id | None) -> str | None:
    return None if given is None else str(given)
