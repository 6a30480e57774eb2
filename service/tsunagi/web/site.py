"""All pages under their paths, and what holds for each: who is signed in, that forms come from here, that nothing is
loaded from elsewhere, and that a refusal is a page too."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import quote, urlsplit

import structlog
from fastapi import Request
from fastapi.responses import Response
from starlette.routing import BaseRoute, Route

from tsunagi.api.edge import Services
from tsunagi.api.inside import Inside
from tsunagi.api.problems import on_database_error, on_http_exception, problem_content, when_again
from tsunagi.errors import NotFound, Refusal
from tsunagi.staff.actions import known
from tsunagi.web.menu import MENU, Item
from tsunagi.web.static_files import static_file
from tsunagi.web.visit import TEMPLATES, ConfirmationNeeded, SignInNeeded, Visit

Handler = Callable[[Visit], Awaitable[Response]]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


@dataclass(frozen=True, slots=True)
class Page:
    method: Literal["GET", "POST"]
    path: str
    handler: Handler
    open: bool
    """Whether it is for those who are not signed in, too."""


class Pages:
    def __init__(self) -> None:
        self.all: list[Page] = []

    def get(self, path: str, *, open: bool = False) -> Callable[[Handler], Handler]:  # noqa: A002
        return self._registering("GET", path, open)

    def post(self, path: str, *, open: bool = False) -> Callable[[Handler], Handler]:  # noqa: A002
        return self._registering("POST", path, open)

    def _registering(
        self, method: Literal["GET", "POST"], path: str, to_all: bool
    ) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            self.all.append(Page(method, path, handler, to_all))
            return handler

        return register


pages = Pages()


def menu(visit: Visit) -> list[Item]:
    """Of the pages there are, those that are for the visitor's role."""
    there = {page.path for page in pages.all if page.method == "GET"}
    return [item for item in MENU if item.path in there and visit.member.role in item.roles]


TEMPLATES.globals["menu"] = menu


def routes(services: Services, inside: Inside) -> list[BaseRoute]:
    """Every page that was registered, and what pages load."""
    served = [
        Route(page.path, _endpoint(services, inside, page), methods=[page.method]) for page in pages.all
    ]
    return [Route("/static/{name:path}", static_file, methods=["GET"]), *served]


def nowhere(services: Services, inside: Inside) -> Callable[[Request, Exception], Awaitable[Response]]:
    """What a path is answered with that leads nowhere: a page to a browser, a problem to software."""

    async def missing(_visit: Visit) -> Response:
        raise NotFound

    page = _endpoint(services, inside, Page("GET", "-", missing, open=True))

    async def answer(request: Request, error: Exception) -> Response:
        if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
            return await page(request)
        return await on_http_exception(request, error)

    return answer


def cookie_name(services: Services) -> str:
    """With the prefix that binds it to this host and to https, where there is https (RFC 6265bis)."""
    return "__Host-session" if services.settings.base_url.startswith("https:") else "session"


def _endpoint(services: Services, inside: Inside, page: Page) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        request.scope["operation"] = f"{page.method} {page.path}"
        structlog.contextvars.bind_contextvars(operation=request.scope["operation"])
        visit = Visit(services, inside, request, None, None)
        try:
            visit = await _visit(services, inside, request)
            response = await _answer(page, visit)
        except Refusal as refusal:
            response = refused(visit, refusal)
        except Exception as error:  # whatever it is, who looks at a page is told on a page
            told = await on_database_error(request, error)
            response = _problem(visit, json.loads(bytes(told.body)))
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return endpoint


async def _visit(services: Services, inside: Inside, request: Request) -> Visit:
    token = request.cookies.get(cookie_name(services))
    session = await known(services.db, datetime.now(UTC), token) if token else None
    return Visit(services, inside, request, session, token if session else None)


async def _answer(page: Page, visit: Visit) -> Response:
    if page.method == "POST" and not from_here(visit.request):
        return visit.page("cross_site.html", status=403)
    if visit.session is None:
        visit.services.limits.admit_stranger(visit.request, datetime.now(UTC))
        if not page.open:
            return visit.to_sign_in()
    try:
        return await page.handler(visit)
    except SignInNeeded:
        return visit.to_sign_in()
    except ConfirmationNeeded as needed:
        if page.method == "POST":
            return await _kept(visit)
        return visit.redirect(f"/confirm?next={quote(needed.back or visit.path, safe='')}")


async def _kept(visit: Visit) -> Response:
    """What was filled in stays on the page until the visitor has confirmed it."""
    form = await visit.form()
    kept = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    return visit.page("carry_on.html", status=403, kept=kept)


def from_here(request: Request) -> bool:
    """Whether a form was sent by a page of this host. Every browser says so, in one header or the other."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == request.headers.get("host")


def refused(visit: Visit, refusal: Refusal) -> Response:
    response = _problem(visit, problem_content(refusal, visit.language, visit.request.state.request_id))
    response.headers.update(when_again(refusal))
    return response


def _problem(visit: Visit, problem: dict[str, Any]) -> Response:
    return visit.page("problem.html", status=problem["status"], problem=problem)
