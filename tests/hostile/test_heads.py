"""What comes before the body: malformed, ambiguous, too large, or too clever."""

import contextlib
import http.client
import json
from collections.abc import Callable

import pytest

from tests.hostile.wire import MARK, MAX_CPU_SECONDS, Wire, answered
from tsunagi.contract import BASE_URI, Contract

Request = Callable[[Wire], bytes]
GET = "GET /v1/handovers"
POST = "POST /v1/handovers"
NO_HANDOVER = "01930000-0000-7000-8000-00000000dead"


def get(*headers: str | bytes, host: str | None = "localhost") -> Request:
    return lambda wire: wire.head(GET, *headers, host=host)


def posted(after: bytes, *headers: str) -> Request:
    usual = ("Idempotency-Key: k", "Content-Type: application/json")
    return lambda wire: wire.head(POST, *usual, *headers) + after


MALFORMED: dict[str, Request] = {
    "garbage": lambda _: b"\x16\x03\x01" + MARK.encode() + b"\r\n\r\n",
    "HTTP/2": lambda _: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/0.9": lambda _: b"GET /livez\r\n\r\n",
    "HTTP/9.9": lambda wire: wire.head(GET).replace(b"HTTP/1.1", b"HTTP/9.9"),
    "a method nobody knows": lambda wire: wire.head(f"{MARK} /v1/handovers"),
    "a tunnel": lambda wire: wire.head(f"CONNECT {MARK}.example:443"),
    "no host": get(host=None),
    "two hosts": get("Host: other"),
    "a space before the colon": get(f"X-{MARK} : a"),
    "a folded header": get(f"X-A: a\r\n {MARK}"),
    "NUL in a header": get(f"X-A: {MARK}\x00"),
    "NUL in a header's name": get(f"X-{MARK}\x00: a"),
    "a header without a name": get(f": {MARK}"),
    "line feeds alone": lambda wire: wire.head(GET).replace(b"\r\n", b"\n"),
    "carriage returns alone": lambda wire: wire.head(GET).replace(b"\r\n", b"\r") + b"\r\n\r\n",
    "bytes in the path": lambda wire: wire.head(GET).replace(b"/v1/handovers", b"/v1/handovers/\xe5\xb0"),
    "bytes in the query": lambda wire: wire.head(GET).replace(
        b"/v1/handovers", b"/v1/handovers?area=\xe5\xb0"
    ),
    "length and chunks": posted(b"0\r\n\r\n", "Content-Length: 5", "Transfer-Encoding: chunked"),
    "chunks and length": posted(b"0\r\n\r\n", "Transfer-Encoding: chunked", "Content-Length: 5"),
    "two lengths": posted(b"abc", "Content-Length: 3", "Content-Length: 4"),
    "the same length twice": posted(b"abc", "Content-Length: 3", "Content-Length: 3"),
    "a list of lengths": posted(b"abc", "Content-Length: 3, 3"),
    "a length below nothing": posted(b"abc", "Content-Length: -3"),
    "a length with a sign": posted(b"abc", "Content-Length: +3"),
    "a length beyond counting": posted(b"abc", "Content-Length: " + "9" * 30),
    "a transfer coding nobody knows": posted(b"0\r\n\r\n", f"Transfer-Encoding: {MARK}"),
    "chunks that are not last": posted(b"0\r\n\r\n", "Transfer-Encoding: chunked, identity"),
    "two transfer codings": posted(b"0\r\n\r\n", "Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
    "a chunk without a size": posted(MARK.encode() + b"\r\n{}\r\n0\r\n\r\n", "Transfer-Encoding: chunked"),
    "chunks between line feeds": posted(b"2\n{}\n0\n\n", "Transfer-Encoding: chunked"),
    "a chunk longer than told": posted(b"2\r\n{}}\r\n0\r\n\r\n", "Transfer-Encoding: chunked"),
    "chunks in HTTP/1.0": lambda wire: wire.chunked([b"{}"]).replace(b"HTTP/1.1", b"HTTP/1.0"),
    "a million chunks": lambda wire: wire.chunked([b"a"] * 1_000_000),
}
"""Answered before it is a request; the connection ends with it."""

TOO_LARGE: dict[str, Request] = {
    "30,000 headers": get(*(f"X-{number}: {MARK}" for number in range(30_000))),
    "101 headers": get(*(f"X-{number}: a" for number in range(101))),
    "a header of 20 MB": get("X-A: " + MARK * 1_500_000),
    "a header that never ends": lambda wire: wire.head(GET, "X-A: " + "a" * 200_000)[:-4],
    "a name of a megabyte": get("X" * 1_000_000 + ": a"),
    "a path of a megabyte": lambda wire: wire.head("GET /" + MARK * 80_000),
    "a query of 40,000 bytes": lambda wire: wire.head(f"{GET}?area=" + "a" * 40_000),
}

UNDECODABLE: dict[str, tuple[str, str]] = {
    "NUL in the path": (f"/v1/handovers/{MARK}%00", "handoverId"),
    "a path that is not UTF-8": (f"/v1/handovers/{MARK}%ff", "handoverId"),
    "an overlong path": ("/v1/handovers/%c0%ae%c0%ae", "handoverId"),
    "half a surrogate pair in the path": ("/v1/handovers/%ed%a1%82", "handoverId"),
    "a broken escape in the path": (f"/v1/handovers/%zz{MARK}", "handoverId"),
    "NUL in the query": ("/v1/handovers?area=%00", "area"),
    "a query that is not UTF-8": (f"/v1/handovers?area={MARK}%e5", "area"),
    "an overlong query": ("/v1/handovers?area=%c0%af", "area"),
    "a broken escape in the query": ("/v1/handovers?limit=5&area=%", "area"),
    "NUL in a query's name": ("/v1/handovers?%00=a", "query"),
    "a query nobody knows": (f"/v1/handovers?{MARK}=1", "query"),
    "a query twice": ("/v1/handovers?area=a&area=b", "area"),
    "NUL in a schema's path": ("/schemas/%00", "path"),
}

REPEATED = ("Idempotency-Key", "Content-Type", "If-Match", "If-None-Match", "Content-Encoding")


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_request_is_answered_as_a_problem(name: str, wire: Wire) -> None:
    answer = wire.refused(MALFORMED[name](wire))
    assert (answer.status, answer.problem["code"]) == (400, "malformed_request"), answer
    assert answer.headers["connection"] == "close"
    assert MARK.encode() not in answer.body
    assert answer.cpu_seconds < MAX_CPU_SECONDS


@pytest.mark.parametrize("name", TOO_LARGE)
def test_a_head_has_an_end(name: str, wire: Wire) -> None:
    answer = wire.refused(TOO_LARGE[name](wire))
    assert (answer.status, answer.problem["code"]) == (431, "head_too_large"), answer
    assert "32,768" in answer.problem["detail"]
    assert MARK.encode() not in answer.body
    assert answer.cpu_seconds < MAX_CPU_SECONDS


@pytest.mark.parametrize("name", UNDECODABLE)
def test_a_path_or_query_that_cannot_be_read_is_named(name: str, wire: Wire) -> None:
    path, parameter = UNDECODABLE[name]
    for wire.language in ("ja", "en"):
        answer = wire.refused(wire.head(f"GET {path}"))
        assert (answer.status, answer.problem["code"]) == (400, "invalid_parameter"), answer
        (error,) = answer.problem["errors"]
        assert error["parameter"] == parameter
        assert error["code"].startswith("parameter.")
        assert error["message"].isascii() == (wire.language == "en")
        assert MARK.encode() not in answer.body
        assert answer.cpu_seconds < MAX_CPU_SECONDS


@pytest.mark.parametrize(
    "path", ["/docs/%00", "/docs/" + "a" * 5_000, "/docs/..", "/schemas/..%2fopenapi.json"]
)
def test_a_file_that_cannot_be_is_not_there(path: str, wire: Wire) -> None:
    assert wire.send(wire.head(f"GET {path}")).status == 404


@pytest.mark.parametrize("header", REPEATED)
def test_a_header_that_counts_is_sent_once(header: str, wire: Wire) -> None:
    answer = wire.send(wire.post(b"{}", f"{header}: {MARK}", f"{header}: {MARK}"))
    assert (answer.status, answer.problem["code"]) == (400, "invalid_parameter")
    assert [error["parameter"] for error in answer.problem["errors"]] == [header]
    assert MARK.encode() not in answer.body


def test_who_shows_two_tokens_shows_none(wire: Wire) -> None:
    token = wire.head(GET).partition(b"Authorization: ")[2].partition(b"\r\n")[0]
    assert wire.send(wire.head(GET, b"Authorization: " + token)).status == 401


def test_the_host_is_not_repeated(wire: Wire) -> None:
    """Nor used: where the metadata are is what the settings say."""
    answer = wire.everything(wire.head(GET, "Connection: close", host=f"{MARK}.example", token=False))
    assert b" 401 " in answer
    assert MARK.encode() not in answer


def test_what_follows_a_body_is_no_header(wire: Wire) -> None:
    token = wire.head(GET).partition(b"Authorization: ")[2].partition(b"\r\n")[0]
    trailer = b"2\r\n{}\r\n0\r\nAuthorization: " + token + b"\r\nIdempotency-Key: k\r\n\r\n"
    told = ("Content-Type: application/json", "Transfer-Encoding: chunked")
    assert wire.send(wire.head(POST, *told, token=False) + trailer).status == 401
    assert wire.send(wire.head(POST, *told) + trailer).problem["code"] == "idempotency_key_required"


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "PATCH", "DELETE", "PROPFIND", "PURGE"])
def test_a_method_the_path_does_not_have_is_told_which_it_has(method: str, wire: Wire) -> None:
    answer = wire.send(wire.head(f"{method} /v1/handovers", f"X-A: {MARK}"))
    assert answer.status == 405
    assert answer.headers["allow"] == "GET, POST"
    assert MARK.encode() not in answer.body
    assert bool(answer.body) == (method != "HEAD")


