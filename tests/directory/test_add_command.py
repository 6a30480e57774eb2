"""`tsunagi directory add`: what no public list has comes in by hand, whole or not at all."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.world import example
from tsunagi.cli import main
from tsunagi.cli.entries import area_from, profile_from
from tsunagi.clock import Clock
from tsunagi.db import Database
from tsunagi.directory import store


def run(url: str, monkeypatch: pytest.MonkeyPatch, file: Path) -> Any:
    monkeypatch.setenv("DATABASE_URL", url)
    return CliRunner().invoke(main, ["directory", "add", str(file)])


@pytest.fixture
def entries(tmp_path: Path) -> Path:
    path = tmp_path / "entries.json"
    path.write_text(json.dumps(example("directory-entries/valid/center-and-auditor.json")))
    return path


def test_a_center_an_auditor_and_their_area_come_in(
    own_url: str, entries: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run(own_url, monkeypatch, entries)
    assert result.exit_code == 0, result.output
    assert "障害者就業・生活支援センターこはく(架空)" in result.output


async def test_what_came_in_can_be_found(own_database: Database) -> None:
    document = example("directory-entries/valid/center-and-auditor.json")
    async with own_database.platform() as tx:
        await store.add_area(tx, area_from(document["areas"][0]))
        ids = [
            await store.add_organization(tx, profile_from(one), at=Clock().now())
            for one in document["organizations"]
        ]
        center, auditor = [await store.organization(tx, one) for one in ids]
    assert center is not None
    assert auditor is not None
    assert (center.serves, auditor.remit) == (("12-91",), ("12-91",))
    assert center.contact.email == "kohaku@example.jp"


def test_a_mistake_is_named_and_nothing_comes_in(
    own_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = example("directory-entries/valid/center-and-auditor.json")
    document["organizations"].append({"name": "種別のない機関(架空)"})
    file = tmp_path / "entries.json"
    file.write_text(json.dumps(document))
    result = run(own_url, monkeypatch, file)
    assert result.exit_code == 1
    assert "/organizations/2/kind" in result.output
    document["organizations"].pop()
    file.write_text(json.dumps(document))
    assert run(own_url, monkeypatch, file).exit_code == 0
