"""Many made-up people, each with a handover of their own."""

from typing import Any

from tests.world import Organization, World, consent_for, settlement_record

_KANA = "アイウエオカキクケコ"


def record_of(
    world: World, number: int, *, receiver: Organization | None = None, **changes: Any
) -> dict[str, Any]:
    """The record of somebody whom no other number means."""
    record = settlement_record((receiver or world.center).id, **changes)
    record["sections"]["identity"] |= {
        "givenNameKana": "".join(_KANA[int(digit)] for digit in str(number)),
        "certificate": {"municipalityCode": "13199", "number": f"{number:010}"},
    }
    return record


async def offer(
    world: World,
    number: int = 0,
    *,
    sender: Organization | None = None,
    receiver: Organization | None = None,
    consent: dict[str, Any] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """A handover that is on offer, with the person's consent; `changes` are to the record's members."""
    sender, receiver = sender or world.settlement, receiver or world.center
    created = await sender.post("/v1/handovers", record_of(world, number, receiver=receiver, **changes))
    assert created.status_code == 201, created.text
    drafted: dict[str, Any] = created.json()
    consented = await sender.post(
        "/v1/consents", consent_for(drafted["personId"], receiver.id, **(consent or {}))
    )
    assert consented.status_code == 201, consented.text
    answer = await sender.post(f"/v1/handovers/{drafted['id']}/offer")
    assert answer.status_code == 200, answer.text
    return drafted | answer.json() | {"consentId": consented.json()["id"]}


async def accept(
    world: World, offered: dict[str, Any], *, receiver: Organization | None = None, **of_domains: Any
) -> dict[str, Any]:
    """The offer, read and taken as it was made; `of_domains` says where an answer is another."""
    receiver = receiver or world.center
    path = f"/v1/handovers/{offered['id']}"
    assert (await receiver.get(path)).status_code == 200
    answers = [
        {"domain": one["domain"], "decision": "accept"} | of_domains.get(one["domain"], {})
        for one in offered["domains"]
    ]
    answer = await receiver.post(f"{path}/accept", {"domains": answers})
    assert answer.status_code == 200, answer.text
    accepted: dict[str, Any] = answer.json()
    return offered | accepted


async def events(organization: Organization) -> list[tuple[str, str | None]]:
    """The types of the organization's events with the state after each, from the first one on."""
    feed = await whole_feed(organization)
    return [(one["type"].removeprefix("handover."), one.get("status")) for one in feed]


async def whole_feed(organization: Organization) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after = 0
    while True:
        page = (await organization.get(f"/v1/events?limit=200&after={after}")).json()
        if not page["items"]:
            return found
        found += page["items"]
        after = page["next"]
