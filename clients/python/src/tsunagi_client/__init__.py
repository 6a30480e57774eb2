"""Client of the Tsunagi handover exchange.

`Tsunagi` blocks, `AsyncTsunagi` runs on asyncio; both speak the protocol written once in `_session`.
"""

from tsunagi_client._tokens import Staff
from tsunagi_client.client import AsyncTsunagi, Tsunagi
from tsunagi_client.errors import ConnectionFailed, ProblemError, TokenRefused, TsunagiError, UnexpectedAnswer
from tsunagi_client.hashes import section_matches
from tsunagi_client.keys import load_key
from tsunagi_client.models import Reply
from tsunagi_client.retrying import Retry

__all__ = [
    "AsyncTsunagi",
    "ConnectionFailed",
    "ProblemError",
    "Reply",
    "Retry",
    "Staff",
    "TokenRefused",
    "Tsunagi",
    "TsunagiError",
    "UnexpectedAnswer",
    "load_key",
    "section_matches",
]
