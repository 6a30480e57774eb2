"""One HTTP/1.1 connection: uvicorn's, with an end to how much and how long a request may come in, and with problem
details where uvicorn would answer in plain text.

What is refused here has not become a request: no operation, no caller and no handler know of it.
"""

import asyncio
import json
from typing import Any
from uuid import uuid4

import httptools
import structlog
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from tsunagi.api.frame import REQUESTS
from tsunagi.api.problems import STATUS, language, problem_content
from tsunagi.errors import HeadTooLarge, MalformedRequest, Refusal, RequestTimeout, Text

MAX_HEAD_BYTES = 32_768
MAX_HEADERS = 100
MAX_PIPELINED = 20
"""Requests that wait for the one before them; a client that needs more opens another connection."""
MAX_PIECES = 20_000
"""Chunks of a body: each costs as much as a kilobyte."""
MAX_DISCARDED_BYTES = 32_000_000
"""Of a body that was refused, read on so that its sender comes to read the answer."""
LINGER_SECONDS = 2.0
"""For the same reason a connection is not cut off at once (RFC 9112 section 9.6)."""

log = structlog.get_logger()


class Connection(HttpToolsProtocol):
    head_seconds = 10.0
    request_seconds = 60.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._in_head = self._in_message = self._ended = False
        self._arrived: int | None = None
        """Bytes of the message that came after those that it began with: these may be of an earlier one, too."""
        self._pieces = 0
        self._fault: Refusal | None = None
        self._began = self.loop.time()
        self._timer: asyncio.TimerHandle | None = self.loop.call_later(self.head_seconds, self._late)
        self._unread: asyncio.TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        self._read_on()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._ended:
            self._discard(data)
            return
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # Nobody switches protocols here: the request is answered as it stands (RFC 9110 section 7.8).
            self._ended, self.cycle.keep_alive = True, False
        except httptools.HttpParserError:
            self._refuse(self._fault or MalformedRequest())
        else:
            self._bound(len(data))

    def _bound(self, size: int) -> None:
        if not self._in_message:
            self._stop_timer()
            return
        if self._arrived is None:
            self._stop_timer()
            self._began, self._arrived = self.loop.time(), 0
        else:
            self._arrived += size
        if self._in_head and self._arrived > MAX_HEAD_BYTES:
            self._refuse(_head_too_large())
        elif self._arrived > MAX_DISCARDED_BYTES:
            self.transport.abort()
        elif self._timer is None:
            self._timer = self.loop.call_later(self.head_seconds, self._late)

    def _late(self) -> None:
        self._timer = None
        left = self._began + self.request_seconds - self.loop.time()
        if not self._in_message or (self.cycle and self.cycle.response_complete and not self._in_head):
            self.transport.close()
        elif self._in_head or left <= 0:
            self._refuse(RequestTimeout(self._too_slow()))
        else:
            self._timer = self.loop.call_later(left, self._late)

    def _too_slow(self) -> Text:
        head, whole = f"{self.head_seconds:g}", f"{self.request_seconds:g}"
        return Text(
            f"ヘッダーは{head}秒、全体は{whole}秒以内に送ってください",
            f"Send the head within {head} seconds, and all of it within {whole}",
        )

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def pause_writing(self) -> None:
        """The client does not read as fast as it is answered; if it does not read at all, it has gone."""
        super().pause_writing()
        self._unread = self.loop.call_later(self.request_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        self._read_on()
        super().resume_writing()

    def _read_on(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        # To close waits until the client has read everything.
        self.loop.call_later(self.request_seconds, self.transport.abort)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = self._in_message = True
        self._arrived, self._pieces = None, 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._check_head(len(self.url))

    def on_header(self, name: bytes, value: bytes) -> None:
        # What comes after a body is no header: nobody upstream has looked at it (RFC 9110 section 6.5.1).
        if self._in_head:
            super().on_header(name, value)
            self._check_head(0)

    def on_headers_complete(self) -> None:
        hosts = 0
        size = len(self.url)
        for name, value in self.headers:
            size += len(name) + len(value) + 4
            hosts += name == b"host"
        self._check_head(size)
        version = self.parser.get_http_version()
        chunked = b"transfer-encoding" in dict(self.headers)
        if version not in ("1.0", "1.1") or (chunked and version == "1.0"):  # RFC 9112 section 6.1
            self._fail(MalformedRequest())
        if hosts > 1 or hosts < (version == "1.1"):  # RFC 9112 section 3.2
            self._fail(MalformedRequest(Text("Host ヘッダーを一つ送ってください", "Send one Host header")))
        if len(self.pipeline) >= MAX_PIPELINED:
            self._fail(MalformedRequest())
        super().on_headers_complete()
        self._in_head = False

    def on_body(self, body: bytes) -> None:
        self._pieces += 1
        if self._pieces > MAX_PIECES:
            self._fail(
                MalformedRequest(
                    Text(
                        f"本文は{MAX_PIECES:,}個までのチャンクで送ってください",
                        f"Send the body in at most {MAX_PIECES:,} chunks",
                    )
                )
            )
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_message = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        last = not self.pipeline
        super().on_response_complete()
        if self._ended and last:
            self.transport.close()

    def _check_head(self, size: int) -> None:
        if size > MAX_HEAD_BYTES or len(self.headers) > MAX_HEADERS:
            self._fail(_head_too_large())

    def _fail(self, refusal: Refusal) -> None:
        """Stops the parser, which then raises an error of its own."""
        self._fault = refusal
        raise httptools.HttpParserError

    def _refuse(self, refusal: Refusal) -> None:
        """The connection ends with this answer, or with the one that is on its way to an earlier request."""
        self._stop_timer()
        self._ended = True
        cycle = self.cycle
        if self.pipeline:
            self.pipeline.clear()
            return
        in_body = self._in_message and not self._in_head
        if self.transport.is_closing() or (in_body and cycle and cycle.response_complete):
            self.transport.close()
            return
        if cycle and not cycle.response_complete:
            cycle.keep_alive = False
            if cycle.response_started or not cycle.more_body:
                return
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.write(self._answer(refusal))
        self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def _discard(self, data: bytes) -> None:
        self._arrived = (self._arrived or 0) + len(data)
        if self._arrived > MAX_DISCARDED_BYTES:
            self.transport.abort()

    def _answer(self, refusal: Refusal) -> bytes:
        request_id = str(uuid4())
        REQUESTS.labels("-", str(STATUS[refusal.code])).inc()
        log.info("refused before it was a request", code=refusal.code, request_id=request_id)
        accept = dict(self.headers or ()).get(b"accept-language", b"").decode("latin-1")
        body = json.dumps(problem_content(refusal, language(accept), request_id), ensure_ascii=False).encode()
        head = (
            "content-type: application/problem+json\r\ncache-control: no-store\r\nconnection: close\r\n"
            f"x-content-type-options: nosniff\r\nx-request-id: {request_id}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        return STATUS_LINE[STATUS[refusal.code]] + head.encode() + body


def _head_too_large() -> HeadTooLarge:
    return HeadTooLarge(
        Text(
            f"URL とヘッダーは合わせて{MAX_HEAD_BYTES:,}バイト、ヘッダーは{MAX_HEADERS}個までです",
            f"URL and headers have at most {MAX_HEAD_BYTES:,} bytes together, and {MAX_HEADERS} headers",
        )
    )


def connection(*, head_seconds: float, request_seconds: float) -> type[Connection]:
    """Connections with these limits, as uvicorn makes them."""
    limits: dict[str, Any] = {"head_seconds": head_seconds, "request_seconds": request_seconds}
    return type("Connection", (Connection,), limits)
