"""Every request that names something: how it is made, and about what it asks."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.isolation.bodies import ENDS, NEVER_HELD, visited
from tests.isolation.marks import mark
from tests.isolation.oracle import audits, knows, reads, related
from tests.isolation.realm import ONWARD, Realm, Target, Voice, answers, identity_of, reason
from tests.world import consent_for

Request = tuple[str, str, Any, dict[str, str]]
"""Method, path, body, headers."""

NOBODY = 4444
"""The number of somebody whom no organization knows."""


@dataclass(frozen=True)
class Asked:
    """What a request names: something of somebody's, or nothing that exists."""

    realm: Realm
    voice: Voice
    handover_id: str
    person_id: str
    consent_id: str
    number: int
    key: str
    provider: str
    webhook_id: str
    delivery_id: str
    activity_id: str = ""

    @property
    def taker(self) -> Any:
        """Some other organization, for bodies that must name one."""
        return self.realm.voices["receiver" if self.voice.role != "receiver" else "sender"].id

    @property
    def handover(self) -> str:
        return f"/v1/handovers/{self.handover_id}"

    @property
    def person(self) -> str:
        return f"/v1/people/{self.person_id}"

    @property
    def webhook(self) -> str:
        return f"/v1/webhooks/{self.webhook_id}"


@dataclass(frozen=True)
class Question:
    """One way of making an operation's request. `about`: what decides whether the answer may say anything."""

    operation: str
    about: str
    request: Callable[[Asked], Request]


def existing(realm: Realm, voice: Voice, target: Target) -> Asked:
    number = target.number if target.number != ONWARD else 110  # the same person
    return Asked(
        realm,
        voice,
        target.handover_id,
        target.person_id,
        target.consent_id,
        number,
        target.key,
        str(realm.voices[target.owner].id),
        *realm.webhooks[target.owner],
        realm.activities.get(target.number, target.consent_id),
    )


def absent(realm: Realm, voice: Voice) -> Asked:
    """Ids that nothing has, and a person whom nobody knows."""
    ids = [str(uuid4()) for _ in range(8)]
    return Asked(realm, voice, *ids[:3], NOBODY, *ids[3:])


def _get(path: Callable[[Asked], str], **headers: str) -> Callable[[Asked], Request]:
    return lambda asked: ("GET", path(asked), None, headers)


def _step(action: str, body: Any = None, **headers: str) -> Callable[[Asked], Request]:
    return lambda asked: ("POST", f"{asked.handover}/{action}", body, headers)


def _put(query: str, match: str) -> Callable[[Asked], Request]:
    return lambda asked: (
        "PUT",
        asked.handover + query,
        asked.realm.record_of(NOBODY, asked.taker),
        {"If-Match": match},
    )


def _post(query: str, *, key: bool = False, known: bool = True) -> Callable[[Asked], Request]:
    def request(asked: Asked) -> Request:
        named = {"personId": asked.person_id} if known else {}
        record = asked.realm.record_of(NOBODY, asked.taker, **named)
        return "POST", f"/v1/handovers{query}", record, {"Idempotency-Key": asked.key} if key else {}

    return request


def _say(path: str, body: Any) -> Callable[[Asked], Request]:
    return lambda asked: ("POST", f"{asked.person}/responsibility/{path}", body, {})


def _webhook(action: str) -> Callable[[Asked], Request]:
    return lambda asked: ("POST", f"{asked.webhook}/{action}", None, {})


def _register(asked: Asked, number: int, **members: Any) -> Request:
    record = asked.realm.record_of(number, asked.taker)
    return "POST", "/v1/people", {"identity": record["sections"]["identity"], **members}, {}


def _match(asked: Asked, by: str) -> Request:
    identity = asked.realm.record_of(asked.number, asked.taker)["sections"]["identity"]
    names = ("familyNameKana", "givenNameKana", "birthDate")
    body = {
        "kana": {name: identity[name] for name in names},
        "certificate": identity_of(asked.number)["certificate"],
    }
    return "POST", "/v1/people/match", {by: body[by]}, {}


