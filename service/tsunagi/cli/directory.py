"""`tsunagi directory`: the published list of offices comes in."""

import asyncio
import csv
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from tsunagi.cli import entries, successions
from tsunagi.cli.context import database
from tsunagi.clock import Clock
from tsunagi.directory.actions import Counts, import_lists
from tsunagi.directory.wam_net import DOUBTS, ImportRefused, ListFile, Office, read

app = typer.Typer(no_args_is_help=True)
app.command("add")(entries.add)
app.command("succeed")(successions.succeed)
app.command("close")(successions.close)
app.command("pass-on")(successions.pass_on)

CLOSED_SHARE = 0.1
"""More closures than this at once look like a file that is cut off."""


@app.callback()
def directory() -> None:
    """Organizations and areas."""


@app.command("import")
def import_files(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE", help="WAM NET CSV files, or the zip.")],
    release: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            metavar="YYYY-MM-DD",
            help="Date of the release; by default that of the files.",
        ),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the doubtful rows to this CSV instead.")
    ] = None,
) -> None:
    """Bring the published list of offices (WAM NET open data) into the directory.

    Rows with doubtful values are imported too, and reported on standard error. The last line on standard
    output counts what happened. Importing the same files again changes nothing.
    """
    try:
        lists, counts = asyncio.run(_import(paths, release.date() if release else None))
    except ImportRefused as refused:
        typer.echo(f"{refused}", err=True)
        raise typer.Exit(1) from refused
    offices = [office for list_ in lists for office in list_.offices]
    if report is not None:
        _write_report(report, offices)
    else:
        _print_doubts(offices)
    _print_reasons(offices)
    if counts.closed > CLOSED_SHARE * counts.rows:
        typer.echo(
            f"{counts.closed}件が一覧からなくなり廃止としました。ファイルは全件でしたか / "
            f"{counts.closed} are no longer listed and were closed: were the files complete?",
            err=True,
        )
    typer.echo(str(counts))


async def _import(paths: Sequence[Path], release: date | None) -> tuple[list[ListFile], Counts]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, TaskID] = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done)

        lists = [list_ for path in paths for list_ in read(path, progress)]
        day = release or max(list_.released_on for list_ in lists)
        async with database() as db, db.platform() as tx:
            counts = await import_lists(tx, lists, release=day, at=Clock().now(), progress=progress)
    return lists, counts


def _print_doubts(offices: Sequence[Office]) -> None:
    for office in offices:
        for code, value in office.doubts:
            reason = DOUBTS[code]
            quoted = f" 「{value}」" if value else ""
            sys.stderr.write(f"{office.file}:{office.line} {code} {reason.ja} / {reason.en}{quoted}\n")


def _write_report(path: Path, offices: Sequence[Office]) -> None:
    """UTF-8 with BOM, as spreadsheets in Japan expect it."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "line", "code", "ja", "en", "value"])
        for office in offices:
            for code, value in office.doubts:
                writer.writerow([office.file, office.line, code, DOUBTS[code].ja, DOUBTS[code].en, value])


def _print_reasons(offices: Sequence[Office]) -> None:
    reasons = Counter(code for office in offices for code in {code for code, _ in office.doubts})
    for code, rows in reasons.most_common():
        typer.echo(f"{rows:>6}  {code}  {DOUBTS[code].ja} / {DOUBTS[code].en}", err=True)
