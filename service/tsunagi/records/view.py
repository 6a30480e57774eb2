"""What the service reads of a record that has passed its schema. Everything else is carried, not looked at."""

from datetime import date
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from tsunagi.responsibility.rules import Basis, Domain, Role, SenderRoleAfter


class View(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel)


class DomainOffer(View):
    domain: Domain
    receiver_role: Role
    starts_on: date | None = Field(default=None, alias="from")
    sender_role_after: SenderRoleAfter
    sender_primary_since: date | None = None
    basis: Basis | None = None


class Assessment(View):
    """That there is one is all the service looks at."""


class Period(View):
    starts_on: date | None = Field(default=None, alias="from")
    ends_on: date | None = Field(default=None, alias="to")


class Certificate(View):
    municipality_code: str
    number: str
    starts_on: date | None = Field(default=None, alias="from")
    ends_on: date | None = Field(default=None, alias="to")


class Identity(View):
    family_name_kana: str
    given_name_kana: str
    birth_date: date
    certificate: Certificate | None = None


class Episode(View):
    corporate_number: str | None = None
    hired_on: date
    ended_on: date | None = None


class Employment(View):
    episodes: tuple[Episode, ...] = ()


class SinglePointOfContact(View):
    organization_id: UUID | None = None
    organization_name: str | None = None


class EmployerContacts(View):
    single_point_of_contact: SinglePointOfContact | None = None


class PlanItem(View):
    period: Period | None = None


class SupportPlan(View):
    items: tuple[PlanItem, ...] = ()


class UsedService(View):
    office_number: str | None = None


class SupportHistory(View):
    services: tuple[UsedService, ...] = ()


class ContinuingNeeds(View):
    determination: str
    shared_on: date | None = None


class CaseConference(View):
    held_on: date


class Overlap(View):
    starts_on: date = Field(alias="from")
    ends_on: date = Field(alias="to")


class HandoverPlan(View):
    case_conferences: tuple[CaseConference, ...] = ()
    overlap: Overlap | None = None
    follow_up_until: date | None = None


class Sections(View):
    identity: Identity
    assessment: Assessment | None = Field(default=None, alias="assessment")
    employment: Employment | None = Field(default=None, alias="employment")
    employer_contacts: EmployerContacts | None = Field(default=None, alias="employer_contacts")
    support_plan: SupportPlan | None = Field(default=None, alias="support_plan")
    support_history: SupportHistory | None = Field(default=None, alias="support_history")
    continuing_needs: ContinuingNeeds | None = Field(default=None, alias="continuing_needs")
    handover_plan: HandoverPlan = Field(alias="handover_plan")


class RecordView(View):
    schema_version: str
    handover_type: str
    person_id: UUID | None = None
    receiver_id: UUID
    planned_date: date
    service_ends_on: date | None = None
    area_code: str | None = None
    domains: tuple[DomainOffer, ...]
    sections: Sections

    def starts_on(self, offer: DomainOffer) -> date:
        """The day from which the receiver is asked to take the domain."""
        return offer.starts_on or self.planned_date

    @property
    def hired_on(self) -> date | None:
        """The first day of the job that goes on, or of the newest one."""
        episodes = self.sections.employment.episodes if self.sections.employment else ()
        current = [episode.hired_on for episode in episodes if episode.ended_on is None]
        return max(current or [episode.hired_on for episode in episodes], default=None)

    @property
    def shared_on(self) -> date | None:
        """When the information was shared with those who go on (domain rule of the three months)."""
        needs = self.sections.continuing_needs
        return needs.shared_on if needs else None

    @property
    def first_conference_on(self) -> date | None:
        return min((one.held_on for one in self.sections.handover_plan.case_conferences), default=None)

    @property
    def employer_window(self) -> bool:
        """Whether the employer has been named one organization to call (窓口の一本化)."""
        contacts = self.sections.employer_contacts
        return contacts is not None and contacts.single_point_of_contact is not None

    @property
    def employer_window_id(self) -> UUID | None:
        contacts = self.sections.employer_contacts
        window = contacts.single_point_of_contact if contacts else None
        return window.organization_id if window else None

    @property
    def needs_employer_window(self) -> bool:
        episodes = self.sections.employment.episodes if self.sections.employment else ()
        return any(episode.ended_on is None for episode in episodes)

    @property
    def continuing_need(self) -> bool | None:
        """Whether the person is an 要継続支援利用者, for whom sharing three months before the end is due; None while
        nobody has judged that."""
        needs = self.sections.continuing_needs
        return {"needed": True, "not_needed": False}.get(needs.determination) if needs else None
