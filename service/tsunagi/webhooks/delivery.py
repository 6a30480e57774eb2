"""One message, signed and sent: to an address that was looked at, and to no other.

The name of a URL is resolved here, once, every address that it has is checked, and the connection goes to one of these:
a name that leads elsewhere a moment later (DNS rebinding) gains nothing. Of the answer only its head is read.
"""

import asyncio
import ipaddress
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import SplitResult, urlsplit

from standardwebhooks.webhooks import Webhook as Signer

from tsunagi.webhooks.rules import Address, Outcome, outcome_of, permitted

SECONDS = 10.0
"""For all of an attempt, from the name to the answer."""

MAX_HEAD_BYTES = 16_384
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})[ \r]")
_DEFAULT_PORTS = {"https": 443, "http": 80}

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class AddressRefused(Exception):
    """Nothing may be sent to an address that the name has."""


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


async def resolved(host: str, port: int) -> list[str]:
    """All addresses of a name, or the address that it is."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(one[4][0]) for one in found]


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
        self._to_loopback = to_loopback
        self._resolve = resolve
        self._tls = trusted or ssl.create_default_context()
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
        reader, writer = await self._connected(url)
        try:
            writer.write(
                f"POST {url.path or '/'}{'?' + url.query if url.query else ''} HTTP/1.1\r\n".encode()
            )
            writer.write(f"Host: {url.netloc}\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            await writer.drain()
            return await _status(reader)
        finally:
            writer.close()

    async def _connected(self, url: SplitResult) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Raises AddressRefused unless all addresses of the name are permitted."""
        secure, host = url.scheme == "https", url.hostname or ""
        port = url.port or _DEFAULT_PORTS[url.scheme]
        addresses: list[Address] = [ipaddress.ip_address(one) for one in await self._resolve(host, port)]
        if not all(permitted(one, secure=secure, to_loopback=self._to_loopback) for one in addresses):
            raise AddressRefused
        failed: OSError = OSError("the name has no address")
        for address in addresses:
            try:
                return await asyncio.open_connection(
                    str(address),
                    port,
                    limit=MAX_HEAD_BYTES,
                    ssl=self._tls if secure else None,
                    server_hostname=host if secure else None,
                )
            except OSError as error:
                failed = error
        raise failed


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
