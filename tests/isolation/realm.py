"""Eight organizations, each of which hands people over to the next one: one handover for each state it can be in."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2

from tests.isolation.bodies import visited
from tests.isolation.marks import SECTIONS, mark, numbered, part_of_record, planted
from tests.world import consent_for, settlement_record
from tsunagi.api.edge import Services
from tsunagi.auth.rules import Caller, Scope, Staff
from tsunagi.db import fetch
from tsunagi.directory import actions as directory_actions
from tsunagi.directory import store as directory
from tsunagi.directory.rules import Area, CorporateBody, OrganizationProfile
from tsunagi.ids import ClientId, OrganizationId

AREA, OTHER_AREA = "12-91", "12-92"
TODAY, EARLIER = date(2026, 11, 20), date(2026, 10, 5)
CAST = ("sender", "receiver", "later", "unrelated", "auditor", "other_auditor", "closed", "sibling")
"""Each hands over to the next, the last to the first."""

OFFERED = ("consent", "offer")
READ = (*OFFERED, "read")
STATES: dict[str, tuple[str, ...]] = {
    "draft": ("consent",),
    "dropped": ("consent", "withdraw"),
    "notice": OFFERED,
    "offered": OFFERED,
    "received": READ,
    "reconsented": (*READ, "withdraw_consent"),
    "returned": (*READ, "return"),
    "amended": (*READ, "return", "amend"),
    "accepted": (*READ, "accept"),
    "overlapping": (*READ, "accept"),
    "completed": (*READ, "accept"),
    "declined": (*READ, "decline"),
    "withdrawn": (*READ, "withdraw"),
    "expired": (*OFFERED, "look"),
    "overdue": OFFERED,
}
"""What has happened to a handover, by the state it is in. Of the ten states some come twice: a draft that was dropped;
an offer that can be read or only announced, and one that has expired before the clock came by; a record whose consent
was partly withdrawn, or that has a version which is not on offer."""

STATUS = {
    "dropped": "withdrawn",
    "notice": "offered",
    "reconsented": "received",
    "amended": "returned",
    "overdue": "offered",
}
PLANNED = {
    "notice": date(2027, 8, 1),
    "overlapping": date(2027, 1, 15),
    "completed": TODAY,
    "expired": date(2026, 11, 15),
    "overdue": date(2026, 11, 15),
}
AMENDED = 5000
"""Added to the number of a record's second version."""
ONWARD = 9000
"""Of the handover by which the receiver passes the sender's person on."""
KANA = "アイウエオカキクケコ"


