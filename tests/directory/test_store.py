"""Finding organizations, entering those that no list has, and the rules of areas."""

from datetime import date

import pytest
from sqlalchemy.exc import IntegrityError

from tests.directory.lists import AT, bring_in_march
from tsunagi.db import Database, WriteTx
from tsunagi.directory import store
from tsunagi.directory.rules import (
    DEFAULT_AREA_RULES,
    Address,
    Area,
    AreaRules,
    Contact,
    CorporateBody,
    Identifier,
    OrganizationProfile,
)
from tsunagi.errors import RuleViolated
from tsunagi.ids import OrganizationId, ordered_id

CENTER = OrganizationProfile(
    kind="center",
    name="架空障害者就業・生活支援センター",
    name_kana="カクウショウガイシャシュウギョウセイカツシエンセンター",
    corporate_body=CorporateBody("社会福祉法人架空会", "7123456789012", representative="架空 太郎"),
    address=Address(
        municipality_code="14104", rest="架空町1-1", building="架空ビル2階", postal_code="000-0000"
    ),
    phone="045-000-0000",
    email="center@example.jp",
    contact=Contact("就業支援課", "架空 花子", "045-000-0001", "handover@example.jp"),
    identifiers=(Identifier("center_code", "14-001"),),
)
AREA = Area("14-yokohama", "横浜圏域", "14", municipality_codes=("14100",), rules=AreaRules(overlap_months=6))


async def names(tx: WriteTx, **search: object) -> list[str]:
    return [each.name for each in await store.find_organizations(tx, **search)]  # type: ignore[arg-type]


async def test_an_organization_that_no_list_has_is_entered_whole(tx: WriteTx) -> None:
    await store.add_area(tx, AREA)
    profile = OrganizationProfile(
        **{name: getattr(CENTER, name) for name in CENTER.__dataclass_fields__}
        | {"serves": (AREA.code,), "remit": (AREA.code,)}
    )
    organization_id = await store.add_organization(tx, profile, at=AT)
    found = await store.organization(tx, organization_id)
    assert found is not None
    assert (found.id, found.kind, found.name, found.name_kana) == (
        organization_id,
        CENTER.kind,
        CENTER.name,
        CENTER.name_kana,
    )
    assert found.corporate_body == CENTER.corporate_body
    assert found.address == Address("14", "14104", "横浜市中区", "架空町1-1", "架空ビル2階", "000-0000")
    assert (found.contact, found.identifiers) == (CENTER.contact, CENTER.identifiers)
    assert (found.serves, found.remit, found.closed_on) == ((AREA.code,), (AREA.code,), None)
    assert [past.effective_on for past in await store.history(tx, organization_id)] == [date(2025, 10, 1)]


async def test_an_unknown_organization_is_nobody(tx: WriteTx) -> None:
    assert await store.organization(tx, OrganizationId(ordered_id())) is None


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("うみねこ", {"うみねこワークス", "うみねこワークス　分場", "うみねこ港", "うみねこ定着"}),
        ("わーくす 分場", {"うみねこワークス　分場"}),
        ("ﾋﾞｵﾗ", set()),
        ("ｳﾞｨｵﾗ", {"ヴィオラ", "ヴィオラ北", "ヴィオラ定着"}),
        ("港", {"うみねこ港"}),
        ("かぜのみち　工房", {"かぜのみち工房"}),
        ("一般社団法人", {"かぜのみち", "かぜのみち工房"}),
        ("100%", set()),
        ("_", set()),
        ("\x00", None),
        ("  ", None),
    ],
)
async def test_words_are_found_anywhere_in_a_name(tx: WriteTx, q: str, expected: set[str] | None) -> None:
    await bring_in_march(tx)
    found = await names(tx, q=q)
    assert len(found) == 16 if expected is None else set(found) == expected


async def test_organizations_are_found_by_kind_municipality_and_identifier(tx: WriteTx) -> None:
    await bring_in_march(tx)
    assert await names(tx, kind="settlement") == [
        "ものがたり就労支援センター",
        "うみねこ定着",
        "ヴィオラ定着",
    ]
    assert await names(tx, municipality="08364") == ["うみねこワークス　分場"]
    assert await names(tx, municipality="14100") == ["ヴィオラ", "ヴィオラ北"]
    assert await names(tx, identifier="0819900028") == ["うみねこワークス", "うみねこワークス　分場"]
    assert await names(tx, identifier="office_number:０８１９９０００２８", kind="settlement") == []
    assert await names(tx, identifier="center_code:0819900028") == []
    assert set(await names(tx, identifier="6999000000003")) == {"ヴィオラ", "ヴィオラ北", "ヴィオラ定着"}
    assert len(await names(tx, identifier="corporate_number:6999000000003")) == 3


