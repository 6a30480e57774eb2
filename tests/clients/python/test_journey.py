"""A handover from offer to acceptance, as software of both sides lives through it."""

from contextlib import aclosing
from typing import Any
from uuid import UUID

import pytest
from joserfc.jwk import ECKey

from tests.clients.python.faces import Software, done, items
from tests.world import consent_for
from tsunagi_client import AsyncTsunagi, Tsunagi, section_matches


async def test_a_handover_goes_from_offer_to_acceptance(software: Software) -> None:
    sender = software.client()
    receiver = sender.acting(organization=str(software.receiving))
    record = software.record()

    checked = await done(sender.handovers.check(record))
    assert checked["valid"] is True
    draft = await done(sender.handovers.create(record))
    assert (draft.data["status"], draft.replayed) == ("draft", False)
    person_id, handover_id = draft.data["personId"], draft.data["id"]
    consent = await done(sender.consents.create(consent_for(person_id, software.receiving)))
    offered = await done(sender.handovers.offer(handover_id, if_match=draft.etag))
    assert offered.data["status"] == "offered"

    coming = await items(receiver.handovers.list(direction="incoming", status=["offered", "received"]))
    assert [one["id"] for one in coming] == [handover_id]
    seen = await done(receiver.handovers.get(UUID(handover_id)))
    assert seen.data["status"] == "received"
    assert seen.data["record"]["sections"].keys() <= record["sections"].keys()
    assert (await done(receiver.consents.get(consent["id"])))["status"] == "active"
    answers: list[Any] = [
        {"domain": one["domain"], "decision": "accept", "from": one["from"]} for one in seen.data["domains"]
    ]
    accepted = await done(
        receiver.handovers.accept(
            handover_id,
            answers,
            person_in_charge={"name": "試験 次郎", "role": "主任"},
            if_match=seen.etag,
        )
    )
    assert accepted.data["status"] in ("accepted", "overlapping")
    found = await done(receiver.people.responsibility(person_id, as_of="2027-04-01"))
    held = {one["domain"]: one["holder"]["id"] for one in found["domains"]}
    assert str(software.receiving) in held.values()


async def test_the_person_is_told_who_received_what_on_paper_too(software: Software) -> None:
    sender = software.client()
    offered = await software.offered(sender)
    receiver = sender.acting(organization=str(software.receiving))
    person_id = (await done(receiver.handovers.get(offered["id"]))).data["personId"]
    told = await items(sender.people.disclosures(person_id, page_size=1))
    assert [one["organization"]["id"] for one in told] == [str(software.receiving)]
    report = await done(sender.people.report(person_id))
    assert [one["entryId"] for one in report["disclosures"]] == [told[0]["entryId"]]
    printed = await done(sender.people.printed_report(person_id, ruby=True, language="ja"))
    assert printed.startswith(b"%PDF-")


async def test_the_receiver_checks_that_each_section_is_the_one_that_was_sent(software: Software) -> None:
    sender = software.client()
    offered = await software.offered(sender)
    receiver = sender.acting(organization=str(software.receiving))
    seen = (await done(receiver.handovers.get(offered["id"]))).data
    sections = seen["record"]["sections"]
    assert sections.keys() == seen["sectionHashes"].keys()
    assert all(section_matches(sections[name], known) for name, known in seen["sectionHashes"].items())
    sections["identity"]["givenName"] = "別人"
    assert not section_matches(sections["identity"], seen["sectionHashes"]["identity"])


async def test_what_has_not_changed_is_not_read_again(software: Software) -> None:
    sender = software.client()
    offered = await software.offered(sender)
    first = await done(sender.handovers.get(offered["id"]))
    assert await done(sender.handovers.get_if_changed(offered["id"], first.etag)) is None
    assert await done(sender.handovers.get_version_if_changed(offered["id"], 1, first.etag)) is None
    await done(sender.acting(organization=str(software.receiving)).handovers.get(offered["id"]))
    changed = await done(sender.handovers.get_if_changed(offered["id"], first.etag))
    assert changed is not None
    assert changed.data["status"] == "received"


async def test_a_record_is_amended_and_its_first_version_stays_readable(software: Software) -> None:
    sender = software.client()
    record = software.record()
    draft = await done(sender.handovers.create(record))
    amended = record | {"plannedDate": "2027-05-01", "personId": draft.data["personId"]}
    checked = await done(sender.handovers.check_amendment(draft.data["id"], amended, if_match=draft.etag))
    assert checked["valid"] is True
    second = await done(sender.handovers.amend(draft.data["id"], amended, if_match=draft.etag))
    assert (second.data["version"], second.data["plannedDate"]) == (2, "2027-05-01")
    first = await done(sender.handovers.get_version(draft.data["id"], 1))
    assert first.data["record"]["plannedDate"] == record["plannedDate"]


async def test_the_receiver_gives_back_and_the_sender_withdraws(software: Software) -> None:
    sender = software.client()
    offered = await software.offered(sender)
    receiver = sender.acting(organization=str(software.receiving))
    received = await done(receiver.handovers.receive(offered["id"]))
    assert received.data["status"] == "received"
    returned = await done(receiver.handovers.return_(offered["id"], "conference_wanted", "会議を希望。"))
    assert returned.data["status"] == "returned"
    withdrawn = await done(sender.handovers.withdraw(offered["id"], "plan_changed"))
    assert withdrawn.data["status"] == "withdrawn"
    assert withdrawn.data["reason"] == {"code": "plan_changed"}


