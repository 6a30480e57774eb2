"""Whatever JSON value is validated: the answer is a refusal with places and rules, and never another error."""

import json
import re
import time
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.effort import EFFORT, SEED
from tests.fuzz.mutation import documents, records
from tests.fuzz.test_parser import JSON
from tests.world import ROOT
from tsunagi.contract import Contract
from tsunagi.directory.rules import DEFAULT_AREA_RULES
from tsunagi.errors import InvalidJson, SchemaInvalid
from tsunagi.records import rules
from tsunagi.records.view import RecordView
from tsunagi.strict_json import parse

CONTRACT = Contract(ROOT)
BODIES = {
    operation.id: operation.body
    for operation in CONTRACT.operations.values()
    if operation.body and operation.media_type == "application/json"
}
RECORD = BODIES["createHandover"]
MAX_CPU_SECONDS = 0.1


def examples(operation_id: str) -> tuple[Any, ...]:
    """What the contract shows as a body for the operation."""
    spec = next(
        spec
        for item in CONTRACT.openapi["paths"].values()
        for spec in item.values()
        if isinstance(spec, dict) and spec.get("operationId") == operation_id
    )
    content = CONTRACT._local(spec["requestBody"])["content"]["application/json"]
    return tuple(CONTRACT._local(one)["value"] for one in content["examples"].values())


def judged(uri: str, value: Any) -> bool:
    """Whether it is read, and fits its schema."""
    try:
        parse(json.dumps(value).encode())
    except InvalidJson:
        return False
    verdicts = [verdict(uri, value)]
    while (
        verdicts[-1][1] > MAX_CPU_SECONDS and len(verdicts) < 3
    ):  # the garbage of others is collected meanwhile
        verdicts.append(verdict(uri, value))
    invalid, seconds = verdicts[-1]
    assert seconds < MAX_CPU_SECONDS
    if invalid is not None:
        assert 1 <= len(invalid.errors) <= 50
        for notice in invalid.errors:
            assert re.fullmatch(r"schema\.[a-z_]+", notice.code)
            assert notice.message.ja and notice.message.en
            assert re.fullmatch(r"(/.*)?", notice.pointer, re.DOTALL)
    return invalid is None


def verdict(uri: str, value: Any) -> tuple[SchemaInvalid | None, float]:
    began = time.thread_time()
    try:
        CONTRACT.check(uri, value)
    except SchemaInvalid as invalid:
        return invalid, time.thread_time() - began
    return None, 0.0


@pytest.mark.parametrize("operation_id", BODIES)
def test_bodies_with_something_wrong_are_refused_in_words(operation_id: str) -> None:
    seeds = examples(operation_id)
    verdicts = {judged(BODIES[operation_id], value) for value in documents(EFFORT.documents, seeds)}
    assert False in verdicts or not any(seeds), "an empty body has nothing to be wrong"


@pytest.mark.parametrize("operation_id", BODIES)
@settings(max_examples=EFFORT.examples, derandomize=EFFORT.derandomize)
@given(value=JSON)
def test_any_value_is_refused_in_words(operation_id: str, value: Any) -> None:
    judged(BODIES[operation_id], value)


def test_what_fits_the_schema_fits_the_view_and_the_rules() -> None:
    """Nothing that the schema lets through surprises what comes after it."""
    fitting = 0
    for number, value in enumerate(documents(EFFORT.documents * 4, tuple(map(json.loads, records())))):
        try:
            if judged(RECORD, value):
                fitting += 1
                rules.check(RecordView.model_validate(value), DEFAULT_AREA_RULES, date(2026, 11, 20))
        except BaseException as error:
            error.add_note(f"seed {SEED}, document {number}: {value!r}")
            raise
    assert fitting > 10


@given(seed=st.integers(0, 2**32))
@settings(max_examples=EFFORT.examples, derandomize=EFFORT.derandomize)
def test_many_mistakes_are_told_in_time(seed: int) -> None:
    judged(RECORD, flood(json.loads(records()[seed % len(records())]), seed))


def flood(value: Any, seed: int) -> Any:
    """The same, with one of its lists or objects made as large as it may be to be looked at closely."""
    places = [node for node in nodes(value) if node]
    node = places[seed % len(places)]
    if isinstance(node, list):
        node *= 1_000 // max(1, sum(1 for _ in nodes(node)))
    else:
        node |= {f"{name}{number}": {} for name in list(node) for number in range(900 // len(node))}
    return value


def nodes(value: Any) -> Any:
    if isinstance(value, dict | list):
        yield value
        for item in value.values() if isinstance(value, dict) else value:
            yield from nodes(item)
