"""Roles and what they may do, how long a session lasts, and which passwords and codes are taken."""

import hmac
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import pyotp

from tsunagi.auth.rules import Caller, Scope, Staff
from tsunagi.errors import Notice, RuleViolated, Text
from tsunagi.ids import OrganizationId
from tsunagi.ledger.rules import PAGES

Role = Literal["worker", "administrator", "auditor"]

_LOOKING = frozenset(
    {
        Scope.RESPONSIBILITY_READ,
        Scope.FINDINGS_READ,
        Scope.LEDGER_READ,
        Scope.DIRECTORY_READ,
        Scope.EVENTS_READ,
        Scope.EVIDENCE_READ,
        Scope.DISCLOSURES_READ,
    }
)
SCOPES: Mapping[Role, frozenset[Scope]] = {
    "worker": frozenset(Scope) - {Scope.EVIDENCE_WRITE, Scope.WEBHOOKS_WRITE},
    "administrator": frozenset(Scope),
    "auditor": _LOOKING,
}
"""What each role may ask of the API: an auditor never for a record."""

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
CONFIRMED = timedelta(minutes=10)
"""A session ends when nobody used it for IDLE, at the latest after LONGEST. What cannot be taken back needs a sign-in
that is at most CONFIRMED old (NIST SP 800-63B section 5.2: at most 30 minutes idle and 12 hours at level 2)."""

SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 128
MAX_NAME = 100
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{2,99}")
CODE_SECONDS = 30


INVITED_FOR = timedelta(days=7)
INVITATION_BYTES = 15

FREE_FAILURES_LOGIN, FREE_FAILURES_ADDRESS = 5, 50
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=15)
FAILURES_KEPT = timedelta(days=1)
"""So many attempts may fail before one has to wait, twice as long after each further one. An office shares one
address. Whoever keeps a stranger's account from signing in must fail again every quarter of an hour."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """How many attempts to sign in have failed since one succeeded, and when the last one did."""

    failures: int
    last_at: datetime

    def at(self, now: datetime) -> "Attempts":
        return Attempts(0, now) if now >= self.last_at + FAILURES_KEPT else self

    def blocked(self, now: datetime, free: int) -> bool:
        if self.failures < free:
            return False
        wait = FIRST_WAIT * (1 << min(self.failures - free, 10))
        return now < self.last_at + min(wait, LONGEST_WAIT)


class SignInRefused(Exception):
    """Login, password and code are not those of an active account. Which of them is wrong is nobody's to know."""

    code = "sign_in_refused"


@dataclass(frozen=True, slots=True)
class Member:
    """A member of staff, as the pages know them."""

    id: UUID
    organization_id: OrganizationId
    login: str
    name: str
    role: Role

    @property
    def caller(self) -> Caller:
        return Caller(self.organization_id, PAGES, SCOPES[self.role], Staff(str(self.id), self.name))


@dataclass(frozen=True, slots=True)
class Colleague:
    """A member of staff, as the others of the organization know them."""

    id: UUID
    name: str
    role: Role
    active: bool

    @property
    def takes_charge(self) -> bool:
        """Whether handovers can be given to them: an auditor may not even see them."""
        return self.active and self.role != "auditor"


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who has signed in."""

    member: Member
    organization: str
    """Its name."""
    began_at: datetime
    seen_at: datetime
    confirmed_at: datetime

    def over(self, now: datetime) -> bool:
        return now >= self.seen_at + IDLE or now >= self.began_at + LONGEST

    def confirmed(self, now: datetime) -> bool:
        return now < self.confirmed_at + CONFIRMED


def invitation_of(text: str) -> str:
    """What was handed over, as it is kept: however it was typed."""
    return "".join(mark for mark in unicodedata.normalize("NFKC", text).upper() if mark.isalnum())


def may_administer(accounts: Iterable[tuple[Member, bool]], member_id: UUID) -> bool:
    """Whether, among accounts that are active or not, this one is an administrator's who is."""
    return any(one.id == member_id and one.role == "administrator" and active for one, active in accounts)


def login_of(text: str) -> str:
    """The login as it is kept: without regard to case or to full-width letters. Raises RuleViolated."""
    login = unicodedata.normalize("NFKC", text).strip().casefold()
    if not _LOGIN.fullmatch(login):
        raise _refused(
            "staff_login",
            "ログイン名は英数字で始まる3～100文字です（. _ @ + - が使えます）",
            "A login has 3 to 100 letters or digits, and . _ @ + -",
        )
    return login


def check_name(name: str) -> None:
    """Raises RuleViolated."""
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        raise _refused("staff_name", "氏名は1～100文字です", "A name has 1 to 100 characters")


def check_password(password: str, login: str) -> None:
    """Length is what counts (NIST SP 800-63B section 5.1.1). Raises RuleViolated."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise _refused(
            "staff_password_length",
            f"パスワードは{SHORTEST_PASSWORD}～{LONGEST_PASSWORD}文字です",
            f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters",
        )
    if len(set(password)) < 5 or login.partition("@")[0] in password.casefold():
        raise _refused(
            "staff_password_weak",
            "ログイン名を含むもの、同じ文字の繰り返しは使えません",
            "A password must not hold the login, or repeat a few letters",
        )


def code_uri(login: str, secret: str) -> str:
    """What authenticator apps read, as a link or a QR code."""
    return pyotp.TOTP(secret, interval=CODE_SECONDS).provisioning_uri(name=login, issuer_name="Tsunagi")


def code_step(secret: str, code: str, now: datetime, *, used: int | None) -> int | None:
    """The time step (RFC 6238) whose code this is: the present one or a neighbor, later than the one that was `used`
    last; None when it is none of them."""
    digits = "".join(unicodedata.normalize("NFKC", code).split())
    totp, present = pyotp.TOTP(secret, interval=CODE_SECONDS), int(now.timestamp()) // CODE_SECONDS
    for step in (present - 1, present, present + 1):
        same = hmac.compare_digest(totp.generate_otp(step).encode(), digits.encode())
        if same and (used is None or step > used):
            return step
    return None


def _refused(code: str, ja: str, en: str) -> RuleViolated:
    return RuleViolated(errors=(Notice(code, "error", Text(ja, en), party="client"),))
