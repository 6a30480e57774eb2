"""Every operation × every ordered pair of organizations × every state of a handover: whoever asks for what is not
theirs gets the answer, and causes the statements, of what does not exist; and no byte of it is anybody else's."""

import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any

import pytest

from tests.api.states import undone
from tests.isolation.asking import QUESTIONS, Asked, absent, existing, may_tell, sent_in
from tests.isolation.conftest import FULL
from tests.isolation.lists import LISTS
from tests.isolation.realm import CAST, STATES, Realm
from tests.isolation.watching import Guard, Statements, comparable, statements

pytestmark = pytest.mark.xdist_group("realm")  # it is built once, by one worker

SHARE = 1 if FULL else 5
"""One of so many questions is asked of each handover: in turn, so that none is left out."""

TIMED = 25 if FULL else 5
"""How often each question is asked of what is there and of what is not, against the clock."""


@dataclass
class Matrix:
    realm: Realm
    guard: Guard
    seen: Statements

    async def ask(self, question: str, asked: Asked) -> tuple[Any, Counter[str]]:
        """The answer, as far as it can be compared, and the statements behind it; nothing has happened afterwards."""
        request = QUESTIONS[question].request(asked)
        async with undone(self.realm.services.db):
            await self.seen.during()
            answer = await asked.voice.send(*request)
            sent = await self.seen.during()
        operation = QUESTIONS[question].operation
        found = self.guard.foreign(asked.voice.role, operation, answer, sent=sent_in(request))
        assert not found, f"{asked.voice.role} finds {found} by {question!r}"
        return comparable(answer), sent


@pytest.fixture
async def matrix(realm: Realm, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Matrix]:
    # Else, once in a second, a question also asks which clients were revoked.
    monkeypatch.setattr(realm.services.gate, "revocations_kept", timedelta.max)
    async with statements(realm.services.db) as seen:
        await realm.voices["sender"].send("GET", "/v1/areas")
        yield Matrix(realm, Guard(realm), seen)


@pytest.mark.parametrize("role", CAST)
async def test_nobody_learns_of_what_is_not_theirs(matrix: Matrix, role: str) -> None:
    realm, voice = matrix.realm, matrix.realm.voices[role]
    for _ in range(2):  # the first time, a connection learns the types that the statements use
        of_absent = {question: await matrix.ask(question, absent(realm, voice)) for question in QUESTIONS}
    asked_of: Counter[tuple[str, ...]] = Counter()
    for place, target in enumerate(one for one in realm.targets if one.owner != role):
        for turn, question in enumerate(QUESTIONS):
            if (turn + place + CAST.index(role)) % SHARE:
                continue
            answer, sent = await matrix.ask(question, existing(realm, voice, target))
            asked_of.update(
                [("question", question), ("state", target.state), ("owner", target.owner), ("all",)]
            )
            if not may_tell(question, role, target, realm):
                about = f"{role} asks {question!r} of a handover of {target.owner}'s that is {target.state}"
                assert answer == of_absent[question][0], about
                assert sent == of_absent[question][1], about
                asked_of.update([("forbidden",)])
    assert {one[1] for one in asked_of if one[0] == "question"} == set(QUESTIONS)
    assert {one[1] for one in asked_of if one[0] == "owner"} == set(CAST) - {role}
    missing = (
        set() if role != "sender" else set(STATES) - {one.state for one in realm.targets if one.owner != role}
    )
    assert {one[1] for one in asked_of if one[0] == "state"} == set(STATES) - missing
    print(f"\n{role}: {asked_of['all',]} questions, {asked_of['forbidden',]} of them forbidden")


async def test_forbidden_takes_as_long_as_absent(matrix: Matrix) -> None:
    """By the clock, too; in turn, so that whatever else the machine does is shared. The statements are the same, so a
    factor of two between the medians of all questions together would be no noise."""
    realm, voice = matrix.realm, matrix.realm.voices["unrelated"]
    target = next(one for one in realm.targets if (one.owner, one.state) == ("sender", "received"))
    seconds: dict[bool, list[float]] = {True: [], False: []}
    for question in QUESTIONS:
        of: dict[bool, list[float]] = {True: [], False: []}
        for turn in range(2 * TIMED):
            there = bool(turn % 2)
            began = time.perf_counter()
            await matrix.ask(question, existing(realm, voice, target) if there else absent(realm, voice))
            of[there].append(time.perf_counter() - began)
        for there, found in of.items():
            seconds[there].append(median(found))
    assert 0.5 < sum(seconds[True]) / sum(seconds[False]) < 2


@pytest.mark.parametrize("role", CAST)
async def test_lists_hold_nothing_of_others(matrix: Matrix, role: str) -> None:
    realm, voice = matrix.realm, matrix.realm.voices[role]
    for name, path in LISTS.items():
        for target in realm.targets if FULL else realm.targets[::7]:
            asked = existing(realm, voice, target)
            async with undone(realm.services.db):
                answer = await voice.send("GET", path(asked))
            assert answer.status_code == 200, f"{name}: {answer.text}"
            found = matrix.guard.foreign(role, name.partition(" ")[0], answer)
            assert not found, f"{role} finds {found} by {name}"
            if path(asked) == path(absent(realm, voice)):
                break


async def test_the_realm_is_worth_looking_at(matrix: Matrix) -> None:
    """Marks and ids are there to be found: whoever may find them does, and in others' hands they would be foreign."""
    realm = matrix.realm
    for role, operation, path in (
        ("sender", "exportHandovers", "/v1/handovers/export"),
        ("receiver", "exportHandovers", "/v1/handovers/export"),
        ("receiver", "listEvents", "/v1/events?limit=200"),
        ("auditor", "listFindings", "/v1/findings?limit=200"),
    ):
        async with undone(realm.services.db):
            answer = await realm.voices[role].send("GET", path)
        assert matrix.guard.foreign("other_auditor", operation, answer), (
            f"{role} finds nothing by {operation}"
        )


def test_every_operation_is_asked(realm: Realm) -> None:
    asked = {one.operation for one in QUESTIONS.values()} | {name.partition(" ")[0] for name in LISTS}
    assert asked == set(realm.services.contract.operations) - {"issueToken"}  # before it, nobody is anybody
