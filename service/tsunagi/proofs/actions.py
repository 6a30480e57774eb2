"""Checking proofs of possession, and using each of them up."""

import asyncio
from collections.abc import Sequence
from contextvars import Context
from datetime import UTC, datetime
from typing import Literal

from tsunagi.db import Database, WriteTx
from tsunagi.errors import RuleViolated
from tsunagi.proofs import store
from tsunagi.proofs.keys import PublicKey, read_jwt, read_key
from tsunagi.proofs.nonces import RENEWED_AFTER, Nonces
from tsunagi.proofs.rules import Asked, Proof, ProofRefused, check_claims, check_header, one_proof

MAX_KEYS = 10_000
MAX_BATCH = 500

Fate = Literal["first", "used", "old"]


class Proofs:
    """Checks the proofs that come to one process. What was used up, all processes know."""

    def __init__(self, db: Database, nonces: Nonces | None) -> None:
        """With `nonces` every proof needs one. Without, none is given and none is looked at: RFC 9449 section 11.3
        forbids whatever lies between, for who has been given one must not get by without."""
        self._db = db
        self._nonces = nonces
        self._keys: dict[str, PublicKey] = {}
        self._waiting: list[tuple[Proof, asyncio.Future[Fate]]] = []
        self._writer: asyncio.Task[None] | None = None

    def check(
        self,
        headers: Sequence[str],
        asked: Asked,
        now: datetime,
        *,
        jkt: str | None = None,
    ) -> Proof:
        """The proof in the request's `DPoP` headers, by a key of the thumbprint `jkt` if one is named.

        The cheap checks come first: nobody has a signature verified who does not name the right key.
        Raises ProofRefused.
        """
        compact = one_proof(headers)
        jwt = read_jwt(compact)
        if jwt is None:
            raise ProofRefused(
                "DPoP の証明を JWT として読めません", "the DPoP proof is not a JWT in compact form"
            )
        shown = compact.partition(".")[0]
        key = self._keys.get(shown) or _key(check_header(jwt.header))
        if jkt is not None and key.thumbprint != jkt:
            raise ProofRefused(
                "アクセストークンは別の鍵のものです",
                "the access token is bound to another key than the proof's",
            )
        nonce_made_at = self._nonce(jwt.claims.get("nonce"), now)
        proof = check_claims(jwt, asked, jkt=key.thumbprint, nonce_made_at=nonce_made_at, now=now)
        if not key.has_signed(jwt):
            raise ProofRefused(
                "DPoP の署名が jwk の鍵のものではありません",
                "the DPoP proof is not signed by the key in its 'jwk'",
            )
        if jkt is not None:  # keys of those alone who have a token, so that nobody else fills the memory
            self._keep(shown, key)
        return proof

    async def use(self, proof: Proof) -> None:
        """The proof is used up. Call it outside of any transaction.

        All proofs that arrive while the database is busy with others go into one statement together.
        Raises ProofRefused when it was used before.
        """
        fate: asyncio.Future[Fate] = asyncio.get_running_loop().create_future()
        self._waiting.append((proof, fate))
        if self._writer is None:  # in a context of its own: it works for others than this caller, too
            self._writer = asyncio.create_task(self._write(), context=Context())
        self._judge(await fate)

    async def use_within(self, tx: WriteTx, proof: Proof) -> None:
        """The proof is used up if `tx` commits. Raises ProofRefused when it was used before."""
        self._judge((await _fates(tx, [proof]))[0])

    def new_nonce(self, now: datetime) -> str | None:
        """For the next proofs of whoever is answered; None when they need none."""
        return self._nonces.make(now) if self._nonces else None

    def next_nonce(self, proof: Proof, now: datetime) -> str | None:
        """One to go on with, when that of this proof will not do for long."""
        if proof.nonce_made_at is None or now - proof.nonce_made_at < RENEWED_AFTER:
            return None
        return self.new_nonce(now)

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
            waiting = [fate for _, fate in batch]
            try:
                async with self._db.platform() as tx:
                    fates = await _fates(tx, [proof for proof, _ in batch])
                for fate, outcome in zip(waiting, fates, strict=True):
                    if not fate.done():  # whoever waited for it may have gone
                        fate.set_result(outcome)
            except Exception as error:
                for fate in waiting:
                    if not fate.done():
                        fate.set_exception(error)
            finally:
                for fate in waiting:
                    fate.cancel()  # those that are done are not; nobody waits for a writer that was ended
        self._writer = None

    def _nonce(self, nonce: object, now: datetime) -> datetime | None:
        if self._nonces is None:
            return None
        made_at = self._nonces.made_at(nonce, now)
        if made_at is None:
            raise _nonce_missing()
        return made_at

    def _judge(self, fate: Fate) -> None:
        if fate == "used":
            raise ProofRefused(
                "この DPoP の証明は使用済みです。要求ごとに作ってください",
                "the DPoP proof was used before: make a new one for each request",
            )
        if fate == "old" and self._nonces:
            raise _nonce_missing()
        if fate == "old":
            raise ProofRefused(
                "この DPoP の証明は再起動より前のものです。作り直してください",
                "the DPoP proof was made before a restart: make a new one",
            )

    def _keep(self, shown: str, key: PublicKey) -> None:
        if shown not in self._keys:
            if len(self._keys) >= MAX_KEYS:
                del self._keys[next(iter(self._keys))]
            self._keys[shown] = key


async def _fates(tx: WriteTx, proofs: Sequence[Proof]) -> list[Fate]:
    """What became of each. The same one twice is first once."""
    first = await store.use(tx, proofs)
    others = {one.fingerprint for one in proofs} - first
    used = await store.remembered(tx, list(others), datetime.now(UTC)) if others else set()
    fates: list[Fate] = []
    for one in proofs:
        if one.fingerprint in first:
            first.remove(one.fingerprint)
            used.add(one.fingerprint)
            fates.append("first")
        else:
            fates.append("used" if one.fingerprint in used else "old")
    return fates


def _key(jwk: object) -> PublicKey:
    try:
        return read_key(jwk)
    except RuleViolated:
        raise ProofRefused(
            "DPoP のヘッダー jwk は EC P-256、RSA、Ed25519 のいずれかの公開鍵です",
            "header 'jwk' of the DPoP proof must be a public key on EC P-256, RSA or Ed25519",
        ) from None


def _nonce_missing() -> ProofRefused:
    return ProofRefused(
        "DPoP-Nonce ヘッダーの値を nonce に入れて、証明を作り直してください",
        "make a new DPoP proof whose 'nonce' is the value of the header DPoP-Nonce",
        error="use_dpop_nonce",
    )
