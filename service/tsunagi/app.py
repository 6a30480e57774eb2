"""Puts the rooms together into one ASGI application, and runs what works beside it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import structlog
from fastapi import FastAPI
from prometheus_client import Gauge

from tsunagi.api import (
    activities,
    consents,
    directory,
    disclosures,
    events,
    evidence,
    findings,
    handovers,
    ledger,
    meta,
    people,
    provisions,
    responsibility,
    webhooks,
)
from tsunagi.api.edge import Routes, Services
from tsunagi.api.frame import Frame
from tsunagi.api.idempotency import forget_answers
from tsunagi.api.inside import Inside
from tsunagi.api.limits import Limits, forget_counts, share
from tsunagi.api.oauth import TokenEndpoint
from tsunagi.api.problems import HANDLERS
from tsunagi.auth.actions import Gate
from tsunagi.auth.server import issuer_of
from tsunagi.auth.store import forget_expired
from tsunagi.auth.tokens import AccessTokens, SigningKeys
from tsunagi.clock import Clock
from tsunagi.contract import Contract
from tsunagi.db import Database, ReadTx
from tsunagi.drafts.actions import forget_drafts
from tsunagi.handovers.steps import advance
from tsunagi.layout.shapes import Shapes
from tsunagi.logs import fault
from tsunagi.openid.actions import Ways, forget_ways
from tsunagi.openid.provider import Providers
from tsunagi.outgoing.asking import Asker
from tsunagi.outgoing.connection import Connector
from tsunagi.paper.printing import Printer
from tsunagi.people.secret import matching_secret
from tsunagi.people.store import forget_attempts
from tsunagi.proofs.actions import Proofs
from tsunagi.proofs.nonces import kept_nonces
from tsunagi.proofs.store import forget_proofs
from tsunagi.sealing.keys import kept_keys
from tsunagi.settings import Settings
from tsunagi.staff.actions import forget_sessions
from tsunagi.transparency import store as transparency
from tsunagi.web import (
    agenda,
    area,
    assigning,
    coming,
    handing_over,
    handing_over_part,
    handing_over_workbook,
    joining,
    openid_settings,
    organization_sign_in,
    own_passkeys,
    record,
    recording,
    report,
    sender_steps,
    sending,
    signing_in,
    site,
    software,
    taking_over,
    timeline,
    verifying,
    verifying_growth,
)
from tsunagi.web import consents as consents_page
from tsunagi.web import directory as directory_page
from tsunagi.web import ledger as ledger_page
from tsunagi.web import settings as settings_page
from tsunagi.web import webhooks as webhooks_page
from tsunagi.webhooks import worker as telling
from tsunagi.webhooks.delivery import Sender

ROOMS = (
    activities,
    consents,
    directory,
    disclosures,
    events,
    evidence,
    findings,
    handovers,
    ledger,
    meta,
    people,
    provisions,
    responsibility,
    webhooks,
)
PAGES = (
    agenda,
    area,
    assigning,
    coming,
    consents_page,
    directory_page,
    handing_over,
    handing_over_part,
    handing_over_workbook,
    joining,
    ledger_page,
    openid_settings,
    organization_sign_in,
    own_passkeys,
    record,
    recording,
    report,
    sender_steps,
    sending,
    settings_page,
    signing_in,
    software,
    taking_over,
    timeline,
    verifying,
    verifying_growth,
    webhooks_page,
)
"""What has been read here has registered its pages."""

log = structlog.get_logger()

MOST_COUNTED = 100_000
WAITING = Gauge("tsunagi_ledger_waiting", f"Entries without a place in the log, up to {MOST_COUNTED}")
LOG_SIZE = Gauge("tsunagi_ledger_size", "Entries in the log")
SIGNED_AT = Gauge("tsunagi_ledger_signed_timestamp_seconds", "When the newest checkpoint was signed")


def create_services(
    settings: Settings, db: Database, clock: Clock | None = None, contract: Contract | None = None
) -> Services:
    keys = settings.data_dir / "keys"
    db.keys = kept_keys(settings)
    contract = contract or Contract(settings.contract_dir)
    tokens = AccessTokens(SigningKeys(keys), issuer_of(settings.base_url))
    proofs = Proofs(db, kept_nonces(keys) if settings.dpop_nonce == "required" else None)
    return Services(
        settings=settings,
        contract=contract,
        db=db,
        clock=clock or Clock(),
        tokens=tokens,
        token_endpoint=TokenEndpoint(db, tokens, proofs),
        gate=Gate(db, tokens, proofs),
        limits=Limits(settings),
        match_secret=matching_secret(keys),
        printer=Printer(),
        shapes=Shapes(contract),
        openid=openid_ways(settings, db),
    )


def openid_ways(settings: Settings, db: Database) -> Ways:
    providers = Providers(Asker(Connector(to_loopback=settings.openid_to_loopback)))
    return Ways(db, providers, settings.base_url)


def all_routes() -> Routes:
    routes = Routes()
    for room in ROOMS:
        for operation_id, handler in room.routes.handlers.items():
            routes.operation(operation_id)(handler)
    return routes


def create_app(services: Services, *, work: bool = True) -> FastAPI:
    """The application over these services; with `work` the clock's steps are taken in the background."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        workers = [keep_time, share_counts, keep_telling] if work else []
        tasks = [asyncio.create_task(worker(services)) for worker in workers]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    operations = all_routes()
    inside = Inside(services, operations)
    app = FastAPI(
        title="Tsunagi",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        exception_handlers=dict(HANDLERS) | {404: site.nowhere(services, inside)},
    )
    app.router.routes.append(operations.route(services))
    app.router.routes.extend(site.routes(services, inside))
    app.add_api_route("/docs/{name}", meta.docs_asset, response_model=None, include_in_schema=False)
    app.add_middleware(Frame)
    return app


async def keep_time(services: Services) -> None:
    """Takes the clock's steps as they fall due, until cancelled. A failure is logged and tried again."""
    while True:
        try:
            moved = await advance(services.db, services.clock.now())
            if moved:
                log.info("clock", moved=moved)
            async with services.db.platform() as tx:
                await forget_expired(tx, datetime.now(UTC))
                await forget_proofs(tx, datetime.now(UTC))
                await forget_answers(tx, services.clock.now())
                await forget_attempts(tx, services.clock.now())
                await forget_counts(tx, services.clock.now())
                await forget_drafts(tx, services.clock.now())
                await forget_sessions(tx, datetime.now(UTC))
                await forget_ways(tx, datetime.now(UTC))
                await _watch_log(tx)
            await telling.keep_small(services.db)
        except Exception as error:  # the database may be away; the next round sees what this one missed
            log.warning("clock failed", **fault(error))
        await asyncio.sleep(services.settings.worker_interval_seconds)


async def share_counts(services: Services) -> None:
    await share(services.limits, services.db)


async def keep_telling(services: Services) -> None:
    sender = Sender(to_loopback=services.settings.webhooks_to_loopback)
    await telling.keep_telling(services.db, sender, services.settings.webhooks_interval_seconds)


async def _watch_log(tx: ReadTx) -> None:
    """The gauges say how the sequencer is doing."""
    WAITING.set(await transparency.waiting(tx, MOST_COUNTED))
    if signed := await transparency.newest(tx):
        LOG_SIZE.set(signed.size)
        SIGNED_AT.set(signed.signed_at.timestamp())
