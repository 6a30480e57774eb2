"""The operations under /v1/webhooks."""

from typing import Literal, NotRequired, TypedDict

from tsunagi_client._operations import Driver, Group, content, document, listing, operation
from tsunagi_client._session import Ask
from tsunagi_client.codes import EventType
from tsunagi_client.handovers import Id, new_key

DeliveryState = Literal["waiting", "delivered", "failed"]


class Webhook(TypedDict):
    """Where the organization wants its feed sent."""

    id: str
    url: str
    status: Literal["active", "paused", "disabled"]
    createdAt: str
    waiting: int
    failed: int
    secret: NotRequired[str]
    """What messages are verified with: only when it was added or rotated just now."""
    previousSecretUntil: NotRequired[str]


class Attempt(TypedDict):
    at: str
    outcome: Literal["accepted", "refused", "gone", "timeout", "unreachable", "address_refused"]
    httpStatus: NotRequired[int]


class Delivery(TypedDict):
    """One event on its way to one webhook."""

    id: str
    messageId: str
    type: EventType | Literal["webhook.test"]
    status: DeliveryState
    attempts: int
    createdAt: str
    nextAttemptAt: NotRequired[str]
    lastAttempt: NotRequired[Attempt]


class Webhooks(Group[Driver]):
    """Have the feed sent. To verify what arrives, use a Standard Webhooks library and the secret."""

    @operation("createWebhook", "POST", "/v1/webhooks")
    def add(self, url: str, *, idempotency_key: str | None = None) -> Ask[Webhook]:
        """What happens from now on is sent to `url`. Keep the `secret` of the answer: it is not told again."""
        return Ask(document, headers=new_key(idempotency_key), body={"url": url})

    @listing("listWebhooks", "/v1/webhooks")
    def list(self) -> Ask[Webhook]:
        return Ask(document)

    @operation("getWebhook", "GET", "/v1/webhooks/{webhookId}")
    def get(self, webhook_id: Id) -> Ask[Webhook]:
        return Ask(document, path={"webhookId": webhook_id})

    @operation("deleteWebhook", "DELETE", "/v1/webhooks/{webhookId}")
    def remove(self, webhook_id: Id) -> Ask[bytes]:
        """Nothing is sent there any more."""
        return Ask(content, path={"webhookId": webhook_id})

    @operation("pauseWebhook", "POST", "/v1/webhooks/{webhookId}/pause")
    def pause(self, webhook_id: Id, *, idempotency_key: str | None = None) -> Ask[Webhook]:
        """Nothing is sent until it is resumed; what happens meanwhile is sent then."""
        return Ask(document, path={"webhookId": webhook_id}, headers=new_key(idempotency_key), body={})

    @operation("resumeWebhook", "POST", "/v1/webhooks/{webhookId}/resume")
    def resume(self, webhook_id: Id, *, idempotency_key: str | None = None) -> Ask[Webhook]:
        """It goes on where it was paused, or disabled by a 410."""
        return Ask(document, path={"webhookId": webhook_id}, headers=new_key(idempotency_key), body={})

    @operation("rotateWebhookSecret", "POST", "/v1/webhooks/{webhookId}/rotate")
    def rotate(self, webhook_id: Id, *, idempotency_key: str | None = None) -> Ask[Webhook]:
        """A new `secret`; for 24 hours messages carry the previous one's signature, too."""
        return Ask(document, path={"webhookId": webhook_id}, headers=new_key(idempotency_key), body={})

    @operation("testWebhook", "POST", "/v1/webhooks/{webhookId}/test")
    def test(self, webhook_id: Id, *, idempotency_key: str | None = None) -> Ask[Delivery]:
        """One `webhook.test` is sent soon; `deliveries` tells how it went."""
        return Ask(document, path={"webhookId": webhook_id}, headers=new_key(idempotency_key), body={})

    @listing("listWebhookDeliveries", "/v1/webhooks/{webhookId}/deliveries")
    def deliveries(
        self, webhook_id: Id, *, status: DeliveryState | None = None, page_size: int | None = None
    ) -> Ask[Delivery]:
        """The newest first."""
        query = {"status": status, "limit": page_size}
        return Ask(document, path={"webhookId": webhook_id}, query=query)

    @operation("resendWebhookDelivery", "POST", "/v1/webhooks/{webhookId}/deliveries/{deliveryId}/resend")
    def resend(self, webhook_id: Id, delivery_id: Id, *, idempotency_key: str | None = None) -> Ask[Delivery]:
        """Whatever its status, it is sent again at once."""
        path = {"webhookId": webhook_id, "deliveryId": delivery_id}
        return Ask(document, path=path, headers=new_key(idempotency_key), body={})
