"""The code lists that belong to others, kept as data."""

from pathlib import Path

import pytest

from tests.schemas.loader import CODES, read, reference

INSTRUMENTS = sorted((CODES / "instruments").glob("*.json"))
SERVICES = read(CODES / "service-codes.json")["codes"]


def stem(path: Path) -> str:
    return path.stem


def test_the_service_codes_have_the_shape_of_a_code_list() -> None:
    document = read(CODES / "service-codes.json")
    assert [error.message for error in reference("code-list.json").iter_errors(document)] == []


def test_each_service_has_one_billing_code_and_at_most_one_of_wam_net() -> None:
    billing = [one["code"] for one in SERVICES]
    wam_net = [one["wamNet"] for one in SERVICES if one["wamNet"] is not None]
    assert len(set(billing)) == len(billing)
    assert len(set(wam_net)) == len(wam_net)


@pytest.mark.parametrize(
    ("kind", "billing", "wam_net"),
    [
        ("transition", "43", "60"),
        ("settlement", "47", "62"),
        ("continuous_a", "45", "45"),
        ("continuous_b", "46", "46"),
        ("selection", "48", None),
    ],
)
def test_the_two_systems_number_the_employment_services_differently(
    kind: str, billing: str, wam_net: str | None
) -> None:
    first = next(one for one in SERVICES if one.get("organizationKind") == kind)
    assert (first["code"], first["wamNet"]) == (billing, wam_net)


@pytest.mark.parametrize("path", INSTRUMENTS, ids=stem)
def test_an_instrument_has_the_shape_of_one(path: Path) -> None:
    data = read(path)
    assert [error.message for error in reference("instrument.json").iter_errors(data)] == []
    assert path.stem == f"{data['instrument']}-{data['version']}"


@pytest.mark.parametrize("path", INSTRUMENTS, ids=stem)
def test_the_items_of_an_instrument_are_distinct_and_grouped(path: Path) -> None:
    data = read(path)
    codes = [item["itemCode"] for item in data["items"]]
    assert len(set(codes)) == len(codes)
    assert {item["group"] for item in data["items"]} == {group["code"] for group in data["groups"]}


@pytest.mark.parametrize("path", INSTRUMENTS, ids=stem)
def test_an_instrument_with_its_items_has_as_many_as_the_original(path: Path) -> None:
    data = read(path)
    if data["granularity"] == "item":
        for group in data["groups"]:
            assert sum(item["group"] == group["code"] for item in data["items"]) == group["itemCount"]


def test_the_checklist_of_2007_has_34_required_and_9_reference_items() -> None:
    items = read(CODES / "instruments" / "nivr_transition_checklist-2007.json")["items"]
    assert [sum(item["required"] is wanted for item in items) for wanted in (True, False)] == [34, 9]
