"""The operations under /v1/people and /v1/consents."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from tsunagi_client._operations import Driver, Group, content, document, listing, operation
from tsunagi_client._session import Ask
from tsunagi_client.codes import Section
from tsunagi_client.consent_models import Consent, ConsentList, Giver
from tsunagi_client.handovers import Day, Id, new_key
from tsunagi_client.models import (
    MilestoneList,
    Person,
    PersonCandidate,
    Responsibility,
)
from tsunagi_client.report_models import Disclosure, PersonReport


class People(Group[Driver]):
    @operation("registerPerson", "POST", "/v1/people")
    def register(
        self,
        identity: Mapping[str, Any],
        *,
        distinct_from: Sequence[Id] = (),
        idempotency_key: str | None = None,
    ) -> Ask[Person]:
        """The person is registered, and this organization in relation with them. `identity` is a document of
        the schema `identity.json`.

        Raises PersonAlreadyKnown with the id of somebody just like this. When a human has found that they are
        two people, name that id in `distinct_from`.
        """
        body: dict[str, object] = {"identity": identity}
        if distinct_from:
            body["distinctFrom"] = [str(one) for one in distinct_from]
        return Ask(document, body=body, headers=new_key(idempotency_key))

    @operation("matchPerson", "POST", "/v1/people/match")
    def match_by_name(
        self, family_name_kana: str, given_name_kana: str, birth_date: Day
    ) -> Ask[PersonCandidate]:
        """The one person of these names that this organization is in relation with.

        Raises NotFound, MatchAmbiguous, RateLimited. Calls are logged.
        """
        kana = {
            "familyNameKana": family_name_kana,
            "givenNameKana": given_name_kana,
            "birthDate": birth_date,
        }
        return Ask(document, body={"kana": kana})

    @operation("matchPerson", "POST", "/v1/people/match")
    def match_by_certificate(self, municipality_code: str, number: str) -> Ask[PersonCandidate]:
        """The person with this recipient certificate that this organization is in relation with.

        Raises NotFound, MatchAmbiguous, RateLimited. Calls are logged.
        """
        certificate = {"municipalityCode": municipality_code, "number": number}
        return Ask(document, body={"certificate": certificate})

    @operation("getResponsibility", "GET", "/v1/people/{personId}/responsibility")
    def responsibility(
        self, person_id: Id, *, as_of: Day | None = None, known_at: str | datetime | None = None
    ) -> Ask[Responsibility]:
        """Who is responsible on the day `as_of` (today), as it was known at `known_at` (now)."""
        return Ask(document, path={"personId": person_id}, query={"asOf": as_of, "knownAt": known_at})

    @operation("getMilestones", "GET", "/v1/people/{personId}/milestones")
    def milestones(self, person_id: Id, *, known_at: str | datetime | None = None) -> Ask[MilestoneList]:
        """What is due for this person, in order of dates, as it was known at `known_at` (now)."""
        return Ask(document, path={"personId": person_id}, query={"knownAt": known_at})

    @operation("listConsents", "GET", "/v1/people/{personId}/consents")
    def consents(self, person_id: Id) -> Ask[ConsentList]:
        """The consents that this organization has recorded of the person, the newest first."""
        return Ask(document, path={"personId": person_id})

    @listing("listDisclosures", "/v1/people/{personId}/disclosures")
    def disclosures(self, person_id: Id, *, page_size: int | None = None) -> Ask[Disclosure]:
        """Who received which sections of the person's, the newest first, and who was refused."""
        return Ask(document, path={"personId": person_id}, query={"limit": page_size})

    @operation("getPersonReport", "GET", "/v1/people/{personId}/report")
    def report(self, person_id: Id, *, language: Literal["ja", "en"] | None = None) -> Ask[PersonReport]:
        """The report to the person, in plain words. That it was made is on the ledger."""
        return Ask(document, path={"personId": person_id}, query={"language": language})

    @operation("getPersonReport", "GET", "/v1/people/{personId}/report")
    def printed_report(
        self, person_id: Id, *, language: Literal["ja", "en"] | None = None, ruby: bool = False
    ) -> Ask[bytes]:
        """The same as a PDF in large type; `ruby`: with furigana. Raises DocumentTooLong."""
        return Ask(
            content,
            path={"personId": person_id},
            query={"language": language, "ruby": "true" if ruby else None},
            headers={"accept": "application/pdf, application/problem+json"},
        )


class Consents(Group[Driver]):
    @operation("createConsent", "POST", "/v1/consents")
    def create(self, consent: Mapping[str, Any], *, idempotency_key: str | None = None) -> Ask[Consent]:
        """The consent, a document of the schema `consent.json`, is recorded and holds during its period."""
        return Ask(document, body=consent, headers=new_key(idempotency_key))

    @operation("getConsent", "GET", "/v1/consents/{consentId}")
    def get(self, consent_id: Id) -> Ask[Consent]:
        """The consent and what it is worth now, for its giver and for the recipients who have received a handover
        of the person."""
        return Ask(document, path={"consentId": consent_id})

    @operation("withdrawConsent", "POST", "/v1/consents/{consentId}/withdraw")
    def withdraw(
        self,
        consent_id: Id,
        withdrawn_by: Giver,
        *,
        reason: str | None = None,
        sections: Sequence[Section] | None = None,
    ) -> Ask[Consent]:
        """From now on the recipients do not see these sections; all of them, where none are named."""
        body: dict[str, object] = {"withdrawnBy": withdrawn_by}
        if reason is not None:
            body["reason"] = reason
        if sections is not None:
            body["sections"] = sections
        return Ask(document, path={"consentId": consent_id}, body=body)
