"""The list of records: whose they are, who reads them, in pages and as files."""

import csv
import io
from typing import Any

import pytest
from sqlalchemy import text

from tests.ledger.entries import kept
from tests.owner import owner
from tests.provisions.records import listed, read
from tests.world import Organization, World, consent_for, settlement_record
from tsunagi.api import provisions as api
from tsunagi.db import Database
from tsunagi.ids import ordered_id


async def given(world: World, number: int = 1) -> list[dict[str, Any]]:
    """So many provisions of one person, a day after another."""
    received = await world.received(sections=["identity", "assessment", "support_plan"])
    more = ("medical", "disability", "employment", "support_history")
    for day, section in enumerate(more[: number - 1], 21):
        world.on(f"2026-11-{day}")
        consent = consent_for(received["personId"], world.center.id, sections=[section])
        assert (await world.settlement.post("/v1/consents", consent)).status_code == 201
        await read(world, received)
    return await listed(world.settlement)


async def rows(who: Organization, query: str = "") -> list[dict[str, str]]:
    answer = await who.get(f"/v1/provisions?format=csv{query}")
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


async def test_only_the_sides_and_the_area_s_auditor_find_a_record(world: World) -> None:
    await given(world)
    found = {
        name: [one["role"] for one in await listed(getattr(world, name))]
        for name in ("settlement", "center", "auditor", "other", "transition")
    }
    assert found == {
        "settlement": ["giver"],
        "center": ["receiver"],
        "auditor": ["auditor"],
        "other": [],
        "transition": [],
    }


async def test_an_auditor_knows_the_person_by_id_alone(world: World) -> None:
    (record,) = await given(world)
    assert record["personName"] == name_in(world)
    assert record["acquisition"] == "stated"
    (seen,) = await listed(world.auditor)
    assert (seen["personId"], seen["acquisition"]) == (record["personId"], "stated")
    assert not {"personName", "acquisitionStatement"} & seen.keys()
    answer = await world.auditor.get("/v1/provisions?format=csv")
    assert name_in(world) not in answer.text
    assert (await rows(world.auditor))[0]["本人の氏名"] == ""


def name_in(world: World) -> str:
    who = settlement_record(world.center.id)["sections"]["identity"]
    return f"{who['familyName']} {who['givenName']}"


async def test_the_receiver_is_told_the_name_as_long_as_it_may_read_it(world: World) -> None:
    await given(world)
    (record,) = await listed(world.center)
    assert record["personName"] == name_in(world)
    await world.settlement.post(
        f"/v1/consents/{record['consents'][0]['id']}/withdraw",
        {"withdrawnBy": {"kind": "person"}, "sections": ["identity"]},
    )
    (record,) = await listed(world.center)
    assert "personName" not in record
    (record,) = await listed(world.settlement)
    assert record["personName"] == name_in(world)


async def test_the_record_stays_when_the_handover_is_taken_back(world: World) -> None:
    (record,) = await given(world)
    reason = {"reason": {"code": "plan_changed"}}
    await world.settlement.post(f"/v1/handovers/{record['handoverId']}/withdraw", reason)
    assert [one["id"] for one in await listed(world.settlement)] == [record["id"]]
    assert [one["id"] for one in await listed(world.center)] == [record["id"]]


async def test_it_is_asked_for_by_role_days_person_and_handover(world: World) -> None:
    records = await given(world, 3)
    first = records[0]
    assert [one["providedOn"] for one in records] == ["2026-11-20", "2026-11-21", "2026-11-22"]
    for query, number in (
        ("&role=giver", 3),
        ("&role=receiver", 0),
        ("&role=auditor", 0),
        ("&from=2026-11-21", 2),
        ("&to=2026-11-22", 2),
        ("&from=2026-11-21&to=2026-11-22", 1),
        (f"&personId={first['personId']}", 3),
        (f"&personId={first['id']}", 0),
        (f"&handoverId={first['handoverId']}&from=2026-11-22", 1),
        (f"&handoverId={first['id']}", 0),
    ):
        assert len(await listed(world.settlement, query)) == number, query
        assert len(await rows(world.settlement, query)) == number, query


async def test_pages_lead_through_all_records_once(world: World) -> None:
    records = await given(world, 4)
    for who in (world.settlement, world.auditor):
        seen, path = [], "/v1/provisions?limit=1"
        while path:
            page = await who.get(path)
            seen += [one["id"] for one in page.json()["items"]]
            path = page.headers["link"].partition(">")[0][1:] if "link" in page.headers else ""
        assert seen == [one["id"] for one in records]


