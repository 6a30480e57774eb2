"""The report as a document to be printed, in large type."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from tsunagi.clock import civil_date
from tsunagi.consent import rules as consents
from tsunagi.consent.store import Consent
from tsunagi.errors import Text
from tsunagi.handovers.rules import Handover
from tsunagi.ids import OrganizationId
from tsunagi.paper.rules import (
    Block,
    Document,
    Facts,
    Heading,
    Language,
    Line,
    Paragraph,
    Ruby,
    Table,
    day,
    furigana,
    last_day,
)
from tsunagi.reports.actions import Report
from tsunagi.reports.rules import Disclosure
from tsunagi.reports.words import COMING, DOMAINS, GROUNDS, ROLES, SECTIONS, STATUSES, TEXTS
from tsunagi.responsibility.actions import DomainTimeline

MOST_PRINTED = 150
"""Readings: nobody reads through more. The JSON has them all."""


def plainly(text: Text, language: Language) -> str:
    """A text of ours in that language, without readings."""
    return text.en if language == "en" else str(furigana(text.ja, shown=False))


def in_charge(handovers: Iterable[Handover], holder: OrganizationId, domain: str) -> str | None:
    """The person in charge whom the holder named when it accepted the domain, as far as the caller may know."""
    accepted = [
        one
        for one in handovers
        if one.receiver_id == holder
        and one.person_in_charge is not None
        and any(part.domain == domain and part.decision == "accept" for part in one.domains)
    ]
    newest = max(accepted, key=lambda one: one.recorded_at, default=None)
    return newest.person_in_charge["name"] if newest and newest.person_in_charge else None


def joined(lines: Iterable[Line], between: str) -> Line:
    parts: list[str | Ruby] = []
    for line in lines:
        parts += [between] if parts else []
        parts += [line] if isinstance(line, str) else list(line)
    return parts


@dataclass(frozen=True, slots=True)
class Writer:
    """Turns a report into blocks."""

    report: Report
    language: Language
    ruby: bool

    def document(self, origin: str) -> Document:
        report = self.report
        parts = (self._head(), self._responsible(), self._received(), self._refused(), self._consents())
        return Document(
            id=str(report.id),
            title=self.text("title"),
            language=self.language,
            origin=origin,
            issuer=report.issuer.name,
            issued_at=report.by.at,
            blocks=list(chain(*parts, self._coming(), self._ways())),
            large=True,
        )

    def say(self, text: Text) -> Line:
        return text.en if self.language == "en" else furigana(text.ja, shown=self.ruby)

    def text(self, name: str) -> Line:
        return self.say(TEXTS[name])

    def _head(self) -> Iterable[Block]:
        yield Paragraph(self.text("intro"), framed=True)
        yield Facts(
            [
                (
                    self.text("name"),
                    "",
                ),  # left to be written by hand: the report is made without reading the record
                (self.text("madeBy"), self.report.issuer.name),
                (self.text("phone"), self._phone(self.report.by.organization_id)),
                (self.text("madeAt"), day(self.report.today, self.language)),
            ]
        )

    def _responsible(self) -> Iterable[Block]:
        rows: list[list[Line]] = []
        for one in self.report.timeline.domains:
            rows += self._domain(one)
        yield Heading(self.text("responsible"))
        head = [self.text(name) for name in ("what", "where", "phone", "person")]
        yield Table(head, [4, 6, 4, 3], rows, self.text("noneResponsible"))

    def _domain(self, one: DomainTimeline) -> Iterable[list[Line]]:
        name = self.say(DOMAINS[one.domain])
        if one.holder is None:
            yield [name, self.text("nobody"), "", ""]
        else:
            person = in_charge(self.report.accepted, one.holder, one.domain)
            yield [name, self._office(one.holder), self._phone(one.holder), person or ""]
        today = self.report.today
        for support in one.support:
            if support.valid_from <= today < support.valid_to:
                role = self.say(ROLES[support.role])
                whose = joined([self._office(support.organization), joined(["（", role, "）"], "")], " ")
                yield [name, whose, self._phone(support.organization), ""]

    def _received(self) -> Iterable[Block]:
        found = [one for one in self.report.disclosures if one.refused is None]
        shown = sorted(found, key=lambda one: one.last_at)[-MOST_PRINTED:]
        yield Heading(self.text("received"))
        head = [self.text(name) for name in ("when", "where", "what", "why")]
        yield Table(head, [5, 4, 5, 4], [self._reading(one) for one in shown], self.text("noneReceived"))
        if len(found) > len(shown):
            yield Paragraph(self.text("more"))

    def _reading(self, one: Disclosure) -> list[Line]:
        sections = joined((self.say(SECTIONS[name]) for name in one.sections), self._comma)
        return [self._when(one), self._name(one), sections, self._why(one)]

    def _when(self, one: Disclosure) -> Line:
        first, last = civil_date(one.at), civil_date(one.last_at)
        if self.language == "en":
            times = f" ({one.times} times)" if one.times > 1 else ""
            return day(first, "en") + (f" to {day(last, 'en')}" if last > first else "") + times
        times = f"、{one.times}回" if one.times > 1 else ""
        return day(first, "ja") + (f"から{day(last, 'ja')}まで" if last > first else "") + times

    def _why(self, one: Disclosure) -> Line:
        purposes = [
            consent.document["purpose"] for consent in self.report.consents if consent.id in one.consents
        ]
        ground = self.say(GROUNDS[one.ground]) if one.ground else ""
        quoted = [f"「{purpose}」" if self.language == "ja" else f'"{purpose}"' for purpose in purposes]
        return joined([ground, *dict.fromkeys(quoted)], "\n")

    def _refused(self) -> Iterable[Block]:
        found = [one for one in self.report.disclosures if one.refused is not None]
        if found:
            yield Heading(self.text("refused"))
            rows = [[self._when(one), self._name(one)] for one in found[-MOST_PRINTED:]]
            yield Table([self.text("when"), self.text("where")], [1, 1], rows, self.text("noneRefused"))

    def _consents(self) -> Iterable[Block]:
        yield Heading(self.text("consents"))
        head = [self.text(name) for name in ("toWhom", "what", "until", "withdrawAt")]
        rows = [self._consent(one) for one in self.report.consents]
        yield Table(head, [4, 5, 6, 4], rows, self.text("noneConsents"))

    def _consent(self, one: Consent) -> list[Line]:
        sections = [name for name in one.sections if name not in one.withdrawn_sections] or one.sections
        status = consents.status(
            one.valid_from, one.valid_to, one.sections, one.withdrawn_sections, self.report.today
        )
        until = [last_day(one.valid_to, self.language)] if status in ("active", "not_yet") else []
        states = [] if status == "active" else [self.say(STATUSES[status])]
        return [
            joined((self._office(recipient) for recipient in one.recipient_ids), self._comma),
            joined((self.say(SECTIONS[name]) for name in sections), self._comma),
            joined([*until, *states], "\n"),
            joined([self._office(one.giver_id), self._phone(one.giver_id)], "\n"),
        ]

    def _coming(self) -> Iterable[Block]:
        dates = dict.fromkeys(
            (one.milestone.on, one.milestone.kind)
            for one in self.report.coming
            if one.milestone.kind in COMING
        )
        rows = [[day(on, self.language), self.say(COMING[kind])] for on, kind in dates]
        yield Heading(self.text("coming"))
        yield Table([self.text("when"), self.text("what")], [2, 3], rows, self.text("noneComing"))

    def _ways(self) -> Iterable[Block]:
        yield Heading(self.text("howToWithdrawTitle"))
        yield Paragraph(self.text("howToWithdraw"))
        yield Heading(self.text("whomToAskTitle"))
        yield Paragraph(self.text("whomToAsk"))
        office = joined([self.report.issuer.name, self._phone(self.report.by.organization_id)], " ")
        yield Paragraph(office, framed=True)
        yield Paragraph(self.text("notEverything"))

    @property
    def _comma(self) -> str:
        return "、" if self.language == "ja" else ", "

    def _name(self, one: Disclosure) -> str:
        """What it was called on that day."""
        return self.report.names[one.organization_id, civil_date(one.at)]

    def _office(self, organization_id: OrganizationId) -> str:
        return self.report.offices[organization_id].name

    def _phone(self, organization_id: OrganizationId) -> Line:
        office = self.report.offices[organization_id]
        where = [office.department] if office.department else []
        return joined([office.phone, *where], "\n") if office.phone else self.text("noPhone")
