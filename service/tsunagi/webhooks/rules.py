"""Which URLs and addresses are taken, when a delivery is tried again, and what an attempt means for it."""

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit
from uuid import UUID

from tsunagi.errors import Notice, RuleViolated, Text
from tsunagi.ids import OrganizationId

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

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
NO_HOSTS = tuple(map(ipaddress.IPv6Network, ("2002::/16", "2001::/32", "3fff::/20", "5f00::/16")))
"""6to4 and Teredo, whose packets go on to an IPv4 address that nobody has looked at; documentation (RFC 9637) and
segment routing (RFC 9602), which older versions of Python hold to be global."""


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
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _refused("webhook.url", "URL として読めません", "Not a URL") from None
    if not host or port == 0 or parts.username is not None or parts.fragment:
        raise _refused(
            "webhook.url",
            "ホストのある URL にしてください。利用者名・パスワード・# は使えません",
            "A URL with a host, and without user name, password and #",
        )
    if parts.scheme != "https" and not to_loopback:
        raise _refused("webhook.not_https", "https の URL にしてください", "An https URL is needed")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return
    if not permitted(address, secure=parts.scheme == "https", to_loopback=to_loopback):
        raise _refused(
            "webhook.address_refused",
            "公開のアドレスにしてください",
            "Only public addresses can be used",
        )


def permitted(address: Address, *, secure: bool, to_loopback: bool) -> bool:
    """Whether something may be sent to the address: over TLS where it is public; to this machine itself only in trials,
    and then also without."""
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_loopback:
        return to_loopback
    return secure and public(address)


def public(address: Address) -> bool:
    """Whether the address is one of the Internet's, for one host alone (IANA's special-purpose registries)."""
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        return address in GLOBAL_UNICAST and not any(address in network for network in NO_HOSTS)
    return True


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
