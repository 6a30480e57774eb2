"""Two ways to run a flow: blocking over `httpx2.Client`, and on asyncio over `httpx2.AsyncClient`.

They know nothing of Tsunagi. Whatever one of them can do the other can.
"""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from typing import Any, Generic, TypeVar

import httpx2

from tsunagi_client._flow import Alone, Answer, Effect, Flow, Give, Read, Send, Sleep
from tsunagi_client.errors import ConnectionFailed, TsunagiError

T = TypeVar("T")

_OK = 200
_UNSENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_LASTING = (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError, httpx2.TooManyRedirects)


class _Steps(Generic[T]):
    """Where a flow stands: what it wants next, or, when that is None, its result."""

    result: T

    def __init__(self, flow: Flow[T]) -> None:
        self._flow = flow
        self.wanted: Effect | None = None
        self.came(None)

    def came(self, outcome: object) -> None:
        self._move(self._flow.send, outcome)

    def failed(self, error: TsunagiError) -> None:
        self._move(self._flow.throw, error)

    def _move(self, step: Callable[[Any], Effect], value: object) -> None:
        try:
            self.wanted = step(value)
        except StopIteration as done:
            self.wanted, self.result = None, done.value


class Blocking:
    """Runs flows in the caller's thread; several threads may use it at once."""

    def __init__(self, http: httpx2.Client) -> None:
        self.http = http

    def new_lock(self) -> threading.Lock:
        return threading.Lock()

    def run(self, flow: Flow[T]) -> T:
        """The flow's result."""
        steps = _Steps(flow)
        while steps.wanted is not None:
            self._step(steps, steps.wanted, _Body())
        return steps.result

    def iterate(self, flow: Flow[None]) -> Generator[Any]:
        """What the flow gives, item by item."""
        body, steps = _Body(), _Steps(flow)
        try:
            while steps.wanted is not None:
                if isinstance(steps.wanted, Give):
                    yield from steps.wanted.items
                    steps.came(None)
                else:
                    self._step(steps, steps.wanted, body)
        finally:
            if body.response is not None:
                body.response.close()

    def _step(self, steps: _Steps[Any], wanted: Effect, body: "_Body") -> None:
        try:
            outcome = self._perform(wanted, body)
        except httpx2.RequestError as error:
            steps.failed(_failure(error))
        except TsunagiError as error:
            steps.failed(error)
        else:
            steps.came(outcome)

    def _perform(self, wanted: Effect, body: "_Body") -> Any:
        match wanted:
            case Send(request, keep_open):
                outgoing = self.http.build_request(
                    request.method, request.url, headers=request.headers, content=request.content
                )
                response = self.http.send(outgoing, stream=keep_open)
                if keep_open and response.status_code == _OK:
                    body.response, body.chunks = response, response.iter_bytes()
                    return _answer(response, b"")
                return _answer(response, response.read())
            case Read():
                return next(body.chunks, b"")
            case Sleep(seconds):
                return time.sleep(seconds)
            case Alone(lock, flow):
                with lock:
                    return self.run(flow)


class Asyncio:
    """Runs flows on the running event loop; many tasks may use it at once."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.http = http

    def new_lock(self) -> asyncio.Lock:
        return asyncio.Lock()

    async def run(self, flow: Flow[T]) -> T:
        """The flow's result."""
        steps = _Steps(flow)
        while steps.wanted is not None:
            await self._step(steps, steps.wanted, _AsyncBody())
        return steps.result

    async def iterate(self, flow: Flow[None]) -> AsyncGenerator[Any]:
        """What the flow gives, item by item."""
        body, steps = _AsyncBody(), _Steps(flow)
        try:
            while steps.wanted is not None:
                if isinstance(steps.wanted, Give):
                    for item in steps.wanted.items:
                        yield item
                    steps.came(None)
                else:
                    await self._step(steps, steps.wanted, body)
        finally:
            if body.response is not None:
                await body.response.aclose()

    async def _step(self, steps: _Steps[Any], wanted: Effect, body: "_AsyncBody") -> None:
        try:
            outcome = await self._perform(wanted, body)
        except httpx2.RequestError as error:
            steps.failed(_failure(error))
        except TsunagiError as error:
            steps.failed(error)
        else:
            steps.came(outcome)

    async def _perform(self, wanted: Effect, body: "_AsyncBody") -> Any:
        match wanted:
            case Send(request, keep_open):
                outgoing = self.http.build_request(
                    request.method, request.url, headers=request.headers, content=request.content
                )
                response = await self.http.send(outgoing, stream=keep_open)
                if keep_open and response.status_code == _OK:
                    body.response, body.chunks = response, response.aiter_bytes()
                    return _answer(response, b"")
                return _answer(response, await response.aread())
            case Read():
                return await anext(body.chunks, b"")
            case Sleep(seconds):
                return await asyncio.sleep(seconds)
            case Alone(lock, flow):
                async with lock:
                    return await self.run(flow)


class _Body:
    """The body that a flow has left open."""

    response: httpx2.Response | None = None
    chunks: Iterator[bytes] = iter(())


class _AsyncBody:
    response: httpx2.Response | None = None
    chunks: AsyncIterator[bytes]


def _answer(response: httpx2.Response, content: bytes) -> Answer:
    return Answer(
        response.status_code, {name.lower(): value for name, value in response.headers.items()}, content
    )


def _failure(error: httpx2.RequestError) -> ConnectionFailed:
    failure = ConnectionFailed(
        f"{type(error).__name__}: {error}",
        unsent=isinstance(error, _UNSENT),
        lasting=isinstance(error, _LASTING),
    )
    failure.__cause__ = error
    return failure
