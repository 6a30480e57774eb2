"""The token endpoint and the discovery documents, in the shapes that OAuth gives them.

Its errors are those of RFC 6749, not problem details: OAuth software must understand them.
"""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qsl

from tsunagi.auth import actions, server
from tsunagi.auth.rules import TokenRefused
from tsunagi.auth.server import Answer
from tsunagi.auth.tokens import AccessTokens
from tsunagi.db import Database

FORM_TYPE = "application/x-www-form-urlencoded"
MAX_FORM_BYTES = 16_384
MAX_PARAMETERS = 50


async def issue_token(
    content_type: str | None,
    body: bytes,
    *,
    db: Database,
    tokens: AccessTokens,
    now: datetime,
    request_id: str,
) -> Answer:
    """The answer to a token request; what it says has been committed."""
    try:
        form = read_form(content_type, body)
    except TokenRefused as refusal:
        return server.refused(refusal)
    async with db.write() as tx:
        return await actions.issue_token(tx, now, form, tokens=tokens, request_id=request_id)


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


def authorization_server_metadata(tokens: AccessTokens) -> dict[str, object]:
    return server.authorization_server_metadata(tokens.issuer)


def protected_resource_metadata(tokens: AccessTokens) -> dict[str, object]:
    return server.protected_resource_metadata(tokens.issuer)


def jwks(tokens: AccessTokens) -> dict[str, object]:
    return tokens.keys.public_set()


def _unreadable(description: str) -> TokenRefused:
    return TokenRefused("invalid_request", description)
