"""How two mentions of a person are recognized as one, without keeping what they were recognized by."""

import hashlib
import hmac
from dataclasses import dataclass

import jaconv

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class KanaAndBirth:
    family_name_kana: str
    given_name_kana: str
    birth_date: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """Recipient-certificate numbers (受給者証番号) are unique only within their municipality."""

    municipality_code: str
    number: str


@dataclass(frozen=True, slots=True)
class MatchKeys:
    """What a person is recognized by: keyed hashes."""

    kana_birth: bytes
    certificate: bytes | None


def match_key(secret: bytes, known_by: KanaAndBirth | Certificate) -> bytes:
    """HMAC-SHA256: equal for equal people, useless without the platform's secret."""
    match known_by:
        case KanaAndBirth():
            parts = [
                "kana",
                _kana(known_by.family_name_kana),
                _kana(known_by.given_name_kana),
                known_by.birth_date,
            ]
        case Certificate():
            parts = ["certificate", known_by.municipality_code, known_by.number]
    return hmac.new(secret, "\0".join(parts).encode(), hashlib.sha256).digest()


def _kana(name: str) -> str:
    """Full-width katakana without spaces, however it was typed."""
    return "".join(jaconv.hira2kata(jaconv.h2z(name)).split())
