"""Access tokens are RFC 9068's, signed by keys that outlive the process, and nothing else passes for one."""

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey, KeySet, OctKey

from tests.auth.assertions import sign
from tests.auth.conftest import ISSUER
from tsunagi.auth import tokens as auth_tokens
from tsunagi.auth.rules import Caller, Scope, Staff
from tsunagi.auth.tokens import Access, AccessTokens, SigningKeys, create_signing_key
from tsunagi.errors import Unauthenticated
from tsunagi.ids import ClientId, OrganizationId

NOW = datetime(2026, 10, 1, 3, tzinfo=UTC)
CALLER = Caller(
    OrganizationId(uuid4()),
    ClientId("kizuna-office"),
    frozenset({Scope.HANDOVERS_READ, Scope.EVENTS_READ}),
    Staff("s-1", "佐藤 花子"),
)
JKT = ECKey.generate_key("P-256").thumbprint()
ACCESS = Access(CALLER, JKT)


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(jws.extract_compact(token.encode()).payload)
    return claims


def signed(tokens: AccessTokens, *, header: dict[str, Any] | None = None, **changes: Any) -> str:
    """A token that the platform's own key signed, but with other contents than it would."""
    kid, key = tokens.keys.newest
    claims = claims_of(tokens.issue(CALLER, NOW, jkt=JKT)) | changes
    protected = {"alg": "ES256", "typ": "at+jwt", "kid": kid, **(header or {})}
    return sign(key, "ES256", protected, json.dumps(claims).encode())


def test_a_token_says_what_rfc_9068_wants(tokens: AccessTokens) -> None:
    token = tokens.issue(CALLER, NOW, jkt=JKT)
    kid, key = tokens.keys.newest
    header = jws.extract_compact(token.encode()).headers()
    assert header == {"alg": "ES256", "typ": "at+jwt", "kid": kid}
    assert kid == key.thumbprint()
    claims = claims_of(token)
    assert len(claims.pop("jti")) >= 16
    assert claims == {
        "iss": ISSUER,
        "aud": ISSUER,
        "sub": "kizuna-office",
        "client_id": "kizuna-office",
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 300,
        "scope": "events:read handovers:read",
        "org": str(CALLER.organization_id),
        "staff": {"id": "s-1", "name": "佐藤 花子"},
        "cnf": {"jkt": JKT},
    }


def test_a_token_without_a_key_says_that_it_is_of_the_sandbox(tokens: AccessTokens) -> None:
    token = tokens.issue(CALLER, NOW, jkt=None)
    assert claims_of(token)["sandbox"] is True
    assert "cnf" not in claims_of(token)
    assert tokens.verify(token, NOW) == Access(CALLER, None)


def test_a_token_comes_back_as_the_caller_it_was_issued_to(tokens: AccessTokens) -> None:
    anonymous = Caller(CALLER.organization_id, CALLER.client_id, CALLER.scopes)
    for caller in (CALLER, anonymous):
        token = tokens.issue(caller, NOW, jkt=JKT)
        assert tokens.verify(token, NOW).caller == caller
        assert tokens.verify(token, NOW + timedelta(seconds=299)).caller == caller


def test_anybody_can_verify_with_the_published_keys(tokens: AccessTokens) -> None:
    published = tokens.keys.public_set()
    assert isinstance(published["keys"], list)
    assert set(published["keys"][0]) == {"kty", "crv", "x", "y", "kid", "alg", "use"}
    key_set = KeySet.import_key_set(published)  # type: ignore[arg-type]
    token = jwt.decode(tokens.issue(CALLER, NOW, jkt=JKT), key_set, algorithms=["ES256"])
    assert token.claims["org"] == str(CALLER.organization_id)


def test_a_token_expires_also_when_it_was_verified_before(tokens: AccessTokens) -> None:
    token = tokens.issue(CALLER, NOW, jkt=JKT)
    tokens.verify(token, NOW)
    for later in (NOW + timedelta(seconds=300), NOW + timedelta(days=1)):
        with pytest.raises(Unauthenticated):
            tokens.verify(token, later)


def test_a_changed_token_is_refused(tokens: AccessTokens) -> None:
    token = tokens.issue(CALLER, NOW, jkt=JKT)
    tokens.verify(token, NOW)
    header, _, signature = token.split(".")
    other = tokens.issue(Caller(OrganizationId(uuid4()), CALLER.client_id, CALLER.scopes), NOW, jkt=JKT)
    for changed in (
        f"{header}.{other.split('.')[1]}.{signature}",
        token[:-4] + "AAAA",
        token[:-1],
        token + "A",
    ):
        with pytest.raises(Unauthenticated):
            tokens.verify(changed, NOW)


