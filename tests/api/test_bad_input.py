"""What no client should send gets a documented 4xx that names the fault, and never a 500."""

import json
from typing import Any

import pytest

from tests.api.test_refusals import put
from tests.world import World, consent_for, settlement_record

ABSENT = "01930000-0000-7000-8000-00000000dead"
CREATING = ("/v1/handovers", "/v1/consents", "/v1/people", "/v1/people/match")


def record_with(world: World, member: str) -> bytes:
    """A complete record with one more member, as text."""
    whole = json.dumps(settlement_record(world.center.id), ensure_ascii=False)
    return (whole[:-1] + "," + member + "}").encode()


MALFORMED: dict[str, bytes] = {
    "empty": b" ",
    "broken": b'{"a":',
    "a single quote": b"{'a': 1}",
    "a trailing comma": b'{"a": 1,}',
    "two documents": b"{} {}",
    "a comment": b"{} // done",
    "a repeated key": b'{"schemaVersion":"1.0.0","schemaVersion":"1.0.0"}',
    "a repeated key that is escaped once": b'{"a":1,"\\u0061":2}',
    "NaN": b'{"extensions":{"a":NaN}}',
    "Infinity": b'{"extensions":{"a":-Infinity}}',
    "half a surrogate pair": b'{"extensions":{"a":"\\ud842"}}',
    "the other half": b'{"extensions":{"a":"\\udfb7"}}',
    "half a surrogate pair in a key": b'{"extensions":{"\\ud842":"a"}}',
    "half a surrogate pair in UTF-8": b'{"extensions":{"a":"\xed\xa1\x82"}}',
    "NUL": b'{"extensions":{"a":"\\u0000"}}',
    "a raw control character": b'{"extensions":{"a":"\x01"}}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "Shift_JIS": '{"a":"髙"}'.encode("cp932"),
    "deep nesting": b'{"extensions":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep nesting of objects": b'{"a":' * 65 + b"1" + b"}" * 65,
    "an integer of 5,000 digits": b'{"extensions":{"a":' + b"9" * 5000 + b"}}",
}
OUT_OF_SHAPE: dict[str, bytes] = {
    "null": b"null",
    "a list": b"[]",
    "a string": b'"record"',
    "a number": b"1",
    "an empty object": b"{}",
}
ODD_NUMBERS = (
    "1e400",
    "-1e400",
    "9" * 400,
    "0." + "1" * 400,
    "1e-400",
    "-0",
    "-0.0",
    "1E5",
    "18446744073709551616",
)


@pytest.mark.parametrize("name", MALFORMED)
async def test_what_is_no_json_is_a_bad_request(world: World, name: str) -> None:
    for path in CREATING:
        answer = await world.settlement.post(path, MALFORMED[name])
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_json")
        assert answer.json()["detail"]


@pytest.mark.parametrize("name", OUT_OF_SHAPE)
async def test_what_is_json_of_another_shape_cannot_be_processed(world: World, name: str) -> None:
    for path in CREATING:
        answer = await world.settlement.post(path, OUT_OF_SHAPE[name])
        assert (answer.status_code, answer.json()["code"]) == (422, "schema_invalid")
        assert all(error["message"] for error in answer.json()["errors"])


@pytest.mark.parametrize("number", ODD_NUMBERS, ids=lambda number: number[:12])
async def test_an_odd_number_is_kept_to_the_letter_or_refused(world: World, number: str) -> None:
    member = f'"extensions":{{"jp.example":{{"n":{number}}}}}'
    answer = await world.settlement.post("/v1/handovers", record_with(world, member))
    assert answer.status_code in (201, 400, 422), answer.text
    if answer.status_code == 201:
        read = await world.settlement.get(f"/v1/handovers/{answer.json()['id']}")
        assert member in read.text


async def test_a_body_beyond_the_limit_is_too_large(world: World) -> None:
    limit = world.services.settings.max_body_bytes
    just = b"{" + b" " * (limit - 2) + b"}"
    assert (await world.settlement.post("/v1/handovers", just)).status_code == 422
    over = await world.settlement.post("/v1/handovers", just + b" ")
    assert (over.status_code, over.json()["code"]) == (413, "body_too_large")
    assert f"{limit:,}" in over.json()["detail"]


FLOODS: dict[str, tuple[tuple[str, ...], Any]] = {
    "items": (("sections", "support_plan", "items"), [{}] * 4_000),
    "names": (("sections", "identity", "certificate"), {f"birthDat{number}": 1 for number in range(4_000)}),
    "deeper": (("sections", "family", "members"), [{"roles": [str(number) for number in range(4_000)]}]),
}


@pytest.mark.parametrize("flood", FLOODS)
async def test_a_flood_of_mistakes_is_refused_for_its_first_one(world: World, flood: str) -> None:
    place, value = FLOODS[flood]
    flooded = put(settlement_record(world.center.id), place, value)
    answer = await world.settlement.post("/v1/handovers", flooded)
    assert (answer.status_code, len(answer.json()["errors"])) == (422, 1)


@pytest.mark.parametrize("flood", FLOODS)
async def test_too_many_values_are_refused_where_they_stand(world: World, flood: str) -> None:
    place, value = FLOODS[flood]
    flooded = put(settlement_record(world.center.id), place, value * 6 if isinstance(value, list) else value)
    if isinstance(value, dict):
        flooded = put(flooded, place, {f"{name}{number}": 1 for name in value for number in range(6)})
    answer = await world.settlement.post("/v1/handovers", flooded)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_json")
    (error,) = answer.json()["errors"]
    assert error["code"] == "json.values"
    assert error["pointer"].startswith("/" + "/".join(place))
    assert "birthDat" not in answer.text


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "application/json5", "multipart/form-data"]
)
async def test_another_content_type_is_unsupported(world: World, kind: str) -> None:
    answer = await world.settlement.post(
        "/v1/consents", consent_for(ABSENT, world.center.id), Content_Type=kind
    )
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON"])
async def test_a_parameter_of_the_content_type_does_not_matter(world: World, kind: str) -> None:
    answer = await world.settlement.post(
        "/v1/handovers?dryRun=true", settlement_record(world.center.id), Content_Type=kind
    )
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    "bad",
    [
        "1",
        "not-a-uuid",
        "%00",
        "..%2f",
        ABSENT[:-1],
        ABSENT + "0",
        "{" + ABSENT + "}",
        ABSENT.replace("-", ""),
    ],
)
async def test_an_id_that_is_none_is_a_bad_parameter(world: World, bad: str) -> None:
    for path in (f"/v1/handovers/{bad}", f"/v1/handovers/{bad}/versions/1", f"/v1/consents/{bad}"):
        answer = await world.settlement.get(path)
        assert (answer.status_code, answer.json()["code"]) in ((400, "invalid_parameter"), (404, "not_found"))
    answer = await world.settlement.post(f"/v1/handovers/{bad}/offer")
    assert answer.status_code in (400, 404)


