"""Registering and recognizing people."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tsunagi.auth.rules import Caller
from tsunagi.db import ReadTx, Write, WriteTx, send
from tsunagi.errors import MatchAmbiguous, NotFound, PersonAlreadyKnown, RateLimited, Text
from tsunagi.ids import PersonId, Stream, opaque_id
from tsunagi.ledger import store as ledger
from tsunagi.ledger.rules import Entry, Record
from tsunagi.people import store
from tsunagi.people.rules import Certificate, KanaAndBirth, MatchKeys, match_key

_BY_HAND = Text(
    "受給者証で照合するか、人が確かめた personId（登録なら distinctFrom）を使ってください",
    "Match by certificate, or use the personId (distinctFrom when registering) that a human has confirmed",
)


@dataclass(frozen=True, slots=True)
class Known:
    """A person as the exchange knows them."""

    id: PersonId
    stream: Stream


def match_keys(secret: bytes, identity: Mapping[str, Any]) -> MatchKeys:
    """The keys of an identity section."""
    certificate = identity.get("certificate")
    return MatchKeys(
        match_key(
            secret,
            KanaAndBirth(identity["familyNameKana"], identity["givenNameKana"], identity["birthDate"]),
        ),
        match_key(secret, Certificate(certificate["municipalityCode"], certificate["number"]))
        if certificate
        else None,
    )


async def register(
    tx: WriteTx,
    at: datetime,
    caller: Caller,
    keys: MatchKeys,
    *,
    request_id: str,
    distinct_from: Collection[PersonId] = (),
) -> Known:
    """The person exists and is in relation with the caller's organization.

    `distinct_from` names the people whom a human has compared and found to be others.

    Raises as `check_unknown`.
    """
    person, writes = await registering(tx, at, caller, keys, distinct_from=distinct_from)
    await send(tx, *writes, *ledger.opening(registered(at, caller, person, request_id=request_id)))
    return person


async def registering(
    tx: WriteTx,
    at: datetime,
    caller: Caller,
    keys: MatchKeys,
    *,
    distinct_from: Collection[PersonId] = (),
) -> tuple[Known, list[Write]]:
    """A new person, and what makes them known but for the entry `registered`. Raises as `check_unknown`."""
    await store.hold(tx, caller.organization_id, *filter(None, (keys.kana_birth, keys.certificate)))
    await check_unknown(tx, caller, keys, distinct_from=distinct_from)
    person = Known(PersonId(opaque_id()), Stream(opaque_id()))
    writes = store.registering(at, caller.organization_id, person.id, person.stream)
    return person, [*writes, store.remembering(at, person.id, caller.organization_id, keys)]


def registered(at: datetime, caller: Caller, person: Known, *, request_id: str) -> Entry:
    return Entry(
        action="people:register",
        at=at,
        actor=caller.actor(request_id),
        stream=person.stream,
        record=Record("person", person.stream),
    )


async def check_unknown(
    tx: ReadTx, caller: Caller, keys: MatchKeys, *, distinct_from: Collection[PersonId] = ()
) -> None:
    """Raises PersonAlreadyKnown when the caller's organization knows one such person, MatchAmbiguous when several."""
    alike = await store.recognize(
        tx, caller.organization_id, kana_birth_key=keys.kana_birth, certificate_key=keys.certificate
    )
    others = [person_id for person_id in alike if person_id not in distinct_from]
    if len(others) > 1:
        raise MatchAmbiguous(_BY_HAND)
    if others:
        raise PersonAlreadyKnown(
            Text(
                "同じ方であればこの personId を使い、別の方であれば POST /v1/people の distinctFrom に示して"
                "登録してください",
                "Use this personId if it is the same person; if it is another, register them at POST /v1/people"
                " with it in distinctFrom",
            ),
            extensions={"personId": str(others[0])},
        )


async def known(tx: ReadTx, caller: Caller, person_id: PersonId) -> Known:
    """Raises NotFound unless the person is in relation with the caller's organization."""
    return Known(person_id, (await _related(tx, caller, person_id)).stream)


async def recognized(
    tx: WriteTx, at: datetime, caller: Caller, person_id: PersonId, keys: MatchKeys
) -> Known:
    """The person, whom the caller's organization recognizes by these keys from now on. Raises as `known`."""
    related = await _related(tx, caller, person_id, keys)
    if not related.recognized:
        await send(tx, store.remembering(at, person_id, caller.organization_id, keys))
    return Known(person_id, related.stream)


async def _related(
    tx: ReadTx, caller: Caller, person_id: PersonId, keys: MatchKeys | None = None
) -> store.Related:
    related = await store.related(tx, person_id, caller.organization_id, keys)
    if related is None:
        raise NotFound(
            Text("personId: 関係のある本人にありません", "personId: nobody the caller is in relation with")
        )
    return related


async def count_match(tx: WriteTx, at: datetime, caller: Caller, *, per_minute: int) -> None:
    """One more attempt is counted; commit it before the match itself, so that refused ones count too.

    Raises RateLimited after `per_minute` attempts in a minute.
    """
    if await store.count_match(tx, at, caller.organization_id) > per_minute:
        raise RateLimited(extensions={"retryAfterSeconds": 60 - at.second})


async def match(
    tx: WriteTx, at: datetime, caller: Caller, key: bytes, *, by_certificate: bool, request_id: str
) -> Known:
    """The one person in relation with the caller's organization who has this key, for a human to confirm.

    Raises NotFound when there is none, MatchAmbiguous when there are several.
    """
    found = await store.recognize(
        tx,
        caller.organization_id,
        kana_birth_key=None if by_certificate else key,
        certificate_key=key if by_certificate else None,
    )
    if not found:
        raise NotFound
    if len(found) > 1:
        raise MatchAmbiguous(_BY_HAND)
    person = await known(tx, caller, found[0])
    await ledger.append(
        tx,
        Entry(
            action="people:match",
            at=at,
            actor=caller.actor(request_id),
            stream=person.stream,
            record=Record("person", person.stream),
        ),
    )
    return person
