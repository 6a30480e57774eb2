"""What the protocol asks of whoever drives it.

A flow is a generator that never does anything itself: it yields what is to be done, is sent what came of it,
and returns its result. Two drivers (`_drivers`) run the same flows, one blocking, one on asyncio.
"""

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from tsunagi_client.errors import UnexpectedAnswer

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Request:
    """Tokens and documents stay out of its representation: logs and error trackers print it."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    content: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    content: bytes = field(repr=False)

    def json(self) -> Any:
        """Raises UnexpectedAnswer when the body is not JSON."""
        try:
            return json.loads(self.content)
        except ValueError:
            raise UnexpectedAnswer(self.status, "the body is not JSON") from None


@dataclass(frozen=True, slots=True)
class Send:
    """Send the request; an Answer comes back, or ConnectionFailed is thrown in.

    With `keep_open` the body of a 200 is left unread, for Read.
    """

    request: Request
    keep_open: bool = False


@dataclass(frozen=True, slots=True)
class Read:
    """Read on in the body that was left open; bytes come back, none at its end."""


@dataclass(frozen=True, slots=True)
class Sleep:
    seconds: float


@dataclass(frozen=True, slots=True)
class Alone:
    """Run the flow while no other flow runs under the same lock; its result comes back."""

    lock: Any
    """What the driver's `new_lock` made."""
    flow: "Flow[Any]"


@dataclass(frozen=True, slots=True)
class Give:
    """Hand these items to the caller, one by one."""

    items: list[Any] = field(repr=False)


Effect: TypeAlias = Send | Read | Sleep | Alone | Give
Flow: TypeAlias = Generator[Effect, Any, T]
