"""Of every handover, in whatever state, the receipt that either side gets is good in the eyes of the verifier."""

import pytest

from tests.api.states import undone
from tests.isolation.realm import STATES, Realm
from tsunagi_verifier.receipts import check_receipt
from tsunagi_verifier.trust import Trust, log_keys, read_keys

pytestmark = pytest.mark.xdist_group("realm")


@pytest.mark.parametrize("state", STATES)
async def test_a_receipt_proves_its_steps_up_to_the_state_that_it_names(realm: Realm, state: str) -> None:
    (target,) = [one for one in realm.targets if (one.owner, one.state) == ("sender", state)]
    keys = (await realm.http.get("/ledger/keys")).text
    trust, shown = Trust(log_keys(read_keys(keys.splitlines()))), 0
    for role in (target.owner, target.receiver):
        async with undone(realm.services.db):
            answer = await realm.voices[role].send("GET", f"/v1/handovers/{target.handover_id}/receipt")
        if answer.status_code == 404 and role == target.receiver:
            continue  # it was never offered
        receipt = check_receipt(answer.json(), trust)
        shown += len(receipt.proven) + len(receipt.waiting)
    assert shown
