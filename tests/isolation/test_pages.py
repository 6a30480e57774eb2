"""Every page × every role of staff × every organization, about what is somebody else's: no byte of it is foreign, and
who may only look from above reads nothing of a record."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self, get_args
from uuid import UUID, uuid4

import httpx2
import pytest

from tests.api.states import undone
from tests.isolation.conftest import FULL
from tests.isolation.marks import SECTIONS, mark, marks_in
from tests.isolation.oracle import ids_open_to, knows, staff_open_to
from tests.isolation.realm import CAST, Realm, Target
from tests.isolation.watching import ASKERS, Guard, whole
from tsunagi.drafts import store as drafts
from tsunagi.drafts.rules import Draft
from tsunagi.ids import ordered_id
from tsunagi.openid import store as openid
from tsunagi.openid.rules import Provider
from tsunagi.staff import store
from tsunagi.staff.rules import Member, Role
from tsunagi.web.site import Page, pages

pytestmark = pytest.mark.xdist_group("realm")

ROLES = get_args(Role)
EVERY = 1 if FULL else 9
"""One of so many handovers is looked at on each page, in turn."""
PLACES: dict[str, Callable[[Realm, Target], str]] = {
    "handover_id": lambda _, target: target.handover_id,
    "person_id": lambda _, target: target.person_id,
    "consent_id": lambda _, target: target.consent_id,
    "token": lambda _, target: "0" * 43,
    "draft_id": lambda _, target: target.handover_id,
    "part": lambda _, target: "identity",
    "organization_id": lambda realm, target: str(realm.voices[target.owner].id),
    "kind": lambda _, target: "joint_visit",
    "activity_id": lambda realm, target: realm.activities.get(target.number, target.handover_id),
    "webhook_id": lambda realm, target: realm.webhooks[target.owner][0],
}
"""What stands in a page's path. Whoever adds a page whose path names something else adds that here."""
LEAVES = {"/sign-out", "/sign-in", "/confirm", "/language"}
"""These are about whoever sends them alone (`tests/web/test_signing_in.py`)."""


@pytest.fixture
async def guard(realm: Realm) -> AsyncIterator[Guard]:
    yield Guard(realm)


class Browser:
    """Somebody of the organization's staff who has signed in."""

    def __init__(self, realm: Realm, who: str, role: Role) -> None:
        self.realm, self.who, self.role = realm, who, role
        self.token = uuid4().hex
        name = uuid4().hex
        self.member = Member(ordered_id(), realm.voices[who].id, name, name, role)

    async def sign_in(self) -> None:
        now = datetime.now(UTC)
        async with self.realm.services.db.platform() as tx:
            await store.add(tx, now, self.member, password_hash="none", code_secret="none")
            await store.begin(tx, now, self.member, self.token)

    async def send(self, page: Page, path: str) -> httpx2.Response:
        headers = {"Sec-Fetch-Site": "same-origin", "Cookie": f"session={self.token}"}
        return await self.realm.http.request(page.method, path, headers=headers)


def path_of(page: Page, realm: Realm, target: Target) -> str:
    return re.sub(r"\{(\w+)(:\w+)?\}", lambda found: PLACES[found[1]](realm, target), page.path)


async def write_drafts(realm: Realm) -> None:
    """Whoever sends a handover is writing a draft of it, too, under the same id."""
    now = datetime.now(UTC)
    for target in realm.targets:
        texts = {part: {"familyName": mark(target.number, part)} for part in SECTIONS}
        draft = Draft(
            id=UUID(target.handover_id),
            organization_id=realm.voices[target.owner].id,
            revision=1,
            began_at=now,
            changed_at=now,
            changed_by=mark(target.number, "header"),
            receiver_name=mark(target.number, "header"),
            overview={},
            sections=texts,
            consents={},
        )
        async with realm.services.db.platform() as tx:
            await drafts.add(tx, draft, None)


async def register_providers(realm: Realm) -> None:
    """Whoever sends a handover has a sign-in of its own, too, at an address where nobody is asked."""
    for target in realm.targets:
        one = mark(target.number, "header")
        provider = Provider(
            realm.voices[target.owner].id, f"https://10.0.0.1/{one}", one, True, datetime.now(UTC)
        )
        async with realm.services.db.platform() as tx:
            await openid.add(tx, provider, one)


@dataclass
class Told:
    """What operations of the contract would tell the organization."""

    marks: set[tuple[int, str]]
    ids: set[str]

    @classmethod
    def to(cls, who: str, guard: Guard) -> Self:
        operations, realm = guard.realm.services.contract.operations, guard.realm
        return cls(
            guard.marks[who].union(*(staff_open_to(who, one, realm) for one in operations)),
            set[str]().union(*(ids_open_to(who, one, realm) for one in operations)),
        )

    def foreign(self, guard: Guard, answer: httpx2.Response, sent: str) -> set[Any]:
        """What none of them would have told."""
        data = whole(answer)
        marks = {one for one in marks_in(data) if one not in self.marks and one[0] not in ASKERS}
        ids = {one for one in guard.known if one.encode() in data} - self.ids
        return marks | {one for one in ids if one not in sent}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("who", CAST)
async def test_no_page_shows_what_is_not_for_its_reader(
    realm: Realm, guard: Guard, who: str, role: Role
) -> None:
    others = [one for one in realm.targets if not knows(who, one)]
    shown = [page for page in pages.all if page.path not in LEAVES]
    told = Told.to(who, guard)
    async with undone(realm.services.db):
        browser = Browser(realm, who, role)
        await browser.sign_in()
        await write_drafts(realm)
        await register_providers(realm)
        for place, page in enumerate(shown):
            for target in others[place % EVERY :: EVERY] if "{" in page.path else others[:1]:
                path = path_of(page, realm, target)
                async with undone(realm.services.db):
                    answer = await browser.send(page, path)
                about = f"{role} of {who} at {page.method} {page.path}, {target.owner}'s, {target.state}"
                assert answer.status_code < 500, f"{about}: {answer.text}"
                assert not told.foreign(guard, answer, path), about


@pytest.mark.parametrize("who", ["sender", "receiver", "auditor"])
async def test_no_page_shows_an_auditor_the_content_of_a_record(realm: Realm, who: str) -> None:
    async with undone(realm.services.db):
        browser = Browser(realm, who, "auditor")
        await browser.sign_in()
        await write_drafts(realm)
        await register_providers(realm)
        for place, page in enumerate(one for one in pages.all if one.path not in LEAVES):
            for target in realm.targets[place % EVERY :: EVERY] if "{" in page.path else realm.targets[:1]:
                async with undone(realm.services.db):
                    answer = await browser.send(page, path_of(page, realm, target))
                read = {part for _, part in marks_in(whole(answer))} & {*SECTIONS, "header", "extensions"}
                assert not read, f"{page.method} {page.path}"


async def test_a_page_names_whose_it_is_in_its_path(realm: Realm) -> None:
    """So that the tests above know what to ask for."""
    named = {name for page in pages.all for name in re.findall(r"\{(\w+)", page.path)}
    assert named <= set(PLACES)