@dataclass
class Voice:
    """One organization, as its software speaks for it; the id and the name of the staff member are marks, too."""

    role: str
    id: OrganizationId
    http: httpx2.AsyncClient
    services: Services
    _token: tuple[datetime, str] | None = None

    async def send(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> httpx2.Response:
        sent = {"Authorization": f"Bearer {self.token()}", "Accept-Language": "en"} | (headers or {})
        if method == "POST":
            sent.setdefault("Idempotency-Key", str(uuid4()))
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        if content is not None:
            sent["Content-Type"] = "application/json"
        return await self.http.request(method, path, content=content, headers=sent)

    def token(self) -> str:
        now = datetime.now(UTC)
        if self._token is None or now - self._token[0] > timedelta(seconds=200):
            number = CAST.index(self.role)
            staff = Staff(mark(number, "staff"), mark(number, "staff_name"))
            caller = Caller(self.id, ClientId("test-software"), frozenset(Scope), staff)
            self._token = now, self.services.tokens.issue(caller, now, jkt=None)
        return self._token[1]


@dataclass(frozen=True)
class Target:
    """A handover, and what belongs to it."""

    number: int
    state: str
    owner: str
    receiver: str
    handover_id: str
    person_id: str
    consent_id: str
    key: str
    """The idempotency key that it was posted with."""

    @property
    def ids(self) -> frozenset[str]:
        return frozenset((self.handover_id, self.person_id, self.consent_id))


@dataclass
class Realm:
    services: Services
    http: httpx2.AsyncClient
    record: str = ""
    consent: str = ""
    voices: dict[str, Voice] = field(default_factory=dict)
    targets: list[Target] = field(default_factory=list)
    webhooks: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Of each organization one, and a delivery to it."""
    activities: dict[int, str] = field(default_factory=dict)
    """What the sender recorded of each handover that was offered, by its number."""

    def others(self, role: str) -> Iterator[Voice]:
        return (voice for name, voice in self.voices.items() if name != role)

    @contextmanager
    def on(self, day: date) -> Iterator[None]:
        self.services.clock.move_to_date(day)
        yield
        self.services.clock.move_to_date(TODAY)

    def record_of(
        self, number: int, receiver: OrganizationId, *, planned: date = date(2027, 4, 1), **changes: Any
    ) -> dict[str, Any]:
        """A record full of marks, of somebody whom no other number means."""
        record = numbered(self.record, number % AMENDED + (number // AMENDED) * AMENDED)
        record |= {
            "receiverId": str(receiver),
            "plannedDate": planned.isoformat(),
            "serviceEndsOn": (planned - timedelta(days=1)).isoformat(),
        }
        record["sections"]["identity"] |= identity_of(number % AMENDED)
        record["domains"][2].pop("senderPrimarySince", None)  # nobody's until the handover: a finding
        overlap = {"from": (planned - timedelta(days=90)).isoformat(), "to": planned.isoformat()}
        record["sections"]["handover_plan"]["overlap"] = overlap
        return record | changes

    def consent_of(
        self, number: int, person_id: str, *recipients: OrganizationId, **changes: Any
    ) -> dict[str, Any]:
        consented = [name for name in SECTIONS if name != "medical"]
        return (
            numbered(self.consent, number)
            | {
                "personId": person_id,
                "recipientIds": [str(one) for one in recipients],
                "sections": consented,
            }
            | changes
        )


def identity_of(number: int) -> dict[str, Any]:
    return {
        "givenNameKana": "".join(KANA[int(digit)] for digit in f"{number:04}"),
        "certificate": {"municipalityCode": "13199", "number": f"{number:010}"},
    }


async def build(services: Services, http: httpx2.AsyncClient, *, states: dict[str, Iterable[str]]) -> Realm:
    """`states`: for each organization, which states its handovers are in."""
    realm = Realm(services, http)
    valid = services.contract.validator
    record = settlement_record(OrganizationId(uuid4())) | {"extensions": {"vendor.example": {"note": "x"}}}
    realm.record = planted(
        record, valid(services.contract.operations["createHandover"].body or "").is_valid, part_of_record
    )
    consent = consent_for(str(uuid4()), OrganizationId(uuid4()))
    realm.consent = planted(
        consent, valid(services.contract.operations["createConsent"].body or "").is_valid, lambda _: "consent"
    )
    await _organizations(realm)
    for index, owner in enumerate(CAST):
        for state in states.get(owner, ()):
            number = 100 * (index + 1) + list(STATES).index(state)
            realm.targets.append(await _target(realm, owner, CAST[(index + 1) % len(CAST)], state, number))
    passed_on = [one for one in realm.targets if (one.owner, one.state) == ("sender", "completed")]
    for one in passed_on:
        realm.targets.append(await _passed_on(realm, one))
    for voice in realm.voices.values():  # events have a place in a feed once it has been read
        await done(voice.send("GET", "/v1/events"))
        realm.webhooks[voice.role] = await _webhook(voice)
    async with services.db.platform() as tx:
        found = await fetch(tx, "SELECT CAST(id AS text) AS id, status FROM handovers")
        reached = {row["id"]: row["status"] for row in found}
        assert all(reached[one.handover_id] == STATUS.get(one.state, one.state) for one in realm.targets)
        await directory_actions.close_organization(
            tx, realm.voices["closed"].id, on=TODAY, at=services.clock.now()
        )
    return realm


async def _organizations(realm: Realm) -> None:
    services = realm.services
    services.clock.move_to_date(EARLIER)
    body = CorporateBody("社会福祉法人 架空会", "5999900000004", None)
    kinds: dict[str, Any] = {
        "sender": {"kind": "settlement", "serves": (AREA,), "corporate_body": body},
        "auditor": {"kind": "prefecture", "remit": (AREA,)},
        "other_auditor": {"kind": "prefecture", "remit": (OTHER_AREA,)},
        "sibling": {"kind": "center", "serves": (AREA,), "corporate_body": body},
    }
    async with services.db.platform() as tx:
        for code in (AREA, OTHER_AREA):
            await directory.add_area(tx, Area(code, f"架空圏域 {code}", "12"))
        for role in CAST:
            members = kinds.get(role, {"kind": "center", "serves": (AREA,)})
            profile = OrganizationProfile(name=f"{role}（架空）", **members)
            found = await directory.add_organization(tx, profile, at=services.clock.now())
            realm.voices[role] = Voice(role, found, realm.http, services)


async def _target(realm: Realm, owner: str, receiver: str, state: str, number: int) -> Target:
    sender, taker = realm.voices[owner], realm.voices[receiver]
    key = f"key-{number}"
    early = state in ("expired", "overdue")
    with realm.on(EARLIER if early else TODAY):
        planned = PLANNED.get(state, date(2027, 4, 1))
        record = realm.record_of(number, taker.id, planned=planned)
        drafted = await done(sender.send("POST", "/v1/handovers", record, {"Idempotency-Key": key}))
        await _assign(sender, drafted["id"], mark(number, "sender_assignee"))
        third = realm.voices[CAST[(CAST.index(owner) + 4) % len(CAST)]]
        consent = realm.consent_of(number, drafted["personId"], taker.id, third.id)
        consented = await done(sender.send("POST", "/v1/consents", consent))
        ended = consent | {"sections": ["medical"], "from": "2025-01-01", "to": "2026-01-01"}
        await done(sender.send("POST", "/v1/consents", ended))
        another = consent | {"sections": ["medical"], "recipientIds": [str(third.id)]}
        await done(sender.send("POST", "/v1/consents", another))
        target = Target(
            number, state, owner, receiver, drafted["id"], drafted["personId"], consented["id"], key
        )
        for step in STATES[state][1:]:
            if step != "look":
                await _step(realm, target, step)
    if "look" in STATES[state]:
        await _step(realm, target, "look")
    return target


async def _webhook(voice: Voice) -> tuple[str, str]:
    url = f"https://software.example/{mark(CAST.index(voice.role), 'webhook')}"
    added = await done(voice.send("POST", "/v1/webhooks", {"url": url}))
    sent = await done(voice.send("POST", f"/v1/webhooks/{added['id']}/test"))
    return added["id"], sent["id"]


async def _step(realm: Realm, target: Target, step: str) -> None:
    sender, taker = realm.voices[target.owner], realm.voices[target.receiver]
    path = f"/v1/handovers/{target.handover_id}"
    match step:
        case "offer":
            await done(sender.send("POST", f"{path}/offer"))
            if target.state != "completed":  # there only the sender's could be shown
                await _assign(taker, target.handover_id, mark(target.number, "receiver_assignee"))
            visit = visited(mark(target.number, "together"))
            recorded = await done(sender.send("POST", f"{path}/activities", visit))
            realm.activities[target.number] = recorded["id"]
        case "look" | "read":
            await done((sender if step == "look" else taker).send("GET", path))
            if step == "read":
                noted = visited(mark(target.number, "noted"))
                await done(taker.send("POST", f"{path}/activities", noted))
        case "accept":
            await done(taker.send("POST", f"{path}/accept", answers(target.number)))
        case "amend":
            record = realm.record_of(target.number + AMENDED, taker.id)
            await done(sender.send("PUT", path, record, {"If-Match": "*"}))
        case "withdraw_consent":
            body = {
                "sections": ["disability"],
                "withdrawnBy": {"kind": "person"},
                "reason": mark(target.number, "withdrawal"),
            }
            await done(sender.send("POST", f"/v1/consents/{target.consent_id}/withdraw", body))
        case _:
            who = sender if step == "withdraw" else taker
            await done(who.send("POST", f"{path}/{step}", reason(step, target.number)))


async def _assign(voice: Voice, handover_id: str, assignee: str) -> None:
    await done(voice.send("PUT", f"/v1/handovers/{handover_id}/assignee", {"assignee": assignee}))


async def _passed_on(realm: Realm, target: Target) -> Target:
    """The receiver, who is primary from today on, hands the person over to the next organization, which reads it."""
    sender, taker = realm.voices[target.receiver], realm.voices["later"]
    record = realm.record_of(target.number, taker.id, planned=date(2028, 4, 1), personId=target.person_id)
    taken = [one for one in record["domains"] if one["domain"] != "employer_liaison"]
    record["domains"] = [{k: v for k, v in one.items() if k != "senderPrimarySince"} for one in taken]
    record = json.loads(
        json.dumps(record, ensure_ascii=False).replace(f"ZQ{target.number:04}", f"ZQ{ONWARD}")
    )
    drafted = await done(sender.send("POST", "/v1/handovers", record))
    consented = await done(
        sender.send("POST", "/v1/consents", realm.consent_of(ONWARD, target.person_id, taker.id))
    )
    path = f"/v1/handovers/{drafted['id']}"
    for action in ("offer", "open"):
        await done(sender.send("POST", f"{path}/{action}"))
    await done(taker.send("GET", path))
    return Target(
        ONWARD, "received", target.receiver, "later", drafted["id"], target.person_id, consented["id"], "none"
    )


def reason(action: str, number: int) -> dict[str, Any]:
    codes = {"withdraw": "plan_changed", "decline": "capacity", "return": "more_information"}
    return {"reason": {"code": codes[action], "text": mark(number, "reason")}}


def answers(number: int) -> dict[str, Any]:
    told = mark(number, "answer")
    refused = {
        "domain": "employer_liaison",
        "decision": "decline",
        "reason": {"code": "capacity", "text": told},
    }
    taken = [{"domain": domain, "decision": "accept"} for domain in ("employment", "daily_life")]
    return {"domains": [*taken, refused], "personInCharge": {"name": told, "role": told}}


async def done(sending: Any) -> dict[str, Any]:
    answer = await sending
    assert answer.status_code < 300, answer.text
    found: dict[str, Any] = answer.json()
    return found
