"""The token endpoint's decision, made in memory, and the discovery documents.

Authlib gives the shape of errors and checks the metadata. What is accepted is decided here and in `rules`;
`docs/decisions/0003-authlib-plumbing.md` says why.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from authlib.common.security import is_secure_transport
from authlib.consts import default_json_headers
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

from tsunagi.auth.rules import (
    Assertion,
    Caller,
    Scope,
    SoftwareClient,
    TokenRefused,
    check_claims,
    check_header,
    choose_organization,
    narrow_scopes,
    scope_text,
)
from tsunagi.auth.tokens import LIFETIME_SECONDS, AccessTokens
from tsunagi.proofs.keys import ALGORITHMS, Jwt, read_key
from tsunagi.proofs.rules import Proof

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
AUTH_METHOD = "private_key_jwt"
GRANT_TYPE = "client_credentials"
TOKEN_PATH, JWKS_PATH, DOCS_PATH = "/oauth2/token", "/.well-known/jwks.json", "/docs"

Form = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Mapping[str, object]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Decision:
    """What came of a token request. `assertion` is there when the client has proved itself: it is used up,
    whatever the outcome."""

    outcome: Caller | TokenRefused
    assertion: Assertion | None = None


def decide(
    form: Form,
    unverified: Jwt | None,
    client: SoftwareClient | None,
    proof: Proof | TokenRefused | None,
    *,
    issuer: str,
    now: datetime,
) -> Decision:
    """What comes of a token request. `unverified` is its assertion; `client` is whom that names, if known; `proof`
    is the request's proof of possession, or what is wrong with it.

    1. RFC 6749 section 4.4: the grant is client_credentials.
    2. RFC 7523 section 2.2: there is an assertion, and the client that it names is known and active.
    3. RFC 7523 section 3: the assertion is the client's.
    4. RFC 9449 section 5: there is a proof that holds. A client that is registered for the sandbox may have none.
    5. The client acts for one organization, the one asked for or its only one.
    6. RFC 6749 section 3.3: the scopes are those asked for, or all that it has there.
    """
    assertion = None
    try:
        _check_grant(form)  # 1
        presented, known = _presented(form, unverified), _known(form, client)  # 2
        assertion = verify_assertion(presented, known, issuer=issuer, now=now)  # 3
        if isinstance(proof, TokenRefused):  # 4
            raise proof
        if proof is None and known.profile != "sandbox":
            raise TokenRefused(
                "invalid_dpop_proof", "header 'DPoP' is missing: it must hold a proof (RFC 9449)"
            )
        organization_id = choose_organization(form.get("organization"), known.organizations)  # 5
        scopes = narrow_scopes(_scope(form, known), known.organizations[organization_id])  # 6
    except TokenRefused as refusal:
        return Decision(refusal, assertion)
    return Decision(Caller(organization_id, known.id, scopes, assertion.staff), assertion)


def verify_assertion(presented: Jwt, client: SoftwareClient, *, issuer: str, now: datetime) -> Assertion:
    """The client's proof that it is `client`.

    1. The header names an accepted algorithm, and a key that the client has now and that is made for it.
    2. That key made the signature.
    3. The claims are meant for this server, for now, and for once.

    Raises TokenRefused.
    """
    alg, kid = check_header(presented.header)  # 1
    key = client.key(kid, now)
    if key is None:
        raise _invalid_client("header 'kid' names no key of the client that is valid now")
    if key.jwk["alg"] != alg:
        raise _invalid_client("header 'alg' is not the algorithm of the key that 'kid' names")
    if not read_key(key.jwk).has_signed(presented):  # 2
        raise _invalid_client("the signature is not by the key that 'kid' names")
    # SMART Backend Services address the token endpoint; FAPI 2.0 section 5.3.2.1 has the issuer alone.
    audiences = (issuer, issuer + TOKEN_PATH) if client.profile == "smart" else (issuer,)
    return check_claims(presented.claims, client_id=client.id, audiences=audiences, now=now)  # 3


def granted(caller: Caller, proof: Proof | None, *, tokens: AccessTokens, now: datetime) -> Answer:
    """RFC 6749 section 5.1, RFC 9449 section 5."""
    body = {
        "access_token": tokens.issue(caller, now, jkt=proof.jkt if proof else None),
        "token_type": "DPoP" if proof else "Bearer",
        "expires_in": LIFETIME_SECONDS,
        "scope": scope_text(caller.scopes),
    }
    return Answer(200, body, dict(default_json_headers))


def refused(refusal: TokenRefused) -> Answer:
    """RFC 6749 section 5.2. Without `WWW-Authenticate`: no HTTP authentication scheme leads here."""
    status = 401 if refusal.error == "invalid_client" else 400
    error = OAuth2Error(error=refusal.error, description=refusal.description, status_code=status)
    status, body, headers = error()
    return Answer(status, body, dict(headers))


def issuer_of(base_url: str) -> str:
    """The issuer identifier (RFC 8414 section 2). Raises ValueError when it cannot be one."""
    issuer = base_url.rstrip("/")
    parts = urlsplit(issuer)
    if parts.path or parts.query or parts.fragment or not is_secure_transport(issuer):
        raise ValueError("TSUNAGI_BASE_URL must be https (or http on the loopback), without a path")
    return issuer


def authorization_server_metadata(issuer: str) -> dict[str, object]:
    """RFC 8414 section 2."""
    metadata = _Metadata(
        issuer=issuer,
        token_endpoint=issuer + TOKEN_PATH,
        jwks_uri=issuer + JWKS_PATH,
        grant_types_supported=[GRANT_TYPE],
        response_types_supported=[],
        scopes_supported=list(Scope),
        token_endpoint_auth_methods_supported=[AUTH_METHOD],
        token_endpoint_auth_signing_alg_values_supported=list(ALGORITHMS),
        service_documentation=issuer + DOCS_PATH,
        protected_resources=[issuer],  # RFC 9728 section 4
        dpop_signing_alg_values_supported=list(ALGORITHMS),  # RFC 9449 section 5.1
    )
    metadata.validate()
    return dict(metadata)


def smart_configuration(issuer: str) -> dict[str, object]:
    """SMART App Launch 2.2, `.well-known/smart-configuration` of a server for backend services alone."""
    return {
        "issuer": issuer,
        "jwks_uri": issuer + JWKS_PATH,
        "token_endpoint": issuer + TOKEN_PATH,
        "grant_types_supported": [GRANT_TYPE],
        "token_endpoint_auth_methods_supported": [AUTH_METHOD],
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "scopes_supported": list(Scope),
        "capabilities": ["client-confidential-asymmetric"],
        "dpop_signing_alg_values_supported": list(ALGORITHMS),
    }


def protected_resource_metadata(issuer: str) -> dict[str, object]:
    """RFC 9728 section 2."""
    return {
        "resource": issuer,
        "authorization_servers": [issuer],
        "scopes_supported": list(Scope),
        "bearer_methods_supported": ["header"],
        "resource_name": "Tsunagi",
        "resource_name#ja": "Tsunagi（繋ぎ）",
        "resource_documentation": issuer + DOCS_PATH,
        "dpop_signing_alg_values_supported": list(ALGORITHMS),
        # True for whoever finds this out here; sandbox clients are told otherwise when they are registered.
        "dpop_bound_access_tokens_required": True,
    }


class _Metadata(AuthorizationServerMetadata):  # type: ignore[misc]  # Authlib is not typed
    def validate_response_types_supported(self) -> None:
        """Required, and empty here: there is no authorization endpoint. Authlib takes empty for absent."""
        if self.get("response_types_supported") != []:
            raise ValueError('"response_types_supported" must be empty')


def _check_grant(form: Form) -> None:
    if "grant_type" not in form:
        raise TokenRefused("invalid_request", "parameter 'grant_type' is missing")
    if form["grant_type"] != GRANT_TYPE:
        raise TokenRefused("unsupported_grant_type", f"parameter 'grant_type' must be {GRANT_TYPE}")


def _presented(form: Form, unverified: Jwt | None) -> Jwt:
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise _invalid_client(f"parameter 'client_assertion_type' must be {ASSERTION_TYPE}")
    if unverified is None:
        raise _invalid_client("parameter 'client_assertion' is not a JWT in compact form")
    return unverified


def _known(form: Form, client: SoftwareClient | None) -> SoftwareClient:
    if client is None or not client.active:
        raise _invalid_client("claim 'sub' is not the id of an active client")
    if form.get("client_id", client.id) != client.id:
        raise _invalid_client("parameter 'client_id' is not the client that the assertion names")
    return client


def _scope(form: Form, client: SoftwareClient) -> str | None:
    """SMART Backend Services, "Obtain access token": the parameter is required."""
    if client.profile == "smart" and "scope" not in form:
        raise TokenRefused("invalid_scope", "parameter 'scope' is required of clients of the profile smart")
    return form.get("scope")


def _invalid_client(description: str) -> TokenRefused:
    return TokenRefused("invalid_client", description)
