"""A creating request that is sent again gets the answer of the first time.

The answer is kept in the transaction of the change itself: after a crash either both are there or neither.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fastapi.responses import Response
from sqlalchemy import Column, DateTime, Integer, LargeBinary, Table, Text, Uuid, select, text

from tsunagi.api.edge import Call
from tsunagi.db import WriteTx, metadata
from tsunagi.errors import IdempotencyInFlight, IdempotencyKeyReused

answers = Table(
    "idempotent_answers",
    metadata,
    Column("organization_id", Uuid, primary_key=True),
    Column("client_id", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_hash", LargeBinary, nullable=False, comment="SHA-256 of operation, target and body"),
    Column("status", Integer, nullable=False),
    Column("headers", Text, nullable=False, comment="JSON"),
    Column("body", Text, nullable=False, comment="JSON"),
    Column("recorded_at", DateTime(timezone=True), nullable=False, index=True),
)

_try_lock = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))")


@dataclass(frozen=True, slots=True)
class Answer:
    body: Mapping[str, Any]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        return Response(
            json.dumps(self.body, ensure_ascii=False, separators=(",", ":")),
            self.status,
            dict(self.headers),
            media_type="application/json",
        )


KEPT = timedelta(days=7)
"""How long an answer can be had again. It may hold what the caller sent, so not longer than a retry can make sense."""

Produce = Callable[[WriteTx], Awaitable[Answer]]


async def once(call: Call, produce: Produce) -> Response:
    """The answer of `produce`, committed; or, where the key was used before, the answer of that time.

    Raises IdempotencyInFlight while the first request runs, IdempotencyKeyReused when the key came with
    another request.
    """
    key = call.parameters.get("Idempotency-Key")
    async with call.services.db.write() as tx:
        if key is None:
            answer = await produce(tx)
        else:
            answer = await _once(tx, call, key, produce)
    return answer.response()


async def _once(tx: WriteTx, call: Call, key: str, produce: Produce) -> Answer:
    whose = (call.caller.organization_id, call.caller.client_id, key)
    if not await tx.scalar(_try_lock, {"name": " ".join(map(str, ("idempotency", *whose)))}):
        raise IdempotencyInFlight
    request_hash = _request_hash(call)
    kept = (
        await tx.execute(
            select(answers).where(
                answers.c.organization_id == whose[0],
                answers.c.client_id == whose[1],
                answers.c.key == whose[2],
            )
        )
    ).one_or_none()
    if kept is None:
        answer = await produce(tx)
        await _keep(tx, call, key, request_hash, answer)
        return answer
    if kept.request_hash != request_hash:
        raise IdempotencyKeyReused
    headers = json.loads(kept.headers) | {"Idempotency-Replayed": "true"}
    return Answer(json.loads(kept.body), kept.status, headers)


async def _keep(tx: WriteTx, call: Call, key: str, request_hash: bytes, answer: Answer) -> None:
    await tx.execute(
        answers.insert().values(
            organization_id=call.caller.organization_id,
            client_id=call.caller.client_id,
            key=key,
            request_hash=request_hash,
            status=answer.status,
            headers=json.dumps(dict(answer.headers)),
            body=json.dumps(answer.body, ensure_ascii=False),
            recorded_at=call.at,
        )
    )


def _request_hash(call: Call) -> bytes:
    target = f"{call.operation.id}\n{call.request.url.path}\n{call.request.url.query}\n"
    return hashlib.sha256(target.encode() + call.raw).digest()


async def forget_answers(tx: WriteTx, at: datetime) -> None:
    """Answers older than KEPT are gone; their keys can be used anew."""
    await tx.execute(answers.delete().where(answers.c.recorded_at < at - KEPT))
