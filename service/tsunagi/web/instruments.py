"""What an assessment's items choose from: the instruments that the contract lists, their items and their scales."""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from tsunagi.errors import Text
from tsunagi.web.forms import Choice


@lru_cache(maxsize=4)
def choices(folder: Path) -> Mapping[str, tuple[Choice, ...]]:
    """By the name of the field; `folder` is the contract's."""
    paths = sorted((folder / "schemas" / "codes" / "instruments").glob("*.json"))
    listed = [json.loads(path.read_text()) for path in paths]
    values = tuple(_once(one for sheet in listed for one in _values(sheet)))
    return {
        "instrument": tuple(_once((one["instrument"], _text(one["title"])) for one in listed)),
        "version": tuple(_once((one["version"], _of(one, one["version"])) for one in listed)),
        "itemCode": tuple(_once(one for sheet in listed for one in _items(sheet))),
        "scale": tuple(
            _once((one["scale"]["code"], _of(one, one["scale"]["code"])) for one in listed if "scale" in one)
        ),
        "selfValue": values,
        "supporterValue": values,
    }


def _text(said: Mapping[str, str]) -> Text:
    return Text(said["ja"], said["en"])


def _of(sheet: Mapping[str, Any], said: str) -> Text:
    return Text(f"{said}（{sheet['title']['ja']}）", f"{said} ({sheet['title']['en']})")


def _items(sheet: Mapping[str, Any]) -> Iterator[tuple[str, Text]]:
    for one in sheet["items"]:
        yield (
            one["itemCode"],
            Text(f"{one['ja']}（{sheet['title']['ja']}）", f"{one['en']} ({sheet['title']['en']})"),
        )


def _values(sheet: Mapping[str, Any]) -> Iterator[tuple[str, Text]]:
    for one in sheet.get("scale", {}).get("values", ()):
        meaning = Text(f" {one['ja']}", f" {one['en']}") if "ja" in one else Text("", "")
        yield one["value"], Text(one["value"] + meaning.ja, one["value"] + meaning.en)


def _once(found: Iterator[tuple[str, Text]]) -> Iterator[Choice]:
    """Each value once. What several instruments have in common is called by all of its names."""
    labels: dict[str, list[Text]] = {}
    for value, label in found:
        known = labels.setdefault(value, [])
        if label not in known:
            known.append(label)
    for value, said in labels.items():
        yield Choice(value, Text(" / ".join(one.ja for one in said), " / ".join(one.en for one in said)))
