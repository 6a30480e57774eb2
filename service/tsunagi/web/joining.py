"""How somebody who was invited makes the account their own: the invitation, then an authenticator app and a password,
or the organization's own sign-in."""

import segno
from fastapi.responses import Response

from tsunagi.errors import RuleViolated
from tsunagi.openid import actions as openid
from tsunagi.openid.actions import Leaving
from tsunagi.staff import accounts
from tsunagi.staff.rules import SignInRefused, code_uri
from tsunagi.web.organization_sign_in import leaving_page
from tsunagi.web.signing_in import attempting, with_session
from tsunagi.web.site import pages
from tsunagi.web.visit import Visit


@pages.get("/join", open=True)
async def join_page(visit: Visit) -> Response:
    return visit.page("join.html", login="", refused=False)


@pages.post("/join", open=True)
async def join(visit: Visit) -> Response:
    form = await visit.form()
    login, invitation = str(form.get("login", "")), str(form.get("invitation", ""))
    db, errors = visit.services.db, []
    try:
        if "password" in form:
            password, code = str(form["password"]), str(form.get("code", ""))
            token = await accounts.join(
                db, login, invitation, attempting(visit), password=password, code=code
            )
            return with_session(visit, visit.redirect("/"), token)
    except RuleViolated as refused:
        errors = [visit.words.text(one.message) for one in refused.errors]
    except SignInRefused:
        return visit.page("join.html", status=403, login=login, refused=True)
    try:
        member, secret = await accounts.joining(db, login, invitation, attempting(visit))
    except SignInRefused:
        return visit.page("join.html", status=403, login=login, refused=True)
    if "openid" in form:
        return await leaving_page(visit, Leaving(member.organization_id, "join", member=member))
    picture = segno.make(code_uri(member.login, secret), micro=False).png_data_uri(scale=5, border=4)
    return visit.page(
        "join_choose.html",
        status=422 if errors else 200,
        member=member,
        invitation=invitation,
        secret=secret,
        picture=picture,
        errors=errors,
        provider=await openid.provider_of(db, member.organization_id),
    )
