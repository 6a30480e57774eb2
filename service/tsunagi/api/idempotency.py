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
from sqlalchemy import Column, DateTime, LargeBinary, Table, Text, Uuid

from tsunagi.api.edge import Call
from tsunagi.db import Write, WriteTx, fetch, metadata, seen_is_durable, send
from tsunagi.errors import IdempotencyInFlight, IdempotencyKeyReused
from tsunagi.sealing.keys import keys
from tsunagi.sealing.store import Sealed

answers = Table(
    "idempotent_answers",
    metadata,
    Column("organization_id", Uuid, primary_key=True),
    Column("client_id", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("recorded_at", DateTime(timezone=True), nullable=False, index=True),
    Column("data_key", LargeBinary, nullable=False),
    Column(
        "answer",
        Sealed,
        nullable=False,
        comment="sealed: SHA-256 of operation, target and body; and as JSON status, headers and, in a line of its own,"
        " the answer's body",
    ),
)

# What was kept is looked up with the lock in one message. A request that commits in between is not seen, and its
# answer then stands in the way of a second one.
_TAKE = """
    SELECT pg_try_advisory_xact_lock(hashtextextended($4, 0)), a.data_key, a.answer
    FROM (SELECT) AS one LEFT JOIN idempotent_answers a
        ON a.organization_id = $1 AND a.client_id = $2 AND a.key = $3
"""
_KEEP = """
    INSERT INTO idempotent_answers (organization_id, client_id, key, recorded_at, data_key, answer)
    VALUES ($1, $2, $3, $4, $5, $6)
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


_HASH_BYTES = hashlib.sha256().digest_size

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
            await seen_is_durable(tx)
            return kept.response()
        answer = await produce(tx)
        writes = [*answer.writes, *([_keeping(tx, call, key, answer)] if key else [])]
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
    ((alone, data_key, sealed),) = map(tuple, await fetch(tx, _TAKE, *whose, name))
    if not alone:
        raise IdempotencyInFlight
    if sealed is None:
        return None
    where = ("idempotent_answers", *whose)
    text = keys(tx).opened(data_key, *where).unseal(sealed, *where)
    request_hash, (head, _, body) = text[:_HASH_BYTES], text[_HASH_BYTES:].partition(b"\n")
    if request_hash != _request_hash(call):
        raise IdempotencyKeyReused
    status, headers = json.loads(head)
    return Answer(json.loads(body), status, headers | {"Idempotency-Replayed": "true"})


def _keeping(tx: WriteTx, call: Call, key: str, answer: Answer) -> Write:
    whose = (call.caller.organization_id, call.caller.client_id, key)
    data_key = keys(tx).fresh("idempotent_answers", *whose)
    head = json.dumps([answer.status, dict(answer.headers)]).encode()
    text = _request_hash(call) + head + b"\n" + to_json(answer.body)
    sealed = data_key.seal(text, "idempotent_answers", *whose)
    return Write(_KEEP, (*whose, call.at, data_key.wrapped, sealed))


def _request_hash(call: Call) -> bytes:
    target = f"{call.operation.id}\n{call.request.url.path}\n{call.request.url.query}\n"
    return hashlib.sha256(target.encode() + call.raw).digest()


async def forget_answers(tx: WriteTx, at: datetime) -> None:
    """Answers older than KEPT are gone; their keys can be used anew."""
    await tx.execute(answers.delete().where(answers.c.recorded_at < at - KEPT))
