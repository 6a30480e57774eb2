"""What identifies an organization, which numbers can be right, and how texts are compared.

Check digits refuse on entry and only warn on import: the published list itself holds damaged numbers.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

import jaconv

from tsunagi.errors import Notice, Text
from tsunagi.ids import OrganizationId

OrganizationKind = Literal[
    "transition",
    "settlement",
    "continuous_a",
    "continuous_b",
    "selection",
    "self_reliance_training",
    "daily_care",
    "center",
    "municipal_center",
    "vocational_center",
    "hello_work",
    "consultation_support",
    "medical",
    "school",
    "employer",
    "municipality",
    "prefecture",
    "labor_bureau",
    "other",
]
IdentifierSystem = Literal[
    "office_number", "corporate_number", "center_code", "school_code", "employment_insurance_number"
]
AreaPurpose = Literal["serves", "remit"]

OFFICE_NUMBER = re.compile(r"\d{10}", re.ASCII)
CORPORATE_NUMBER = re.compile(r"\d{13}", re.ASCII)
CERTIFICATE_NUMBER = re.compile(r"\d{10}", re.ASCII)
EMPLOYMENT_INSURANCE_NUMBER = re.compile(r"\d{4}-\d{6}-\d", re.ASCII)
PREFECTURE_CODE = re.compile(r"0[1-9]|[1-3]\d|4[0-7]", re.ASCII)

WAM_NET_TO_BILLING = {"60": "43", "61": "35", "62": "47", "70": "55"}
"""The two lists of service codes differ only here; the billing code is the canonical one."""

KIND_OF_SERVICE: dict[str, OrganizationKind] = {
    "22": "daily_care",
    "41": "self_reliance_training",
    "42": "self_reliance_training",
    "43": "transition",
    "44": "transition",
    "45": "continuous_a",
    "46": "continuous_b",
    "47": "settlement",
    "48": "selection",
    "52": "consultation_support",
}


@dataclass(frozen=True, slots=True)
class AreaRules:
    """Lead times of an area (圏域). The defaults are what the field itself agreed on."""

    conference_lead_months: int = 6  # CSA (Saitama): case conference six months before the handover
    window_lead_months: int = 6  # Mito: walking along for about the last six months
    sharing_lead_months: int = 3  # by law: sharing three months or more before the end (fee rules of 2024-04)
    overlap_months: int = 3  # Boranchi (Shizuoka): three months of joint visits to the employer
    answer_limit_days: int = 30  # no source: a month, so that an answer falls between two conferences


DEFAULT_AREA_RULES = AreaRules()


@dataclass(frozen=True, slots=True)
class Receiving:
    """What the directory knows of an organization to which somebody is to be handed over."""

    status: str | None
    """`active` or `closed`; None: it is not in the directory."""
    same_corporation: bool
    """Whether one corporate body stands behind it and the sender."""
    area_known: bool
    """Whether there is an area of the code that was named."""
    own_area: str | None
    """The first area it says it serves; else the one area in which it lies, if there is just one."""
    rules: AreaRules
    """Those of the named area, else those of its own, else the defaults."""


@dataclass(frozen=True, slots=True)
class Identifier:
    """One number of an organization. An office is (number, billing service code, serial), never the number
    alone: subordinate offices share it, and one number covers several services."""

    system: IdentifierSystem
    value: str
    service_code: str | None = None
    serial: int | None = None
    doubtful: bool = False
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class Address:
    prefecture_code: str | None = None
    municipality_code: str | None = None
    municipality_name: str | None = None
    rest: str | None = None
    building: str | None = None
    postal_code: str | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """Where an organization wants to be called about handovers."""

    department: str | None = None
    name: str | None = None
    phone: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class CorporateBody:
    name: str
    corporate_number: str | None = None
    name_kana: str | None = None
    representative: str | None = None
    prefecture_code: str | None = None
    address: str | None = None
    """As published, prefecture first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationProfile:
    """What is known of an organization, from the published list or entered by hand."""

    kind: OrganizationKind
    name: str
    name_kana: str | None = None
    corporate_body: CorporateBody | None = None
    address: Address = Address()
    phone: str | None = None
    email: str | None = None
    url: str | None = None
    contact: Contact = Contact()
    identifiers: tuple[Identifier, ...] = ()
    serves: tuple[str, ...] = ()
    """Codes of the areas it serves."""
    remit: tuple[str, ...] = ()
    """Codes of the areas it audits."""


