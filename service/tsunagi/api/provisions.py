"""The operations of the tag Provisions."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from fastapi.responses import Response

from tsunagi.api.bodies import dumped, present
from tsunagi.api.edge import Call, Routes
from tsunagi.api.listing import cursor, opened_cursor, paged
from tsunagi.api.sheets import Format, format_of, labels, name_of, printed, sheet
from tsunagi.clock import JAPAN
from tsunagi.disclosure import actions as disclosure
from tsunagi.disclosure.actions import Told
from tsunagi.errors import InvalidParameter, Notice, Text
from tsunagi.ids import HandoverId, PersonId
from tsunagi.ledger.rules import Action
from tsunagi.paper.rules import Document, Facts, Table
from tsunagi.provisions import actions
from tsunagi.provisions.rules import CONSENT_VERSION, Party, Provision
from tsunagi.provisions.store import Filter, Place

routes = Routes()

FILE_ROWS: Mapping[Format, int] = {"csv": 5_000, "pdf": 500}
"""A file has everything that was asked for, and no more than this: one request must not take long."""

Seen = Sequence[tuple[Provision, Told]]
"""Records, each with what the caller may be told beside it."""


@routes.operation("listProvisions")
async def list_provisions(call: Call) -> Response:
    wanted = format_of(call)
    if wanted == "json":
        limit = call.parameters["limit"]
        found = await _seen(call, "provisions:read", after=_after(call), limit=limit + 1)
        last = found[limit - 1][0] if len(found) > limit else None
        end = cursor([last.provided_on.isoformat(), str(last.id)]) if last else None
        return paged(call, [dumped(_provision(call, *one)) for one in found[:limit]], end)
    found = await _seen(call, "provisions:export", limit=FILE_ROWS[wanted] + 1)
    if len(found) > FILE_ROWS[wanted]:
        raise _too_many(FILE_ROWS[wanted])
    name = f"provisions-{call.by.acting.today}"
    if wanted == "pdf":
        return printed(name, await call.services.printer.print(await _document(call, found)))
    return sheet(name, _TITLES, _rows(call, found))


def _too_many(most: int) -> InvalidParameter:
    text = Text(
        f"{most:,}件を超えます。from と to で期間を狭めてください",
        f"More than {most:,} records: narrow the period with from and to",
    )
    notice = Notice("parameter.too_many", "error", text, parameter="from", party="client")
    return InvalidParameter(text, errors=(notice,))


async def _seen(call: Call, action: Action, *, limit: int, after: Place | None = None) -> Seen:
    """The records are looked at from above; what their handovers say, as one of the sides, which may read them."""
    async with call.services.db.write(call.overseeing) as tx:
        found = await actions.listed(tx, call.by, _filter(call), after=after, limit=limit, action=action)
    own = [one for one in found if one.role_of(call.by.organization_id) != "auditor"]
    async with call.services.db.read(call.acting) as tx:
        told = await disclosure.told(tx, call.by, own)
    return [(one, told.get(one.id, Told())) for one in found]


def _filter(call: Call) -> Filter:
    asked = call.parameters
    return Filter(
        role=asked.get("role"),
        since=date.fromisoformat(asked["from"]) if "from" in asked else None,
        until=date.fromisoformat(asked["to"]) if "to" in asked else None,
        person_id=PersonId(UUID(asked["personId"])) if "personId" in asked else None,
        handover_id=HandoverId(UUID(asked["handoverId"])) if "handoverId" in asked else None,
    )


def _after(call: Call) -> Place | None:
    if "cursor" not in call.parameters:
        return None
    on, provision_id = opened_cursor(call.parameters["cursor"], date.fromisoformat, UUID)
    return on, provision_id


def _provision(call: Call, one: Provision, told: Told) -> dict[str, Any]:
    return present(
        id=one.id,
        role=one.role_of(call.by.organization_id),
        providedOn=one.provided_on,
        providedAt=one.provided_at,
        handoverId=one.handover_id,
        version=one.version,
        personId=one.person_id,
        personName=told.person_name,
        giver=_party(one.giver),
        receiver=_party(one.receiver),
        acquisition=one.acquisition,
        acquisitionStatement=told.acquisition,
        ground=one.ground,
        consents=[{"id": str(consent), "version": CONSENT_VERSION} for consent in one.consent_ids],
        sections=list(one.sections),
        means=one.means,
        sameCorporation=one.same_corporation,
        statutory=one.statutory,
        unknown=one.unknown or None,
        withheldFromPerson=one.withheld_from_person,
        recordedBy="platform",
        ledgerEntryId=one.entry_id,
        retainUntil=one.retain_until,
    )


def _party(one: Party) -> dict[str, Any]:
    body = present(
        name=one.corporate_name,
        corporateNumber=one.corporate_number,
        address=one.corporate_address,
        representative=one.representative,
    )
    return present(id=one.id, kind=one.kind, name=one.name, address=one.address, corporateBody=body or None)


_SIDE = ("の名称", "の住所", "の法人名", "の法人番号", "の法人の住所", "の代表者")
_TITLES = (
    *("記録ID", "立場", "提供年月日", "提供日時", "引継ぎID", "記録の版", "本人ID", "本人の氏名"),
    *(f"提供元{title}" for title in _SIDE),
    *(f"提供先{title}" for title in _SIDE),
    *("取得の経緯", "提供の根拠", "同意ID", "項目", "方法", "同一法人", "法定の記録", "不明な事項"),
    *("本人への不開示", "作成者", "台帳の記載ID", "保存期限（この日の前日まで）"),
)
_RECORDED_BY = "本システム（提供元・提供先に代わり作成）"
_UNKNOWN = {
    "/giver/address": "提供元の住所",
    "/giver/representative": "提供元の代表者",
    "/receiver/address": "提供先の住所",
    "/receiver/representative": "提供先の代表者",
}


def _rows(call: Call, found: Seen) -> Iterator[tuple[object, ...]]:
    properties = {
        name: labels(call, f"provision.json#/properties/{name}")
        for name in ("role", "acquisition", "ground", "means", "withheldFromPerson")
    }
    sections = labels(call, "common.json#/$defs/section")
    for one, told in found:
        role = properties["role"][one.role_of(call.by.organization_id)]
        at = one.provided_at.astimezone(JAPAN)
        yield (
            *(one.id, role, one.provided_on, f"{at:%Y-%m-%d %H:%M:%S}", one.handover_id, one.version),
            *(one.person_id, told.person_name, *_cells(one.giver), *_cells(one.receiver)),
            told.acquisition or properties["acquisition"][one.acquisition],
            *(properties["ground"][one.ground], " ".join(str(consent) for consent in one.consent_ids)),
            *("、".join(sections[section] for section in one.sections), properties["means"][one.means]),
            *(_yes(one.same_corporation), _yes(one.statutory)),
            "、".join(_UNKNOWN[place] for place in one.unknown),
            properties["withheldFromPerson"].get(one.withheld_from_person or ""),
            *(_RECORDED_BY, one.entry_id, one.retain_until),
        )


def _cells(one: Party) -> tuple[object, ...]:
    body = (one.corporate_name, one.corporate_number, one.corporate_address, one.representative)
    return (one.name, one.address, *body)


def _yes(fact: object) -> str:
    return "はい" if fact else "いいえ"


async def _document(call: Call, found: Seen) -> Document:
    """The records for print: each in a few lines, with all that the law asks for."""
    asked = call.parameters
    since, until = (asked.get(name) for name in ("from", "to"))
    period = f"{since or '最初'} から {until or '最新'}{'の前日' if until else ''}まで"
    facts = [("提供の期間", period), ("件数", f"{len(found)}件"), ("作成", _RECORDED_BY)]
    head = ("提供年月日", "本人", "提供元", "提供先", "項目", "根拠・取得の経緯", "記録・保存")
    rows = [[_text(part) for part in _printed_row(row)] for row in _rows(call, found)]
    return Document(
        id=call.request_id,
        title="第三者提供記録（個人情報保護法第29条・第30条）",
        language="ja",
        origin=call.services.settings.base_url,
        issuer=await name_of(call, call.by.organization_id),
        issued_at=call.at,
        blocks=[Facts(facts), Table(head, (9, 17, 17, 17, 13, 17, 17), rows, "この条件の記録はありません")],
        landscape=True,
    )


def _printed_row(row: Sequence[object]) -> Iterator[Sequence[object]]:
    """The cells of a sheet's row, gathered into those of the printed table."""
    of = dict(zip(_TITLES, row, strict=True))
    yield (of["提供年月日"], of["方法"], "同一法人" if of["同一法人"] == "はい" else None)
    yield (of["本人の氏名"], of["本人ID"])
    for side in ("提供元", "提供先"):
        yield (
            *(of[f"{side}の名称"], of[f"{side}の住所"], of[f"{side}の法人名"], of[f"{side}の法人の住所"]),
            f"代表者：{of[f'{side}の代表者'] or '不明'}",
        )
    yield (of["項目"],)
    yield (of["提供の根拠"], of["同意ID"], of["取得の経緯"])
    yield (
        of["記録ID"],
        "法定の記録" if of["法定の記録"] == "はい" else "内部の記録",
        f"{of['保存期限（この日の前日まで）']} の前日まで保存",
        f"本人へ不開示：{of['本人への不開示']}" if of["本人への不開示"] else None,
    )


def _text(parts: Sequence[object]) -> str:
    return "\n".join(str(part) for part in parts if part is not None)
