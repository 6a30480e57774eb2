"""Operations as attributes of both faces.

Each operation is written once, as a method of a Group that says what to ask. Read from a group of the blocking
face the attribute is a function that returns the result; from one of the asyncio face, a coroutine function.
Signatures and types pass through.
"""

from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Mapping
from functools import update_wrapper
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeAlias, TypeVar, overload

from tsunagi_client._drivers import Asyncio, Blocking
from tsunagi_client._flow import Answer, Flow
from tsunagi_client._session import Ask, Endpoint, Query, Session
from tsunagi_client.models import Reply

P = ParamSpec("P")
T = TypeVar("T")
Driver = TypeVar("Driver", Blocking, Asyncio)
Page: TypeAlias = Mapping[str, Any]


class Group(Generic[Driver]):
    """Operations that belong together, for one driver."""

    def __init__(self, driver: Driver, session: Session) -> None:
        self._driver: Driver = driver
        self._session = session


class Operation(Generic[P, T]):
    """An operation with one answer."""

    def __init__(self, endpoint: Endpoint, asks: Callable[Concatenate[Any, P], Ask[T]]) -> None:
        self.endpoint = endpoint
        self.asks = asks
        self.__doc__ = asks.__doc__

    @overload
    def __get__(self, group: None, owner: type) -> Self: ...
    @overload
    def __get__(self, group: Group[Blocking], owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, group: Group[Asyncio], owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, group: Any, owner: type) -> Any:
        if group is None:
            return self

        def call(*args: P.args, **kwargs: P.kwargs) -> Any:
            return group._driver.run(group._session.call(self.endpoint, self.asks(group, *args, **kwargs)))

        return update_wrapper(call, self.asks.__get__(group))


class Listing(Generic[P, T]):
    """An operation with many answers, given one by one. `flow` says how they are got."""

    def __init__(
        self,
        endpoint: Endpoint,
        asks: Callable[Concatenate[Any, P], Ask[T]],
        flow: Callable[[Session, Endpoint, Ask[Any]], Flow[None]],
    ) -> None:
        self.endpoint = endpoint
        self.asks = asks
        self.flow = flow
        self.__doc__ = asks.__doc__

    @overload
    def __get__(self, group: None, owner: type) -> Self: ...
    @overload
    def __get__(self, group: Group[Blocking], owner: type) -> Callable[P, Generator[T]]: ...
    @overload
    def __get__(self, group: Group[Asyncio], owner: type) -> Callable[P, AsyncGenerator[T]]: ...
    def __get__(self, group: Any, owner: type) -> Any:
        if group is None:
            return self

        def call(*args: P.args, **kwargs: P.kwargs) -> Any:
            ask = self.asks(group, *args, **kwargs)
            return group._driver.iterate(self.flow(group._session, self.endpoint, ask))

        return update_wrapper(call, self.asks.__get__(group))


Asks: TypeAlias = Callable[Concatenate[Any, P], Ask[T]]


def operation(operation_id: str, method: str, path: str) -> Callable[[Asks[P, T]], Operation[P, T]]:
    return lambda asks: Operation(Endpoint(operation_id, method, path), asks)


def listing(operation_id: str, path: str) -> Callable[[Asks[P, T]], Listing[P, T]]:
    """The items of all pages, from cursor to cursor. T is the type of an item."""
    endpoint = Endpoint(operation_id, "GET", path)
    return lambda asks: Listing(endpoint, asks, lambda session, *ask: session.pages(*ask, _by_cursor))


def feed(operation_id: str, path: str) -> Callable[[Asks[P, T]], Listing[P, T]]:
    """The items of a feed, from position to position until there are no more now."""
    endpoint = Endpoint(operation_id, "GET", path)
    return lambda asks: Listing(endpoint, asks, lambda session, *ask: session.pages(*ask, _by_position))


def stream(operation_id: str, path: str) -> Callable[[Asks[P, T]], Listing[P, T]]:
    """The documents of an NDJSON answer, as they arrive."""
    return lambda asks: Listing(Endpoint(operation_id, "GET", path), asks, Session.lines)


def document(answer: Answer) -> Any:
    return answer.json()


def content(answer: Answer) -> bytes:
    """A file, as it is."""
    return answer.content


def reply(answer: Answer) -> Reply[Any]:
    return Reply(
        data=answer.json(),
        etag=answer.headers.get("etag", ""),
        replayed=answer.headers.get("idempotency-replayed") == "true",
    )


def changed(answer: Answer) -> Reply[Any] | None:
    """None where the answer is 304."""
    return None if answer.status == 304 else reply(answer)


def _by_cursor(page: Page) -> Mapping[str, Query] | None:
    cursor = page.get("nextCursor")
    return None if cursor is None else {"cursor": cursor}


def _by_position(page: Page) -> Mapping[str, Query] | None:
    return {"after": page["next"]} if page["items"] else None