@dataclass(frozen=True, slots=True)
class FormerName:
    name: str
    until: date
    """Exclusive: the first day of the next name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization(OrganizationProfile):
    id: OrganizationId
    closed_on: date | None = None
    """Exclusive: the first day on which it no longer exists."""
    successor_id: OrganizationId | None = None
    former_names: tuple[FormerName, ...] = ()


@dataclass(frozen=True, slots=True)
class OrganizationRef:
    id: OrganizationId
    name: str
    kind: OrganizationKind


@dataclass(frozen=True, slots=True)
class OrganizationVersion:
    """An organization as it was from `effective_on` on."""

    version: int
    effective_on: date
    recorded_at: datetime
    status: str
    name: str
    name_kana: str | None
    corporation_name: str | None
    municipality_code: str | None
    address_rest: str | None


SuccessionKind = Literal["merged", "split", "renumbered", "transferred", "closed"]
WHOLE: frozenset[SuccessionKind] = frozenset({"merged", "renumbered"})
"""Where the successor enters into everything (会社法2条27号・750条: the rights and duties of what is merged), or is the
same organization under another number. Otherwise it takes over person by person."""


@dataclass(frozen=True, slots=True)
class Succession:
    """What became of an organization, from a day on. Without a successor it has closed."""

    id: UUID
    predecessor_id: OrganizationId
    successor_id: OrganizationId | None
    kind: SuccessionKind
    effective_on: date


@dataclass(frozen=True, slots=True)
class Area:
    code: str
    name: str
    prefecture_code: str
    name_kana: str | None = None
    municipality_codes: tuple[str, ...] = ()
    rules: AreaRules = DEFAULT_AREA_RULES


def billing_service_code(wam_net_code: str) -> str:
    return WAM_NET_TO_BILLING.get(wam_net_code, wam_net_code)


def modulus_10(digits: str) -> int:
    """The check digit for `digits`: weights 2-1 from the right, digits of each product summed."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        product = int(digit) * (2 if place % 2 == 0 else 1)
        total += product // 10 + product % 10
    return (10 - total % 10) % 10


def office_number_is_valid(number: str) -> bool:
    """Ten digits of which the last is the check digit (検証番号). The third digit is not restricted."""
    return OFFICE_NUMBER.fullmatch(number) is not None and int(number[9]) == modulus_10(number[:9])


def office_number_has_prefecture(number: str) -> bool:
    """The first two digits are a prefecture's: also most numbers with typing errors pass."""
    return PREFECTURE_CODE.fullmatch(number[:2]) is not None


def corporate_number_check_digit(base: str) -> int:
    """For the twelve digits after it: 9 − (Σ Pn·Qn mod 9), Q = 1, 2, 1, … from the right (MOF ordinance
    70/2014, art. 2; the remainder is that of the whole sum)."""
    total = sum(int(digit) * (1 if place % 2 == 0 else 2) for place, digit in enumerate(reversed(base)))
    return 9 - total % 9


def corporate_number_is_valid(number: str) -> bool:
    return CORPORATE_NUMBER.fullmatch(number) is not None and int(number[0]) == corporate_number_check_digit(
        number[1:]
    )


def certificate_number_is_valid(number: str) -> bool:
    """Format only: whether there is a check digit differs between municipalities."""
    return CERTIFICATE_NUMBER.fullmatch(number) is not None


