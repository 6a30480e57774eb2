"""The operations of the tag Evidence."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from fastapi.responses import Response

from tsunagi.api.bodies import present
from tsunagi.api.edge import Call, Routes
from tsunagi.api.idempotency import Answer, once
from tsunagi.api.sheets import format_of, labels, name_of, printed, sheet
from tsunagi.db import WriteTx
from tsunagi.evidence import actions
from tsunagi.evidence.actions import Collected
from tsunagi.evidence.rules import Condition, Evidence, Guideline, Month, Shown
from tsunagi.ids import OrganizationId
from tsunagi.paper.rules import Block, Document, Facts, Heading, Paragraph, Table

routes = Routes()


@routes.operation("adoptSharingGuideline")
async def adopt_sharing_guideline(call: Call) -> Response:
    async def produce(tx: WriteTx) -> Answer:
        return Answer(_guideline(await actions.adopt(tx, call.by, call.body)), 201)

    return await once(call, produce)


@routes.operation("listSharingGuidelines")
async def list_sharing_guidelines(call: Call) -> Response:
    async with call.services.db.write(call.overseeing) as tx:
        found = await actions.guidelines(tx, call.by, _of(call))
    return Answer({"items": [_guideline(one) for one in found], "nextCursor": None}).response()


@routes.operation("getFeeReductionEvidence")
async def get_fee_reduction_evidence(call: Call) -> Response:
    wanted, provider = format_of(call), _of(call)
    since, until = (date.fromisoformat(call.parameters[name]) for name in ("from", "to"))
    own = provider == call.by.organization_id
    # One's own consents can be seen in one's own role alone.
    async with call.services.db.write(call.acting if own else call.overseeing) as tx:
        action: Any = "evidence:read" if wanted == "json" else "evidence:export"
        found = await actions.collected(tx, call.by, provider, since=since, until=until, action=action)
    name = f"fee-reduction-evidence-{since}-{until}"
    if wanted == "csv":
        return sheet(name, _TITLES, _rows(call, found))
    if wanted == "pdf":
        return printed(name, await call.services.printer.print(await _document(call, found)))
    return Answer(
        present(
            organizationId=provider,
            to=until,
            asOf=call.by.acting.today,
            applicable=found.applicable,
            guideline=_guideline(found.guideline) if found.guideline else None,
            months=[_month(one) for one in found.months],
            people=[_person(one) for one in found.people],
        )
        | {"from": since.isoformat()}
    ).response()


def _of(call: Call) -> OrganizationId:
    asked = call.parameters.get("organizationId")
    return OrganizationId(UUID(asked)) if asked else call.by.organization_id


def _guideline(one: Guideline) -> dict[str, Any]:
    return present(
        organizationId=one.organization_id,
        version=one.version,
        title=one.title,
        documentHash=one.document_hash,
        documentUrl=one.document_url,
        officer={"name": one.officer_name, "role": one.officer_role},
        effectiveFrom=one.effective_from,
        recordedAt=one.recorded_at,
    )


def _month(one: Month) -> dict[str, Any]:
    return present(
        month=one.month,
        ending=one.ending,
        needed=one.needed,
        complete=one.complete,
        undetermined=one.undetermined,
        reductionThreatened=one.threatened,
        mendableUntil=one.mendable_until,
    )


def _person(one: Evidence) -> dict[str, Any]:
    ending = one.ending
    return present(
        personId=ending.person_id,
        handoverId=ending.handover_id,
        serviceEndsOn=ending.ends_on,
        dueOn=ending.due_on,
        determination=ending.judged,
        complete=one.needed and one.complete,
        statedOn=ending.stated_on,
        conditions=[_condition(shown, ending.due_on) for shown in one.conditions],
    )


def _condition(one: Shown, due_on: date) -> dict[str, Any]:
    return present(
        condition=one.condition,
        status=one.status,
        dueOn=due_on,
        doneOn=one.done_on,
        provisionIds=_ids(one.provisions),
        ledgerEntryIds=_ids(one.entries),
        consentIds=_ids(one.consents),
        guidelineVersion=one.guideline.version if one.guideline else None,
        recordedLater=one.recorded_later or None,
    )


def _ids(found: Sequence[UUID]) -> list[str] | None:
    return [str(one) for one in found] or None


_CONDITIONS: tuple[Condition, ...] = ("guideline", "consent", "sharing", "records")
_TITLES = (
    *("支援の最終日", "本人ID", "引継ぎID", "要継続支援", "期限（3か月前）", "証拠がそろっている"),
    *("指針と責任者", "指針の版", "同意", "同意ID", "情報共有", "共有した日", "記録", "第三者提供記録"),
    *("台帳の記載", "記録に書かれた共有日"),
)


def _rows(call: Call, found: Collected) -> Iterator[tuple[object, ...]]:
    judged = labels(call, "continuing-needs.json#/properties/determination")
    statuses = labels(call, "fee-reduction-evidence.json#/$defs/condition/properties/status")
    for one in found.people:
        ending, of = one.ending, {shown.condition: shown for shown in one.conditions}
        needed = {True: "はい", False: "いいえ"}[one.complete] if one.needed else None
        yield (
            *(ending.ends_on, ending.person_id, ending.handover_id, judged[ending.judged], ending.due_on),
            *(needed, *_cells(of, statuses), ending.stated_on),
        )


def _cells(of: dict[Condition, Shown], statuses: Any) -> Iterator[object]:
    if not of:
        yield from (None,) * 9
        return
    guideline, consent, sharing, records = (of[name] for name in _CONDITIONS)
    later = "（後日登録）" if guideline.recorded_later else ""
    yield statuses[guideline.status] + later
    yield guideline.guideline.version if guideline.guideline else None
    yield statuses[consent.status]
    yield " ".join(map(str, consent.consents)) or None
    yield statuses[sharing.status]
    yield sharing.done_on
    yield statuses[records.status]
    yield " ".join(map(str, records.provisions)) or None
    yield " ".join(map(str, records.entries)) or None


async def _document(call: Call, found: Collected) -> Document:
    """For the file that is shown at an inspection: the guideline, the months, each person."""
    asked, provider = call.parameters, await name_of(call, _of(call))
    period = ("支援終了の期間", f"{asked['from']} から {asked['to']} の前日まで")
    blocks: list[Block] = [Facts([("事業所", provider), period, *_of_guideline(found)])]
    blocks += [Heading("終了月ごとのまとめ"), _months(found)]
    blocks += [Heading("人ごとの確認"), _people(call, found)]
    if not found.applicable:
        blocks = [Paragraph("就労定着支援事業所ではないため、この減算の対象ではありません。", framed=True)]
    return Document(
        id=call.request_id,
        title="支援体制構築未実施減算の確認書",
        language="ja",
        origin=call.services.settings.base_url,
        issuer=await name_of(call, call.by.organization_id),
        issued_at=call.at,
        blocks=blocks,
        landscape=True,
    )


def _of_guideline(found: Collected) -> list[tuple[str, str]]:
    one = found.guideline
    if one is None:
        return [("指針", "登録されていません"), ("責任者", "登録されていません")]
    return [
        ("指針", f"{one.title}（第{one.version}版、{one.effective_from} から）"),
        ("指針の文書", one.document_url or f"SHA-256 {one.document_hash}"),
        ("責任者", f"{one.officer_name}（{one.officer_role}）"),
    ]


def _months(found: Collected) -> Table:
    head = ("終了月", "終了", "要継続支援", "証拠あり", "未判断", "減算のおそれ", "補える最後の日")
    rows = [
        (
            *(one.month, f"{one.ending}人", f"{one.needed}人", f"{one.complete}人", f"{one.undetermined}人"),
            *("あり" if one.threatened else "なし", str(one.mendable_until or "")),
        )
        for one in found.months
    ]
    return Table(head, (12, 10, 12, 12, 10, 14, 16), rows, "この期間に支援が終わる人はいません")


def _people(call: Call, found: Collected) -> Table:
    head = (
        "支援の最終日\n期限（3か月前）",
        "本人ID",
        "要継続支援",
        "指針と責任者",
        "本人の同意",
        "情報共有",
        "記録",
    )
    rows = []
    for row in _rows(call, found):
        of = {title: str(cell) for title, cell in zip(_TITLES, row, strict=True) if cell is not None}
        gathered = (
            ("支援の最終日", "期限（3か月前）"),
            ("本人ID",),
            ("要継続支援",),
            ("指針と責任者",),
            ("同意", "同意ID"),
            ("情報共有", "共有した日"),
            ("記録", "第三者提供記録", "台帳の記載"),
        )
        rows.append(["\n".join(of[title] for title in titles if title in of) for titles in gathered])
    return Table(head, (12, 20, 9, 12, 20, 11, 20), rows, "該当する人はいません")
