"""HTTP with something wrong in it, byte by byte, on real connections: refused in words, or taken, and never 500."""

import asyncio
import contextlib
import json
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from tests.fuzz.effort import EFFORT, SEED
from tests.fuzz.mutation import CHANGES
from tests.running import RunningService, running_service
from tests.world import settlement_record
from tsunagi.api.problems import STATUS

HEAD_SECONDS = 0.3
AT_ONCE = 32
TAKEN = {200, 201, 304}
PIECES = (
    *(
        b"\r\n",
        b"\n",
        b"\r",
        b" ",
        b"\t",
        b":",
        b"\x00",
        b"\xff",
        b"%",
        b"%00",
        b"%zz",
        b"?",
        b"&",
        b"/",
        b"#",
        b"*",
    ),
    *(
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Length: 3\r\n",
        b"Expect: 100-continue\r\n",
        b"Host: b\r\n",
    ),
    *(
        b"Upgrade: h2c\r\nConnection: Upgrade\r\n",
        b"Connection: close\r\n",
        b"HTTP/1.0",
        b"HTTP/2.0",
        b"TRACE ",
    ),
    *(
        b"0\r\n\r\n",
        b"5\r\nabcde\r\n",
        b"fffffffffffffff\r\n",
        b"-1",
        b"9" * 25,
        b"; charset=x",
        b"gzip",
        b",",
    ),
)


@pytest.fixture(scope="module")
def service(
    template_url: str, server_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningService]:
    unlimited = {"client_requests_per_minute": 0, "organization_requests_per_minute": 0}
    patience = {"head_seconds": HEAD_SECONDS, "request_seconds": 2 * HEAD_SECONDS}
    folder = tmp_path_factory.mktemp("wire")
    with running_service(
        server_url, template_url, folder, token_failures_per_minute=0, **unlimited, **patience
    ) as running:
        running.clock.move_to_date(date(2026, 11, 20))
        yield running


def seeds(service: RunningService) -> tuple[bytes, ...]:
    token = service.token(now=datetime.now(UTC))
    record = json.dumps(settlement_record(service.center))  # ASCII: its length is that of its bytes
    told = f"Host: localhost\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n"
    sent = f"{told}Content-Type: application/json\r\nIdempotency-Key: k\r\n"
    chunks = "1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"
    requests = (
        f"GET /v1/handovers?limit=5&status=offered,received HTTP/1.1\r\n{told}Accept-Language: en\r\n\r\n",
        f"GET /v1/handovers/01930000-0000-7000-8000-00000000dead HTTP/1.1\r\n{told}\r\n",
        f"GET /schemas/common.json HTTP/1.1\r\n{told}\r\nGET /livez HTTP/1.1\r\n{told}\r\n",
        f"POST /v1/consents HTTP/1.1\r\n{sent}Content-Length: 2\r\n\r\n{{}}",
        f"POST /v1/people/match HTTP/1.1\r\n{sent}Transfer-Encoding: chunked\r\n\r\n{chunks}",
        f"POST /oauth2/token HTTP/1.1\r\n{told}Content-Length: 3\r\n\r\na=b",
        f"POST /v1/handovers?dryRun=true HTTP/1.1\r\n{sent}Content-Length: {len(record)}\r\n\r\n{record}",
    )
    return tuple(request.encode() for request in requests)


def broken(service: RunningService, count: int) -> Iterator[bytes]:
    draw, whole = random.Random(SEED + 3), seeds(service)
    for _ in range(count):
        raw = draw.choice(whole)
        for _ in range(draw.randrange(1, 4)):
            at = draw.randrange(min(len(raw), 900) + 1)
            if draw.random() < 0.6:
                raw = raw[:at] + draw.choice(PIECES) + raw[at:]
            else:
                raw = draw.choice(CHANGES)(draw, raw[:900]) + raw[900:]
        yield raw


async def answered(service: RunningService, raw: bytes) -> bytes:
    """All that comes back until the server closes."""
    host, _, port = service.base_url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    received = b""
    with contextlib.closing(writer), contextlib.suppress(ConnectionError):
        writer.write(raw)
        received = await asyncio.wait_for(reader.read(), 30)
    return received


def judge(received: bytes) -> set[int]:
    """The statuses of the answers, each of which is one that the service gives."""
    found: set[int] = set()
    while received:
        head, end, rest = received.partition(b"\r\n\r\n")
        assert end and head.startswith(b"HTTP/1.1 ")
        status = int(head.split()[1])
        found |= {status} - {100}
        if status == 100:
            received = rest
            continue
        lines = [line.partition(b":") for line in head.lower().split(b"\r\n")[1:]]
        headers = {name: value.strip() for name, _, value in lines}
        assert b"x-request-id" in headers
        if status not in TAKEN and headers[b"content-type"] == b"application/problem+json":
            received = rest[int(headers[b"content-length"]) :]
            problem = json.loads(rest[: int(headers[b"content-length"])] or b"{}")
            assert not problem or problem["status"] == STATUS[problem["code"]] == status
        else:
            received = rest[rest.find(b"HTTP/1.1 ") :] if b"HTTP/1.1 " in rest else b""
    return found


async def test_broken_requests_are_refused_in_words(service: RunningService) -> None:
    statuses: set[int] = set()
    waiting = broken(service, EFFORT.requests)

    async def work() -> None:
        for raw in waiting:
            try:
                statuses.update(judge(await answered(service, raw)))
            except BaseException as error:
                error.add_note(f"seed {SEED}: {raw!r}")
                raise

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    assert max(statuses) < 500, statuses
    assert statuses >= {200, 400, 401}, "they are broken in many ways, and some not at all"
