"""Recording what was done together, taking it back, reading it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tsunagi.activities import rules, store
from tsunagi.activities.rules import RECORDING, SECTION, Activity, ActivityId, Window
from tsunagi.clock import civil_date
from tsunagi.consent.rules import Coverage, WithheldReason
from tsunagi.db import WriteTx
from tsunagi.directory.rules import OrganizationKind
from tsunagi.disclosure import actions as disclosure
from tsunagi.errors import ConsentMissing, NotFound, RuleViolated, Text, WindowNotOpen, WrongState
from tsunagi.handovers.rules import Handover, Side, turn
from tsunagi.handovers.steps import By, possible, present, side
from tsunagi.ids import HandoverId
from tsunagi.ledger import store as ledger
from tsunagi.ledger.rules import Action, Entry, Record
from tsunagi.notifications import store as notifications
from tsunagi.notifications.store import Event, EventType


@dataclass(frozen=True, slots=True)
class Told:
    """The activities that a side may read. `window` is None where it may read its own alone."""

    handover: Handover
    activities: Sequence[Activity]
    window: Window | None
    withheld: Mapping[str, WithheldReason]
    may_record: bool
    kinds: Mapping[Side, OrganizationKind]


async def record(
    tx: WriteTx, by: By, handover_id: HandoverId, document: Mapping[str, Any]
) -> tuple[Activity, Handover, Mapping[Side, OrganizationKind]]:
    """Both sides find what was done together, and are told of it.

    Raises NotFound for everybody but the two sides; WrongState, WindowNotOpen and ConsentMissing for a side that may
    not record now; RuleViolated for a day that cannot be, a window that is neither side, or too many.
    """
    handover = await present(tx, by, handover_id)
    seen = await disclosure.covered(tx, by, handover)
    _check_recording(handover, by, seen.coverage)
    new = store.new(by.at, handover.id, by.organization_id, document)
    if errors := rules.check(new, handover, civil_date(by.at)):
        raise RuleViolated(errors=errors)
    if await store.number(tx, handover.id, by.organization_id) >= rules.MOST:
        raise RuleViolated(errors=(rules.too_many(),))
    await store.add(tx, new)
    await _tell(tx, by, handover, "handover.activity_recorded")
    await _enter(tx, by, handover, "handovers:record_activity", new)
    return new, handover, seen.kinds


async def withdraw(
    tx: WriteTx, by: By, handover_id: HandoverId, activity_id: ActivityId
) -> tuple[Activity, Handover, Mapping[Side, OrganizationKind]]:
    """It no longer counts, and both sides are told. Taking it back again changes nothing.

    Raises NotFound unless it is of the caller's own writing.
    """
    handover = await present(tx, by, handover_id)
    seen = await disclosure.covered(tx, by, handover)
    own = [one for one in await store.of_handover(tx, handover.id) if one.recorded_by == by.organization_id]
    found = next((one for one in own if one.id == activity_id), None)
    if found is None:
        raise NotFound
    if found.withdrawn_at is None:
        found = replace(found, withdrawn_at=by.at)
        await store.withdraw(tx, by.at, found.id)
        await _tell(tx, by, handover, "handover.activity_withdrawn")
        await _enter(tx, by, handover, "handovers:withdraw_activity", found)
    return found, handover, seen.kinds


async def told(tx: WriteTx, by: By, handover_id: HandoverId) -> Told:
    """What the caller may read of it; the reading is on the ledger. Raises NotFound for everybody but the sides.

    It makes no record of provision: whoever reads was there (docs/decisions/0030).
    """
    seen = await disclosure.looked_at(tx, by, handover_id)
    handover, coverage, whose = seen.handover, seen.coverage, side(seen.handover, by)
    whole = rules.opens(whose, coverage)
    found = await store.of_handover(tx, handover.id)
    await _enter(
        tx, by, handover, "handovers:read_activities", coverage=None if whose == "sender" else coverage
    )
    why = coverage.withheld.get(SECTION) if coverage else None
    return Told(
        handover,
        rules.readable(found, whose, by.organization_id, coverage),
        rules.window(handover, found) if whole else None,
        {SECTION: why} if why else {},
        whole and handover.status in RECORDING[whose],
        seen.kinds,
    )


def _check_recording(handover: Handover, by: By, coverage: Coverage | None) -> None:
    whose = side(handover, by)
    extensions = {"handoverStatus": handover.status, "availableActions": list(possible(handover, by))}
    early = whose == "receiver" and not handover.window_open(civil_date(by.at))
    if early and handover.status in RECORDING["sender"]:
        raise WindowNotOpen(extensions=extensions | {"windowOpensOn": handover.window_opens_on.isoformat()})
    if handover.status not in RECORDING[whose]:
        states = ", ".join(sorted(RECORDING[whose]))
        detail = Text(
            f"連携を記録できるのは、状態が {states} のときです",
            f"An activity can be recorded in the states: {states}",
        )
        raise WrongState(detail, extensions=extensions, turn=turn(handover.status))
    if not rules.opens(whose, coverage):
        raise ConsentMissing(
            Text(
                f"{SECTION} を読める同意がないため、連携を記録できません",
                f"Without a consent that opens {SECTION} no activity can be recorded",
            )
        )


async def _tell(tx: WriteTx, by: By, handover: Handover, event: EventType) -> None:
    """Both sides find it in their feeds; the receiver not before its window has opened, as with all that is behind
    the notice."""
    told = [handover.sender_id]
    if handover.window_open(civil_date(by.at)):
        told.append(handover.receiver_id)
    new = (Event(one, event, by.at, handover_id=handover.id, status=handover.status) for one in told)
    await notifications.append(tx, *new)


async def _enter(
    tx: WriteTx,
    by: By,
    handover: Handover,
    action: Action,
    about: Activity | None = None,
    *,
    coverage: Coverage | None = None,
) -> None:
    """Of what was written the ledger says only which it is and of what kind."""
    entry = Entry(
        action=action,
        at=by.at,
        actor=by.caller.actor(by.request_id),
        stream=handover.stream,
        record=Record("handover", handover.id, handover.version),
        consents=[] if coverage is None else list(coverage.visible.get(SECTION, ())),
        code=about.kind if about else None,
        asked={"activityId": str(about.id)} if about else {},
    )
    await ledger.append(tx, entry)
