"""Each check on the way from a request to a row is taken out, one at a time, and nothing comes through: the database
holds by itself. That the check was one is seen with the walls down: there, what it kept comes out."""

import ast
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from tests.api.states import undone
from tests.isolation.asking import QUESTIONS, absent, existing, may_tell, sent_in
from tests.isolation.conftest import FULL
from tests.isolation.lists import LISTS
from tests.isolation.realm import CAST, Realm, Target, Voice
from tests.isolation.sabotage import Shown
from tests.isolation.sabotages import SABOTAGES
from tests.isolation.watching import Guard, comparable
from tests.owner import owner
from tests.world import ROOT

pytestmark = pytest.mark.xdist_group("realm")  # it is built once, by one worker

CHAIN = (
    "open",
    "receive",
    "offer",
    "accept",
    "read",
    "read version 2",
    "who holds",
    "read consent",
    "amend",
    "read",
)
"""What an attacker would do one after the other: a step that should not be possible may open the way for the next."""
SEEN_BY = {"withdraw consent": "read consent", "milestones": "read"}
"""Who may ask the one knows of what the other is about: without the check its answer may tell that it is there."""
LISTED = (
    "listHandovers",
    "exportHandovers",
    "listFindings",
    "listResponsibilityChanges",
    "getAreaResponsibility",
    "listEvents",
    "listProvisions",
)
STRANGERS = ("receiver", "unrelated", "auditor", "later")
STATES = ("draft", "dropped", "notice", "reconsented", "amended", "withdrawn", "overdue", "completed")
SHARE = 1 if FULL else 4


@dataclass
class Attack:
    """One organization after one handover."""

    realm: Realm
    guard: Guard
    voice: Voice
    target: Target

    async def question(self, name: str) -> str | None:
        """What the answer gives away, if anything; nothing has happened afterwards."""
        async with undone(self.realm.services.db):
            answer, found = await self._asked(name)
        if found or any(
            may_tell(one, self.voice.role, self.target, self.realm) for one in (name, SEEN_BY.get(name, name))
        ):
            return f"{name}: {found}" if found else None
        async with undone(self.realm.services.db):
            of_absent = await self.voice.send(*QUESTIONS[name].request(absent(self.realm, self.voice)))
        if comparable(answer) == comparable(of_absent):
            return None
        return f"{name}: {answer.status_code} where nothing is: {of_absent.status_code}"

    async def chain(self) -> AsyncIterator[str]:
        """Steps on top of each other; then the owner takes the handover back, and all lists are looked at."""
        async with undone(self.realm.services.db):
            for name in CHAIN:
                _, found = await self._asked(name)
                if found:
                    yield f"{name}: {found}"
            owner_of = self.realm.voices[self.target.owner]
            await owner_of.send(*QUESTIONS["withdraw"].request(existing(self.realm, owner_of, self.target)))
            async for leak in self.lists():
                yield leak

    async def lists(self) -> AsyncIterator[str]:
        for name in LISTED:
            answer = await self.voice.send("GET", LISTS[name](existing(self.realm, self.voice, self.target)))
            if found := self.guard.foreign(self.voice.role, name, answer):
                yield f"{name}: {found}"

    async def _asked(self, name: str) -> tuple[Any, set[Any]]:
        request = QUESTIONS[name].request(existing(self.realm, self.voice, self.target))
        answer = await self.voice.send(*request)
        return answer, self.guard.foreign(
            self.voice.role, QUESTIONS[name].operation, answer, sent=sent_in(request)
        )


@pytest.fixture
def guard(realm: Realm) -> Guard:
    return Guard(realm, own_rows=True)


def attack(realm: Realm, guard: Guard, role: str, state: str) -> Attack:
    target = next(one for one in realm.targets if (one.owner, one.state) == ("sender", state))
    return Attack(realm, guard, realm.voices[role], target)


@pytest.mark.parametrize("name", SABOTAGES)
async def test_without_one_check_nothing_foreign_is_seen(realm: Realm, guard: Guard, name: str) -> None:
    number = list(SABOTAGES).index(name)
    shown = SABOTAGES[name].shown
    pairs = [(role, state) for role in STRANGERS for state in STATES]
    chosen = pairs if FULL else [(shown.role, shown.state)] if shown else [pairs[number * 5 % len(pairs)]]
    with SABOTAGES[name].done():
        for role, state in chosen:
            one = attack(realm, guard, role, state)
            for turn, question in enumerate(QUESTIONS):
                if (turn + number) % SHARE == 0 or (shown and question == shown.by):
                    assert await one.question(question) is None, f"{role}, {state}"
            assert [leak async for leak in one.chain()] == [], f"{role}, {state}"


