"""The checks of the service, each with what it is when it is taken out."""

from tests.isolation.sabotage import Sabotage, Shown
from tests.isolation.sabotages_from_above import FROM_ABOVE

SABOTAGES: dict[str, Sabotage] = {
    # Who is a side of a handover, and what each may do.
    "everybody is the sender": Sabotage(
        "handovers.rules:Handover.side_of",
        "if organization_id == self.sender_id:",
        "if True:",
        Shown("receiver", "draft", "amend"),
    ),
    "everybody is the receiver": Sabotage(
        "handovers.rules:Handover.side_of",
        "if organization_id == self.receiver_id and self.offered_at is not None:",
        "if True:",
        Shown("receiver", "draft", "read"),
    ),
    "a draft is the receiver's, too": Sabotage(
        "handovers.rules:Handover.side_of",
        "self.receiver_id and self.offered_at is not None:",
        "self.receiver_id:",
        Shown("receiver", "draft", "read"),
    ),
    "every step finds every handover": Sabotage(
        "handovers.steps:present",
        "handover is None or handover.side_of(by.organization_id) is None",
        "handover is None",
        Shown("receiver", "draft", "amend"),
    ),
    "the receiver may do what is the sender's": Sabotage(
        "handovers.rules:available",
        "if STEPS[action][0] == side",
        "if True",
        Shown("receiver", "amended", "chain"),
    ),
    "every step is permitted that leads anywhere": Sabotage(
        "handovers.steps:permitted",
        "if status is not None and action in actions:",
        "if status is not None:",
        Shown("receiver", "notice", "chain"),
    ),
    # When.
    "the window is always open": Sabotage(
        "handovers.rules:Handover.window_open",
        "return self.window_opened_at is not None or self.window_opens_on <= today",
        "return True",
        Shown("receiver", "notice", "read"),
    ),
    "the receiver need not wait for the window": Sabotage(
        "handovers.rules:available",
        'and (side == "sender" or window_open or action == "decline")',
        "",
        Shown("receiver", "notice", "chain"),
    ),
    "an offer never expires": Sabotage(
        "handovers.rules:next_step",
        "if today > handover.answer_due_on else None",
        "if False else None",
        Shown("receiver", "overdue", "read"),
    ),
    "the clock's steps are left to the clock": Sabotage(
        "handovers.steps:unsettled",
        "return opens_now(handover, today) or next_step(handover, today) is not None",
        "return False",
    ),
    # What is read.
    "every handover is found by its id": Sabotage(
        "disclosure.actions:_found",
        "not found or found[0].handover.side_of(by.organization_id) is None",
        "not found",
        Shown("receiver", "draft", "read"),
    ),
    "everything is readable": Sabotage(
        "disclosure.rules:readable",
        'return viewer == "sender" or (handover.status in READABLE and handover.window_open(today))',
        "return True",
        Shown("receiver", "withdrawn", "read"),
    ),
    "every state is readable": Sabotage(
        "disclosure.rules:readable",
        "handover.status in READABLE and ",
        "",
        Shown("receiver", "withdrawn", "read"),
    ),
    "everybody reads as the sender does": Sabotage(
        "disclosure.actions:_covered",
        'if whose == "sender":',
        "if True:",
        Shown("receiver", "reconsented", "read"),
    ),
    "what is covered is covered at any time": Sabotage(
        "disclosure.actions:_covered",
        " if readable(handover, whose, today) else None",
        "",
        Shown("receiver", "withdrawn", "read"),
    ),
    "versions that were never on offer": Sabotage(
        "disclosure.store:_FIND",
        "AND (h.sender_id = $2 OR v.version = ANY (h.offered_versions))",
        "",
        Shown("receiver", "amended", "read"),
    ),
    "another's access rows": Sabotage(
        "disclosure.store:_FIND", "AND a.organization_id = $2 ", "", Shown("receiver", "reconsented", "read")
    ),
    "another's assignee": Sabotage(
        "disclosure.store:_FIND",
        " AND mine.organization_id = $2",
        "",
        Shown("receiver", "completed", "read"),
    ),
    "sections that are not covered": Sabotage(
        "disclosure.actions:_content",
        "kept.sections.items() if name in covered.visible}",
        "kept.sections.items()}",
        Shown("receiver", "reconsented", "read"),
    ),
    "extensions go to everybody": Sabotage(
        "disclosure.actions:_content", " if own else None", "", Shown("receiver", "reconsented", "read")
    ),
    "a notice names the person": Sabotage(
        "api.bodies:_summary",
        'opened = side == "sender" or (one.status in READABLE and window_open)',
        "opened = True",
    ),
    "a step's answer names the person": Sabotage("api.bodies:status", "if standing.opened else None", ""),
    # What was done together.
    "activities are everybody's": Sabotage(
        "activities.rules:readable",
        "if whole or one.recorded_by == reader",
        "if True",
        Shown("receiver", "withdrawn", "activities"),
    ),
    "the receiver reads as if it had written": Sabotage(
        "activities.rules:opens",
        'return side == "sender" or',
        "return True or",
        Shown("receiver", "withdrawn", "activities"),
    ),
    "everybody takes back": Sabotage(
        "activities.actions:withdraw",
        " if one.recorded_by == by.organization_id",
        "",
        Shown("receiver", "withdrawn", "take back"),
    ),
    # Consent.
    "everything is consented to": Sabotage(
        "consent.rules:coverage", "if not holding:", "if False:", Shown("receiver", "reconsented", "read")
    ),
    "the family need not consent": Sabotage(
        "consent.rules:coverage",
        "elif section == FAMILY and not families:",
        "elif False:",
        Shown("receiver", "reconsented", "read"),
    ),
    "a consent holds for ever": Sabotage(
        "consent.rules:Access.holds",
        "self.withdrawn_at is None and self.valid_from <= today < self.valid_to",
        "True",
        Shown("receiver", "reconsented", "read"),
    ),
    "a withdrawn consent holds": Sabotage(
        "consent.rules:Access.holds",
        "self.withdrawn_at is None and ",
        "",
        Shown("receiver", "reconsented", "read"),
    ),
    "what others recorded is listed": Sabotage(
        "consent.actions:recorded",
        " if one.giver_id == caller.organization_id",
        "",  # those that name the receiver it may read one by one
    ),
    "every consent can be read": Sabotage(
        "consent.actions:read",
        "consent is None or not await _may_read(tx, caller.organization_id, consent)",
        "consent is None",
        Shown("receiver", "draft", "read consent"),
    ),
    "recipients read a consent before they know the person": Sabotage(
        "consent.actions:_may_read",
        " and related is not None",
        "",
        Shown("receiver", "draft", "read consent"),
    ),
    "who is no recipient reads a consent": Sabotage(
        "consent.actions:_may_read",
        "organization_id in consent.recipient_ids and ",
        "",
        Shown("later", "completed", "read consent"),
    ),
    "every consent can be withdrawn": Sabotage(
        "consent.actions:withdraw",
        "consent is None or caller.organization_id != consent.giver_id",
        "consent is None",
        Shown("receiver", "draft", "withdraw consent"),
    ),
    # People.
    "everybody knows everybody": Sabotage("people.actions:_related", "if related is None:", "if False:"),
    "a relation is anybody's": Sabotage(
        "people.store:_RELATED",
        "r.organization_id = $2",
        "$2::uuid IS NOT NULL",
        Shown("receiver", "draft", "consent"),
    ),
    "people are recognized from other people's relations": Sabotage(
        "people.store:_RECOGNIZE",
        "AND r.organization_id = $1",
        "AND $1::uuid IS NOT NULL",
        Shown("receiver", "draft", "register"),
    ),
    **FROM_ABOVE,
    # What the person is told.
    "everybody is told of disclosures": Sabotage(
        "reports.actions:disclosures",
        "    if related is None:\n        return None",
        "    if False:\n        return None",
    ),
    "disclosures are in every remit": Sabotage(
        "reports.actions:audited_disclosures", "if stream is None:", "if False:"
    ),
    "an audit is told of every handover": Sabotage(
        "reports.actions:_Known.of_caller",
        "return not self.audited or one.record_id in self.handovers",
        "return True",
    ),
    "everybody makes reports": Sabotage(
        "reports.actions:report", "    if related is None:\n        raise", "    if False:\n        raise"
    ),
    # Lists.
    "the list is of everything incoming": Sabotage(
        "disclosure.listing:_SIDES",
        "receiver_id = $1 AND ",
        "$1::uuid IS NOT NULL AND ",
        Shown("receiver", "draft", "lists"),
    ),
    "the list is of everything outgoing": Sabotage(
        "disclosure.listing:_SIDES",
        "sender_id = $1",
        "$1::uuid IS NOT NULL",
        Shown("receiver", "draft", "lists"),
    ),
    "drafts are listed": Sabotage(
        "disclosure.listing:_SIDES", " AND offered_at IS NOT NULL", "", Shown("receiver", "draft", "lists")
    ),
    "another's assignee is listed": Sabotage(
        "disclosure.listing:_ASSIGNEE", "own.organization_id = $1", "$1::uuid IS NOT NULL"
    ),
    "another's assignee is in the way": Sabotage(
        "assignees.store:_OF", "organization_id = $2", "$2::uuid IS NOT NULL"
    ),
    "another's assignee is taken away": Sabotage(
        "assignees.store:_CLEAR", "organization_id = $2", "$2::uuid IS NOT NULL"
    ),
    "everything incoming can be pulled": Sabotage("handovers.store:_PULLABLE", "receiver_id = $1 AND ", ""),
    "everything outgoing can be pulled": Sabotage(
        "handovers.store:_PULLABLE", "sender_id = $1", "$1::uuid IS NOT NULL"
    ),
    "whoever pulls it receives it": Sabotage(
        "disclosure.actions:_disclose_all", " and one.receiver_id == by.organization_id", ""
    ),
    "drafts can be pulled": Sabotage("handovers.store:_PULLABLE", "offered_at IS NOT NULL AND ", ""),
    "every state can be pulled": Sabotage(
        "handovers.store:_PULLABLE", " AND status = ANY ($2)", " AND $2::text[] IS NOT NULL"
    ),
    "what is pulled need not be open": Sabotage(
        "handovers.store:_PULLABLE",
        "AND (window_opens_on <= $3 OR window_opened_at IS NOT NULL)",
        "AND $3::date IS NOT NULL",
    ),
    # What is told and kept.
    "the feed is everybody's": Sabotage(
        "notifications.store:feed",
        "events.c.organization_id == organization_id, ",
        "",
        Shown("unrelated", "draft", "lists"),
    ),
    "a dropped draft is told of": Sabotage(
        "handovers.actions:withdraw",
        "if handover.offered_at is not None:",
        "if True:",
        Shown("receiver", "draft", "chain"),
    ),
    "every webhook is one's own": Sabotage(
        "webhooks.store:of_organization",
        "w.organization_id = $1 AND",
        "$1::uuid IS NOT NULL AND",
        Shown("unrelated", "draft", "read webhook"),
    ),
    # Evidence.
    "every provider is in a remit": Sabotage(
        "evidence.store:_AUDITED",
        "a.organization_id = $1 AND a.purpose = 'remit'",
        "$1::uuid IS NOT NULL",
        Shown("unrelated", "completed", "another's evidence"),
    ),
    # Records of provision.
    "everybody gave what was given": Sabotage(
        "provisions.store:_SIDES",
        "p.giver_id = $1",
        "$1::uuid IS NOT NULL",
        Shown("unrelated", "received", "lists"),
    ),
    "everybody received what was given": Sabotage(
        "provisions.store:_SIDES",
        "p.receiver_id = $1",
        "$1::uuid IS NOT NULL",
        Shown("unrelated", "received", "lists"),
    ),
    "records of provision are in everybody's remit": Sabotage(
        "provisions.store:_SIDES",
        "a.organization_id = $1 AND a.purpose = 'remit'",
        "true",
        Shown("unrelated", "received", "lists"),
    ),
    "serving an area shows its records of provision": Sabotage(
        "provisions.store:_SIDES",
        " AND a.purpose = 'remit'",
        "",
        Shown("unrelated", "received", "lists"),
    ),
    "answers are kept for everybody": Sabotage(
        "api.idempotency:_TAKE",
        "a.organization_id = $1 AND",
        "$1::uuid IS NOT NULL AND",
        Shown("receiver", "draft", "draft under a key of the other's"),
    ),
}
"""Each check on the way from a request to a row, and the service without it."""
