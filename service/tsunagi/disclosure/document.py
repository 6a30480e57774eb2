"""A reading on paper: the same that its reader gets as JSON, which is attached to it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from tsunagi.contract import BASE_URI
from tsunagi.errors import Text
from tsunagi.handovers.steps import By
from tsunagi.ids import number
from tsunagi.layout.rules import Fact, Grid, Group, Layout, Part
from tsunagi.paper.rules import Attachment, Block, Document, Facts, Heading, Line, Paragraph, Table, moment

HANDOVER = f"{BASE_URI}schemas/handover.json"

_STANDING = (
    "status",
    "handoverType",
    "plannedDate",
    "serviceEndsOn",
    "answerDueOn",
    "windowOpensOn",
    "recordedAt",
    "offeredAt",
    "receivedAt",
    "answeredAt",
    "personInCharge",
    "reason",
)
_TEXTS = {
    "title": Text("引継ぎ記録", "Handover record"),
    "notice": Text("引継ぎの予告", "Notice of a handover"),
    "private": Text(
        "個人情報を含みます。開いたことは、閲覧として台帳に残っています。見せてよい人にだけ見せ、保管し、廃棄してください。",
        "Holds personal data. That it was opened is on the ledger, as a reading. Show it to nobody who may not see it.",
    ),
    "number": Text("番号", "No."),
    "person": Text("本人", "The person"),
    "sender": Text("提供元", "Sender"),
    "receiver": Text("提供先", "Receiver"),
    "version": Text("記録の版", "Version of the record"),
    "id": Text("引継ぎID", "Handover id"),
    "printedBy": Text("印刷した人", "Printed by"),
    "printedAt": Text("印刷日時", "Printed at"),
    "withheld": Text("示されない項目群とその理由", "What is not shown, and why"),
    "warnings": Text("注意事項", "Warnings"),
    "about": Text("記録について", "About the record"),
    "attached": Text(
        "この書類には、同じ記録のデータ（handover.json）が添付されています。ソフトウェアに取り込むときや、書き換えられていないことを確かめるときに使います。",
        "The same record as data (handover.json) is attached, for software and to show that nothing was altered.",
    ),
}


def document(
    layout: Layout, reading: Mapping[str, Any], by: By, *, issuer: str, origin: str, attached: str
) -> Document:
    """`reading` is what `attached` says as JSON text; `issuer` the organization that prints it. Every page names the
    person, where the reader may know who it is; the title, which print queues show, does not."""
    title = "title" if "record" in reading else "notice"
    return Document(
        id=reading["id"],
        title=_said(layout, title),
        language=layout.language,
        origin=origin,
        issuer=issuer,
        source=reading["sender"]["name"],
        subject=_subject(layout, reading),
        issued_at=by.at,
        blocks=list(_blocks(layout, reading, by, issuer)),
        attachment=Attachment("handover.json", "application/json", _said(layout, title), attached),
    )


def _blocks(layout: Layout, reading: Mapping[str, Any], by: By, issuer: str) -> Iterator[Block]:
    yield Paragraph(_said(layout, "private"), framed=True)
    yield Facts(list(_standing(layout, reading, by, issuer)))
    if "record" not in reading:
        return
    for name in ("withheld", "warnings"):
        if reading[name]:
            (listed,) = layout.parts(HANDOVER, {name: [_shown(one) for one in reading[name]]})
            yield Heading(_said(layout, name))
            yield from _parts((listed,), titled=False)
    yield from _parts(layout.parts(HANDOVER, {"domains": reading["domains"]}))
    for _, section in layout.sections(reading["record"]):
        yield Heading(section.label)
        yield from _parts(section.parts)
    yield Heading(_said(layout, "about"))
    yield from _parts(layout.header(reading["record"]))
    yield Paragraph(_said(layout, "attached"))


def _shown(one: Mapping[str, Any]) -> dict[str, Any]:
    """Of a warning, what is said to people."""
    return {name: value for name, value in one.items() if name in ("section", "reason", "level", "message")}


def _standing(layout: Layout, reading: Mapping[str, Any], by: By, issuer: str) -> Iterator[tuple[Line, Line]]:
    staff = by.caller.staff
    if "record" in reading and (person := layout.person(reading["record"])):
        yield _said(layout, "person"), person
    yield _said(layout, "sender"), reading["sender"]["name"]
    yield _said(layout, "receiver"), reading["receiver"]["name"]
    told = {name: reading[name] for name in _STANDING if name in reading}
    if "answeredAt" in told:
        told.pop("answerDueOn", None)  # it was until then
    yield from _facts(layout.parts(HANDOVER, told))
    yield _said(layout, "version"), str(reading["version"])
    yield _said(layout, "id"), reading["id"]
    who = (staff.name or staff.id) if staff else str(by.caller.client_id)
    yield _said(layout, "printedBy"), f"{issuer}　{who}"
    yield _said(layout, "printedAt"), moment(by.at, layout.language)


def _subject(layout: Layout, reading: Mapping[str, Any]) -> str:
    short = f"{_said(layout, 'number')} {number(reading['id'])}"
    person = layout.person(reading["record"]) if "record" in reading else ""
    return "　".join(one for one in (person, short) if one)


def _facts(parts: Iterable[Part], of: str = "") -> Iterator[tuple[Line, Line]]:
    for part in parts:
        if isinstance(part, Fact):
            yield f"{of}{part.label}", part.value
        elif isinstance(part, Group):
            yield from _facts(part.parts, f"{part.label}：")


def _parts(parts: Iterable[Part], level: Literal[2, 3] = 2, *, titled: bool = True) -> Iterator[Block]:
    """Facts that stand together become one table; what has parts of its own has a heading."""
    facts: list[tuple[Line, Line]] = []
    for part in parts:
        if isinstance(part, Fact):
            facts.append((part.label, part.value))
            continue
        if facts:
            yield Facts(facts)
            facts = []
        if titled and not _numbered(part):
            yield Heading(part.label, level)
        if isinstance(part, Grid):
            yield Table(part.head, part.widths, part.rows, "")
        else:
            yield from _parts(part.parts, 2 if _numbered(part) else 3)
    if facts:
        yield Facts(facts)


def _numbered(part: Part) -> bool:
    """Whether it is a list whose items repeat its name: 担当者 1, 担当者 2."""
    return isinstance(part, Group) and all(
        isinstance(one, Group) and one.label.startswith(part.label) for one in part.parts
    )


def _said(layout: Layout, name: str) -> str:
    text = _TEXTS[name]
    return text.ja if layout.language == "ja" else text.en
