"""A connection to an address that was looked at, and to no other.

The name of a URL is resolved here, once, every address that it has is checked, and the connection goes to one of these:
a name that leads elsewhere a moment later (DNS rebinding) gains nothing.
"""

import asyncio
import functools
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import SplitResult

from tsunagi.outgoing.rules import Address, permitted

MAX_HEAD_BYTES = 16_384
_DEFAULT_PORTS = {"https": 443, "http": 80}

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class AddressRefused(Exception):
    """Nothing may be sent to an address that the name has."""


async def resolved(host: str, port: int) -> list[str]:
    """All addresses of a name, or the address that it is."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(one[4][0]) for one in found]


@functools.cache
def _by_the_machine() -> ssl.SSLContext:
    """Whoever the machine trusts, read once: these are a few hundred certificates."""
    return ssl.create_default_context()


class Connector:
    def __init__(
        self,
        *,
        to_loopback: bool = False,
        resolve: Resolve = resolved,
        trusted: ssl.SSLContext | None = None,
    ) -> None:
        """`to_loopback`: also to this machine itself, there without TLS, too. `trusted`: by whom certificates may be
        signed; absent: whoever the machine trusts."""
        self.to_loopback = to_loopback
        self._resolve = resolve
        self._tls = trusted or _by_the_machine()

    async def connected(self, url: SplitResult) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Raises AddressRefused unless all addresses of the name are permitted."""
        secure, host = url.scheme == "https", url.hostname or ""
        port = url.port or _DEFAULT_PORTS[url.scheme]
        addresses: list[Address] = [ipaddress.ip_address(one) for one in await self._resolve(host, port)]
        if not all(permitted(one, secure=secure, to_loopback=self.to_loopback) for one in addresses):
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
