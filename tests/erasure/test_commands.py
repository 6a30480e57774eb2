"""`tsunagi erase` and `tsunagi hold` as the operator meets them."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from tests.conftest import run_sql
from tests.isolation.test_login_role import as_role
from tsunagi.cli import main

PERSON = "5b0e2a52-5a0c-4f43-9a54-1d6f0c8f2b11"
ROWS = (
    "INSERT INTO organizations (id, kind, name, status, search_text, search_bigrams)"
    f" VALUES ('{PERSON}', 'center', '架空', 'active', '', '{{}}')",
    "INSERT INTO people (id, stream, registered_by, registered_at)"
    f" VALUES ('{PERSON}', gen_random_uuid(), '{PERSON}', '2020-01-01')",
    "INSERT INTO person_identities (person_id, organization_id, kana_birth_key, recorded_at)"
    f" VALUES ('{PERSON}', '{PERSON}', 'x', '2020-01-01')",
)


@pytest.fixture
async def run(own_url: str, tmp_path: Path) -> Any:
    await run_sql(own_url, *ROWS)
    settings = {"DATABASE_URL": own_url, "TSUNAGI_DATA_DIR": str(tmp_path)}

    def invoke(*words: str, answer: str | None = None, **more: str) -> Result:
        return CliRunner(env=settings | more).invoke(main, list(words), input=answer)

    return invoke


# The commands run an event loop of their own: the tests that call them have none.


def test_it_explains_asks_and_reports(run: Any) -> None:
    said = run("erase", PERSON, "--by", "担当", answer="n\n")
    assert said.exit_code == 1
    for part in (
        "消えるもの",
        "what goes",
        "残るもの",
        "what stays",
        "照合キー",
        "match keys",
        "Erase?",
        "2025-01-01",
    ):
        assert part in said.output, part
    assert "消しました" not in said.output
    done = run("erase", PERSON, "--by", "担当", answer="y\n")
    assert done.exit_code == 0, done.output
    assert "消しました / erased" in done.output
    again = run("erase", PERSON, "--by", "担当", "--yes")
    assert "照合キー" not in again.output.partition("消しました")[2]


def test_a_held_person_is_not_erased(run: Any) -> None:
    assert run("hold", "place", PERSON, "--by", "法務", "--reason", "訴訟（架空）").exit_code == 0
    listed = run("hold", "list").output
    assert all(part in listed for part in (PERSON, "法務", "訴訟（架空）"))
    refused = run("erase", PERSON, "--by", "担当", "--yes")
    assert refused.exit_code == 1
    assert "a legal hold is on this person" in refused.stderr
    assert "0" in run("erase", "--due", "--by", "担当", "--yes").output
    assert run("hold", "release", PERSON, "--by", "法務").exit_code == 0
    assert "消しました" in run("erase", "--due", "--by", "担当", "--yes").output


def test_rules_of_ones_own_decide_when(run: Any, tmp_path: Path) -> None:
    rules = tmp_path / "rules.csv"
    head = "kind,prefecture_code,years,source\n"
    rules.write_text(
        head + "".join(f"{kind},,50,架空の条例\n" for kind in ("completed", "ended", "registered"))
    )
    refused = run("erase", PERSON, "--by", "担当", "--yes", TSUNAGI_RETENTION_RULES=str(rules))
    assert refused.exit_code == 1
    assert "保存期間が終わっていません" in refused.stderr
    early = ("erase", PERSON, "--by", "担当", "--yes", "--before-retention-ends")
    assert run(*early, TSUNAGI_RETENTION_RULES=str(rules)).exit_code == 0
    rules.write_text(head)
    wrong = run("erase", "--due", "--by", "担当", TSUNAGI_RETENTION_RULES=str(rules))
    assert wrong.exit_code == 1
    assert "no rule says how long" in str(wrong.exception or wrong.output)


def test_nobody_is_erased_by_a_wrong_id_or_none(run: Any) -> None:
    unknown = run("erase", PERSON.replace("5", "6"), "--by", "担当", "--yes")
    assert "there is nobody of this personId" in unknown.stderr
    assert run("erase", "--by", "担当").exit_code == 2
    assert run("erase", PERSON, "--due", "--by", "担当").exit_code == 2


async def test_the_login_of_the_service_cannot_erase(own_url: str, tmp_path: Path) -> None:
    """It is refused before anything is looked at; a login that is a member of the eraser is not."""
    role = f"erasing_{uuid4().hex[:8]}"
    await run_sql(
        own_url,
        f"CREATE ROLE {role} LOGIN NOINHERIT PASSWORD 'secret'",
        f"GRANT tsunagi_service, tsunagi_oversight, tsunagi_platform TO {role}",
    )
    settings = {"DATABASE_URL": as_role(own_url, role), "TSUNAGI_DATA_DIR": str(tmp_path)}

    def listed() -> Result:
        return CliRunner(env=settings).invoke(main, ["hold", "list"])

    try:
        refused = await asyncio.to_thread(listed)
        assert refused.exit_code == 1
        assert "no member of tsunagi_eraser" in str(refused.exception or "") + refused.output
        await run_sql(own_url, f"GRANT tsunagi_eraser TO {role}")
        assert (await asyncio.to_thread(listed)).exit_code == 0
    finally:
        await run_sql(own_url, f"DROP OWNED BY {role}", f"DROP ROLE {role}")
