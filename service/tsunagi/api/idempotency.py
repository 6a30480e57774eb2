"""A creating request that is sent again gets the answer of the first time.

The answer is kept in the transaction of the change itself: after a crash either both are there or neither.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import asyncpg
from fastapi.responses import Response
from pydantic_core import to_json
from sqlalchemy import Column, DateTime, Integer, LargeBinary, Table, Text, Uuid

from tsunagi.api.edge import Call
from tsunagi.db import Write, WriteTx, fetch, metadata, send
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

# What was kept is looked up with the lock in one message. A request that commits in between is not seen, and its
# answer then stands in the way of a second one.
_TAKE = """
    SELECT pg_try_advisory_xact_lock(hashtextextended($4, 0)), a.request_hash, a.status, a.headers, a.body
    FROM (SELECT) AS one LEFT JOIN idempotent_answers a
        ON a.organization_id = $1 AND a.client_id = $2 AND a.key = $3
"""
_KEEP = """
    INSERT INTO idempotent_answers (
        organization_id, client_id, key, request_hash, status, headers, body, recorded_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""


@dataclass(frozen=True, slots=True)
class Answer:
    body: Mapping[str, Any]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    writes: Sequence[Write] = ()
    """What has to be sent before the answer is true."""

    def response(self) -> Response:
        return Response(
            to_json(self.body),
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
    async with call.services.db.write(call.acting) as tx:
        kept = await _kept(tx, call, key) if key else None
        if kept is not None:
            return kept.response()
        answer = await produce(tx)
        writes = [*answer.writes, *([_keeping(call, key, answer)] if key else [])]
        if writes:
            await _send(tx, writes)
    return answer.response()


async def _send(tx: WriteTx, writes: Sequence[Write]) -> None:
    try:
        await send(tx, *writes)
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name != "idempotent_answers_pkey":
            raise
        raise IdempotencyInFlight from None


async def _kept(tx: WriteTx, call: Call, key: str) -> Answer | None:
    """The answer of the first time, if there was one; nobody else uses the key meanwhile."""
    whose = (call.caller.organization_id, call.caller.client_id, key)
    name = " ".join(map(str, ("idempotency", *whose)))
    ((alone, request_hash, status, headers, body),) = map(tuple, await fetch(tx, _TAKE, *whose, name))
    if not alone:
        raise IdempotencyInFlight
    if request_hash is None:
        return None
    if request_hash != _request_hash(call):
        raise IdempotencyKeyReused
    return Answer(json.loads(body), status, json.loads(headers) | {"Idempotency-Replayed": "true"})


def _keeping(call: Call, key: str, answer: Answer) -> Write:
    whose = (call.caller.organization_id, call.caller.client_id, key)
    headers, body = json.dumps(dict(answer.headers)), to_json(answer.body).decode()
    return Write(_KEEP, (*whose, _request_hash(call), answer.status, headers, body, call.at))


def _request_hash(call: Call) -> bytes:
    target = f"{call.operation.id}\n{call.request.url.path}\n{call.request.url.query}\n"
    return hashlib.sha256(target.encode() + call.raw).digest()


async def forget_answers(tx: WriteTx, at: datetime) -> None:
    """Answers older than KEPT are gone; their keys can be used anew."""
    await tx.execute(answers.delete().where(answers.c.recorded_at < at - KEPT))
