"""Senders that stay primary beyond the last day of their service."""

from datetime import date
from typing import Any, get_args

import pytest

from tests.crowd import accept, offer
from tests.handovers.test_rules import handover
from tests.oversight.test_findings import findings, kinds
from tests.world import World
from tsunagi.handovers.rules import Status
from tsunagi.ids import PersonId
from tsunagi.oversight.holders import after_service, service_ends
from tsunagi.responsibility.rules import FOREVER, Chain, Segment, joined

LAST = date(2027, 3, 31)
NEXT = date(2027, 4, 1)
STATED = handover(status="accepted", service_ends_on=LAST)
SENDER, RECEIVER = STATED.sender_id, STATED.receiver_id


def last_day(**of: Any) -> date | None:
    """Of the sender's service, by one handover."""
    one = handover(**{"status": "accepted"} | of)
    return next((last for last, _ in service_ends([one]).values()), None)


def test_only_a_handover_that_was_accepted_says_when_the_service_ends() -> None:
    told: set[Status] = {one for one in get_args(Status) if last_day(status=one, service_ends_on=LAST)}
    assert told == {"accepted", "overlapping", "completed"}


@pytest.mark.parametrize(
    ("of", "last"),
    [
        ({}, None),
        ({"service_ends_on": LAST}, LAST),
        ({"service_ends_on": LAST, "handover_type": "other"}, LAST),
        ({"service_ends_on": LAST, "handover_type": "center_to_center"}, None),
        ({"hired_on": date(2023, 8, 22)}, date(2027, 2, 21)),
        ({"hired_on": date(2023, 8, 22), "service_ends_on": LAST}, LAST),
        ({"hired_on": date(2023, 8, 22), "handover_type": "sender_to_center"}, None),
        (
            {
                "hired_on": date(2027, 1, 1),
                "service_ends_on": LAST,
                "handover_type": "transition_to_settlement",
            },
            date(2027, 6, 30),
        ),
    ],
    ids=[
        *("nothing known", "stated", "of any type", "a center has none", "three years from month seven"),
        *("what is stated counts", "of settlement support alone", "six months after hiring are owed"),
    ],
)
def test_the_last_day_is_stated_or_that_of_three_years(of: dict[str, Any], last: date | None) -> None:
    assert last_day(**of) == last


def test_of_several_last_days_the_latest_counts() -> None:
    sides = {"person_id": STATED.person_id, "sender_id": SENDER, "status": "completed"}
    renewed = handover(**sides, service_ends_on=date(2028, 3, 31))
    for order in ([STATED, renewed], [renewed, STATED]):
        assert service_ends(order) == {(STATED.person_id, SENDER): (date(2028, 3, 31), renewed)}


def days(chain: Chain, person_id: PersonId = STATED.person_id) -> list[tuple[date | None, date | None]]:
    found = after_service(person_id, "employment", chain, service_ends([STATED]), entry_id=None)
    return [(one.from_day, one.to_day) for one in found]


def held(*segments: Segment) -> Chain:
    return joined([Segment(date(2024, 4, 1), segments[0].valid_from, None), *segments])


BEGUN = date(2024, 5, 1)


@pytest.mark.parametrize(
    ("chain", "found"),
    [
        (held(Segment(BEGUN, FOREVER, SENDER)), [(NEXT, None)]),
        (
            held(Segment(BEGUN, date(2027, 7, 1), SENDER), Segment(date(2027, 7, 1), FOREVER, RECEIVER)),
            [(NEXT, date(2027, 7, 1))],
        ),
        (held(Segment(BEGUN, NEXT, SENDER), Segment(NEXT, FOREVER, RECEIVER)), []),
        (held(Segment(BEGUN, NEXT, SENDER), Segment(NEXT, FOREVER, None)), []),
        (held(Segment(date(2028, 1, 1), FOREVER, SENDER)), []),
        (held(Segment(BEGUN, FOREVER, SENDER, "center_registration")), []),
        (held(Segment(BEGUN, FOREVER, RECEIVER)), []),
    ],
    ids=[
        *("without end", "for three months more", "handed over in time", "ended in time"),
        *("begun anew", "a registration", "another"),
    ],
)
def test_only_a_sender_that_goes_on_past_its_last_day_is_found(
    chain: Chain, found: list[tuple[date, date | None]]
) -> None:
    assert days(chain) == found
    assert days(chain, handover().person_id) == []


async def test_what_is_left_with_the_sender_beyond_its_service_is_a_finding_at_once(world: World) -> None:
    left = {"decision": "left_with_sender"}
    offered = await offer(world)
    assert await kinds(world.auditor) == []
    world.on("2026-12-01")
    await accept(world, offered, employer_liaison=left)
    for day in ("2026-12-01", "2027-03-31", "2027-04-01", "2030-01-01"):
        world.on(day)
        for who in (world.settlement, world.center, world.auditor):
            (found,) = await findings(who, f"&organization={world.settlement.id}")
            assert (found["kind"], found["severity"]) == ("holder_after_service", "warning")
            assert (found["domain"], found["handoverId"]) == ("employer_liaison", offered["id"])
            assert (found["from"], found["to"], found["since"]) == ("2027-04-01", None, "2027-04-01")
            assert (found["responsibleParty"], found["responsible"]["id"]) == (
                "sender",
                str(world.settlement.id),
            )
    assert [one["action"] for one in found["evidence"]] == [
        *("handovers:create", "handovers:offer", "handovers:accept")
    ]
    assert await kinds(world.auditor, "&knownAt=2026-11-30T00:00:00Z") == []
    assert await kinds(world.auditor, "&kind=holder_after_service&to=2027-04-01") == []
    assert await kinds(world.other) == []


async def test_it_is_gone_once_the_responsibility_ends_or_the_acceptance_is_withdrawn(world: World) -> None:
    left = {"decision": "left_with_sender"}
    offered = [await accept(world, await offer(world, number), employer_liaison=left) for number in (0, 1)]
    assert await kinds(world.auditor) == ["holder_after_service"] * 2
    world.on("2026-12-01")
    withdrawn = {"reason": {"code": "plan_changed"}}
    answer = await world.settlement.post(f"/v1/handovers/{offered[0]['id']}/withdraw", withdrawn)
    assert answer.status_code == 200, answer.text
    ended = {
        "domain": "employer_liaison", "role": "primary", "on": "2027-04-01", "reason": {"code": "service_ended"},
    }  # fmt: skip
    path = f"/v1/people/{offered[1]['personId']}/responsibility/end"
    assert (await world.settlement.post(path, ended)).status_code == 201
    (gap,) = await findings(world.auditor)
    assert (gap["kind"], gap["from"], gap["personId"]) == ("gap", "2027-04-01", offered[1]["personId"])
    assert await kinds(world.auditor, "&knownAt=2026-11-30T00:00:00Z") == ["holder_after_service"] * 2
