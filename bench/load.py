"""A load generator that costs little: keep-alive HTTP/1.1, one request at a time on each connection, no pipelining.

Written on asyncio's protocols rather than its streams, and run under uvloop: a third of the processor time.
"""

import asyncio
import gc
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from statistics import quantiles

import psutil

Talk = Generator[bytes, bytes, None]
"""What one connection says: yields whole requests, is sent the body of each answer, ends when it has no more."""


@dataclass
class Result:
    """What a span of load came to. A unit is what `per` requests do together."""

    seconds: float
    generator_cpu: float
    """Processor seconds that this process spent on it."""

    received: int
    """Bytes of answers, heads included."""

    times: list[float] = field(repr=False)
    """Seconds that each unit took."""

    @property
    def rate(self) -> float:
        return len(self.times) / self.seconds

    def percentiles_ms(self) -> tuple[float, float]:
        """p50 and p99. Of fewer than a hundred units, the slowest stands for p99."""
        if len(self.times) < 100:
            ordered = sorted(self.times)
            return ordered[len(ordered) // 2] * 1000, ordered[-1] * 1000
        cuts = quantiles(self.times, n=100)
        return cuts[49] * 1000, cuts[98] * 1000


def request(method: str, path: str, *, headers: dict[str, str] | None = None, body: bytes = b"") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: bench"]
    if body or method != "GET":
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


async def run(
    port: int,
    talk: Callable[[], Talk],
    *,
    connections: int,
    seconds: float | None = None,
    per: int = 1,
    pause: float = 0.0,
) -> Result:
    """Every connection talks for so long, or to the end of what it has to say, with pauses of so many seconds.

    Raises RuntimeError for an answer that is not 2xx, or for a talk of several requests that breaks off.
    """
    loop = asyncio.get_running_loop()
    opened = [Connection(talk(), per, pause) for _ in range(connections)]
    for one in opened:
        await loop.create_connection(lambda one=one: one, "127.0.0.1", port)
    gc.collect()
    gc.disable()
    try:
        cpu, began = psutil.Process().cpu_times(), time.perf_counter()
        for one in opened:
            one.begin(None if seconds is None else began + seconds)
        await asyncio.gather(*(one.done for one in opened))
        ended, spent = time.perf_counter(), psutil.Process().cpu_times()
    finally:
        gc.enable()
        for one in opened:
            one.transport.close()
    return Result(
        seconds=ended - began,
        generator_cpu=spent.user + spent.system - cpu.user - cpu.system,
        received=sum(one.received for one in opened),
        times=[taken for one in opened for taken in one.times],
    )


class Connection(asyncio.Protocol):
    """Sends the next request as soon as the answer to the last one is whole."""

    transport: asyncio.Transport

    def __init__(self, talk: Talk, per: int, pause: float) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.times: list[float] = []
        self.received = 0
        self._talk, self._per, self._pause, self._turn = talk, per, pause, 0
        self._until: float | None = None
        self._sent = 0.0
        self._buffer = b""
        self._end = 0  # of the answer in the buffer; 0: its head is not there yet
        self._head = 0

    def begin(self, until: float | None) -> None:
        self._until = until
        self._say(None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:
        self._finish(exc or ConnectionError("the server closed a connection"))

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        self._buffer = self._buffer + data if self._buffer else data
        if not self._end and not self._read_head():
            return
        if len(self._buffer) >= self._end > 0:
            self._answered(self._buffer[self._head : self._end])
        elif self._end < 0 and self._buffer.endswith(b"\r\n0\r\n\r\n"):
            self._answered(self._buffer[self._head :])
        elif self._end < 0:
            self._buffer = self._buffer[-8:]  # a long stream is counted, not kept
            self._head = len(self._buffer)

    def _read_head(self) -> bool:
        """Whether the head is there. The end is -1 for an answer in chunks."""
        self._head = self._buffer.find(b"\r\n\r\n") + 4
        if self._head == 3:
            return False
        head = self._buffer[: self._head].lower()
        at = head.find(b"\r\ncontent-length:")
        self._end = -1 if at < 0 else self._head + int(head[at + 17 : head.find(b"\r", at + 17)])
        if head[9:10] != b"2":
            self._finish(RuntimeError(self._buffer[:1000].decode(errors="replace")))
        return True

    def _answered(self, body: bytes) -> None:
        self._buffer, self._end = b"", 0
        self._turn += 1
        now = time.perf_counter()
        if self._turn == self._per:
            self.times.append(now - self._sent)
            self._turn = 0
            if self._until is not None and now >= self._until:
                self._finish()
                return
        if self._pause:
            asyncio.get_running_loop().call_later(self._pause, self._say, body)
        else:
            self._say(body)

    def _say(self, answer: bytes | None) -> None:
        """Sends what follows the answer, or None: what comes first."""
        if self._turn == 0:
            self._sent = time.perf_counter()
        try:
            self.transport.write(self._talk.send(answer))  # type: ignore[arg-type]  # None begins a generator
        except StopIteration:
            self._finish(RuntimeError("a talk broke off") if self._turn else None)

    def _finish(self, error: Exception | None = None) -> None:
        if not self.done.done():
            if error is None:
                self.done.set_result(None)
            else:
                self.done.set_exception(error)


def repeat(requests: Iterator[bytes]) -> Callable[[], Talk]:
    """Connections that take the next request of one supply, whoever comes first."""

    def talk() -> Talk:
        for one in requests:  # noqa: UP028  `yield from` would send the answers to the supply
            yield one

    return talk
