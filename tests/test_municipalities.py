"""The table of municipalities is whole, and addresses find their place in it."""

import pytest

from tsunagi import municipalities
from tsunagi.municipalities import Place, locate, name_of, place_of


def codes(kind: str) -> set[str]:
    rows = municipalities._rows()
    if kind == "prefecture":
        return {code for code, _, _ in rows if len(code) == 2}
    return {code for code, _, city in rows if len(code) == 5 and bool(city) == (kind == "ward")}


def test_all_prefectures_municipalities_and_wards_are_there() -> None:
    assert codes("prefecture") == {f"{number:02}" for number in range(1, 48)}
    assert len(codes("municipality")) == 1741  # 1,718 and the 23 wards of Tokyo
    assert len(codes("ward")) == 171
    assert {code[:2] for code in codes("municipality")} == codes("prefecture")


def test_the_wards_belong_to_the_twenty_designated_cities() -> None:
    cities = {code: city for code, _, city in municipalities._rows() if city}
    assert len(set(cities.values())) == 20
    assert all(str(name_of(code)).startswith(str(name_of(city))) for code, city in cities.items())


@pytest.mark.parametrize(
    ("address", "code", "city_code"),
    [
        ("東京都千代田区", "13101", "13101"),
        ("茨城県久慈郡大子町", "08364", "08364"),
        ("神奈川県川崎市中原区", "14133", "14130"),
        ("静岡県浜松市浜名区", "22139", "22130"),
        ("福島県郡山市", "07203", "07203"),
        ("奈良県大和郡山市", "29203", "29203"),
        ("広島県府中市", "34208", "34208"),
        ("広島県安芸郡府中町", "34302", "34302"),
        ("福岡県糟屋郡須恵町", "40344", "40344"),
        ("茨城県龍ヶ崎市", "08208", "08208"),
        ("京都府京都市北区", "26101", "26100"),
    ],
)
def test_an_address_finds_its_place(address: str, code: str, city_code: str) -> None:
    place = locate(address)
    assert (place.prefecture_code, place.municipality_code, place.city_code) == (code[:2], code, city_code)


def test_as_much_as_is_known_is_kept() -> None:
    assert locate("千葉県架空市") == Place("12", None, None, "架空市")
    assert locate("どこか") == Place(municipality_name="どこか")
    assert locate("") == Place()


def test_a_code_has_a_name_and_a_place() -> None:
    assert (name_of("13"), name_of("13101"), name_of("99999")) == ("東京都", "千代田区", None)
    assert place_of("14104") == Place("14", "14104", "14100", "横浜市中区")
    assert place_of("13") is None
    assert place_of("00000") is None
