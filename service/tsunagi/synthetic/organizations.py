"""Made-up areas and organizations. Their names say 架空, their numbers pass every check and belong to nobody.

Municipality codes end in 199 or 299 and office numbers carry 99 for the municipality: neither was ever given.
"""

from dataclasses import dataclass
from random import Random
from typing import get_args

from tsunagi.directory.rules import (
    Address,
    Area,
    AreaRules,
    Contact,
    CorporateBody,
    Identifier,
    OrganizationKind,
    OrganizationProfile,
    corporate_number_check_digit,
    modulus_10,
)
from tsunagi.synthetic.people import draws, staff_name

PREFECTURES = {
    "13": "東京都",
    "11": "埼玉県",
    "12": "千葉県",
    "08": "茨城県",
    "14": "神奈川県",
    "23": "愛知県",
    "27": "大阪府",
    "40": "福岡県",
}
"""Where made-up areas lie, with the names of the prefectures, which issue handbooks."""

_PLACES = (
    "水色",
    "若草",
    "山吹",
    "浅葱",
    "萌黄",
    "茜",
    "藤紫",
    "群青",
    "桜鼠",
    "常磐",
    "銀朱",
    "空色",
    "菜種",
    "露草",
    "柿渋",
    "白磁",
)
"""Colors, not places: one for each area."""

KINDS: tuple[OrganizationKind, ...] = get_args(OrganizationKind)
PER_PREFECTURE = 10_000 // len(KINDS)
"""How many organizations of one kind a prefecture has numbers for."""

_NAMES: dict[OrganizationKind, str] = {
    "transition": "就労移行支援事業所{nickname}",
    "settlement": "就労定着支援事業所{nickname}",
    "continuous_a": "就労継続支援A型事業所{nickname}",
    "continuous_b": "就労継続支援B型事業所{nickname}",
    "selection": "就労選択支援事業所{nickname}",
    "self_reliance_training": "自立訓練事業所{nickname}",
    "daily_care": "生活介護事業所{nickname}",
    "center": "障害者就業・生活支援センター{nickname}",
    "municipal_center": "{place}市障害者就労支援センター{again}",
    "vocational_center": "{place}障害者職業センター{again}",
    "hello_work": "ハローワーク{place}{again}",
    "consultation_support": "相談支援事業所{nickname}",
    "medical": "{nickname}こころのクリニック",
    "school": "{place}特別支援学校{again}",
    "employer": "{nickname}株式会社",
    "municipality": "{place}市役所{again}",
    "prefecture": "{place}県福祉部{again}",
    "labor_bureau": "{place}労働局{again}",
    "other": "{nickname}の会",
}
"""What an organization of each kind is called."""

_NICKNAMES = (
    *(
        "あおぞら",
        "ともしび",
        "つばさ",
        "ひなた",
        "みなも",
        "こみち",
        "あかり",
        "なぎさ",
        "そよかぜ",
        "わかば",
    ),
    *(
        "ほかげ",
        "すずらん",
        "かけはし",
        "ゆうなぎ",
        "こもれび",
        "みちしるべ",
        "はるかぜ",
        "たんぽぽ",
        "いぶき",
        "のぞみ野",
    ),
)

_SERVICE_CODES: dict[OrganizationKind, str] = {
    "transition": "43",
    "settlement": "47",
    "continuous_a": "45",
    "continuous_b": "46",
    "selection": "48",
    "self_reliance_training": "42",
    "daily_care": "22",
    "consultation_support": "52",
}
"""Kinds that have an office number, with their billing code."""

