"""Organizations that live handovers over real HTTP, in whatever order somebody thinks of, held to the oracle."""

import asyncio
import itertools
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar
from uuid import uuid4

import httpx2
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.fuzz.oracle import DOMAINS, STEPS, Case, months_before
from tests.running import RunningService
from tests.world import check_answer, consent_for, settlement_record
from tsunagi.clock import civil_date
from tsunagi.db import Database
from tsunagi.directory import store as directory
from tsunagi.directory.rules import OrganizationProfile
from tsunagi.handovers.steps import advance
from tsunagi.ids import OrganizationId

BEGINS = date(2026, 9, 15)
PLANNED = (date(2027, 3, 1), date(2027, 4, 1), date(2027, 7, 1))
KANA = "アイウエオカキクケコ"
NAMES = ("settlement", "transition", "center", "other")
SENDERS, RECEIVERS = NAMES[:2], NAMES[2:]
REASONS = {
    "withdraw": {"reason": {"code": "plan_changed"}},
    "decline": {"reason": {"code": "capacity"}},
    "return": {"reason": {"code": "more_information", "text": "通勤経路を教えてください"}},
}
numbers = itertools.count()


class Parties:
    """The organizations of one running service, each with its voice and the place it has read its feed to."""

    def __init__(self, service: RunningService) -> None:
        self.service = service
        self.loop = asyncio.new_event_loop()
        self.db = Database(service.database_url, pool_size=1)
        self.ids = dict(zip(NAMES, self.loop.run_until_complete(self._made()), strict=True))
        self.http = httpx2.Client(base_url=service.base_url, timeout=30)
        self.feeds: dict[str, list[dict[str, Any]]] = {name: [] for name in NAMES}
        self.read_to = dict.fromkeys(NAMES, 0)

    async def _made(self) -> list[OrganizationId]:
        async with self.db.platform() as tx:
            return [
                await directory.add_organization(
                    tx, OrganizationProfile(kind=kind, name=f"機関{number}（架空）"), at=datetime.now(UTC)
                )
                for number, kind in enumerate(("settlement", "transition", "center", "center"))
            ]

    def close(self) -> None:
        self.http.close()
        self.loop.run_until_complete(self.db.close())
        self.loop.close()

    def call(self, who: str, method: str, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        """The answer, which the contract knows."""
        token = self.service.token(now=datetime.now(UTC), organization=self.ids[who])
        told = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid4())} | headers
        answer = self.http.request(method, path, json=body, headers=told)
        check_answer(self.service.services.contract, method, path, answer)
        return answer

    def round_of_the_clock(self) -> None:
        self.loop.run_until_complete(advance(self.db, self.service.clock.now()))

    def feed(self, who: str, handover_id: str) -> list[tuple[str, str]]:
        while True:
            page = self.call(who, "GET", f"/v1/events?limit=200&after={self.read_to[who]}").json()
            if not page["items"]:
                break
            self.feeds[who] += page["items"]
            self.read_to[who] = page["next"]
        return [
            (one["type"], one["status"]) for one in self.feeds[who] if one.get("handoverId") == handover_id
        ]


def record_of(number: int, receiver: OrganizationId, planned: date) -> dict[str, Any]:
    record = settlement_record(receiver)
    record["plannedDate"] = planned.isoformat()
    record["serviceEndsOn"] = (planned - timedelta(days=1)).isoformat()
    overlap = {"from": months_before(planned, 3).isoformat(), "to": planned.isoformat()}
    record["sections"]["handover_plan"]["overlap"] = overlap
    record["sections"]["identity"] |= {
        "givenNameKana": "".join(KANA[int(digit)] for digit in str(number)),
        "certificate": {"municipalityCode": "13199", "number": f"{number:010}"},
    }
    return record


