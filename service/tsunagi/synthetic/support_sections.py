"""The sections about support: plan, history, continuing needs."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from tsunagi.synthetic.story import Story
from tsunagi.synthetic.themes import BEFORE_WORK, Theme
from tsunagi.synthetic.timeline import months_later
from tsunagi.synthetic.work_sections import former_office

_FAMILY_WISHES = (
    "本人のペースで続けてほしい。",
    "親がいなくなった後も相談できる先がほしい。",
    "一人で抱え込まないでほしい。",
    "体調を第一に考えてほしい。",
)
_POLICIES = (
    "職場の中の相談の仕組みを育てながら、変化の時期を一緒に乗り越える。",
    "本人の力を信じ、できることを増やしながら、支える人の輪を広げる。",
    "働くことと暮らしを一つのものとして見て、早めに話し合う。",
    "支援者が前に出すぎず、本人と職場が直接話せるようにする。",
)
_LONG_TERM = (
    "周囲の支えが替わっても、同じ配慮のもとで働き続ける。",
    "自分に合った暮らしと働き方を選べるようになる。",
)
_LONG_TERM_BEFORE_WORK = ("自分に合った仕事に就く。", "週5日通う力を付け、職場実習に臨む。")
_EFFORTS = (
    "上司が週初めに優先順位を文書で示した。",
    "会社が休憩の場所を用意した。",
    "本人が朝礼で自分の目標を話した。",
    "家族が通院に付き添った。",
    "相談支援専門員が住まいの情報を集めた。",
)
_SHARED = (
    "来年度に組織の変更がある見込み。",
    "繁忙期は12月。",
    "通院日が金曜から土曜に変わった。",
    "引継ぎ先との顔合わせを予定している。",
)


def support_plan(story: Story) -> dict[str, Any]:
    rng, when = story.draws, story.when
    review = months_later(when.plan_created, 3 if story.sender.kind in ("transition", "selection") else 6)
    section: dict[str, Any] = {
        "createdOn": when.plan_created.isoformat(),
        "planVersion": f"第{rng.randint(2, 8)}版",
        "wishes": {"person": story.life.themes[0].goal, "family": rng.choice(_FAMILY_WISHES)},
        "policy": rng.choice(_POLICIES),
        "items": list(_plan_items(story, review)),
        "agreedByPersonOn": when.plan_created.isoformat(),
        "nextReviewOn": review.isoformat(),
    }
    if story.size == "small":
        return section
    period = {"from": when.plan_created.isoformat(), "to": months_later(when.plan_created, 12).isoformat()}
    long_term = rng.choice(_LONG_TERM if story.life.job else _LONG_TERM_BEFORE_WORK)
    section["longTermGoals"] = [{"goal": long_term, "period": period}]
    if story.tells():
        short = {"from": when.plan_created.isoformat(), "to": review.isoformat()}
        section["shortTermGoals"] = [{"goal": story.life.themes[1].goal, "period": short}]
    return section


def _plan_items(story: Story, review: date) -> Iterator[dict[str, Any]]:
    themes = {"small": story.life.themes[:1], "usual": story.life.themes[:2], "large": story.life.themes * 6}[
        story.size
    ]
    for number, theme in enumerate(themes, 1):
        item: dict[str, Any] = {
            "number": number,
            "need": theme.need,
            "goal": theme.goal,
            "support": theme.support,
            "frequency": theme.frequency,
            "period": {"from": story.when.plan_created.isoformat(), "to": review.isoformat()},
            "responsibleOrganization": story.sender.name,
            "priority": number,
        }
        if story.tells():
            item["personRole"] = theme.own_part
        if story.large:
            item["policy"] = theme.policy
        if story.when.at_work and story.tells():
            item["evaluation"] = theme.result
        yield item


def support_history(story: Story) -> dict[str, Any]:
    rng = story.draws
    section: dict[str, Any] = {
        "services": list(_services(story)),
        "interviewsSummary": "月1回の面談と、2か月に1回の職場訪問を続けた。"
        if story.when.at_work
        else "利用を始めてから週1回の面談を続けた。",
        "effectiveSupport": rng.choice(
            (
                "変更を予告し、文書で渡すこと。",
                "体調を数字で共有すること。",
                "本人と職場と支援者の三者で、短く何度も話すこと。",
                "見本を示し、できた点から伝えること。",
            )
        ),
    }
    if reports := list(_reports(story)):
        section["reports"] = reports
    if story.tells():
        section["ineffectiveSupport"] = rng.choice(
            (
                "口頭だけの予定変更。",
                "昼食会への誘い。かえって疲れた。",
                "一度に多くの目標を立てたこと。",
                "支援者が先回りして職場に伝えたこと。",
            )
        )
    if story.sender.kind in ("settlement", "center") and story.when.hired:
        section["claimedAdditions"] = [
            {
                "addition": "就労移行支援体制加算",
                "officeName": former_office(story),
                "month": months_later(story.when.hired, 6).isoformat()[:7],
            }
        ]
    return section


def _services(story: Story) -> Iterator[dict[str, Any]]:
    """What was used before, and the sender's own service."""
    when, sender = story.when, story.sender
    if sender.kind == "settlement" and when.hired:
        yield {
            "serviceCode": {"code": "43", "codeSystem": "billing"},
            "officeName": former_office(story),
            "startedOn": months_later(when.hired, -18).isoformat()[:7],
            "endedOn": (when.hired - timedelta(days=1)).isoformat(),
            "endReason": "就職",
        }
    own: dict[str, Any] = {"officeName": sender.name, "startedOn": when.service_from.isoformat()}
    office = next((one for one in sender.identifiers if one.system == "office_number"), None)
    if office and office.service_code:
        own["serviceCode"] = {"code": office.service_code, "codeSystem": "billing"}
        own["officeNumber"] = office.value
    else:
        own["serviceName"] = f"{sender.name}の登録"
    yield own


