"""The operator's page says which settings there are, and what they are when nobody sets them."""

from pathlib import Path

import pytest

from tsunagi.settings import ROOT, Settings

PAGE = (Path(__file__).parents[1] / "docs" / "operations.md").read_text()
ROWS = {
    cells[0].strip("` "): cells[1].strip("` ")
    for line in PAGE.splitlines()
    if line.startswith(("| `TSUNAGI_", "| `DATABASE_URL"))
    for cells in [line.strip("|").split("|")]
}
NOT_A_VALUE = {None: "none", ROOT: "the clone"}


def variable(name: str) -> str:
    return "DATABASE_URL" if name == "database_url" else f"TSUNAGI_{name.upper()}"


def test_the_page_has_a_row_for_each_setting_and_no_other() -> None:
    assert set(ROWS) == {variable(name) for name in Settings.model_fields}


@pytest.mark.parametrize("name", Settings.model_fields)
def test_the_page_gives_the_default(name: str) -> None:
    default = Settings.model_fields[name].default
    assert ROWS[variable(name)] == NOT_A_VALUE.get(default, str(default))
