"""Whoever sends slowly is waited for so long and no longer, and keeps nobody else waiting."""

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest

from tests.hostile.conftest import HEAD_SECONDS, REQUEST_SECONDS
from tests.hostile.wire import MAX_CPU_SECONDS, Wire

SLACK_SECONDS = 3.0


def drip(connection: socket.socket, data: bytes, every: float = 0.05) -> Iterator[bytes]:
    """Sends a byte at a time, and yields what comes back, until the server has had enough."""
    connection.settimeout(every)
    for byte in data:
        try:
            connection.sendall(bytes([byte]))
            piece = connection.recv(65536)
        except TimeoutError:
            continue
        except ConnectionError:
            return
        if not piece:
            return
        yield piece


def dripped(wire: Wire, at_once: bytes, slowly: bytes) -> tuple[bytes, float]:
    began = time.monotonic()
    with wire.connected() as connection:
        connection.sendall(at_once)
        received = b"".join(drip(connection, slowly))
    return received, time.monotonic() - began


@pytest.mark.parametrize("part", ["request line", "header", "after another request"])
def test_a_head_that_drips_in_is_given_up(part: str, wire: Wire) -> None:
    request = wire.head("GET /v1/handovers", "X-A: " + "a" * 1_000)
    at_once = {"request line": 3, "header": -900, "after another request": 0}[part]
    before = wire.head("GET /livez") if part == "after another request" else b""
    received, seconds = dripped(wire, before + request[:at_once], request[at_once:] or request)
    assert b"HTTP/1.1 408 " in received
    assert b'"code": "request_timeout"' in received
    assert HEAD_SECONDS <= seconds < HEAD_SECONDS + SLACK_SECONDS


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_drips_in_is_given_up(chunked: bool, wire: Wire) -> None:
    request = wire.chunked([b" "] * 1_000) if chunked else wire.post(b" " * 1_000)
    head, end, body = request.partition(b"\r\n\r\n")
    received, seconds = dripped(wire, head + end, body)
    assert received.startswith(b"HTTP/1.1 408 ")
    assert REQUEST_SECONDS <= seconds < REQUEST_SECONDS + SLACK_SECONDS


def test_a_connection_that_says_nothing_is_closed(wire: Wire) -> None:
    assert wire.everything(b"") == b""


def test_a_body_that_nobody_reads_does_not_hold_the_connection(wire: Wire) -> None:
    received, seconds = dripped(wire, wire.head("GET /livez", "Content-Length: 1000"), b" " * 1_000)
    assert received.startswith(b"HTTP/1.1 200 OK")
    assert seconds < REQUEST_SECONDS + SLACK_SECONDS


def test_who_does_not_read_its_answers_is_not_kept(wire: Wire) -> None:
    """What was written for it would lie in memory until it comes to read, or for ever."""
    one = wire.everything(wire.head("GET /openapi.bundle.json", "Connection: close"))
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.connect(wire.address)
        connection.sendall(wire.head("GET /openapi.bundle.json") * 20)
        time.sleep(REQUEST_SECONDS + 1)
        received = 0
        with contextlib.suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                received += len(piece)
    assert received < 19 * len(one)


def test_five_hundred_slow_clients_keep_nobody_waiting(wire: Wire) -> None:
    request = wire.head("GET /v1/handovers")[:40]
    slow = [socket.create_connection(wire.address, timeout=20) for _ in range(500)]
    for connection in slow:
        connection.sendall(request)
    before, began = wire.service.cpu_seconds, time.monotonic()
    wire.settle()
    assert time.monotonic() - began < 1
    for connection in slow:
        assert b" 408 " in connection.recv(65536)
        connection.close()
    wire.settle()
    assert (wire.service.cpu_seconds - before) / len(slow) < MAX_CPU_SECONDS / 10


def test_who_takes_its_time_within_the_limit_is_served(wire: Wire) -> None:
    head, end, body = wire.post(b"{}").partition(b"\r\n\r\n")
    with wire.connected() as connection:
        for piece in (head[:20], head[20:], end, body[:1], body[1:]):
            connection.sendall(piece)
            time.sleep(HEAD_SECONDS / 10)
        assert connection.recv(65536).startswith(b"HTTP/1.1 422 ")


def test_a_caller_who_goes_is_not_a_fault_of_the_service(
    wire: Wire, capsys: pytest.CaptureFixture[str]
) -> None:
    with wire.connected() as connection:
        connection.sendall(wire.post(b" " * 1_000)[:-500])
    wire.settle()
    assert "unhandled" not in capsys.readouterr().out
