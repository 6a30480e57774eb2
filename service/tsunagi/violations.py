"""What a schema's verdict means to the person who has to mend it: which field, which rule, in two languages.

Only names and limits that the schema itself states are repeated, never anything that was submitted.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any
from urllib.parse import urljoin

from tsunagi.errors import Notice, Party, Text

SchemaAt = Callable[[str], Any]

_MAX_NAMES = 20
_MAX_GUESSES = 5
"""So many unknown names are compared with the known ones, as far as a known one is long: each takes a while."""
_CODES = {"unevaluatedProperties": "schema.unknown_member", "additionalProperties": "schema.unknown_member"}
_COMPOUND = frozenset({"schema.one_of", "schema.any_of", "schema.if"})
"""Rules that also fail when something below them does."""

_TYPES = {
    "string": Text("文字列", "a string"),
    "integer": Text("整数", "an integer"),
    "number": Text("数値", "a number"),
    "boolean": Text("true または false", "true or false"),
    "array": Text("配列", "an array"),
    "object": Text("オブジェクト", "an object"),
    "null": Text("null", "null"),
}
_FORMATS = {
    "date": Text("日付（YYYY-MM-DD）", "a date (YYYY-MM-DD)"),
    "date-time": Text(
        "時差付きの日時（例 2026-04-01T09:00:00+09:00）",
        "an instant with offset (such as 2026-04-01T09:00:00+09:00)",
    ),
    "uuid": Text("UUID", "a UUID"),
    "email": Text("メールアドレス", "an e-mail address"),
    "uri": Text("URI", "a URI"),
}
_LIMITS = {
    "maxLength": Text("{}文字以内にしてください", "must have at most {} characters"),
    "minLength": Text("{}文字以上にしてください", "must have at least {} characters"),
    "maxItems": Text("{}件以内にしてください", "must have at most {} items"),
    "minItems": Text("{}件以上必要です", "must have at least {} items"),
    "maxProperties": Text("項目は{}個以内にしてください", "must have at most {} members"),
    "minProperties": Text("項目が{}個以上必要です", "must have at least {} members"),
    "maximum": Text("{}以下にしてください", "must be at most {}"),
    "minimum": Text("{}以上にしてください", "must be at least {}"),
    "const": Text("{} でなければなりません", "must be {}"),
}


def notices(errors: Iterable[Any], *, root: str, party: Party, schema_at: SchemaAt) -> tuple[Notice, ...]:
    """One notice a mistake found by the schema at `root`, without those that only repeat one below them."""
    found = [_notice(error, root=root, party=party, schema_at=schema_at) for error in errors]
    pointers = {notice.pointer for notice in found}
    kept = {
        (notice.pointer, notice.code): notice
        for notice in found
        if notice.code not in _COMPOUND
        or not any(pointer.startswith(notice.pointer + "/") for pointer in pointers)
    }
    return tuple(kept.values())


def _notice(error: Any, *, root: str, party: Party, schema_at: SchemaAt) -> Notice:
    keyword = str(error.schema_path[-1])
    pointer = "".join(f"/{_escaped(part)}" for part in error.instance_path)
    detail = error.kind.as_dict()
    schema, title = _walk(error, schema_at, root)
    if keyword == "required":
        pointer += f"/{_escaped(detail['property'])}"
        member = schema.get("properties", {}).get(detail["property"], {})
        title = Text(member.get("title", ""), member.get("x-title-en", ""))
    return Notice(
        _CODES.get(keyword) or f"schema.{_snake(keyword)}",
        "error",
        _message(keyword, detail, schema, title),
        pointer,
        party,
    )


def _snake(keyword: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in keyword)


def _escaped(part: str | int) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")


def _walk(error: Any, schema_at: SchemaAt, root: str) -> tuple[Mapping[str, Any], Text]:
    """The schema object that the failing keyword stands in, and the title nearest to it on the way there."""
    base, node, title, previous = root, schema_at(root), Text("", ""), "properties"
    for part in error.evaluation_path[1:-1]:
        if part == "$ref":
            base = urljoin(base, node["$ref"])
            node = schema_at(base)
        else:
            node = node[part]
        # A member's own title says more than that of the type it refers to.
        if previous == "properties" and isinstance(node, dict) and isinstance(node.get("title"), str):
            title = Text(node["title"], node.get("x-title-en", ""))
        previous = part
    return (node if isinstance(node, dict) else {}), title


def _message(keyword: str, detail: Mapping[str, Any], schema: Mapping[str, Any], title: Text) -> Text:
    what = _meaning(keyword, detail, schema)
    return Text(
        f"「{title.ja}」: {what.ja}" if title.ja else what.ja,
        f"{title.en}: {what.en}" if title.en else what.en,
    )


def _meaning(keyword: str, detail: Mapping[str, Any], schema: Mapping[str, Any]) -> Text:
    if keyword in _LIMITS:
        limit = detail.get("limit", schema.get(keyword))
        return Text(_LIMITS[keyword].ja.format(limit), _LIMITS[keyword].en.format(limit))
    if keyword == "required":
        return Text("必須の項目がありません", "is required")
    if keyword == "type":
        return _one_of_types(schema.get("type", ()))
    if keyword == "enum":
        allowed = ", ".join(str(option) for option in schema.get("enum", ()))
        return Text(f"次のいずれかでなければなりません: {allowed}", f"must be one of: {allowed}")
    if keyword == "format":
        expected = _FORMATS.get(str(schema.get("format")), Text("決められた形式", "the required format"))
        return Text(f"{expected.ja}でなければなりません", f"must be {expected.en}")
    if keyword in ("pattern", "not"):
        return _described(schema)
    if keyword in ("unevaluatedProperties", "additionalProperties"):
        return _unknown_member(detail, schema)
    if keyword == "uniqueItems":
        return Text("同じものが二度あります", "must not repeat an item")
    return Text("決められた形に合っていません", "does not have the required form")


def _one_of_types(declared: str | list[str]) -> Text:
    names = [_TYPES[name] for name in ([declared] if isinstance(declared, str) else declared)]
    ja, en = "または".join(name.ja for name in names), " or ".join(name.en for name in names)
    return Text(f"{ja}でなければなりません", f"must be {en}")


def _described(schema: Mapping[str, Any]) -> Text:
    hint = Text(schema.get("description", ""), schema.get("x-description-en", ""))
    return Text(
        "形式が正しくありません" + (f"（{hint.ja}）" if hint.ja else ""),
        "does not have the required form" + (f" ({hint.en})" if hint.en else ""),
    )


def _unknown_member(detail: Mapping[str, Any], schema: Mapping[str, Any]) -> Text:
    """Names what is allowed, and what was probably meant; not the unknown name itself."""
    known = list(schema.get("properties", {}))
    meant = {
        match
        for name in islice(detail.get("unexpected", ()), _MAX_GUESSES)
        for match in difflib.get_close_matches(name[:50], known, 1)
    }
    listed = ", ".join(known[:_MAX_NAMES])
    ja, en = "知らない項目があります", "has an unknown member"
    if meant:
        guess = ", ".join(sorted(meant))
        return Text(f"{ja}（{guess} のことですか）", f"{en} (did you mean {guess}?)")
    return Text(f"{ja}（使える項目: {listed}）", f"{en} (known: {listed})") if listed else Text(ja, en)
