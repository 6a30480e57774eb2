"""The operations of the tag Responsibility."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from fastapi.responses import Response

from tsunagi.api.bodies import dumped, instant, present
from tsunagi.api.edge import Call, Routes
from tsunagi.api.findings import finding, responsible
from tsunagi.api.idempotency import Answer, once
from tsunagi.api.listing import cursor, opened_cursor, paged
from tsunagi.clock import civil_date
from tsunagi.db import WriteTx
from tsunagi.ids import OrganizationId, PersonId
from tsunagi.oversight import actions, area_report, store
from tsunagi.oversight.actions import Place
from tsunagi.responsibility.actions import DomainTimeline, Stated, Timeline
from tsunagi.responsibility.corrections import Correction, End, interval, say
from tsunagi.responsibility.rules import FOREVER, Support

routes = Routes()

FIRST = datetime(1, 1, 2, tzinfo=UTC)
"""Before anything was recorded."""

Names = Mapping[OrganizationId, str]


@routes.operation("getResponsibility")
async def get_responsibility(call: Call) -> Response:
    asked = call.parameters
    as_of = date.fromisoformat(asked["asOf"]) if "asOf" in asked else civil_date(call.at)
    known_at = datetime.fromisoformat(asked["knownAt"]) if "knownAt" in asked else None
    person_id = PersonId(call.id("personId"))
    async with call.services.db.write(call.overseeing) as tx:
        found, findings = await actions.timeline(tx, call.by, person_id, as_of=as_of, known_at=known_at)
        names = await store.names(tx, {*found.organizations, *responsible(findings)}, as_of)
    told = timeline(found, names, call.at) | {"findings": [finding(one, names) for one in findings]}
    return Answer(told | ({"knownAt": asked["knownAt"]} if "knownAt" in asked else {})).response()


def timeline(one: Timeline, names: Names, at: datetime) -> dict[str, Any]:
    """Who is responsible for a person, as known at that moment."""
    return {
        "personId": str(one.person_id),
        "asOf": one.as_of.isoformat(),
        "knownAt": instant(at),
        "domains": [_domain(domain, names) for domain in one.domains],
    }


def _domain(one: DomainTimeline, names: Names) -> dict[str, Any]:
    return {
        "domain": one.domain,
        "version": one.version,
        "recordedAt": instant(one.recorded_at),
        "holder": _holder(one.holder, names),
        "segments": [
            {
                "organization": _holder(segment.holder, names),
                "from": segment.valid_from.isoformat(),
                "to": _end(segment.valid_to),
                **present(basis=segment.basis),
            }
            for segment in one.segments
        ],
        "support": [_support(support, names) for support in one.support],
    }


def _support(one: Support, names: Names) -> dict[str, Any]:
    return {
        "organization": _holder(one.organization, names),
        "role": one.role,
        "from": one.valid_from.isoformat(),
        "to": _end(one.valid_to),
    }


def _holder(organization_id: OrganizationId | None, names: Names) -> Mapping[str, str] | None:
    if organization_id is None:
        return None
    return {"id": str(organization_id), "name": names[organization_id]}


def _end(valid_to: date) -> str | None:
    return None if valid_to == FOREVER else valid_to.isoformat()


@routes.operation("correctResponsibility")
async def correct_responsibility(call: Call) -> Response:
    said = call.body
    ends_on = date.fromisoformat(said["to"]) if said["to"] else None
    days = interval(date.fromisoformat(said["from"]), ends_on, civil_date(call.at))
    return await _said(
        call,
        Correction(
            said["domain"], said["role"], days, said["held"], said["reason"]["code"], said.get("basis")
        ),
    )


@routes.operation("endResponsibility")
async def end_responsibility(call: Call) -> Response:
    said = call.body
    on = date.fromisoformat(said["on"])
    return await _said(call, End(said["domain"], said["role"], on, said["reason"]["code"]))


async def _said(call: Call, said: Correction | End) -> Response:
    """Tried, or kept: what it changes."""
    try_only, person_id = call.parameters["dryRun"], PersonId(call.id("personId"))

    async def produce(tx: WriteTx) -> Answer:
        made = await say(
            tx, call.at, call.caller, person_id, said, request_id=call.request_id, try_only=try_only
        )
        names = await store.names(tx, _named([made]), civil_date(call.at))
        content = _change(made, names)
        if try_only:
            del content["entryId"]
        return Answer(content, 200 if try_only else 201)

    if not try_only:
        return await once(call, produce)
    async with call.services.db.write(call.acting) as tx:
        return (await produce(tx)).response()


@routes.operation("getResponsibilityChanges")
async def get_responsibility_changes(call: Call) -> Response:
    asked, person_id = call.parameters, PersonId(call.id("personId"))
    since = datetime.fromisoformat(asked["from"]) if "from" in asked else FIRST
    until = datetime.fromisoformat(asked["to"]) if "to" in asked else call.at
    async with call.services.db.write(call.overseeing) as tx:
        found = await actions.person_changes(tx, call.by, person_id, since=since, until=until)
        names = await store.names(tx, _named([*found.steps, *found.difference]), civil_date(until))
    return Answer(
        {
            "personId": str(person_id),
            "from": asked.get("from"),
            "to": asked.get("to") or instant(call.at),
            "difference": [
                {"domain": one.version.domain, **_difference(one, names)} for one in found.difference
            ],
            "changes": [_change(one, names) for one in found.steps],
        }
    ).response()


@routes.operation("listResponsibilityChanges")
async def list_responsibility_changes(call: Call) -> Response:
    asked = call.parameters
    after = None
    if "cursor" in asked:
        person_id, changes = opened_cursor(asked["cursor"], UUID, int)
        after = Place(PersonId(person_id), changes)
    until = datetime.fromisoformat(asked["until"]) if "until" in asked else call.at
    async with call.services.db.write(call.overseeing) as tx:
        page = await actions.all_changes(
            tx,
            call.by,
            since=datetime.fromisoformat(asked["since"]),
            until=until,
            area=asked.get("area"),
            organization=OrganizationId(UUID(asked["organization"])) if "organization" in asked else None,
            after=after,
            limit=asked["limit"],
        )
        names = await store.names(tx, _named(page.changes), civil_date(until))
    end = cursor([str(page.end.person_id), page.end.items]) if page.end else None
    return paged(call, [dumped(_change(one, names)) for one in page.changes], end)


def _change(one: Stated, names: Names) -> dict[str, Any]:
    """ResponsibilityChange."""
    version = one.version
    by = version.recorded_by
    return present(
        personId=version.person_id,
        domain=version.domain,
        version=version.version,
        recordedAt=version.recorded_at,
        recordedBy=by and _holder(by, names),
        reason=version.reason,
        code=version.code,
        effectiveOn=version.effective_on,
        handoverId=version.handover_id,
        entryId=version.entry_id,
    ) | _difference(one, names)


def _difference(one: Stated, names: Names) -> dict[str, Any]:
    return {
        "holders": [
            {
                "from": move.valid_from.isoformat(),
                "to": _end(move.valid_to),
                "before": _holder(move.before, names),
                "after": _holder(move.after, names),
            }
            for move in one.moves
        ],
        "supportBegun": [_support(each, names) for each in one.begun],
        "supportEnded": [_support(each, names) for each in one.ended],
    }


def _named(changes: Iterable[Stated]) -> set[OrganizationId]:
    """Every organization that the changes name."""
    found: set[OrganizationId] = set()
    for one in changes:
        found |= one.organizations | ({one.version.recorded_by} if one.version.recorded_by else set())
    return found


@routes.operation("getAreaResponsibility")
async def get_area_responsibility(call: Call) -> Response:
    asked = call.parameters
    as_of = date.fromisoformat(asked["asOf"]) if "asOf" in asked else civil_date(call.at)
    known_at = datetime.fromisoformat(asked["knownAt"]) if "knownAt" in asked else None
    after = None
    if "cursor" in asked:
        gap, person_id = opened_cursor(asked["cursor"], bool, UUID)
        after = (gap, PersonId(person_id))
    area = asked["areaCode"]
    async with call.services.db.write(call.overseeing_many) as tx:
        found = await area_report.report(
            tx,
            call.by,
            area,
            as_of=as_of,
            known_at=known_at,
            number=asked.get("number"),
            after=after,
            limit=asked["limit"],
        )
        names = await store.names(tx, found.organizations, as_of)
    last = found.rows[-1] if found.more else None
    return Answer(
        {
            "areaCode": area,
            "asOf": as_of.isoformat(),
            "knownAt": asked.get("knownAt") or instant(call.at),
            "people": found.people,
            "totals": [
                {"domain": one.domain, "organization": _holder(one.holder, names), "people": one.people}
                for one in found.totals
            ],
            "items": [_held(row, names) for row in found.rows],
            "nextCursor": cursor([last.gap, str(last.person_id)]) if last else None,
        }
    ).response()


def _held(row: area_report.Row, names: Names) -> dict[str, Any]:
    return {
        "personId": str(row.person_id),
        "domains": [
            {
                "domain": one.domain,
                "holder": _holder(one.holder, names),
                "from": one.valid_from.isoformat(),
                "to": _end(one.valid_to),
            }
            for one in row.domains
        ],
    }


@routes.operation("getMilestones")
async def get_milestones(call: Call) -> Response:
    person_id = PersonId(call.id("personId"))
    known_at = datetime.fromisoformat(call.parameters["knownAt"]) if "knownAt" in call.parameters else None
    async with call.services.db.write(call.overseeing) as tx:
        dates = await actions.dates(tx, call.by, person_id, known_at=known_at)
    found = [
        present(
            kind=dated.milestone.kind,
            date=dated.milestone.on,
            handoverId=dated.handover_id,
            overdue=dated.overdue,
        )
        for dated in dates
    ]
    return Answer({"personId": str(person_id), "milestones": found}).response()
