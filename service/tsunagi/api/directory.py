"""The operations of the tag Directory."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from fastapi.responses import Response

from tsunagi.api.bodies import dumped, present
from tsunagi.api.edge import Call, Routes
from tsunagi.api.idempotency import Answer
from tsunagi.api.listing import cursor, opened_cursor, paged
from tsunagi.directory import actions, store
from tsunagi.directory.rules import Area, Identifier, Organization
from tsunagi.errors import NotFound
from tsunagi.ids import OrganizationId

routes = Routes()


@routes.operation("listOrganizations")
async def list_organizations(call: Call) -> Response:
    asked, limit = call.parameters, call.parameters["limit"]
    after = OrganizationId(opened_cursor(asked["cursor"], UUID)[0]) if "cursor" in asked else None
    async with call.services.db.read(call.acting) as tx:
        found = await store.find_organizations(
            tx,
            q=asked.get("q"),
            kind=asked.get("kind"),
            municipality=asked.get("municipality"),
            area=asked.get("area"),
            identifier=asked.get("identifier"),
            after=after,
            limit=limit + 1,
        )
    page = found[:limit]
    end = cursor([str(page[-1].id)]) if len(found) > limit else None
    return paged(call, [dumped(_organization(one)) for one in page], end)


@routes.operation("getOrganization")
async def get_organization(call: Call) -> Response:
    async with call.services.db.read(call.acting) as tx:
        found = await store.organization(tx, OrganizationId(call.id("organizationId")))
        if found is None:
            raise NotFound
        followed = await actions.successions_of(tx, found.id)
    became = [
        present(kind=one.kind, successorId=one.successor_id, effectiveOn=one.effective_on) for one in followed
    ]
    return Answer(_organization(found) | present(successions=became or None)).response()


@routes.operation("listAreas")
async def list_areas(call: Call) -> Response:
    async with call.services.db.read(call.acting) as tx:
        found = await store.areas(tx)
    return Answer({"items": [_area(one) for one in found]}).response()


def _organization(one: Organization) -> dict[str, Any]:
    body = one.corporate_body
    return present(
        id=one.id,
        kind=one.kind,
        name=one.name,
        nameKana=one.name_kana,
        corporateBody=present(
            name=body.name, corporateNumber=body.corporate_number, representative=body.representative
        )
        if body
        else None,
        identifiers=[_identifier(identifier) for identifier in one.identifiers],
        address=_address(one),
        phone=one.phone,
        areaCodes=list(one.serves),
        remitAreaCodes=list(one.remit) or None,
        handoverContact=present(**asdict(one.contact)) or None,
        formerNames=[present(name=former.name, until=former.until) for former in one.former_names] or None,
        closedOn=one.closed_on,
        successorId=one.successor_id,
    )


def _identifier(one: Identifier) -> dict[str, Any]:
    service = {"code": one.service_code, "codeSystem": "billing"} if one.service_code else None
    return present(system=one.system, value=one.value, serviceCode=service, serial=one.serial)


def _address(one: Organization) -> dict[str, Any] | None:
    """The address, where it is complete enough to be one."""
    where = one.address
    if where is None or not (where.prefecture_code and where.municipality_code and where.rest):
        return None
    return present(
        prefectureCode=where.prefecture_code,
        municipalityCode=where.municipality_code,
        rest=where.rest,
        building=where.building,
        postalCode=where.postal_code,
    )


def _area(one: Area) -> dict[str, Any]:
    return {
        "code": one.code,
        "name": one.name,
        "prefectureCode": one.prefecture_code,
        "municipalityCodes": list(one.municipality_codes),
        "rules": {
            "windowMonths": one.rules.window_lead_months,
            "conferenceLeadMonths": one.rules.conference_lead_months,
            "sharingLeadMonths": one.rules.sharing_lead_months,
            "overlapMonths": one.rules.overlap_months,
            "answerLimitDays": one.rules.answer_limit_days,
        },
    }
