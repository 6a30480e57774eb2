"""What an answer means: a result, or one of the errors."""

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from tsunagi_client._flow import Answer
from tsunagi_client.errors import PROBLEMS, ProblemError, TokenRefused, TsunagiError, UnexpectedAnswer


def problem(answer: Answer) -> TsunagiError:
    """The error that an answer other than 2xx tells."""
    content = _object(answer)
    if not isinstance(content.get("code"), str):
        return UnexpectedAnswer(
            answer.status, "no answer of the service", retry_after_seconds=retry_after_seconds(answer)
        )
    content["status"] = answer.status
    waiting = retry_after_seconds(answer)
    if waiting is not None:
        content.setdefault("retryAfterSeconds", waiting)
    return PROBLEMS.get(content["code"], ProblemError)(content)


def token_refusal(answer: Answer) -> TsunagiError:
    """The error that the token endpoint tells: RFC 6749 section 5.2, else a problem."""
    content = _object(answer)
    error, description = content.get("error"), content.get("error_description")
    if not isinstance(error, str):
        return problem(answer)
    return TokenRefused(answer.status, error, description if isinstance(description, str) else None)


def retry_after_seconds(answer: Answer) -> float | None:
    """RFC 9110 section 10.2.3: seconds, or a date."""
    value = answer.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _object(answer: Answer) -> dict[str, Any]:
    try:
        content = json.loads(answer.content)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
