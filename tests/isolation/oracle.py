"""Who may see what, stated apart from the service: by the state of a handover and nothing else."""

from collections.abc import Iterable

from tests.isolation.marks import SECTIONS
from tests.isolation.realm import AMENDED, CAST, STATES, Realm, Target

UNOFFERED = frozenset({"draft", "dropped"})
READABLE = frozenset(
    {"offered", "received", "reconsented", "returned", "amended", "accepted", "overlapping", "completed"}
)
RELATED = READABLE - {"offered"}
READ = RELATED | {"declined", "withdrawn"}
WITHHELD = frozenset({"medical", "family"})
OVERSIGHT = frozenset(
    {
        "getResponsibility",
        "getResponsibilityChanges",
        "getAreaResponsibility",
        "listResponsibilityChanges",
        "getMilestones",
        "listFindings",
        "listDisclosures",
        "getFeeReductionEvidence",
    }
)
LEDGER = frozenset({"getReceipt", "listLedgerEntries"})
"""Entries name the staff member by the id that the software gave, and what the entry is about."""
DISCLOSING = frozenset({"listDisclosures", "getPersonReport"})
"""Whoever is in relation with the person is told, for the person, of everybody who received something."""
SERVED = frozenset({"sender", "receiver", "later", "unrelated", "closed", "sibling"})
"""They serve the area, so that what is handed over to them belongs to it."""


def related(role: str, person_id: str, realm: Realm) -> bool:
    return any(_relates(role, one) for one in realm.targets if one.person_id == person_id)


def _relates(role: str, target: Target) -> bool:
    return role == target.owner or (role == target.receiver and target.state in RELATED)


def audits(role: str, target: Target) -> bool:
    return role == "auditor" and target.receiver in SERVED and target.state not in UNOFFERED


def reads(role: str, target: Target) -> bool:
    """Whether it may read what the handover is about; of what has expired since the clock's last round lists still
    tell (docs/decisions/0009)."""
    return role == target.owner or (role == target.receiver and target.state in READABLE | {"overdue"})


def knows(role: str, target: Target) -> bool:
    """Whether it is one of the handover's sides, as far as it has been told."""
    return role == target.owner or (role == target.receiver and target.state not in UNOFFERED)


def marks_open_to(role: str, realm: Realm) -> set[tuple[int, str]]:
    """What may be in its answers, of all that was ever written."""
    own = {(CAST.index(role), "webhook")}
    return own | {mark for target in realm.targets for mark in _marks(role, target)}


def _marks(role: str, target: Target) -> Iterable[tuple[int, str]]:
    shared = {(target.number, part) for part in ("reason", "answer")}
    if role == target.owner:
        parts = (
            *SECTIONS,
            "header",
            "extensions",
            "consent",
            "withdrawal",
            "sender_assignee",
            "together",
            "noted",
        )
        return shared | {
            (number, part) for number in (target.number, target.number + AMENDED) for part in parts
        }
    if role != target.receiver or target.state in UNOFFERED:
        return ()
    shared.add((target.number, "receiver_assignee"))
    shared.add((target.number, "noted"))
    if target.state in READABLE:
        shared.add((target.number, "together"))
        withheld = WITHHELD | ({"disability"} if target.state == "reconsented" else set())
        shared |= {(target.number, part) for part in (*SECTIONS, "header") if part not in withheld}
    if target.state in RELATED:
        shared.add((target.number, "consent"))
    return shared


def staff_open_to(role: str, operation: str, realm: Realm) -> set[tuple[int, str]]:
    """Whose staff members' ids may be in its answers: its own, and on the ledger those of the other sides."""
    if operation not in LEDGER:
        return set()
    sides = {
        side
        for one in (_in_remit(role, realm) if operation == "listLedgerEntries" else realm.targets)
        if operation == "listLedgerEntries" or knows(role, one)
        for side in (one.owner, one.receiver)
    }
    return {(CAST.index(one), "staff") for one in {role, *sides}}


def _in_remit(role: str, realm: Realm) -> list[Target]:
    """Everything about people of whom something is audited."""
    people = {one.person_id for one in realm.targets if audits(role, one)}
    return [one for one in realm.targets if one.person_id in people]


def ids_open_to(role: str, operation: str, realm: Realm, *, own_rows: bool = False) -> set[str]:
    """Which ids may be in its answers without its having sent them; with `own_rows` all that stand in rows of which
    it may see some columns: row security keeps rows apart, and leaves columns to the application."""
    found = {found for target in realm.targets for found in _ids(role, operation, target, realm)}
    if operation == "listLedgerEntries":
        found |= {id_ for one in _in_remit(role, realm) for id_ in (one.handover_id, one.consent_id)}
    if own_rows:
        found |= {one.person_id for one in realm.targets if knows(role, one)}
    return found


def _ids(role: str, operation: str, target: Target, realm: Realm) -> Iterable[str]:
    if role == target.owner:
        yield from target.ids
    if knows(role, target):
        yield target.handover_id
    if role == target.receiver and target.state in READABLE:
        yield from (target.person_id, target.consent_id)
    if related(role, target.person_id, realm):
        yield target.person_id
        if operation in DISCLOSING:
            yield from target.ids
    if operation in LEDGER and knows(role, target):
        yield target.consent_id  # of what it has read itself, also afterwards
    if role == target.receiver and target.state == "overdue" and operation == "listHandovers":
        yield target.person_id  # lists show the states of the clock's last round: docs/decisions/0009
    if audits(role, target) and operation in OVERSIGHT:
        yield from (target.handover_id, target.person_id)
        if operation in DISCLOSING:
            yield target.consent_id
    if (
        operation in ("listProvisions", "getFeeReductionEvidence")
        and target.state in READ
        and (audits(role, target) or role == target.receiver)
    ):
        yield from target.ids  # the record of what was given stays, whatever became of the handover
    if target.state == "reconsented":  # a withdrawal is told to everybody whom the consent named
        yield target.consent_id


assert set(STATES) >= UNOFFERED | READABLE
