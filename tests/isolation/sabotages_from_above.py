"""The checks of who looks at people from above, each with what it is when it is taken out."""

from tests.isolation.sabotage import Sabotage, Shown

FROM_ABOVE: dict[str, Sabotage] = {
    "every timeline can be seen": Sabotage(
        "oversight.actions:_record_look",
        "if stream is None:",
        "if False:",
        Shown("unrelated", "reconsented", "who holds"),
    ),
    "every handover is milestones and findings": Sabotage(
        "oversight.actions:_visible", " if seen(one)", "", Shown("later", "completed", "milestones")
    ),
    "an audit is of every area": Sabotage(
        "oversight.actions:_visible",
        "audits = handover.area_code in remit and ",
        "audits = ",
        Shown("later", "completed", "milestones"),
    ),
    "serving an area is auditing it": Sabotage(
        "oversight.store:_in_remit",
        '            organization_areas.c.purpose == "remit",\n',
        "",
        Shown("receiver", "draft", "lists"),
    ),
    "another's remit": Sabotage(
        "oversight.store:_in_remit",
        "            organization_areas.c.organization_id == organization_id,\n",
        "",
        Shown("receiver", "draft", "lists"),
    ),
    "every timeline is in a remit": Sabotage(
        "oversight.store:_STREAM",
        "a.organization_id = $1 AND a.purpose = 'remit'",
        "a.organization_id IS NOT NULL",
        Shown("receiver", "notice", "who holds"),
    ),
    "serving an area shows its timelines": Sabotage(
        "oversight.store:_STREAM",
        " AND a.purpose = 'remit'",
        "",
        Shown("receiver", "notice", "who holds"),
    ),
    "the timeline is of drafts, too": Sabotage(
        "oversight.store:_STREAM",
        "h.offered_at IS NOT NULL AND ",
        "",
        Shown("auditor", "draft", "who holds"),
    ),
    "every relation shows the timeline": Sabotage(
        "oversight.store:_STREAM",
        " AND r.organization_id = $1",
        "",
        Shown("receiver", "draft", "who holds"),
    ),
    "an audit is of drafts, too": Sabotage(
        "oversight.store:_in_remit", "            handovers.c.offered_at.is_not(None),\n", ""
    ),
    "relations are anybody's": Sabotage(
        "oversight.store:_related",
        ".where(relations.c.organization_id == organization_id)",
        "",
        Shown("receiver", "draft", "lists"),
    ),
    "changes are of everybody in a relation": Sabotage(
        "oversight.store:_SEEN",
        "WHERE r.organization_id = $1 AND",
        "WHERE $1::uuid IS NOT NULL AND",
        Shown("receiver", "draft", "lists"),
    ),
    "changes are of every remit": Sabotage(
        "oversight.store:_SEEN",
        "WHERE a.organization_id = $1 AND",
        "WHERE $1::uuid IS NOT NULL AND",
        Shown("receiver", "notice", "lists"),
    ),
    "every area is in a remit": Sabotage(
        "oversight.area_report:_REPORT",
        "WHERE a.organization_id = $1 AND a.area_code",
        "WHERE a.area_code",
        Shown("receiver", "notice", "lists"),
    ),
    "an area's people are in relation with everybody": Sabotage(
        "oversight.area_report:_REPORT",
        " WHERE r.organization_id = $1)",
        ")",
        Shown("receiver", "notice", "lists"),
    ),
    "changes name every handover": Sabotage(
        "oversight.store:_KNOWN_HANDOVERS", "h.sender_id = $1 OR", "$1::uuid IS NOT NULL OR"
    ),
}
