"""`tsunagi erase` and `tsunagi hold`: taking away what is known of a person, and what stands against it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import asyncpg
import typer

from tsunagi import erasure
from tsunagi.cli.context import database
from tsunagi.clock import civil_date
from tsunagi.db import ERASER_ROLE, Database, WallsDown
from tsunagi.erasure import actions
from tsunagi.erasure.actions import NotErasable, Outlook
from tsunagi.erasure.rules import Rule, rules_in
from tsunagi.ids import PersonId
from tsunagi.settings import Settings

holds = typer.Typer(help="Legal holds (法的保全): nobody whom one is on is erased.", no_args_is_help=True)

By = Annotated[str, typer.Option(help="Who does this; it is on the ledger. 実行者。台帳に残る。")]

TABLES: Mapping[str, tuple[str, str]] = {
    "handover_drafts": ("書きかけの引継ぎ", "drafts of handovers"),
    "handover_assignees": ("担当者の指定", "who was in charge"),
    "handover_activities": ("連携の記録（会議・訪問・窓口）", "what both sides did together"),
    "record_sections": ("引継ぎ記録の項目群とその鍵", "sections of records"),
    "record_versions": ("引継ぎ記録の版とデータの鍵", "versions of records, with their keys"),
    "consents": ("同意", "consents"),
    "consent_access": ("閲覧行", "access rows"),
    "consent_withdrawals": ("同意の撤回", "withdrawals of consent"),
    "person_identities": ("照合キー", "match keys"),
    "person_relations": ("機関との関係", "relations with organizations"),
    "legal_holds": ("解かれた法的保全", "released legal holds"),
    "events": ("知らせ", "events in feeds"),
    "idempotent_answers": ("再送のための回答", "answers kept for repeated requests"),
    "ledger_contents": ("台帳の記載の中身と塩", "contents and salts of ledger entries"),
    "ledger_entries": (
        "台帳の約束値（証明はこれからも検証できる）",
        "the ledger's commitments: every proof still verifies",
    ),
    "responsibility_segments": ("責任の区間（仮名のまま）", "responsibility intervals, under a pseudonym"),
    "handovers": ("引継ぎの骨組み（両者と日付。自由記述なし）", "handovers' sides and dates, without a text"),
    "handover_revisions": ("引継ぎの過去の状態", "what handovers were before"),
    "provisions": ("第三者提供記録（法定の期間が終わるまで）", "records of provision, until their own end"),
}

NO_ERASER = (
    "DATABASE_URL のロールは tsunagi_eraser のメンバーではありません\n"
    "the role in DATABASE_URL is no member of tsunagi_eraser: docs/operations.md, Erasing people"
)

REFUSALS: Mapping[str, tuple[str, str]] = {
    "unknown": ("この personId の本人はいません", "there is nobody of this personId"),
    "held": ("法的保全が掛かっているため消せません", "a legal hold is on this person"),
    "under_way": ("進行中の引継ぎがあるため消せません", "a handover is under way"),
    "retained": (
        "保存期間が終わっていません。それでも消すときは --before-retention-ends",
        "the time for which this must be kept is not over; --before-retention-ends erases all the same",
    ),
}


def erase(
    person_id: Annotated[UUID | None, typer.Argument(help="The person. 本人の personId。")] = None,
    *,
    by: By,
    due: Annotated[
        bool, typer.Option("--due", help="Everybody whom no rule and no hold keeps. 保存期間が終わった全員。")
    ] = False,
    before_retention_ends: Annotated[
        bool,
        typer.Option(
            "--before-retention-ends", help="Also where a rule still keeps it. 保存期間中でも消す。"
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask. 確かめずに実行する。")] = False,
) -> None:
    """Erase a person: what was written about them is gone for good. Says first what goes and what stays."""
    if (person_id is None) == (not due):
        raise typer.BadParameter("one personId, or --due (personId か --due のどちらか一方)")
    if person_id is None:
        _run(lambda db: _erase_due(db, by, yes=yes))
    else:
        _run(lambda db: _erase_one(db, PersonId(person_id), by, early=before_retention_ends, yes=yes))


async def _erase_one(db: Database, person_id: PersonId, by: str, *, early: bool, yes: bool) -> None:
    rules = retention(Settings())
    async with db.platform() as tx:
        found = await actions.outlook(tx, rules, person_id)
    _explain(found)
    _ask(yes=yes)
    gone = await actions.erase(db, _now(), rules, person_id, ground="request", by=by, early=early)
    _report(found.person.stream, gone)


async def _erase_due(db: Database, by: str, *, yes: bool) -> None:
    rules, at = retention(Settings()), _now()
    people = [one async for one in actions.due(db, at, rules)]
    typer.echo(f"保存期間が終わった本人 / people whom nothing keeps any more: {len(people)}")
    typer.echo("保存期間が終わった第三者提供記録も消します / records of provision past their end go as well")
    _ask(yes=yes)
    ended = await actions.forget_provisions(db, at)
    typer.echo(f"消した第三者提供記録 / records of provision erased: {ended}")
    for one in people:
        _report(one.stream, await actions.erase(db, at, rules, one.id, ground="retention", by=by))


def retention(settings: Settings) -> tuple[Rule, ...]:
    """The rules that were named, or those that come with the service. Exits where they are none."""
    path = settings.retention_rules or Path(erasure.__file__).parent / "retention.csv"
    try:
        return rules_in(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise SystemExit(f"{path}: {error}") from None


def _explain(found: Outlook) -> None:
    until = found.kept_until or "—"
    typer.echo(f"保存期間の終わり / kept until: {until}")
    if found.holds:
        typer.echo(f"法的保全 / legal holds: {len(found.holds)}")
    if found.under_way:
        typer.echo(f"進行中の引継ぎ / handovers under way: {found.under_way}")
    typer.echo("\n消えるもの（元に戻せません）/ what goes, for good:")
    _list(found.goes)
    typer.echo("\n残るもの / what stays:")
    _list(found.stays)
    typer.echo(
        "\nバックアップと WAL には、それぞれの保存期間が終わるまで残ります（docs/operations.md）。"
        "\nBackups and archived WAL keep it until they expire themselves: docs/operations.md.\n"
    )


def _list(rows: Mapping[str, int]) -> None:
    for table, number in rows.items():
        ja, en = TABLES[table]
        typer.echo(f"  {number:>6}  {ja} / {en}")


def _report(stream: UUID, gone: Mapping[str, int]) -> None:
    typer.echo(f"消しました / erased: {stream}（台帳の仮名 / the pseudonym in the ledger）")
    _list({table: number for table, number in gone.items() if number})


def _ask(*, yes: bool) -> None:
    if not yes and not typer.confirm("消しますか？ / Erase?"):
        raise typer.Exit(1)


@holds.command("place")
def place(
    person_id: UUID,
    *,
    reason: Annotated[str, typer.Option(help="Why; kept sealed. 理由。封をして残す。")],
    by: By,
) -> None:
    """Hold a person: nothing of them is erased until it is released."""

    async def work(db: Database) -> None:
        await actions.place(db, _now(), PersonId(person_id), reason=reason, by=by)
        typer.echo(f"保全しました / held: {person_id}")

    _run(work)


@holds.command("release")
def release(person_id: UUID, *, by: By) -> None:
    """Release all holds on a person."""

    async def work(db: Database) -> None:
        number = await actions.release(db, _now(), PersonId(person_id), by=by)
        typer.echo(f"解いた保全 / holds released: {number}")

    _run(work)


@holds.command("list")
def list_holds() -> None:
    """Who is held, since when, why and by whom."""

    async def work(db: Database) -> None:
        for one in await actions.held(db):
            typer.echo(f"{one.person_id}  {civil_date(one.placed_at)}  {one.by}  {one.reason}")

    _run(work)


def _run(work: Callable[[Database], Awaitable[None]]) -> None:
    async def run() -> None:
        async with database() as db:
            try:
                await db.check_walls(ERASER_ROLE)
            except WallsDown as down:
                raise SystemExit(str(down)) from None
            except asyncpg.InsufficientPrivilegeError:
                raise SystemExit(NO_ERASER) from None
            await work(db)

    try:
        asyncio.run(run())
    except NotErasable as against:
        ja, en = REFUSALS[against.why]
        typer.echo(f"{ja}\n{en}", err=True)
        raise typer.Exit(1) from None


def _now() -> datetime:
    return datetime.now(UTC)
