"""The provider through which the organization's staff sign in, for its administrators; and everybody's own link."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.responses import Response
from starlette.datastructures import FormData

from tsunagi.errors import NotFound, Notice, RuleViolated
from tsunagi.openid import actions as openid
from tsunagi.openid import registering
from tsunagi.openid.actions import Leaving
from tsunagi.staff import accounts
from tsunagi.staff.accounts import Administering
from tsunagi.web.organization_sign_in import leaving_page
from tsunagi.web.settings import administering
from tsunagi.web.signing_in import attempting
from tsunagi.web.site import pages
from tsunagi.web.visit import Visit

TYPED = ("issuer", "client_id")


@pages.get("/settings/openid")
async def provider_page(visit: Visit) -> Response:
    return await _provider(visit, administering(visit))


@pages.post("/settings/openid")
async def change_provider(visit: Visit) -> Response:
    by = administering(visit)
    visit.confirmed()
    form = await visit.form()
    try:
        await _change(visit, by, form)
    except RuleViolated as refused:
        return await _provider(visit, by, errors=refused.errors, typed=form)
    return visit.redirect("/settings/openid", done="saved")


async def _change(visit: Visit, by: Administering, form: FormData) -> None:
    """Raises ScopeMissing, NotFound, RuleViolated."""
    ways, stated = visit.services.openid, form.get("second_factor") is not None
    secret = str(form.get("client_secret") or "").strip()
    match form.get("do"):
        case "register":
            issuer, client_id = (str(form.get(name) or "").strip() for name in TYPED)
            await registering.register(
                ways.db,
                ways.providers,
                by,
                issuer=issuer,
                client_id=client_id,
                client_secret=secret,
                second_factor_stated=stated,
            )
        case "change":
            await registering.change(
                ways.db, ways.providers, by, client_secret=secret or None, second_factor_stated=stated
            )
        case "remove":
            async with ways.db.platform() as tx:
                await registering.remove(tx, by)
        case _:
            raise NotFound


async def _provider(
    visit: Visit,
    by: Administering,
    *,
    errors: Sequence[Notice] = (),
    typed: Mapping[str, Any] | None = None,
) -> Response:
    ways, organization_id = visit.services.openid, by.member.organization_id
    async with ways.db.platform() as tx:
        everybody = await accounts.accounts(tx, by)
    return visit.page(
        "openid.html",
        status=422 if errors else 200,
        provider=await openid.provider_of(ways.db, organization_id),
        linked=sum(one.linked for one in everybody),
        no_password=sum(one.linked and one.password_hash is None for one in everybody),
        address=f"{ways.base_url}/sign-in/with/{organization_id}",
        redirect_uri=ways.redirect_uri(organization_id),
        errors=[visit.words.text(one.message) for one in errors],
        typed={name: str((typed or {}).get(name) or "") for name in TYPED},
        stated=typed is not None and typed.get("second_factor") is not None,
    )


@pages.get("/settings/openid/link")
async def link_page(visit: Visit) -> Response:
    return await _link(visit)


@pages.post("/settings/openid/link")
async def change_link(visit: Visit) -> Response:
    visit.confirmed()
    form, member = await visit.form(), visit.member
    if form.get("do") == "link":
        return await leaving_page(
            visit, Leaving(member.organization_id, "link", "/settings/openid/link", member)
        )
    try:
        async with visit.services.db.platform() as tx:
            await openid.unlink(tx, attempting(visit), member)
    except RuleViolated as refused:
        return await _link(visit, refused.errors)
    return visit.redirect("/settings/openid/link", done="removed")


async def _link(visit: Visit, errors: Sequence[Notice] = ()) -> Response:
    db = visit.services.db
    return visit.page(
        "openid_link.html",
        status=422 if errors else 200,
        provider=await openid.provider_of(db, visit.member.organization_id),
        entrances=await openid.entrances(db, visit.member),
        errors=[visit.words.text(one.message) for one in errors],
    )
