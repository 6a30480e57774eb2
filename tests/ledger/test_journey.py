"""One long journey, and exactly the entries that it should leave."""

from typing import Any

import pytest

from tests.crowd import offer, record_of
from tests.ledger.entries import kept, personal
from tests.world import SECTIONS, World, consent_for
from tsunagi.handovers.steps import advance

ALL = [*SECTIONS[:3], "family", *SECTIONS[3:]]


class Ledger:
    """Reads on from where it was."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.read = 0
        self.names = {
            str(world.settlement.id): "sender",
            str(world.center.id): "receiver",
            str(world.other.id): "stranger",
            str(world.auditor.id): "auditor",
            None: "clock",
        }

    async def new(self) -> list[tuple[Any, ...]]:
        """(actor, action, outcome or the refusal's code), and sections and consents where there are any."""
        entries = await kept(self.world.services.db)
        fresh, self.read = entries[self.read :], len(entries)
        return [self.line(entry.body) for entry in fresh]

    def line(self, body: dict[str, Any]) -> tuple[Any, ...]:
        what = (self.names[body["actor"].get("organization")], body["action"])
        denied = body["outcome"] == "deny"
        beside = [sorted(body[name]) for name in ("sections", "consents") if name in body]
        return (*what, body["code"] if denied else "permit", *beside)


@pytest.fixture
async def ledger(world: World) -> Ledger:
    found = Ledger(world)
    await found.new()
    return found


async def test_an_offer_leaves_what_was_registered_given_and_shown(world: World, ledger: Ledger) -> None:
    offered = await offer(world)
    consent = [offered["consentId"]]
    assert await ledger.new() == [
        ("sender", "people:register", "permit"),
        ("sender", "handovers:create", "permit", sorted(ALL)),
        ("sender", "consents:give", "permit", sorted(SECTIONS), consent),
        ("sender", "handovers:offer", "permit", sorted(SECTIONS), consent),
    ]


async def test_a_notice_reveals_nothing_and_leaves_nothing(world: World, ledger: Ledger) -> None:
    world.on("2026-03-02")
    offered = await offer(world)
    await ledger.new()
    assert (await world.center.get(f"/v1/handovers/{offered['id']}")).json()["notice"]
    assert await ledger.new() == []
    too_early = await world.center.post(f"/v1/handovers/{offered['id']}/receive")
    assert too_early.json()["code"] == "window_not_open"
    await world.settlement.post(f"/v1/handovers/{offered['id']}/open")
    assert await ledger.new() == [
        ("receiver", "handovers:receive", "window_not_open"),
        ("sender", "handovers:open", "permit"),
    ]


async def test_every_reading_is_kept_with_what_was_seen_under_which_consent(
    world: World, ledger: Ledger
) -> None:
    offered = await offer(world, consent={"sections": ["identity", "medical"]})
    seen = (["identity", "medical"], [offered["consentId"]])
    path = f"/v1/handovers/{offered['id']}"
    await ledger.new()
    read = await world.center.get(path)
    assert await ledger.new() == [
        ("receiver", "handovers:receive", "permit"),
        ("receiver", "handovers:read", "permit", *seen),
    ]
    again = await world.center.get(path, If_None_Match=read.headers["etag"])
    assert again.status_code == 304
    assert await ledger.new() == []
    await world.center.get(f"{path}/versions/1")
    exported = await world.center.get("/v1/handovers/export")
    assert len(exported.text.splitlines()) == 1
    await world.settlement.get(path)
    assert await ledger.new() == [
        ("receiver", "handovers:read", "permit", *seen),
        ("receiver", "handovers:export", "permit", *seen),
        ("sender", "handovers:read", "permit", sorted(ALL)),
    ]
    consent = f"/v1/consents/{offered['consentId']}"
    await world.center.get(consent)
    await world.settlement.post(
        f"{consent}/withdraw", {"withdrawnBy": {"kind": "person"}, "sections": ["medical"]}
    )
    await world.center.get(path)
    assert await ledger.new() == [
        ("receiver", "consents:read", "permit", [offered["consentId"]]),
        ("sender", "consents:withdraw", "permit", ["medical"], [offered["consentId"]]),
        ("receiver", "handovers:read", "permit", ["identity"], [offered["consentId"]]),
    ]


async def test_the_way_back_and_forth_is_kept_step_by_step(world: World, ledger: Ledger) -> None:
    offered = await offer(world)
    path, consent = f"/v1/handovers/{offered['id']}", [offered["consentId"]]
    await world.center.get(path)
    await ledger.new()
    reason = {"reason": {"code": "more_information", "text": "面談の記録をください"}}
    await world.center.post(f"{path}/return", reason)
    read = await world.settlement.get(path)
    amended = await world.settlement.put(path, read.json()["record"], If_Match=read.headers["etag"])
    assert amended.json()["status"] == "returned"
    await world.settlement.post(f"{path}/offer")
    await world.settlement.put(path, read.json()["record"], If_Match="*")
    await world.center.get(path)
    assert await ledger.new() == [
        ("receiver", "handovers:return", "permit"),
        ("sender", "handovers:read", "permit", sorted(ALL)),
        ("sender", "handovers:amend", "permit", sorted(ALL)),
        ("sender", "handovers:offer", "permit", sorted(SECTIONS), consent),
        ("sender", "handovers:amend", "permit", sorted(SECTIONS), consent),
        ("receiver", "handovers:receive", "permit"),
        ("receiver", "handovers:read", "permit", sorted(SECTIONS), consent),
    ]


async def test_answers_the_clock_and_those_who_look_on_are_kept(world: World, ledger: Ledger) -> None:
    offered = await offer(world)
    path, person = f"/v1/handovers/{offered['id']}", f"/v1/people/{offered['personId']}"
    await world.center.get(path)
    await ledger.new()
    answers = {"domains": [{"domain": one["domain"], "decision": "accept"} for one in offered["domains"]]}
    assert (await world.center.post(f"{path}/accept", answers)).status_code == 200
    assert (await world.center.post(f"{path}/accept", answers)).status_code == 409
    for looking in (world.auditor, world.other):
        await looking.get(f"{person}/responsibility")
        await looking.get(f"{person}/milestones")
    world.on("2027-04-01")
    await advance(world.services.db, world.services.clock.now())
    assert await ledger.new() == [
        ("receiver", "handovers:accept", "permit"),
        ("receiver", "handovers:accept", "wrong_state"),
        ("auditor", "responsibility:read", "permit"),
        ("auditor", "responsibility:read", "permit"),
        ("stranger", "responsibility:read", "not_found"),
        ("stranger", "responsibility:read", "not_found"),
        ("clock", "handovers:overlap", "permit"),
        ("clock", "handovers:complete", "permit"),
    ]


@pytest.mark.parametrize(
    ("action", "reason"), [("decline", "capacity"), ("withdraw", "plan_changed")], ids=["decline", "withdraw"]
)
async def test_the_end_of_an_offer_is_kept_with_its_reason(
    world: World, ledger: Ledger, action: str, reason: str
) -> None:
    offered = await offer(world)
    whose = world.center if action == "decline" else world.settlement
    text = "本人の山田太郎さんの都合"
    await whose.post(f"/v1/handovers/{offered['id']}/{action}", {"reason": {"code": reason, "text": text}})
    last = (await kept(world.services.db))[-1]
    assert last.body["action"] == f"handovers:{action}"
    assert last.body["code"] == reason
    assert text not in last.text


async def test_no_entry_holds_anything_that_tells_about_a_person(world: World) -> None:
    record = record_of(world, 0)
    consent = consent_for("", world.center.id)
    offered = await offer(world)
    path = f"/v1/handovers/{offered['id']}"
    await world.center.get(path)
    await world.center.get("/v1/handovers/export")
    reason = {"code": "more_information", "text": "面談の記録をください"}
    await world.center.post(f"{path}/return", {"reason": reason})
    await world.settlement.put(path, record, If_Match="*")
    identity = record["sections"]["identity"]
    kana = {name: identity[name] for name in ("familyNameKana", "givenNameKana", "birthDate")}
    for asking in (world.settlement, world.other):
        await asking.post("/v1/people/match", {"kana": kana})
    await world.settlement.post(
        f"/v1/consents/{offered['consentId']}/withdraw",
        {"withdrawnBy": {"kind": "person", "name": "架空 直樹"}},
    )
    markers = personal(record) | personal(consent) | {reason["text"], identity["birthDate"]}
    assert {"架空", "1994-07-21", "090-0000-0021", "naoki.kakuu@example.jp"} <= markers
    entries = await kept(world.services.db)
    assert len(entries) > 10
    for entry in entries:
        found = {marker for marker in markers if marker in entry.text}
        assert not found, entry.text
        assert offered["personId"] not in entry.text
