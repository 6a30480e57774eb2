"""Generated pictures: whatever the rules make of any sequence of claims, acceptances and withdrawals."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import get_args
from uuid import UUID

from hypothesis import strategies as st

from tsunagi.errors import Refusal
from tsunagi.ids import OrganizationId
from tsunagi.responsibility import rules
from tsunagi.responsibility.rules import Acceptance, Chain, Picture, Role, SupportRole

A, B, C, D = (OrganizationId(UUID(int=number)) for number in range(1, 5))
START = date(2026, 4, 1)
HORIZON = 40

organizations = st.sampled_from([A, B, C, D])
days = st.integers(0, HORIZON).map(lambda offset: START + timedelta(days=offset))
todays = st.integers(0, 5).map(lambda offset: START + timedelta(days=offset))
"""Early, so that most of what is generated lies ahead."""
roles = st.sampled_from(get_args(Role))
support_roles = st.sampled_from(get_args(SupportRole))


@dataclass(frozen=True)
class Claim:
    """A claim whose own past and outcome do not matter."""

    sender: OrganizationId
    role: Role
    effective_on: date
    since: date | None

    def apply(self, picture: Picture | None, today: date) -> Picture:
        return rules.claim(
            picture,
            self.sender,
            role=self.role,
            effective_on=self.effective_on,
            since=self.since,
            basis="agreement",
            today=today,
        )


claims = st.builds(Claim, sender=organizations, role=roles, effective_on=days, since=st.none() | days)
openings = st.builds(
    lambda first_day, holder: Picture(rules.open_chain(first_day, holder)), todays, st.none() | organizations
)


def attempt(step: Claim | Acceptance, picture: Picture, today: date) -> Picture:
    """What becomes of the picture; the same one where the step is refused."""
    with suppress(Refusal):
        if isinstance(step, Claim):
            return step.apply(picture, today)
        return rules.accept(picture, step, today=today)
    return picture


@st.composite
def acceptances_of(draw: st.DrawFn, picture: Picture, role: Role | None = None) -> Acceptance:
    """Mostly offered by whoever holds in the end, so that most are not refused."""
    last = picture.chain.segments[-1].holder
    return Acceptance(
        sender=draw(st.sampled_from([last or A, last or B, last or C, last or D, A, B])),
        receiver=draw(organizations),
        role=draw(roles) if role is None else role,
        effective_on=draw(days),
        sender_role_after=draw(st.sampled_from(["none", "co_support", "backup"])),
        overlap_from=draw(st.none() | days),
        follow_up_until=draw(st.none() | days),
        basis=draw(st.sampled_from([None, "agreement", "service_contract"])),
    )


@st.composite
def pictures(draw: st.DrawFn) -> Picture:
    picture = draw(openings)
    for _ in range(draw(st.integers(0, 5))):
        step = draw(st.one_of(claims, acceptances_of(picture), acceptances_of(picture)))
        picture = attempt(step, picture, draw(todays))
    return picture


@st.composite
def offers(draw: st.DrawFn, role: Role | None = None) -> tuple[Picture, Acceptance, date]:
    """A picture, an acceptance that comes next, and the day on which it does."""
    picture = draw(pictures())
    return picture, draw(acceptances_of(picture, role)), draw(todays)


chains = pictures().map(lambda picture: picture.chain)


def every_day(check: Callable[[date], bool]) -> bool:
    """True for each day around what is generated, and for the last day there is."""
    around = [START + timedelta(days=offset) for offset in range(-3, HORIZON + 4)]
    return all(check(day) for day in [*around, date.max])


def holders_on(chain: Chain, day: date) -> list[OrganizationId | None]:
    """Counted segment by segment, as anybody would who does not trust the chain."""
    return [
        segment.holder
        for segment in chain.segments
        if segment.valid_from <= day and (day < segment.valid_to or segment.to is None)
    ]