class Life(RuleBasedStateMachine):
    """Every answer is documented, every state is one the oracle has come to, and so is what may be done in it."""

    parties: Parties
    reached: ClassVar[set[str]] = set()
    cases = Bundle("cases")

    @initialize()
    def begin(self) -> None:
        self.known: dict[str, tuple[Case, int]] = {}
        self.touched: list[str] = []
        self.parties.service.clock.move_to_date(BEGINS)

    @property
    def today(self) -> date:
        return civil_date(self.parties.service.clock.now())

    @rule(
        target=cases,
        sender=st.sampled_from(SENDERS),
        receiver=st.sampled_from(RECEIVERS),
        planned=st.sampled_from(PLANNED),
        far=st.sampled_from((4, 3, 2, 0)),
    )
    def draft(self, sender: str, receiver: str, planned: date, far: int) -> str:
        """A handover begins, and goes so many steps of the straight way, as long as they are possible."""
        number = next(numbers)
        record = record_of(number, self.parties.ids[receiver], planned)
        answer = self.parties.call(sender, "POST", "/v1/handovers", record)
        assert answer.status_code == 201, answer.text
        made = answer.json()
        case = Case(made["id"], made["personId"], sender, receiver, planned)
        self.known[case.id] = case, number
        self._agrees(case, sender, made)
        if far:
            self.consent(case.id)
        for action in ("offer", "open", "receive")[:far]:
            self._take(case, self._name(case, STEPS[action][0]), action, None)
        if far > 3:
            self.accept(case.id, ("accept",) * 3, 0, "receiver")
        return case.id

    @rule(handover_id=cases)
    def consent(self, handover_id: str) -> None:
        case, _ = self.known[handover_id]
        given = consent_for(case.person_id, self.parties.ids[case.receiver])
        assert self.parties.call(case.sender, "POST", "/v1/consents", given).status_code == 201
        case.consented = True

    @rule(
        handover_id=cases,
        action=st.sampled_from(sorted(set(STEPS) - {"accept", "amend"})),
        who=st.sampled_from(("sender", "sender", "receiver", "receiver", "outsider")),
    )
    def act(self, handover_id: str, action: str, who: str) -> None:
        case, _ = self.known[handover_id]
        self._take(case, self._name(case, who), action, REASONS.get(action))

    @rule(handover_id=cases, choice=st.integers(0, 9))
    def go_on(self, handover_id: str, choice: int) -> None:
        """A step by whoever may take it, so that lives are long."""
        case, _ = self.known[handover_id]
        case.live_to(self.today)
        possible = [
            (action, who)
            for who in (case.sender, case.receiver)
            for action in sorted(case.available(who, self.today) - {"accept", "amend"})
        ]
        if possible:
            action, who = possible[choice % len(possible)]
            self._take(case, who, action, REASONS.get(action))

    @rule(handover_id=cases, planned=st.sampled_from(PLANNED))
    def amend(self, handover_id: str, planned: date) -> None:
        case, number = self.known[handover_id]
        record = record_of(number, self.parties.ids[case.receiver], max(planned, case.planned))
        self._take(case, case.sender, "amend", record, planned=max(planned, case.planned))

    @rule(
        handover_id=cases,
        decisions=st.tuples(*[st.sampled_from(("accept", "accept", "decline", "left_with_sender"))] * 3),
        later=st.sampled_from((0, 0, 40, -400)),
        who=st.sampled_from(("receiver", "receiver", "receiver", "sender", "outsider")),
    )
    def accept(self, handover_id: str, decisions: tuple[str, str, str], later: int, who: str) -> None:
        case, _ = self.known[handover_id]
        starts = case.planned + timedelta(days=later)
        answers = [
            {"domain": domain, "decision": decision}
            | ({"from": starts.isoformat()} if decision == "accept" and later else {})
            | (REASONS["decline"] if decision == "decline" else {})
            for domain, decision in zip(DOMAINS, decisions, strict=True)
        ]
        taken = {one["domain"]: starts for one in answers if one["decision"] == "accept"}
        broken = not taken or starts < self.today
        self._take(case, self._name(case, who), "accept", {"domains": answers}, answers=taken, broken=broken)

    @rule(handover_id=cases)
    def read(self, handover_id: str) -> None:
        """The receiver's first full reading receives it."""
        case, _ = self.known[handover_id]
        case.live_to(self.today)
        answer = self.parties.call(case.receiver, "GET", f"/v1/handovers/{case.id}")
        self.touched.append(case.id)
        if not case.offered_ever:
            assert answer.status_code == 404
            return
        readable = case.status in ("offered", "received", "returned", "accepted", "overlapping", "completed")
        if not (readable and case.window_open(self.today)):
            assert (answer.status_code, answer.json()["notice"]) == (200, True)
            return
        if case.status == "offered":
            case.step("receive", self.today)
        self._agrees(case, case.receiver, answer.json(), version=case.on_offer)

    @precondition(lambda self: self.known)
    @rule(days=st.sampled_from((1, 7, 16, 31, 45, 90)))
    def days_pass(self, days: int) -> None:
        clock = self.parties.service.clock
        clock.move_to(clock.now() + timedelta(days=days))

    @rule(handover_id=cases)
    def compare_all(self, handover_id: str) -> None:
        """The clock has been round: lists and feeds say the same as the oracle, and so does responsibility."""
        case, _ = self.known[handover_id]
        case.live_to(self.today)
        self.parties.round_of_the_clock()
        for who in (case.sender, case.receiver):
            visible = case.side(who) is not None
            assert self.parties.feed(who, case.id) == (case.told if visible else []), who
        if case.offered_ever:
            self._responsibility_agrees(case)

    @invariant()
    def what_was_touched_stands_as_it_should(self) -> None:
        for handover_id in self.touched:
            case, _ = self.known[handover_id]
            case.live_to(self.today)
            answer = self.parties.call(case.sender, "GET", f"/v1/handovers/{case.id}")
            assert answer.status_code == 200
            self._agrees(case, case.sender, answer.json())
        self.touched = []

    def _name(self, case: Case, who: str) -> str:
        if who == "outsider":
            return next(name for name in reversed(NAMES) if name not in (case.sender, case.receiver))
        return case.sender if who == "sender" else case.receiver

    def _take(
        self,
        case: Case,
        who: str,
        action: str,
        body: Any,
        *,
        answers: Mapping[str, date] | None = None,
        planned: date | None = None,
        broken: bool = False,
    ) -> None:
        case.live_to(self.today)
        before = case.planned
        status, code = case.expected(who, action, self.today)
        if planned and status != 404:
            case.planned = planned
            status, code = case.expected(who, action, self.today)
        if broken and status == 200:
            status, code = 422, "rule_violated"
        path = f"/v1/handovers/{case.id}"
        if action == "amend":
            answer = self.parties.call(who, "PUT", path, body, **{"If-Match": "*"})
        else:
            answer = self.parties.call(who, "POST", f"{path}/{action}", body)
        assert (answer.status_code, answer.json().get("code")) == (status, code), (action, case, answer.text)
        self.touched.append(case.id)
        if status == 200:
            case.step(action, self.today, answers)
            self._agrees(case, who, answer.json())
            return
        case.planned = before
        if status == 409:
            assert answer.json()["handoverStatus"] == case.status
            assert set(answer.json()["availableActions"]) == case.available(who, self.today)

    def _agrees(self, case: Case, who: str, told: Mapping[str, Any], *, version: int | None = None) -> None:
        assert told["status"] == case.status, (case, told)
        self.reached.add(case.status)
        assert told["version"] == (version or case.version)
        assert set(told["availableActions"]) == case.available(who, self.today), (case, told)

    def _responsibility_agrees(self, case: Case) -> None:
        for on in (
            case.planned - timedelta(days=1),
            case.planned,
            case.planned + timedelta(days=40),
            date(2040, 1, 1),
        ):
            path = f"/v1/people/{case.person_id}/responsibility?asOf={on}"
            domains = self.parties.call(case.sender, "GET", path).json()["domains"]
            held = {one["domain"]: one["holder"] and one["holder"]["id"] for one in domains}
            wanted = {domain: str(self.parties.ids[case.holder(domain, on)]) for domain in DOMAINS}
            assert held == wanted, (on, case)

    def teardown(self) -> None:
        for handover_id in getattr(self, "known", {}):
            self.compare_all(handover_id)
