"""Writing drafts, and giving them up."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from tsunagi.db import ReadTx, WriteTx
from tsunagi.drafts import store
from tsunagi.drafts.rules import KEPT, Draft
from tsunagi.errors import NotFound, PreconditionFailed, Text
from tsunagi.ids import HandoverId, OrganizationId, ordered_id
from tsunagi.people.actions import match_keys
from tsunagi.people.rules import MatchKeys

MOST_DRAFTS = 200


async def begin(
    tx: WriteTx, at: datetime, organization_id: OrganizationId, secret: bytes, *, by: str, **parts: Any
) -> Draft:
    """A draft is there that holds these parts; `secret` is that of matching."""
    empty: Mapping[str, Any] = {"receiver_name": "", "overview": {}, "sections": {}, "consents": {}}
    draft = Draft(
        id=ordered_id(),
        organization_id=organization_id,
        revision=1,
        began_at=at,
        changed_at=at,
        changed_by=by,
        **{**empty, **parts},
    )
    await store.add(tx, draft, _known_by(secret, draft))
    return draft


async def present(tx: ReadTx, organization_id: OrganizationId, draft_id: UUID) -> Draft:
    """Raises NotFound."""
    draft = await store.find(tx, organization_id, draft_id)
    if draft is None:
        raise NotFound
    return draft


async def listed(tx: ReadTx, organization_id: OrganizationId) -> list[Draft]:
    """Those that are not sent yet, the last changed first."""
    found = await store.of_organization(tx, organization_id, limit=MOST_DRAFTS)
    return [draft for draft in found if not draft.sent]


async def bound(tx: ReadTx, organization_id: OrganizationId, handover_id: HandoverId) -> Draft | None:
    """The draft in which that handover is being mended, if there is one."""
    found = await listed(tx, organization_id)
    return next((draft for draft in found if draft.handover_id == handover_id), None)


async def save(tx: WriteTx, at: datetime, draft: Draft, secret: bytes, *, by: str, **parts: Any) -> Draft:
    """The draft holds these parts instead of those it had.

    Raises PreconditionFailed when somebody else has changed it since this revision, NotFound when it is gone.
    """
    changed = replace(draft, revision=draft.revision + 1, changed_at=at, changed_by=by, **parts)
    if not await store.change(tx, changed, _known_by(secret, changed)):
        await present(tx, draft.organization_id, draft.id)
        raise PreconditionFailed(
            Text(
                "その間に、ほかの職員がこの下書きを変更しました",
                "Somebody else has changed this draft meanwhile",
            )
        )
    return changed


async def note(tx: WriteTx, draft: Draft, **reached: Any) -> Draft:
    """The draft says how far sending it has come: the same revision, which is what is being sent."""
    noted = replace(draft, **reached)
    await store.note(tx, noted)
    return noted


async def close(tx: WriteTx, at: datetime, draft: Draft, secret: bytes) -> Draft:
    """The draft was sent: it leads to the handover, and what was written is gone from it. Raises as `save`."""
    return await save(tx, at, draft.emptied(), secret, by="")


async def discard(tx: WriteTx, draft: Draft) -> None:
    await store.remove(tx, draft.organization_id, draft.id)


async def forget_drafts(tx: WriteTx, at: datetime) -> int:
    """Drafts that nobody has touched for long are gone."""
    return await store.forget(tx, at - KEPT)


def _known_by(secret: bytes, draft: Draft) -> MatchKeys | None:
    """What the person would be recognized by; nothing before the name and the birth date are there."""
    identity = draft.sections.get("identity", {})
    needed = ("familyNameKana", "givenNameKana", "birthDate")
    if not all(isinstance(identity.get(name), str) for name in needed):
        return None
    certificate = identity.get("certificate") or {}
    complete = all(isinstance(certificate.get(name), str) for name in ("municipalityCode", "number"))
    return match_keys(secret, {**identity, "certificate": certificate if complete else None})