async def test_the_receiver_declines_what_was_opened_early(software: Software) -> None:
    sender = software.client()
    offered = await software.offered(sender, plannedDate="2028-04-01", serviceEndsOn="2028-03-31")
    receiver = sender.acting(organization=str(software.receiving))
    notice = await done(receiver.handovers.get(offered["id"]))
    assert notice.data["notice"] is True
    await done(sender.handovers.open(offered["id"]))
    opened = await done(receiver.handovers.get(offered["id"]))
    assert "record" in opened.data
    declined = await done(receiver.handovers.decline(offered["id"], "capacity", "受入枠がない。"))
    assert declined.data["status"] == "declined"


async def test_consent_that_is_withdrawn_hides_its_section_at_once(software: Software) -> None:
    sender = software.client()
    offered = await software.offered(sender)
    receiver = sender.acting(organization=str(software.receiving))
    seen = (await done(receiver.handovers.get(offered["id"]))).data
    assert "medical" in seen["record"]["sections"]
    withdrawn = await done(
        sender.consents.withdraw(
            seen["consents"][0]["id"], {"kind": "person"}, reason="希望による。", sections=["medical"]
        )
    )
    assert withdrawn["withdrawnScope"] == ["medical"]
    later = (await done(receiver.handovers.get(offered["id"]))).data
    assert "medical" not in later["record"]["sections"]


async def test_a_person_is_registered_and_found_again(software: Software) -> None:
    client = software.client()
    identity = software.record()["sections"]["identity"]
    person = await done(client.people.register(identity))
    by_name = await done(
        client.people.match_by_name(
            identity["familyNameKana"], identity["givenNameKana"], identity["birthDate"]
        )
    )
    certificate = identity["certificate"]
    by_certificate = await done(
        client.people.match_by_certificate(certificate["municipalityCode"], certificate["number"])
    )
    assert by_name == by_certificate == {"personId": person["personId"], "confirmationRequired": True}


async def test_milestones_findings_and_the_directory_are_read(software: Software) -> None:
    client = software.client()
    offered = await software.offered(client)
    due = await done(client.people.milestones(offered["personId"]))
    assert "planned_date" in {one["kind"] for one in due["milestones"]}
    assert all(one["personId"] == offered["personId"] for one in await items(client.findings.list()))
    receiver = await done(client.organizations.get(str(software.receiving)))
    assert receiver["kind"] == "center"
    assert receiver in await items(client.organizations.list(q="センター", kind="center", page_size=200))
    assert {"code", "name", "rules"} <= (await items(client.areas.list()))[0].keys()


async def test_the_export_gives_what_reading_gives(software: Software) -> None:
    sender = software.client()
    offered = [await software.offered(sender) for _ in range(3)]
    receiver = sender.acting(organization=str(software.receiving))
    exported = {one["id"]: one for one in await items(receiver.handovers.export())}
    assert exported.keys() == {one["id"] for one in offered}
    for handover_id, document in exported.items():
        assert document["status"] == "received"
        assert document == (await done(receiver.handovers.get(handover_id))).data


async def test_an_export_may_be_left_early(software: Software) -> None:
    sender = software.client()
    for _ in range(2):
        await software.offered(sender)
    receiver = sender.acting(organization=str(software.receiving))
    export = receiver.handovers.export()
    if isinstance(receiver, AsyncTsunagi):
        async with aclosing(export):
            assert (await anext(export))["direction"] == "incoming"
    else:
        assert next(export)["direction"] == "incoming"
        export.close()
    assert await items(receiver.areas.list()) is not None


async def test_texts_come_in_the_language_that_was_chosen(software: Software) -> None:
    record = software.record()
    record["sections"].pop("employer_contacts", None)
    messages = {
        language: (await done(software.client(language=language).handovers.check(record)))["warnings"]
        for language in ("ja", "en")
    }
    assert messages["en"]
    assert all(one["message"].isascii() for one in messages["en"])
    assert not any(one["message"].isascii() for one in messages["ja"])


async def test_a_face_closes_its_own_connections_and_no_others(software: Software) -> None:
    own: Any = software.face(software.service.base_url, client_id=software.id, key=software.key)
    if isinstance(own, AsyncTsunagi):
        async with own as client:
            await client.acting(organization="any").aclose()
            assert not client._driver.http.is_closed
    else:
        with own:
            own.acting(organization="any").close()
            assert not own._driver.http.is_closed
    assert own._driver.http.is_closed
    given = software.client()
    await done(given.aclose() if isinstance(given, AsyncTsunagi) else given.close())
    assert not given._driver.http.is_closed


@pytest.mark.parametrize(
    "url",
    ["http://tsunagi.example", "ftp://tsunagi.example", "https://u:p@tsunagi.example", "https://a.example/b"],
)
def test_a_service_that_others_could_read_along_with_is_not_spoken_to(url: str) -> None:
    with pytest.raises(ValueError, match="base_url must be https"):
        Tsunagi(url, client_id="any", key=ECKey.generate_key("P-256"))
