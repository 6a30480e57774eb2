"""The list comes in: nothing is lost, nothing happens twice, and what was stays known."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from tests.directory.lists import (
    AT,
    MARCH,
    MARCH_RELEASE,
    SEPTEMBER,
    SEPTEMBER_RELEASE,
    bring_in,
    bring_in_march,
)
from tests.owner import owner
from tsunagi.db import Database, WriteTx
from tsunagi.directory import store, tables, wam_net
from tsunagi.directory.actions import Counts, close_organization, import_lists
from tsunagi.directory.rules import Identifier, Organization, OrganizationProfile
from tsunagi.directory.wam_net import ImportRefused, ListFile
from tsunagi.errors import NotFound
from tsunagi.ledger import store as ledger

TRANSITION = MARCH / "csvdownload060.csv"
NEXT = SEPTEMBER / "csvdownload060.csv"


async def everything(tx: WriteTx) -> list[Organization]:
    return await store.find_organizations(tx, include_closed=True, limit=100)


async def named(tx: WriteTx, name: str, kind: str = "transition") -> Organization:
    [found] = [each for each in await everything(tx) if each.name == name and each.kind == kind]
    return found


async def contents(tx: WriteTx) -> list[Sequence[object]]:
    """Every row of every table of the room."""
    return [
        row
        for table in (
            tables.organizations,
            tables.identifiers,
            tables.corporate_bodies,
            tables.versions,
            tables.listings,
            tables.imports,
        )
        for row in (await tx.execute(select(table).order_by(*table.primary_key))).all()
    ]


async def test_every_row_becomes_an_organization(tx: WriteTx) -> None:
    counts = await bring_in_march(tx)
    assert counts == Counts(rows=16, created=16, updated=0, closed=0, unchanged=0, doubtful=10)
    assert str(counts) == "16 rows: 16 created, 0 updated, 0 closed, 0 unchanged, 10 doubtful"
    kinds = [each.kind for each in await everything(tx)]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "transition": 11,
        "settlement": 3,
        "continuous_a": 2,
    }


async def test_a_second_import_changes_nothing(tx: WriteTx) -> None:
    await bring_in_march(tx)
    before = await contents(tx)
    counts = await bring_in_march(tx)
    assert counts == Counts(rows=16, created=0, updated=0, closed=0, unchanged=16, doubtful=10)
    assert await contents(tx) == before


async def test_one_file_after_the_other_is_the_same_as_all_at_once(tx: WriteTx) -> None:
    for file in sorted(MARCH.glob("*.csv")):
        await bring_in(tx, file)
    assert (await bring_in_march(tx)).unchanged == 16


async def test_offices_that_share_a_number_get_serials(tx: WriteTx) -> None:
    await bring_in_march(tx)
    main, branch = await named(tx, "うみねこワークス"), await named(tx, "うみねこワークス　分場")
    assert main.identifiers == (Identifier("office_number", "0819900028", "43", 1),)
    assert branch.identifiers == (Identifier("office_number", "0819900028", "43", 2),)


async def test_a_number_that_fails_its_check_digit_is_kept_and_marked(tx: WriteTx) -> None:
    await bring_in_march(tx)
    [number] = (await named(tx, "ヴィオラ北")).identifiers
    assert number.doubtful


async def test_damaged_corporate_numbers_are_kept_and_do_not_part_a_corporation(tx: WriteTx) -> None:
    await bring_in_march(tx)
    port, works = await named(tx, "うみねこ港"), await named(tx, "うみねこワークス")
    second, center = await named(tx, "ものがたり第二"), await named(tx, "ものがたり就労支援センター")
    assert (await store.receiving(tx, port.id, area_code=None, sender=works.id)).same_corporation
    assert (await store.receiving(tx, second.id, area_code=None, sender=center.id)).same_corporation
    assert not (await store.receiving(tx, port.id, area_code=None, sender=center.id)).same_corporation
    raw = select(tables.listings.c.corporate_number).where(tables.listings.c.organization_id == port.id)
    assert await tx.scalar(raw) == "999000000002"


async def test_a_corporation_without_any_valid_number_is_still_one(tx: WriteTx) -> None:
    await bring_in_march(tx)
    wind = await named(tx, "かぜのみち")
    assert wind.corporate_body is not None
    assert wind.corporate_body.name == "一般社団法人かぜのみち"


async def bring_in_both(tx: WriteTx) -> Counts:
    await bring_in_march(tx)
    return await bring_in(tx, NEXT, release=SEPTEMBER_RELEASE)


async def test_a_later_release_updates_closes_and_adds(tx: WriteTx) -> None:
    counts = await bring_in_both(tx)
    assert counts == Counts(rows=11, created=1, updated=6, closed=1, unchanged=4, doubtful=8)
    assert (await bring_in(tx, NEXT, release=SEPTEMBER_RELEASE)).changed is False


async def test_a_renamed_office_keeps_its_id_and_its_old_name(tx: WriteTx) -> None:
    await bring_in_march(tx)
    before = await named(tx, "ものがたり就労支援センター")
    await bring_in(tx, NEXT, release=SEPTEMBER_RELEASE)
    after = await named(tx, "ものがたりキャリアセンター")
    assert after.id == before.id
    assert [(former.name, former.until) for former in after.former_names] == [
        ("ものがたり就労支援センター", SEPTEMBER_RELEASE)
    ]
    assert [(past.version, past.name, past.effective_on) for past in await store.history(tx, after.id)] == [
        (1, "ものがたり就労支援センター", MARCH_RELEASE),
        (2, "ものがたりキャリアセンター", SEPTEMBER_RELEASE),
    ]


async def test_a_moved_office_is_told_from_the_one_that_shares_its_number(tx: WriteTx) -> None:
    await bring_in_march(tx)
    before = await named(tx, "うみねこワークス")
    await bring_in(tx, NEXT, release=SEPTEMBER_RELEASE)
    after = await named(tx, "うみねこワークス")
    assert (after.id, after.identifiers) == (before.id, before.identifiers)
    assert (before.address.municipality_code, after.address.municipality_code) == ("08201", "08221")
    assert [past.municipality_code for past in await store.history(tx, after.id)] == ["08201", "08221"]


async def test_an_office_that_changed_its_number_keeps_the_old_one_with_its_days(tx: WriteTx) -> None:
    await bring_in_both(tx)
    second = await named(tx, "ものがたり第二")
    assert second.identifiers == (
        Identifier("office_number", "1319900047", "43", 1, valid_to=SEPTEMBER_RELEASE),
        Identifier("office_number", "1319900443", "43", 1, valid_from=SEPTEMBER_RELEASE),
    )
    for number in ("1319900047", "1319900443"):
        assert [each.id for each in await store.find_organizations(tx, identifier=number)] == [second.id]


async def test_an_office_that_is_no_longer_listed_closes_and_opens_again(tx: WriteTx) -> None:
    await bring_in_both(tx)
    wind = await named(tx, "かぜのみち")
    assert wind.closed_on == SEPTEMBER_RELEASE
    assert wind.id not in {each.id for each in await store.find_organizations(tx, limit=100)}
    later = date(2026, 3, 31)
    counts = await bring_in(tx, TRANSITION, release=later)
    assert (await store.organization(tx, wind.id)).closed_on is None  # type: ignore[union-attr]
    assert [past.status for past in await store.history(tx, wind.id)] == ["active", "closed", "active"]
    assert (counts.created, counts.closed) == (0, 1)


async def test_services_that_the_files_do_not_list_stay_open(tx: WriteTx) -> None:
    await bring_in_both(tx)
    closed = [each for each in await everything(tx) if each.closed_on is not None]
    assert [each.kind for each in closed] == ["transition"]


async def test_a_stray_row_of_another_service_closes_nothing_there(tx: WriteTx, tmp_path: Path) -> None:
    await bring_in_march(tx)
    path = tmp_path / "csvdownload045.csv"
    published = (MARCH / "csvdownload045.csv").read_text(encoding="utf-8")
    path.write_text(
        published.replace('"就労継続支援Ａ型","ほしのこ', '"就労移行支援","ほしのこ'), encoding="utf-8"
    )
    counts = await bring_in(tx, path)
    assert (counts.created, counts.closed) == (1, 1)


async def test_only_how_to_reach_an_office_is_corrected_without_a_new_version(tx: WriteTx) -> None:
    await bring_in_both(tx)
    port = await named(tx, "うみねこ港")
    assert port.phone == "029-000-0000"
    assert len(await store.history(tx, port.id)) == 1


async def test_a_corporation_is_renamed_when_no_office_bears_the_old_name(tx: WriteTx) -> None:
    await bring_in_both(tx)
    violas = [await named(tx, "ヴィオラ"), await named(tx, "ヴィオラ定着", "settlement")]
    assert [each.corporate_body.name for each in violas if each.corporate_body] == ["合同会社ヴィオラ"] * 2
    past = await store.history(tx, violas[0].id)
    assert [each.corporation_name for each in past] == ["合同会社ヴィオラ", "株式会社ヴィオラ"]
    await bring_in(tx, MARCH / "csvdownload062.csv", only=(0, 1), release=SEPTEMBER_RELEASE)
    await bring_in(tx, NEXT, release=date(2026, 3, 31), only=range(10))
    renamed = (await named(tx, "ヴィオラ")).corporate_body
    assert renamed is not None
    assert renamed.name == "株式会社ヴィオラ"


async def test_two_offices_of_one_number_that_swap_lines_stay_who_they_are(tx: WriteTx) -> None:
    await bring_in(tx, TRANSITION, only=(1, 2))
    before = {each.name: (each.id, each.identifiers) for each in await everything(tx)}
    assert (await bring_in(tx, TRANSITION, only=(2, 1))).unchanged == 2
    assert {each.name: (each.id, each.identifiers) for each in await everything(tx)} == before


async def test_a_serial_is_never_given_twice(tx: WriteTx) -> None:
    await bring_in(tx, TRANSITION, only=(1,))
    await bring_in(tx, TRANSITION, only=(1, 2))
    branch = await named(tx, "うみねこワークス　分場")
    assert [number.serial for number in branch.identifiers] == [2]


async def test_rows_that_repeat_each_other_are_two_organizations(tx: WriteTx) -> None:
    await bring_in(tx, TRANSITION, only=(7, 8))
    first, second = await everything(tx)
    assert first.id != second.id
    assert [each.identifiers[0].serial for each in (first, second)] == [1, 2]
    assert (await bring_in(tx, TRANSITION, only=(7, 8))).unchanged == 2


async def test_an_office_entered_by_hand_is_taken_over_not_doubled(tx: WriteTx) -> None:
    by_hand = OrganizationProfile(
        kind="transition",
        name="ものがたり",
        phone="03-1111-1111",
        identifiers=(Identifier("office_number", "1319900013", "43"),),
        serves=(),
    )
    organization_id = await store.add_organization(tx, by_hand, at=AT)
    counts = await bring_in(tx, TRANSITION)
    assert (counts.created, counts.updated) == (10, 1)
    assert (await named(tx, "ものがたり就労支援センター")).id == organization_id


async def test_organizations_entered_by_hand_are_never_closed(tx: WriteTx) -> None:
    profile = OrganizationProfile(
        kind="settlement", name="手入力", identifiers=(Identifier("office_number", "1219900428", "47"),)
    )
    organization_id = await store.add_organization(tx, profile, at=AT)
    await bring_in_march(tx)
    assert (await store.organization(tx, organization_id)).closed_on is None  # type: ignore[union-attr]


def without_number(list_: ListFile) -> ListFile:
    for office in list_.offices:
        office.office_number = ""
    return list_


async def test_rows_without_a_number_are_not_lost(tx: WriteTx) -> None:
    for expected in ((11, 0), (0, 11)):
        lists = [without_number(wam_net.read(TRANSITION)[0])]
        counts = await import_lists(tx, lists, release=MARCH_RELEASE, at=AT)
        assert (counts.created, counts.unchanged) == expected
    assert await tx.scalar(select(func.count()).select_from(tables.identifiers)) == 0


async def test_an_older_release_may_not_undo_a_newer_one(tx: WriteTx) -> None:
    await bring_in_both(tx)
    with pytest.raises(ImportRefused, match="that of 2025-09-30 has been imported"):
        await bring_in(tx, TRANSITION)


async def test_an_older_date_is_fine_when_nothing_changes(tx: WriteTx) -> None:
    await bring_in(tx, TRANSITION, release=SEPTEMBER_RELEASE)
    assert (await bring_in(tx, TRANSITION)).unchanged == 11


async def test_two_lists_of_one_service_are_refused(tx: WriteTx) -> None:
    with pytest.raises(ImportRefused, match="same service"):
        await bring_in(tx, TRANSITION, NEXT)


async def test_an_import_that_changes_something_is_on_the_ledger_once(tx: WriteTx) -> None:
    await bring_in_march(tx)
    await bring_in_march(tx)
    actions = (await tx.scalars(select(ledger.contents.c.action))).all()
    assert actions == ["directory:import"]
    [row] = (await tx.execute(select(tables.imports))).all()
    assert (row.release, row.rows, row.created, row.doubtful) == (MARCH_RELEASE, 16, 16, 10)
    assert [(file["name"], file["rows"]) for file in row.files] == [
        ("csvdownload045.csv", 2),
        ("csvdownload060.csv", 11),
        ("csvdownload062.csv", 3),
    ]


async def test_a_refused_import_leaves_nothing_behind(own_database: Database) -> None:
    async with own_database.platform() as tx:
        await bring_in(tx, NEXT, release=SEPTEMBER_RELEASE)
    with pytest.raises(ImportRefused):
        async with own_database.platform() as tx:
            await bring_in(tx, TRANSITION)
    async with own_database.platform() as tx:
        assert (await bring_in(tx, NEXT, release=SEPTEMBER_RELEASE)).unchanged == 11


async def test_an_organization_that_merged_names_its_successor(tx: WriteTx) -> None:
    await bring_in(tx, TRANSITION)
    second, center = await named(tx, "ものがたり第二"), await named(tx, "ものがたり就労支援センター")
    day = date(2025, 7, 1)
    await close_organization(tx, second.id, on=day, at=AT, successor_id=center.id)
    merged = await named(tx, "ものがたり第二")
    assert (merged.closed_on, merged.successor_id) == (day, center.id)
    assert [past.status for past in await store.history(tx, second.id)] == ["active", "closed"]
    with pytest.raises(NotFound):
        await close_organization(tx, second.id, on=day, at=AT)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE organization_versions SET name = ''",
        "DELETE FROM organization_versions",
        "TRUNCATE organization_versions",
    ],
)
async def test_history_refuses_change(db: Database, statement: str) -> None:
    async with db.platform() as tx:
        await bring_in(tx, TRANSITION)
    with pytest.raises(IntegrityError, match="append-only"):
        async with owner(db) as tx:
            await tx.execute(text(statement))
