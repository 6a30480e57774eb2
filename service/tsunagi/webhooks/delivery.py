"""One message, signed and sent: to an address that was looked at, and to no other.

Of the answer only its head is read.
"""

import asyncio
import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import SplitResult, urlsplit

from standardwebhooks.webhooks import Webhook as Signer

from tsunagi.outgoing.connection import AddressRefused, Connector, Resolve, resolved
from tsunagi.webhooks.rules import Outcome, outcome_of

SECONDS = 10.0
"""For all of an attempt, from the name to the answer."""

_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})[ \r]")


@dataclass(frozen=True, slots=True)
class Message:
    id: str
    url: str
    body: str
    secrets: Sequence[str]
    """Whose signatures it carries."""


@dataclass(frozen=True, slots=True)
class Attempt:
    outcome: Outcome
    answer: int | None = None
    """The HTTP status."""


class Sender:
    def __init__(
        self,
        *,
        to_loopback: bool = False,
        resolve: Resolve = resolved,
        trusted: ssl.SSLContext | None = None,
        seconds: float = SECONDS,
    ) -> None:
        """`to_loopback`: also to this machine itself, there without TLS, too. `trusted`: by whom certificates may be
        signed; absent: whoever the machine trusts."""
        self._connector = Connector(to_loopback=to_loopback, resolve=resolve, trusted=trusted)
        self._seconds = seconds

    async def send(self, message: Message, now: datetime) -> Attempt:
        """How it went; never raises for what the other side does."""
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._post(urlsplit(message.url), _head(message, now), message.body.encode())
        except AddressRefused:
            return Attempt("address_refused")
        except TimeoutError:
            return Attempt("timeout")
        except (OSError, ValueError, EOFError, asyncio.LimitOverrunError):
            return Attempt("unreachable")
        return Attempt(outcome_of(answer), answer)

    async def _post(self, url: SplitResult, head: str, body: bytes) -> int:
        """The status of the answer."""
        reader, writer = await self._connector.connected(url)
        try:
            writer.write(
                f"POST {url.path or '/'}{'?' + url.query if url.query else ''} HTTP/1.1\r\n".encode()
            )
            writer.write(f"Host: {url.netloc}\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            await writer.drain()
            return await _status(reader)
        finally:
            writer.close()


def _head(message: Message, now: datetime) -> str:
    signatures = [Signer(secret).sign(message.id, now, message.body) for secret in message.secrets]
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "tsunagi-webhooks",
        "Connection": "close",
        "webhook-id": message.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items())


async def _status(reader: asyncio.StreamReader) -> int:
    """Of the final answer: those before it (1xx) are passed over. Raises ValueError for what is no HTTP."""
    while True:
        found = _STATUS_LINE.match(await reader.readuntil(b"\r\n\r\n"))
        if found is None:
            raise ValueError("not an answer in HTTP")
        if (status := int(found[1])) >= 200:
            return status