async def test_looking_is_on_the_ledger_and_about_one_person_on_their_stream(world: World) -> None:
    (record,) = await given(world)
    before = len(await kept(world.services.db))
    await world.settlement.get("/v1/provisions")
    await world.auditor.get(f"/v1/provisions?personId={record['personId']}")
    await world.center.get("/v1/provisions?format=csv")
    await world.other.get(f"/v1/provisions?personId={record['personId']}")
    new = (await kept(world.services.db))[before:]
    assert [(one.body["actor"]["organization"], one.body["action"]) for one in new] == [
        (str(world.settlement.id), "provisions:read"),
        (str(world.auditor.id), "provisions:read"),
        (str(world.center.id), "provisions:export"),
        (str(world.other.id), "provisions:read"),
    ]
    assert [one.stream is not None for one in new] == [False, True, False, False]


async def test_a_sheet_opens_in_a_spreadsheet_as_it_is_meant(world: World) -> None:
    (record,) = await given(world)
    answer = await world.settlement.get("/v1/provisions", Accept="text/csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="provisions-2026-11-20.csv"'
    assert answer.content.startswith("\ufeff記録ID,立場,提供年月日,".encode())
    assert answer.content.endswith(b"\r\n")
    assert answer.content.count(b"\n") == answer.content.count(b"\r\n") == 2
    (row,) = await rows(world.settlement)
    assert (row["記録ID"], row["立場"], row["提供年月日"]) == (record["id"], "提供元", "2026-11-20")
    assert row["提供先の名称"] == "障害者就業・生活支援センター みほん（架空）"
    assert (row["提供の根拠"], row["項目"]) == ("本人の同意", "本人基本情報、アセスメント、支援計画")
    assert row["不明な事項"] == "提供元の住所、提供元の代表者、提供先の住所、提供先の代表者"
    assert row["保存期限（この日の前日まで）"] == record["retainUntil"]


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "＝", "＋", "－", "＠"])
async def test_no_cell_of_a_sheet_is_a_formula(world: World, db: Database, first: str) -> None:
    async with owner(db) as tx:
        named = {"name": f"{first}HYPERLINK(1)", "id": world.center.id}
        await tx.execute(text("UPDATE organizations SET name = :name WHERE id = :id"), named)
    await given(world)
    (row,) = await rows(world.settlement)
    assert row["提供先の名称"] == f"'{first}HYPERLINK(1)"


async def test_quotes_commas_and_lines_stay_in_their_cell(world: World) -> None:
    stated = '本人から、"直接", 取得\n（2行目）'
    drafted = await world.draft(acquisitionContext=stated)
    await world.settlement.post("/v1/consents", consent_for(drafted["personId"], world.center.id))
    await world.settlement.post(f"/v1/handovers/{drafted['id']}/offer")
    await read(world, drafted)
    (row,) = await rows(world.settlement)
    assert row["取得の経緯"] == stated


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        ("text/html", "application/json"),
        ("text/csv;q=0.5, application/json;q=0.4", "text/csv"),
        ("text/csv;q=x", "application/json"),
        ("text/csv;q=0", "application/json"),
    ],
)
async def test_what_is_accepted_is_sent(world: World, accept: str, media_type: str) -> None:
    answer = await world.settlement.get("/v1/provisions", Accept=accept)
    assert answer.headers["content-type"].partition(";")[0] == media_type


async def test_a_file_of_too_many_records_says_to_narrow_the_period(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await given(world, 3)
    monkeypatch.setitem(api.FILE_ROWS, "csv", 2)  # type: ignore[arg-type]  # it is a dict
    answer = await world.settlement.get("/v1/provisions?format=csv")
    assert answer.status_code == 400
    assert [(one["code"], one["parameter"]) for one in answer.json()["errors"]] == [
        ("parameter.too_many", "from")
    ]
    assert len(await rows(world.settlement, "&from=2026-11-21")) == 2


@pytest.mark.parametrize("query", ["role=owner", "from=2026-13-01", "personId=1", "format=xml", "cursor=x"])
async def test_what_cannot_be_asked_is_refused(world: World, query: str) -> None:
    assert (await world.settlement.get(f"/v1/provisions?{query}")).status_code == 400


async def copied(db: Database, number: int) -> None:
    """So many more records like the first one that there is."""
    async with owner(db) as tx:
        found = await tx.scalars(
            text("""
                SELECT attname FROM pg_attribute
                WHERE attrelid = 'provisions'::regclass AND attnum > 0 AND attname NOT IN ('id', 'digest')
            """)
        )
        names = ", ".join(found)
        await tx.execute(
            text(f"""
                INSERT INTO provisions (id, digest, {names})
                SELECT c.id, uuid_send(c.id), {names}
                FROM (SELECT {names} FROM provisions LIMIT 1) AS p, unnest(CAST(:ids AS uuid[])) AS c (id)
            """),
            {"ids": [ordered_id() for _ in range(number)]},
        )


async def test_a_whole_year_of_a_large_center_is_a_sheet(world: World, db: Database) -> None:
    await given(world)
    await copied(db, 4_999)
    assert len(await rows(world.center)) == 5_000
    await copied(db, 1)
    assert (await world.center.get("/v1/provisions?format=csv")).status_code == 400
