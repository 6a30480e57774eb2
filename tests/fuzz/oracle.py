"""A handover's life as the design tells it (section 4): written from the table and the text, not from the code."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

DOMAINS = ("employment", "daily_life", "employer_liaison")
ANSWER_DAYS = 30
"""What areas give a receiver for its answer, unless they say otherwise."""
WINDOW_MONTHS, OVERLAP_MONTHS = 6, 3

STEPS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "offer": ("sender", {"draft": "offered", "returned": "offered"}),
    "open": ("sender", {"offered": "offered", "received": "received"}),
    "amend": (
        "sender",
        {"draft": "draft", "returned": "returned", "offered": "offered", "received": "offered"},
    ),
    "withdraw": (
        "sender",
        dict.fromkeys(("draft", "offered", "received", "returned", "accepted"), "withdrawn"),
    ),
    "receive": ("receiver", {"offered": "received", "received": "received"}),
    "accept": ("receiver", {"received": "accepted"}),
    "return": ("receiver", {"received": "returned"}),
    "decline": ("receiver", {"offered": "declined", "received": "declined"}),
}
"""Who takes a step, and from where to where it leads. The calendar has three of its own, in `Case.live_to`."""


def months_before(first_of_month: date, months: int) -> date:
    index = first_of_month.year * 12 + first_of_month.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)


@dataclass
class Case:
    """One handover, as it should be."""

    id: str
    person_id: str
    sender: str
    receiver: str
    planned: date
    status: str = "draft"
    version: int = 1
    on_offer: int = 0
    """The newest version that the receiver may know of."""
    offered_ever: bool = False
    consented: bool = False
    opened_early: bool = False
    announced: bool = False
    """Whether both sides have been told that the window is open."""
    due: date | None = None
    answered: date | None = None
    accepted: dict[str, date] = field(default_factory=dict)
    told: list[tuple[str, str]] = field(default_factory=list)
    """What both sides find in their feeds: type, and the state after it."""

    @property
    def opens(self) -> date:
        return months_before(self.planned, WINDOW_MONTHS)

    @property
    def overlaps(self) -> date:
        return months_before(self.planned, OVERLAP_MONTHS)

    def window_open(self, today: date) -> bool:
        return self.opened_early or self.opens <= today

    def side(self, who: str) -> str | None:
        if who == self.sender:
            return "sender"
        return "receiver" if who == self.receiver and self.offered_ever else None

    def available(self, who: str, today: date) -> set[str]:
        return {
            action
            for action, (setter, steps) in STEPS.items()
            if setter == self.side(who)
            and self.status in steps
            and (setter == "sender" or action == "decline" or self.window_open(today))
        }

    def expected(self, who: str, action: str, today: date) -> tuple[int, str | None]:
        """The status of the answer, and the code where it is a problem."""
        if self.side(who) is None:
            return 404, "not_found"
        if action not in self.available(who, today):
            waiting = self.status in ("offered", "received") and not self.window_open(today)
            early = waiting and self.side(who) == STEPS[action][0] == "receiver"
            return 409, "window_not_open" if early else "wrong_state"
        if STEPS[action][1][self.status] == "offered" and action in ("offer", "amend"):
            if self.planned < today:
                return 422, "rule_violated"
            if not self.consented:
                return 422, "consent_missing"
        return 200, None

    def holder(self, domain: str, on: date) -> str:
        """Who is primary on a day, after the first offer."""
        if self.status in ("accepted", "overlapping", "completed") and domain in self.accepted:
            return self.receiver if on >= self.accepted[domain] else self.sender
        return self.sender

    def tell(self, *events: str) -> None:
        self.told += [(event, self.status) for event in events]

    def live_to(self, today: date) -> None:
        """What the calendar does by itself until this day."""
        waiting = self.status in ("offered", "received")
        if waiting and not self.announced and self.window_open(today):
            self.announced = True
            self.tell("handover.window_opened")
        if waiting and self.due and today > self.due:
            self.status = "expired"
            self.tell("handover.expired")
        if not self.accepted or self.answered is None:
            return
        completes = max(self.accepted.values())
        begins = max(min([*self.accepted.values(), self.overlaps]), self.answered)
        if self.status == "accepted" and begins <= today:
            self.status = "overlapping" if begins < completes else "completed"
            self.tell(f"handover.{self.status}")
        if self.status == "overlapping" and completes <= today:
            self.status = "completed"
            self.tell("handover.completed")

    def offer(self, today: date, event: str) -> None:
        self.status, self.offered_ever, self.on_offer = "offered", True, self.version
        self.answered = None
        self.due = self.answer_due(today)
        self.tell(event)
        self.live_to(today)

    def answer_due(self, today: date) -> date:
        readable = today if self.window_open(today) else self.opens
        return min(max(today, readable) + timedelta(days=ANSWER_DAYS), max(self.planned, today))

    def step(self, action: str, today: date, answers: Mapping[str, date] | None = None) -> None:
        """The step has been taken; `answers` are the domains that were accepted, each from its day."""
        before = self.status
        if action == "offer":
            self.offer(today, "handover.offered")
        elif action == "amend":
            self.version += 1
            self.announced = self.announced and self.window_open(today)
            if STEPS["amend"][1][before] == "offered":
                self.offer(today, "handover.amended")
        elif action == "open":
            if not self.window_open(today):
                self.opened_early = self.announced = True
                self.due = self.answer_due(today)
                self.tell("handover.opened")
        else:
            self.status = STEPS[action][1][before]
            self._answered(action, before, today, answers or {})

    def _answered(self, action: str, before: str, today: date, answers: Mapping[str, date]) -> None:
        if action == "receive" and before == "offered":
            self.tell("handover.received")
        if action == "accept":
            self.answered, self.accepted = today, dict(answers)
            self.tell("handover.accepted", "responsibility.changed")
            self.live_to(today)
        if action in ("decline", "return"):
            self.tell("handover.declined" if action == "decline" else "handover.returned")
        if action == "withdraw":
            self.tell(*(["responsibility.changed"] if before == "accepted" else []))
            self.tell(*(["handover.withdrawn"] if self.offered_ever else []))