def _reports(story: Story) -> Iterator[dict[str, Any]]:
    """Monthly reports of the newest whole months before the record was written."""
    when = story.when
    count = 36 if story.large else 1
    month = when.written.replace(day=1)
    for _ in range(count):
        last_day = month - timedelta(days=1)
        month = last_day.replace(day=1)
        if month < when.service_from.replace(day=1):
            return
        employed = when.hired is not None and when.hired <= month
        yield _report(
            story, last_day, story.draws.choice(story.life.themes if employed else BEFORE_WORK), employed
        )


def _report(story: Story, last_day: date, theme: Theme, employed: bool) -> dict[str, Any]:
    met = "対面の面談1回、職場訪問1回。" if employed else "対面の面談2回。"
    report = {
        "month": last_day.isoformat()[:7],
        "goals": theme.goal,
        "support": met + theme.support,
        "result": theme.result,
        "nextSupport": f"{theme.unresolved}について、引き続き面談で確かめる。",
        "confirmedByPersonOn": last_day.isoformat(),
    }
    if story.tells():
        report["efforts"] = story.draws.choice(_EFFORTS)
    if story.tells():
        report["sharedMatters"] = story.draws.choice(_SHARED)
    return report


def continuing_needs(story: Story) -> dict[str, Any]:
    """For people whose settlement service ends and who still need support (要継続支援利用者)."""
    assert story.life.job is not None and story.when.service_ends is not None
    rng, when = story.draws, story.when
    return {
        "determination": "needed",
        "determinedOn": when.conference.isoformat(),
        "determinedBy": f"{story.author.manager}(サービス管理責任者)",
        "consulted": [
            {
                "kind": "person",
                "consultedOn": when.explained.isoformat(),
                "opinion": rng.choice(("相談先が続くと安心。", "知らない人に替わるのは不安。早く会いたい。")),
            },
            {
                "kind": "employer",
                "name": story.life.job.employer_name,
                "consultedOn": when.conference.isoformat(),
                "opinion": rng.choice(("変化の時期の支援を望む。", "連絡先が一つになると助かる。")),
            },
        ],
        "unresolved": [theme.unresolved for theme in story.life.themes[:2]],
        "supportNeededAfter": [theme.afterwards for theme in story.life.themes[:3]],
        "expectedMonths": rng.choice((6, 12, 12, 24)),
        "serviceEndsOn": story.when.service_ends.isoformat(),
        "sharedOn": when.shared.isoformat(),
        "sharedWith": [story.receiver.name, story.life.job.employer_name],
    }
