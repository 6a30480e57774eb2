"""No statement of a hot path takes longer because there is more in the database."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bench.capture import Statement, listening
from bench.multiply import copy_of
from tests.plans.conftest import Filled
from tests.plans.explained import faults, plans

pytestmark = pytest.mark.xdist_group("plans")

Ask = Callable[[Filled], Awaitable[Any]]

OWN = 50
"""The first copy, among those that are ready, that is handed over here."""


def _get(path: str, *, sender: bool = False) -> Ask:
    async def ask(filled: Filled) -> None:
        who = filled.play.cast.sender if sender else filled.play.cast.center
        at = path.format(handover=filled.stage.handover(8), person=filled.stage.person(8))
        await filled.play.call(who, "GET", at)

    return ask


async def _register(filled: Filled) -> None:
    await filled.play.ready(filled.play.record(7_001))


async def _post(filled: Filled) -> None:
    await filled.play.draft(filled.play.usual, copy_of(filled.stage.ready.person_id, OWN))


async def _offer(filled: Filled) -> None:
    drafted = await filled.play.draft(filled.play.usual, copy_of(filled.stage.ready.person_id, OWN + 1))
    await filled.play.step(filled.play.cast.sender, drafted, "offer")


async def _accept(filled: Filled) -> None:
    await filled.play.accepted(filled.play.record(7_002))


async def _match(filled: Filled) -> None:
    who = filled.play.record(0)["sections"]["identity"]
    kana = {name: who[name] for name in ("familyNameKana", "givenNameKana", "birthDate")}
    await filled.play.call(filled.play.cast.sender, "POST", "/v1/people/match", {"kana": kana})


async def _next_page(filled: Filled) -> None:
    center = filled.play.cast.center
    page = await filled.play.call(center, "GET", "/v1/handovers?limit=50")
    await filled.play.call(center, "GET", f"/v1/handovers?limit=50&cursor={page['nextCursor']}")


async def _assign(filled: Filled) -> None:
    at = f"/v1/handovers/{filled.stage.handover(8)}/assignee"
    await filled.play.call(filled.play.cast.center, "PUT", at, {"assignee": "S-1"})


async def _visit(filled: Filled) -> None:
    await filled.play.visited(filled.stage.handover(8))


ASKED: dict[str, Ask] = {
    "register and consent": _register,
    "post": _post,
    "offer": _offer,
    "read and accept": _accept,
    "match": _match,
    "read": _get("/v1/handovers/{handover}"),
    "read one's own": _get("/v1/handovers/{handover}", sender=True),
    "list": _get("/v1/handovers?limit=50"),
    "list, next page": _next_page,
    "list what comes in": _get("/v1/handovers?limit=50&direction=incoming&window=open&status=received"),
    "list what goes out": _get("/v1/handovers?limit=50&direction=outgoing", sender=True),
    "list what is due": _get("/v1/handovers?limit=50&dueBefore=2100-01-01"),
    "list of who is in charge": _get("/v1/handovers?limit=50&direction=incoming&assignee=S-1"),
    "list that nobody has": _get("/v1/handovers?limit=50&direction=incoming&unassigned=true"),
    "assign": _assign,
    "record a visit": _visit,
    "activities": _get("/v1/handovers/{handover}/activities"),
    "export": _get("/v1/handovers/export"),
    "responsibility": _get("/v1/people/{person}/responsibility"),
    "what changed": _get("/v1/people/{person}/responsibility/changes"),
    "milestones": _get("/v1/people/{person}/milestones"),
    "findings of a person": _get("/v1/findings?personId={person}"),
    "provisions": _get("/v1/provisions?limit=50"),
    "provisions of a person": _get("/v1/provisions?limit=50&personId={person}", sender=True),
    "events": _get("/v1/events?limit=50"),
}

BATCHES = {"export", "provisions"}
"""What asks for a hundred at once, or of an auditor's whole area, may well read all of a table of a few thousand: here
it must not have to."""


@pytest.mark.parametrize("name", ASKED)
async def test_no_statement_reads_or_sorts_a_growing_table(filled: Filled, name: str) -> None:
    with listening() as statements:
        await ASKED[name](filled)
    connection = await filled.session.connect()
    if name in BATCHES:
        await connection.execute("SET enable_seqscan = off")
    try:
        found = await plans(connection, once(statements))
    finally:
        await connection.close()
    assert found
    bad = {f"{fault}: {statement.text}" for statement, plan in found for fault in faults(plan)}
    assert not bad, "\n\n".join(sorted(bad))


def once(statements: list[Statement]) -> list[Statement]:
    """Each statement once in each transaction: an export sends the same ones for every batch."""
    kept: dict[str, Statement] = {}
    for one in statements:
        if not one.prepared:
            kept[f"{len(kept)} {one.text}"] = one
        else:
            kept.setdefault(one.text, one)
    return list(kept.values())
