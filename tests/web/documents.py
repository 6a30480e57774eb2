"""Documents made from the schemas, whatever fits them."""

from datetime import date
from typing import Any
from urllib.parse import urljoin

from hypothesis import strategies as st

from tsunagi.contract import Contract

_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12)
_MOST = 200


def fitting(contract: Contract, uri: str, *, without: frozenset[str] = frozenset()) -> st.SearchStrategy[Any]:
    """Documents of the schema at `uri`, without these members."""
    validator = contract.validator(uri)
    made = _object(contract, uri, contract.resolve(uri), without)
    return made.filter(validator.is_valid)


def _of(contract: Contract, base: str, node: dict[str, Any]) -> st.SearchStrategy[Any]:
    merged = dict(node)
    while "$ref" in node:
        base = urljoin(base, node["$ref"])
        node = contract.resolve(base)
        merged = {**node, **merged}
    if "enum" in merged:
        return st.sampled_from(merged["enum"])
    match merged["type"]:
        case "object":
            return _object(contract, base, merged, frozenset())
        case "array":
            return st.lists(
                _of(contract, base, merged["items"]),
                min_size=merged.get("minItems", 0),
                max_size=min(merged["maxItems"], 3),
                unique=merged.get("uniqueItems", False),
            )
        case "integer":
            return st.integers(merged["minimum"], merged["maximum"])
        case "number":
            return st.floats(merged["minimum"], merged["maximum"], allow_nan=False)
        case "boolean":
            return st.booleans()
        case _:
            return _string(merged)


def _object(
    contract: Contract, base: str, node: dict[str, Any], without: frozenset[str]
) -> st.SearchStrategy[Any]:
    members = {
        name: _of(contract, base, inner) for name, inner in node["properties"].items() if name not in without
    }
    required = {name: one for name, one in members.items() if name in node.get("required", ())}
    optional = {name: one for name, one in members.items() if name not in required}
    return st.fixed_dictionaries(required, optional=optional)


def _string(node: dict[str, Any]) -> st.SearchStrategy[str]:
    if node.get("format") == "date":
        return st.dates(date(1900, 1, 2), date(2199, 12, 31)).map(date.isoformat)
    if "pattern" in node:
        return st.from_regex(node["pattern"], fullmatch=True).filter(
            lambda text: len(text) <= node.get("maxLength", _MOST) and text
        )
    return _TEXT
