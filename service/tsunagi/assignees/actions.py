"""Saying who of one's own is in charge of a handover."""

from tsunagi.assignees import store
from tsunagi.db import WriteTx, send
from tsunagi.errors import Text, WrongState
from tsunagi.handovers.rules import ENDED, turn
from tsunagi.handovers.steps import By, possible, present
from tsunagi.ids import HandoverId
from tsunagi.ledger import store as ledger
from tsunagi.ledger.rules import Entry, Record

ASSIGNED, UNASSIGNED = "assigned", "unassigned"
"""What the ledger says of it: the reference is the organization's own, and stays with it."""


async def assign(tx: WriteTx, by: By, handover_id: HandoverId, assignee: str | None) -> None:
    """The caller's own side has this one in charge; None: nobody. Saying it again changes nothing. Neither the
    handover's revision nor its entity tag changes, and the other side is not told.

    Raises NotFound for everybody but the two sides, WrongState once the handover is over.
    """
    handover = await present(tx, by, handover_id)
    if handover.status in ENDED:
        raise WrongState(
            Text("担当者を決められるのは、終わっていない引継ぎだけです", "The handover is over"),
            extensions={
                "handoverStatus": handover.status,
                "availableActions": list(possible(handover, by)),
            },
            turn=turn(handover.status),
        )
    before = await store.find(tx, handover_id, by.organization_id)
    if assignee == before:
        return
    entry = Entry(
        action="handovers:assign",
        at=by.at,
        actor=by.caller.actor(by.request_id),
        stream=handover.stream,
        record=Record("handover", handover_id, handover.version),
        change=(ASSIGNED if before else UNASSIGNED, ASSIGNED if assignee else UNASSIGNED),
    )
    await send(tx, store.saving(handover_id, by.organization_id, assignee), ledger.entering(entry))
