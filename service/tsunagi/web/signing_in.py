"""Signing in and out, confirming that one is still there, and the language of the pages."""

from datetime import UTC, datetime

from fastapi.responses import Response

from tsunagi.staff import actions as staff
from tsunagi.staff.actions import Attempting
from tsunagi.staff.rules import SignInRefused
from tsunagi.web.site import cookie_name, pages
from tsunagi.web.visit import LANGUAGE_COOKIE, Visit, local

YEAR = 365 * 24 * 60 * 60


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
    return visit.page("sign_in.html", back=back, login="", refused=False)


@pages.post("/sign-in", open=True)
async def sign_in(visit: Visit) -> Response:
    form = await visit.form()
    login, back = str(form.get("login", "")), local(form.get("next"))
    try:
        token = await _signed_in(visit, login, form.get("password"), form.get("code"))
    except SignInRefused:
        return visit.page("sign_in.html", status=403, back=back, login=login, refused=True)
    return with_session(visit, visit.redirect(back), token)


@pages.get("/confirm")
async def confirm_page(visit: Visit) -> Response:
    return visit.page("confirm.html", back=local(visit.request.query_params.get("next")), refused=False)


@pages.post("/confirm")
async def confirm(visit: Visit) -> Response:
    form = await visit.form()
    back = local(form.get("next"))
    try:
        token = await _signed_in(visit, visit.member.login, form.get("password"), form.get("code"))
    except SignInRefused:
        return visit.page("confirm.html", status=403, back=back, refused=True)
    await _signed_out(visit)
    return with_session(visit, visit.redirect(back), token)


@pages.post("/sign-out")
async def sign_out(visit: Visit) -> Response:
    await _signed_out(visit)
    answer = visit.redirect("/sign-in")
    answer.delete_cookie(cookie_name(visit.services), secure=_secure(visit), httponly=True, samesite="lax")
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


@pages.post("/language", open=True)
async def choose_language(visit: Visit) -> Response:
    form = await visit.form()
    answer = visit.redirect(local(form.get("next")))
    chosen = "en" if form.get("language") == "en" else "ja"
    answer.set_cookie(
        LANGUAGE_COOKIE, chosen, max_age=YEAR, secure=_secure(visit), httponly=True, samesite="lax"
    )
    return answer


async def _signed_in(visit: Visit, login: str, password: object, code: object) -> str:
    """The token of a new session. Raises SignInRefused."""
    _, token = await staff.sign_in(
        visit.services.db, attempting(visit), login=login, password=str(password or ""), code=str(code or "")
    )
    return token


def attempting(visit: Visit) -> Attempting:
    client = visit.request.client
    return Attempting(datetime.now(UTC), client.host if client else "", visit.request.state.request_id)


async def _signed_out(visit: Visit) -> None:
    assert visit.token is not None, "the page is for those who are signed in"
    await staff.sign_out(
        visit.services.db, datetime.now(UTC), visit.signed_in, visit.token, visit.request.state.request_id
    )


def with_session(visit: Visit, answer: Response, token: str) -> Response:
    answer.set_cookie(
        cookie_name(visit.services), token, path="/", secure=_secure(visit), httponly=True, samesite="lax"
    )
    return answer


def _secure(visit: Visit) -> bool:
    return visit.services.settings.base_url.startswith("https:")
