"""Whatever a provider says, it is taken as agreed or refused with what is wrong."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsunagi.ids import OrganizationId
from tsunagi.openid.rules import (
    FAULTS,
    Document,
    Fault,
    Identity,
    ProviderFaulty,
    Way,
    hash_of,
    identity,
    read_document,
)

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
ISSUER = "https://idp.example"
WAY = Way(OrganizationId(uuid4()), "sign_in", hash_of("n"), NOW, "/")
RIGHT = {
    "iss": ISSUER,
    "aud": "c",
    "sub": "u",
    "nonce": "n",
    "iat": NOW.timestamp(),
    "exp": NOW.timestamp() + 60,
}
DESCRIBED = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/a",
    "token_endpoint": f"{ISSUER}/t",
    "jwks_uri": f"{ISSUER}/k",
}

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["c", "u", "n", ISSUER]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def test_the_right_claims_name_somebody() -> None:
    found = identity(RIGHT | {"amr": ["otp"]}, issuer=ISSUER, client_id="c", way=WAY, now=NOW)
    assert found == Identity(ISSUER, "u", second_factor=True, authenticated_at=None)


@given(st.dictionaries(st.sampled_from([*RIGHT, "amr", "azp", "auth_time"]), anything))
def test_no_claim_is_more_than_refused(changed: dict[str, object]) -> None:
    try:
        found = identity(RIGHT | changed, issuer=ISSUER, client_id="c", way=WAY, now=NOW)
    except ProviderFaulty as faulty:
        assert faulty.fault in FAULTS
    else:
        assert found.issuer == ISSUER
        assert changed.get("nonce", "n") == "n"
        assert changed.get("aud", "c") in ("c", ["c"])


@given(st.dictionaries(st.sampled_from([*DESCRIBED, "response_types_supported"]), anything) | anything)
def test_no_document_is_more_than_refused(said: object) -> None:
    described = DESCRIBED | said if isinstance(said, dict) else said
    try:
        assert isinstance(read_document(described, ISSUER, to_loopback=False), Document)
    except ProviderFaulty as faulty:
        assert faulty.fault in FAULTS


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({}, None),
        ({"issuer": f"{ISSUER}/"}, None),
        ({"issuer": f"{ISSUER}/other"}, "issuer"),
        ({"authorization_endpoint": "http://idp.example/a"}, "endpoints"),
        ({"token_endpoint": "https://127.0.0.1/t"}, "endpoints"),
        ({"jwks_uri": "https://192.168.0.1/k"}, "endpoints"),
        ({"authorization_endpoint": "https://idp.example/" + "a" * 2_000}, "endpoints"),
        ({"authorization_endpoint": "https://idp.example/\nSet-Cookie: x"}, "endpoints"),
        ({"token_endpoint_auth_methods_supported": []}, "no_authentication"),
    ],
)
def test_what_a_document_must_say(changed: dict[str, object], fault: Fault | None) -> None:
    try:
        read_document(DESCRIBED | changed, ISSUER, to_loopback=False)
    except ProviderFaulty as faulty:
        assert faulty.fault == fault
    else:
        assert fault is None
