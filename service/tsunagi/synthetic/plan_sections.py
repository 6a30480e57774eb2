"""The handover plan, and what is offered domain by domain."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from tsunagi.synthetic.story import Story
from tsunagi.synthetic.timeline import SHAPES, HandoverType

_WHY: dict[HandoverType, tuple[str, ...]] = {
    "transition_to_settlement": (
        "職場の近くにあり、同じ業種の定着支援の経験が多いため。",
        "本人が見学し、担当者と話して選んだため。",
    ),
    "settlement_to_center": (
        "本人の居住地と職場の両方を支えられ、期間の定めなく相談できるため。",
        "就労定着支援の3年が終わり、その後も支援が要るため。",
    ),
    "sender_to_center": (
        "就職後の支援を、生活面も含めて長く担えるため。",
        "職場のある圏域を担当し、企業とのつながりがあるため。",
    ),
    "center_to_center": (
        "転居先の圏域を担当するセンターであるため(生活支援は居住地、就業支援は職場の圏域で担う申合せ)。",
        "職場が移り、通う圏域が変わるため。",
    ),
    "selection_to_service": (
        "ケース会議で、作業の体験から始めることが本人に合うと確かめたため。",
        "通いやすく、本人の希望する訓練があるため。",
    ),
    "other": (
        "期間の定めなく、身近な所で相談できるため。",
        "市の窓口として、暮らしの相談も合わせて受けられるため。",
    ),
}
_WISHES = (
    "希望している。担当者との面談を済ませた。",
    "希望している。見学し、登録する意思を示した。",
    "初めは不安があったが、顔合わせの後に希望すると話した。",
)
_CHAIRS = {
    "transition": "service_manager",
    "settlement": "service_manager",
    "continuous_a": "service_manager",
    "center": "center_employment_supporter",
    "selection": "other",
}


def domain_offers(story: Story) -> list[dict[str, Any]]:
    """Employment and daily life, and the employer liaison where there is an employer."""
    rng, moving = story.draws, story.handover_type == "center_to_center"
    names = ["employment", "daily_life", *(["employer_liaison"] if story.life.job else [])]
    offers = []
    for name in names:
        stays = moving and name != "daily_life"
        after = "co_support" if stays else rng.choice(("backup", "backup", "none"))
        offer = {
            "domain": name,
            "receiverRole": "co_support" if stays else "primary",
            "senderRoleAfter": after if SHAPES[story.handover_type].overlaps else "none",
            "basis": "agreement" if stays else SHAPES[story.handover_type].basis,
        }
        if not (name == "daily_life" and "unclaimed" in story.flaws):
            offer["senderPrimarySince"] = story.when.service_from.isoformat()
        if rng.random() < 0.15:
            offer["from"] = story.when.planned.isoformat()
        offers.append(offer)
    return offers


def handover_plan(story: Story, offers: list[dict[str, Any]]) -> dict[str, Any]:
    when = story.when
    section: dict[str, Any] = {"request": _request(story)}
    if story.size == "small":
        if "late_conference" not in story.flaws:
            section["caseConferences"] = [_conference(story, when.conference)]
        return section
    roles = {offer["senderRoleAfter"] for offer in offers}
    involvement = "continues" if "co_support" in roles else "backup" if "backup" in roles else "ends"
    section |= {
        "caseConferences": [] if "late_conference" in story.flaws else list(_conferences(story)),
        "explainedToPersonOn": when.explained.isoformat(),
        "senderInvolvementAfter": involvement,
    }
    if SHAPES[story.handover_type].overlaps:
        section["overlap"] = {"from": when.overlap_from.isoformat(), "to": when.planned.isoformat()}
    if involvement != "ends":
        section["followUpUntil"] = when.follow_up_until.isoformat()
    if story.life.job:
        section["explainedToEmployerOn"] = when.conference.isoformat()
        if visits := list(_visits(story)) if story.tells() else []:
            section["jointVisits"] = visits
    return section


def _request(story: Story) -> dict[str, str]:
    rng = story.draws
    first, second = story.life.themes[:2]
    visits = "職場訪問" if story.life.job else "面談"
    return {
        "whyReceiver": rng.choice(_WHY[story.handover_type]),
        "personWishes": rng.choice(_WISHES),
        "supportNeeded": f"{visits}による見守りと、{first.unresolved}、{second.unresolved}についての支援。",
        "senderContinues": rng.choice(
            (
                "引継ぎの後も6か月は後方で助言し、企業からの求めがあれば同席する。",
                "年2回の卒業生の会で様子を確かめ、求めがあれば相談に応じる。",
                "重なり期間は毎月一緒に訪ね、その後は受け手の求めに応じて情報を伝える。",
            )
        )
        if SHAPES[story.handover_type].overlaps
        else "利用を始めるまでの連絡と、アセスメントの結果の説明を行う。",
    }


def _conferences(story: Story) -> Iterator[dict[str, Any]]:
    """The newest first; the large record tells of a year of them."""
    for place in range(12 if story.large else 1):
        held = story.when.conference - timedelta(days=30 * place)
        if held >= story.when.service_from:
            yield _conference(story, held)


def _conference(story: Story, held: date) -> dict[str, Any]:
    participants = [
        {
            "organizationKind": story.sender.kind,
            "organizationName": story.sender.name,
            "role": story.sender_staff,
        },
        {
            "organizationKind": story.receiver.kind,
            "organizationName": story.receiver.name,
            "role": story.receiver_staff,
        },
    ]
    if story.life.job:
        participants.append(
            {
                "organizationKind": "employer",
                "organizationName": story.life.job.employer_name,
                "role": "人事担当",
            }
        )
    if story.tells():
        participants.append(story.draws.choice(_GUESTS))
    return {
        "heldOn": held.isoformat(),
        "chairRole": _CHAIRS.get(story.sender.kind, "other"),
        "participants": participants,
        "decisions": _decisions(story),
    }


_GUESTS = (
    {"organizationKind": "hello_work", "organizationName": "ハローワーク水色(架空)", "role": "専門援助部門"},
    {
        "organizationKind": "consultation_support",
        "organizationName": "相談支援事業所こみち(架空)",
        "role": "相談支援専門員",
    },
    {
        "organizationKind": "medical",
        "organizationName": "あおぞらこころのクリニック(架空)",
        "role": "精神保健福祉士",
    },
    {"organizationKind": "municipality", "organizationName": "水色市役所(架空)", "role": "障害福祉課 職員"},
)


def _decisions(story: Story) -> str:
    planned = f"{story.when.planned.year}年{story.when.planned.month}月{story.when.planned.day}日"
    if not story.life.job:
        return f"{planned}から{story.receiver.name}の利用を始める。初めの1か月は週3日とする。"
    overlap = f"{story.when.overlap_from.month}月{story.when.overlap_from.day}日"
    return (
        f"{planned}に主担当を移す。{overlap}から受け手が職場訪問に同行し、"
        f"その後の企業への連絡は{story.receiver.name}に一本化する。"
    )


def _visits(story: Story) -> Iterator[dict[str, Any]]:
    """Joint visits that have already been made."""
    assert story.life.job is not None and story.when.hired is not None
    day = max(story.when.conference, story.when.hired) + timedelta(days=2)
    for _ in range(24 if story.large else 1):
        if day > story.when.written:
            return
        yield {
            "visitedOn": day.isoformat(),
            "employerName": story.life.job.employer_name,
            "companions": [
                f"{story.receiver.name} {story.receiver_staff}",
                f"{story.sender.name} {story.sender_staff}",
            ],
            "content": story.draws.choice(
                (
                    "受け手の担当者の紹介と作業の見学。本人が作業を説明した。",
                    "上司との顔合わせ。配慮事項を一緒に確かめた。",
                    "休憩の取り方を見て、連絡の順序を決めた。",
                )
            ),
        }
        day += timedelta(days=1)
