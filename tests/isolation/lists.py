"""Every request that names nothing, or a place in a list."""

from collections.abc import Callable

from tests.isolation.asking import Asked, cursor
from tests.isolation.marks import mark

LISTS: dict[str, Callable[[Asked], str]] = {
    "listHandovers": lambda _: "/v1/handovers?limit=200",
    "listHandovers incoming": lambda _: "/v1/handovers?limit=200&direction=incoming",
    "listHandovers of the area": lambda _: "/v1/handovers?limit=200&area=12-91&window=open",
    "listHandovers of somebody else's": lambda a: (
        f"/v1/handovers?limit=200&assignee={mark(a.number, 'sender_assignee')}"
    ),
    "listHandovers that somebody has": lambda _: "/v1/handovers?limit=200&unassigned=false",
    "listHandovers behind": lambda a: f"/v1/handovers?limit=200&cursor={cursor('2020-01-01', a.handover_id)}",
    "exportHandovers": lambda _: "/v1/handovers/export",
    "listFindings": lambda _: "/v1/findings?limit=200",
    "listFindings behind": lambda asked: f"/v1/findings?limit=200&cursor={cursor(asked.person_id, 0)}",
    "getAreaResponsibility": lambda _: "/v1/areas/12-91/responsibility?limit=1000",
    "getAreaResponsibility as known": lambda _: (
        "/v1/areas/12-91/responsibility?asOf=2027-06-01&knownAt=2026-11-21T00:00:00Z"
    ),
    "getAreaResponsibility of a handover": lambda a: (
        f"/v1/areas/12-91/responsibility?number={a.handover_id[-6:]}"
    ),
    "getAreaResponsibility of a person": lambda a: (
        f"/v1/areas/12-91/responsibility?number={a.person_id[-6:]}"
    ),
    "listResponsibilityChanges": lambda _: "/v1/responsibility/changes?limit=200&since=2020-01-01T00:00:00Z",
    "listResponsibilityChanges behind": lambda asked: (
        f"/v1/responsibility/changes?since=2020-01-01T00:00:00Z&cursor={cursor(asked.person_id, 0)}"
    ),
    "listEvents": lambda _: "/v1/events?limit=200",
    "listWebhooks": lambda _: "/v1/webhooks",
    "listWebhookDeliveries": lambda a: (
        f"/v1/webhooks/{a.realm.webhooks[a.voice.role][0]}/deliveries?limit=200"
    ),
    "listLedgerEntries": lambda _: "/v1/ledger/entries?limit=200&outcome=permit",
    "listLedgerEntries behind": lambda asked: (
        f"/v1/ledger/entries?limit=200&outcome=permit&cursor={cursor(asked.handover_id, 'f' * 32)}"
    ),
    "listSharingGuidelines": lambda _: "/v1/sharing-guidelines",
    "getFeeReductionEvidence": lambda _: "/v1/fee-reduction-evidence?from=2026-01-01&to=2030-01-01",
    "getFeeReductionEvidence as a file": lambda _: (
        "/v1/fee-reduction-evidence?from=2026-01-01&to=2030-01-01&format=csv"
    ),
    "listProvisions": lambda _: "/v1/provisions?limit=200",
    "listProvisions as a file": lambda _: "/v1/provisions?format=csv",
    "listProvisions of the person": lambda a: f"/v1/provisions?limit=200&personId={a.person_id}",
    "listProvisions of the handover": lambda a: f"/v1/provisions?limit=200&handoverId={a.handover_id}",
    "listProvisions from above": lambda _: "/v1/provisions?limit=200&role=auditor",
    "listProvisions behind": lambda a: (
        f"/v1/provisions?limit=200&cursor={cursor('2020-01-01', a.handover_id)}"
    ),
    "listOrganizations": lambda _: "/v1/organizations?limit=200",
    "getOrganization": lambda asked: f"/v1/organizations/{asked.voice.id}",
    "listAreas": lambda _: "/v1/areas",
    "getSchema": lambda _: "/schemas/handover-record.json",
    **{
        operation: lambda _, path=path: path  # type: ignore[misc]
        for operation, path in {
            "getAuthorizationServerMetadata": "/.well-known/oauth-authorization-server",
            "getSmartConfiguration": "/.well-known/smart-configuration",
            "getProtectedResourceMetadata": "/.well-known/oauth-protected-resource",
            "getJwks": "/.well-known/jwks.json",
            "getOpenapi": "/openapi.yaml",
            "getOpenapiBundle": "/openapi.bundle.json",
            "getDocs": "/docs",
            "getLiveness": "/livez",
            "getReadiness": "/readyz",
            "getCheckpoint": "/ledger/checkpoint",
            "getLedgerKeys": "/ledger/keys",
            "getLedgerTile": "/ledger/tile/0/000.p/1",
        }.items()
    },
}
"""Requests that name nothing, or a place in a list: whatever comes, it must be the caller's own. By operation, with a
word where there are several."""
