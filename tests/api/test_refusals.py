"""Every refusal can be understood, in two languages, and repeats nothing that was submitted."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import httpx2
import pytest

from tests.api.states import REASONS, everything, take
from tests.world import World, consent_for, settlement_record

MARK = "ZZSUBMITTEDZZ"
ABSENT = "01930000-0000-7000-8000-00000000dead"


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where in a document something stands, leaves and branches alike."""
    if path:
        yield path
    for key, item in (
        node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    ):
        yield from places(item, (*path, key))


def put(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = deepcopy(document)
    node = changed
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return changed


def objects(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(node, dict):
        yield path
    for key, item in (
        node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    ):
        yield from objects(item, (*path, key))


def assert_silent(answer: httpx2.Response) -> None:
    if answer.status_code >= 400:
        assert MARK not in answer.text, answer.text
        assert answer.json().get("errors") or answer.json().get("detail"), answer.text


def submissions(world: World) -> dict[str, tuple[str, Any]]:
    """What clients send, by operation: path and a body that is in order."""
    record = settlement_record(world.center.id)
    identity = record["sections"]["identity"]
    kana = {name: identity[name] for name in ("familyNameKana", "givenNameKana", "birthDate")}
    return {
        "consent": ("/v1/consents", consent_for(ABSENT, world.center.id, companyDisclosureScope="全般")),
        "person": ("/v1/people", {"identity": identity, "distinctFrom": [ABSENT]}),
        "match": ("/v1/people/match", {"kana": kana}),
        "certificate": (
            "/v1/people/match",
            {"certificate": {"municipalityCode": "12199", "number": "0000012345"}},
        ),
        "acceptance": (f"/v1/handovers/{ABSENT}/accept", everything()),
        "decline": (f"/v1/handovers/{ABSENT}/decline", REASONS["decline"]),
        "return": (f"/v1/handovers/{ABSENT}/return", REASONS["return"]),
        "withdrawal": (f"/v1/handovers/{ABSENT}/withdraw", REASONS["withdraw"]),
        "consent withdrawal": (
            f"/v1/consents/{ABSENT}/withdraw",
            {"withdrawnBy": {"kind": "guardian", "name": "例"}, "reason": "理由", "sections": ["medical"]},
        ),
    }


async def test_no_value_of_a_record_is_repeated(world: World) -> None:
    record = settlement_record(world.center.id)
    refused = 0
    for path in places(record):
        answer = await world.settlement.post("/v1/handovers?dryRun=true", put(record, path, MARK))
        assert MARK not in answer.text, path
        assert_silent(answer)
        refused += answer.status_code == 422
    assert refused > 100


async def test_no_member_that_nobody_knows_is_repeated(world: World) -> None:
    record = settlement_record(world.center.id)
    for path in objects(record):
        answer = await world.settlement.post("/v1/handovers?dryRun=true", put(record, (*path, MARK), MARK))
        assert (answer.status_code, answer.json()["code"]) == (422, "schema_invalid"), path
        assert answer.json()["errors"][0]["code"] == "schema.unknown_member"
        assert_silent(answer)


@pytest.mark.parametrize(
    "name",
    [
        "consent",
        "person",
        "match",
        "certificate",
        "acceptance",
        "decline",
        "return",
        "withdrawal",
        "consent withdrawal",
    ],
)
async def test_nothing_of_any_other_body_is_repeated(world: World, name: str) -> None:
    path, body = submissions(world)[name]
    for place in places(body):
        answer = await world.settlement.post(path, put(body, place, MARK))
        assert answer.status_code < 500
        assert MARK not in answer.text or answer.status_code == 201, (place, answer.text)
    for place in objects(body):
        answer = await world.settlement.post(path, put(body, (*place, MARK), MARK))
        assert answer.status_code in (422, 404)
        assert_silent(answer)


@pytest.mark.parametrize(
    "query",
    [
        f"status={MARK}",
        f"{MARK}=1",
        f"cursor={MARK}",
        f"area={MARK}%20",
        f"limit={MARK}",
        f"dueBefore={MARK}",
    ],
)
async def test_no_parameter_is_repeated(world: World, query: str) -> None:
    answer = await world.settlement.get(f"/v1/handovers?{query}")
    assert answer.status_code == 400
    assert_silent(answer)


Request = tuple[str, str, Any, dict[str, str]]


async def provoking(world: World) -> dict[str, Request]:
    """For each refusal a request that meets it: method, path, body, headers."""
    record = settlement_record(world.center.id)
    drafted = await world.draft()
    known = record | {"personId": drafted["personId"]}
    returned = await world.settlement.post("/v1/handovers", known)
    path = f"/v1/handovers/{drafted['id']}"
    twins = [{"identity": record["sections"]["identity"], "distinctFrom": [drafted["personId"]]}]
    assert (await world.settlement.post("/v1/people", twins[0])).status_code == 201
    other = f"/v1/handovers/{returned.json()['id']}"
    return {
        "invalid_json": ("POST", "/v1/consents", b"{", {}),
        "invalid_parameter": ("GET", "/v1/handovers?limit=0", None, {}),
        "not_found": ("GET", f"/v1/handovers/{ABSENT}", None, {}),
        "unsupported_media_type": ("POST", "/v1/consents", {}, {"Content-Type": "text/plain"}),
        "body_too_large": ("POST", "/v1/consents", b" " * 2_000_001, {}),
        "schema_invalid": ("POST", "/v1/consents", {}, {}),
        "rule_violated": ("POST", "/v1/handovers", record | {"plannedDate": "2027-03-31"}, {}),
        "unauthenticated": ("GET", "/v1/handovers", None, {"Authorization": "Basic eDp5"}),
        "wrong_state": ("POST", f"{other}/open", None, {}),
        "precondition_failed": ("PUT", path, record, {"If-Match": '"x"'}),
        "precondition_required": ("PUT", path, record, {}),
        "consent_missing": ("POST", f"{path}/offer", None, {}),
        "match_ambiguous": ("POST", "/v1/handovers", record, {}),
    }


TITLE_IS_ENOUGH = {"not_found", "precondition_required"}
LISTS_ERRORS = {"schema_invalid", "rule_violated", "invalid_parameter"}
TELLS_BOTH = {"invalid_json", "body_too_large", "unsupported_media_type"}


async def test_a_refusal_says_what_is_wrong_in_both_languages(world: World) -> None:
    for code, (method, path, body, headers) in (await provoking(world)).items():
        japanese, english = [
            (
                await world.settlement.call(method, path, body, headers=headers | {"Accept-Language": one})
            ).json()
            for one in ("ja", "en")
        ]
        assert (japanese["code"], english["code"]) == (code, code)
        members = {"title"} if code in TITLE_IS_ENOUGH | LISTS_ERRORS else {"title", "detail"}
        assert all(not japanese[one].isascii() and english[one].isascii() for one in members), code
        assert bool(japanese.get("errors")) == (code in LISTS_ERRORS | TELLS_BOTH), code
        for ours, theirs in zip(japanese.get("errors", ()), english.get("errors", ()), strict=True):
            assert (ours["code"], ours.get("pointer")) == (theirs["code"], theirs.get("pointer"))
            assert not ours["message"].isascii()
            assert theirs["message"].isascii()


async def test_a_refusal_names_who_has_to_act(world: World) -> None:
    received = await world.received()
    path = f"/v1/handovers/{received['id']}"
    partial = {"domains": everything()["domains"][:1]}
    for party, answer in (
        ("receiver", await world.center.post(f"{path}/accept", {"domains": []})),
        ("receiver", await world.center.post(f"{path}/accept", partial)),
        ("sender", await world.settlement.put(path, {}, If_Match="*")),
        ("sender", await world.settlement.post("/v1/consents", {})),
    ):
        assert answer.status_code == 422
        assert answer.json()["responsibleParty"] == party
        assert {error["responsibleParty"] for error in answer.json()["errors"]} == {party}


async def test_the_language_of_warnings_is_that_of_the_request(world: World) -> None:
    offered = await world.offered(sections=["identity"])
    path = f"/v1/handovers/{offered['id']}"
    for language, ascii_only in (
        ("en", True),
        ("ja", False),
        ("en;q=0.2, ja;q=0.9", False),
        ("de, en", True),
    ):
        told = (await world.settlement.get(path, Accept_Language=language)).json()["warnings"]
        assert told
        assert {one["message"].isascii() for one in told} == {ascii_only}


async def test_what_was_accepted_is_not_in_a_later_refusal(world: World) -> None:
    received = await world.received()
    await world.center.post(
        f"/v1/handovers/{received['id']}/decline", {"reason": {"code": "other", "text": MARK}}
    )
    for who, action in ((world.center, "accept"), (world.settlement, "offer")):
        assert_silent(await take(who, world, received["id"], action))
