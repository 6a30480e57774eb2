"""What a reading leaves behind beside its entry on the ledger, and looking at it afterwards."""

import json
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from tsunagi.clock import civil_date
from tsunagi.consent.rules import Coverage
from tsunagi.db import WriteTx
from tsunagi.directory.rules import OrganizationKind
from tsunagi.handovers.rules import Handover
from tsunagi.handovers.steps import By
from tsunagi.ids import ordered_id
from tsunagi.ledger import store as ledger
from tsunagi.ledger.rules import Action, Entry, Record
from tsunagi.provisions import store
from tsunagi.provisions.rules import Given, Means, Provision, transfers, withholding
from tsunagi.provisions.store import Filter, Place, Row

STATEMENT = "acquisitionContext"
"""The member of a record's header in which the giver may say how it came by the data."""


def provided(
    at: datetime,
    handover: Handover,
    covered: Coverage,
    given: Iterable[Given],
    *,
    version: int,
    header: str,
    means: Means,
    receiver_kind: OrganizationKind,
    entry_id: UUID,
) -> list[Row]:
    """The records of a reading by the receiver; none where it gives nothing that was not given before."""
    found = transfers(covered, given, civil_date(at))
    if not found:
        return []
    stated = STATEMENT in json.loads(header)
    return [
        store.row(
            transfer,
            id=ordered_id(),
            handover_id=handover.id,
            version=version,
            person_id=handover.person_id,
            stream=handover.stream,
            area_code=handover.area_code,
            giver_id=handover.sender_id,
            receiver_id=handover.receiver_id,
            provided_at=at,
            means=means,
            acquisition="stated" if stated else "in_support",
            withheld_from_person=withholding(transfer.ground, receiver_kind),
            entry_id=entry_id,
        )
        for transfer in found
    ]


async def listed(
    tx: WriteTx, by: By, wanted: Filter, *, after: Place | None, limit: int, action: Action
) -> list[Provision]:
    """The caller has seen these records, and the ledger says so: on the person's stream, if it asked about one whom
    it knows."""
    found = await store.listing(tx, by.organization_id, wanted, after=after, limit=limit)
    stream = found[0].stream if found and wanted.person_id else None
    asked = {"role": wanted.role, "from": wanted.since, "to": wanted.until, "handoverId": wanted.handover_id}
    await ledger.append(
        tx,
        Entry(
            action=action,
            at=by.at,
            actor=by.caller.actor(by.request_id),
            stream=stream,
            record=Record("provision", stream or by.organization_id),
            asked={name: str(value) for name, value in asked.items() if value is not None},
        ),
    )
    return found
