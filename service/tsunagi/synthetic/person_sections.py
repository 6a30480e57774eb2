"""The sections about the person: identity, disability, medical, family."""

from datetime import date
from typing import Any

from tsunagi.synthetic.conditions import handbook_form
from tsunagi.synthetic.names import Sex
from tsunagi.synthetic.organizations import PREFECTURES
from tsunagi.synthetic.people import relative_name, staff_name
from tsunagi.synthetic.story import Story
from tsunagi.synthetic.timeline import months_later

_TOWNS = ("架空町", "見本町", "例示町", "仮名台", "想定が丘", "試作通り")
_BUILDINGS = ("コーポ架空", "見本ハイツ", "メゾン例示")
_CONTACT = (
    "平日18時以降に携帯電話へ。",
    "メール。電話は聞き取りにくい。",
    "昼休み(12時〜13時)に携帯電話へ。",
    "大事なことは文字で。急ぐときは家族へ。",
    "携帯電話。出られないときは折り返す。",
)
_FACILITIES = {
    "精神科": "こころのクリニック",
    "心療内科": "メンタルクリニック",
    "リハビリテーション科": "リハビリテーション病院",
    "整形外科": "整形外科",
    "耳鼻咽喉科": "耳鼻咽喉科医院",
    "内科": "内科医院",
    "内科(専門外来)": "総合病院",
}
_RELATIVES: tuple[tuple[str, Sex], ...] = (
    ("母", "female"),
    ("父", "male"),
    ("姉", "female"),
    ("兄", "male"),
    ("妹", "female"),
    ("弟", "male"),
)
_ROLES = (
    ["emergency_contact", "daily_support"],
    ["emergency_contact"],
    ["confidant"],
    ["emergency_contact", "money_management"],
    ["medical_escort", "confidant"],
)
_FAMILY_NOTES = (
    "近くに住み、週に一度会う。",
    "本人の仕事を応援している。",
    "持病があり、通院している。連絡は夕方に。",
    "県外に住む。年に数回の行き来がある。",
    "本人の障害について、詳しくは聞いていない。",
)
_GUARDIANSHIPS = (*(["none"] * 22), "curatorship", "guardianship", "assistance")
"""One in eight or so, more than in the field, so that tests meet them."""


def identity(story: Story) -> dict[str, Any]:
    who, rng = story.life.person, story.life.draws
    section: dict[str, Any] = {
        "familyName": who.family_name,
        "givenName": who.given_name,
        "familyNameKana": who.family_name_kana,
        "givenNameKana": who.given_name_kana,
        "birthDate": who.birth_date.isoformat(),
        "sex": "undisclosed" if rng.random() < 0.03 else who.sex,
        "address": {
            "postalCode": f"000-{rng.randrange(10_000):04}",
            "prefectureCode": story.area.prefecture_code,
            "municipalityCode": story.area.municipality_codes[0],
            "rest": f"{rng.choice(_TOWNS)}{rng.randint(1, 9)}丁目{rng.randint(1, 30)}番{rng.randint(1, 20)}号",
        },
        "phone": f"090-0000-{rng.randrange(10_000):04}",
        "contactPreference": rng.choice(_CONTACT),
        "certificate": _certificate(story),
        "residenceAreaCode": story.area.code,
    }
    if story.life.living == "group_home":
        section["address"]["building"] = "グループホームひだまり(架空)"
    elif rng.random() < 0.5:
        section["address"]["building"] = f"{rng.choice(_BUILDINGS)}{rng.randint(101, 509)}号"
    if rng.random() < 0.6:
        section["email"] = f"person-{who.number}@example.jp"
    if rng.random() < 0.05:
        section["alias"] = f"{who.family_name} {who.given_name_kana}"
    if story.life.job:
        section["workAreaCode"] = story.life.work_area.code
    return section


