"""The operations of the tag Webhooks."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from fastapi.responses import Response

from tsunagi.api.bodies import dumped, present
from tsunagi.api.edge import Call, Routes
from tsunagi.api.idempotency import Answer, once
from tsunagi.api.listing import cursor, opened_cursor, paged
from tsunagi.db import WriteTx
from tsunagi.webhooks import actions, store
from tsunagi.webhooks.actions import By
from tsunagi.webhooks.rules import Delivery, Webhook

routes = Routes()


@routes.operation("listWebhooks")
async def list_webhooks(call: Call) -> Response:
    async with call.services.db.read(call.acting) as tx:
        found = await store.of_organization(tx, call.caller.organization_id)
    return Answer({"items": [_webhook(one) for one in found], "nextCursor": None}).response()


@routes.operation("createWebhook")
async def create_webhook(call: Call) -> Response:
    async def produce(tx: WriteTx) -> Answer:
        to_loopback = call.services.settings.webhooks_to_loopback
        return Answer(
            _webhook(*await actions.add(tx, _by(call), call.body["url"], to_loopback=to_loopback)), 201
        )

    return await once(call, produce)


@routes.operation("getWebhook")
async def get_webhook(call: Call) -> Response:
    async with call.services.db.read(call.acting) as tx:
        return Answer(_webhook(await actions.present(tx, call.caller.organization_id, _id(call)))).response()


@routes.operation("deleteWebhook")
async def delete_webhook(call: Call) -> Response:
    async with call.services.db.write(call.acting) as tx:
        await actions.remove(tx, _by(call), _id(call))
    return Response(status_code=204)


@routes.operation("pauseWebhook")
async def pause_webhook(call: Call) -> Response:
    async def produce(tx: WriteTx) -> Answer:
        return Answer(_webhook(await actions.pause(tx, _by(call), _id(call))))

    return await once(call, produce)


@routes.operation("resumeWebhook")
async def resume_webhook(call: Call) -> Response:
    async def produce(tx: WriteTx) -> Answer:
        return Answer(_webhook(await actions.resume(tx, _by(call), _id(call))))

    return await once(call, produce)


@routes.operation("rotateWebhookSecret")
async def rotate_webhook_secret(call: Call) -> Response:
    async def produce(tx: WriteTx) -> Answer:
        return Answer(_webhook(*await actions.rotate(tx, _by(call), _id(call))))

    return await once(call, produce)


@routes.operation("testWebhook")
async def test_webhook(call: Call) -> Response:
    return await _accepted(call, lambda tx: actions.send_test(tx, _by(call), _id(call)))


@routes.operation("resendWebhookDelivery")
async def resend_webhook_delivery(call: Call) -> Response:
    delivery_id = call.id("deliveryId")
    return await _accepted(call, lambda tx: actions.send_again(tx, _by(call), _id(call), delivery_id))


async def _accepted(call: Call, ask: Callable[[WriteTx], Awaitable[Delivery]]) -> Response:
    async def produce(tx: WriteTx) -> Answer:
        return Answer(_delivery(await ask(tx)), 202)

    return await once(call, produce)


@routes.operation("listWebhookDeliveries")
async def list_webhook_deliveries(call: Call) -> Response:
    asked, limit = call.parameters, call.parameters["limit"]
    before = opened_cursor(asked["cursor"], UUID)[0] if "cursor" in asked else None
    async with call.services.db.read(call.acting) as tx:
        await actions.present(tx, call.caller.organization_id, _id(call))
        found = await store.of_webhook(
            tx, _id(call), status=asked.get("status"), before=before, limit=limit + 1
        )
    page = found[:limit]
    end = cursor([str(page[-1].id)]) if len(found) > limit else None
    return paged(call, [dumped(_delivery(one)) for one in page], end)


def _by(call: Call) -> By:
    return By(call.caller.organization_id, call.caller.actor(call.request_id), call.at)


def _id(call: Call) -> UUID:
    return call.id("webhookId")


def _webhook(one: Webhook, secret: str | None = None) -> dict[str, Any]:
    return present(
        id=one.id,
        url=one.url,
        status=one.status,
        createdAt=one.created_at,
        waiting=one.waiting,
        failed=one.failed,
        secret=secret,
        previousSecretUntil=one.previous_secret_until(datetime.now(UTC)),
    )


def _delivery(one: Delivery) -> dict[str, Any]:
    last = present(at=one.tried_at, outcome=one.outcome, httpStatus=one.answer)
    return present(
        id=one.id,
        messageId=one.message_id,
        type=one.type,
        status=one.status,
        attempts=one.attempts,
        createdAt=one.created_at,
        nextAttemptAt=one.due_at if one.status == "waiting" else None,
        lastAttempt=last if one.outcome else None,
    )
