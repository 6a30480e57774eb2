"""Which URLs are taken, and when a delivery is tried again."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsunagi.errors import RuleViolated
from tsunagi.webhooks.rules import DELAYS, JITTER, check_url, delay, outcome_of, tried

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "url",
    [
        "https://software.example/hook",
        "https://software.example:8443/hook?office=1",
        "https://93.184.216.34/",
        "https://[2606:4700:4700::1111]/",
    ],
)
def test_a_url_that_can_be_public_is_taken(url: str) -> None:
    check_url(url, to_loopback=False)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://software.example/hook", "webhook.not_https"),
        ("https://user:secret@software.example/", "webhook.url"),
        ("https://user@software.example/", "webhook.url"),
        ("https://software.example/#part", "webhook.url"),
        ("https:///hook", "webhook.url"),
        ("https://software.example:0/", "webhook.url"),
        ("https://software.example:99999/", "webhook.url"),
        ("https://[::1/", "webhook.url"),
        ("https://127.0.0.1/", "webhook.address_refused"),
        ("https://10.0.0.1/", "webhook.address_refused"),
        ("https://[::ffff:10.0.0.1]/", "webhook.address_refused"),
        ("https://[fd00::1]/", "webhook.address_refused"),
    ],
)
def test_any_other_url_is_refused(url: str, code: str) -> None:
    with pytest.raises(RuleViolated) as refused:
        check_url(url, to_loopback=False)
    assert [one.code for one in refused.value.errors] == [code]


@given(st.integers(1, len(DELAYS)), st.floats(0, 1))
def test_jitter_moves_a_delay_by_a_fifth_at_most(attempts: int, draw: float) -> None:
    found, plain = delay(attempts, draw), DELAYS[attempts - 1]
    assert found is not None
    assert plain * (1 - JITTER) <= found <= plain * (1 + JITTER)


def test_delays_grow_and_last_about_three_days() -> None:
    assert list(DELAYS) == sorted(DELAYS)
    assert timedelta(days=2.5) < sum(DELAYS, timedelta()) * (1 - JITTER)
    assert sum(DELAYS, timedelta()) * (1 + JITTER) < timedelta(days=4)
    assert delay(len(DELAYS) + 1, 0.5) is None


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (200, "accepted"),
        (299, "accepted"),
        (301, "refused"),
        (404, "refused"),
        (410, "gone"),
        (500, "refused"),
    ],
)
def test_only_2xx_means_that_it_was_taken(answer: int, outcome: str) -> None:
    assert outcome_of(answer) == outcome


def test_what_becomes_of_a_delivery() -> None:
    assert tried(1, "accepted", NOW, 0.5) == ("delivered", NOW)
    assert tried(1, "gone", NOW, 0.5) == ("failed", NOW)
    assert tried(3, "timeout", NOW, 0.5) == ("waiting", NOW + DELAYS[2])
    assert tried(len(DELAYS), "address_refused", NOW, 0.5) == ("waiting", NOW + DELAYS[-1])
    assert tried(len(DELAYS) + 1, "refused", NOW, 0.5) == ("failed", NOW)
