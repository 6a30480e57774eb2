"""When a reading is a provision of its own, and what the law asks of its record.

The law is the Act on the Protection of Personal Information (個人情報保護法) and the Commission's rules (施行規則).
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from tsunagi.consent.rules import Coverage, ExceptionCode
from tsunagi.directory.rules import OrganizationKind
from tsunagi.ids import ConsentId, HandoverId, OrganizationId, PersonId, Stream
from tsunagi.municipalities import name_of
from tsunagi.responsibility.milestones import corresponding_day
from tsunagi.strict_json import canonical_bytes

Ground = Literal["consent"] | ExceptionCode
WithholdingRule = Literal["order_11_1", "order_11_4"]
Means = Literal["read", "export"]
Role = Literal["giver", "receiver", "auditor"]
Acquisition = Literal["in_support", "stated"]
"""How the giver came by the data (art. 30 par. 1 no. 2): in the course of its support, or as its record states."""

CONTINUED_MONTHS = 12
"""So long one record stands for further readings of the same: what is provided continuously may be recorded in one go
(rules art. 20 par. 2, art. 24 par. 2). What is kept is kept from the end of that time, since the period counts from
the last provision (rules art. 21 no. 2, art. 25 no. 2)."""

CONSENT_VERSION = 1
"""A consent is never amended: it is withdrawn, and another one given."""

PUBLIC_BODIES: frozenset[OrganizationKind] = frozenset(
    {"municipality", "prefecture", "labor_bureau", "hello_work", "vocational_center"}
)
"""State, local governments and incorporated administrative agencies, provision to or by whom needs no record (art. 16
par. 2, art. 29 par. 1 in brackets). Local vocational centers (地域障害者職業センター) belong to such an agency."""

AUTHORITIES: frozenset[OrganizationKind] = frozenset({"municipality", "prefecture", "labor_bureau", "other"})
"""Who may be investigating. The police and the courts have no kind of their own: they are `other`."""

WITHHELD: Mapping[Ground, tuple[WithholdingRule, frozenset[OrganizationKind] | None]] = {
    "abuse_report": ("order_11_1", None),
    "law": ("order_11_4", AUTHORITIES),
    "public_cooperation": ("order_11_4", AUTHORITIES),
}
"""What is given on such a ground, to an organization of such a kind (None: of any), is withheld from the person.

The law lets the person ask for the records of provision (art. 33 par. 5), but not for those whose existence, if known,
would endanger the life, body or property of the person or of others (cabinet order art. 11 no. 1), or hinder the
prevention or investigation of crimes (no. 4). Who reported abuse must not become known (Act on the Prevention of Abuse
of Persons with Disabilities). What is given without consent under art. 27 par. 1 needs no record at all (art. 29 par. 1
proviso): to withhold it denies the person nothing that the law promises."""


def withholding(ground: Ground, kind: OrganizationKind) -> WithholdingRule | None:
    """The rule by which the person is not told that something was given on this ground to such an organization."""
    if ground not in WITHHELD:
        return None
    rule, kinds = WITHHELD[ground]
    return rule if kinds is None or kind in kinds else None


@dataclass(frozen=True, slots=True)
class Given:
    """An earlier record of the same version, as far as it tells whether a reading gives anything new."""

    on: date
    ground: Ground
    sections: Sequence[str]
    consents: Sequence[ConsentId]


@dataclass(frozen=True, slots=True)
class Transfer:
    """What one reading gives on one ground."""

    on: date
    ground: Ground
    sections: tuple[str, ...]
    consents: tuple[ConsentId, ...]

    @property
    def digest(self) -> bytes:
        """The same for readings at the same time that would both be the first."""
        whole = [self.on.isoformat(), self.ground, sorted(self.sections), [str(one) for one in self.consents]]
        return hashlib.sha256(canonical_bytes(whole)).digest()


def transfers(covered: Coverage, given: Iterable[Given], today: date) -> list[Transfer]:
    """The provisions that a reading of what is covered is: one for each ground on which something is given that was
    not given before on that consent or exception, or not for a year."""
    earlier = [one for one in given if today < corresponding_day(one.on, CONTINUED_MONTHS)]
    by_ground: dict[Ground, list[str]] = defaultdict(list)
    fresh: set[Ground] = set()
    for section, ground in covered.grounds.items():
        code: Ground = ground.exception or "consent"
        by_ground[code].append(section)
        if not any(
            one.ground == code
            and section in one.sections
            and not set(one.consents).isdisjoint(ground.consents)
            for one in earlier
        ):
            fresh.add(code)
    return [
        Transfer(today, code, tuple(sections), _consents(covered, sections))
        for code, sections in by_ground.items()
        if code in fresh
    ]


def _consents(covered: Coverage, sections: Iterable[str]) -> tuple[ConsentId, ...]:
    return tuple(sorted({one for section in sections for one in covered.grounds[section].consents}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A side of a provision under the name and at the address of that day. Members are named as they are kept."""

    id: OrganizationId
    kind: OrganizationKind
    name: str
    corporate_name: str | None = None
    corporate_number: str | None = None
    corporate_address: str | None = None
    representative: str | None = None
    postal_code: str | None = None
    prefecture_code: str | None = None
    municipality_name: str | None = None
    address_rest: str | None = None
    building: str | None = None

    @property
    def address(self) -> str | None:
        """Of the office, in one line."""
        prefecture = name_of(self.prefecture_code) if self.prefecture_code else None
        parts = (prefecture, self.municipality_name, self.address_rest, self.building)
        return "".join(filter(None, parts)) or None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provision:
    """A record, the same for giver and receiver. Members are named as the columns."""

    id: UUID
    handover_id: HandoverId
    version: int
    person_id: PersonId
    stream: Stream
    giver: Party
    receiver: Party
    same_corporation: bool
    provided_at: datetime
    provided_on: date
    means: Means
    ground: Ground
    sections: Sequence[str]
    consent_ids: Sequence[ConsentId]
    acquisition: Acquisition
    withheld_from_person: str | None
    entry_id: UUID
    retain_until: date

    def role_of(self, organization_id: OrganizationId) -> Role:
        """What the record is to an organization that may see it."""
        if organization_id == self.giver.id:
            return "giver"
        return "receiver" if organization_id == self.receiver.id else "auditor"

    @property
    def statutory(self) -> bool:
        """Whether articles 29 and 30 ask for it: not within one corporation, which is no third party, nor where the
        law allows to give without consent (art. 29 par. 1 proviso), nor between public bodies and others."""
        public = {self.giver.kind, self.receiver.kind} & PUBLIC_BODIES
        return self.ground == "consent" and not self.same_corporation and not public

    @property
    def unknown(self) -> list[str]:
        """What the articles ask for and the directory did not know on that day."""
        asked = {
            f"/{side}/{name}": value
            for side, party in (("giver", self.giver), ("receiver", self.receiver))
            for name, value in (
                ("address", party.corporate_address or party.address),
                ("representative", party.representative),
            )
        }
        return [place for place, value in asked.items() if value is None] if self.statutory else []
