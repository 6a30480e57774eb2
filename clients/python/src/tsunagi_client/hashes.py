"""Whether a section is the one that was handed over: SHA-256 over its RFC 8785 form."""

import hashlib
import hmac
import json
import math
import re
from collections.abc import Mapping
from decimal import Decimal


def section_matches(section: Mapping[str, object], sha256_hex: str) -> bool:
    """Whether `section` has the hash that `sectionHashes` states for it.

    Raises TypeError or ValueError for what JSON cannot hold.
    """
    found = hashlib.sha256(_canonical(section).encode()).hexdigest()
    return hmac.compare_digest(found, sha256_hex.lower())


def _canonical(value: object) -> str:
    """RFC 8785 section 3.2."""
    if isinstance(value, Mapping):
        members = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be"))
        return "{" + ",".join(f"{_canonical(name)}:{_canonical(one)}" for name, one in members) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_canonical, value)) + "]"
    if isinstance(value, float):
        return _number(value)
    return json.dumps(value, ensure_ascii=False)


def _number(value: float) -> str:
    """ECMA-262 section 6.1.6.1.20, which RFC 8785 section 3.2.2.3 refers to."""
    if not math.isfinite(value):
        raise ValueError("JSON has no such number")
    if value == 0:
        return "0"
    shortest = repr(value)
    if 1e-6 <= abs(value) < 1e21:
        text = format(Decimal(shortest), "f")
        return text.removesuffix(".0")
    return re.sub(r"e([+-])0*", r"e\1", shortest)
