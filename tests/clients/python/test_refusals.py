"""What the service really refuses arrives as the class of its code."""

from typing import Any
from uuid import uuid4

import pytest
from joserfc.jwk import ECKey

from tests.clients.python.faces import Software, done, items
from tsunagi_client import ProblemError, Retry, TokenRefused, Tsunagi, TsunagiError, errors

ONCE = Retry(attempts=1)


async def refused(kind: type[TsunagiError], call: Any) -> Any:
    """The error that the call raises, on either face."""
    with pytest.raises(kind) as caught:
        await done(call() if callable(call) else call)
    assert type(caught.value) is kind
    return caught.value


async def test_what_may_not_be_seen_is_not_found(software: Software) -> None:
    client = software.client(language="en")
    error = await refused(errors.NotFound, lambda: client.handovers.get(uuid4()))
    assert (error.status, error.code, error.problem_code) == (404, "not_found", "not_found")
    assert error.title == "Not found"
    assert error.responsible_party == "client"
    assert error.request_id
    assert error.request_id in str(error)


async def test_a_record_of_the_wrong_shape_names_its_place(software: Software) -> None:
    record = software.record()
    record["sections"]["identity"]["birthDate"] = "May"
    error = await refused(errors.SchemaInvalid, lambda: software.client().handovers.create(record))
    assert error.errors[0].pointer == "/sections/identity/birthDate"
    assert error.errors[0].code.startswith("schema.")
    assert "/sections/identity/birthDate" in str(error)


async def test_a_record_that_breaks_a_rule_names_the_rule(software: Software) -> None:
    record = software.record(plannedDate="2027-01-01")
    error = await refused(errors.RuleViolated, lambda: software.client().handovers.check(record))
    assert [fault.code for fault in error.errors] == ["planned_date.not_after_service_end"]
    assert error.errors[0].responsible_party == "sender"


async def test_an_offer_without_consent_is_refused(software: Software) -> None:
    client = software.client()
    draft = await done(client.handovers.create(software.record()))
    error = await refused(errors.ConsentMissing, lambda: client.handovers.offer(draft.data["id"]))
    assert (error.status, error.responsible_party) == (422, "sender")


async def test_a_step_out_of_turn_says_how_the_handover_stands(software: Software) -> None:
    client = software.client()
    offered = await software.offered(client)
    error = await refused(errors.WrongState, lambda: client.handovers.offer(offered["id"]))
    assert error.handover_status == "offered"
    assert set(error.available_actions) >= {"amend", "withdraw"}


async def test_a_receiver_that_is_too_early_learns_the_day(software: Software) -> None:
    client = software.client()
    offered = await software.offered(client, plannedDate="2028-04-01", serviceEndsOn="2028-03-31")
    receiver = client.acting(organization=str(software.receiving))
    error = await refused(errors.WindowNotOpen, lambda: receiver.handovers.receive(offered["id"]))
    assert error.window_opens_on == "2027-10-01"


async def test_a_person_who_is_known_is_named(software: Software) -> None:
    client = software.client()
    identity = software.record()["sections"]["identity"]
    person = await done(client.people.register(identity))
    error = await refused(errors.PersonAlreadyKnown, lambda: client.people.register(identity))
    assert error.person_id == person["personId"]
    twin = await done(client.people.register(identity, distinct_from=[error.person_id]))
    assert twin["personId"] != person["personId"]
    kana = (identity["familyNameKana"], identity["givenNameKana"], identity["birthDate"])
    await refused(errors.MatchAmbiguous, lambda: client.people.match_by_name(*kana))


async def test_an_amendment_of_what_has_changed_is_refused(software: Software) -> None:
    client = software.client()
    record = software.record()
    draft = await done(client.handovers.create(record))
    record["personId"] = draft.data["personId"]

    def change() -> Any:
        return client.handovers.amend(draft.data["id"], record, if_match=draft.etag)

    await done(change())
    error = await refused(errors.PreconditionFailed, change)
    assert not hasattr(error, "__notes__")


async def test_a_key_that_was_used_for_something_else_is_refused(software: Software) -> None:
    client = software.client()
    key = str(uuid4())
    await done(client.handovers.create(software.record(), idempotency_key=key))
    await refused(
        errors.IdempotencyKeyReused,
        lambda: client.handovers.create(software.record(), idempotency_key=key),
    )


async def test_responsibility_that_another_organization_holds_cannot_be_offered(software: Software) -> None:
    sender = software.client()
    offered = await software.offered(sender)
    receiver = sender.acting(organization=str(software.receiving))
    await done(receiver.handovers.get(offered["id"]))
    record = software.record(personId=offered["personId"], receiverId=str(software.sending))
    draft = await done(receiver.handovers.create(record))
    consent = {
        "personId": offered["personId"],
        "subject": "person",
        "recipientIds": [str(software.sending)],
        "sections": list(record["sections"]),
        "purpose": "引継ぎのため",
        "from": "2026-01-01",
        "to": "2031-01-01",
        "givenBy": {"kind": "person"},
        "givenOn": "2026-01-01",
        "method": "electronic",
        "explainedBy": {"name": "試験 花子", "role": "主任"},
    }
    await done(receiver.consents.create(consent))
    await refused(errors.ResponsibilityNotHeld, lambda: receiver.handovers.offer(draft.data["id"]))


async def test_a_token_with_fewer_scopes_can_do_less(software: Software) -> None:
    client = software.client(scopes=["directory:read"])
    assert (await done(client.organizations.get(software.sending)))["kind"] == "settlement"
    await refused(errors.ScopeMissing, lambda: items(client.handovers.list()))


async def test_a_parameter_that_is_out_of_range_is_named(software: Software) -> None:
    error = await refused(
        errors.InvalidParameter, lambda: items(software.client().organizations.list(page_size=1000))
    )
    assert error.errors[0].parameter == "limit"


async def test_too_many_matches_are_refused_with_a_time_to_wait(software: Software) -> None:
    client = software.client(retry=ONCE)
    with pytest.raises(errors.RateLimited) as caught:
        for _ in range(100):
            with pytest.raises(errors.NotFound):
                await done(client.people.match_by_certificate("12199", "0000000000"))
    assert 0 < (caught.value.retry_after_seconds or 0) <= 60


async def test_a_document_that_is_too_large_is_refused(software: Software) -> None:
    record = software.record(acquisitionContext="あ" * 1_000_000)
    await refused(errors.BodyTooLarge, lambda: software.client(retry=ONCE).handovers.check(record))


async def test_no_organization_is_acted_for_by_accident(software: Software) -> None:
    error = await refused(
        TokenRefused, lambda: software.client(organization=None).organizations.get(software.sending)
    )
    assert (error.status, error.error) == (400, "invalid_request")
    assert "organization" in str(error)


async def test_a_key_that_is_not_registered_gets_no_token(software: Software) -> None:
    stranger = software.client(key=ECKey.generate_key("P-256"))
    error = await refused(TokenRefused, lambda: items(stranger.areas.list()))
    assert (error.status, error.error) == (401, "invalid_client")


def test_every_refusal_is_caught_by_one_class() -> None:
    assert issubclass(errors.ConsentMissing, ProblemError)
    assert issubclass(ProblemError, TsunagiError)
    assert issubclass(TokenRefused, TsunagiError)
    assert Tsunagi.__doc__
