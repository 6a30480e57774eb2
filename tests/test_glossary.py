"""The glossary knows every code that travels, under the label that the schemas give it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.schemas.loader import SCHEMAS
from tsunagi.auth.rules import Scope
from tsunagi.errors import Refusal

ROOT = Path(__file__).parents[1]
LINES = (ROOT / "docs" / "glossary.md").read_text().splitlines()

LISTS = {
    "common.json": ("section", "domain", "role", "handoverType", "handoverStatus", "organizationKind"),
    "handover-status.json": ("action",),
    "handover-domain.json": ("decision",),
    "handover-record.json": ("basis", "senderRoleAfter"),
    "handover.json": ("withheldReason",),
    "organization.json": ("identifierSystem", "successionKind"),
    "milestone.json": ("milestoneKind",),
    "finding.json": ("findingKind",),
    "event.json": ("eventType",),
    "reason.json": ("code",),
    "responsibility-correction.json": ("correctionCode",),
    "responsibility-end.json": ("endCode",),
    "responsibility-change.json": ("versionReason",),
    "consent.json": ("subject", "kind", "method", "code"),
    "consent-resource.json": ("consentStatus",),
    "problem.json": ("responsibleParty",),
    "fee-reduction-evidence.json": ("condition", "status"),
    "webhook-resource.json": ("webhookStatus",),
    "webhook-delivery.json": ("deliveryStatus", "outcome"),
    "provision.json": ("acquisition", "ground", "means", "withheldFromPerson"),
}


def labelled(node: Any, name: str = "") -> Iterator[tuple[str, dict[str, dict[str, str]]]]:
    """Every labelled list of codes inside `node`, with the name of the definition or property that has it."""
    if isinstance(node, list):
        for inner in node:
            yield from labelled(inner, name)
    elif isinstance(node, dict):
        if "x-enum-labels" in node:
            yield name, node["x-enum-labels"]
        for key, inner in node.items():
            yield from labelled(inner, key)


CODES = [
    pytest.param(code, label["ja"], id=f"{schema}:{name}:{code}")
    for schema, names in LISTS.items()
    for name, labels in labelled(SCHEMAS[schema])
    if name in names
    for code, label in labels.items()
]


def test_every_list_of_codes_is_found() -> None:
    for schema, names in LISTS.items():
        assert set(names) <= {name for name, _ in labelled(SCHEMAS[schema])}, schema


@pytest.mark.parametrize(("code", "label"), CODES)
def test_the_glossary_gives_each_code_its_label(code: str, label: str) -> None:
    assert any(f"`{code}`" in line and label in line for line in LINES)


@pytest.mark.parametrize("code", sorted(SCHEMAS["problem.json"]["$defs"]["problemCode"]["enum"]))
def test_the_glossary_has_a_line_for_each_problem(code: str) -> None:
    assert sum(line.startswith(f"| `{code}` |") for line in LINES) == 1


def test_the_problems_are_the_refusals() -> None:
    codes = {refusal.code for refusal in Refusal.__subclasses__()}
    assert codes == set(SCHEMAS["problem.json"]["$defs"]["problemCode"]["enum"])


@pytest.mark.parametrize("scope", list(Scope))
def test_the_glossary_names_each_scope(scope: Scope) -> None:
    assert any(f"`{scope}`" in line for line in LINES)


@pytest.mark.parametrize(
    "room", sorted(path.parent.name for path in ROOT.glob("service/tsunagi/*/__init__.py"))
)
def test_the_glossary_names_each_room(room: str) -> None:
    assert any(line.startswith(f"| `{room}` |") for line in LINES)