@pytest.mark.parametrize("protocol", ["websocket", "h2c", MARK])
def test_nobody_switches_protocols(protocol: str, wire: Wire) -> None:
    request = wire.head(
        "GET /livez", "Connection: Upgrade", f"Upgrade: {protocol}", "Sec-WebSocket-Version: 13"
    )
    received = wire.everything(request + wire.head(GET))
    assert received.startswith(b"HTTP/1.1 200 OK")
    assert received.count(b"HTTP/1.1") == 1
    assert received.endswith(b'{"status":"ok"}')


def test_a_body_that_is_expected_is_asked_for(wire: Wire) -> None:
    with wire.connected() as connection:
        connection.sendall(wire.post(b"{}", "Expect: 100-continue")[:-2])
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"{}")
        assert connection.recv(65536).startswith(b"HTTP/1.1 422 ")


def test_a_body_that_nobody_wants_is_not_asked_for(wire: Wire) -> None:
    request = wire.post(b"", "Expect: 100-continue").replace(
        b"Content-Length: 0", b"Content-Length: 20000000"
    )
    received = wire.everything(request)
    assert received.startswith(b"HTTP/1.1 413 ")
    assert b"100 Continue" not in received


def test_requests_one_after_the_other_are_answered_in_order(wire: Wire) -> None:
    requests = [wire.head("GET /livez", f"X-Request-Id: r{number}") for number in range(10)]
    received = wire.everything(b"".join(requests) + wire.head("GET /livez", "Connection: close"))
    at = [received.index(b"x-request-id: r%d\r\n" % number) for number in range(10)]
    assert at == sorted(at)


