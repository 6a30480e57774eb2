"""The token endpoint and the discovery documents, in the shapes that OAuth gives them.

Its errors are those of RFC 6749, not problem details: OAuth software must understand them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import parse_qsl

from tsunagi.auth import actions, server
from tsunagi.auth.rules import TokenRefused, acceptable_client_id
from tsunagi.auth.server import Answer
from tsunagi.auth.tokens import AccessTokens
from tsunagi.db import Database
from tsunagi.ids import ClientId
from tsunagi.proofs.actions import Proofs
from tsunagi.proofs.keys import read_jwt
from tsunagi.proofs.rules import Asked, Proof, ProofRefused

FORM_TYPE = "application/x-www-form-urlencoded"
MAX_FORM_BYTES = 16_384
MAX_PARAMETERS = 50


@dataclass(frozen=True, slots=True)
class TokenEndpoint:
    """What the token endpoint works with."""

    db: Database
    tokens: AccessTokens
    proofs: Proofs

    async def answer(
        self,
        content_type: str | None,
        body: bytes,
        dpop: Sequence[str],
        *,
        now: datetime,
        request_id: str,
    ) -> Answer:
        """The answer to a token request; what it says has been committed. It brings a nonce for the next proof."""
        answer = await self._decided(content_type, body, dpop, now, request_id)
        nonce = self.proofs.new_nonce(now)
        return replace(answer, headers={**answer.headers, "DPoP-Nonce": nonce}) if nonce else answer

    async def _decided(
        self, content_type: str | None, body: bytes, dpop: Sequence[str], now: datetime, request_id: str
    ) -> Answer:
        try:
            form = read_form(content_type, body)
        except TokenRefused as refusal:
            return server.refused(refusal)
        proof = self._proof(dpop, now) if dpop else None
        async with self.db.platform() as tx:
            return await actions.issue_token(
                tx, now, form, proof, proofs=self.proofs, tokens=self.tokens, request_id=request_id
            )

    def _proof(self, dpop: Sequence[str], now: datetime) -> Proof | TokenRefused:
        asked = Asked("POST", self.tokens.issuer + server.TOKEN_PATH)
        try:
            return self.proofs.check(dpop, asked, now)
        except ProofRefused as refused:
            return actions.proof_error(refused)


def read_form(content_type: str | None, body: bytes) -> Mapping[str, str]:
    """The parameters that have a value; by RFC 6749 section 3.2 the others are absent, and none is repeated.

    Raises TokenRefused.
    """
    if (content_type or "").partition(";")[0].strip().lower() != FORM_TYPE:
        raise _unreadable(f"the body must be {FORM_TYPE}")
    if len(body) > MAX_FORM_BYTES:
        raise _unreadable(f"the body is larger than {MAX_FORM_BYTES} bytes")
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MAX_PARAMETERS,
        )
    except ValueError:
        raise _unreadable("the body is not well-formed form data in UTF-8") from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise _unreadable("a parameter is given more than once")
    return {name: value for name, value in form.items() if value}


def claimed_client(content_type: str | None, body: bytes) -> ClientId | None:
    """Which client a token request claims to come from; nothing has proved it yet."""
    try:
        unverified = read_jwt(read_form(content_type, body).get("client_assertion", ""))
    except TokenRefused:
        return None
    return acceptable_client_id(unverified.claims.get("sub")) if unverified else None


def authorization_server_metadata(tokens: AccessTokens) -> dict[str, object]:
    return server.authorization_server_metadata(tokens.issuer)


def smart_configuration(tokens: AccessTokens) -> dict[str, object]:
    return server.smart_configuration(tokens.issuer)


def protected_resource_metadata(tokens: AccessTokens) -> dict[str, object]:
    return server.protected_resource_metadata(tokens.issuer)


def jwks(tokens: AccessTokens) -> dict[str, object]:
    return tokens.keys.public_set()


def _unreadable(description: str) -> TokenRefused:
    return TokenRefused("invalid_request", description)
