"""Which addresses are connected to, and which URLs can be asked."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsunagi.outgoing.rules import fault_in, permitted, public

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
    ("url", "to_loopback", "fault"),
    [
        ("https://software.example/hook", False, None),
        ("https://93.184.216.34/", False, None),
        ("http://software.example/", False, "not_https"),
        ("http://software.example/", True, None),  # its addresses decide
        ("ftp://software.example/", True, "not_https"),
        ("http://127.0.0.1:9/", True, None),
        ("http://10.0.0.1/", True, "address_refused"),
        ("https://127.0.0.1/", False, "address_refused"),
        ("https://user@software.example/", False, "url"),
        ("https://[::1/", False, "url"),
    ],
)
def test_a_url_says_why_it_cannot_be_asked(url: str, to_loopback: bool, fault: str | None) -> None:
    assert fault_in(url, to_loopback=to_loopback) == fault
