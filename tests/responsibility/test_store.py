"""The database itself refuses every chain with an overlap, a hole or an end, and every change of a row."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime
from itertools import combinations
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.conftest import plain_url, run_sql
from tests.responsibility.conftest import add_organizations, add_people
from tsunagi.db import Database, WriteTx
from tsunagi.errors import NotFound, PreconditionFailed
from tsunagi.ids import OrganizationId, PersonId
from tsunagi.responsibility import store
from tsunagi.responsibility.rules import FOREVER, Picture, Segment, Support, joined, open_chain

AT = datetime(2026, 7, 1, tzinfo=UTC)
FIRST, SECOND, THIRD = date(2026, 4, 1), date(2026, 7, 1), date(2026, 10, 1)

Row = tuple[date, date, date | None]
"""valid_from, valid_to, previous_to"""

WHOLE: list[Row] = [(FIRST, SECOND, None), (SECOND, FOREVER, SECOND)]


class RawSql:
    """What somebody with a database password can do about one person."""

    def __init__(self, connection: asyncpg.Connection, person: UUID) -> None:
        self.connection = connection
        self.person = person

    async def version(self, number: int, previous: int | None, open_end: date = FOREVER) -> None:
        await self.connection.execute(
            "INSERT INTO responsibility_versions (person_id, domain, version, previous_version, recorded_at,"
            " reason, effective_on, open_end) VALUES ($1, 'employment', $2, $3, $4, 'opened', $5, $6)",
            *(self.person, number, previous, AT, FIRST, open_end),
        )

    async def segments(self, number: int, rows: Sequence[Row]) -> None:
        await self.connection.executemany(
            "INSERT INTO responsibility_segments (person_id, domain, version, valid_from, valid_to,"
            " previous_to) VALUES ($1, 'employment', $2, $3, $4, $5)",
            [(self.person, number, *row) for row in rows],
        )

    async def commit(self, rows: Sequence[Row], number: int = 1, previous: int | None = None) -> None:
        async with self.connection.transaction():
            await self.version(number, previous)
            await self.segments(number, rows)


@pytest.fixture(scope="module")
async def committed_url(server_url: str, template_url: str) -> AsyncIterator[str]:
    """A database in which these tests really commit, each about a person of its own."""
    name = f"tsunagi_committed_{uuid4().hex[:8]}"
    template = template_url.partition("?")[0].rsplit("/", 1)[1]
    await run_sql(server_url, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield plain_url(server_url, name)
    await run_sql(server_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def raw(committed_url: str) -> AsyncIterator[RawSql]:
    database = Database(committed_url)
    async with database.platform() as tx:
        organization = (await add_organizations(tx, 1))[0]
        person = (await add_people(tx, 1, organization))[0]
    await database.close()
    connection = await asyncpg.connect(committed_url)
    yield RawSql(connection, person)
    await connection.close()


async def refused_by(raw: RawSql, constraint: str, rows: Sequence[Row]) -> bool:
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
        await raw.commit(rows)
    return bool(refused.value.constraint_name == constraint)


async def test_a_whole_chain_is_taken_and_its_end_reads_as_forever(raw: RawSql) -> None:
    await raw.commit(WHOLE)
    ends = await raw.connection.fetch(
        "SELECT valid_to, valid_to = 'infinity' FROM responsibility_segments WHERE person_id = $1 ORDER BY 1",
        raw.person,
    )
    assert [tuple(row) for row in ends] == [(SECOND, False), (FOREVER, True)]


@pytest.mark.parametrize(
    ("constraint", "rows"),
    [
        ("responsibility_segments_previous_fkey", [(FIRST, THIRD, None), (SECOND, FOREVER, SECOND)]),
        ("responsibility_segments_previous_check", [(FIRST, THIRD, None), (SECOND, FOREVER, THIRD)]),
        (
            "responsibility_segments_previous_to_key",
            [(FIRST, THIRD, None), (SECOND, FOREVER, None)],
        ),
        ("responsibility_segments_pkey", [*WHOLE, (SECOND, THIRD, SECOND)]),
        ("responsibility_segments_valid_to_key", [*WHOLE, (THIRD, FOREVER, THIRD)]),
    ],
    ids=[
        "begins before the end",
        "begins before the end it names",
        "second beginning",
        "fork",
        "two open ends",
    ],
)
async def test_an_overlap_is_refused(raw: RawSql, constraint: str, rows: list[Row]) -> None:
    assert await refused_by(raw, constraint, rows)


@pytest.mark.parametrize(
    ("constraint", "rows"),
    [
        ("responsibility_segments_previous_fkey", [(FIRST, SECOND, None), (THIRD, FOREVER, THIRD)]),
        ("responsibility_segments_previous_check", [(FIRST, SECOND, None), (THIRD, FOREVER, SECOND)]),
        ("responsibility_segments_previous_to_key", [(FIRST, SECOND, None), (THIRD, FOREVER, None)]),
        ("responsibility_segments_previous_fkey", [(SECOND, FOREVER, SECOND)]),
    ],
    ids=["names no end", "names another end", "second beginning", "no beginning"],
)
async def test_a_hole_is_refused(raw: RawSql, constraint: str, rows: list[Row]) -> None:
    assert await refused_by(raw, constraint, rows)


@pytest.mark.parametrize(
    "rows", [[], [(FIRST, SECOND, None)], [(FIRST, SECOND, None), (SECOND, THIRD, SECOND)]]
)
async def test_a_missing_open_end_is_refused_at_the_commit(raw: RawSql, rows: list[Row]) -> None:
    transaction = raw.connection.transaction()
    await transaction.start()
    await raw.version(1, None)
    await raw.segments(1, rows)
    with pytest.raises(asyncpg.ForeignKeyViolationError) as refused:
        await transaction.commit()
    assert refused.value.constraint_name == "responsibility_versions_open_end_fkey"
    kept = "SELECT count(*) FROM responsibility_versions WHERE person_id = $1"
    assert await raw.connection.fetchval(kept, raw.person) == 0


async def test_no_version_points_to_an_end_that_is_none(raw: RawSql) -> None:
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await raw.version(1, None, open_end=THIRD)
    assert refused.value.constraint_name == "responsibility_versions_open_end_check"


@pytest.mark.parametrize("row", [(SECOND, SECOND, None), (SECOND, FIRST, None), (date.min, FOREVER, None)])
async def test_a_segment_begins_on_a_day_and_ends_after_it(raw: RawSql, row: Row) -> None:
    assert await refused_by(raw, "responsibility_segments_interval_check", [row])


async def test_a_written_version_takes_no_more_segments(raw: RawSql) -> None:
    await raw.commit(WHOLE)
    for row in ((date(2026, 1, 1), FIRST, None), (date(2026, 1, 1), FIRST, date(2026, 1, 1))):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await raw.segments(1, [row])


@pytest.mark.parametrize(
    ("number", "previous", "constraint"),
    [
        (1, None, "responsibility_versions_pkey"),
        (1, 0, "responsibility_versions_previous_check"),
        (0, None, "responsibility_versions_previous_check"),
        (2, None, "responsibility_versions_previous_check"),
        (3, 1, "responsibility_versions_previous_check"),
        (3, 2, "responsibility_versions_previous_fkey"),
    ],
)
async def test_versions_are_numbered_from_one_without_holes(
    raw: RawSql, number: int, previous: int | None, constraint: str
) -> None:
    await raw.commit(WHOLE)
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
        await raw.commit(WHOLE, number, previous)
    assert refused.value.constraint_name == constraint
    await raw.commit(WHOLE, 2, 1)


def is_whole(rows: Sequence[Row]) -> bool:
    """What a chain is, said once more and without constraints."""
    ordered = sorted(rows, key=lambda row: row[:2])
    ends: list[date | None] = [None, *(row[1] for row in ordered)]
    return (
        bool(rows)
        and ends[-1] == FOREVER
        and all(row[2] == end and end in (None, row[0]) for row, end in zip(ordered, ends, strict=False))
    )


async def test_the_database_takes_exactly_the_whole_chains(raw: RawSql) -> None:
    """Every set of up to four segments that can be made of three days."""
    starts, ends = (FIRST, SECOND, THIRD), (SECOND, THIRD, FOREVER)
    spans = [(start, end) for start in starts for end in ends if start < end]
    possible = [(start, end, previous) for start, end in spans for previous in (None, start)]
    sets = [list(rows) for size in range(5) for rows in combinations(possible, size)]
    taken = []
    for rows in sets:
        transaction = raw.connection.transaction()
        await transaction.start()
        try:
            await raw.version(1, None)
            await raw.segments(1, rows)
            await raw.connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            taken.append(rows)
        except asyncpg.IntegrityConstraintViolationError:
            pass
        await transaction.rollback()
    assert taken == [rows for rows in sets if is_whole(rows)]
    assert len(sets) == 794
    assert len(taken) == 3 + 3 + 1


@pytest.mark.parametrize("table", ["versions", "segments", "support"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE responsibility_{} SET version = version",
        "DELETE FROM responsibility_{}",
        "TRUNCATE responsibility_{} CASCADE",
    ],
)
async def test_rows_refuse_change(raw: RawSql, statement: str, table: str) -> None:
    await raw.commit(WHOLE)
    with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
        await raw.connection.execute(statement.format(table))


def version(person: PersonId, picture: Picture, number: int = 1) -> store.Version:
    return store.Version(
        person_id=person,
        domain="daily_life",
        version=number,
        recorded_at=AT,
        recorded_by=None,
        reason="opened",
        handover_id=None,
        effective_on=FIRST,
        picture=picture,
    )


async def test_a_version_is_read_as_it_was_written(
    tx: WriteTx, person: PersonId, organizations: Sequence[OrganizationId]
) -> None:
    a, b, *_ = organizations
    picture = Picture(
        joined(
            [
                Segment(FIRST, SECOND, a, "agreement"),
                Segment(SECOND, THIRD, None),
                Segment(THIRD, FOREVER, b),
            ]
        ),
        frozenset({Support(FIRST, FOREVER, b, "backup"), Support(FIRST, THIRD, b, "backup")}),
    )
    first = version(person, Picture(open_chain(FIRST, a)))
    second = version(person, picture, number=2)
    await store.insert(tx, first)
    await store.insert(tx, second)
    assert await store.find(tx, person, "daily_life") == second
    assert await store.find(tx, person, "daily_life", version=1) == first
    assert await store.load(tx, [person]) == [second]
    assert await store.find(tx, person, "employment") is None
    assert await store.load(tx, []) == []


async def test_a_writer_without_the_lock_cannot_take_a_number_twice(db: Database, person: PersonId) -> None:
    async with db.platform() as tx:
        await store.insert(tx, version(person, Picture(open_chain(FIRST, None))))
    with pytest.raises(PreconditionFailed):
        async with db.platform() as tx:
            await store.insert(tx, version(person, Picture(open_chain(SECOND, None))))


async def test_unknown_people_and_organizations_are_not_found(
    db: Database, person: PersonId, organizations: Sequence[OrganizationId]
) -> None:
    nobody, no_organization = PersonId(uuid4()), OrganizationId(uuid4())
    held = open_chain(FIRST, organizations[0])
    backup = frozenset({Support(FIRST, FOREVER, no_organization, "backup")})
    for unknown in (
        version(nobody, Picture(held)),
        version(person, Picture(open_chain(FIRST, no_organization))),
        version(person, Picture(held, backup)),
    ):
        with pytest.raises(NotFound):
            async with db.platform() as tx:
                await store.insert(tx, unknown)
