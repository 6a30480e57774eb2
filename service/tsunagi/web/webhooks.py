"""Where the organization's feed is sent, for its administrators; and what became of each message."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import uuid4

from fastapi.responses import Response
from starlette.datastructures import FormData

from tsunagi.errors import NotFound, RuleViolated, SchemaInvalid
from tsunagi.web.asking import asked
from tsunagi.web.settings import administering
from tsunagi.web.site import pages
from tsunagi.web.visit import Visit

SHOWN = 50
"""Deliveries on a page."""

Doing = Callable[[Visit, str, FormData], Awaitable[Any]]


@pages.get("/settings/webhooks")
async def webhooks_page(visit: Visit) -> Response:
    administering(visit)
    return await _webhooks(visit)


@pages.post("/settings/webhooks")
async def add_webhook(visit: Visit) -> Response:
    administering(visit)
    visit.confirmed()
    form = await visit.form()
    url = str(form.get("url", "")).strip()
    try:
        added = await visit.ask("createWebhook", body={"url": url}, headers=_key(form))
    except (RuleViolated, SchemaInvalid) as refused:
        errors = [visit.words.text(one.message) for one in refused.errors]
        return await _webhooks(visit, errors=errors, url=url)
    return await _webhooks(visit, told=added)


async def _webhooks(
    visit: Visit, *, errors: list[str] | None = None, url: str = "", told: Mapping[str, Any] | None = None
) -> Response:
    found = (await visit.ask("listWebhooks"))["items"]
    status = 422 if errors else 200
    return visit.page(
        "webhooks.html", status=status, webhooks=found, errors=errors, url=url, told=told, key=str(uuid4())
    )


@pages.get("/settings/webhooks/{webhook_id}")
async def webhook_page(visit: Visit) -> Response:
    administering(visit)
    return await _webhook(visit, visit.request.path_params["webhook_id"])


@pages.post("/settings/webhooks/{webhook_id}")
async def change_webhook(visit: Visit) -> Response:
    administering(visit)
    form = await visit.form()
    webhook_id, do = visit.request.path_params["webhook_id"], str(form.get("do"))
    if do not in DOING:
        raise NotFound
    if do in ("rotate", "remove"):
        visit.confirmed()
    done = await DOING[do](visit, webhook_id, form)
    if do == "rotate":
        return await _webhook(visit, webhook_id, told=done)
    if do == "remove":
        return visit.redirect("/settings/webhooks", done="removed")
    return visit.redirect(visit.request.url.path, done="saved")


async def _webhook(visit: Visit, webhook_id: str, *, told: Mapping[str, Any] | None = None) -> Response:
    found = await visit.ask("getWebhook", webhookId=webhook_id)
    form = asked(visit, "status", "cursor")
    deliveries = await visit.ask(
        "listWebhookDeliveries",
        webhookId=webhook_id,
        status=form.get("status"),
        limit=SHOWN,
        cursor=form.get("cursor"),
    )
    return visit.page(
        "webhook.html",
        webhook=found,
        deliveries=deliveries["items"],
        onward=deliveries["nextCursor"],
        asked=form,
        told=told,
        key=str(uuid4()),
    )


def _asking(operation_id: str) -> Doing:
    async def do(visit: Visit, webhook_id: str, form: FormData) -> Any:
        return await visit.ask(operation_id, body={}, headers=_key(form), webhookId=webhook_id)

    return do


async def _remove(visit: Visit, webhook_id: str, _form: FormData) -> None:
    await visit.ask("deleteWebhook", webhookId=webhook_id)


async def _resend(visit: Visit, webhook_id: str, form: FormData) -> Any:
    delivery_id = str(form.get("delivery"))
    return await visit.ask("resendWebhookDelivery", body={}, webhookId=webhook_id, deliveryId=delivery_id)


DOING: Mapping[str, Doing] = {
    "test": _asking("testWebhook"),
    "pause": _asking("pauseWebhook"),
    "resume": _asking("resumeWebhook"),
    "rotate": _asking("rotateWebhookSecret"),
    "remove": _remove,
    "resend": _resend,
}


def _key(form: FormData) -> dict[str, str]:
    """So that a form that is sent twice does it once."""
    return {"Idempotency-Key": str(form.get("key") or uuid4())}
