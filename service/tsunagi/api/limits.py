"""How often somebody may ask: for each software client, for each organization, for matching, for tokens, and for
pages without having signed in.

Requests are counted in memory, by the minute, and once a second the processes tell each other in one statement
what they have counted. A request pays microseconds; together the processes let through, at most, what a second
brings more than is allowed. A new minute begins at nothing, and so does a process.

`docs/decisions/0015-rate-limits.md` says why it is so, and what a limit is worth against a guesser.
"""

import asyncio
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from ipaddress import ip_address, ip_network

import structlog
from fastapi import Request
from sqlalchemy import BigInteger, Column, Integer, Table, text
from sqlalchemy import Text as TextType

from tsunagi.api.reading import answer_with
from tsunagi.auth.rules import Caller
from tsunagi.auth.server import Answer
from tsunagi.db import Database, WriteTx, metadata
from tsunagi.errors import RateLimited, Text
from tsunagi.ids import ClientId
from tsunagi.ledger.rules import PAGES
from tsunagi.logs import fault
from tsunagi.settings import Settings

WINDOW_SECONDS = 60
MAX_COUNTED = 100_000
"""Whoever comes later in a minute is not counted in it: memory ends, and strangers must not use up a friend's."""
FAILURES_OF_ADDRESS = 10
"""An address may fail as often as so many clients may."""

counts = Table(
    "rate_counts",
    metadata,
    Column("minute", BigInteger, primary_key=True, autoincrement=False, comment="since 1970"),
    Column("subject", TextType, primary_key=True, comment="policy and whom it counts"),
    Column("count", Integer, nullable=False),
    prefixes=["UNLOGGED"],
)

_exchange = text("""
    INSERT INTO rate_counts AS known (minute, subject, count)
    SELECT :minute, subject, count
    FROM unnest(CAST(:subjects AS text[]), CAST(:counts AS integer[])) AS here (subject, count)
    ORDER BY subject -- all processes lock in one order
    ON CONFLICT (minute, subject) DO UPDATE SET count = known.count + excluded.count
    RETURNING subject, count
""")

log = structlog.get_logger()


_STRANGERS = Text(
    "同じ接続元から、サインインせずに何度もページが開かれました。1分ほど待ってから、もう一度お試しください",
    "Too many pages were opened from your connection without signing in. Wait for a minute, then try again",
)


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    name: str
    per_minute: int
    """0: no limit."""
    text: Text

    @property
    def item(self) -> str:
        return f'"{self.name}";q={self.per_minute};w={WINDOW_SECONDS}'


Subject = tuple[Policy, Hashable]


def _software(caller: Caller) -> Hashable:
    """What counts as one piece of software: of the pages, which all organizations use, each member of staff."""
    if caller.client_id == PAGES and caller.staff:
        return f"{PAGES} {caller.staff.id}"
    return caller.client_id


