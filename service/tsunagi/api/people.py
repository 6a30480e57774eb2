"""The operations of the tag People."""

from uuid import UUID

from fastapi.responses import Response

from tsunagi.api.edge import Call, Routes
from tsunagi.api.idempotency import Answer, once
from tsunagi.db import WriteTx
from tsunagi.ids import PersonId
from tsunagi.people import actions
from tsunagi.people.rules import Certificate, KanaAndBirth, match_key

routes = Routes()


@routes.operation("registerPerson")
async def register_person(call: Call) -> Response:
    keys = actions.match_keys(call.services.match_secret, call.body["identity"])
    distinct_from = [PersonId(UUID(one)) for one in call.body.get("distinctFrom", ())]

    async def produce(tx: WriteTx) -> Answer:
        person = await actions.register(
            tx, call.at, call.caller, keys, request_id=call.request_id, distinct_from=distinct_from
        )
        return Answer({"personId": str(person.id)}, 201)

    return await once(call, produce)


@routes.operation("matchPerson")
async def match_person(call: Call) -> Response:
    kana, certificate = call.body.get("kana"), call.body.get("certificate")
    if kana is not None:
        known_by: KanaAndBirth | Certificate = KanaAndBirth(
            kana["familyNameKana"], kana["givenNameKana"], kana["birthDate"]
        )
    else:
        known_by = Certificate(certificate["municipalityCode"], certificate["number"])
    key = match_key(call.services.match_secret, known_by)
    async with call.services.db.write(call.acting) as tx:
        await actions.count_match(
            tx, call.at, call.caller, per_minute=call.services.settings.matches_per_minute
        )
    async with call.services.db.write(call.acting) as tx:
        person = await actions.match(
            tx, call.at, call.caller, key, by_certificate=kana is None, request_id=call.request_id
        )
    return Answer({"personId": str(person.id), "confirmationRequired": True}).response()
