"""Who is calling: what a request's `Authorization` and `DPoP` headers prove, and how it is told what is missing."""

from datetime import UTC, datetime

import structlog
from fastapi import Request

from tsunagi.api.reading import answer_with
from tsunagi.auth.actions import Admission, Credentials, Gate
from tsunagi.auth.rules import Caller
from tsunagi.contract import Operation
from tsunagi.errors import ScopeMissing, Text, Unauthenticated
from tsunagi.proofs.keys import ALGORITHMS
from tsunagi.proofs.rules import ProofRefused

METADATA_PATH = "/.well-known/oauth-protected-resource"
SCHEMES = ("dpop", "bearer")


async def identify(gate: Gate, operation: Operation, request: Request) -> Caller | None:
    """The caller, or None when the operation asks for nobody. The answer will say what there is to say about tokens,
    whatever it is.

    Raises Unauthenticated or ScopeMissing.
    """
    if operation.scope is None:
        return None
    try:
        admission = await _admit(gate, request)
        caller = admission.caller
        structlog.contextvars.bind_contextvars(
            client=caller.client_id, organization=str(caller.organization_id)
        )
        check_scope(operation, caller)
    except (Unauthenticated, ScopeMissing) as refusal:
        answer_with(request, {"WWW-Authenticate": _challenge(refusal, operation, request, gate.issuer)})
        _give_nonce(request, gate.new_nonce(datetime.now(UTC)) if isinstance(refusal, ProofRefused) else None)
        raise
    _give_nonce(request, admission.next_nonce)
    return caller


def check_scope(operation: Operation, caller: Caller) -> None:
    """Raises ScopeMissing."""
    if operation.scope is not None and operation.scope not in caller.scopes:
        raise ScopeMissing(Text(f"必要な権限: {operation.scope}", f"Scope needed: {operation.scope}"))


def _give_nonce(request: Request, nonce: str | None) -> None:
    """RFC 9449 section 8.2."""
    if nonce:
        answer_with(request, {"DPoP-Nonce": nonce})


async def _admit(gate: Gate, request: Request) -> Admission:
    sent = request.headers.getlist("authorization")
    scheme, _, token = sent[0].partition(" ") if len(sent) == 1 else ("", "", "")
    if scheme.lower() not in SCHEMES or not token.strip():
        raise Unauthenticated(
            Text(
                "Authorization: DPoP でアクセストークンを、DPoP ヘッダーでその証明を送ってください",
                "Send an access token as Authorization: DPoP, and a proof of its key in the header DPoP",
            )
        )
    path = request.scope.get("raw_path", request.scope["path"].encode()).decode("latin-1")
    proofs = request.headers.getlist("dpop")
    shown = Credentials(scheme.lower(), token.strip(), proofs, request.method, gate.issuer + path)
    return await gate.admit(shown, datetime.now(UTC))


def _challenge(
    refusal: Unauthenticated | ScopeMissing, operation: Operation, request: Request, issuer: str
) -> str:
    """RFC 9449 section 7.1 and RFC 6750 section 3, with the metadata of RFC 9728 section 5.1. Who sent no token has
    made no error. Who came with a bearer token is told of that scheme too (RFC 9449 section 7.2)."""
    bearer = request.headers.get("authorization", "").lower().startswith("bearer ")
    where = f'resource_metadata="{issuer}{METADATA_PATH}"'
    algorithms = f'algs="{" ".join(ALGORITHMS)}"'
    error = _error(refusal, operation) if "authorization" in request.headers else ""
    if bearer:
        return f"Bearer {error}{where}, DPoP {algorithms}, {where}"
    return f"DPoP {error}{algorithms}, {where}"


def _error(refusal: Unauthenticated | ScopeMissing, operation: Operation) -> str:
    if isinstance(refusal, ScopeMissing):
        return f'error="insufficient_scope", scope="{operation.scope}", '
    error = refusal.error if isinstance(refusal, ProofRefused) else "invalid_token"
    description = f', error_description="{refusal.detail.en}"' if refusal.detail else ""
    return f'error="{error}"{description}, '
