"""Signing in and out, confirming that one is still there, and the language of the pages."""

from datetime import UTC, datetime
from uuid import UUID

from fastapi.responses import Response
from starlette.datastructures import FormData

from tsunagi.ids import OrganizationId
from tsunagi.openid import actions as openid
from tsunagi.staff import actions as staff
from tsunagi.staff import passkeys
from tsunagi.staff.actions import Assertion, Attempting, Code
from tsunagi.staff.passkeys import Site
from tsunagi.staff.rules import SignInRefused
from tsunagi.web.site import cookie_name, pages
from tsunagi.web.visit import LANGUAGE_COOKIE, Visit, local

YEAR = 365 * 24 * 60 * 60

REMEMBERED = "sign_in_with"
"""The cookie that holds through whose provider this browser has come in before."""


@pages.get("/", open=True)
async def first_page(visit: Visit) -> Response:
    if visit.session is None:
        return visit.redirect("/sign-in")
    return visit.redirect("/area" if visit.member.role == "auditor" else "/coming")


@pages.get("/sign-in", open=True)
async def sign_in_page(visit: Visit) -> Response:
    back = local(visit.request.query_params.get("next"))
    if visit.session is not None:
        return visit.redirect(back)
    return await _sign_in_page(visit, back)


@pages.post("/sign-in", open=True)
async def sign_in(visit: Visit) -> Response:
    form = await visit.form()
    login, back = str(form.get("login", "")), local(form.get("next"))
    try:
        token = await _signed_in(visit, login, form)
    except SignInRefused:
        return await _sign_in_page(visit, back, login=login, refused=True)
    return with_session(visit, visit.redirect(back), token)


async def _sign_in_page(visit: Visit, back: str, *, login: str = "", refused: bool = False) -> Response:
    return visit.page(
        "sign_in.html",
        status=403 if refused else 200,
        back=back,
        login=login,
        refused=refused,
        through=await _through(visit),
    )


async def _through(visit: Visit) -> UUID | None:
    """The organization through whose provider this browser has come in before, if it still has one."""
    try:
        remembered = OrganizationId(UUID(visit.request.cookies.get(REMEMBERED, "")))
    except ValueError:
        return None
    return remembered if await openid.provider_of(visit.services.db, remembered) else None


@pages.get("/confirm")
async def confirm_page(visit: Visit) -> Response:
    return await _confirm_page(visit, local(visit.request.query_params.get("next")))


@pages.post("/confirm")
async def confirm(visit: Visit) -> Response:
    form = await visit.form()
    back = local(form.get("next"))
    try:
        token = await _signed_in(visit, visit.member.login, form)
    except SignInRefused:
        return await _confirm_page(visit, back, refused=True)
    await signed_out(visit)
    return with_session(visit, visit.redirect(back), token)


async def _confirm_page(visit: Visit, back: str, *, refused: bool = False) -> Response:
    entrances = await openid.entrances(visit.services.db, visit.member)
    return visit.page(
        "confirm.html", status=403 if refused else 200, back=back, refused=refused, entrances=entrances
    )


@pages.post("/sign-out")
async def sign_out(visit: Visit) -> Response:
    await signed_out(visit)
    answer = visit.redirect("/sign-in")
    answer.delete_cookie(cookie_name(visit.services), secure=secure(visit), httponly=True, samesite="lax")
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


@pages.post("/language", open=True)
async def choose_language(visit: Visit) -> Response:
    form = await visit.form()
    answer = visit.redirect(local(form.get("next")))
    chosen = "en" if form.get("language") == "en" else "ja"
    answer.set_cookie(
        LANGUAGE_COOKIE, chosen, max_age=YEAR, secure=secure(visit), httponly=True, samesite="lax"
    )
    return answer


@pages.post("/sign-in/challenge", open=True)
async def challenge(visit: Visit) -> Response:
    """For scripts: what a passkey is to answer."""
    async with visit.services.db.platform() as tx:
        asking = await passkeys.asking(tx, datetime.now(UTC), site_of(visit))
    return Response(asking, media_type="application/json", headers={"Cache-Control": "no-store"})


def site_of(visit: Visit) -> Site:
    return Site.of(visit.services.settings.base_url)


async def _signed_in(visit: Visit, login: str, form: FormData) -> str:
    """The token of a new session. Raises SignInRefused."""
    said = str(form.get("passkey") or "")
    factor = Assertion(site_of(visit), said) if said else Code(str(form.get("code") or ""))
    password = str(form.get("password") or "")
    _, token = await staff.sign_in(
        visit.services.db, attempting(visit), login=login, password=password, factor=factor
    )
    return token


def attempting(visit: Visit) -> Attempting:
    client = visit.request.client
    return Attempting(datetime.now(UTC), client.host if client else "", visit.request.state.request_id)


async def signed_out(visit: Visit) -> None:
    assert visit.token is not None, "the page is for those who are signed in"
    await staff.sign_out(
        visit.services.db, datetime.now(UTC), visit.signed_in, visit.token, visit.request.state.request_id
    )


def with_session(visit: Visit, answer: Response, token: str) -> Response:
    answer.set_cookie(
        cookie_name(visit.services), token, path="/", secure=secure(visit), httponly=True, samesite="lax"
    )
    return answer


def secure(visit: Visit) -> bool:
    return visit.services.settings.base_url.startswith("https:")
