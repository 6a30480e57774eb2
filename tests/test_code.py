"""Rules about the code, as tests of the code."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = [
    *sorted((ROOT / "service").rglob("*.py")),
    *sorted((ROOT / "clients" / "python" / "src").rglob("*.py")),
    *sorted((ROOT / "clients" / "verifier" / "src").rglob("*.py")),
]
ROOMS = sorted(
    path for path in (ROOT / "service" / "tsunagi").iterdir() if path.is_dir() and any(path.glob("*.py"))
)
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 40
BESIDE = {"rules.py", "store.py", "actions.py", "__init__.py"}
SPEAKS_HTTP = {"api", "web", "auth", "outgoing", "tsunagi_client"}
NOT_ROOMS = {"api", "cli", "synthetic", "web"}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", [*OURS, *sorted((ROOT / "tests").rglob("*.py"))], ids=name)
def test_no_file_is_longer_than_400_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MAX_FILE_LINES


@pytest.mark.parametrize("path", OURS, ids=name)
def test_no_function_is_longer_than_40_lines(path: Path) -> None:
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > MAX_FUNCTION_LINES
    ]
    assert not long


@pytest.mark.parametrize(
    "room", [room for room in ROOMS if room.name not in NOT_ROOMS], ids=lambda room: room.name
)
def test_a_room_is_rules_store_actions_and_at_most_two_more_files(room: Path) -> None:
    assert len({path.name for path in room.glob("*.py")} - BESIDE) <= 2


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_room_says_what_it_owns(room: Path) -> None:
    assert ast.get_docstring(ast.parse((room / "__init__.py").read_text()))


@pytest.mark.parametrize("path", OURS, ids=name)
def test_no_file_has_a_name_that_says_nothing(path: Path) -> None:
    assert path.stem not in {"utils", "helpers", "service", "common", "misc"}


@pytest.mark.parametrize("path", [path for path in OURS if path.name == "rules.py"], ids=name)
def test_rules_read_no_clock(path: Path) -> None:
    called = {
        node.func.attr
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert not called & {"now", "utcnow", "today", "time"}


@pytest.mark.parametrize("path", [path for path in OURS if SPEAKS_HTTP.isdisjoint(path.parts)], ids=name)
def test_http_statuses_are_named_in_the_api_alone(path: Path) -> None:
    """A refusal is a fact; what HTTP makes of it stands in api/problems.py."""
    assert "status_code" not in path.read_text()


@pytest.mark.xdist_group("code")
def test_what_belongs_together_is_run_by_one_worker(request: pytest.FixtureRequest) -> None:
    """A release of pytest that pytest-xdist does not know yet scatters groups, and nothing fails by it."""
    grouped = getattr(request.config.option, "loadgroup", False)  # as a worker is told
    assert not grouped or request.node.nodeid.endswith("@code")