@pytest.mark.parametrize("name", [name for name, one in SABOTAGES.items() if one.shown])
async def test_with_the_walls_down_the_check_was_what_kept_it(realm: Realm, guard: Guard, name: str) -> None:
    shown = SABOTAGES[name].shown
    assert shown is not None
    async with walls_down(realm):
        with SABOTAGES[name].done():
            assert await seen(attack(realm, guard, shown.role, shown.state), shown)
        assert not await seen(attack(realm, guard, shown.role, shown.state), shown), "by another way"


async def seen(one: Attack, shown: Shown) -> bool:
    if shown.by in QUESTIONS:
        return await one.question(shown.by) is not None
    async with undone(one.realm.services.db):
        leaks = one.chain() if shown.by == "chain" else one.lists()
        return bool([leak async for leak in leaks])


@asynccontextmanager
async def walls_down(realm: Realm) -> AsyncIterator[None]:
    """The database without row security and without what keeps the sides of a handover apart."""
    db = realm.services.db
    async with undone(db):
        async with owner(db) as tx:
            for table in (await tx.scalars(text("SELECT relname FROM pg_class WHERE relrowsecurity"))).all():
                await tx.execute(text(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"))
            await tx.execute(text("ALTER TABLE handovers DISABLE TRIGGER sides"))
        yield


def test_the_cast_is_that_of_the_realm() -> None:
    assert set(STRANGERS) < set(CAST)


CHECKS = re.compile(
    r"raise NotFound|\b(organization_id|sender_id|receiver_id|giver_id)( ==| !=| = \$\d)|= :organization\b"
)
"""How a check on whose something is, is written here."""

ELSEWHERE = {
    "api.bodies:summaries": "how the organization's own list is worded",
    "api.directory:get_organization": "the directory is public",
    "api.ledger:_wanted": "the log is public",
    "api.ledger:get_checkpoint": "the log is public",
    "api.ledger:get_ledger_tile": "the log is public",
    "api.meta:get_schema": "the contract is public",
    "api.meta:docs_asset": "the docs are public",
    "consent.store:_ACCESS": "asked on behalf of the sender, about its receiver",
    "disclosure.listing:_KNOWN": "keeps back a column of a row that is one's own; the matrix asks for it",
    "disclosure.actions:read": "a version that is not there, of a handover that is",
    "handovers.drafting:_of_directory": "nobody hands over to itself",
    "handovers.drafting:check_amendment": "the receiver of a handover stays who it is",
    "notifications.store:_number": "gives numbers, shows nothing",
    "notifications.store:newest": "a number, behind which a webhook of one's own begins",
    "oversight.area_report:report": "areas are public",
    "oversight.store:remit": "the remit is public",
    "people.actions:match": "nobody was recognized",
    "responsibility.store:_STILL_HELD": "the operator's command asks it",
    "responsibility.store:_TOOK_PART": "who may speak of a domain; the person is in relation already",
    "reports.document:in_charge": "whom the holder named, among what is seen anyway",
    "people.store:part": "ends a relation, shows nothing",
    "evidence.actions:_check_remit": "without it an answer says no more than the directory, which is public",
    "evidence.store:_ADOPT": "one's own",
    "evidence.store:_CONSENTS": "asked by the giver about its own",
    "evidence.store:_ENDING": "of a provider that was checked; of it an auditor sees what is in its remit",
    "evidence.store:_IN_REMIT": "likewise",
    "evidence.store:_OF": "of an organization that was checked",
    "evidence.store:_OUTGOING": "of a provider that was checked",
    "provisions.store:_OF_PEOPLE": "asked by a giver about what it gave itself, or by an auditor from above",
    "webhooks.actions:present": "what the store found, which is one's own",
    "webhooks.actions:_delivery": "of a webhook that was found",
    "provisions.rules:Provision.role_of": "how a record that was found is worded",
}
"""Conditions that look like a check on the way to a row, and are none."""


def test_every_check_is_taken_out_once() -> None:
    """A new check belongs into the table of sabotages."""
    found = set()
    for room in (
        "api",
        "assignees",
        "consent",
        "disclosure",
        "evidence",
        "handovers",
        "notifications",
        "oversight",
        "people",
        "provisions",
        "records",
        "responsibility",
        "reports",
        "webhooks",
    ):
        for path in sorted((ROOT / "service" / "tsunagi" / room).glob("*.py")):
            source = path.read_text()
            for node in ast.parse(source).body:
                for part in node.body if isinstance(node, ast.ClassDef) else [node]:
                    name = _name(part)
                    if name and CHECKS.search(ast.get_source_segment(source, part) or ""):
                        owner_of = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
                        found.add(f"{room}.{path.stem}:{owner_of}{name}")
    named = {one.where for one in SABOTAGES.values()}
    assert found - named == set(ELSEWHERE)


def _name(node: ast.stmt) -> str | None:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return node.name
    target = node.targets[0] if isinstance(node, ast.Assign) else None
    return target.id if isinstance(target, ast.Name) else None