def employment_insurance_number_is_valid(number: str) -> bool:
    """Format only, 4-6-1: the check digit's algorithm is not public."""
    return EMPLOYMENT_INSURANCE_NUMBER.fullmatch(number) is not None


def local_government_code(jis: str) -> str:
    """The six-digit code of local governments (全国地方公共団体コード) for a five-digit JIS code: weights
    6 to 2 from the left, the last digit of 11 − (sum mod 11)."""
    total = sum(int(digit) * weight for digit, weight in zip(jis, (6, 5, 4, 3, 2), strict=True))
    return jis + str((11 - total % 11) % 10)


def billing_municipality_number(jis: str) -> str:
    """The six-digit municipality number (市町村番号) on certificates and claims: modulus 10, so that its last
    digit differs from the local-government code's."""
    return jis + str(modulus_10(jis))


def identifier_notices(identifiers: tuple[Identifier, ...]) -> tuple[Notice, ...]:
    """What is wrong with numbers that somebody enters."""
    return tuple(
        Notice(f"organization.{code}", "error", message, f"/identifiers/{index}/value", "client")
        for index, identifier in enumerate(identifiers)
        for code, message in _faults(identifier)
    )


def _faults(given: Identifier) -> Iterator[tuple[str, Text]]:
    if given.system == "office_number":
        if not office_number_is_valid(given.value):
            yield (
                "office_number_check_digit",
                Text("事業所番号の検証番号が合いません", "The office number fails its check digit"),
            )
        if given.service_code is None:
            yield (
                "office_number_without_service",
                Text("事業所番号にはサービス種類が必要です", "An office number needs its service code"),
            )
    if given.system == "corporate_number" and not corporate_number_is_valid(given.value):
        yield (
            "corporate_number_check_digit",
            Text("法人番号の検査数字が合いません", "The corporate number fails its check digit"),
        )
    if given.system == "employment_insurance_number" and not employment_insurance_number_is_valid(
        given.value
    ):
        yield (
            "employment_insurance_number_format",
            Text(
                "雇用保険適用事業所番号は4桁-6桁-1桁です", "An employment insurance number has 4-6-1 digits"
            ),
        )


_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_DASHES = re.compile("[-‐‑‒–—―−ー]")
_SPACES = re.compile(r"\s+")
_STEP_BETWEEN = re.compile(r"(?<=\d)(?:丁目|番地ノ?|番|号|ノ)(?=\d)")
_STEP_AFTER = re.compile(r"(?<=\d)(?:番地|番|号)(?!\d)")
_SOUND_MARKS = str.maketrans("゛゜", "\u3099\u309a")


def clean(text: str) -> str:
    """As published, but for control characters and what surrounds the text. Never NFKC: names keep their
    characters."""
    return _CONTROLS.sub(" ", text).strip()


def ascii_digits(text: str) -> str:
    """A number as half-width characters without surrounding space."""
    return unicodedata.normalize("NFKC", clean(text))


def full_width_katakana(text: str) -> str:
    """ひらがな and ﾊﾝｶｸ as カタカナ, spacing sound marks joined to their kana; all else as it is."""
    joined = unicodedata.normalize("NFC", clean(text).translate(_SOUND_MARKS))
    return str(jaconv.hira2kata(jaconv.h2z(joined)))


def comparable(text: str) -> str:
    """A copy for comparing and searching only: one width, one kana, one dash, no spaces, no case."""
    folded = jaconv.hira2kata(unicodedata.normalize("NFKC", text.translate(_SOUND_MARKS)))
    return _SPACES.sub("", _DASHES.sub("-", folded)).casefold()


def comparable_address(text: str) -> str:
    """`comparable`, with 「1丁目2番3号」 and 「1-2-3」 alike."""
    return _STEP_AFTER.sub("", _STEP_BETWEEN.sub("-", comparable(text)))


def bigrams(*texts: str) -> list[str]:
    """The pairs of neighboring characters: what an index finds words by without knowing where they begin."""
    return sorted({text[at : at + 2] for text in texts for at in range(len(text) - 1)})