def cursor(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def sent_in(request: Request) -> str:
    """Everything that a request says."""
    return json.dumps(request)


QUESTIONS: dict[str, Question] = {
    "read": Question("getHandover", "handover", _get(lambda asked: asked.handover)),
    "read unless seen": Question(
        "getHandover", "handover", _get(lambda asked: asked.handover, **{"If-None-Match": "*"})
    ),
    "print": Question(
        "getHandover", "handover", _get(lambda asked: asked.handover, Accept="application/pdf")
    ),
    "read version 1": Question("getHandoverVersion", "handover", _get(lambda a: f"{a.handover}/versions/1")),
    "read version 2": Question("getHandoverVersion", "handover", _get(lambda a: f"{a.handover}/versions/2")),
    "receipt": Question("getReceipt", "handover", _get(lambda asked: f"{asked.handover}/receipt")),
    "entries about it": Question(
        "listLedgerEntries",
        "seen from above",
        _get(lambda asked: f"/v1/ledger/entries?handoverId={asked.handover_id}"),
    ),
    "handovers of the person": Question(
        "listHandovers", "content", _get(lambda asked: f"/v1/handovers?personId={asked.person_id}")
    ),
    "entries about them": Question(
        "listLedgerEntries",
        "oversight",
        _get(lambda asked: f"/v1/ledger/entries?personId={asked.person_id}"),
    ),
    "amend": Question("amendHandover", "handover", _put("", "*")),
    "amend what was seen": Question("amendHandover", "handover", _put("", '"1.1-000000000000"')),
    "amend, to try": Question("amendHandover", "handover", _put("?dryRun=true", "*")),
    "offer": Question("offerHandover", "handover", _step("offer")),
    "open": Question("openHandover", "handover", _step("open")),
    "withdraw": Question("withdrawHandover", "handover", _step("withdraw", reason("withdraw", 0))),
    "receive": Question("receiveHandover", "handover", _step("receive")),
    "accept": Question("acceptHandover", "handover", _step("accept", answers(0))),
    "foresee acceptance": Question("acceptHandover", "handover", _step("accept?dryRun=true", answers(0))),
    "accept what was seen": Question(
        "acceptHandover", "handover", _step("accept", answers(0), **{"If-Match": '"1.1-000000000000"'})
    ),
    "assign": Question(
        "assignHandover",
        "handover",
        lambda asked: ("PUT", f"{asked.handover}/assignee", {"assignee": mark(0, "sender_assignee")}, {}),
    ),
    "assign to nobody": Question(
        "assignHandover",
        "handover",
        lambda asked: ("PUT", f"{asked.handover}/assignee", {"assignee": None}, {}),
    ),
    "decline": Question("declineHandover", "handover", _step("decline", reason("decline", 0))),
    "return": Question("returnHandover", "handover", _step("return", reason("return", 0))),
    "activities": Question("listActivities", "handover", _get(lambda asked: f"{asked.handover}/activities")),
    "record together": Question("recordActivity", "handover", _step("activities", visited("x"))),
    "take back": Question(
        "withdrawActivity",
        "handover",
        lambda asked: ("POST", f"{asked.handover}/activities/{asked.activity_id}/withdraw", None, {}),
    ),
    "who holds": Question("getResponsibility", "oversight", _get(lambda a: f"{a.person}/responsibility")),
    "who held, as known": Question(
        "getResponsibility",
        "oversight",
        _get(lambda a: f"{a.person}/responsibility?asOf=2020-01-01&knownAt=2026-11-01T00:00:00Z"),
    ),
    "what needs attention": Question(
        "listFindings", "oversight", _get(lambda asked: f"/v1/findings?personId={asked.person_id}")
    ),
    "what changed": Question(
        "getResponsibilityChanges", "oversight", _get(lambda asked: f"{asked.person}/responsibility/changes")
    ),
    "what changed until": Question(
        "getResponsibilityChanges",
        "oversight",
        _get(
            lambda a: f"{a.person}/responsibility/changes?from=2020-01-01T00:00:00Z&to=2026-11-01T00:00:00Z"
        ),
    ),
    "correct": Question("correctResponsibility", "person", _say("corrections", NEVER_HELD)),
    "correct, to try": Question(
        "correctResponsibility", "person", _say("corrections?dryRun=true", NEVER_HELD)
    ),
    "end": Question("endResponsibility", "person", _say("end", ENDS)),
    "disclosures": Question(
        "listDisclosures", "oversight", _get(lambda asked: f"{asked.person}/disclosures?limit=200")
    ),
    "disclosures behind": Question(
        "listDisclosures",
        "oversight",
        _get(lambda asked: f"{asked.person}/disclosures?cursor={cursor(1000)}"),
    ),
    "report": Question("getPersonReport", "person", _get(lambda asked: f"{asked.person}/report")),
    "printed report": Question(
        "getPersonReport",
        "person",
        _get(lambda asked: f"{asked.person}/report?ruby=true", Accept="application/pdf"),
    ),
    "milestones": Question("getMilestones", "oversight", _get(lambda asked: f"{asked.person}/milestones")),
    "consent": Question(
        "createConsent",
        "person",
        lambda asked: ("POST", "/v1/consents", consent_for(asked.person_id, asked.taker), {}),
    ),
    "read consent": Question("getConsent", "consent", _get(lambda asked: f"/v1/consents/{asked.consent_id}")),
    "list consents": Question("listConsents", "person", _get(lambda asked: f"{asked.person}/consents")),
    "withdraw consent": Question(
        "withdrawConsent",
        "giver",
        lambda asked: (
            "POST",
            f"/v1/consents/{asked.consent_id}/withdraw",
            {"withdrawnBy": {"kind": "person"}},
            {},
        ),
    ),
    "draft": Question("createHandover", "person", _post("")),
    "draft, to try": Question("createHandover", "person", _post("?dryRun=true")),
    "draft under a key of the other's": Question(
        "createHandover", "nothing", _post("", key=True, known=False)
    ),
    "register": Question("registerPerson", "person", lambda asked: _register(asked, asked.number)),
    "register as distinct": Question(
        "registerPerson", "nothing", lambda asked: _register(asked, NOBODY, distinctFrom=[asked.person_id])
    ),
    "adopt a guideline": Question(
        "adoptSharingGuideline",
        "nothing",
        lambda _: (
            "POST",
            "/v1/sharing-guidelines",
            {
                "title": "x",
                "documentHash": "ab" * 32,
                "officer": {"name": "x", "role": "x"},
                "effectiveFrom": "2026-01-01",
            },
            {},
        ),
    ),
    "another's guidelines": Question(
        "listSharingGuidelines",
        "provider",
        _get(lambda asked: f"/v1/sharing-guidelines?organizationId={asked.provider}"),
    ),
    "another's evidence": Question(
        "getFeeReductionEvidence",
        "provider",
        _get(
            lambda asked: (
                f"/v1/fee-reduction-evidence?from=2026-01-01&to=2030-01-01&organizationId={asked.provider}"
            )
        ),
    ),
    "read webhook": Question("getWebhook", "webhook", _get(lambda asked: asked.webhook)),
    "remove webhook": Question("deleteWebhook", "webhook", lambda asked: ("DELETE", asked.webhook, None, {})),
    "pause webhook": Question("pauseWebhook", "webhook", _webhook("pause")),
    "resume webhook": Question("resumeWebhook", "webhook", _webhook("resume")),
    "change webhook's secret": Question("rotateWebhookSecret", "webhook", _webhook("rotate")),
    "try webhook": Question("testWebhook", "webhook", _webhook("test")),
    "deliveries": Question(
        "listWebhookDeliveries", "webhook", _get(lambda asked: f"{asked.webhook}/deliveries")
    ),
    "send again": Question(
        "resendWebhookDelivery",
        "webhook",
        lambda asked: ("POST", f"{asked.webhook}/deliveries/{asked.delivery_id}/resend", None, {}),
    ),
    "send again to one's own": Question(
        "resendWebhookDelivery",
        "webhook",
        lambda asked: (
            "POST",
            f"/v1/webhooks/{asked.realm.webhooks[asked.voice.role][0]}/deliveries/{asked.delivery_id}/resend",
            None,
            {},
        ),
    ),
    "add webhook": Question(
        "createWebhook",
        "nothing",
        lambda _: ("POST", "/v1/webhooks", {"url": "https://software.example/"}, {}),
    ),
    "match by kana": Question("matchPerson", "person", lambda asked: _match(asked, "kana")),
    "match by certificate": Question("matchPerson", "person", lambda asked: _match(asked, "certificate")),
}


def may_tell(question: str, role: str, target: Target, realm: Realm) -> bool:
    """Whether the answer may differ from that for something that does not exist."""
    match QUESTIONS[question].about:
        case "handover":
            return knows(role, target)
        case "content":
            return any(reads(role, one) for one in realm.targets if one.person_id == target.person_id)
        case "person":
            return related(role, target.person_id, realm)
        case "oversight":
            of_person = [one for one in realm.targets if one.person_id == target.person_id]
            return related(role, target.person_id, realm) or any(audits(role, one) for one in of_person)
        case "seen from above":
            return knows(role, target) or audits(role, target)
        case "consent":
            named = role in (target.owner, target.receiver)
            return named and related(role, target.person_id, realm)
        case "giver" | "webhook":
            return role == target.owner
        case "provider":
            of_provider = [one for one in realm.targets if target.owner in (one.owner, one.receiver)]
            return role == target.owner or any(audits(role, one) for one in of_provider)
    return False
