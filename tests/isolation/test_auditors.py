"""What an auditor reads is itself on the ledger, and never the content of a record: every operation there is, called
as an auditor, in its remit and outside."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from tests.api.states import undone
from tests.isolation.asking import QUESTIONS, existing
from tests.isolation.conftest import FULL
from tests.isolation.lists import LISTS
from tests.isolation.marks import marks_in
from tests.isolation.oracle import audits, knows, marks_open_to, related, staff_open_to
from tests.isolation.realm import Realm, Target
from tests.isolation.watching import ASKERS, whole
from tsunagi.api.edge import DENIED
from tsunagi.db import fetch

pytestmark = pytest.mark.xdist_group("realm")

EVERY = 1 if FULL else 5
"""One of so many handovers is asked about by each question, in turn."""
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

_ENTRIES = """
    SELECT action, outcome FROM ledger_contents WHERE organization_id = $1 AND body LIKE '%' || $2 || '%'
"""


@pytest.fixture(autouse=True)
async def _unhurried(realm: Realm, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    monkeypatch.setattr(realm.services.gate, "revocations_kept", timedelta.max)
    yield


async def asked(realm: Realm, role: str, request: Any) -> tuple[httpx2.Response, set[tuple[str, str]]]:
    """The answer, and the entries of the request under the auditor's name."""
    voice = realm.voices[role]
    async with undone(realm.services.db):
        answer = await voice.send(*request)
        async with realm.services.db.platform() as tx:
            rows = await fetch(tx, _ENTRIES, voice.id, answer.headers["x-request-id"])
    return answer, {(row["action"], row["outcome"]) for row in rows}


def revealed(realm: Realm, role: str, answer: httpx2.Response, sent: str) -> set[str]:
    """People and handovers in the answer that the auditor is no side of and has not named itself."""
    own = {one for target in realm.targets if _own(realm, role, target) for one in target.ids}
    theirs = {one for target in realm.targets for one in (target.person_id, target.handover_id)} - own
    return set(_ID.findall(answer.text)) & theirs - set(_ID.findall(sent))


def _own(realm: Realm, role: str, target: Target) -> bool:
    return knows(role, target) or related(role, target.person_id, realm)


@pytest.mark.parametrize("role", ["auditor", "other_auditor"])
async def test_every_question_an_auditor_asks_is_answered_without_content_and_kept(
    realm: Realm, role: str
) -> None:
    told: set[str] = set()
    kept = marks_open_to(role, realm)
    others = [one for one in realm.targets if not _own(realm, role, one)]
    for place, target in enumerate(others):
        for turn, (name, question) in enumerate(QUESTIONS.items()):
            if (place + turn) % EVERY:
                continue
            request = question.request(existing(realm, realm.voices[role], target))
            answer, entries = await asked(realm, role, request)
            about = f"{role} asks {name!r} of {target.owner}'s handover that is {target.state}"
            open_marks = kept | staff_open_to(role, question.operation, realm)
            found = {one for one in marks_in(whole(answer)) if one[0] not in ASKERS} - open_marks
            assert not found, f"{about} and reads {found}"
            if question.about == "oversight" and any(
                audits(role, one) for one in realm.targets if one.person_id == target.person_id
            ):
                assert answer.status_code == 200, about
                assert any(outcome == "permit" for _, outcome in entries), about
                told.add(question.operation)
            elif answer.status_code == 404 and question.about != "webhook":  # which is about nobody
                assert (DENIED[question.operation], "deny") in entries, about
    if role == "auditor":
        assert told == {
            question.operation for question in QUESTIONS.values() if question.about == "oversight"
        }
    else:
        assert not told


@pytest.mark.parametrize("role", ["auditor", "other_auditor"])
async def test_every_list_that_reveals_somebody_to_an_auditor_is_kept(realm: Realm, role: str) -> None:
    telling: set[str] = set()
    kept = marks_open_to(role, realm)
    target = next(one for one in realm.targets if (one.owner, one.state) == ("sender", "received"))
    for name, path in LISTS.items():
        place = path(existing(realm, realm.voices[role], target))
        answer, entries = await asked(realm, role, ("GET", place, None, {}))
        assert answer.status_code == 200, name
        open_marks = kept | staff_open_to(role, name.partition(" ")[0], realm)
        assert not marks_in(whole(answer)) - open_marks, name
        if revealed(realm, role, answer, place):
            assert any(outcome == "permit" for _, outcome in entries), f"{name} reveals and is not kept"
            telling.add(name.partition(" ")[0])
    assert bool(telling) == (role == "auditor")


async def test_what_was_looked_for_is_kept_with_the_look(realm: Realm) -> None:
    voice = realm.voices["auditor"]
    async with undone(realm.services.db):
        answer = await voice.send("GET", "/v1/findings?kind=gap&area=12-91")
        async with realm.services.db.platform() as tx:
            (row,) = await fetch(
                tx,
                "SELECT body::json -> 'asked' ->> 'kind' AS kind, body::json -> 'asked' ->> 'area' AS area,"
                " body::json -> 'actor' ->> 'staff' AS staff"
                " FROM ledger_contents WHERE action = 'findings:read' AND body LIKE '%' || $1 || '%'",
                answer.headers["x-request-id"],
            )
    assert (row["kind"], row["area"]) == ("gap", "12-91")
    assert row["staff"]