def test_a_pile_of_requests_ends_the_connection(wire: Wire) -> None:
    received = wire.everything(wire.head("GET /livez") * 5_000)
    assert received.count(b"HTTP/1.1 200 OK") <= 1


def test_a_request_is_answered_once(wire: Wire) -> None:
    """Also when its body turns out to be broken after the answer: another one would be taken for the next's."""
    told = ("Content-Type: application/json", "Transfer-Encoding: chunked")
    with wire.connected() as connection:
        connection.sendall(wire.head(POST, *told, token=False))
        assert answered(connection) == 401
        connection.sendall(b"broken\r\n")
        assert connection.recv(65536) == b""


def test_what_is_no_request_is_told_so_on_a_kept_connection_too(wire: Wire) -> None:
    received = wire.everything(wire.head("GET /livez"))
    assert received.endswith(b'{"status":"ok"}')
    with wire.connected() as connection:
        connection.sendall(wire.head("GET /livez"))
        assert answered(connection) == 200
        connection.sendall(get(host=None)(wire))
        assert answered(connection) == 400


def test_a_long_body_is_no_long_head(wire: Wire) -> None:
    """What belongs to the request before is not counted as head of the next one."""
    long = wire.post(b" " * 200_000, path="/v1/consents")
    head = wire.head("GET /livez", "Connection: close")
    with wire.connected() as connection:
        connection.sendall(long + head[:30])
        wire.settle()
        connection.sendall(head[30:])
        received = b""
        while piece := connection.recv(65536):
            received += piece
    assert received.count(b"HTTP/1.1 400 ") == received.count(b"HTTP/1.1 200 OK") == 1


def test_an_answer_under_way_is_not_cut_by_what_follows(wire: Wire) -> None:
    received = wire.everything(wire.head("GET /livez") + b"\x00" + MARK.encode() + b"\r\n\r\n")
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert body == b'{"status":"ok"}'


def test_a_refusal_before_the_request_speaks_as_it_was_asked(wire: Wire, contract: Contract) -> None:
    for wire.language, title in (
        ("ja", "HTTP の要求として読めません"),
        ("en", "Not a well-formed HTTP request"),
    ):
        answer = wire.send(get(host=None)(wire))
        assert answer.problem["title"] == title
        assert answer.headers["x-request-id"] == answer.problem["requestId"]
        contract.check(f"{BASE_URI}schemas/problem.json", answer.problem)


def test_an_ordinary_client_notices_nothing(wire: Wire) -> None:
    """All of this on the connection that a library keeps."""
    host, port = wire.address
    with contextlib.closing(http.client.HTTPConnection(str(host), port, timeout=20)) as connection:
        for _ in range(3):
            connection.request("POST", "/v1/handovers", b"{}", {"Content-Type": "application/json"})
            answer = connection.getresponse()
            assert (answer.status, json.loads(answer.read())["code"]) == (401, "unauthenticated")
