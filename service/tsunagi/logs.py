"""Structured logs: what happened, under which request; never a name, a body or a query."""

import logging
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import structlog
from pydantic_core import to_json

_OURS = f"{Path(__file__).parent}/"


def configure(log_format: str, *, quiet: bool = False) -> None:
    """Everything that is logged is one line on standard error, JSON unless `log_format` is `text`; only what
    went wrong when `quiet`."""
    text = log_format == "text"
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = structlog.dev.ConsoleRenderer(colors=False) if text else _json
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING if quiet else logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s", force=True)
    logging.getLogger("uvicorn.access").disabled = True


def _json(_logger: object, _method: str, event: structlog.typing.EventDict) -> str:
    return to_json(event, serialize_unknown=True).decode()


def fault(error: BaseException) -> dict[str, object]:
    """What a log may say of an error: its kind and its causes', and the stack as files and lines, ours and the
    last. Its message may hold what was submitted."""
    chain = list(_chain(error))
    frames = [
        f"{frame.f_code.co_filename}:{line}"
        for one in chain
        for frame, line in traceback.walk_tb(one.__traceback__)
    ]
    ours = [frame.removeprefix(_OURS) for frame in frames if frame.startswith(_OURS)]
    last = [frame.rpartition("/")[2] for frame in frames[-1:]]
    return {"kind": " from ".join(type(one).__name__ for one in chain), "where": ours + last}


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