@pytest.mark.parametrize("version", ["0", "-1", "1.0", "x", "999999999999", "9" * 30, "+1", "１"])
async def test_a_version_that_cannot_be_is_a_bad_parameter(world: World, version: str) -> None:
    drafted = await world.draft()
    answer = await world.settlement.get(f"/v1/handovers/{drafted['id']}/versions/{version}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")


async def test_a_version_that_is_not_there_is_not_found(world: World) -> None:
    drafted = await world.draft()
    answer = await world.settlement.get(f"/v1/handovers/{drafted['id']}/versions/2")
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "unknown=1",
        "status=",
        "status=accepted,accepted",
        "status=sleeping",
        "status=offered&status=received",
        "direction=sideways",
        "dueBefore=2027-02-30",
        "dueBefore=tomorrow",
        "window=ajar",
        "limit=0",
        "limit=201",
        "limit=ten",
        "limit=1&limit=2",
        "cursor=",
        "cursor=x",
        "cursor=W10",
        "cursor=bnVsbA",
        "cursor=IiI",
        "cursor=WyIyMDI3LTAxLTAxIiwgMV0",
        "cursor=Wzk5OTksICJhIl0",
        "area=12%2091",
        "LIMIT=5",
    ],
)
async def test_a_bad_query_is_refused_by_name(world: World, query: str) -> None:
    answer = await world.settlement.get(f"/v1/handovers?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter"), answer.text
    assert answer.json().get("errors") or answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "end"),
    [
        ("findings?from=2026-12-01&to=2026-11-01", "to"),
        ("findings?from=2026-12-01&to=2026-12-01", "to"),
        ("ledger/entries?from=2026-12-01T00:00:00%2B09:00&to=2026-11-30T15:00:00Z", "to"),
        ("responsibility/changes?since=2026-12-01T00:00:00Z&until=2026-11-01T00:00:00Z", "until"),
        ("provisions?from=2026-12-01&to=2026-11-01", "to"),
        ("fee-reduction-evidence?from=2026-12-01&to=2026-11-01", "to"),
    ],
)
async def test_a_time_that_ends_before_it_begins_is_refused_at_its_end(
    world: World, path: str, end: str
) -> None:
    answer = await world.settlement.get(f"/v1/{path}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter"), answer.text
    (error,) = answer.json()["errors"]
    assert (error["code"], error["parameter"]) == ("parameter.order", end)


async def test_a_time_may_be_a_single_day(world: World) -> None:
    answer = await world.settlement.get("/v1/findings?from=2026-12-01&to=2026-12-02")
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("key", ["", "a b", "鍵", "x" * 256])
async def test_an_idempotency_key_that_is_none_is_refused(world: World, key: str) -> None:
    headers: dict[str, Any] = {"Idempotency-Key": key.encode()}
    answer = await world.settlement.call(
        "POST", "/v1/handovers", settlement_record(world.center.id), headers=headers
    )
    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] in ("invalid_parameter", "idempotency_key_required")


@pytest.mark.parametrize("header", ["x" * 200, "a b", "ünïcode", "<script>"])
async def test_an_odd_request_id_is_replaced(world: World, header: str) -> None:
    answer = await world.settlement.call("GET", "/v1/handovers", headers={"X-Request-Id": header.encode()})  # type: ignore[dict-item]
    assert answer.status_code == 200
    assert answer.headers["x-request-id"] != header


@pytest.mark.parametrize("header", ["", "*", "en;q=x", "xx-yy;q=0.1,,;;", "\xff", "ja" * 5000])
async def test_no_language_is_refused(world: World, header: str) -> None:
    headers: dict[str, Any] = {"Accept-Language": header.encode("latin-1")}
    answer = await world.settlement.call("GET", f"/v1/handovers/{ABSENT}", headers=headers)
    assert (answer.status_code, answer.json()["title"]) == (404, "見つかりません")


@pytest.mark.parametrize("tag", ["", "x", '"', 'W/"', "," * 1000, '"1.1-ffffffffffff"', "\xff"])
async def test_a_tag_that_never_was_fails_the_precondition(world: World, tag: str) -> None:
    drafted = await world.draft()
    headers: dict[str, Any] = {"If-Match": tag.encode("latin-1")}
    answer = await world.settlement.call(
        "PUT", f"/v1/handovers/{drafted['id']}", settlement_record(world.center.id), headers=headers
    )
    assert answer.status_code == 412, answer.text
