"""Structured logs: what happened, under which request; never a name, a body or a query."""

import logging
import sys
import traceback
from pathlib import Path

import structlog

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
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=False)
        if text
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING if quiet else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s", force=True)
    logging.getLogger("uvicorn.access").disabled = True


def where(error: BaseException) -> list[str]:
    """The error's stack as files and lines, ours and the last: its message may hold what was submitted."""
    frames = [f"{frame.f_code.co_filename}:{line}" for frame, line in traceback.walk_tb(error.__traceback__)]
    ours = [frame.removeprefix(_OURS) for frame in frames if frame.startswith(_OURS)]
    return [*ours, *(frame.rpartition("/")[2] for frame in frames[-1:])]
