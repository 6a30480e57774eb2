"""Adopting guidelines, and looking at what can be shown."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from tsunagi.clock import civil_date
from tsunagi.db import ReadTx, WriteTx
from tsunagi.errors import InvalidParameter, NotFound, Notice, Text
from tsunagi.evidence import store
from tsunagi.evidence.rules import Evidence, Guideline, Month, evidence, months
from tsunagi.handovers.steps import By
from tsunagi.ids import ConsentId, OrganizationId, PersonId
from tsunagi.ledger import store as ledger
from tsunagi.ledger.rules import Action, Entry, Record
from tsunagi.provisions import store as provisions
from tsunagi.provisions.rules import Provision

MOST_PEOPLE = 1_000
MOST_GUIDELINES = 200


async def adopt(tx: WriteTx, by: By, document: Mapping[str, Any]) -> Guideline:
    """The organization's guideline has one more version; the earlier ones stay as they are."""
    adopted = await store.adopt(
        tx,
        by.organization_id,
        title=document["title"],
        document_hash=document.get("documentHash"),
        document_url=document.get("documentUrl"),
        officer_name=document["officer"]["name"],
        officer_role=document["officer"]["role"],
        effective_from=date.fromisoformat(document["effectiveFrom"]),
        recorded_at=by.at,
    )
    await _enter(tx, by, "guidelines:adopt", Record("guideline", by.organization_id, adopted.version))
    return adopted


async def guidelines(tx: WriteTx, by: By, organization_id: OrganizationId) -> list[Guideline]:
    """The organization's guidelines, the newest first; the look is on the ledger. Raises NotFound unless it is the
    caller's own, or hands over in the caller's remit."""
    await _check_remit(tx, by, organization_id)
    await _enter(tx, by, "guidelines:read", Record("organization", organization_id))
    return await store.of_organization(tx, organization_id, limit=MOST_GUIDELINES)


@dataclass(frozen=True, slots=True)
class Collected:
    """What a provider can show for a period, of each person and month by month."""

    applicable: bool
    """Whether it is a settlement provider."""
    guideline: Guideline | None
    """The newest."""
    people: Sequence[Evidence]
    months: Sequence[Month]


async def collected(
    tx: WriteTx, by: By, provider: OrganizationId, *, since: date, until: date, action: Action
) -> Collected:
    """What the provider can show of everybody whose settlement service ends in the period; the look is on the ledger.
    An auditor sees those handed over in its remit, and no consent that nothing was given on yet.

    Raises NotFound as `guidelines`, InvalidParameter for more than MOST_PEOPLE people.
    """
    own = await _check_remit(tx, by, provider)
    asked = {"from": since.isoformat(), "to": until.isoformat()}
    await _enter(tx, by, action, Record("organization", provider), asked)
    applicable = await store.settles(tx, provider)
    adopted = await store.of_organization(tx, provider, limit=MOST_GUIDELINES)
    newest = adopted[0] if adopted else None
    if not applicable:
        return Collected(applicable, newest, (), ())
    auditor = None if own else by.organization_id
    endings = await store.endings(
        tx, provider, since=since, until=until, auditor=auditor, limit=MOST_PEOPLE + 1
    )
    if len(endings) > MOST_PEOPLE:
        raise _too_many()
    people = [one.person_id for one in endings]
    given = await _given(tx, provider, people)
    today = civil_date(by.at)
    consents: dict[PersonId, list[ConsentId]] = {}
    if own:
        consents = await store.consents(tx, provider, people, today)
    found = [evidence(one, adopted, given[one.person_id], consents.get(one.person_id, [])) for one in endings]
    return Collected(applicable, newest, found, months(found, today))


def _too_many() -> InvalidParameter:
    text = Text(
        f"{MOST_PEOPLE:,}人を超えます。from と to で期間を狭めてください",
        f"More than {MOST_PEOPLE:,} people: narrow the period with from and to",
    )
    notice = Notice("parameter.too_many", "error", text, parameter="from", party="client")
    return InvalidParameter(text, errors=(notice,))


async def _given(
    tx: ReadTx, provider: OrganizationId, people: Sequence[PersonId]
) -> Mapping[PersonId, list[Provision]]:
    of: dict[PersonId, list[Provision]] = defaultdict(list)
    for one in await provisions.given(tx, provider, people):
        of[one.person_id].append(one)
    return of


async def _check_remit(tx: ReadTx, by: By, organization_id: OrganizationId) -> bool:
    """Whether it is the caller's own. Raises NotFound where it is neither that nor of the caller's remit."""
    if organization_id == by.organization_id:
        return True
    if not await store.audited(tx, by.organization_id, organization_id):
        raise NotFound
    return False


async def _enter(
    tx: WriteTx, by: By, action: Action, record: Record, asked: Mapping[str, str] | None = None
) -> None:
    actor = by.caller.actor(by.request_id)
    await ledger.append(tx, Entry(action=action, at=by.at, actor=actor, record=record, asked=asked or {}))
