"""Which URLs are taken, when a delivery is tried again, and what an attempt means for it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from tsunagi.errors import Notice, RuleViolated, Text
from tsunagi.ids import OrganizationId
from tsunagi.outgoing.rules import fault_in

WebhookStatus = Literal["active", "paused", "disabled"]
DeliveryStatus = Literal["waiting", "delivered", "failed"]
Outcome = Literal["accepted", "refused", "gone", "timeout", "unreachable", "address_refused"]
"""Of an attempt: an answer of 2xx, of anything else, of 410; none in time; no connection, or no answer in HTTP; and
nothing sent, since the address is not public."""

TEST = "webhook.test"

MOST_WEBHOOKS = 20
"""Of an organization."""

KEPT = timedelta(days=30)
"""How long a delivery that is over can be looked at, and sent again."""

BOTH_SECRETS = timedelta(hours=24)
"""How long messages carry the previous secret's signature beside the new one's."""

DELAYS = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 60, 5 * 60, 30 * 60, *(hours * 3600 for hours in (2, 5, 10, 14, 20, 24)))
)
"""From one attempt to the next, before jitter: 76 hours in all. Standard Webhooks recommends such a schedule."""

JITTER = 0.2
"""By how much of itself a delay may be shorter or longer: endpoints that come back are not met by all at once."""


@dataclass(frozen=True, slots=True)
class Webhook:
    id: UUID
    organization_id: OrganizationId
    url: str
    status: WebhookStatus
    created_at: datetime
    rotated_at: datetime | None = None
    waiting: int = 0
    failed: int = 0

    def previous_secret_until(self, now: datetime) -> datetime | None:
        until = self.rotated_at + BOTH_SECRETS if self.rotated_at else None
        return until if until and now < until else None


@dataclass(frozen=True, slots=True)
class Delivery:
    id: UUID
    webhook_id: UUID
    message_id: UUID
    """The event's, or its own where it is a test."""
    type: str
    status: DeliveryStatus
    attempts: int
    created_at: datetime
    due_at: datetime
    tried_at: datetime | None = None
    outcome: Outcome | None = None
    answer: int | None = None
    """The HTTP status."""


def check_url(url: str, *, to_loopback: bool) -> None:
    """The URL can be one of a webhook; its name is resolved when something is sent. Raises RuleViolated."""
    match fault_in(url, to_loopback=to_loopback):
        case "url":
            raise _refused(
                "webhook.url",
                "ホストのある URL にしてください。利用者名・パスワード・# は使えません",
                "A URL with a host, and without user name, password and #",
            )
        case "not_https":
            raise _refused("webhook.not_https", "https の URL にしてください", "An https URL is needed")
        case "address_refused":
            raise _refused(
                "webhook.address_refused",
                "公開のアドレスにしてください",
                "Only public addresses can be used",
            )


def delay(attempts: int, draw: float) -> timedelta | None:
    """How long to wait after so many attempts, given a random number from 0 to 1; None: no more is tried."""
    if attempts > len(DELAYS):
        return None
    return DELAYS[attempts - 1] * (1 + JITTER * (2 * draw - 1))


def outcome_of(answer: int) -> Outcome:
    """What an HTTP status says."""
    if 200 <= answer < 300:
        return "accepted"
    return "gone" if answer == 410 else "refused"


def tried(attempts: int, outcome: Outcome, now: datetime, draw: float) -> tuple[DeliveryStatus, datetime]:
    """What becomes of a delivery after its latest attempt, and when it is due next."""
    if outcome == "accepted":
        return "delivered", now
    wait = delay(attempts, draw)
    if outcome == "gone" or wait is None:
        return "failed", now
    return "waiting", now + wait


def too_many() -> RuleViolated:
    return _refused(
        "webhook.too_many",
        f"通知先は{MOST_WEBHOOKS}までです",
        f"There can be at most {MOST_WEBHOOKS} webhooks",
    )


def _refused(code: str, ja: str, en: str) -> RuleViolated:
    return RuleViolated(errors=(Notice(code, "error", Text(ja, en), pointer="/url", party="client"),))