def _certificate(story: Story) -> dict[str, Any]:
    certificate: dict[str, Any] = {
        "municipalityCode": story.area.municipality_codes[0],
        "number": story.life.person.certificate_number,
    }
    code = next((one.service_code for one in story.sender.identifiers if one.service_code), None)
    if code and story.when.service_ends:
        begins = max(story.when.service_from, months_later(story.when.planned, -12))
        certificate |= {
            "service": {"code": code, "codeSystem": "billing"},
            "from": begins.isoformat(),
            "to": story.when.planned.isoformat(),
        }
    return certificate


def disability(story: Story) -> dict[str, Any]:
    condition, rng = story.life.condition, story.life.draws
    diagnosis = rng.choice(condition.diagnoses)
    section: dict[str, Any] = {
        "types": [dict(one) for one in condition.types],
        "diagnosis": diagnosis,
        "handbooks": _handbooks(story) if condition.handbook else [],
        "inOwnWords": rng.choice(condition.in_own_words),
    }
    if condition.support_category:
        section["supportCategory"] = condition.support_category
    if condition.types[0]["code"] == "intractable":
        section["intractableDisease"] = diagnosis
    return section


def _handbooks(story: Story) -> list[dict[str, Any]]:
    rng, kind = story.life.draws, story.life.condition.handbook
    issued = date(2025, rng.randint(1, 12), 1)
    handbook = {
        "kind": kind,
        "issuer": PREFECTURES.get(story.area.prefecture_code, "東京都"),
        **handbook_form(rng, story.life.condition, story.area.prefecture_code),
        "number": f"第{story.life.person.number % 10**6:06}号",
        "issuedOn": issued.isoformat(),
    }
    if kind == "mental":
        handbook["expiresOn"] = months_later(issued, 24).isoformat()
    return [handbook]


def medical(story: Story) -> dict[str, Any]:
    condition, rng = story.life.condition, story.life.draws
    return {
        "institutions": [
            {
                "name": f"{rng.choice(_TOWNS)[:2]}{_FACILITIES[condition.department]}(架空)",
                "department": condition.department,
                "physician": staff_name(rng),
                "visitFrequency": condition.visits,
            }
        ],
        "medicationConsideration": rng.choice(condition.medication),
        "warningSigns": "".join(rng.sample(condition.warning_signs, 2)),
        "coping": "".join(rng.sample(condition.coping, 2)),
        "crisisPlan": rng.choice(condition.crisis),
        "emergencyResponse": rng.choice(
            (
                "連絡が取れないときは緊急連絡先に電話する。",
                "一人にせず、主治医に連絡する。夜間は県の救急の窓口へ。",
                "けがや発作のときは救急要請し、手帳の1ページ目の連絡先を見せる。",
            )
        ),
    }


def family(story: Story) -> dict[str, Any]:
    rng = story.life.draws
    members = [_member(story, *relative) for relative in rng.sample(_RELATIVES, rng.choice((1, 1, 2, 3)))]
    if story.life.living == "family":
        members[0] |= {"livesTogether": True, "note": "本人と同居している。日中は留守。"}
    if not any("emergency_contact" in member["roles"] for member in members):
        members[0]["roles"] = ["emergency_contact", *members[0]["roles"]]
    guardianship = rng.choice(_GUARDIANSHIPS)
    if guardianship != "none":
        members.append(
            {
                "name": staff_name(rng),
                "relationship": "司法書士",
                "phone": f"0{story.area.prefecture_code}-000-{rng.randrange(10_000):04}",
                "roles": ["guardian", "money_management"],
                "livesTogether": False,
            }
        )
    return {"members": members, "guardianship": guardianship}


def _member(story: Story, relationship: str, sex: Sex) -> dict[str, Any]:
    rng = story.life.draws
    return {
        "name": relative_name(rng, story.life.person.family_name, sex),
        "relationship": relationship,
        "phone": f"090-0000-{rng.randrange(10_000):04}",
        "roles": list(rng.choice(_ROLES)),
        "livesTogether": False,
        "note": rng.choice(_FAMILY_NOTES),
    }
