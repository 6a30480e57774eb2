"""What a side may read, which warnings it sees, and the tag of all that."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import get_args
from uuid import UUID

import pytest

from tests.handovers.test_rules import handover
from tsunagi.consent.rules import Coverage
from tsunagi.disclosure.rules import etag, readable, visible_warnings
from tsunagi.errors import Notice, Text
from tsunagi.handovers.rules import Handover, Side, Status
from tsunagi.ids import ConsentId

TODAY = date(2026, 11, 20)
CONSENT, OTHER = ConsentId(UUID(int=1)), ConsentId(UUID(int=2))
COVERED = Coverage({"identity": (CONSENT,)}, {"medical": "not_consented"})


def notice(pointer: str) -> Notice:
    return Notice("rule.code", "warning", Text("注意", "note"), pointer)


def test_the_sender_reads_its_own_record_always_the_receiver_what_is_open_and_alive() -> None:
    dead = {"draft", "declined", "withdrawn", "expired"}
    for status in get_args(Status):
        one = handover(status=status)
        assert readable(one, "sender", TODAY)
        assert readable(one, "receiver", TODAY) == (status not in dead)
        assert not readable(one, "receiver", date(2026, 9, 30))


@pytest.mark.parametrize(
    ("pointer", "shown"),
    [
        ("/plannedDate", True),
        ("", True),
        ("/sections", True),
        ("/sections/identity/birthDate", True),
        ("/sections/employer_contacts/singlePointOfContact", True),
        ("/sections/medical", False),
        ("/sections/medical/coping", False),
    ],
)
def test_a_warning_about_a_withheld_section_is_withheld(pointer: str, shown: bool) -> None:
    assert bool(visible_warnings([notice(pointer)], COVERED)) == shown
    assert visible_warnings([notice(pointer)], None) == ()


def test_the_same_thing_seen_again_has_the_same_tag() -> None:
    one = handover()
    turned = Coverage(dict(reversed(list(COVERED.visible.items()))), dict(COVERED.withheld))
    assert etag(one, "receiver", COVERED, TODAY) == etag(one, "receiver", turned, date(2026, 11, 21))


def test_whatever_is_seen_differently_has_another_tag() -> None:
    one = handover()
    seen: list[tuple[Handover, Side, Coverage | None, date]] = [
        (one, "receiver", COVERED, TODAY),
        (one, "sender", COVERED, TODAY),
        (one, "receiver", None, TODAY),
        (replace(one, revision=2), "receiver", COVERED, TODAY),
        (replace(one, version=2), "receiver", COVERED, TODAY),
        (one, "receiver", Coverage({"identity": (CONSENT,)}, {"medical": "consent_withdrawn"}), TODAY),
        (one, "receiver", Coverage({"identity": (OTHER,)}, {"medical": "not_consented"}), TODAY),
        (one, "receiver", Coverage({"medical": (CONSENT,)}, {"identity": "not_consented"}), TODAY),
        (one, "receiver", Coverage({}, {"medical": "not_consented"}), TODAY),
        (one, "receiver", COVERED, date(2026, 9, 30)),
        (replace(one, window_opened_at=datetime(2026, 9, 1, tzinfo=UTC)), "sender", None, TODAY),
    ]
    assert len({etag(*one_way) for one_way in seen}) == len(seen)


def test_a_tag_is_one_strong_tag() -> None:
    tag = etag(handover(), "receiver", COVERED, TODAY)
    assert tag[0] == tag[-1] == '"'
    assert tag.isascii()
    assert not set(tag[1:-1]) & set('", ')
