"""The operations of the ledger. What they answer `tsunagi_verifier` checks, without believing the service."""

from datetime import datetime
from typing import Literal, NotRequired, TypedDict

from tsunagi_client._operations import Driver, Group, document, listing, operation
from tsunagi_client._session import Ask
from tsunagi_client.codes import Status
from tsunagi_client.handovers import Id


class LedgerEntry(TypedDict):
    """One thing that happened. `commitment` is the SHA-256 of salt and body, which are None once erased."""

    id: str
    recordedAt: str
    position: int | None
    stream: NotRequired[str]
    number: NotRequired[int]
    commitment: str
    salt: str | None
    body: str | None


class ReceiptStep(TypedDict):
    action: NotRequired[str]
    at: str
    organizationId: NotRequired[str]
    recordVersion: NotRequired[int]
    entry: LedgerEntry
    proof: str | None
    """A C2SP tlog-proof; None while the entry is not in the log."""


class Receipt(TypedDict):
    handoverId: str
    status: Status
    issuedAt: str
    checkpoint: str | None
    keys: list[str]
    steps: list[ReceiptStep]


class Ledger(Group[Driver]):
    @operation("getReceipt", "GET", "/v1/handovers/{handoverId}/receipt")
    def receipt(self, handover_id: Id) -> Ask[Receipt]:
        """What was offered, first read and accepted, each step with its proof. Keep it: it proves what it says
        when the service is gone."""
        return Ask(document, path={"handoverId": handover_id})

    @listing("listLedgerEntries", "/v1/ledger/entries")
    def entries(
        self,
        *,
        person_id: Id | None = None,
        handover_id: Id | None = None,
        stream: Id | None = None,
        organization_id: Id | None = None,
        action: str | None = None,
        outcome: Literal["permit", "deny"] | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        page_size: int | None = None,
    ) -> Ask[LedgerEntry]:
        """This organization's acts, and for an auditor everything about the people of its remit, in the order in
        which it was written. `since` and `until` need a time zone."""
        ids = {
            "personId": person_id,
            "handoverId": handover_id,
            "stream": stream,
            "organizationId": organization_id,
        }
        query = {name: None if one is None else str(one) for name, one in ids.items()}
        rest = {"action": action, "outcome": outcome, "from": since, "to": until, "limit": page_size}
        return Ask(document, query={**query, **rest})
