"""Bodies that nobody should send: each with the code that refuses it, and where it says that the fault is."""

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.hostile.wire import MARK, Wire
from tests.world import example

MEGABYTE = 1_000_000
LIMIT = 2 * MEGABYTE
"""The service's own, in bytes."""


@dataclass(frozen=True)
class Hostile:
    request: Callable[[Wire], bytes]
    status: int
    code: str
    rule: str
    place: str
    """The pointer, or the name of the header."""

    def names(self, error: dict[str, Any]) -> bool:
        place = str(error.get("parameter", error.get("pointer")))
        return error["code"] == self.rule and (place + "/").startswith(self.place + "/")


def record(place: str, value: Any) -> str:
    """A complete record with this value put at a pointer."""
    whole = example("handover-record/valid/settlement-to-center.json")
    node = whole
    *way, last = place.strip("/").split("/")
    for step in way:
        node = node[step]
    node[last] = value
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":"))


def member(text: str, place: str = "/extensions/note") -> bytes:
    """A complete record with this text as a value."""
    placed = record(place.rpartition("/")[0], {place.rpartition("/")[2]: "@@"})
    return placed.encode().replace(b'"@@"', text.encode("utf-8", "surrogatepass"))


def filled(unit: str, size: int = LIMIT - 20_000) -> str:
    return "[" + ",".join([unit] * (size // (len(unit) + 1))) + "]"


def json_body(body: bytes, rule: str, place: str) -> Hostile:
    return Hostile(lambda wire: wire.post(body), 400, "invalid_json", f"json.{rule}", place)


def shape(body: bytes, rule: str, place: str) -> Hostile:
    return Hostile(lambda wire: wire.post(body), 422, "schema_invalid", f"schema.{rule}", place)


def too_large(request: Callable[[Wire], bytes]) -> Hostile:
    return Hostile(request, 413, "body_too_large", "body.size", "")


def unsupported(header: str, *headers: str, body: bytes = b'{"a": "%s"}' % MARK.encode()) -> Hostile:
    def request(wire: Wire) -> bytes:
        told = ("Idempotency-Key: k", f"Content-Length: {len(body)}", *headers)
        return wire.head("POST /v1/handovers", *told) + body

    return Hostile(request, 415, "unsupported_media_type", "body.media_type", header)


KANA = "/sections/identity/familyNameKana"
CERTIFICATE = "/sections/identity/certificate"
ITEMS = "/sections/support_plan/items"
NAMES = {f"{MARK}{number}": 1 for number in range(15_000)}
DEEP = 100_000

JSON: dict[str, Hostile] = {
    "a name twice": json_body(member(f'{{"{MARK}":1,"{MARK}":2}}'), "repeated_name", "/extensions"),
    "a known name twice": json_body(
        b'{"sections":{"identity":{"familyName":"a","familyName":"b"}}}',
        "repeated_name",
        "/sections/identity/familyName",
    ),
    "NaN": json_body(
        member("NaN", "/sections/employment/weeklyHours"), "not_a_number", "/sections/employment"
    ),
    "-Infinity": json_body(member("[1,-Infinity]"), "not_a_number", "/extensions/note"),
    "an escaped NUL": json_body(member(rf'"{MARK}\u0000"'), "lost_character", "/extensions/note"),
    "NUL in a name": json_body(member(rf'{{"{MARK}\u0000":1}}'), "lost_character", "/extensions/note"),
    "half a pair": json_body(member(rf'"{MARK}\ud842"'), "lost_character", "/extensions/note"),
    "half a pair in UTF-8": json_body(member(f'"{MARK}\ud842"'), "encoding", "/extensions"),
    "a raw NUL": json_body(member(f'"{MARK}\x00"'), "syntax", "/extensions"),
    "broken UTF-8": json_body(
        b'{"sections":{"identity":{"familyName":"\xff\xfe"}}}', "encoding", "/sections/identity"
    ),
    "a byte order mark": json_body(
        b"\xef\xbb\xbf" + record("/extensions", {}).encode(), "byte_order_mark", ""
    ),
    "UTF-16": json_body(record("/extensions", {}).encode("utf-16"), "encoding", ""),
    "deep lists": json_body(member("[" * DEEP + "]" * DEEP), "depth", "/extensions/note"),
    "deep objects": json_body(member('{"a":' * DEEP + "1" + "}" * DEEP), "depth", "/extensions/note"),
    "deep and open": json_body(b'{"sections":' + b"[" * (LIMIT - 20), "depth", "/sections"),
    "200,000 names": json_body(
        record(CERTIFICATE, {f"{n:x}": 1 for n in range(200_000)}).encode(), "values", CERTIFICATE
    ),
    "200,000 items": json_body(record(ITEMS, [0] * 200_000).encode(), "values", ITEMS),
    "a million numbers": json_body(member(filled("0")), "values", "/extensions/note"),
    "a million lists": json_body(member(filled("[]")), "values", "/extensions/note"),
    "a million objects": json_body(member(filled("{}")), "values", "/extensions/note"),
    "a million strings": json_body(member(filled('""')), "values", "/extensions/note"),
    "strings of escapes": json_body(member(filled(r'"\\"')), "values", "/extensions/note"),
    "1e400": json_body(member("1e400"), "number_range", "/extensions/note"),
    "10,000 digits": json_body(member("9" * 10_000), "number_range", "/extensions/note"),
    "two million digits": json_body(member("9" * 1_900_000), "number_range", "/extensions/note"),
    "long numbers": json_body(member(filled("9" * 4_000)), "number_range", "/extensions/note"),
    "open at its end": json_body(record("/extensions", {}).encode()[:-1], "syntax", ""),
    "quotation marks": json_body(b'"' * (LIMIT - 1), "syntax", ""),
    "spaces": json_body(b" " * LIMIT, "syntax", ""),
}
"""Not JSON as it is meant."""

SHAPE: dict[str, Hostile] = {
    "a long text": shape(
        record("/sections/identity/familyName", MARK * 140_000).encode(),
        "max_length",
        "/sections/identity/familyName",
    ),
    "a long text for a pattern": shape(record(KANA, "ア" * 600_000 + MARK).encode(), "pattern", KANA),
    "a long name": shape(record("/extensions", {MARK * 140_000: 1}).encode(), "max_length", "/extensions"),
    "too many names": shape(record("/extensions", NAMES).encode(), "max_properties", "/extensions"),
    "too many items": shape(record(ITEMS, [0] * 19_000).encode(), "max_items", ITEMS),
    "wrong items": shape(
        record("/sections/employment/episodes", [{}] * 1_400).encode(),
        "required",
        "/sections/employment/episodes/0/employerName",
    ),
    "names that are nearly right": shape(
        record("/sections/employment/episodes", [{f"employer{MARK}{n}": 1 for n in range(20)}] * 40).encode(),
        "unknown_member",
        "/sections/employment/episodes/0",
    ),
}
"""JSON, and not what the schema says."""

TRANSFER: dict[str, Hostile] = {
    "20 MB": too_large(lambda wire: wire.post(b"a" * 20 * MEGABYTE)),
    "20 MB in chunks": too_large(lambda wire: wire.chunked([b"a" * 65_536] * 306)),
    "a length nobody sends": too_large(
        lambda wire: (
            wire.post(b"", "X-Length: as said")[:-2].replace(
                b"Content-Length: 0", b"Content-Length: 20000000"
            )
            + b"\r\n"
        )
    ),
    "no type": unsupported("Content-Type"),
    "another type": unsupported("Content-Type", f"Content-Type: text/{MARK}"),
    "another charset": unsupported("Content-Type", "Content-Type: application/json; charset=shift_jis"),
    "gzip": unsupported("Content-Encoding", "Content-Type: application/json", "Content-Encoding: gzip"),
    "a bomb": unsupported(
        "Content-Encoding",
        "Content-Type: application/json",
        "Content-Encoding: gzip",
        body=gzip.compress(b"0" * 300 * MEGABYTE),
    ),
    "a coding nobody knows": unsupported(
        "Content-Encoding", "Content-Type: application/json", f"Content-Encoding: {MARK}"
    ),
}
"""Too much, or in another way than said."""

BODIES = {**JSON, **SHAPE, **TRANSFER}
