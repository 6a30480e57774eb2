"""Checking a receipt: in the browser, where the file stays; or here, for whoever has no scripts and trusts us."""

import asyncio
from typing import Any

from fastapi.responses import Response
from starlette.datastructures import UploadFile

from tsunagi.web.ledger import log_keys
from tsunagi.web.site import pages
from tsunagi.web.visit import Visit
from tsunagi_verifier.entries import read_json
from tsunagi_verifier.receipts import check_receipt
from tsunagi_verifier.refusals import Refused
from tsunagi_verifier.trust import Trust, read_keys
from tsunagi_verifier.trust import log_keys as of_logs


@pages.get("/verify")
async def verify_page(visit: Visit) -> Response:
    return visit.page("verify.html", keys=await log_keys(visit), checked=None)


@pages.post("/verify")
async def verify(visit: Visit) -> Response:
    form = await visit.form()
    keys, file = str(form.get("keys", "")), form.get("receipt")
    raw = await file.read() if isinstance(file, UploadFile) else b""
    await form.close()
    checked = await asyncio.to_thread(verdict, raw, keys)
    return visit.page("verify.html", keys=keys, checked=checked)


def verdict(raw: bytes, keys: str) -> dict[str, Any]:
    """`good`, `wrong` or `unchecked`, as `tsunagi-verify receipt` says."""
    try:
        trusted = of_logs(read_keys(keys.splitlines()))
        text = raw.decode()
    except (Refused, UnicodeDecodeError):
        return {
            "result": "unchecked",
            "ja": "鍵かファイルを読めません",
            "en": "the keys or the file are unreadable",
        }
    if not trusted:
        return {"result": "unchecked", "ja": "ログの鍵がありません", "en": "no key of the log"}
    try:
        receipt = check_receipt(read_json(text), Trust(trusted))
    except Refused as refused:
        return {"result": "wrong", "ja": refused.ja, "en": refused.en}
    if waiting := len(receipt.waiting):
        ja, en = f"{waiting}件はまだ検証点に入っていません", f"{waiting} are in no checkpoint yet"
        return {"result": "unchecked", "ja": ja, "en": en}
    ja = (
        f"{len(receipt.proven)}件の手続が証明されました。この後に何もなかったことと、発行日時は、証明の外です"
    )
    en = (
        f"{len(receipt.proven)} steps are proven; not that nothing has happened since, nor when it was issued"
    )
    return {"result": "good", "ja": ja, "en": en}