_DEPARTMENTS: dict[OrganizationKind, str] = {
    "center": "就業支援担当",
    "municipal_center": "相談係",
    "employer": "人事部",
    "prefecture": "障害福祉課",
    "labor_bureau": "職業対策課",
    "municipality": "障害福祉課",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Organizations:
    """One prefecture's people of the play: who hands over, who takes over, and who looks on."""

    areas: tuple[Area, ...]
    transition: OrganizationProfile
    settlement: OrganizationProfile
    center: OrganizationProfile
    auditor: OrganizationProfile
    """A prefecture with all the areas in its remit."""


def areas() -> tuple[Area, ...]:
    """Two for each prefecture. The second one's handovers begin earlier than the default."""
    return tuple(
        Area(
            code=f"{prefecture}-{91 + place}",
            name=f"{_PLACES[2 * index + place]}圏域(架空)",
            prefecture_code=prefecture,
            municipality_codes=(f"{prefecture}{place + 1}99",),
            rules=AreaRules(window_lead_months=8, answer_limit_days=45) if place else AreaRules(),
        )
        for index, prefecture in enumerate(PREFECTURES)
        for place in (0, 1)
    )


AREAS: tuple[Area, ...] = areas()
HOME = AREAS[0]


def organizations(seed: int = 0) -> Organizations:
    """Different seeds give organizations of different numbers; prefectures take turns."""
    number, prefecture = divmod(seed, len(PREFECTURES))
    home, other = AREAS[2 * prefecture : 2 * prefecture + 2]
    return Organizations(
        areas=(home, other),
        transition=organization("transition", number, area=home),
        settlement=organization("settlement", number + 1, area=home),
        center=organization("center", number + 2, area=home, serves=(home, other)),
        auditor=organization("prefecture", number, area=home, serves=(), remit=(home, other)),
    )


def organization(
    kind: OrganizationKind,
    number: int,
    *,
    area: Area = HOME,
    serves: tuple[Area, ...] | None = None,
    remit: tuple[Area, ...] = (),
) -> OrganizationProfile:
    """The organization of this kind and number in the area's prefecture; it serves the area unless told otherwise.

    Raises ValueError when `number` is not below PER_PREFECTURE.
    """
    if not 0 <= number < PER_PREFECTURE:
        raise ValueError(f"a prefecture has {PER_PREFECTURE} organizations of a kind, numbered from 0")
    rng = draws(f"organization/{area.prefecture_code}/{kind}/{number}")
    place = _PLACES[AREAS.index(area)]
    return OrganizationProfile(
        kind=kind,
        name=_name(kind, number, place),
        corporate_body=_corporate_body(rng, kind, number, area),
        address=Address(
            prefecture_code=area.prefecture_code,
            municipality_code=area.municipality_codes[0],
            municipality_name=f"{place}市",
            rest=f"架空町{rng.randint(1, 9)}丁目{rng.randint(1, 30)}番{rng.randint(1, 20)}号",
            postal_code=f"000-{rng.randrange(10_000):04}",
        ),
        phone=_phone(rng, area),
        contact=Contact(
            department=_DEPARTMENTS.get(kind, "支援課"),
            name=staff_name(rng),
            phone=_phone(rng, area),
            email=f"{kind.replace('_', '-')}-{area.prefecture_code}-{number}@example.jp",
        ),
        identifiers=_identifiers(kind, number, area),
        serves=tuple(one.code for one in ((area,) if serves is None else serves)),
        remit=tuple(one.code for one in remit),
    )


def _name(kind: OrganizationKind, number: int, place: str) -> str:
    again = f"第{number + 1}" if number else ""
    return _NAMES[kind].format(nickname=_nickname(number), place=place, again=again) + "(架空)"


def _nickname(number: int) -> str:
    again, turn = divmod(number, len(_NICKNAMES))
    return _NICKNAMES[turn] + (f"第{again + 1}" if again else "")


def office_number(kind: OrganizationKind, number: int, area: Area = HOME) -> str:
    """Ten digits as domain practice builds them: prefecture, kind of office, 99, serial, check digit."""
    office = "3" if kind == "consultation_support" else "1"
    digits = f"{area.prefecture_code}{office}99{_serial(kind, number):04}"
    return f"{digits}{modulus_10(digits)}"


def corporate_number(serial: int) -> str:
    """Thirteen digits that begin, after the check digit, with 9999. `serial` has at most eight digits."""
    base = f"9999{serial:08}"
    return f"{corporate_number_check_digit(base)}{base}"


def _serial(kind: OrganizationKind, number: int) -> int:
    """One number for each kind and organization, so that offices share a number only where a test wants it."""
    return 1 + number * len(KINDS) + KINDS.index(kind)


def _corporate_body(rng: Random, kind: OrganizationKind, number: int, area: Area) -> CorporateBody | None:
    if kind in ("prefecture", "municipality", "labor_bureau", "hello_work"):
        return None
    form = "株式会社{}" if kind == "employer" else rng.choice(_CORPORATE_FORMS)
    return CorporateBody(
        name=form.format(f"架空{_nickname(number)}"),
        corporate_number=corporate_number(int(area.prefecture_code) * 10**6 + _serial(kind, number)),
        representative=staff_name(rng),
        prefecture_code=area.prefecture_code,
        address=f"{PREFECTURES[area.prefecture_code]}架空町1丁目",
    )


_CORPORATE_FORMS = (
    "社会福祉法人{}会",
    "特定非営利活動法人{}",
    "株式会社{}",
    "一般社団法人{}",
    "医療法人{}会",
)
"""Operators of settlement offices, from the most welfare-like to the most business-like."""


def _identifiers(kind: OrganizationKind, number: int, area: Area) -> tuple[Identifier, ...]:
    serial = _serial(kind, number)
    if kind in _SERVICE_CODES:
        value = office_number(kind, number, area)
        return (Identifier("office_number", value, service_code=_SERVICE_CODES[kind], serial=0),)
    if kind == "center":
        return (Identifier("center_code", f"{area.prefecture_code}-C{serial:04}"),)
    if kind == "school":
        return (Identifier("school_code", f"E1{area.prefecture_code}9{serial:08}"),)
    if kind == "employer":
        insurance = f"{area.prefecture_code}99-{serial:06}-0"
        return (Identifier("employment_insurance_number", insurance),)
    return ()


def _phone(rng: Random, area: Area) -> str:
    """With a group of zeros, as no number in use has."""
    return f"0{area.prefecture_code}-000-{rng.randrange(10_000):04}"
