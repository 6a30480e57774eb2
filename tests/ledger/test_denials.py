"""A refusal undoes what it refused and is itself kept."""

from typing import Any

import pytest

from tests.crowd import offer
from tests.ledger.entries import Kept, kept
from tests.world import World
from tsunagi.api.edge import DENIED

TAGS = ("People", "Disclosures", "Responsibility", "Consents", "Handovers", "Findings", "Ledger", "Evidence")
OPEN_TO_ALL = {"listHandovers", "exportHandovers", "listResponsibilityChanges", "getAreaResponsibility"} | {
    "adoptSharingGuideline"
}
"""They answer with what the caller may see and refuse nobody."""


async def last_denial(world: World, already: int) -> Kept:
    """The one entry that is new."""
    fresh = (await kept(world.services.db))[already:]
    assert [entry.body["outcome"] for entry in fresh] == ["deny"]
    return fresh[0]


async def count(world: World) -> int:
    return len(await kept(world.services.db))


async def test_every_operation_on_people_consents_and_handovers_keeps_its_refusals(world: World) -> None:
    concerned = {
        operation.id
        for operation in world.services.contract.operations.values()
        if operation.scope and operation.tag in TAGS
    }
    assert DENIED.keys() == concerned - OPEN_TO_ALL


async def test_a_stranger_is_kept_without_whose_handover_it_was(world: World) -> None:
    offered = await offer(world)
    path = f"/v1/handovers/{offered['id']}"
    calls = [
        ("GET", path, None, "handovers:read"),
        ("GET", f"{path}/versions/1", None, "handovers:read"),
        ("POST", f"{path}/receive", None, "handovers:receive"),
        ("GET", f"/v1/consents/{offered['consentId']}", None, "consents:read"),
        ("GET", f"/v1/people/{offered['personId']}/responsibility", None, "responsibility:read"),
        ("GET", f"/v1/findings?personId={offered['personId']}", None, "findings:read"),
    ]
    for method, where, body, action in calls:
        already = await count(world)
        assert (await world.other.call(method, where, body)).status_code == 404
        entry = await last_denial(world, already)
        assert (entry.body["action"], entry.body["code"]) == (action, "not_found")
        assert entry.body["actor"]["organization"] == str(world.other.id)
        assert entry.stream is None


async def test_what_does_not_exist_is_kept_in_the_same_way(world: World) -> None:
    nowhere = "00000000-0000-4000-8000-00000000dead"
    already = await count(world)
    await world.center.get(f"/v1/handovers/{nowhere}")
    entry = await last_denial(world, already)
    assert entry.body["record"] == {"kind": "handover", "id": nowhere}
    assert entry.body["code"] == "not_found"


async def test_an_offer_without_consent_is_undone_and_kept_in_the_persons_stream(world: World) -> None:
    drafted = await world.draft()
    created = (await kept(world.services.db))[-1]
    already = await count(world)
    refused = await world.settlement.post(f"/v1/handovers/{drafted['id']}/offer")
    assert refused.json()["code"] == "consent_missing"
    entry = await last_denial(world, already)
    assert (entry.body["action"], entry.body["code"]) == ("handovers:offer", "consent_missing")
    assert entry.stream == created.stream
    assert (await world.settlement.get(f"/v1/handovers/{drafted['id']}")).json()["status"] == "draft"


async def test_an_acceptance_in_the_wrong_state_is_kept(world: World) -> None:
    accepted = await world.accepted()
    already = await count(world)
    answers = [{"domain": one["domain"], "decision": "accept"} for one in accepted["domains"]]
    refused = await world.center.post(f"/v1/handovers/{accepted['id']}/accept", {"domains": answers})
    assert refused.status_code == 409
    entry = await last_denial(world, already)
    assert (entry.body["action"], entry.body["code"]) == ("handovers:accept", "wrong_state")


@pytest.mark.parametrize("operation", ["matchPerson", "registerPerson"])
async def test_a_question_that_fits_several_people_is_kept(world: World, operation: str) -> None:
    identity: dict[str, Any] = {
        "familyName": "架空",
        "givenName": "一",
        "familyNameKana": "カクウ",
        "givenNameKana": "ハジメ",
        "birthDate": "1990-01-01",
        "sex": "male",
    }
    first = (await world.settlement.post("/v1/people", {"identity": identity})).json()["personId"]
    await world.settlement.post("/v1/people", {"identity": identity, "distinctFrom": [first]})
    already = await count(world)
    if operation == "matchPerson":
        kana = {name: identity[name] for name in ("familyNameKana", "givenNameKana", "birthDate")}
        refused = await world.settlement.post("/v1/people/match", {"kana": kana})
    else:
        refused = await world.settlement.post("/v1/people", {"identity": identity})
    assert refused.json()["code"] == "match_ambiguous"
    entry = await last_denial(world, already)
    assert entry.body["code"] == "match_ambiguous"
    assert entry.stream is None


async def test_an_organization_that_does_not_exist_is_nobodys_data(world: World) -> None:
    already = await count(world)
    answer = await world.center.get("/v1/organizations/00000000-0000-4000-8000-00000000dead")
    assert answer.status_code == 404
    assert await count(world) == already
