"""Settings: the organization's staff, for its administrators; who signed in, for everybody about themselves."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from uuid import UUID

from fastapi.responses import Response
from starlette.datastructures import FormData

from tsunagi.db import WriteTx
from tsunagi.errors import NotFound, Notice, RuleViolated, ScopeMissing, Text
from tsunagi.staff import accounts
from tsunagi.staff.accounts import Administering, Invited
from tsunagi.staff.rules import INVITED_FOR, Role
from tsunagi.web.site import pages
from tsunagi.web.visit import Visit

ROLES: tuple[Role, ...] = get_args(Role)
PERIODS = (1, 7, 30)
MOST_PAGES = 5

Doing = Callable[[WriteTx, Administering, FormData], Awaitable[Invited | None]]


def administering(visit: Visit) -> Administering:
    """Raises ScopeMissing unless an administrator looks."""
    if visit.member.role != "administrator":
        raise ScopeMissing(Text("管理者だけが見られます", "For administrators only"))
    return Administering(visit.member, datetime.now(UTC), visit.request.state.request_id)


@pages.get("/settings")
async def settings_page(visit: Visit) -> Response:
    return visit.page("settings.html")


@pages.get("/settings/staff")
async def staff_page(visit: Visit) -> Response:
    return await _staff(visit, administering(visit))


@pages.post("/settings/staff")
async def change_staff(visit: Visit) -> Response:
    by = administering(visit)
    visit.confirmed()
    form = await visit.form()
    doing = DOING.get(str(form.get("do")))
    if doing is None:
        raise NotFound
    try:
        async with visit.services.db.platform() as tx:
            invited = await doing(tx, by, form)
    except RuleViolated as refused:
        return await _staff(visit, by, errors=refused.errors, typed=form)
    if invited is None:
        return visit.redirect("/settings/staff", done="saved")
    return await _staff(visit, by, invited=invited)


async def _staff(
    visit: Visit,
    by: Administering,
    *,
    errors: Sequence[Notice] = (),
    typed: Mapping[str, Any] | None = None,
    invited: Invited | None = None,
) -> Response:
    async with visit.services.db.platform() as tx:
        found = await accounts.accounts(tx, by)
    return visit.page(
        "staff.html",
        status=422 if errors else 200,
        accounts=found,
        errors=[visit.words.text(one.message) for one in errors],
        typed={name: str((typed or {}).get(name) or "") for name in ("login", "name", "role")},
        invited=invited,
        invited_days=INVITED_FOR.days,
        roles=ROLES,
        now=datetime.now(UTC),
    )


async def _invite(tx: WriteTx, by: Administering, form: FormData) -> Invited:
    login, name = str(form.get("login", "")), str(form.get("name", "")).strip()
    return await accounts.invite(tx, by, login=login, name=name, role=_role(form))


async def _invite_again(tx: WriteTx, by: Administering, form: FormData) -> Invited:
    return await accounts.invite_again(tx, by, _member(form))


async def _change_role(tx: WriteTx, by: Administering, form: FormData) -> None:
    await accounts.change_role(tx, by, _member(form), _role(form))


async def _disable(tx: WriteTx, by: Administering, form: FormData) -> None:
    await accounts.disable(tx, by, _member(form))


async def _enable(tx: WriteTx, by: Administering, form: FormData) -> None:
    await accounts.enable(tx, by, _member(form))


DOING: Mapping[str, Doing] = {
    "invite": _invite,
    "invite-again": _invite_again,
    "role": _change_role,
    "disable": _disable,
    "enable": _enable,
}


def _role(form: FormData) -> Role:
    """Raises NotFound."""
    for role in ROLES:
        if form.get("role") == role:
            return role
    raise NotFound


def _member(form: FormData) -> UUID:
    """Raises NotFound."""
    try:
        return UUID(str(form.get("member")))
    except ValueError:
        raise NotFound from None


@pages.get("/settings/sign-ins")
async def sign_ins_page(visit: Visit) -> Response:
    asked = visit.request.query_params.get("days", "")
    days = int(asked) if asked in map(str, PERIODS) else 7
    found, whole = await _sign_ins(visit, days)
    names: dict[str, str] = {str(visit.member.id): visit.member.name}
    if visit.member.role == "administrator":
        async with visit.services.db.platform() as tx:
            every = await accounts.accounts(tx, administering(visit))
        names = {str(one.member.id): one.member.name for one in every}
    shown = [one for one in reversed(found) if one["actor"].get("staff") in names]
    return visit.page("sign_ins.html", sign_ins=shown, names=names, days=days, periods=PERIODS, whole=whole)


async def _sign_ins(visit: Visit, days: int) -> tuple[list[dict[str, Any]], bool]:
    """What the ledger says of how the organization's staff came in, the oldest first; and whether that is all."""
    signed_in, whole = await _entries(visit, days, "staff:sign_in")
    joined, all_joined = await _entries(visit, days, "staff:join")
    return sorted([*signed_in, *joined], key=lambda one: str(one["at"])), whole and all_joined


async def _entries(visit: Visit, days: int, action: str) -> tuple[list[dict[str, Any]], bool]:
    asked: dict[str, Any] = {
        "action": action,
        "organizationId": str(visit.member.organization_id),
        "from": (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="seconds"),
        "limit": 200,
    }
    found: list[dict[str, Any]] = []
    for _ in range(MOST_PAGES):
        page = await visit.ask("listLedgerEntries", **asked)
        found += [json.loads(one["body"]) for one in page["items"] if one["body"]]
        asked["cursor"] = page["nextCursor"]
        if asked["cursor"] is None:
            return found, True
    return found, False
