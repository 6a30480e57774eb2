"""Schemas as the layout reads them: references followed, labels and codes in one language."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from tsunagi.contract import BASE_URI, Contract
from tsunagi.municipalities import name_of
from tsunagi.paper.rules import Language

RECORD = f"{BASE_URI}schemas/disclosed-record.json"


@dataclass(frozen=True, slots=True)
class Shape:
    """A schema with what it refers to merged in; the words nearest to the field win."""

    node: Mapping[str, Any]
    base: str
    kind: str
    """What it refers to in `common.json`, such as `date`; empty where it refers to nothing there."""


class Shapes:
    """The shapes of a contract, and what its codes are called. One per process: it remembers what it has followed."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        codes = contract.folder / "schemas" / "codes"
        self._services = json.loads((codes / "service-codes.json").read_text())["codes"]
        lists = [json.loads(path.read_text()) for path in sorted((codes / "instruments").glob("*.json"))]
        self._instruments = {(one["instrument"], one["version"]): one for one in lists}
        self._known: dict[tuple[str, str], Shape] = {}

    def at(self, uri: str) -> Shape:
        return self._followed({"$ref": uri}, uri.partition("#")[0])

    def member(self, of: Shape, name: str) -> Shape | None:
        """None for what the schema does not know: a newer version's, or a vendor's."""
        node = of.node.get("properties", {}).get(name)
        return None if node is None else self._followed(node, of.base)

    def item(self, of: Shape) -> Shape:
        return self._followed(of.node["items"], of.base)

    def label(self, shape: Shape, language: Language) -> str:
        name = "title" if language == "ja" else "x-title-en"
        return str(shape.node.get(name, ""))

    def coded(self, shape: Shape, code: str, language: Language) -> str:
        """What a code is called; itself where nobody has said."""
        labels = shape.node.get("x-enum-labels", {})
        if code in labels:
            return str(labels[code][language])
        if shape.kind in ("municipalityCode", "prefectureCode"):
            name = name_of(code) if language == "ja" else None
            return f"{name}（{code}）" if name else code
        return code

    def service(self, value: Mapping[str, str], language: Language) -> str:
        """A service by its code, in the numbering that the value names."""
        name = "wamNet" if "wam" in value["codeSystem"] else "code"
        for one in self._services:
            if one.get(name) == value["code"]:
                return f"{one[language]}（{value['code']}）"
        return value["code"]

    def instrument(self, value: Mapping[str, Any], language: Language) -> Mapping[str, str]:
        """What the codes of an assessment's instrument are called, by the member that holds them."""
        found = self._instruments.get((value["instrument"], value["version"]))
        if found is None:
            return {}
        named = {"instrument": str(found["title"][language])}
        items = {one["itemCode"]: one[language] for one in found["items"]}
        if value.get("itemCode") in items:
            named["itemCode"] = str(items[value["itemCode"]])
        scale = found.get("scale")
        if scale is not None and scale["code"] == value.get("scale"):
            levels = scale["values"]
            named["scale"] = f"{len(levels)}段階" if language == "ja" else f"{len(levels)} levels"
            words = {one["value"]: one[language] for one in levels if language in one}
            for name in ("selfValue", "supporterValue"):
                if value.get(name) in words:
                    named[name] = f"{value[name]}（{words[value[name]]}）"
        return named

    def _followed(self, node: Mapping[str, Any], base: str) -> Shape:
        if "$ref" not in node:
            return Shape(node, base, "")
        key = base, json.dumps(node)
        if key not in self._known:
            self._known[key] = self._merged(node, base)
        return self._known[key]

    def _merged(self, node: Mapping[str, Any], base: str) -> Shape:
        merged, kind = dict(node), ""
        while "$ref" in node:
            uri = urljoin(base, node["$ref"])
            base = uri.partition("#")[0]
            if "common.json#/$defs/" in uri:
                kind = uri.rpartition("/")[2]
            node = self._contract.resolve(uri)
            merged = {**node, **merged}
        if "properties" not in merged and "anyOf" in merged:
            merged["properties"] = self._of_any(merged["anyOf"], base)
        return Shape(merged, base, kind)

    def _of_any(self, nodes: Iterable[Mapping[str, Any]], base: str) -> dict[str, Any]:
        """The members of objects of which a value is one. A code of one list is a code of all of them together."""
        found: dict[str, Any] = {}
        for node in nodes:
            for name, member in self._followed(node, base).node.get("properties", {}).items():
                labels = found.get(name, {}).get("x-enum-labels", {}) | member.get("x-enum-labels", {})
                found[name] = member | ({"x-enum-labels": labels} if labels else {})
        return found
