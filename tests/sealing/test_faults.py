"""What was changed, moved or sealed under a key that is gone is a fault of ours, and is shown to nobody."""

from uuid import UUID

import pytest

from tests.crowd import offer
from tests.owner import owner
from tests.world import World
from tsunagi.db import Database, fetch
from tsunagi.sealing.keys import BROKEN

BREAKAGES: dict[str, tuple[str, str]] = {
    "a section's byte": (
        "UPDATE record_sections SET document = set_byte(document, 40, get_byte(document, 40) # 1)"
        " WHERE handover_id = $1 AND section = 'assessment' AND $2::uuid IS NOT NULL",
        "changed",
    ),
    "the header": (
        "UPDATE record_versions SET header = substr(header, 1, 20) WHERE handover_id = $1 AND $2::uuid IS NOT NULL",
        "changed",
    ),
    "another person's section": (
        "UPDATE record_sections s SET document = o.document FROM record_sections o"
        " WHERE s.handover_id = $1 AND o.handover_id = $2 AND s.section = 'assessment' AND o.section = s.section",
        "changed",
    ),
    "another section of the person's": (
        "UPDATE record_sections s SET document = o.document FROM record_sections o"
        " WHERE s.handover_id = $1 AND o.handover_id = $1 AND s.section = 'assessment' AND o.section = 'identity'"
        " AND $2::uuid IS NOT NULL",
        "changed",
    ),
    "another record's key": (
        "UPDATE record_versions v SET data_key = o.data_key FROM record_versions o"
        " WHERE v.handover_id = $1 AND o.handover_id = $2",
        "changed",
    ),
    "a key under a master key that is not there": (
        "UPDATE record_versions SET data_key = '\\x00000000' || substr(data_key, 5)"
        " WHERE handover_id = $1 AND $2::uuid IS NOT NULL",
        "no_key",
    ),
}


@pytest.mark.parametrize("name", BREAKAGES)
async def test_what_is_not_as_it_was_sealed_answers_500_and_nothing_else(
    world: World, db: Database, name: str
) -> None:
    one, other = await offer(world, 1), await offer(world, 2)
    statement, why = BREAKAGES[name]
    async with owner(db) as tx:
        await fetch(tx, statement, UUID(one["id"]), UUID(other["id"]))
    before = BROKEN.labels(why=why)._value.get()
    answer = await world.center.get(f"/v1/handovers/{one['id']}")
    assert answer.status_code == 500
    assert answer.json().keys() <= {"type", "title", "status", "code", "responsibleParty", "requestId"}
    assert answer.json()["code"] == "internal_error"
    assert BROKEN.labels(why=why)._value.get() == before + 1
    assert (await world.center.get(f"/v1/handovers/{other['id']}")).status_code == 200
    assert (await world.center.get("/v1/handovers?limit=1")).status_code == 200, "a list opens nothing"
