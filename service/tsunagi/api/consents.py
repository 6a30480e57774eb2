"""The operations of the tag Consents."""

from typing import Any

from fastapi.responses import Response

from tsunagi.api.bodies import instant, present
from tsunagi.api.edge import Call, Routes
from tsunagi.api.idempotency import Answer, once
from tsunagi.clock import civil_date
from tsunagi.consent import actions
from tsunagi.consent.rules import status
from tsunagi.consent.store import Consent
from tsunagi.db import WriteTx
from tsunagi.ids import ConsentId, PersonId

routes = Routes()


@routes.operation("createConsent")
async def create_consent(call: Call) -> Response:
    async def produce(tx: WriteTx) -> Answer:
        consent = await actions.give(tx, call.at, call.caller, call.body, request_id=call.request_id)
        return Answer(_resource(call, consent), 201, {"Location": f"/v1/consents/{consent.id}"})

    return await once(call, produce)


@routes.operation("getConsent")
async def get_consent(call: Call) -> Response:
    consent_id = ConsentId(call.id("consentId"))
    async with call.services.db.write(call.acting) as tx:
        consent = await actions.read(tx, call.at, call.caller, consent_id, request_id=call.request_id)
    return Answer(_resource(call, consent)).response()


@routes.operation("listConsents")
async def list_consents(call: Call) -> Response:
    person_id = PersonId(call.id("personId"))
    async with call.services.db.write(call.acting) as tx:
        found = await actions.recorded(tx, call.at, call.caller, person_id, request_id=call.request_id)
    return Answer(
        {"personId": str(person_id), "consents": [_resource(call, one) for one in found]}
    ).response()


@routes.operation("withdrawConsent")
async def withdraw_consent(call: Call) -> Response:
    async def produce(tx: WriteTx) -> Answer:
        consent = await actions.withdraw(
            tx, call.at, call.caller, ConsentId(call.id("consentId")), call.body, request_id=call.request_id
        )
        return Answer(_resource(call, consent))

    return await once(call, produce)


def _resource(call: Call, consent: Consent) -> dict[str, Any]:
    withdrawn = consent.withdrawn_sections
    withdrawals = [
        {"withdrawnAt": instant(one.at), "sections": list(one.sections)} for one in consent.withdrawals
    ]
    return {
        **consent.document,
        **present(
            id=consent.id,
            giverId=consent.giver_id,
            recordedAt=consent.recorded_at,
            status=status(
                consent.valid_from, consent.valid_to, consent.sections, withdrawn, civil_date(call.at)
            ),
            withdrawnAt=withdrawals[-1]["withdrawnAt"] if withdrawals else None,
            withdrawnScope=list(withdrawn) or None,
            withdrawals=withdrawals or None,
        ),
    }
