"""The software that acts for the organization, for its administrators: its keys, and taking away what it may."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from fastapi.responses import Response
from starlette.datastructures import FormData

from tsunagi import strict_json
from tsunagi.auth import actions
from tsunagi.auth.rules import acceptable_client_id
from tsunagi.db import WriteTx
from tsunagi.errors import InvalidJson, NotFound, Notice, RuleViolated, Text
from tsunagi.staff.accounts import Administering
from tsunagi.web.settings import administering
from tsunagi.web.site import pages
from tsunagi.web.visit import Visit

OVERLAPS = (24, 168, 0)
"""Hours for which the old keys stay valid; 0 after a leak."""


@pages.get("/settings/clients")
async def clients_page(visit: Visit) -> Response:
    return await _clients(visit, administering(visit))


@pages.post("/settings/clients")
async def change_client(visit: Visit) -> Response:
    by = administering(visit)
    visit.confirmed()
    form = await visit.form()
    try:
        async with visit.services.db.platform() as tx:
            await _change(tx, by, form)
    except (RuleViolated, InvalidJson) as refused:
        return await _clients(visit, by, errors=refused.errors or (_UNREADABLE,), typed=form)
    return visit.redirect("/settings/clients", done="saved")


_UNREADABLE = Notice("client_key", "error", Text("JWK として読めません", "That is no JWK"), party="client")


async def _change(tx: WriteTx, by: Administering, form: FormData) -> None:
    organization_id, client_id = by.member.organization_id, acceptable_client_id(form.get("client"))
    if client_id is None:
        raise NotFound
    if form.get("do") == "withdraw":
        await actions.withdraw_client(
            tx, by.at, by.actor, organization_id=organization_id, client_id=client_id
        )
    elif form.get("do") == "rotate" and str(form.get("overlap")) in map(str, OVERLAPS):
        jwk = strict_json.parse(str(form.get("jwk", "")).encode())
        overlap = timedelta(hours=int(str(form["overlap"])))
        await actions.rotate_own_key(
            tx,
            by.at,
            by.actor,
            organization_id=organization_id,
            client_id=client_id,
            jwk=jwk,
            overlap=overlap,
        )
    else:
        raise NotFound


async def _clients(
    visit: Visit,
    by: Administering,
    *,
    errors: Sequence[Notice] = (),
    typed: Mapping[str, Any] | None = None,
) -> Response:
    async with visit.services.db.platform() as tx:
        found = await actions.serving(tx, by.member.organization_id)
    return visit.page(
        "clients.html",
        status=422 if errors else 200,
        clients=found,
        errors=[visit.words.text(one.message) for one in errors],
        typed={name: str((typed or {}).get(name) or "") for name in ("client", "jwk")},
        overlaps=OVERLAPS,
        now=by.at,
    )
