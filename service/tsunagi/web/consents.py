"""A consent on a page: what it covers and what it is worth now; and its withdrawal, which the giver records for whoever
takes it back."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fastapi.responses import Response

from tsunagi.contract import BASE_URI
from tsunagi.errors import Notice, Refusal, Text
from tsunagi.layout.rules import Layout
from tsunagi.web.draft_parts import forms_of
from tsunagi.web.filled import Filled
from tsunagi.web.forms import Field, chosen_from
from tsunagi.web.forms_posted import Inputs, document, posted
from tsunagi.web.site import pages
from tsunagi.web.visit import Visit

MOST_NAMED = 20
MOST_HANDOVERS = 10
PATH = "/consents/{consent_id}"
RESOURCE = f"{BASE_URI}schemas/consent-resource.json"
_APART = (
    *("id", "giverId", "personId", "recipientIds", "sections", "status"),
    *("withdrawnAt", "withdrawnScope", "withdrawals"),
)
"""What the page says in its own place."""


@pages.get(PATH)
async def consent_page(visit: Visit) -> Response:
    return await _page(visit, await _read(visit))


@pages.post(PATH)
async def withdraw(visit: Visit) -> Response:
    """From the next reading on, once it was confirmed. Raises ConfirmationNeeded."""
    visit.confirmed()
    form = await visit.form()
    typed = posted(form)
    found = await _read(visit)
    body, whole = document(_asked(visit, found), typed), form.get("whole") == "yes"
    if whole == ("sections" in body):
        return await _page(visit, found, typed=typed, faults=(_WHICH,))
    if form.get("step") != "confirm" and typed.get("/withdrawnBy/kind", [""])[0]:
        return await _sure(visit, found, typed, body.get("sections", covered(found)), whole=whole)
    try:
        await visit.ask("withdrawConsent", body=body, consentId=found["id"])
    except Refusal as refusal:
        if refusal.on_ledger or not refusal.errors:
            raise
        return await _page(visit, found, typed=typed, faults=refusal.errors)
    return visit.redirect(f"/consents/{found['id']}", done="consent_withdrawn")


async def _sure(
    visit: Visit, found: Mapping[str, Any], typed: Inputs, sections: Sequence[str], *, whole: bool
) -> Response:
    """Asks once more: it cannot be taken back."""
    return visit.page(
        "consent_withdrawal.html",
        consent=found,
        typed=typed,
        whole=whole,
        sections=sections,
        recipients=[await _name(visit, one) for one in found["recipientIds"]],
        **await _of(visit, found["personId"]),
    )


async def _of(visit: Visit, person_id: str, direction: str = "outgoing") -> dict[str, Any]:
    """By what one tells whose consent it is, since no name is on it."""
    listed = await visit.ask("listHandovers", direction=direction, personId=person_id, limit=MOST_HANDOVERS)
    more = listed["nextCursor"] is not None
    return {"person_id": person_id, "handovers": listed["items"], "more": more}


_WHICH = Notice(
    "consent_scope",
    "error",
    Text(
        "撤回する項目群を選ぶか、「すべて」を選んでください（両方は選べません）",
        "Choose the sections that are withdrawn, or all of them, and not both",
    ),
    pointer="/sections",
    party="client",
)


@pages.get("/people/{person_id}/consents")
async def consents_page(visit: Visit) -> Response:
    """Those that the visitor's organization has recorded."""
    person_id = visit.request.path_params["person_id"]
    found = (await visit.ask("listConsents", personId=person_id))["consents"]
    known = {one: await _name(visit, one) for one in _recipients(found)}
    return visit.page("consents.html", consents=found, names=known, **await _of(visit, person_id))


def _recipients(consents: Sequence[Mapping[str, Any]]) -> list[str]:
    """Each once; beyond a page's worth of them an id is as good."""
    return list(dict.fromkeys(one for each in consents for one in each["recipientIds"]))[:MOST_NAMED]


async def _read(visit: Visit) -> Any:
    return await visit.ask("getConsent", consentId=visit.request.path_params["consent_id"])


def _asked(visit: Visit, consent: Mapping[str, Any]) -> Field:
    """Of the sections those that are still covered, of people those who can speak for the data's subject."""
    subject = forms_of(visit.services.contract).withdrawals[consent["subject"]]
    return chosen_from(subject, "sections", covered(consent))


def covered(consent: Mapping[str, Any]) -> list[str]:
    return [one for one in consent["sections"] if one not in consent.get("withdrawnScope", ())]


async def _page(
    visit: Visit, consent: Any, *, typed: Inputs | None = None, faults: Sequence[Notice] = ()
) -> Response:
    told = {name: value for name, value in consent.items() if name not in _APART}
    mine = consent["giverId"] == str(visit.member.organization_id)
    shown = covered(consent)
    field = replace(_asked(visit, consent), help=None)
    return visit.page(
        "consent.html",
        status=422 if faults else 200,
        consent=consent,
        covered=shown,
        parts=Layout(visit.services.shapes, visit.language).parts(RESOURCE, told),
        giver=await _name(visit, consent["giverId"]),
        recipients=[await _name(visit, one) for one in consent["recipientIds"]],
        mine=mine,
        filled=Filled(field, typed or {}, faults, visit.dates, {}) if mine and shown else None,
        **await _of(visit, consent["personId"], "outgoing" if mine else "incoming"),
    )


async def _name(visit: Visit, organization_id: str) -> str:
    name: str = (await visit.ask("getOrganization", organizationId=organization_id))["name"]
    return name
