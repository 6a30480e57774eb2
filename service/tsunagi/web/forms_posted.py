"""Between a document and the inputs of its form, in both directions.

Inputs are named after the place in the document: `/handbooks/0/issuer`; a date has three, `/birthDate:year`, `:month`
and `:day`; a list says by `/handbooks:items` how many items the form showed, and by `/handbooks:none` that there are
none, which is more than saying nothing. Empty inputs are left out of the document. What cannot be read as what it
should be stays a text: the schema says what is wrong with it, and the form shows it again.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from starlette.datastructures import FormData

from tsunagi.municipalities import full_name, locate, name_of
from tsunagi.web.forms import Field
from tsunagi.web.typed_dates import day_after, day_before, parts, plain, written

Inputs = Mapping[str, Sequence[str]]

ABSENT = object()
MOST_ITEMS = 500
MOST_DIGITS = 40
PREFECTURE = "prefectureCode"
"""The member of an address that its municipality lies in."""
_PARTS = (":year", ":month", ":day")
DATES = ("day", "last_day", "month", "partial_day")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_PLACE = re.compile(r"(?:.*\()?([0-9]{5})\)?")
"""Alone, or behind the name."""
_DASHES = re.compile(r"[\u2010-\u2015\u2212\u30fc]")
"""What an input method gives for a hyphen."""
_KANA = re.compile(r"[ァ-ヾ\u3000 ]*")
_KATAKANA = {code: code + 0x60 for code in range(ord("ぁ"), ord("ゖ") + 1)}
"""Hiragana are 96 places before their katakana."""


def posted(form: FormData) -> dict[str, list[str]]:
    """The inputs of a form that was sent: what stands under places in the document, files left out."""
    found: dict[str, list[str]] = {}
    for name, value in form.multi_items():
        if isinstance(value, str) and name.startswith("/"):
            found.setdefault(name, []).append(value)
    return found


def document(field: Field, inputs: Inputs, *, blanks: bool = False) -> Any:
    """What was filled in. With `blanks` also items of lists that are empty still."""
    value = _value(field, inputs, "", blanks=blanks)
    return {} if value is ABSENT or (_blank(value) and not blanks) else value


def _value(field: Field, inputs: Inputs, at: str, *, blanks: bool) -> Any:
    match field.kind:
        case "group":
            members = {
                one.name: _value(one, inputs, f"{at}/{one.name}", blanks=blanks) for one in field.fields
            }
            found = {name: value for name, value in members.items() if value is not ABSENT}
            return found if field.required or not _blank(found) else ABSENT
        case "list":
            return _items(field, inputs, at, blanks=blanks)
        case "choices":
            chosen = list(dict.fromkeys(one for one in inputs.get(at, ()) if one))
            return chosen or ([] if _one(inputs, f"{at}:none") else ABSENT)
        case _:
            text = typed(field, inputs, at)
            return read(field, text) if text else ABSENT


def _items(field: Field, inputs: Inputs, at: str, *, blanks: bool) -> Any:
    count = plain(_one(inputs, f"{at}:items"))
    shown = min(int(count), MOST_ITEMS) if count.isascii() and count.isdigit() else 0
    items = [_value(field.item, inputs, f"{at}/{index}", blanks=blanks) for index in range(shown)]
    empty: Any = {} if field.item.kind == "group" else ""
    kept = [empty if one is ABSENT else one for one in items]
    kept = kept if blanks else [one for one in kept if not _blank(one)]
    return kept or ([] if _one(inputs, f"{at}:none") else ABSENT)


def _blank(value: Any) -> bool:
    """Whether nothing was filled in. An empty list was: it says that there are none."""
    if isinstance(value, dict):
        return all(map(_blank, value.values()))
    return value == "" or (isinstance(value, list) and bool(value) and all(map(_blank, value)))


def typed(field: Field, inputs: Inputs, at: str) -> str:
    """What was typed there, as one text; a municipality by its whole name."""
    if field.kind in DATES:
        year, month, day = (_one(inputs, at + part) for part in _PARTS)
        return written((year, month, day))
    text = _one(inputs, at)
    if field.kind == "place":
        return _place(text, _one(inputs, f"{at.rpartition('/')[0]}/{PREFECTURE}"))
    return text


def _place(text: str, prefecture: str) -> str:
    """Named from the prefecture on, or only within the one that is chosen beside it, or by its number. What is none
    stays as it was typed."""
    name = plain(text)
    coded = _PLACE.fullmatch(name)
    within = f"{name_of(prefecture) or ''}{name}"
    code = coded[1] if coded else locate(name).municipality_code or locate(within).municipality_code
    return full_name(code or "") or text


def read(field: Field, text: str) -> Any:
    """The value that a text stands for; the text where it stands for none."""
    match field.kind:
        case "last_day":
            return day_after(text)
        case "number":
            return _number(plain(text), text)
        case "yes_no":
            return {"true": True, "false": False}.get(text, text)
        case "place":
            coded = _PLACE.fullmatch(plain(text))
            return coded[1] if coded else locate(plain(text)).municipality_code or text
        case "service":
            system, found, code = text.partition(":")
            return {"code": code, "codeSystem": system} if found else text
        case "line" if field.type == "phone":
            return _DASHES.sub("-", plain(text))
        case "line" if field.type == "kana" and not _KANA.fullmatch(text):
            return plain(text).translate(_KATAKANA)
        case "text":
            return text.replace("\r\n", "\n").replace("\r", "\n")
        case _:
            return text


def _number(number: str, text: str) -> Any:
    if len(number) > MOST_DIGITS or not _NUMBER.fullmatch(number):
        return text
    if number.lstrip("-").isdigit():
        return int(number)
    return float(number) if math.isfinite(float(number)) else text


def _one(inputs: Inputs, name: str) -> str:
    return next(iter(inputs.get(name, ())), "")


def inputs(field: Field, value: Any) -> dict[str, list[str]]:
    """What the form of a document is filled in with."""
    return dict(_inputs(field, value, ""))


def _inputs(field: Field, value: Any, at: str) -> Iterator[tuple[str, list[str]]]:
    if value is None:
        return
    if field.kind == "group" and isinstance(value, dict):
        for one in field.fields:
            yield from _inputs(one, value.get(one.name), f"{at}/{one.name}")
    elif field.kind == "list" and isinstance(value, list):
        yield f"{at}:items", [str(len(value))]
        for index, item in enumerate(value):
            yield from _inputs(field.item, item, f"{at}/{index}")
    if field.kind in ("list", "choices") and value == []:
        yield f"{at}:none", ["on"]
    elif field.kind == "choices" and isinstance(value, list):
        yield at, [str(one) for one in value]
    elif field.kind in DATES:
        text = day_before(str(value)) if field.kind == "last_day" else str(value)
        yield from ((at + name, [part]) for name, part in zip(_PARTS, parts(text), strict=True) if part)
    elif field.kind not in ("group", "list"):
        yield at, [shown(field, value)]


def shown(field: Field, value: Any) -> str:
    """A value as the text that stands for it."""
    if field.kind == "service" and isinstance(value, dict):
        return f"{value.get('codeSystem', '')}:{value.get('code', '')}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if field.kind == "place":
        return full_name(str(value)) or str(value)
    return str(value)


def added(field: Field, whole: Any, at: str) -> Any:
    """The document with one more empty item in the list at the pointer `at`, if that is a list and not full."""
    target = field.at(at)
    if target is None or target.kind != "list":
        return whole
    return _changed(whole, at.split("/")[1:], lambda items: _more(target, items))


def removed(field: Field, whole: Any, at: str) -> Any:
    """The document without the item at the pointer `at`."""
    above, _, index = at.rpartition("/")
    target = field.at(above)
    if target is None or target.kind != "list" or not index.isdigit():
        return whole
    without = int(index)
    return _changed(
        whole, above.split("/")[1:], lambda items: [one for n, one in enumerate(items) if n != without]
    )


def _more(target: Field, items: list[Any]) -> list[Any]:
    if target.most is not None and len(items) >= target.most:
        return items
    return [*items, {} if target.item.kind == "group" else ""]


def _changed(value: Any, way: Sequence[str], change: Any) -> Any:
    if not way:
        return change(value if isinstance(value, list) else [])
    if isinstance(value, list):
        return [
            _changed(one, way[1:], change) if str(index) == way[0] else one for index, one in enumerate(value)
        ]
    within = value if isinstance(value, dict) else {}
    return {**within, way[0]: _changed(within.get(way[0]), way[1:], change)}
