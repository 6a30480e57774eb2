"""`python -m bench.sealing`: what sealing costs of a request. Writes bench/out/sealing.json; `make
bench` has the same under `sealing`.

The application answers in this process, without a client around it. What it seals and opens for one request is written
down and done again, alone, a thousand times: that share of the request's processor time is what sealing costs.
"""

import gc
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from statistics import median
from typing import Any

import asyncpg

from bench.asking import Asking
from bench.play import as_bytes, play
from bench.processes import alone
from bench.stage import staged
from tsunagi.cli.context import database
from tsunagi.db import Database
from tsunagi.sealing.keys import DataKey, Keyring
from tsunagi.settings import Settings

BOUND = 1.10
"""Of a request's processor time, against what it would be without sealing."""

ROUNDS, EACH, AGAIN = 20, 40, 100
HANDOVERS = 400

Work = list[Callable[[], object]]


class Recording(Keyring):
    """A ring that writes down what is done with it."""

    def __init__(self, ring: Keyring, done: Work) -> None:
        super().__init__(ring.source)
        self._done = done

    def fresh(self, *where: object) -> DataKey:
        self._done.append(lambda: super(Recording, self).fresh(*where))
        return self._recorded(super().fresh(*where))

    def opened(self, wrapped: bytes, *where: object) -> DataKey:
        self._done.append(lambda: super(Recording, self).opened(wrapped, *where))
        return self._recorded(super().opened(wrapped, *where))

    def _recorded(self, key: DataKey) -> DataKey:
        done = self._done

        class Recorded(DataKey):
            def seal(self, text: bytes, *where: object) -> bytes:
                done.append(lambda: key.seal(text, *where))
                return key.seal(text, *where)

            def unseal(self, text: bytes, *where: object) -> bytes:
                done.append(lambda: key.unseal(text, *where))
                return key.unseal(text, *where)

            def seal_each(self, texts: Mapping[str, bytes], *where: object) -> dict[str, bytes]:
                done.append(lambda: key.seal_each(texts, *where))
                return key.seal_each(texts, *where)

            def unseal_each(self, texts: Mapping[str, bytes], *where: object) -> dict[str, bytes]:
                done.append(lambda: key.unseal_each(texts, *where))
                return key.unseal_each(texts, *where)

        return Recorded(key.wrapped, key.cipher)


async def measured(settings: Settings) -> dict[str, Any]:
    admin = await asyncpg.connect(settings.database_url)
    async with database(settings) as db, play(settings, db) as acted:
        stage = await staged(admin, acted, ready=4, handovers=HANDOVERS)
        asking = Asking(acted)
        record = as_bytes(acted.usual | {"personId": stage.ready.person_id})
        cast, numbers = acted.cast, stage.spread()

        async def post() -> bytes:
            return await asking.ask(cast.sender, "POST", "/v1/handovers", record)

        async def read() -> bytes:
            return await asking.ask(cast.center, "GET", f"/v1/handovers/{stage.handover(next(numbers))}")

        async def export() -> bytes:
            return await asking.ask(cast.center, "GET", "/v1/handovers/export")

        found = {
            "post": await _compared(db, post, ROUNDS, EACH),
            "read": await _compared(db, read, ROUNDS, EACH),
            "export": await _compared(db, export, 5, 1),
        }
    await admin.close()
    return found


async def _compared(
    db: Database, asking: Callable[[], Awaitable[bytes]], rounds: int, each: int
) -> dict[str, Any]:
    """What one request takes, and what of that is sealing and opening; each round measures both."""
    work = await _work(db, asking)
    whole, sealing = [], []
    for _ in range(rounds):
        gc.collect()
        gc.disable()
        began = time.process_time()
        for _ in range(each):
            await asking()
        between = time.process_time()
        for _ in range(AGAIN):
            for one in work:
                one()
        whole.append((between - began) / each)
        sealing.append((time.process_time() - between) / AGAIN)
        gc.enable()
    ratios = [one / (one - of) for one, of in zip(whole, sealing, strict=True)]
    return {
        "cpu_ms": round(median(whole) * 1000, 3),
        "sealing_ms": round(median(sealing) * 1000, 3),
        "operations": len(work),
        "ratio": round(median(ratios), 3),
        "bound": BOUND,
    }


async def _work(db: Database, asking: Callable[[], Awaitable[bytes]]) -> Work:
    """What one request seals and opens."""
    ring, work = db.keys, Work()
    assert isinstance(ring, Keyring)
    await asking()
    db.keys = Recording(ring, work)
    await asking()
    db.keys = ring
    return work


def said(results: dict[str, Any]) -> str:
    """A line for each kind of request."""
    return "\n".join(
        f"sealing, {name}: {one['ratio']} times (bound {one['bound']}), {one['sealing_ms']} ms"
        for name, one in results.items()
    )


if __name__ == "__main__":
    results = alone("sealing", measured)
    print(said(results))
    sys.exit(any(figures["ratio"] > BOUND for figures in results.values()))
