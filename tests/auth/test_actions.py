"""A client's life: registered, given new keys without a pause, revoked; and each assertion is used once."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from joserfc.jwk import ECKey, OKPKey

from tests.auth.assertions import client_assertion, public_jwk
from tests.auth.conftest import ANY_KEY, ISSUER, OPERATOR, Register, Software, add_organization, registrar
from tsunagi.auth import actions, store
from tsunagi.auth.actions import Admission, Gate
from tsunagi.auth.rules import Scope
from tsunagi.auth.tokens import AccessTokens
from tsunagi.db import Database, WriteTx
from tsunagi.errors import NotFound, RuleViolated, Unauthenticated
from tsunagi.ids import ClientId, OrganizationId
from tsunagi.proofs.actions import Proofs
from tsunagi.proofs.nonces import Nonces


async def rotate(software: Software, key: ANY_KEY, *, now: datetime, **overlap: float) -> None:
    async with software.db.platform() as tx:
        await actions.rotate_key(
            tx, now, OPERATOR, client_id=software.id, jwk=public_jwk(key), overlap=timedelta(**overlap)
        )


async def revoke(software: Software) -> None:
    async with software.db.platform() as tx:
        await actions.revoke_client(tx, datetime.now(UTC), OPERATOR, client_id=software.id)


async def test_an_assertion_is_used_once(software: Software) -> None:
    assertion = software.assertion()
    assert (await software.ask(assertion)).status == 200
    replayed = await software.ask(assertion)
    assert (replayed.status, replayed.body["error"]) == (401, "invalid_client")
    assert "used before" in str(replayed.body["error_description"])
    again = software.assertion(jti="j-1"), software.assertion(jti="j-1")
    assert [(await software.ask(each)).status for each in again] == [200, 401]


async def test_two_clients_may_use_the_same_jti(register: Register) -> None:
    one, other = await register(), await register()
    assert (await one.ask(one.assertion(jti="j-1"))).status == 200
    assert (await other.ask(other.assertion(jti="j-1"))).status == 200


async def test_an_assertion_is_used_up_by_a_request_that_is_refused_otherwise(software: Software) -> None:
    assertion = software.assertion()
    assert (await software.ask(assertion, scope="everything")).body["error"] == "invalid_scope"
    assert "used before" in str((await software.ask(assertion)).body["error_description"])


async def test_a_forged_assertion_does_not_use_up_the_clients_own(software: Software) -> None:
    forged = client_assertion(
        ECKey.generate_key(), software.id, ISSUER, jti="j-1", header={"kid": software.key.thumbprint()}
    )
    assert (await software.ask(forged)).status == 401
    assert (await software.ask(software.assertion(jti="j-1"))).status == 200


async def test_of_many_who_use_an_assertion_at_once_one_wins(
    own_database: Database, tokens: AccessTokens
) -> None:
    software = await registrar(own_database, tokens)()
    assertion = software.assertion()
    answers = await asyncio.gather(*(software.ask(assertion) for _ in range(16)))
    assert sorted(answer.status for answer in answers) == [200] + [401] * 15
    assert all("used before" in str(a.body["error_description"]) for a in answers if a.status == 401)
    outcomes = await software.outcomes()
    assert outcomes.count(("tokens:issue", "permit")) == 1
    assert outcomes.count(("tokens:issue", "deny")) == 15


async def test_expired_assertions_are_forgotten_and_others_kept(software: Software) -> None:
    await software.ask(software.assertion(jti="j-1"))
    now = datetime.now(UTC)
    async with software.db.platform() as tx:
        assert await store.forget_expired(tx, now) == 0
        assert await store.forget_expired(tx, now + timedelta(seconds=90)) == 0, "some clocks lag"
        assert await store.forget_expired(tx, now + timedelta(seconds=150)) == 1


async def test_the_ledger_holds_what_was_decided(software: Software) -> None:
    await software.ask()
    await software.ask(scope="everything")
    await software.ask(software.assertion(aud="https://elsewhere.example"))
    await software.ask(software.assertion(sub="nobody", iss="nobody"))
    assert await software.outcomes() == [
        ("clients:register", "permit"),
        ("tokens:issue", "permit"),
        ("tokens:issue", "deny"),
        ("tokens:issue", "deny"),
    ]


async def test_a_new_key_takes_over_without_a_pause(software: Software) -> None:
    old, new, now = software.key, OKPKey.generate_key(), datetime.now(UTC)
    await rotate(software, new, now=now, hours=24)
    for at, old_is_good in ((0, True), (24 * 3600 - 1, True), (24 * 3600, False), (48 * 3600, False)):
        moment = now + timedelta(seconds=at)
        for key, good in ((old, old_is_good), (new, True)):
            software.key = key
            iat = int(moment.timestamp())
            answer = await software.ask(software.assertion(iat=iat, exp=iat + 60), at=moment)
            assert (answer.status == 200) is good, answer.body
    assert ("clients:rotate", "permit") in await software.outcomes()


async def test_an_overlap_is_never_lengthened_by_the_next_rotation(software: Software) -> None:
    old, now = software.key, datetime.now(UTC)
    await rotate(software, ECKey.generate_key(), now=now, hours=1)
    await rotate(software, ECKey.generate_key(), now=now, hours=24)
    moment = now + timedelta(hours=2)
    iat = int(moment.timestamp())
    assertion = client_assertion(old, software.id, ISSUER, iat=iat, exp=iat + 60)
    assert "'kid'" in str((await software.ask(assertion, at=moment)).body["error_description"])


async def test_a_leaked_key_is_revoked_at_once(software: Software) -> None:
    leaked = software.key
    software.key = ECKey.generate_key()
    await rotate(software, software.key, now=datetime.now(UTC), hours=0)
    answer = await software.ask(client_assertion(leaked, software.id, ISSUER))
    assert "'kid' names no key" in str(answer.body["error_description"])
    assert (await software.ask()).status == 200
    async with software.db.platform() as tx:
        client = await store.find_client(tx, software.id)
    assert client and [key.revoked_at is not None for key in client.keys] == [True, False]


async def test_a_key_comes_back_neither_with_its_id_nor_private(software: Software) -> None:
    for key, overlap, code in (
        (public_jwk(software.key), 1, "client_key_known"),
        (ECKey.generate_key().as_dict(private=True), 1, "client_key_private"),
        (public_jwk(ECKey.generate_key()), -1, "key_overlap"),
        (public_jwk(ECKey.generate_key()), 24 * 31, "key_overlap"),
    ):
        with pytest.raises(RuleViolated) as refused:
            async with software.db.platform() as tx:
                await actions.rotate_key(
                    tx,
                    datetime.now(UTC),
                    OPERATOR,
                    client_id=software.id,
                    jwk=key,
                    overlap=timedelta(hours=overlap),
                )
        assert [notice.code for notice in refused.value.errors] == [code]
    assert (await software.ask()).status == 200


async def test_a_revoked_client_gets_no_token_and_its_tokens_are_refused(software: Software) -> None:
    gate, now = software.gate, datetime.now(UTC)
    token = await software.token()
    assert (await gate.admit(software.shown(token), now)).caller.client_id == software.id
    await revoke(software)
    refused = await software.ask()
    assert (refused.status, refused.body["error"]) == (401, "invalid_client")
    assert "active client" in str(refused.body["error_description"])
    with pytest.raises(Unauthenticated):
        await gate.admit(software.shown(token), now + actions.REVOCATIONS_KEPT)
    with pytest.raises(Unauthenticated):
        await software.gate.admit(software.shown(token), now)
    assert (await software.outcomes())[-2:] == [("clients:revoke", "permit"), ("tokens:issue", "deny")]


class CountingDatabase(Database):
    transactions = 0

    @asynccontextmanager
    async def platform(self) -> AsyncIterator[WriteTx]:
        self.transactions += 1
        async with super().platform() as tx:
            yield tx


async def test_a_gate_asks_the_database_once_a_second(own_url: str, tokens: AccessTokens) -> None:
    db, counted = Database(own_url), CountingDatabase(own_url)
    software, other = await registrar(db, tokens)(), await registrar(db, tokens)()
    held = [(each, await each.token()) for each in (software, other)]
    gate, now = Gate(counted, tokens, Proofs(db, Nonces(b"k" * 32))), datetime.now(UTC)

    def admissions(at: datetime) -> list[Coroutine[Any, Any, Admission]]:
        return [gate.admit(each.shown(token, at=now, nonce=each.nonce(now)), at) for each, token in held * 20]

    await asyncio.gather(*admissions(now))
    await revoke(software)
    shown = software.shown(held[0][1], at=now, nonce=software.nonce(now))
    assert (await gate.admit(shown, now)).caller.client_id == software.id
    assert counted.transactions == 1
    outcomes = await asyncio.gather(*admissions(now + actions.REVOCATIONS_KEPT), return_exceptions=True)
    assert sum(isinstance(outcome, Unauthenticated) for outcome in outcomes) == 20
    assert counted.transactions == 2
    await counted.close()
    await db.close()


async def test_a_revoked_or_unknown_client_is_not_found(software: Software) -> None:
    await revoke(software)
    with pytest.raises(NotFound):
        await revoke(software)
    with pytest.raises(NotFound):
        await rotate(software, ECKey.generate_key(), now=datetime.now(UTC), hours=1)
    software.id = ClientId("nobody")
    with pytest.raises(NotFound):
        await revoke(software)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"client_id": ClientId("taken-already")}, "client_id_taken"),
        ({"client_id": ClientId("no spaces")}, "client_id"),
        ({"client_id": ClientId("tsunagi")}, "client_id"),
        ({"name": ""}, "client_name"),
        ({"name": "x" * 201}, "client_name"),
        ({"name": "a\nb"}, "client_name"),
        ({"organizations": {}}, "client_organizations"),
        ({"organizations": {OrganizationId(uuid4()): frozenset()}}, "client_organizations"),
        ({"organizations": {OrganizationId(uuid4()): {Scope.EVENTS_READ}}}, "client_organization_unknown"),
        ({"jwks": {"keys": [ECKey.generate_key().as_dict(private=True)]}}, "client_key_private"),
    ],
)
async def test_a_registration_that_breaks_a_rule_is_refused(
    db: Database, changes: dict[str, Any], code: str
) -> None:
    async with db.platform() as tx:
        registration: dict[str, Any] = {
            "name": "Kizuna Office",
            "jwks": {"keys": [public_jwk(ECKey.generate_key())]},
            "organizations": {await add_organization(tx): frozenset(Scope)},
        }
        taken = ClientId("taken-already")
        await actions.register_client(tx, datetime.now(UTC), OPERATOR, **registration, client_id=taken)
    with pytest.raises(RuleViolated) as refused:
        async with db.platform() as tx:
            await actions.register_client(tx, datetime.now(UTC), OPERATOR, **(registration | changes))
    assert [notice.code for notice in refused.value.errors] == [code]


async def test_a_client_has_its_own_scopes_at_each_organization(
    db: Database, register: Register, tokens: AccessTokens
) -> None:
    software = await register()
    async with db.platform() as tx:
        reads, answers = await add_organization(tx), await add_organization(tx)
        software.id = await actions.register_client(
            tx,
            datetime.now(UTC),
            OPERATOR,
            name="Kizuna Office",
            jwks={"keys": [public_jwk(software.key)]},
            organizations={reads: {Scope.HANDOVERS_READ}, answers: {Scope.HANDOVERS_ANSWER}},
        )
    assert (await software.caller(organization=str(reads))).scopes == {Scope.HANDOVERS_READ}
    assert (await software.caller(organization=str(answers))).scopes == {Scope.HANDOVERS_ANSWER}
    wrong = await software.ask(organization=str(reads), scope="handovers:answer")
    assert wrong.body["error"] == "invalid_scope"