def test_a_foreign_token_is_refused(tokens: AccessTokens, tmp_path: Path) -> None:
    foreign = AccessTokens(SigningKeys(tmp_path / "foreign"), ISSUER)
    kid, own = tokens.keys.newest
    _, other = foreign.keys.newest
    forged = sign(other, "ES256", {"alg": "ES256", "typ": "at+jwt", "kid": kid}, b"{}")
    secret = OctKey(own.as_pem(), own.as_pem())
    confused = sign(secret, "HS256", {"alg": "HS256", "typ": "at+jwt", "kid": kid}, b"{}")
    unsigned = sign(own, "none", {"alg": "none", "typ": "at+jwt", "kid": kid}, b"{}")
    for token in (foreign.issue(CALLER, NOW, jkt=JKT), forged, confused, unsigned):
        with pytest.raises(Unauthenticated):
            tokens.verify(token, NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://elsewhere.example"},
        {"aud": "https://elsewhere.example"},
        {"aud": [ISSUER]},
        {"iat": int(NOW.timestamp()) + 60},
        {"iat": "now"},
        {"exp": None},
        {"exp": int(NOW.timestamp()) - 1},
        {"client_id": None},
        {"org": None},
        {"cnf": None},
        {"cnf": {}},
        {"cnf": {"jkt": ""}},
        {"cnf": {"jkt": ["x"]}},
        {"cnf": {"x5t#S256": "x"}},
        {"cnf": None, "sandbox": "true"},
        {"cnf": {}, "sandbox": True},
        {"org": "everyone"},
    ],
)
def test_a_token_with_other_contents_is_refused(tokens: AccessTokens, changes: dict[str, Any]) -> None:
    assert tokens.verify(signed(tokens), NOW) == ACCESS
    with pytest.raises(Unauthenticated):
        tokens.verify(signed(tokens, **changes), NOW)


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "JWT"},
        {"typ": None},
        {"alg": ["ES256"]},
        {"alg": None},
        {"crit": ["x"], "x": 1},
        {"crit": 5},
        {"kid": ["k"]},
        {"kid": None},
    ],
)
def test_a_token_of_another_type_is_refused(tokens: AccessTokens, header: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        tokens.verify(signed(tokens, header=header), NOW)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "..", "トークン", "\ud800", "x" * 10_000])
def test_what_is_no_token_is_refused(tokens: AccessTokens, token: str) -> None:
    with pytest.raises(Unauthenticated):
        tokens.verify(token, NOW)


def test_tokens_live_on_across_a_restart(tmp_path: Path) -> None:
    before = AccessTokens(SigningKeys(tmp_path / "keys"), ISSUER)
    token = before.issue(CALLER, NOW, jkt=JKT)
    after = AccessTokens(SigningKeys(tmp_path / "keys"), ISSUER)
    assert after.verify(token, NOW) == ACCESS
    assert after.keys.public_set() == before.keys.public_set()


def test_the_newest_key_signs_and_all_verify(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    before = AccessTokens(SigningKeys(folder), ISSUER)
    old = before.issue(CALLER, NOW, jkt=JKT)
    kid = create_signing_key(folder)
    after = AccessTokens(SigningKeys(folder), ISSUER)
    new = after.issue(CALLER, NOW, jkt=JKT)
    assert after.keys.newest[0] == kid
    assert jws.extract_compact(new.encode()).headers()["kid"] == kid
    assert after.verify(old, NOW) == ACCESS
    assert before.verify(new, NOW) == ACCESS, "a process that was running learns of the new key"
    assert len(after.keys.public_set()["keys"]) == 2  # type: ignore[arg-type]


def test_two_processes_that_start_at_once_accept_each_others_tokens(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    one = AccessTokens(SigningKeys(folder), ISSUER)
    create_signing_key(folder)  # as the other would have, had it looked before there was a key
    other = AccessTokens(SigningKeys(folder), ISSUER)
    assert one.verify(other.issue(CALLER, NOW, jkt=JKT), NOW) == other.verify(
        one.issue(CALLER, NOW, jkt=JKT), NOW
    )


def test_the_keys_are_their_owners_alone(tmp_path: Path) -> None:
    SigningKeys(tmp_path / "keys")
    (path,) = (tmp_path / "keys").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_key_that_cannot_sign_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "token-1.pem").write_bytes(ECKey.generate_key("P-384").as_pem(private=True))
    with pytest.raises(ValueError, match="P-256"):
        SigningKeys(tmp_path)


def test_the_memory_of_verified_tokens_is_bounded(
    tokens: AccessTokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth_tokens, "MAX_CACHED", 3)
    issued = [tokens.issue(CALLER, NOW, jkt=JKT) for _ in range(10)]
    assert [tokens.verify(token, NOW) for token in issued * 2] == [ACCESS] * 20
    assert len(tokens._verified) == 3
