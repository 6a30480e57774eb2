"""One question over a real connection, and everything that is no answer."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from tsunagi.outgoing.asking import MAX_ANSWER_BYTES, Answer, Asker, Unanswered
from tsunagi.outgoing.connection import MAX_HEAD_BYTES, Connector

HEAD = b"HTTP/1.1 200 OK\r\n"


@asynccontextmanager
async def answering(*pieces: bytes, wait: float = 0) -> AsyncIterator[tuple[str, list[bytes]]]:
    """The URL of a server that answers everybody so, piece by piece, and what it was asked."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        asked.append(head + await reader.readexactly(int(length[0].split(b":")[1]) if length else 0))
        await asyncio.sleep(wait)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}/where?office=1", asked


def asker(*, seconds: float = 5.0) -> Asker:
    return Asker(Connector(to_loopback=True), seconds=seconds)


@pytest.mark.parametrize(
    "pieces",
    [
        (HEAD + b"Content-Length: 5\r\n\r\nhello",),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n", b"3\r\nllo\r\n0\r\n\r\n"),
        (HEAD + b"\r\nhel", b"lo"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", HEAD + b"Content-Length: 5\r\n\r\nhello"),
    ],
)
async def test_an_answer_is_read_however_it_is_framed(pieces: Sequence[bytes]) -> None:
    async with answering(*pieces) as (url, asked):
        assert await asker().ask("GET", url, {}) == Answer(200, b"hello")
    assert asked[0].startswith(b"GET /where?office=1 HTTP/1.1\r\n")


async def test_what_is_posted_arrives_with_its_headers() -> None:
    async with answering(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\n{}") as (url, asked):
        answer = await asker().ask("POST", url, {"Authorization": "Basic eDp5"}, "code=1&state=2")
    assert answer == Answer(400, b"{}")
    assert asked[0].endswith(b"\r\n\r\ncode=1&state=2")
    assert b"authorization: basic edp5\r\n" in asked[0].lower()


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    async with answering(HEAD + b"Content-Length: 0\r\n\r\n") as (elsewhere, asked):
        moved = f"HTTP/1.1 302 Found\r\nLocation: {elsewhere}\r\nContent-Length: 0\r\n\r\n"
        async with answering(moved.encode()) as (url, _):
            assert await asker().ask("GET", url, {}) == Answer(302, b"")
    assert asked == []


@pytest.mark.parametrize(
    ("pieces", "why"),
    [
        ((), "unreachable"),
        ((b"220 mail.example ESMTP\r\n\r\n",), "unreachable"),
        ((HEAD + b"Content-Length: 50\r\n\r\nhel",), "unreachable"),
        ((HEAD + b"X: " + b"x" * 5 * MAX_HEAD_BYTES + b"\r\n\r\n",), "unreachable"),
        ((HEAD + b"\r\n", *[b"x" * 50_000] * (MAX_ANSWER_BYTES // 50_000 + 1)), "too_large"),
    ],
)
async def test_what_is_no_answer_is_told_apart(pieces: Sequence[bytes], why: str) -> None:
    async with answering(*pieces) as (url, _):
        with pytest.raises(Unanswered) as found:
            await asker().ask("GET", url, {})
    assert found.value.why == why


async def test_who_takes_too_long_is_not_waited_for() -> None:
    async with answering(HEAD, wait=2) as (url, _):
        with pytest.raises(Unanswered) as found:
            await asker(seconds=0.1).ask("GET", url, {})
    assert found.value.why == "timeout"


async def test_an_address_that_is_not_public_is_not_asked() -> None:
    async with answering(HEAD) as (url, asked):
        with pytest.raises(Unanswered) as found:
            await Asker(Connector()).ask("GET", url, {})
    assert (found.value.why, asked) == ("address_refused", [])
