"""The published list comes in, and organizations close: never losing a row, an organization or its past."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, func, select, text

from tsunagi.db import ReadTx, WriteTx
from tsunagi.directory import store
from tsunagi.directory.rules import (
    KIND_OF_SERVICE,
    OFFICE_NUMBER,
    Succession,
    SuccessionKind,
    bigrams,
    comparable,
    office_number_is_valid,
)
from tsunagi.directory.tables import imports, organizations, successions
from tsunagi.directory.wam_net import ImportRefused, ListFile, Office, Progress, mark_repeated, silent
from tsunagi.errors import NotFound, Text
from tsunagi.ids import OrganizationId, ordered_id
from tsunagi.ledger import store as ledger
from tsunagi.ledger.rules import PLATFORM, Actor, Entry, Record

ADVISORY_LOCK = 0x64697265  # "dire": one import at a time

_NAMED = re.compile(r"^-- name: (\w+)\n((?:--[^\n]*\n)*)(.*?)(?=^-- name: |\Z)", re.MULTILINE | re.DOTALL)
_SQL = {
    name: statement.strip()
    for name, _purpose, statement in _NAMED.findall(
        Path(__file__).with_name("import.sql").read_text(encoding="utf-8")
    )
}

_SAME_NUMBER = (
    "service_code, office_number, match_name, match_address, wam_number",
    "service_code, office_number, match_name, match_address",
    "service_code, office_number, match_address",
    "service_code, office_number, match_name",
    "service_code, office_number, wam_number",
    "service_code, office_number",
)
"""How a row finds the organization it was before: by its number, and by what tells those sharing it apart."""

_OTHER_NUMBER = (
    "service_code, wam_number, match_name",
    "service_code, wam_number, match_address",
    "service_code, corporate_body_id, match_name, match_address",
)
"""What must agree before a row is taken for an organization that had another number."""

_RECOGNIZE = (
    *("know", "analyze_known", "choose_bodies", "add_numbered_bodies", "rename_bodies"),
    *("attach_numbered_bodies", "attach_namesakes", "add_unnumbered_bodies", "attach_unnumbered_bodies"),
    *("match", "match_renumbered", "keep_serials", "give_serials", "mark_created", "mark_others"),
)
_WRITE = (
    *("add_organizations", "change_organizations", "close_organizations"),
    *("end_numbers", "add_numbers", "remember"),
)


@dataclass(frozen=True, slots=True)
class Counts:
    rows: int
    created: int
    updated: int
    closed: int
    unchanged: int
    doubtful: int

    @property
    def changed(self) -> bool:
        return bool(self.created or self.updated or self.closed)

    def __str__(self) -> str:
        return (
            f"{self.rows} rows: {self.created} created, {self.updated} updated, {self.closed} closed, "
            f"{self.unchanged} unchanged, {self.doubtful} doubtful"
        )


async def import_lists(
    tx: WriteTx, lists: Sequence[ListFile], *, release: date, at: datetime, progress: Progress = silent
) -> Counts:
    """The directory is as the lists say; what a listed service no longer lists is closed as of `release`.

    1. Every row is staged and recognized: its corporate body, the organization it was before, its serial.
    2. What the rows change is counted; an older release than the last may not change anything.
    3. Organizations are added, changed and closed, and history gets a version of each.
    4. The ledger holds that an import happened.

    Raises ImportRefused for two lists of one service, and for an older release that would change something.
    """
    _check_services(lists)
    offices = [office for list_ in lists for office in list_.offices]
    mark_repeated(offices)
    parameters: dict[str, Any] = {
        "release": release,
        "services": sorted({list_.service_code for list_ in lists}),
        "rows_services": sorted({office.service_code for office in offices}),
    }
    steps = _Steps(tx, parameters, progress)
    await tx.execute(select(func.pg_advisory_xact_lock(ADVISORY_LOCK)))
    await _stage(tx, steps, offices)  # 1
    await steps.run(*_RECOGNIZE)
    counts = await _count(tx, steps, offices)  # 2
    if not counts.changed:
        await steps.run("remember")
        progress("PostgreSQL", steps.total, steps.total)
        return counts
    await _check_release(tx, lists, release, parameters["services"])
    await steps.run(*_WRITE)  # 3
    import_id = ordered_id()
    await tx.execute(imports.insert().values(_import(import_id, lists, counts, release, at)))
    changed = [OrganizationId(key) for key in await tx.scalars(text(_SQL["changed"]))]
    await store.add_versions(tx, changed, effective_on=release, at=at, import_id=import_id)
    actor = Actor(None, PLATFORM, None, f"import-{import_id}")
    record = Record("organization", import_id)
    await ledger.append(tx, Entry(action="directory:import", at=at, actor=actor, record=record))  # 4
    return counts


async def close_organization(
    tx: WriteTx,
    organization_id: OrganizationId,
    *,
    on: date,
    at: datetime,
    successor_id: OrganizationId | None = None,
) -> None:
    """It no longer exists from `on` on, and history says so; `successor_id` took over when it merged.

    Raises NotFound when no such organization is open.
    """
    open_ = (organizations.c.id == organization_id) & (organizations.c.status == "active")
    values = {"status": "closed", "closed_on": on, "successor_id": successor_id}
    closed = await tx.execute(organizations.update().where(open_).values(values))
    if closed.rowcount == 0:
        raise NotFound
    await store.add_versions(tx, [organization_id], effective_on=on, at=at)


async def succeed(
    tx: WriteTx,
    predecessor_id: OrganizationId,
    successor_id: OrganizationId | None,
    *,
    kind: SuccessionKind,
    on: date,
    at: datetime,
) -> Succession:
    """It is on record what follows the organization from `on` on, and on the ledger that this was recorded. Unless
    something is merely split off from it, it is closed.

    Raises NotFound when no such organization is open, or there is no such successor.
    """
    if await store.organization(tx, predecessor_id) is None:
        raise NotFound
    if successor_id is not None and await store.organization(tx, successor_id) is None:
        raise NotFound
    if kind != "split":
        await close_organization(tx, predecessor_id, on=on, at=at, successor_id=successor_id)
    made = Succession(ordered_id(), predecessor_id, successor_id, kind, on)
    await tx.execute(successions.insert().values(**asdict(made), recorded_at=at))
    actor = Actor(None, PLATFORM, None, f"succession-{made.id}")
    record = Record("organization", predecessor_id)
    await ledger.append(tx, Entry(action="directory:succeed", at=at, actor=actor, record=record, code=kind))
    return made


async def successions_of(tx: ReadTx, predecessor_id: OrganizationId) -> list[Succession]:
    """What became of the organization, in the order of recording."""
    columns = [successions.c[one.name] for one in fields(Succession)]
    mine = select(*columns).where(successions.c.predecessor_id == predecessor_id)
    return [Succession(*row) for row in await tx.execute(mine.order_by(successions.c.id))]


class _Steps:
    """Runs named statements, each with those of the parameters that it names, and tells the progress."""

    total = 4 + len(_RECOGNIZE) + len(_SAME_NUMBER) + len(_OTHER_NUMBER) - 2 + len(_WRITE)

    def __init__(self, tx: WriteTx, parameters: dict[str, Any], progress: Progress) -> None:
        self.parameters = parameters
        self._tx, self._progress, self._done = tx, progress, 0

    async def run(self, *names: str) -> None:
        for name in names:
            for statement in _statements(name):
                await self._tx.execute(statement, self.parameters)
                self._done += 1
                self._progress("PostgreSQL", self._done, self.total)


def _statements(name: str) -> Iterator[TextClause]:
    keys = {"match": _SAME_NUMBER, "match_renumbered": _OTHER_NUMBER}.get(name)
    if keys is None:
        yield text(_SQL[name])
        return
    for key in keys:
        yield text(_SQL[name].format(keys=key))


async def _stage(tx: WriteTx, steps: _Steps, offices: Sequence[Office]) -> None:
    await steps.run("forget", "stage", "prepare")
    connection = (await tx.get_raw_connection()).driver_connection
    assert connection is not None
    rows = [_staged(nth, office) for nth, office in enumerate(offices, start=1)]
    await connection.copy_records_to_table("listed", records=rows, columns=_STAGED, schema_name="pg_temp")
    await steps.run("analyze_listed")


_STAGED = (
    *("nth", "new_id", "kind", "service_code", "office_number", "is_number", "number_doubtful", "wam_number"),
    *("name", "name_kana", "prefecture_code", "municipality_code", "city_code", "municipality_name"),
    *(
        "address_rest",
        "phone",
        "url",
        "match_name",
        "match_address",
        "search_text",
        "search_bigrams",
        "doubts",
    ),
    *("corporate_number", "valid_corporate_number", "corporation_name", "corporation_kana"),
    *("corporation_prefecture", "corporation_address", "corporation_match_name"),
)


def _staged(nth: int, office: Office) -> tuple[Any, ...]:
    place, corporation = office.place, office.corporation_name
    names = [comparable(name) for name in (office.name, office.name_kana, corporation) if name]
    return (
        *(nth, ordered_id(), KIND_OF_SERVICE[office.service_code], office.service_code, office.office_number),
        OFFICE_NUMBER.fullmatch(office.office_number) is not None,
        not office_number_is_valid(office.office_number),
        *(office.wam_number, office.name, office.name_kana),
        *(place.prefecture_code, place.municipality_code, place.city_code, place.municipality_name),
        *(office.address_rest, office.phone, office.url, office.match_name, office.match_address),
        *(" ".join(names), bigrams(*names), sorted({code for code, _ in office.doubts})),
        *(office.corporate_number, office.valid_corporate_number, corporation, office.corporation_kana),
        *(office.corporation_place.prefecture_code, office.corporation_address),
        comparable(corporation) if corporation else None,
    )


async def _count(tx: WriteTx, steps: _Steps, offices: Sequence[Office]) -> Counts:
    row = (await tx.execute(text(_SQL["count"]), steps.parameters)).one()
    doubtful = sum(bool(office.doubts) for office in offices)
    return Counts(doubtful=doubtful, **row._mapping)


def _check_services(lists: Sequence[ListFile]) -> None:
    """One list a service: a second one, or the same one twice, would close or double its offices."""
    seen: dict[str, str] = {}
    for list_ in lists:
        if list_.service_code in seen:
            other = seen[list_.service_code]
            raise ImportRefused(
                list_.name,
                Text(f"{other} と同じサービスの一覧です", f"It lists the same service as {other}"),
            )
        seen[list_.service_code] = list_.name


async def _check_release(tx: WriteTx, lists: Sequence[ListFile], release: date, services: list[str]) -> None:
    last = await tx.scalar(
        select(func.max(imports.c.release)).where(imports.c.service_codes.overlap(services))
    )
    if last is not None and release < last:
        raise ImportRefused(
            lists[0].name,
            Text(
                f"{release}の公表分ですが、すでに{last}の公表分が取り込まれています",
                f"It is the release of {release}, but that of {last} has been imported",
            ),
        )


def _import(
    import_id: UUID, lists: Sequence[ListFile], counts: Counts, release: date, at: datetime
) -> dict[str, Any]:
    return {
        "id": import_id,
        "release": release,
        "service_codes": sorted({list_.service_code for list_ in lists}),
        "files": [
            {"name": list_.name, "sha256": list_.sha256, "rows": len(list_.offices)} for list_ in lists
        ],
        "recorded_at": at,
        **asdict(counts),
    }
