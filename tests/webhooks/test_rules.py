"""Which URLs and addresses are taken, and when a delivery is tried again."""

import ipaddress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsunagi.errors import RuleViolated
from tsunagi.webhooks.rules import DELAYS, JITTER, check_url, delay, outcome_of, permitted, public, tried

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)

PUBLIC = ("93.184.216.34", "8.8.8.8", "2606:4700:4700::1111", "2a00:1450:4001:80e::200e", "::ffff:8.8.8.8")
NOT_PUBLIC = (
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.127.255.254",
    "127.0.0.1",
    "127.8.8.8",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:100.64.0.1",
    "::10.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::10.0.0.1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:a00:1::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456:789a::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_sent_to_over_tls_alone(address: str) -> None:
    found = ipaddress.ip_address(address)
    assert permitted(found, secure=True, to_loopback=False)
    assert not permitted(found, secure=False, to_loopback=True)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_public_is_never_sent_to(address: str) -> None:
    found = ipaddress.ip_address(address)
    assert not permitted(found, secure=True, to_loopback=False)
    assert not permitted(found, secure=False, to_loopback=False)


@given(st.ip_addresses())
def test_trials_add_this_machine_and_nothing_else(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    plain = getattr(address, "ipv4_mapped", None) or address
    assert permitted(address, secure=False, to_loopback=True) == plain.is_loopback
    assert permitted(address, secure=True, to_loopback=True) == (plain.is_loopback or public(plain))


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
