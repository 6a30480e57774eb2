from collections import Counter

import pytest

from tests.schemas.loader import fast
from tsunagi.clock import Clock
from tsunagi.db import WriteTx
from tsunagi.directory import store
from tsunagi.directory.rules import (
    OrganizationProfile,
    corporate_number_is_valid,
    identifier_notices,
    office_number_is_valid,
)
from tsunagi.municipalities import name_of
from tsunagi.synthetic import areas, organization, organizations
from tsunagi.synthetic.organizations import AREAS, KINDS, PER_PREFECTURE


def everybody(number: int) -> list[OrganizationProfile]:
    return [organization(kind, number, area=area) for kind in KINDS for area in AREAS[::2]]


@pytest.mark.parametrize("number", [0, 1, 21, PER_PREFECTURE - 1])
def test_numbers_pass_their_checks(number: int) -> None:
    for profile in everybody(number):
        assert identifier_notices(profile.identifiers) == ()
        if profile.corporate_body and profile.corporate_body.corporate_number:
            assert corporate_number_is_valid(profile.corporate_body.corporate_number)


def test_no_two_organizations_share_a_number() -> None:
    profiles = [profile for number in range(0, PER_PREFECTURE, 25) for profile in everybody(number)]
    numbers = Counter((one.system, one.value) for profile in profiles for one in profile.identifiers)
    bodies = Counter(body.corporate_number for profile in profiles if (body := profile.corporate_body))
    assert max(numbers.values()) == max(bodies.values()) == 1


def test_office_numbers_are_those_of_no_municipality() -> None:
    for profile in everybody(3):
        for identifier in profile.identifiers:
            if identifier.system == "office_number":
                assert identifier.value[3:5] == "99"
                assert office_number_is_valid(identifier.value)


def test_areas_fit_the_schema_and_lie_in_no_municipality() -> None:
    for area in areas():
        assert [name_of(code) for code in area.municipality_codes] == [None]
        shown = {
            "code": area.code,
            "name": area.name,
            "prefectureCode": area.prefecture_code,
            "municipalityCodes": list(area.municipality_codes),
            "rules": {
                "windowMonths": area.rules.window_lead_months,
                "conferenceLeadMonths": area.rules.conference_lead_months,
                "sharingLeadMonths": area.rules.sharing_lead_months,
                "overlapMonths": area.rules.overlap_months,
                "answerLimitDays": area.rules.answer_limit_days,
            },
        }
        assert [error.message for error in fast("area.json").iter_errors(shown)] == []
    assert len({area.code for area in areas()}) == len({area.name for area in areas()}) == 16


def test_every_name_says_that_it_is_made_up() -> None:
    assert all(profile.name.endswith("(架空)") for profile in everybody(5))


def test_a_center_has_a_code_and_no_office_number() -> None:
    assert [one.system for one in organizations(0).center.identifiers] == ["center_code"]


def test_the_auditor_looks_on_all_areas_and_serves_none() -> None:
    play = organizations(5)
    assert play.auditor.remit == tuple(area.code for area in play.areas)
    assert play.auditor.serves == ()


@pytest.mark.parametrize("number", [-1, PER_PREFECTURE])
def test_there_are_no_more_than_a_prefecture_has_numbers_for(number: int) -> None:
    with pytest.raises(ValueError, match="numbered from 0"):
        organization("center", number)


async def test_the_directory_takes_them_in(tx: WriteTx) -> None:
    for area in areas():
        await store.add_area(tx, area)
    for profile in everybody(0):
        await store.add_organization(tx, profile, at=Clock().now())
    play = organizations(9)
    for profile in (play.transition, play.settlement, play.center, play.auditor):
        organization_id = await store.add_organization(tx, profile, at=Clock().now())
        found = await store.organization(tx, organization_id)
        assert found is not None
        assert found.name == profile.name
