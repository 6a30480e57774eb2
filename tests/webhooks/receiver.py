"""Somebody's software that takes messages, on this machine."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks.webhooks import Webhook


@dataclass(frozen=True)
class Received:
    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> Any:
        """The content. Raises WebhookVerificationError unless it was signed with the secret."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass
class Receiver:
    """Answers with `answer`, once `open` is set."""

    port: int = 0
    scheme: str = "http"
    answer: bytes = b"HTTP/1.1 204 No Content\r\n\r\n"
    open: asyncio.Event = field(default_factory=asyncio.Event)
    received: list[Received] = field(default_factory=list)
    taking: int = 0
    most_taken: int = 0

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/hook?office=1"

    def answers(self, status: int, *more: str) -> None:
        lines = [f"HTTP/1.1 {status} Some Reason", *more]
        self.answer = "".join(f"{line}\r\n" for line in [*lines, ""]).encode()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.taking += 1
        self.most_taken = max(self.most_taken, self.taking)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            line, *lines = head.split("\r\n")[:-2]
            headers = {name.lower(): text for name, _, text in (one.partition(": ") for one in lines)}
            body = await reader.readexactly(int(headers["content-length"]))
            self.received.append(Received(line, headers, body))
            await self.open.wait()
            writer.write(self.answer)
            await writer.drain()
        except (ConnectionError, EOFError):
            pass
        finally:
            self.taking -= 1
            writer.close()


@asynccontextmanager
async def listening(tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    receiver = Receiver(scheme="https" if tls else "http")
    receiver.open.set()
    server = await asyncio.start_server(receiver.take, "127.0.0.1", 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    yield receiver
    receiver.open.set()
    server.close()
    await asyncio.sleep(0)
