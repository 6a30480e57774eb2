"""Every way in which the exchange says no.

A refusal carries a stable `code`, whose turn it is, and text in Japanese and English that never holds
anything a caller submitted. HTTP statuses live in `api/problems.py` alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

Party = Literal["sender", "receiver", "platform", "client"]
Level = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Text:
    ja: str
    en: str


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that a rule noticed: `error` refuses, `warning` is shown to both sides, `info` informs."""

    code: str
    level: Level
    message: Text
    pointer: str = ""
    party: Party = "sender"
    parameter: str | None = None
    """The query, path or header parameter, where it is no place in a document."""


class Refusal(Exception):
    """The base of all refusals. `extensions` holds only what the platform itself knows (states, dates, ids)."""

    code: ClassVar[str]
    title: ClassVar[Text]
    party: ClassVar[Party] = "client"
    advice: ClassVar[Text | None] = None
    """What to do next, where nothing more particular can be said."""
    on_ledger: ClassVar[bool] = False
    """Whether a refusal of this kind is a decision about somebody's data, kept as a `deny` entry."""

    def __init__(
        self,
        detail: Text | None = None,
        *,
        errors: tuple[Notice, ...] = (),
        extensions: Mapping[str, object] | None = None,
        turn: Party | None = None,
    ) -> None:
        """`turn` is whose turn it is, where that depends on more than the kind of refusal."""
        super().__init__(self.code)
        self.detail = detail
        self.errors = errors
        self.turn = turn
        self.extensions = dict(extensions or {})


class MalformedRequest(Refusal):
    code = "malformed_request"
    title = Text("HTTP の要求として読めません", "Not a well-formed HTTP request")


class InvalidJson(Refusal):
    code = "invalid_json"
    title = Text("本文を JSON として読めません", "The body cannot be read as JSON")


class InvalidParameter(Refusal):
    code = "invalid_parameter"
    title = Text("パラメーターが正しくありません", "A parameter is not valid")


class IdempotencyKeyRequired(Refusal):
    code = "idempotency_key_required"
    title = Text("Idempotency-Key が必要です", "Idempotency-Key is required")
    advice = Text(
        "この作成のために選んだ値（UUID など）を Idempotency-Key に入れ、送り直すときも同じ値を使ってください",
        "Choose a value (such as a UUID) for this creation, and use the same when sending it again",
    )


class Unauthenticated(Refusal):
    code = "unauthenticated"
    title = Text("認証されていません", "Not authenticated")


class ScopeMissing(Refusal):
    code = "scope_missing"
    title = Text("権限(スコープ)がありません", "The token lacks the scope")


class NotFound(Refusal):
    """Absent and forbidden alike: nobody learns that something exists by asking."""

    code = "not_found"
    title = Text("見つかりません", "Not found")
    on_ledger = True


class MethodNotAllowed(Refusal):
    code = "method_not_allowed"
    title = Text("このメソッドは使えません", "Method not allowed")


class WrongState(Refusal):
    code = "wrong_state"
    title = Text("いまの状態ではできません", "Not possible in the current state")
    on_ledger = True


class WindowNotOpen(Refusal):
    code = "window_not_open"
    title = Text("まだ開示されていません", "The window is not open yet")
    advice = Text(
        "windowOpensOn まで待つか、提供元に早い開示（open）を求めてください",
        "Wait until windowOpensOn, or ask the sender to open it early",
    )
    on_ledger = True


class PersonAlreadyKnown(Refusal):
    code = "person_already_known"
    title = Text("この本人は登録済みです", "The person is already known")


class MatchAmbiguous(Refusal):
    code = "match_ambiguous"
    title = Text("一人に決まりません", "More than one person fits")
    on_ledger = True


class IdempotencyInFlight(Refusal):
    code = "idempotency_in_flight"
    title = Text("同じ要求を処理中です", "The same request is in progress")
    advice = Text(
        "少し待ってから、同じ Idempotency-Key と本文で送り直してください",
        "Wait a little and send the same key and body again",
    )


class IdempotencyKeyReused(Refusal):
    code = "idempotency_key_reused"
    title = Text("Idempotency-Key が別の内容で使われています", "Idempotency-Key was used with another body")
    advice = Text(
        "別の要求には新しい Idempotency-Key を使ってください", "Use a new Idempotency-Key for another request"
    )


class ResponsibilityNotHeld(Refusal):
    code = "responsibility_not_held"
    title = Text("提供元が責任を持っていません", "The sender does not hold responsibility")
    party: ClassVar[Party] = "sender"
    on_ledger = True


class RequestTimeout(Refusal):
    code = "request_timeout"
    title = Text("要求が時間内に届きませんでした", "The request did not arrive in time")


class PreconditionFailed(Refusal):
    code = "precondition_failed"
    title = Text("その間に変更されています", "Changed in the meantime")


class PreconditionRequired(Refusal):
    code = "precondition_required"
    title = Text("If-Match が必要です", "If-Match is required")
    advice = Text(
        "GET で得た ETag を If-Match に入れてください", "Send the ETag of your last GET as If-Match"
    )


class BodyTooLarge(Refusal):
    code = "body_too_large"
    title = Text("本文が大きすぎます", "The body is too large")


class UnsupportedMediaType(Refusal):
    code = "unsupported_media_type"
    title = Text("この形式は受け付けません", "Unsupported media type")


class SchemaInvalid(Refusal):
    code = "schema_invalid"
    title = Text("内容の形が正しくありません", "The content does not fit the schema")
    party: ClassVar[Party] = "sender"


class RuleViolated(Refusal):
    code = "rule_violated"
    title = Text("内容が規則に反しています", "The content breaks a rule")
    party: ClassVar[Party] = "sender"


class ConsentMissing(Refusal):
    code = "consent_missing"
    title = Text("同意がありません", "Consent is missing")
    party: ClassVar[Party] = "sender"
    on_ledger = True


class DocumentTooLong(Refusal):
    code = "document_too_long"
    title = Text("印刷するには長すぎます", "Too long to be printed")
    advice = Text("期間などで絞るか、JSON で取得してください", "Ask for less, or for JSON")


class HeadTooLarge(Refusal):
    code = "head_too_large"
    title = Text("URL またはヘッダーが大きすぎます", "The URL or the headers are too large")


class RateLimited(Refusal):
    code = "rate_limited"
    title = Text("要求が多すぎます", "Too many requests")
    advice = Text("Retry-After の秒数だけ待ってください", "Wait for the seconds of Retry-After")


class Unavailable(Refusal):
    code = "unavailable"
    title = Text("いま使えません", "Not available now")
    party: ClassVar[Party] = "platform"


class InternalError(Refusal):
    code = "internal_error"
    title = Text("システムの誤りです", "Internal error")
    party: ClassVar[Party] = "platform"
