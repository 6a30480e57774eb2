"""One request of somebody who looks at a page: who they are, what they may ask, and how they are answered."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urlsplit

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from tsunagi.api.edge import Services
from tsunagi.api.inside import Inside
from tsunagi.api.problems import language
from tsunagi.api.reading import check_size
from tsunagi.clock import civil_date
from tsunagi.errors import BodyTooLarge
from tsunagi.staff.rules import Member, Session
from tsunagi.web.dates import Dates
from tsunagi.web.done import DONE, DONE_COOKIE, DONE_SECONDS
from tsunagi.web.static_files import asset
from tsunagi.web.words import Words, labels

Language = Literal["ja", "en"]

LANGUAGE_COOKIE = "language"
MAX_FIELDS, MAX_FILES = 5_000, 5

TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.globals["asset"] = asset


class ConfirmationNeeded(Exception):
    """What was asked for needs a sign-in that is only minutes old."""

    def __init__(self, back: str | None = None) -> None:
        super().__init__()
        self.back = back


class SignInNeeded(Exception):
    """Nobody is signed in."""


@dataclass(frozen=True, slots=True)
class Visit:
    services: Services
    inside: Inside
    request: Request
    session: Session | None
    token: str | None
    """The session's."""

    @property
    def signed_in(self) -> Session:
        """Raises SignInNeeded."""
        if self.session is None:
            raise SignInNeeded
        return self.session

    @property
    def member(self) -> Member:
        return self.signed_in.member

    @property
    def at(self) -> datetime:
        return self.services.clock.now()

    @property
    def today(self) -> date:
        return civil_date(self.at)

    @property
    def language(self) -> Language:
        chosen = self.request.cookies.get(LANGUAGE_COOKIE)
        if chosen not in ("ja", "en"):
            chosen = language(self.request.headers.get("accept-language", ""))
        return "en" if chosen == "en" else "ja"

    @property
    def path(self) -> str:
        """Of this page, with its query: where to come back to."""
        query = self.request.url.query
        return self.request.url.path + (f"?{query}" if query else "")

    def t(self, ja: str, en: str) -> str:
        """What is said, in the language of the page."""
        return _SAID[self.language](ja, en)

    @property
    def words(self) -> Words:
        contract = self.services.contract
        return Words(contract, labels(contract), self.language)

    @property
    def dates(self) -> Dates:
        return Dates(self.language)

    def confirmed(self, *, back: str | None = None) -> None:
        """Raises ConfirmationNeeded unless the visitor has signed in within the last minutes. `back`: the page to go
        on from, where what was asked for is none."""
        if not self.signed_in.confirmed(datetime.now(UTC)):
            raise ConfirmationNeeded(back)

    async def ask(
        self,
        operation_id: str,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        **parameters: Any,
    ) -> Any:
        """What the contract's operation answers to the visitor, as JSON. Raises Refusal."""
        answer = await self.answer(operation_id, body=body, headers=headers, **parameters)
        return json.loads(bytes(answer.body)) if answer.body else None

    async def answer(
        self,
        operation_id: str,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        **parameters: Any,
    ) -> Response:
        """As `ask`: the whole answer, for its headers, or where it is no JSON."""
        sent = {"accept-language": self.language} | {
            name.lower(): text for name, text in (headers or {}).items()
        }
        return await self.inside.answer(
            self.request, self.member.caller, operation_id, body=body, headers=sent, parameters=parameters
        )

    async def form(self) -> FormData:
        """What a form has sent. Raises BodyTooLarge."""
        most = self.services.settings.max_body_bytes
        check_size(self.request, max_bytes=most)
        try:
            return await self.request.form(max_fields=MAX_FIELDS, max_files=MAX_FILES, max_part_size=most)
        except HTTPException:
            raise BodyTooLarge from None

    def page(self, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
        shared = {"visit": self, "t": _SAID[self.language], "words": self.words, "dates": self.dates}
        done = DONE.get(self.request.cookies.get(DONE_COOKIE, ""))
        text = TEMPLATES.get_template(template).render(shared | {"done": done} | context)
        answer = HTMLResponse(text, status)
        if done is not None:
            answer.delete_cookie(DONE_COOKIE, path=self.request.url.path, httponly=True, samesite="lax")
        return answer

    def redirect(self, path: str, *, done: str | None = None) -> RedirectResponse:
        """`done`: what that page says first, by its name in DONE."""
        answer = RedirectResponse(path, 303)
        if done is not None:
            assert done in DONE, done
            answer.set_cookie(
                DONE_COOKIE,
                done,
                max_age=DONE_SECONDS,
                path=urlsplit(path).path,
                secure=self.services.settings.base_url.startswith("https:"),
                httponly=True,
                samesite="lax",
            )
        return answer

    def to_sign_in(self) -> RedirectResponse:
        """Where one signs in; then one comes back, unless something was sent."""
        back = self.path if self.request.method == "GET" else "/"
        return self.redirect("/sign-in" if back == "/" else f"/sign-in?next={quote(back, safe='')}")


_SAID: Mapping[Language, Callable[[str, str], str]] = {"ja": lambda ja, _: ja, "en": lambda _, en: en}
"""A page says hundreds of things."""


def local(path: object) -> str:
    """The path, if it leads to a page of ours; else the first page."""
    safe = isinstance(path, str) and path.startswith("/") and not path.startswith(("//", "/\\"))
    return str(path) if safe and str(path).isprintable() else "/"
