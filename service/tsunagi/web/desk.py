"""Drafts at the desk of whoever is signed in: found, and kept when something was typed."""

from typing import Any
from uuid import UUID

from tsunagi.auth.rules import Scope
from tsunagi.db import Acting
from tsunagi.drafts import actions as drafts
from tsunagi.drafts.rules import Draft
from tsunagi.errors import NotFound, ScopeMissing
from tsunagi.web.visit import Visit


def writer(visit: Visit) -> Acting:
    """Whoever may hand over may write drafts of it. Raises ScopeMissing."""
    if Scope.HANDOVERS_WRITE not in visit.member.caller.scopes:
        raise ScopeMissing
    return Acting(visit.member.organization_id, visit.today)


async def present(visit: Visit) -> Draft:
    """The draft that the path names. Raises NotFound, ScopeMissing."""
    acting = writer(visit)
    try:
        draft_id = UUID(visit.request.path_params["draft_id"])
    except ValueError:
        raise NotFound from None
    async with visit.services.db.read(acting) as tx:
        return await drafts.present(tx, visit.member.organization_id, draft_id)


async def save(visit: Visit, draft: Draft, **parts: Any) -> Draft:
    """Raises PreconditionFailed when somebody else was faster."""
    async with visit.services.db.write(writer(visit)) as tx:
        secret = visit.services.match_secret
        return await drafts.save(tx, visit.at, draft, secret, by=visit.member.name, **parts)


async def note(visit: Visit, draft: Draft, **reached: Any) -> Draft:
    """How far sending has come is kept."""
    async with visit.services.db.write(writer(visit)) as tx:
        return await drafts.note(tx, draft, **reached)


async def close(visit: Visit, draft: Draft) -> None:
    async with visit.services.db.write(writer(visit)) as tx:
        await drafts.close(tx, visit.at, draft, visit.services.match_secret)


async def discard(visit: Visit, draft: Draft) -> None:
    async with visit.services.db.write(writer(visit)) as tx:
        await drafts.discard(tx, draft)
