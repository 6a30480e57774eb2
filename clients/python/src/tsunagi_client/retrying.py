"""When a request is sent again, and after how long.

Every operation may be: reads by their nature, amendments by their If-Match, creations and steps by their
Idempotency-Key, matching and withdrawing because the contract has a repetition change nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import SystemRandom
from typing import TypeVar

from tsunagi_client._flow import Flow, Sleep
from tsunagi_client.errors import (
    ConnectionFailed,
    IdempotencyInFlight,
    PreconditionFailed,
    RateLimited,
    TsunagiError,
    Unavailable,
    UnexpectedAnswer,
)

T = TypeVar("T")

_GATEWAY = frozenset({429, 502, 503, 504})
_random = SystemRandom()


@dataclass(frozen=True, slots=True)
class Retry:
    """How patient the client is. The wait doubles from `first_wait_seconds` up to `longest_wait_seconds`, and a
    random part of it is waited; where the service says how long to wait, that long on top."""

    attempts: int = 4
    """Of each request, the first included."""
    first_wait_seconds: float = 0.5
    longest_wait_seconds: float = 8.0
    longest_retry_after_seconds: float = 60.0
    """When the service asks for more patience than this, its answer is raised instead."""

    def wait_seconds(self, error: TsunagiError, attempt: int) -> float | None:
        """How long to wait after failed attempt number `attempt`; None when it was the last."""
        if attempt >= self.attempts or not _passing(error):
            return None
        asked = getattr(error, "retry_after_seconds", None) or 0.0
        if asked > self.longest_retry_after_seconds:
            return None
        ceiling = min(self.longest_wait_seconds, self.first_wait_seconds * 2.0 ** (attempt - 1))
        return float(asked) + _random.uniform(0, ceiling)


def _passing(error: TsunagiError) -> bool:
    match error:
        case ConnectionFailed():
            return not error.lasting
        case UnexpectedAnswer():
            return error.status in _GATEWAY
        case _:
            return isinstance(error, RateLimited | Unavailable | IdempotencyInFlight)


def retried(attempt: Callable[[], Flow[T]], retry: Retry) -> Flow[T]:
    """The result of the first attempt that succeeds."""
    tried, unsure = 0, False
    while True:
        tried += 1
        try:
            return (yield from attempt())
        except TsunagiError as error:
            if unsure and isinstance(error, PreconditionFailed):
                error.add_note("An earlier attempt got no answer and may have done it already.")
            unsure = unsure or (isinstance(error, ConnectionFailed) and not error.unsent)
            wait = retry.wait_seconds(error, tried)
            if wait is None:
                raise
        yield Sleep(wait)
