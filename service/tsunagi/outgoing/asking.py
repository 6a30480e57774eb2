"""One question over HTTP and its answer: no redirect is followed, no proxy of the environment taken, nothing kept."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

import h11

from tsunagi.outgoing.connection import MAX_HEAD_BYTES, AddressRefused, Connector

SECONDS = 5.0
"""For all of it, from the name to the last byte of the answer."""

MAX_ANSWER_BYTES = 131_072
_PIECE = 65_536

Silence = Literal["address_refused", "timeout", "unreachable", "too_large"]


class Unanswered(Exception):
    """There is no answer that could be read."""

    def __init__(self, why: Silence) -> None:
        super().__init__(why)
        self.why: Silence = why


class _TooLarge(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


class Asker:
    def __init__(self, connector: Connector, *, seconds: float = SECONDS) -> None:
        self.connector = connector
        self._seconds = seconds

    async def ask(
        self, method: Literal["GET", "POST"], url: str, headers: Mapping[str, str], body: str = ""
    ) -> Answer:
        """Raises Unanswered."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._asked(method, url, headers, body.encode())
        except AddressRefused:
            raise Unanswered("address_refused") from None
        except TimeoutError:
            raise Unanswered("timeout") from None
        except _TooLarge:
            raise Unanswered("too_large") from None
        except (OSError, ValueError, KeyError, h11.ProtocolError):  # KeyError: a scheme that is none of ours
            raise Unanswered("unreachable") from None

    async def _asked(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        parts, http = urlsplit(url), h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)
        told = {
            "Host": parts.netloc,
            "User-Agent": "tsunagi",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Connection": "close",
            **headers,
            **({"Content-Length": str(len(body))} if method == "POST" else {}),
        }
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        request = h11.Request(method=method, target=target, headers=list(told.items()))
        sent = [http.send(one) for one in (request, h11.Data(data=body), h11.EndOfMessage())]
        reader, writer = await self.connector.connected(parts)
        try:
            writer.write(b"".join(one for one in sent if one))
            await writer.drain()
            return await _answer(http, reader)
        finally:
            writer.close()


async def _answer(http: h11.Connection, reader: asyncio.StreamReader) -> Answer:
    """Raises _TooLarge, and ValueError and h11.ProtocolError for what is no HTTP."""
    status, body = 0, bytearray()
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(await reader.read(_PIECE))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > MAX_ANSWER_BYTES:
                raise _TooLarge
        elif isinstance(event, h11.EndOfMessage):
            return Answer(status, bytes(body))
        elif not isinstance(event, h11.InformationalResponse):
            raise ValueError("the connection ended before the answer")
