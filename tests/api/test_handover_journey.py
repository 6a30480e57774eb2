"""One handover from offer to completion, over HTTP, as its two sides live through it."""

from tests.world import World


async def test_a_handover_is_carried_from_offer_to_completion(world: World) -> None:
    accepted = await world.accepted()
    assert accepted["status"] == "accepted"
    path = f"/v1/handovers/{accepted['id']}"
    person = f"/v1/people/{accepted['personId']}/responsibility"

    holders = {one["domain"]: one["holder"] for one in (await world.center.get(person)).json()["domains"]}
    assert {holder["id"] for holder in holders.values()} == {str(world.settlement.id)}

    later = (await world.center.get(f"{person}?asOf=2027-04-01")).json()["domains"]
    primaries = {one["domain"]: one["holder"]["id"] for one in later}
    taken = {one["domain"] for one in accepted["domains"] if one["acceptedRole"] == "primary"}
    assert taken
    assert all(primaries[domain] == str(world.center.id) for domain in taken)

    world.on("2027-04-01")
    assert (await world.settlement.get(path)).json()["status"] == "completed"
