"""The demo's story: a settlement provider hands a person over to a center, told step by step.

Everything is done over HTTP with the Python client, as any vendor's software would.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

from tsunagi.directory.rules import Area, OrganizationProfile
from tsunagi.ids import number
from tsunagi.responsibility.milestones import corresponding_day
from tsunagi.synthetic.cases import case
from tsunagi.synthetic.consents import consent
from tsunagi_client import Tsunagi
from tsunagi_client.codes import Status
from tsunagi_client.models import Handover
from tsunagi_verifier import Server, Tree
from tsunagi_verifier.receipts import check_receipt
from tsunagi_verifier.trust import Trust, read_keys

Move = Callable[[date | None], None]

DOMAINS = {"employment": "就業支援", "daily_life": "生活支援", "employer_liaison": "企業窓口"}
ROLES = {"primary": "主担当", "co_support": "併走", "backup": "後方"}
SHORT = {"transition": "移行事業所", "settlement": "定着事業所", "center": "センター", "auditor": "県"}
SHARED = (
    "identity",
    "assessment",
    "employment",
    "employer_contacts",
    "support_plan",
    "support_history",
    "continuing_needs",
    "handover_plan",
    "disability",
)
"""What the person of the story agrees to share: not the medical section, and not what is about the family."""

PROVEN_WITHIN_SECONDS = 30

console = Console(highlight=False, soft_wrap=True)


class StoryBroken(Exception):
    """Something happened that the story does not have."""


@dataclass(frozen=True)
class Member:
    """An organization of the story, and the software that speaks for it."""

    role: Literal["transition", "settlement", "center", "auditor"] | str
    id: str
    profile: OrganizationProfile
    client_id: str
    kid: str
    key_file: Path

    def client(self, base_url: str) -> Tsunagi:
        return Tsunagi(base_url, client_id=self.client_id, key=self.key_file, organization=self.id)

    def as_json(self) -> dict[str, str]:
        return {
            "id": self.id,
            "name": self.profile.name,
            "clientId": self.client_id,
            "kid": self.kid,
            "keyFile": str(self.key_file),
        }


@dataclass(frozen=True)
class Cast:
    base_url: str
    area: Area
    transition: Member
    settlement: Member
    center: Member
    auditor: Member
    made: dict[str, Any] = field(default_factory=dict)
    """The ids that the story made, for `demo.json`."""

    @property
    def members(self) -> tuple[Member, ...]:
        return self.transition, self.settlement, self.center, self.auditor


@dataclass(frozen=True)
class Stage:
    """Where the story is told: who can speak, and the day on which the person changes hands."""

    cast: Cast
    settlement: Tsunagi
    center: Tsunagi
    auditor: Tsunagi
    move: Move
    planned: date

    def day(self, day: date, ja: str, en: str) -> None:
        self.move(day)
        console.print()
        console.print(f"[bold cyan]{day}[/]  [bold]{ja}[/]\n            [dim]{en}[/]")


def tell(cast: Cast, move: Move, today: date) -> None:
    """The handover is completed today; it began more than half a year ago. Raises whatever a step raises."""
    with (
        cast.settlement.client(cast.base_url) as settlement,
        cast.center.client(cast.base_url) as center,
        cast.auditor.client(cast.base_url) as auditor,
    ):
        stage = Stage(cast, settlement, center, auditor, move, planned=today)
        console.rule("引継ぎの物語（すべて架空） / one handover, all made up")
        console.print(f"提供元 sender    {cast.settlement.profile.name}")
        console.print(f"提供先 receiver  {cast.center.profile.name}")
        offered = _offer(stage)
        _notice(stage, offered)
        seen = _pull(stage, offered)
        _accept(stage, seen)
        _withdraw_consent(stage, seen)
        _overlap_and_complete(stage, seen)
        _audit(stage)
        _prove(stage, seen)
        move(None)
        cast.made["openHandovers"] = _open_cases(cast, settlement, center, today)


def _offer(stage: Stage) -> str:
    opens = corresponding_day(stage.planned, -6)
    posted = opens - timedelta(days=20)
    stage.day(
        posted,
        "定着事業所が記録を登録し、本人の同意を得て申し込む",
        "the settlement provider posts the record, has the person's consent, and offers",
    )
    record = case(
        1,
        handover_type="settlement_to_center",
        planned_date=stage.planned,
        receiver_id=stage.cast.center.id,
        sender=stage.cast.settlement.profile,
        receiver=stage.cast.center.profile,
        area=stage.cast.area,
        written_on=posted,
    )
    check = stage.settlement.handovers.check(record)
    _say(f"検証: 問題なし、警告 {len(check['warnings'])}件", f"validated, {len(check['warnings'])} warnings")
    draft = stage.settlement.handovers.create(record).data
    person_id = draft["personId"]
    given = stage.settlement.consents.create(
        consent(record, person_id, [stage.cast.center.id], sections=SHARED, given_on=posted)
    )
    offered = stage.settlement.handovers.offer(draft["id"]).data
    _say(
        f"下書き → 申込み（{offered['status']}）。同意: {len(SHARED)}項目群",
        f"draft → {offered['status']}; consent covers {len(SHARED)} sections",
    )
    stage.cast.made.update({"handoverId": draft["id"], "personId": person_id, "consentId": given["id"]})
    return draft["id"]


def _notice(stage: Stage, handover_id: str) -> None:
    notice = stage.center.handovers.get(handover_id).data
    if "record" in notice or "personId" in notice:
        raise StoryBroken("the receiver sees the person before the window opens")
    domains = "・".join(DOMAINS[domain] for domain in notice["domains"])
    _say(
        f"センターに見えるのは予告だけ: {notice['plannedDate']} から {domains}、{notice['windowOpensOn']} に開示",
        "the center sees a notice only: nothing about the person",
    )


def _pull(stage: Stage, handover_id: str) -> Handover:
    stage.day(
        corresponding_day(stage.planned, -6),
        "開示開始。センターが知らせを受け、記録を読む",
        "the window opens; the center is told and pulls the record",
    )
    told = [event["type"] for event in stage.center.events.list()]
    _say(f"センターへの知らせ: {', '.join(told)}", "the center's feed")
    seen = stage.center.handovers.get(handover_id).data
    if "record" not in seen:
        raise StoryBroken("the window is open, and the record is not there")
    _say(
        f"読めた項目群: {', '.join(seen['record']['sections'])}",
        "sections given: exactly those consented to",
    )
    withheld = ", ".join(f"{one['section']}（{one['reason']}）" for one in seen["withheld"])
    _say(f"示されなかった項目群: {withheld}", f"withheld, with the reason; state: {seen['status']}")
    return seen


def _accept(stage: Stage, seen: Handover) -> None:
    stage.day(
        corresponding_day(stage.planned, -6) + timedelta(days=14),
        "センターが領域ごとに受諾する",
        "the center accepts, domain by domain",
    )
    accepted = stage.center.handovers.accept(seen["id"], _everything(seen)).data
    for one in accepted["domains"]:
        _say(
            f"{DOMAINS[one['domain']]}: {ROLES[one['acceptedRole']]}、{one['acceptedFrom']} から",
            f"{one['domain']}: {one.get('acceptedRole')} from {one.get('acceptedFrom')}",
        )
    _say("それまでの責任は定着事業所に残る", "until then responsibility stays with the sender")


def _everything(seen: Handover) -> list[Any]:
    """The answers of a receiver that takes all that it is asked to take, as it is asked."""
    return [
        {"domain": one["domain"], "decision": "accept", "role": one["receiverRole"]}
        for one in seen["domains"]
    ]


def _withdraw_consent(stage: Stage, seen: Handover) -> None:
    stage.day(
        corresponding_day(stage.planned, -4),
        "本人が「障害」の項目群への同意を撤回する",
        "the person withdraws consent to one section",
    )
    stage.settlement.consents.withdraw(
        stage.cast.made["consentId"], withdrawn_by={"kind": "person"}, sections=["disability"]
    )
    again = stage.center.handovers.get(seen["id"]).data
    if "record" not in again or "disability" in again["record"]["sections"]:
        raise StoryBroken("a withdrawn section is still shown")
    _say("次の閲覧からはもう示されない", "withheld from the very next read on")


def _overlap_and_complete(stage: Stage, seen: Handover) -> None:
    for day, ja, en in (
        (
            corresponding_day(stage.planned, -3),
            "重なり期間。二つの機関が一緒に企業を訪問する",
            "the overlap begins",
        ),
        (
            stage.planned,
            "責任がセンターに移り、引継ぎが完了する",
            "responsibility moves; the handover is completed",
        ),
    ):
        stage.day(day, ja, en)
        state = stage.settlement.handovers.get(seen["id"]).data["status"]
        _say(f"状態: {state}", f"state: {state}")
    if state != "completed":
        raise StoryBroken(f"the handover should be completed and is {state}")


def _audit(stage: Stage) -> None:
    console.print()
    person_id = stage.cast.made["personId"]
    table = Table(title="監査: 誰がいつ主担当か / audit: who is primary when", title_justify="left")
    for heading in ("領域", "から from", "まで to", "主担当 primary", "併走・後方 beside"):
        table.add_column(heading)
    timeline = stage.auditor.people.responsibility(person_id)
    short = {member.id: SHORT.get(member.role, member.role) for member in stage.cast.members}
    for domain in timeline["domains"]:
        for segment in domain["segments"]:
            holder, until = segment["organization"], segment["to"]
            beside = [
                f"{short[one['organization']['id']]} {ROLES[one['role']]}"
                for one in domain["support"]
                if one["from"] >= segment["from"] and (until is None or one["from"] < until)
            ]
            table.add_row(
                DOMAINS[domain["domain"]],
                segment["from"],
                until or "—",
                short[holder["id"]] if holder else "なし nobody",
                ", ".join(beside),
            )
    console.print(table)
    if timeline["findings"]:
        raise StoryBroken("the timeline has gaps")
    _say("空白なし。監査人に記録の内容は見えない", "no gap; the auditor never sees the record's content")


def _prove(stage: Stage, seen: Handover) -> None:
    """What happened is in the log, checked by code that shares nothing with the service."""
    for _ in range(PROVEN_WITHIN_SECONDS):
        shown = stage.settlement.ledger.receipt(seen["id"])
        if all(step["proof"] for step in shown["steps"]):
            break
        time.sleep(1)
    else:
        raise StoryBroken("entries wait for their place in the log")
    log = Server(f"{stage.cast.base_url}/ledger")
    trust = Trust(read_keys(log.text("keys").splitlines()))
    receipt, checkpoint = check_receipt(shown, trust), trust.open(log.text("checkpoint"))
    Tree(log, checkpoint).walk()
    steps, size = len(receipt.proven), checkpoint.size
    _say(
        f"証明: 受渡しの証明の{steps}件の手続と、台帳の全{size}件を、署名された検証点まで確かめた",
        f"proof: {steps} steps of the receipt and all {size} entries verified up to a signed checkpoint",
    )


def _open_cases(cast: Cast, settlement: Tsunagi, center: Tsunagi, today: date) -> list[dict[str, str]]:
    """A few more people whose handovers stand at different points, for whoever goes on from here."""
    made: list[dict[str, str]] = []
    for seed, (months, step) in enumerate(
        ((3, "offer"), (4, "offer"), (9, "offer"), (5, "draft"), (1, "gap")), 2
    ):
        record = case(
            seed,
            handover_type="settlement_to_center",
            planned_date=corresponding_day(today, months),
            receiver_id=cast.center.id,
            sender=cast.settlement.profile,
            receiver=cast.center.profile,
            area=cast.area,
            written_on=today,
        )
        draft = settlement.handovers.create(record).data
        status = draft["status"]
        if step != "draft":
            settlement.consents.create(
                consent(record, draft["personId"], [cast.center.id], sections=SHARED, given_on=today)
            )
            status = settlement.handovers.offer(draft["id"]).data["status"]
        if step == "gap":
            status = _leave_a_gap(settlement, center, draft["id"], today)
        made.append({"id": draft["id"], "status": status, "plannedDate": draft["plannedDate"]})
    return made


def _leave_a_gap(settlement: Tsunagi, center: Tsunagi, handover_id: str, today: date) -> Status:
    """The center has accepted, and the sender gives up one domain before that day: something for an auditor to find."""
    seen = center.handovers.get(handover_id).data
    if "record" not in seen:
        raise StoryBroken("the window is open, and the record is not there")
    accepted = center.handovers.accept(handover_id, _everything(seen)).data
    settlement.responsibilities.end(seen["personId"], "daily_life", "primary", on=today, code="service_ended")
    console.print()
    who = number(seen["personId"])
    _say(
        f"監査の練習に: 番号 {who} の本人（架空）の生活支援は、{seen['plannedDate']} の前日まで担当なし",
        "for auditors to try: nobody holds this made-up person's daily life until the center does",
    )
    return accepted["status"]


def _say(ja: str, en: str) -> None:
    console.print(f"    {ja}\n    [dim]{en}[/]")
