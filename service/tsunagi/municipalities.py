"""Prefectures, municipalities and wards of Japan by their JIS X 0401/0402 codes.

`municipalities.csv` states them as of 2024-01-01; a later merger is a change of that file.
"""

import csv
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

_VARIANTS = str.maketrans("ヶヵ惠檮鰺竈條", "ケカ恵梼鯵釜条")
"""Spellings that official lists use side by side for one and the same municipality."""

_DISTRICT = re.compile(r"^.{1,4}?郡(?=.)")
"""Addresses put the district (郡) before towns and villages; the codes leave it out."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an address lies. For a ward of a designated city `city_code` is the city's code."""

    prefecture_code: str | None = None
    municipality_code: str | None = None
    city_code: str | None = None
    municipality_name: str | None = None


@cache
def _names() -> dict[str, str]:
    return {code: name for code, name, _ in _rows()}


@cache
def _places() -> dict[tuple[str, str], Place]:
    return {
        (code[:2], name.translate(_VARIANTS)): Place(code[:2], code, city_code or code, name)
        for code, name, city_code in _rows()
        if len(code) == 5
    }


@cache
def _prefectures() -> dict[str, str]:
    return {name: code for code, name, _ in _rows() if len(code) == 2}


@cache
def _rows() -> tuple[tuple[str, str, str], ...]:
    with Path(__file__).with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        return tuple((row["code"], row["name"], row["city_code"]) for row in csv.DictReader(file))


def name_of(code: str) -> str | None:
    """The name of a prefecture (two digits) or a municipality (five digits)."""
    return _names().get(code)


def place_of(code: str) -> Place | None:
    """The place with this five-digit code."""
    name = _names().get(code)
    return _places().get((code[:2], name.translate(_VARIANTS))) if name and len(code) == 5 else None


def full_name(code: str) -> str | None:
    """The name of a municipality from the prefecture on, as `locate` takes it."""
    place = place_of(code)
    return f"{name_of(code[:2])}{place.municipality_name}" if place else None


@lru_cache(maxsize=10_000)  # what is typed into forms comes here, too
def locate(address: str) -> Place:
    """The place that an address of the form 「東京都新宿区」 or 「茨城県久慈郡大子町」 names.

    As much as is known: an unknown municipality keeps its prefecture and its name.
    """
    prefecture = next((name for name in _prefectures() if address.startswith(name)), None)
    if prefecture is None:
        return Place(municipality_name=address or None)
    code, rest = _prefectures()[prefecture], address.removeprefix(prefecture)
    key = rest.translate(_VARIANTS)
    found = _places().get((code, key)) or _places().get((code, _DISTRICT.sub("", key)))
    if found is None:
        return Place(code, municipality_name=rest or None)
    return Place(code, found.municipality_code, found.city_code, rest)
