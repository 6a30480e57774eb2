"""Everything the client raises. One class for each problem code of the service; decide by the class."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

_MEMBERS = frozenset(
    {"type", "title", "status", "detail", "code", "responsibleParty", "requestId", "errors", "instance"}
)
"""RFC 9457 section 3.1 and what every problem of Tsunagi has beside; the others are extensions."""


class TsunagiError(Exception):
    """The base of everything the client raises, but for ValueError when a call could never be sent."""


class ConnectionFailed(TsunagiError):
    """No answer came, after all attempts. Unless `unsent`, the request may have taken effect nevertheless."""

    def __init__(self, message: str, *, unsent: bool = False, lasting: bool = False) -> None:
        super().__init__(message)
        self.unsent = unsent
        self.lasting = lasting
        """Trying again would not help."""


class UnexpectedAnswer(TsunagiError):
    """The answer is not one that the service gives; something between may have given it."""

    def __init__(self, status: int, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.retry_after_seconds = retry_after_seconds


class TokenRefused(TsunagiError):
    """The service gives this client no access token (RFC 6749 section 5.2)."""

    def __init__(self, status: int, error: str, description: str | None = None) -> None:
        super().__init__(f"{error}: {description}" if description else error)
        self.status = status
        self.error = error
        self.description = description


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: in the body at `pointer` (RFC 6901), or in the parameter or header named."""

    code: str
    message: str
    pointer: str | None = None
    parameter: str | None = None
    responsible_party: str | None = None


class ProblemError(TsunagiError):
    """The service refused (RFC 9457). A code that this release does not know is raised as this class itself."""

    code: ClassVar[str] = ""

    def __init__(self, problem: Mapping[str, Any]) -> None:
        super().__init__(problem)
        self.problem: Mapping[str, Any] = dict(problem)
        self.problem_code = str(problem.get("code", ""))
        """Equals `code`, but for codes that this release does not know."""
        self.status = int(problem.get("status", 0))
        self.title = str(problem.get("title", ""))
        self.detail: str | None = problem.get("detail")
        self.responsible_party: str | None = problem.get("responsibleParty")
        """Whose turn it is: sender, receiver, platform or client."""
        self.request_id: str | None = problem.get("requestId")
        """Quote it when asking for help."""
        self.errors = tuple(
            _fault(error) for error in problem.get("errors", ()) if isinstance(error, Mapping)
        )
        self.extensions: Mapping[str, Any] = {
            name: value for name, value in problem.items() if name not in _MEMBERS
        }

    def __str__(self) -> str:
        lines = [f"{self.status} {self.problem_code}: {self.title}"]
        lines += [self.detail] if self.detail else []
        lines += [f"{fault.pointer or fault.parameter or ''} {fault.message}" for fault in self.errors]
        return "\n  ".join(lines) + (f"\n  (request {self.request_id})" if self.request_id else "")


def _fault(error: Mapping[str, Any]) -> Fault:
    return Fault(
        code=str(error.get("code", "")),
        message=str(error.get("message", "")),
        pointer=error.get("pointer"),
        parameter=error.get("parameter"),
        responsible_party=error.get("responsibleParty"),
    )


class MalformedRequest(ProblemError):
    code = "malformed_request"


class InvalidJson(ProblemError):
    code = "invalid_json"


class InvalidParameter(ProblemError):
    code = "invalid_parameter"


class IdempotencyKeyRequired(ProblemError):
    code = "idempotency_key_required"


class Unauthenticated(ProblemError):
    """A fresh token was refused as well."""

    code = "unauthenticated"


class ScopeMissing(ProblemError):
    code = "scope_missing"


class NotFound(ProblemError):
    """Absent, or not for this organization to see: the service does not tell which."""

    code = "not_found"


class MethodNotAllowed(ProblemError):
    code = "method_not_allowed"


class RequestTimeout(ProblemError):
    """The request was on its way for too long."""

    code = "request_timeout"


class WrongState(ProblemError):
    """The handover does not stand so that this could be done."""

    code = "wrong_state"

    @property
    def handover_status(self) -> str | None:
        return self.extensions.get("handoverStatus")

    @property
    def available_actions(self) -> tuple[str, ...]:
        """What this organization can do instead."""
        return tuple(self.extensions.get("availableActions", ()))


class WindowNotOpen(ProblemError):
    """Too early: the receiver may act from `window_opens_on`, or when the sender opens the window."""

    code = "window_not_open"

    @property
    def window_opens_on(self) -> str | None:
        return self.extensions.get("windowOpensOn")


class PersonAlreadyKnown(ProblemError):
    """This organization knows exactly this person already."""

    code = "person_already_known"

    @property
    def person_id(self) -> str | None:
        return self.extensions.get("personId")


class MatchAmbiguous(ProblemError):
    code = "match_ambiguous"


class IdempotencyInFlight(ProblemError):
    """The same request was still being worked on, after all attempts."""

    code = "idempotency_in_flight"


class ResponsibilityNotHeld(ProblemError):
    code = "responsibility_not_held"


class PreconditionFailed(ProblemError):
    """The handover has changed since `if_match`; nothing happened. Read it again."""

    code = "precondition_failed"


class BodyTooLarge(ProblemError):
    code = "body_too_large"


class UnsupportedMediaType(ProblemError):
    code = "unsupported_media_type"


class SchemaInvalid(ProblemError):
    """The document does not have the schema's shape; `errors` says where."""

    code = "schema_invalid"


class RuleViolated(ProblemError):
    """The document has the right shape and breaks a rule; `errors` says which."""

    code = "rule_violated"


class ConsentMissing(ProblemError):
    """No consent in force covers the receiver. Record one, then offer again."""

    code = "consent_missing"


class IdempotencyKeyReused(ProblemError):
    code = "idempotency_key_reused"


class DocumentTooLong(ProblemError):
    """Too much for one PDF. Ask for less, or for JSON."""

    code = "document_too_long"


class PreconditionRequired(ProblemError):
    code = "precondition_required"


class HeadTooLarge(ProblemError):
    code = "head_too_large"


class _Later(ProblemError):
    """May be tried again later."""

    @property
    def retry_after_seconds(self) -> float | None:
        seconds = self.extensions.get("retryAfterSeconds")
        return float(seconds) if isinstance(seconds, int | float) else None


class RateLimited(_Later):
    code = "rate_limited"


class Unavailable(_Later):
    code = "unavailable"


class InternalError(ProblemError):
    code = "internal_error"


def _classes(base: type[ProblemError]) -> dict[str, type[ProblemError]]:
    found = {base.code: base} if base.code else {}
    for derived in base.__subclasses__():
        found |= _classes(derived)
    return found


PROBLEMS: Mapping[str, type[ProblemError]] = _classes(ProblemError)
"""By code."""
