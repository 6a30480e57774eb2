"""A client without manners: it writes whatever bytes it is given to a real connection, and reads one answer."""

import contextlib
import json
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

from tests.running import RunningService

MARK = "ZZSUBMITTEDZZ"
MAX_CPU_SECONDS = 0.1


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes
    cpu_seconds: float = field(compare=False)

    @property
    def problem(self) -> dict[str, Any]:
        assert self.headers["content-type"] == "application/problem+json", self
        content: dict[str, Any] = json.loads(self.body)
        return content


def answered(connection: socket.socket) -> int:
    """The status of the next answer, which has been read to its end."""
    response = HTTPResponse(connection)
    response.begin()
    response.read()
    return response.status


class Wire:
    def __init__(self, service: RunningService) -> None:
        self.service = service
        self.address = urlsplit(service.base_url).hostname, urlsplit(service.base_url).port
        self.language = "ja"

    def head(
        self, line: str, *headers: str | bytes, host: str | None = "localhost", token: bool = True
    ) -> bytes:
        """A request line and headers; those that every request needs come first."""
        lines: list[str | bytes] = [f"{line} HTTP/1.1"]
        lines += [f"Host: {host}"] if host else []
        lines += [f"Accept-Language: {self.language}"]
        if token:
            lines.append(f"Authorization: Bearer {self.service.token(now=datetime.now(UTC))}")
        return b"\r\n".join(
            one if isinstance(one, bytes) else one.encode() for one in [*lines, *headers, "", ""]
        )

    def post(self, body: bytes, *headers: str | bytes, path: str = "/v1/handovers") -> bytes:
        """A creating request with this body, its length told."""
        usual = ("Idempotency-Key: k", "Content-Type: application/json", f"Content-Length: {len(body)}")
        return self.head(f"POST {path}", *usual, *headers) + body

    def chunked(self, pieces: Iterable[bytes], *headers: str | bytes, path: str = "/v1/handovers") -> bytes:
        """The same without a length, chunk by chunk."""
        usual = ("Idempotency-Key: k", "Content-Type: application/json", "Transfer-Encoding: chunked")
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in pieces)
        return self.head(f"POST {path}", *usual, *headers) + chunks + b"0\r\n\r\n"

    @contextlib.contextmanager
    def connected(self) -> Any:
        with socket.create_connection(self.address, timeout=20) as connection:
            yield connection

    def send(self, request: bytes) -> Answer:
        """The first answer to these bytes, and what the whole exchange has cost the server."""
        before = self.service.cpu_seconds
        with self.connected() as connection:
            with contextlib.suppress(OSError):  # it may have answered, and closed, before the end
                connection.sendall(request)
            response = HTTPResponse(connection, method=request[:4].decode("latin-1").strip())
            response.begin()
            body = response.read()
        self.settle()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, body, self.service.cpu_seconds - before)

    def everything(self, request: bytes) -> bytes:
        """All that comes back until the server closes."""
        received = b""
        with self.connected() as connection:
            with contextlib.suppress(OSError):
                connection.sendall(request)
            with contextlib.suppress(ConnectionError):
                while piece := connection.recv(65536):
                    received += piece
        return received

    def settle(self) -> None:
        """The server has done what it had to do on account of others."""
        with self.connected() as connection:
            connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert answered(connection) == 200, "the service is not alive"

    def refused(self, request: bytes, tries: int = 6) -> Answer:
        """The answer, at what it costs when nobody else is on the processor: others work on this machine."""
        answers = [self.send(request)]
        while answers[-1].cpu_seconds > MAX_CPU_SECONDS / 2 and len(answers) < tries:
            answers.append(self.send(request))
        return min(answers, key=lambda one: one.cpu_seconds)


__all__ = ["MARK", "MAX_CPU_SECONDS", "Answer", "HTTPException", "Wire", "answered"]
