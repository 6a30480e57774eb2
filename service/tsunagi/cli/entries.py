"""`tsunagi directory add`: organizations and areas that no public list has come in by hand."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from tsunagi.cli.context import database
from tsunagi.clock import Clock
from tsunagi.contract import BASE_URI, Contract
from tsunagi.directory import store
from tsunagi.directory.rules import (
    Address,
    Area,
    AreaRules,
    Contact,
    CorporateBody,
    Identifier,
    OrganizationProfile,
)
from tsunagi.errors import Refusal
from tsunagi.settings import Settings
from tsunagi.strict_json import parse

SCHEMA = f"{BASE_URI}schemas/directory-entries.json"


def add(
    file: Annotated[Path, typer.Argument(help="JSON as schemas/directory-entries.json has it.", exists=True)],
) -> None:
    """Add areas, and organizations that no public list has: centers, municipalities, auditors.

    Prints the id of each organization. Everything is added or nothing.
    """
    try:
        added = asyncio.run(_add(file.read_bytes()))
    except Refusal as refusal:
        typer.echo(f"{refusal.title.ja} / {refusal.title.en}", err=True)
        for notice in refusal.errors:
            typer.echo(f"  {notice.pointer} {notice.message.ja} / {notice.message.en}", err=True)
        raise typer.Exit(1) from refusal
    for organization_id, name in added:
        typer.echo(f"{organization_id}  {name}")


async def _add(raw: bytes) -> list[tuple[str, str]]:
    """Raises InvalidJson, SchemaInvalid, RuleViolated."""
    settings = Settings()
    document: Any = parse(raw, max_values=10_000_000)  # the operator's own file
    Contract(settings.contract_dir).check(SCHEMA, document)
    async with database(settings) as db, db.platform() as tx:
        for area in document.get("areas", ()):
            await store.add_area(tx, area_from(area))
        profiles = [profile_from(one) for one in document.get("organizations", ())]
        at = Clock().now()
        return [(str(await store.add_organization(tx, one, at=at)), one.name) for one in profiles]


def area_from(entry: Mapping[str, Any]) -> Area:
    rules = entry["rules"]
    return Area(
        code=entry["code"],
        name=entry["name"],
        prefecture_code=entry["prefectureCode"],
        municipality_codes=tuple(entry["municipalityCodes"]),
        rules=AreaRules(
            conference_lead_months=rules["conferenceLeadMonths"],
            window_lead_months=rules["windowMonths"],
            sharing_lead_months=rules["sharingLeadMonths"],
            overlap_months=rules["overlapMonths"],
            answer_limit_days=rules["answerLimitDays"],
        ),
    )


def profile_from(entry: Mapping[str, Any]) -> OrganizationProfile:
    body, address = entry.get("corporateBody"), entry.get("address", {})
    return OrganizationProfile(
        kind=entry["kind"],
        name=entry["name"],
        name_kana=entry.get("nameKana"),
        corporate_body=CorporateBody(
            body["name"], body.get("corporateNumber"), representative=body.get("representative")
        )
        if body
        else None,
        address=Address(
            prefecture_code=address.get("prefectureCode"),
            municipality_code=address.get("municipalityCode"),
            rest=address.get("rest"),
            building=address.get("building"),
            postal_code=address.get("postalCode"),
        ),
        phone=entry.get("phone"),
        contact=Contact(**entry.get("handoverContact", {})),
        identifiers=tuple(_identifier(one) for one in entry.get("identifiers", ())),
        serves=tuple(entry.get("areaCodes", ())),
        remit=tuple(entry.get("auditedAreaCodes", ())),
    )


def _identifier(entry: Mapping[str, Any]) -> Identifier:
    service = entry.get("serviceCode", {}).get("code")
    return Identifier(entry["system"], entry["value"], service, entry.get("serial"))
