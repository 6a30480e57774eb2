"""`tsunagi directory import` on the command line, as an operator uses it."""

import asyncio
import csv
import shutil
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from tests.directory.lists import MARCH, SEPTEMBER
from tsunagi.cli.directory import app
from tsunagi.db import Database
from tsunagi.directory import tables

Run = Callable[..., Awaitable[Result]]
FILES = [str(path) for path in sorted(MARCH.glob("*.csv"))]


@pytest.fixture
def run(own_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `tsunagi directory import …` on a database of its own."""
    monkeypatch.setenv("DATABASE_URL", own_url)

    async def invoke(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, ["import", *arguments])

    return invoke


def summary(result: Result) -> str:
    return result.stdout.splitlines()[-1]


async def test_the_last_line_counts_and_the_doubts_are_told_beside_it(run: Run) -> None:
    result = await run(*FILES)
    assert result.exit_code == 0
    assert result.stdout == "16 rows: 16 created, 0 updated, 0 closed, 0 unchanged, 10 doubtful\n"
    assert "csvdownload060.csv:8 office_number_check_digit 事業所番号の検証番号が合いません" in result.stderr
    assert "The office number fails its check digit 「1419900074」" in result.stderr
    again = await run(*FILES)
    assert summary(again) == "16 rows: 0 created, 0 updated, 0 closed, 16 unchanged, 10 doubtful"


async def test_the_doubts_go_into_a_report_instead(run: Run, tmp_path: Path) -> None:
    report = tmp_path / "doubts.csv"
    result = await run(*FILES, "--report", str(report))
    assert "csvdownload060.csv:8" not in result.stderr
    rows = list(csv.DictReader(report.read_text(encoding="utf-8-sig").splitlines()))
    assert {(row["file"], row["line"]) for row in rows} == {
        ("csvdownload062.csv", "4"),
        *(("csvdownload060.csv", str(line)) for line in (3, 4, 5, 6, 8, 9, 11, 12, 13)),
    }


async def test_the_release_can_be_given(run: Run, own_database: Database) -> None:
    await run(*FILES, "--release", "2025-03-31")
    later = await run(str(SEPTEMBER / "csvdownload060.csv"), "--release", "2025-09-30")
    assert summary(later) == "11 rows: 1 created, 6 updated, 1 closed, 4 unchanged, 8 doubtful"
    async with own_database.platform() as tx:
        releases = (await tx.scalars(select(tables.imports.c.release))).all()
    assert releases == [date(2025, 3, 31), date(2025, 9, 30)]


async def test_a_wrong_file_changes_nothing_and_is_named(
    run: Run, tmp_path: Path, own_database: Database
) -> None:
    wrong = tmp_path / "members.csv"
    await asyncio.to_thread(wrong.write_text, "name,phone\nA,1\n", encoding="utf-8")
    result = await run(*FILES, str(wrong))
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "members.csv: WAM NETの29列ではありません" in result.stderr
    async with own_database.platform() as tx:
        assert (await tx.execute(select(tables.organizations.c.id))).all() == []


async def test_a_file_that_lost_most_of_its_rows_is_pointed_out(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "csvdownload060.csv"
    await asyncio.to_thread(shutil.copy, MARCH / path.name, path)
    await run(str(path), "--release", "2025-03-31")
    kept = (MARCH / path.name).read_text(encoding="utf-8").splitlines(keepends=True)[:4]
    await asyncio.to_thread(path.write_text, "".join(kept), encoding="utf-8")
    result = await run(str(path), "--release", "2025-09-30")
    assert summary(result) == "3 rows: 0 created, 0 updated, 8 closed, 3 unchanged, 2 doubtful"
    assert "8 are no longer listed and were closed: were the files complete?" in result.stderr
