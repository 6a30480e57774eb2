"""Signing in, and confirming it, through the organization's own provider: leaving for it, and being back."""

from typing import get_args
from uuid import UUID

import structlog
from fastapi.responses import RedirectResponse, Response

from tsunagi.errors import NotFound
from tsunagi.ids import OrganizationId
from tsunagi.openid import actions as openid
from tsunagi.openid.actions import Begun, Leaving, Returning
from tsunagi.openid.rules import FAULTS, LASTS, WayRefused, Why
from tsunagi.web.signing_in import REMEMBERED, YEAR, attempting, secure, signed_out, with_session
from tsunagi.web.site import pages
from tsunagi.web.visit import Visit, local

log = structlog.get_logger()

LONGEST_BACK = 1_000
WHYS: tuple[Why, ...] = get_args(Why)
STATUSES: dict[Why, int] = {"must_wait": 429, "provider": 503}


@pages.get("/sign-in/with/{organization_id}", open=True)
async def leave(visit: Visit) -> Response:
    organization_id, back = _organization(visit), _back(visit)
    if visit.session is not None:
        return visit.redirect(back)
    return await _leave(visit, Leaving(organization_id, "sign_in", back))


@pages.get("/confirm/with")
async def confirm_with(visit: Visit) -> Response:
    return await _leave(visit, Leaving(visit.member.organization_id, "confirm", _back(visit), visit.member))


async def _leave(visit: Visit, leaving: Leaving) -> Response:
    try:
        begun = await openid.begin(visit.services.openid, attempting(visit), leaving)
    except WayRefused as refused:
        return _refused(visit, leaving.organization_id, refused)
    return with_way(visit, RedirectResponse(begun.url, 303), begun)


async def leaving_page(visit: Visit, leaving: Leaving) -> Response:
    """For whoever has sent a form: it may lead to this host alone (`form-action`), a link on the page may not."""
    try:
        begun = await openid.begin(visit.services.openid, attempting(visit), leaving)
    except WayRefused as refused:
        return _refused(visit, leaving.organization_id, refused)
    minutes = int(LASTS.total_seconds() // 60)
    return with_way(visit, visit.page("openid_leave.html", url=begun.url, minutes=minutes), begun)


@pages.get("/sign-in/with/{organization_id}/back", open=True)
async def come_back(visit: Visit) -> Response:
    organization_id, asked = _organization(visit), visit.request.query_params
    returning = Returning(
        organization_id,
        browser=visit.request.cookies.get(_way_cookie(visit), ""),
        state=asked.get("state", ""),
        code=asked.get("code"),
        error=asked.get("error"),
        issuer=asked.get("iss"),
        session_of=visit.session.member if visit.session else None,
    )
    try:
        arrived = await openid.come_back(visit.services.openid, attempting(visit), returning)
    except WayRefused as refused:
        return _refused(visit, organization_id, refused)
    answer: Response = visit.redirect(arrived.back)
    if arrived.token is not None:
        if visit.session is not None:
            await signed_out(visit)
        answer = with_session(visit, answer, arrived.token)
    answer.set_cookie(
        REMEMBERED,
        str(organization_id),
        max_age=YEAR,
        path="/sign-in",
        secure=secure(visit),
        httponly=True,
        samesite="lax",
    )
    answer.delete_cookie(_way_cookie(visit), secure=secure(visit), httponly=True, samesite="lax")
    return answer


def _refused(visit: Visit, organization_id: OrganizationId, refused: WayRefused) -> Response:
    """To a page of its own: the address of this one is used up, and holds what the provider has said."""
    if refused.fault:
        log.warning("openid provider faulty", organization=str(organization_id), fault=refused.fault)
    fault = f"&fault={refused.fault}" if refused.fault else ""
    return visit.redirect(f"/sign-in/with/{organization_id}/refused?why={refused.why}{fault}")


@pages.get("/sign-in/with/{organization_id}/refused", open=True)
async def refused_page(visit: Visit) -> Response:
    organization_id, asked = _organization(visit), visit.request.query_params
    why: Why = next((one for one in WHYS if one == asked.get("why")), "expired")
    fault = next((text for code, text in FAULTS.items() if code == asked.get("fault")), None)
    return visit.page(
        "openid_refused.html",
        status=STATUSES.get(why, 403),
        why=why,
        fault=fault,
        again=f"/sign-in/with/{organization_id}",
    )


def with_way(visit: Visit, answer: Response, begun: Begun) -> Response:
    answer.set_cookie(
        _way_cookie(visit),
        begun.browser,
        max_age=int(LASTS.total_seconds()),
        path="/",
        secure=secure(visit),
        httponly=True,
        samesite="lax",
    )
    return answer


def _way_cookie(visit: Visit) -> str:
    """With the prefix that keeps neighbors of this host from setting it, where there is https (RFC 6265bis)."""
    return "__Host-way" if secure(visit) else "way"


def _organization(visit: Visit) -> OrganizationId:
    """Raises NotFound."""
    try:
        return OrganizationId(UUID(visit.request.path_params["organization_id"]))
    except ValueError:
        raise NotFound from None


def _back(visit: Visit) -> str:
    back = local(visit.request.query_params.get("next"))
    return back if len(back) <= LONGEST_BACK else "/"
