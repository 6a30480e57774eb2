"""The operations of the tag Disclosures: what a person can ask for about their own data."""

from typing import Any

from fastapi.responses import Response

from tsunagi.api.bodies import dumped, present
from tsunagi.api.edge import Call, Routes
from tsunagi.api.idempotency import Answer
from tsunagi.api.listing import cursor, opened_cursor, paged
from tsunagi.api.sheets import PDF, wants_pdf
from tsunagi.clock import civil_date
from tsunagi.consent import rules as consents
from tsunagi.consent.store import Consent
from tsunagi.ids import OrganizationId, PersonId
from tsunagi.paper.rules import Language
from tsunagi.reports import actions
from tsunagi.reports.actions import Page, Report
from tsunagi.reports.document import Writer, in_charge, plainly
from tsunagi.reports.rules import Disclosure
from tsunagi.reports.words import COMING, DOMAINS, GROUNDS, SECTIONS, TEXTS
from tsunagi.responsibility.actions import DomainTimeline
from tsunagi.responsibility.rules import FOREVER

routes = Routes()


@routes.operation("listDisclosures")
async def list_disclosures(call: Call) -> Response:
    asked, before = call.parameters, None
    if "cursor" in asked:
        (before,) = opened_cursor(asked["cursor"], _number)
    person_id, limit = PersonId(call.id("personId")), asked["limit"]
    async with call.services.db.write(call.acting) as tx:
        page = await actions.disclosures(tx, call.by, person_id, before=before, limit=limit)
    if page is None:
        async with call.services.db.write(call.overseeing) as tx:
            page = await actions.audited_disclosures(tx, call.by, person_id, before=before, limit=limit)
    end = cursor([page.end]) if page.end is not None else None
    return paged(call, [dumped(_disclosure(one, page)) for one in page.disclosures], end)


@routes.operation("getPersonReport")
async def get_person_report(call: Call) -> Response:
    language: Language = call.parameters["language"]
    async with call.services.db.write(call.acting) as tx:
        report = await actions.report(tx, call.by, PersonId(call.id("personId")))
    if not wants_pdf(call):
        answer = Answer(_report(report, language)).response()
        answer.headers["Cache-Control"] = "no-store"
        return answer
    document = Writer(report, language, call.parameters["ruby"]).document(call.services.settings.base_url)
    printed = await call.services.printer.print(document)
    name = f'attachment; filename="report-{report.today}.pdf"'
    return Response(printed, 200, {"Content-Disposition": name, "Cache-Control": "no-store"}, media_type=PDF)


def _number(value: Any) -> int:
    """Of an entry in its stream. Raises ValueError where it is none."""
    if type(value) is not int or not 0 < value < 1 << 63:
        raise ValueError
    return value


def _disclosure(one: Disclosure, of: Page | Report) -> dict[str, Any]:
    """Disclosure: who received what, or asked for it and did not get it."""
    on = civil_date(one.at)
    giver = of.givers.get(one.record_id) if one.refused is None else None
    return present(
        entryId=one.entry_id,
        outcome="deny" if one.refused else "permit",
        at=one.at,
        lastAt=one.last_at,
        times=one.times,
        organization=_named(one.organization_id, of.names[one.organization_id, on]),
        giver=_named(giver, of.names[giver, on]) if giver else None,
        handoverId=one.record_id if one.refused is None or one.record_id in of.givers else None,
        version=one.version,
        sections=list(one.sections),
        ground=one.ground,
        consents=[str(consent) for consent in one.consents],
        exported=one.exported,
        code=one.refused,
    )


def _named(organization_id: OrganizationId, name: str) -> dict[str, str]:
    return {"id": str(organization_id), "name": name}


def _report(report: Report, language: Language) -> dict[str, Any]:
    """PersonReport."""
    return {
        "id": str(report.id),
        "personId": str(report.person_id),
        "language": language,
        **present(madeAt=report.by.at),
        "madeBy": _office(report, report.by.organization_id),
        "responsible": [_responsible(one, report, language) for one in report.timeline.domains],
        "disclosures": [_told(one, report, language) for one in report.disclosures],
        "consents": [_consent(one, report, language) for one in report.consents],
        "coming": [
            present(
                kind=one.milestone.kind,
                date=one.milestone.on,
                handoverId=one.handover_id,
                label=plainly(COMING[one.milestone.kind], language),
            )
            for one in report.coming
            if one.milestone.kind in COMING
        ],
        "texts": {
            name: plainly(TEXTS[name], language)
            for name in ("intro", "howToWithdraw", "whomToAsk", "notEverything")
        },
    }


def _responsible(one: DomainTimeline, report: Report, language: Language) -> dict[str, Any]:
    holder, today = one.holder, report.today
    person = in_charge(report.accepted, holder, one.domain) if holder else None
    supporting = [support for support in one.support if support.valid_from <= today < support.valid_to]
    return present(domain=one.domain, label=plainly(DOMAINS[one.domain], language), personInCharge=person) | {
        "organization": _office(report, holder) if holder else None,
        "support": [
            {
                "organization": _office(report, support.organization),
                "role": support.role,
                "from": support.valid_from.isoformat(),
                "to": None if support.valid_to == FOREVER else support.valid_to.isoformat(),
            }
            for support in supporting
        ],
    }


def _told(one: Disclosure, report: Report, language: Language) -> dict[str, Any]:
    labels = [plainly(SECTIONS[name], language) for name in one.sections]
    purposes = [consent.document["purpose"] for consent in report.consents if consent.id in one.consents]
    ground = plainly(GROUNDS[one.ground], language) if one.ground else None
    return _disclosure(one, report) | present(
        sectionLabels=labels, groundLabel=ground, purposes=list(dict.fromkeys(purposes))
    )


def _consent(one: Consent, report: Report, language: Language) -> dict[str, Any]:
    status = consents.status(one.valid_from, one.valid_to, one.sections, one.withdrawn_sections, report.today)
    return {
        "id": str(one.id),
        "status": status,
        "giver": _office(report, one.giver_id),
        "recipients": [_office(report, recipient) for recipient in one.recipient_ids],
        "sections": list(one.sections),
        "sectionLabels": [plainly(SECTIONS[name], language) for name in one.sections],
        "withdrawnSections": list(one.withdrawn_sections),
        "purpose": one.document["purpose"],
        "from": one.valid_from.isoformat(),
        "to": one.valid_to.isoformat(),
    }


def _office(report: Report, organization_id: OrganizationId) -> dict[str, Any]:
    """How an organization is reached today."""
    office = report.offices[organization_id]
    return present(id=office.id, name=office.name, phone=office.phone, department=office.department)
