"""Checking a receipt: in the browser, where the file stays; or here, for whoever has no scripts and trusts us."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fastapi.responses import Response
from starlette.datastructures import UploadFile

from tsunagi.errors import Text
from tsunagi.ids import number
from tsunagi.web.dates import Dates
from tsunagi.web.ledger import log_keys
from tsunagi.web.names import names_around, names_of
from tsunagi.web.site import pages
from tsunagi.web.visit import Visit
from tsunagi.web.words import ACTIONS
from tsunagi_verifier.entries import Entry, read_json
from tsunagi_verifier.receipts import Receipt, check_receipt
from tsunagi_verifier.refusals import Refused, Unchecked, Unsigned
from tsunagi_verifier.trust import Trust, read_keys
from tsunagi_verifier.trust import log_keys as of_logs

SHOWN_ACTIONS = {code: said for code, said in ACTIONS.items() if code.startswith("handovers:")}


@dataclass(frozen=True, slots=True)
class Checked:
    """How a check has ended: `result` and `reason` as `tsunagi-verify` has them, and what that means in `plain`
    words."""

    result: Literal["good", "wrong", "unchecked"]
    reason: Text | None = None
    plain: Text | None = None
    entries: tuple[Entry, ...] = ()


@pages.get("/verify")
async def verify_page(visit: Visit) -> Response:
    return await _verify_page(visit, await log_keys(visit), None)


@pages.post("/verify")
async def verify(visit: Visit) -> Response:
    keys, raw = await sent(visit, "receipt")
    return await _verify_page(visit, keys, await asyncio.to_thread(verdict, raw, keys, _statuses(visit)))


async def _verify_page(visit: Visit, keys: str, checked: Checked | None) -> Response:
    told = [one.body or {} for one in checked.entries] if checked else []
    return visit.page(
        "verify.html",
        keys=keys,
        checked=checked,
        names=await names_of(visit, (_organization(body) for body in told)),
        around=await names_around(visit),
        actions=SHOWN_ACTIONS,
        statuses=_statuses(visit),
    )


def _statuses(visit: Visit) -> Mapping[str, Text]:
    return visit.words.labels["handover-status"]


def _organization(body: Any) -> str | None:
    return (body.get("actor") or {}).get("organization")


async def sent(visit: Visit, name: str) -> tuple[str, bytes]:
    """The keys, and the bytes of the file."""
    form = await visit.form()
    keys, file = str(form.get("keys", "")), form.get(name)
    raw = await file.read() if isinstance(file, UploadFile) else b""
    await form.close()
    return keys, raw


def verdict(raw: bytes, keys: str, statuses: Mapping[str, Text]) -> Checked:
    """As `tsunagi-verify receipt` says; `statuses`: what they are called."""
    shown: Any = None
    try:
        trust = trusted(keys)
        shown = read_json(file_text(raw))
        receipt = check_receipt(shown, trust)
    except Unchecked as unchecked:
        return Checked("unchecked", Text(unchecked.ja, unchecked.en))
    except Refused as refused:
        return Checked("wrong", Text(refused.ja, refused.en), _altered(refused, shown))
    entries = (*(entry for entry, _ in receipt.proven), *receipt.waiting)
    if waiting := len(receipt.waiting):
        ja, en = f"{waiting}件はまだ検証点に入っていません", f"{waiting} are in no checkpoint yet"
        return Checked("unchecked", Text(ja, en), entries=entries)
    which, proven = number(receipt.handover_id), len(receipt.proven)
    counted = Text(
        f"引継ぎ 番号 {which}：{proven}件の手続が証明されました。"
        "この後に何もなかったことと、発行日時は、証明の外です。",
        f"Handover No. {which}: {proven} steps are proven; "
        "not that nothing has happened since, nor when the receipt was issued.",
    )
    return Checked("good", counted, _reached(receipt, statuses), entries)


def _reached(receipt: Receipt, statuses: Mapping[str, Text]) -> Text | None:
    """As verify.js says it: nothing where the last step's text is not shown."""
    last = receipt.proven[-1][0].body
    if last is None or receipt.status is None:
        return None
    said = str(last.get("action"))
    action = ACTIONS.get(said, Text(said, said))
    state = statuses.get(receipt.status, Text(receipt.status, receipt.status))
    ja, en = (Dates(one).moment(last["at"]) for one in ("ja", "en"))
    return Text(
        f"最後の手続は{ja}の「{action.ja}」で、そのときの引継ぎの状態は「{state.ja}」です。",
        f"The last step is “{action.en}” of {en}; the handover’s state was then “{state.en}”.",
    )


def trusted(keys: str) -> Trust:
    """Raises Unchecked: a mistake in the keys says nothing about what they are to check."""
    try:
        known = of_logs(read_keys(keys.splitlines()))
    except Refused as refused:
        raise Unchecked(refused.ja, refused.en) from None
    if not known:
        raise Unchecked("ログの鍵がありません", "no key of the log")
    return Trust(known)


def file_text(raw: bytes) -> str:
    """Raises Unchecked."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise Unchecked("ファイルを文字として読めません", "the file is not text") from None


def _altered(refused: Refused, shown: Any) -> Text:
    """As verify.js says it."""
    ja, en = "", ""
    if refused.step is not None:
        number, step = refused.step + 1, shown["steps"][refused.step]
        action = step.get("action") if isinstance(step, dict) else None
        unnamed = Text(f"{number}番目の手続", f"step {number}")
        where = ACTIONS.get(action, unnamed) if isinstance(action, str) else unnamed
        ja, en = f"（{where.ja}の記載）", f" (at: {where.en})"
    if isinstance(refused, Unsigned):
        return Text(
            f"このファイルは書き換えられているか、別のログのものです。鍵も確かめてください{ja}。",
            f"This file was altered, or is of another log: look at the keys, too{en}.",
        )
    if ja:
        return Text(f"このファイルは書き換えられています{ja}。", f"This file was altered{en}.")
    return Text(
        "このファイルは書き換えられているか、受渡しの証明ではありません。",
        "This file was altered, or is no receipt.",
    )