async def test_pages_follow_each_other_without_gap_or_repetition(tx: WriteTx) -> None:
    await bring_in_march(tx)
    pages, after = [], None
    while page := await store.find_organizations(tx, after=after, limit=5):
        pages.append(len(page))
        after = page[-1].id
    assert pages == [5, 5, 5, 1]


async def test_an_area_holds_who_serves_it_and_who_lies_in_it(tx: WriteTx) -> None:
    await bring_in_march(tx)
    await store.add_area(tx, AREA)
    [mito] = await store.find_organizations(tx, municipality="08364")
    await store.add_areas(tx, mito.id, "serves", [AREA.code])
    [tokyo, *_] = await store.find_organizations(tx, municipality="13101")
    await store.add_areas(tx, tokyo.id, "remit", [AREA.code])
    assert set(await names(tx, area=AREA.code)) == {"ヴィオラ", "ヴィオラ北", "うみねこワークス　分場"}


async def test_references_name_those_that_exist(tx: WriteTx) -> None:
    organization_id = await store.add_organization(tx, CENTER, at=AT)
    found = await store.organization_refs(tx, [organization_id, OrganizationId(ordered_id())])
    assert {key: (ref.name, ref.kind) for key, ref in found.items()} == {
        organization_id: (CENTER.name, "center")
    }
    assert await store.organization_refs(tx, []) == {}


async def test_rules_are_those_of_the_named_area_then_of_the_own_then_the_defaults(tx: WriteTx) -> None:
    center = await store.add_organization(tx, CENTER, at=AT)
    assert await store.area_rules(tx, None, center) == DEFAULT_AREA_RULES
    await store.add_area(tx, AREA)
    assert (await store.receiving(tx, center, area_code=None)).own_area == AREA.code
    assert await store.area_rules(tx, None, center) == AREA.rules
    other = Area("14-other", "他の圏域", "14", rules=AreaRules(window_lead_months=3))
    await store.add_area(tx, other)
    await store.add_areas(tx, center, "serves", [other.code])
    assert (await store.receiving(tx, center, area_code=None)).own_area == other.code
    assert await store.area_rules(tx, None, center) == other.rules
    assert await store.area_rules(tx, AREA.code, center) == AREA.rules
    assert await store.area_rules(tx, "unknown", center) == other.rules


async def test_a_place_in_two_areas_decides_nothing(tx: WriteTx) -> None:
    center = await store.add_organization(tx, CENTER, at=AT)
    for code in ("one", "two"):
        await store.add_area(tx, Area(code, code, "14", municipality_codes=("14104",)))
    assert (await store.receiving(tx, center, area_code=None)).own_area is None


async def test_areas_are_listed_with_their_municipalities(tx: WriteTx) -> None:
    await store.add_area(tx, AREA)
    assert await store.areas(tx) == [AREA]


async def test_an_area_cannot_go_below_the_statutory_three_months(db: Database) -> None:
    with pytest.raises(IntegrityError, match="areas_sharing_lead_check"):
        async with db.platform() as tx:
            await store.add_area(tx, Area("short", "短い", "14", rules=AreaRules(sharing_lead_months=2)))


async def test_a_wrong_number_is_refused_on_entry(tx: WriteTx) -> None:
    wrong = OrganizationProfile(
        kind="transition", name="誤り", identifiers=(Identifier("office_number", "1319900014", "43"),)
    )
    with pytest.raises(RuleViolated) as refused:
        await store.add_organization(tx, wrong, at=AT)
    assert [notice.code for notice in refused.value.errors] == ["organization.office_number_check_digit"]


async def test_a_number_belongs_to_one_organization(db: Database) -> None:
    with pytest.raises(RuleViolated) as refused:
        async with db.platform() as tx:
            await store.add_organization(tx, CENTER, at=AT)
            await store.add_organization(tx, CENTER, at=AT)
    assert [notice.code for notice in refused.value.errors] == ["organization.identifier_taken"]


async def test_one_corporate_body_stands_behind_its_offices(tx: WriteTx) -> None:
    def office(name: str, body: CorporateBody | None) -> OrganizationProfile:
        return OrganizationProfile(kind="employer", name=name, corporate_body=body)

    numbered, unnumbered = CorporateBody("架空", "7123456789012"), CorporateBody("架空")
    ids = [
        await store.add_organization(tx, office(str(index), body), at=AT)
        for index, body in enumerate((numbered, numbered, unnumbered, unnumbered, None, None))
    ]
    same = {
        (one, other)
        for one in range(6)
        for other in range(one, 6)
        if (await store.receiving(tx, ids[one], area_code=None, sender=ids[other])).same_corporation
    }
    assert same == {(0, 1), (2, 3), *((index, index) for index in range(6))}
