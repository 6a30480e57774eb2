"""What a record's schema cannot say. Each rule has a stable code; errors refuse, warnings go to both sides."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date

from tsunagi.directory.rules import AreaRules, corporate_number_is_valid, office_number_is_valid
from tsunagi.errors import Level, Notice, Text
from tsunagi.records.view import RecordView
from tsunagi.responsibility import milestones

Rule = Callable[[RecordView, AreaRules, date], Iterator[Notice]]

REQUIRED_TO_OFFER = ("assessment", "support_plan")
"""Beside what the schema requires: without these a receiver cannot answer."""


def check(record: RecordView, area: AreaRules, today: date) -> tuple[Notice, ...]:
    """Everything the rules notice, errors first."""
    found = [notice for rule in RULES for notice in rule(record, area, today)]
    return tuple(sorted(found, key=lambda notice: ("error", "warning", "info").index(notice.level)))


def missing_to_offer(sections: Iterable[str]) -> tuple[Notice, ...]:
    """What a record still lacks before it can be offered."""
    present = set(sections)
    return tuple(
        _notice(
            "record.section_missing",
            f"/sections/{section}",
            "申し込みにはこの項目群が必要です",
            "This section is needed before the record can be offered",
        )
        for section in REQUIRED_TO_OFFER
        if section not in present
    )


def before_offer(record: RecordView, today: date) -> tuple[Notice, ...]:
    """What a draft may still lack or say, and an offer of it would refuse: warnings until then."""
    present = {"assessment": record.sections.assessment, "support_plan": record.sections.support_plan}
    found = [*missing_to_offer(name for name, section in present.items() if section is not None)]
    if record.planned_date < today:
        found.append(planned_date_in_past())
    return tuple(replace(notice, level="warning") for notice in found)


def planned_date_in_past() -> Notice:
    return _notice(
        "planned_date.in_past", "/plannedDate", "引継ぎ予定日が過ぎています", "The planned date has passed"
    )


def _notice(code: str, pointer: str, ja: str, en: str, level: Level = "error") -> Notice:
    return Notice(code, level, Text(ja, en), pointer)


def identity(record: RecordView, _area: AreaRules, today: date) -> Iterator[Notice]:
    who = record.sections.identity
    if who.birth_date > today:
        yield _notice(
            "identity.birth_in_future",
            "/sections/identity/birthDate",
            "生年月日が未来の日付です",
            "The birth date lies in the future",
        )
    certificate = who.certificate
    if (
        certificate
        and certificate.starts_on
        and certificate.ends_on
        and certificate.ends_on < certificate.starts_on
    ):
        yield _notice(
            "certificate.period_reversed",
            "/sections/identity/certificate/to",
            "受給者証の終了日が開始日より前です",
            "The certificate ends before it begins",
        )


def employment(record: RecordView, _area: AreaRules, _today: date) -> Iterator[Notice]:
    episodes = record.sections.employment.episodes if record.sections.employment else ()
    for index, episode in enumerate(episodes):
        at = f"/sections/employment/episodes/{index}"
        if episode.ended_on is not None and episode.ended_on < episode.hired_on:
            yield _notice(
                "employment.end_before_start",
                f"{at}/endedOn",
                "離職日が就職日より前です",
                "The job ends before it begins",
            )
        if episode.corporate_number is not None and not corporate_number_is_valid(episode.corporate_number):
            yield _notice(
                "employer.corporate_number_check_digit",
                f"{at}/corporateNumber",
                "法人番号の検査数字が合いません",
                "The corporate number fails its check digit",
            )


def support(record: RecordView, _area: AreaRules, _today: date) -> Iterator[Notice]:
    plan = record.sections.support_plan
    for index, item in enumerate(plan.items if plan else ()):
        period = item.period
        if period and period.starts_on and period.ends_on and period.ends_on <= period.starts_on:
            yield _notice(
                "support_plan.period_reversed",
                f"/sections/support_plan/items/{index}/period/to",
                "支援期間の終わりが始まりより後になっていません",
                "The period must end after it begins",
            )
    history = record.sections.support_history
    for index, used in enumerate(history.services if history else ()):
        if used.office_number is not None and not office_number_is_valid(used.office_number):
            yield _notice(
                "support_history.office_number_check_digit",
                f"/sections/support_history/services/{index}/officeNumber",
                "事業所番号の検証番号が合いません",
                "The office number fails its check digit",
            )


def domains(record: RecordView, _area: AreaRules, _today: date) -> Iterator[Notice]:
    seen: set[str] = set()
    for index, offer in enumerate(record.domains):
        at = f"/domains/{index}"
        if offer.domain in seen:
            yield _notice(
                "domains.duplicated",
                f"{at}/domain",
                "同じ領域が二度あります",
                "The domain is offered twice",
            )
        seen.add(offer.domain)
        since = offer.sender_primary_since
        if since is not None and since >= record.starts_on(offer):
            yield _notice(
                "domains.since_after_start",
                f"{at}/senderPrimarySince",
                "提供元が主担当となった日が引継ぎ日より前ではありません",
                "The sender must have become primary before the handover",
            )


def dates(record: RecordView, area: AreaRules, today: date) -> Iterator[Notice]:
    ends_on = record.service_ends_on
    if ends_on is None:
        return
    if record.planned_date <= ends_on:
        yield _notice(
            "planned_date.not_after_service_end",
            "/plannedDate",
            "引継ぎ予定日は支援の最終日より後でなければなりません",
            "The planned date must come after the service's last day",
        )
    elif (record.planned_date - ends_on).days > 1:
        yield _notice(
            "planned_date.gap_after_service_end",
            "/plannedDate",
            "支援の最終日と引継ぎ予定日の間に空白があります",
            "Days lie between the service's last day and the planned date",
            "warning",
        )
    if record.continuing_need and (record.shared_on or today) > milestones.sharing_due(ends_on, area):
        yield _notice(
            "sharing.too_late",
            "/sections/continuing_needs/sharedOn",
            "情報共有が支援終了の3か月前を過ぎています",
            "Shared later than three months before the end of the service",
            "warning",
        )


def conference(record: RecordView, area: AreaRules, _today: date) -> Iterator[Notice]:
    due, held = milestones.conference_due(record.planned_date, area), record.first_conference_on
    if record.handover_type not in milestones.WITHOUT_CONFERENCE and (held is None or held > due):
        yield _notice(
            "conference.missing",
            "/sections/handover_plan/caseConferences",
            f"引継ぎの{area.conference_lead_months}か月前までのケース会議がありません",
            f"No case conference {area.conference_lead_months} months before the handover",
            "warning",
        )


def overlap(record: RecordView, area: AreaRules, _today: date) -> Iterator[Notice]:
    period = record.sections.handover_plan.overlap
    at = "/sections/handover_plan/overlap"
    if period is None:
        return
    if period.ends_on <= period.starts_on:
        yield _notice(
            "overlap.reversed",
            f"{at}/to",
            "重なり期間の終わりが始まりより後になっていません",
            "The overlap must end after it begins",
        )
    elif (
        record.handover_type not in milestones.WITHOUT_OVERLAP
        and period.starts_on > milestones.overlap_starts(record.planned_date, area)
    ):
        yield _notice(
            "overlap.shorter_than_area_rule",
            f"{at}/from",
            f"重なり期間が圏域の定め（{area.overlap_months}か月）より短くなっています",
            f"The overlap is shorter than the area's rule ({area.overlap_months} months)",
            "warning",
        )


def employer_window(record: RecordView, _area: AreaRules, _today: date) -> Iterator[Notice]:
    if record.needs_employer_window and not record.employer_window:
        yield _notice(
            "employer_window.undefined",
            "/sections/employer_contacts/singlePointOfContact",
            "企業の窓口となる機関が決まっていません",
            "No organization is named as the employer's single point of contact",
            "warning",
        )


RULES: tuple[Rule, ...] = (
    identity,
    employment,
    support,
    domains,
    dates,
    conference,
    overlap,
    employer_window,
)
