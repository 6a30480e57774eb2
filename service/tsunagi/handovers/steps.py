"""What every step shares: fetching a handover as the calendar has it, who may go on, saving, telling, recording.

The clock's own steps are here as well. They are taken on the way into every action too, so that a late worker
changes nothing but who notices first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

import structlog

from tsunagi.auth.rules import Caller
from tsunagi.clock import civil_date
from tsunagi.db import Acting, Database, Write, WriteTx, send
from tsunagi.errors import NotFound, Text, WindowNotOpen, WrongState
from tsunagi.handovers import store
from tsunagi.handovers.rules import (
    STEPS,
    UNANSWERED,
    WITHOUT_RELATION,
    Action,
    ClockStep,
    Handover,
    Side,
    Status,
    after,
    available,
    looked,
    next_step,
    turn,
)
from tsunagi.ids import HandoverId, OrganizationId
from tsunagi.ledger import store as ledger
from tsunagi.ledger.rules import PLATFORM, Actor, Entry, Record
from tsunagi.ledger.rules import Action as LedgerAction
from tsunagi.logs import fault
from tsunagi.notifications import store as notifications
from tsunagi.notifications.store import Event, EventType
from tsunagi.people import store as people

log = structlog.get_logger()

_CLOCK: dict[ClockStep, tuple[LedgerAction, EventType]] = {
    "expire": ("handovers:expire", "handover.expired"),
    "overlap": ("handovers:overlap", "handover.overlapping"),
    "complete": ("handovers:complete", "handover.completed"),
}


@dataclass(frozen=True, slots=True)
class By:
    """Who acts, and when."""

    caller: Caller
    at: datetime
    request_id: str

    @property
    def organization_id(self) -> OrganizationId:
        return self.caller.organization_id

    @property
    def acting(self) -> Acting:
        return Acting(self.organization_id, civil_date(self.at))


async def present(tx: WriteTx, by: By, handover_id: HandoverId) -> Handover:
    """The handover as it stands, held for the caller's step.

    Raises NotFound for everybody but its two sides, and for the receiver while it is a draft.
    """
    handover = await store.lock(tx, handover_id)
    if handover is None or handover.side_of(by.organization_id) is None:
        raise NotFound
    return await settle(tx, by.at, handover)


def side(handover: Handover, by: By) -> Side:
    found = handover.side_of(by.organization_id)
    assert found is not None, "checked when the handover was fetched"
    return found


def possible(handover: Handover, by: By) -> tuple[Action, ...]:
    """What the caller may do with the handover now."""
    return available(
        handover.status,
        side(handover, by),
        window_open=handover.window_open(civil_date(by.at)),
    )


def permitted(handover: Handover, action: Action, by: By) -> Status:
    """The status after `action`.

    Raises WindowNotOpen when the receiver is too early, WrongState when the caller cannot do this now.
    """
    status = after(handover.status, action)
    actions = possible(handover, by)
    if status is not None and action in actions:
        return status
    extensions = {"handoverStatus": handover.status, "availableActions": list(actions)}
    setter, steps = STEPS[action]
    early = handover.status in UNANSWERED and not handover.window_open(civil_date(by.at))
    if early and setter == side(handover, by) == "receiver":
        raise WindowNotOpen(extensions=extensions | {"windowOpensOn": handover.window_opens_on.isoformat()})
    whose = {"sender": Text("提供元", "the sender"), "receiver": Text("提供先", "the receiver")}[setter]
    states = ", ".join(steps)
    detail = Text(
        f"{action} ができるのは{whose.ja}で、状態が {states} のときです",
        f"{action} is for {whose.en} to do, in the states: {states}",
    )
    raise WrongState(detail, extensions=extensions, turn=turn(handover.status))


async def enter(
    tx: WriteTx,
    by: By,
    handover: Handover,
    action: LedgerAction,
    *,
    before: Status | None,
    sections: Sequence[str] = (),
    consents: Sequence[UUID] = (),
    content: str | None = None,
    code: str | None = None,
) -> None:
    """The step is on the ledger."""
    entry = entered(
        by,
        handover,
        action,
        before=before,
        sections=sections,
        consents=consents,
        content=content,
        code=code,
    )
    await ledger.append(tx, entry)


def entered(
    by: By,
    handover: Handover,
    action: LedgerAction,
    *,
    before: Status | None,
    sections: Sequence[str] = (),
    consents: Sequence[UUID] = (),
    content: str | None = None,
    code: str | None = None,
) -> Entry:
    return Entry(
        action=action,
        at=by.at,
        actor=by.caller.actor(by.request_id),
        stream=handover.stream,
        record=Record("handover", handover.id, handover.version),
        sections=sections,
        consents=consents,
        content=content,
        code=code,
        change=(before, handover.status),
    )


async def settle(tx: WriteTx, at: datetime, handover: Handover) -> Handover:
    """The handover as the calendar has it at `at`, with every overdue step taken and told."""
    today = civil_date(at)
    if opens_now(handover, today):
        handover = await store.save(tx, at, looked(replace(handover, window_announced=True)))
        await tell(tx, at, handover, "handover.window_opened")
    while (step := next_step(handover, today)) is not None:
        before, status = handover.status, after(handover.status, step)
        assert status is not None
        completed = at if step == "complete" else None
        handover = await store.save(tx, at, looked(replace(handover, status=status, completed_at=completed)))
        if status in WITHOUT_RELATION:
            await people.part(tx, handover.person_id, handover.receiver_id, through=handover.id)
        action, event = _CLOCK[step]
        await tell(tx, at, handover, event)
        await ledger.append(
            tx,
            Entry(
                action=action,
                at=at,
                actor=Actor(None, PLATFORM, None, "clock"),
                stream=handover.stream,
                record=Record("handover", handover.id, handover.version),
                change=(before, status),
            ),
        )
    return handover


def unsettled(handover: Handover, today: date) -> bool:
    """Whether `settle` would change anything."""
    return opens_now(handover, today) or next_step(handover, today) is not None


def opens_now(handover: Handover, today: date) -> bool:
    """Whether its window is open and nobody has been told."""
    return handover.status in UNANSWERED and not handover.window_announced and handover.window_open(today)


async def keep(tx: WriteTx, at: datetime, handover: Handover) -> Handover:
    """Saves a handover together with the dates that follow from its state."""
    return await store.save(tx, at, looked(handover))


async def tell(tx: WriteTx, at: datetime, handover: Handover, event: EventType) -> None:
    """Both sides find the event in their feeds."""
    await send(tx, telling(at, handover, event))


def telling(at: datetime, handover: Handover, *events: EventType) -> Write:
    return notifications.telling(
        Event(organization, event, at, handover_id=handover.id, status=handover.status)
        for event in events
        for organization in (handover.sender_id, handover.receiver_id)
    )


async def advance(db: Database, at: datetime) -> int:
    """Everything due at `at` has happened; returns how many handovers moved.

    Each handover has a transaction of its own: a crash loses no step and repeats none. What another worker or a
    request holds is left to it, and what fails is logged and left to the next round.
    """
    moved, place = 0, None
    while True:
        before = place
        try:
            async with db.platform() as tx:
                found = await store.due(tx, civil_date(at), after=place)
                if found is None:
                    return moved
                place = found.clock_on, found.id
                settled = await settle(tx, at, found)
            moved += settled.revision > found.revision
        except Exception as error:
            if place == before:
                raise
            log.warning("handover stands still", **fault(error))
