"""A load generator that costs little: keep-alive HTTP/1.1 over asyncio streams, one request at a time each."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import quantiles

Request = Callable[[int], bytes]
"""The request of this number, whole, as it goes over the wire."""


@dataclass(frozen=True)
class Result:
    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


def request(method: str, path: str, *, headers: dict[str, str] | None = None, body: bytes = b"") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: bench", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


async def run(port: int, make: Request, *, connections: int, requests: int) -> Result:
    """Sends `requests` requests over so many connections. Raises RuntimeError for an answer that is not 2xx."""
    numbers = iter(range(requests))
    times: list[float] = []
    began = time.perf_counter()
    await asyncio.gather(*(_connection(port, make, numbers, times) for _ in range(connections)))
    seconds = time.perf_counter() - began
    cuts = quantiles(times, n=100)
    return Result(requests, seconds, cuts[49] * 1000, cuts[98] * 1000)


async def _connection(port: int, make: Request, numbers: Iterator[int], times: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number in numbers:
        sent = make(number)
        began = time.perf_counter()
        writer.write(sent)
        await answer(reader)
        times.append(time.perf_counter() - began)
    writer.close()
    await writer.wait_closed()


async def answer(reader: asyncio.StreamReader) -> bytes:
    """The body of the next answer. Raises RuntimeError when it is not a 2xx."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    length = next(
        int(line.partition(":")[2])
        for line in head.split("\r\n")
        if line.lower().startswith("content-length:")
    )
    body = await reader.readexactly(length)
    if head.split(" ", 2)[1][0] != "2":
        raise RuntimeError(f"{head.splitlines()[0]}: {body[:500]!r}")
    return body
