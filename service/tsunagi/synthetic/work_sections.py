"""The sections about work: employment and employer contacts."""

from datetime import date
from functools import cache
from random import Random
from typing import Any

from tsunagi.synthetic.organizations import organization
from tsunagi.synthetic.people import staff_name
from tsunagi.synthetic.story import Story
from tsunagi.synthetic.timeline import months_later
from tsunagi.synthetic.work import TRADES, employer_name

_DISCLOSURES = {
    "hr": ("手帳、通院、配慮の全般。", "手帳の種類と等級、通院日。診断名は本人から話す。"),
    "supervisor": ("業務上の配慮と疲れのサイン。診断名は伝えない。", "配慮の全般と緊急時の連絡先。"),
    "occupational_health": ("診断名と服薬を含む。",),
    "workplace_support": ("就労パスポートに書いた内容。",),
}
_TITLES = {
    "hr": ("人事部 採用担当", "総務課 課長", "管理部 主任"),
    "supervisor": ("課長", "班長", "主任"),
    "occupational_health": ("産業医", "保健師"),
    "workplace_support": ("障害者職業生活相談員", "社内ジョブコーチ"),
}
_HOURS = ("平日10時〜16時", "火〜木 10時〜16時", "昼休みを除く", "月末と月初を除く", "第3水曜 13時〜15時")
_END_REASONS = ("体調を崩して退職", "契約期間の満了", "人間関係の疲れから退職", "業務の変化に対応できず退職")


def employment(story: Story) -> dict[str, Any]:
    section: dict[str, Any] = {"episodes": [_episode(story)] if story.life.job else []}
    if not story.life.job or story.tells():
        section["pastExperience"] = _past(story)
    return section


def _episode(story: Story) -> dict[str, Any]:
    assert story.life.job is not None and story.when.hired is not None
    count = min(4 if story.large else story.draws.randint(2, 3), len(story.life.condition.accommodations))
    episode = story.life.job.episode()
    if not story.tells():
        del episode["jobCoachAndSubsidies"]
    return episode | {
        "hiredOn": story.when.hired.isoformat(),
        "workAreaCode": story.life.work_area.code,
        "accommodations": story.draws.sample(story.life.condition.accommodations, count),
    }


def _past(story: Story) -> list[dict[str, Any]]:
    """Jobs, internships and training before, with the dates that people remember."""
    rng = story.draws
    service_from, hired = story.when.service_from, story.when.hired
    before = months_later(min(service_from, months_later(hired, -18)) if hired else service_from, -3)
    count = 8 if story.large else 1
    past = [_job_before(rng, months_later(before, -30 * place)) for place in range(count)]
    if story.handover_type in ("transition_to_settlement", "sender_to_center", "other"):
        past.insert(0, _internship(rng, months_later(hired or story.when.written, -3)))
    return past


def _job_before(rng: Random, ended: date) -> dict[str, Any]:
    trade = rng.choice(TRADES)
    begun = months_later(ended, -rng.randint(4, 26))
    return {
        "kind": "job",
        "placeName": employer_name(rng, trade),
        "content": rng.choice(trade.tasks),
        "startedOn": begun.isoformat()[: rng.choice((4, 7))],
        "endedOn": ended.isoformat()[:7],
        "endReason": rng.choice(_END_REASONS),
    }


def _internship(rng: Random, begun: date) -> dict[str, Any]:
    trade = rng.choice(TRADES)
    return {
        "kind": "internship",
        "placeName": employer_name(rng, trade),
        "content": f"{rng.choice(trade.tasks)}({rng.choice((3, 5, 10))}日間)",
        "startedOn": begun.isoformat()[:7],
        "endedOn": begun.isoformat()[:7],
    }


def employer_contacts(story: Story) -> dict[str, Any]:
    rng = story.draws
    roles = ["hr", "supervisor"]
    if story.tells():
        roles.append(rng.choice(("occupational_health", "workplace_support")))
    section: dict[str, Any] = {
        "contacts": [_contact(story, role) for role in roles],
        "visitFrequency": rng.choice(("月1回", "2か月に1回。異動の前後は月1回", "3か月に1回")),
    }
    if "no_employer_window" not in story.flaws:
        section["singlePointOfContact"] = {
            "organizationId": story.receiver_id,
            "organizationName": story.receiver.name,
        }
    return section


def _contact(story: Story, role: str) -> dict[str, Any]:
    assert story.life.job is not None
    rng = story.draws
    title = rng.choice(_TITLES[role])
    contact = {
        "episodeId": "1",
        "name": staff_name(rng),
        "department": f"{story.life.job.trade.department} {title}" if role == "supervisor" else title,
        "role": role,
        "disclosureScope": rng.choice(_DISCLOSURES[role]),
    }
    if story.tells():
        contact["availableHours"] = rng.choice(_HOURS)
    if role != "occupational_health":
        contact["phone"] = f"0{story.life.work_area.prefecture_code}-000-{rng.randrange(10_000):04}"
    if role == "hr":
        contact["email"] = f"hr-{story.life.person.number}@example.jp"
    return contact


def former_office(story: Story) -> str:
    """The transition provider through which the person came to the job."""
    if story.sender.kind == "transition":
        return story.sender.name
    return _organization("transition", story.life.person.number % 20).name


_organization = cache(organization)
