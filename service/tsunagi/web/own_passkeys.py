"""One's own passkeys: everybody's to add and to remove."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime

from fastapi.responses import Response

from tsunagi.errors import NotFound, Notice, RuleViolated
from tsunagi.staff import actions, passkeys
from tsunagi.web.signing_in import site_of
from tsunagi.web.site import pages
from tsunagi.web.visit import Visit


@pages.get("/settings/passkeys")
async def passkeys_page(visit: Visit) -> Response:
    return await _passkeys(visit)


@pages.post("/settings/passkeys/challenge")
async def new_challenge(visit: Visit) -> Response:
    """For scripts: what a new passkey is made by."""
    async with visit.services.db.platform() as tx:
        said = await passkeys.registration(tx, datetime.now(UTC), site_of(visit), visit.member)
    return Response(said, media_type="application/json", headers={"Cache-Control": "no-store"})


@pages.post("/settings/passkeys")
async def change_passkeys(visit: Visit) -> Response:
    visit.confirmed()
    form = await visit.form()
    now, member, request_id = datetime.now(UTC), visit.member, visit.request.state.request_id
    try:
        async with visit.services.db.platform() as tx:
            if form.get("do") == "remove":
                await actions.remove_passkey(tx, now, member, _id(form.get("id")), request_id)
            else:
                name, made = str(form.get("name", "")).strip(), str(form.get("made", ""))
                await actions.add_passkey(tx, now, member, site_of(visit), request_id, name=name, made=made)
    except RuleViolated as refused:
        return await _passkeys(visit, refused.errors)
    return visit.redirect("/settings/passkeys", done="saved")


async def _passkeys(visit: Visit, errors: Sequence[Notice] = ()) -> Response:
    async with visit.services.db.platform() as tx:
        found = await passkeys.passkeys(tx, visit.member.id)
    listed = [(urlsafe_b64encode(one.credential_id).decode(), one) for one in found]
    said = [visit.words.text(one.message) for one in errors]
    return visit.page("passkeys.html", status=422 if errors else 200, passkeys=listed, errors=said)


def _id(text: object) -> bytes:
    """Raises NotFound."""
    try:
        return urlsafe_b64decode(str(text))
    except (binascii.Error, ValueError):
        raise NotFound from None