class Limits:
    """What has been asked for in the minute that runs."""

    def __init__(self, settings: Settings) -> None:
        self.client = _policy(
            "client", settings.client_requests_per_minute, "ソフトウェア一つにつき", "A software client"
        )
        self.organization = _policy(
            "organization", settings.organization_requests_per_minute, "機関一つにつき", "An organization"
        )
        self.matching = _policy(
            "matching", settings.matches_per_minute, "照合は機関一つにつき", "For matching an organization"
        )
        self.token = _policy(
            "token", settings.tokens_per_minute, "トークンはソフトウェア一つにつき", "For tokens a client"
        )
        failures = settings.token_failures_per_minute
        self.failure = _policy("failure", failures, "認証の失敗は", "Failing to authenticate, a client")
        self.failures = _policy(
            "failures",
            failures * FAILURES_OF_ADDRESS,
            "認証の失敗は一つの接続元から",
            "With failures an address",
        )
        self.strangers = Policy("strangers", settings.strangers_pages_per_minute, _STRANGERS)
        self._minute = 0
        self._known: dict[Subject, int] = {}
        self._untold: dict[Subject, int] = {}

    def admit(self, request: Request, operation_id: str, caller: Caller, at: datetime) -> None:
        """One more request of the caller's is counted. Raises RateLimited, and counts nothing, at a limit."""
        subjects: list[Subject] = [
            (self.client, _software(caller)),
            (self.organization, caller.organization_id),
        ]
        if operation_id == "matchPerson":
            subjects.append((self.matching, caller.organization_id))
        self._check(request, subjects, at)
        self._count(subjects)
        self._tell(request, subjects, at)

    def admit_stranger(self, request: Request, at: datetime) -> None:
        """One more page of somebody's who is not signed in is counted. Raises RateLimited, and counts nothing, at the
        limit."""
        subjects = [(self.strangers, _address(request))]
        self._check(request, subjects, at)
        self._count(subjects)

    def admit_token_request(self, request: Request, claimed: ClientId | None, at: datetime) -> None:
        """Raises RateLimited when who claims to be this client has failed too often from where it comes, or when
        this client has got too many tokens. What others fail at elsewhere in its name is not held against it."""
        failures = self._failures(request, claimed)
        self._check(request, [*failures, (self.token, claimed)], at)
        self._count(failures)  # until it has succeeded: others may ask meanwhile

    def token_answered(
        self, request: Request, claimed: ClientId | None, answer: Answer, at: datetime
    ) -> None:
        """A token request that was admitted stays counted as a failure only if it was one. To be asked for a nonce
        is none (RFC 9449 section 8)."""
        granted = answer.status == HTTPStatus.OK
        if granted or answer.body.get("error") == "use_dpop_nonce":
            self._count(self._failures(request, claimed), -1)
        if granted:
            self._count([(self.token, claimed)])
            self._tell(request, [(self.token, claimed)], at)

    def _failures(self, request: Request, claimed: ClientId | None) -> list[Subject]:
        address = _address(request)
        return [(self.failure, f"{address} {claimed}"), (self.failures, address)]

    def _check(self, request: Request, subjects: Iterable[Subject], at: datetime) -> None:
        left_seconds = self._look_at(at)
        for subject in subjects:
            policy = subject[0]
            if policy.per_minute and self._known.get(subject, 0) >= policy.per_minute:
                self._tell(request, [subject], at)
                raise RateLimited(policy.text, extensions={"retryAfterSeconds": left_seconds})

    def _tell(self, request: Request, subjects: Iterable[Subject], at: datetime) -> None:
        """The answer says how each of them stands (draft-ietf-httpapi-ratelimit-headers-10)."""
        left_seconds = self._look_at(at)
        policies, standings = [], []
        for subject in subjects:
            policy = subject[0]
            if policy.per_minute:
                left = max(policy.per_minute - self._known.get(subject, 0), 0)
                policies.append(policy.item)
                standings.append(f'"{policy.name}";r={left};t={left_seconds}')
        if policies:
            answer_with(request, {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(standings)})

    def _count(self, subjects: Iterable[Subject], by: int = 1) -> None:
        for subject in subjects:
            used = self._known.get(subject)
            if used is None and (by < 0 or len(self._known) >= MAX_COUNTED):
                continue
            self._known[subject] = (used or 0) + by
            self._untold[subject] = self._untold.get(subject, 0) + by

    def _look_at(self, at: datetime) -> int:
        """Seconds that are left of the minute; counting has begun anew if it is another one."""
        minute, second = divmod(int(at.timestamp()), WINDOW_SECONDS)
        if minute != self._minute:
            self._minute = minute
            self._known.clear()
            self._untold.clear()
        return WINDOW_SECONDS - second

    async def exchange(self, db: Database) -> None:
        """What was counted here is told, and what all have counted is known of everybody who asked here."""
        minute, told = self._minute, self._untold
        if not told:
            return
        self._untold = {}
        by_name = {f"{policy.name} {whom}": (policy, whom) for policy, whom in told}
        try:
            async with db.platform() as tx:
                rows = await tx.execute(
                    _exchange,
                    {
                        "minute": minute,
                        "subjects": list(by_name),
                        "counts": [told[subject] for subject in by_name.values()],
                    },
                )
                totals = rows.all()
        except BaseException:
            if minute == self._minute:
                for subject, count in told.items():
                    self._untold[subject] = self._untold.get(subject, 0) + count
            raise
        if minute == self._minute:
            for name, total in totals:
                subject = by_name[name]
                self._known[subject] = total + self._untold.get(subject, 0)


def _address(request: Request) -> str:
    """Where a request comes from: of IPv6 the network, which is what one customer has (RFC 6177)."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host[:64]
    return str(ip_network((address, 64), strict=False)) if address.version == 6 else host


def _policy(name: str, per_minute: int, ja: str, en: str) -> Policy:
    return Policy(
        name,
        per_minute,
        Text(
            f"{ja}1分間に{per_minute:,}回までです。Retry-After の秒数だけ待ってください",
            f"{en} may ask {per_minute:,} times a minute. Wait for the seconds of Retry-After",
        ),
    )


async def share(limits: Limits, db: Database, *, every_seconds: float = 1.0) -> None:
    """Exchanges with the other processes until cancelled. A failure is logged; what was not told is told later."""
    while True:
        await asyncio.sleep(every_seconds)
        try:
            await limits.exchange(db)
        except Exception as error:  # the database may be away: counting goes on without the others
            log.warning("limits not shared", **fault(error))


async def forget_counts(tx: WriteTx, at: datetime) -> None:
    """Minutes that are over are forgotten."""
    await tx.execute(counts.delete().where(counts.c.minute < int(at.timestamp()) // WINDOW_SECONDS - 1))
