"""What needs attention in who holds a domain: nobody, or an organization that has closed or whose service is over."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from uuid import UUID

from tsunagi.errors import Text
from tsunagi.handovers.rules import Handover, Status
from tsunagi.ids import OrganizationId, PersonId
from tsunagi.oversight.rules import Finding
from tsunagi.responsibility import milestones
from tsunagi.responsibility.rules import FOREVER, Chain, Domain, Interval, gaps, holder_on
from tsunagi.responsibility.store import Version

ServiceEnds = Mapping[tuple[PersonId, OrganizationId], tuple[date, Handover]]
"""The last day of a sender's service for a person, and the handover that says so."""
ANSWERED: frozenset[Status] = frozenset({"accepted", "overlapping", "completed"})
UNLIMITED = "center_registration"
"""The basis of a center: a registration is no service that ends."""


def of_version(
    known: Version, *, closed: Mapping[OrganizationId, date], ends: ServiceEnds, today: date
) -> list[Finding]:
    """What needs attention in one domain of a person as it is known."""
    whose = (known.person_id, known.domain, known.picture.chain)
    return [
        *(
            of_gap(
                known.person_id,
                known.domain,
                days,
                before=holder_on(known.picture.chain, days.valid_from - timedelta(days=1)),
                organizations=known.organizations,
                entry_id=known.entry_id,
            )
            for days in gaps(known.picture.chain, from_day=date.min)
        ),
        *of_closed(*whose, closed, entry_id=known.entry_id, today=today),
        *after_service(*whose, ends, entry_id=known.entry_id),
    ]


def of_gap(
    person_id: PersonId,
    domain: Domain,
    days: Interval,
    *,
    before: OrganizationId | None,
    organizations: frozenset[OrganizationId] = frozenset(),
    entry_id: UUID | None = None,
) -> Finding:
    """`before`: who held the domain until then."""
    return Finding(
        responsible=before,
        organizations=organizations,
        entry_ids=frozenset({entry_id} if entry_id else ()),
        kind="gap",
        severity="error",
        person_id=person_id,
        domain=domain,
        since=days.valid_from,
        from_day=days.valid_from,
        to_day=None if days.valid_to == FOREVER else days.valid_to,
        party="sender",
        message=Text("主担当がいない期間があります", "Nobody is primary in this period"),
    )


def of_closed(
    person_id: PersonId,
    domain: Domain,
    chain: Chain,
    closed: Mapping[OrganizationId, date],
    *,
    entry_id: UUID | None,
    today: date,
) -> Iterator[Finding]:
    """Days that an organization holds on which it no longer exists."""
    for held in chain.segments:
        closed_on = closed.get(held.holder) if held.holder is not None else None
        if held.holder is None or closed_on is None or closed_on > today or held.valid_to <= closed_on:
            continue
        yield Finding(
            kind="holder_closed",
            severity="error",
            person_id=person_id,
            domain=domain,
            since=closed_on,
            from_day=max(held.valid_from, closed_on),
            to_day=None if held.valid_to == FOREVER else held.valid_to,
            party="platform",
            organizations=frozenset({held.holder}),
            entry_ids=frozenset({entry_id} if entry_id else ()),
            message=Text(
                "主担当の機関が廃止されています。承継した機関が引き受けるか、担当なしと明示する必要があります",
                "The primary has closed: its successor has to take over, or it has to be stated that nobody does",
            ),
        )


def service_ends(handovers: Iterable[Handover]) -> ServiceEnds:
    """As the handovers that were answered say; the latest day, where a sender has said several."""
    found: dict[tuple[PersonId, OrganizationId], tuple[date, Handover]] = {}
    for one in handovers:
        last, whose = _service_end(one), (one.person_id, one.sender_id)
        if last is not None and (whose not in found or found[whose][0] < last):
            found[whose] = last, one
    return found


def _service_end(handover: Handover) -> date | None:
    """A center's registration has no last day, and the six months after hiring are a duty of who supported before."""
    kind, hired_on = handover.handover_type, handover.hired_on
    if handover.status not in ANSWERED or kind == "center_to_center":
        return None
    last = milestones.service_end(kind, hired_on=hired_on, service_ends_on=handover.service_ends_on)
    if last is None or hired_on is None or kind not in milestones.HIRED_TYPES:
        return last
    return max(last, milestones.follow_up_end(hired_on))


def after_service(
    person_id: PersonId, domain: Domain, chain: Chain, ends: ServiceEnds, *, entry_id: UUID | None
) -> Iterator[Finding]:
    """Days on which a sender stays primary though its service is over; also those that are still to come."""
    for held in chain.segments:
        if held.holder is None or held.basis == UNLIMITED or (person_id, held.holder) not in ends:
            continue
        last, handover = ends[person_id, held.holder]
        if not held.valid_from <= last < held.valid_to - timedelta(days=1):
            continue
        yield Finding(
            kind="holder_after_service",
            severity="warning",
            person_id=person_id,
            domain=domain,
            handover_id=handover.id,
            since=last + timedelta(days=1),
            from_day=last + timedelta(days=1),
            to_day=None if held.valid_to == FOREVER else held.valid_to,
            party="sender",
            responsible=held.holder,
            organizations=frozenset({handover.sender_id, handover.receiver_id}),
            entry_ids=frozenset({entry_id} if entry_id else ()),
            record_ids=frozenset({handover.id}),
            message=Text(
                "支援の最終日の後も、提供元が主担当です。引き継ぐか、担当を終える日を記録する必要があります",
                "The sender is primary beyond the last day of its service: hand over, or record when that ends",
            ),
        )
