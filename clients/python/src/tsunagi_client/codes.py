"""The code lists of `schemas/`. A later release of the service may answer with codes that are not here."""

from typing import Literal, TypeAlias

Section: TypeAlias = Literal[
    "identity",
    "disability",
    "medical",
    "family",
    "assessment",
    "employment",
    "employer_contacts",
    "support_plan",
    "support_history",
    "continuing_needs",
    "handover_plan",
]
Domain: TypeAlias = Literal["employment", "daily_life", "employer_liaison"]
Role: TypeAlias = Literal["primary", "co_support", "backup"]
SenderRoleAfter: TypeAlias = Literal["none", "co_support", "backup"]
HandoverType: TypeAlias = Literal[
    "transition_to_settlement",
    "settlement_to_center",
    "sender_to_center",
    "center_to_center",
    "selection_to_service",
    "other",
]
Status: TypeAlias = Literal[
    "draft",
    "offered",
    "received",
    "returned",
    "accepted",
    "overlapping",
    "completed",
    "declined",
    "withdrawn",
    "expired",
]
Action: TypeAlias = Literal["offer", "open", "withdraw", "amend", "receive", "accept", "decline", "return"]
Direction: TypeAlias = Literal["incoming", "outgoing"]
Party: TypeAlias = Literal["sender", "receiver", "platform", "client"]
Decision: TypeAlias = Literal["pending", "accept", "decline", "left_with_sender"]
ActivityKind: TypeAlias = Literal["case_conference", "joint_visit", "employer_window"]
Side: TypeAlias = Literal["sender", "receiver"]
DeclineCode: TypeAlias = Literal[
    "capacity",
    "out_of_area",
    "not_eligible",
    "other_organization_suitable",
    "person_does_not_wish",
    "insufficient_information",
    "other",
]
ReturnCode: TypeAlias = Literal[
    "more_information", "conference_wanted", "consent_insufficient", "dates_unclear", "other"
]
WithdrawCode: TypeAlias = Literal["person_wish", "plan_changed", "entered_in_error", "other"]
OrganizationKind: TypeAlias = Literal[
    "transition",
    "settlement",
    "continuous_a",
    "continuous_b",
    "selection",
    "self_reliance_training",
    "daily_care",
    "center",
    "municipal_center",
    "vocational_center",
    "hello_work",
    "consultation_support",
    "medical",
    "school",
    "employer",
    "municipality",
    "prefecture",
    "labor_bureau",
    "other",
]
FindingKind: TypeAlias = Literal[
    "gap",
    "no_answer",
    "conference_late",
    "sharing_late",
    "consent_ended",
    "holder_closed",
    "holder_after_service",
    "employer_window_undefined",
    "employer_window_double",
    "overlap_too_long",
]
CorrectionCode: TypeAlias = Literal[
    "date_wrong", "domain_wrong", "role_wrong", "organization_wrong", "not_recorded", "entered_in_error"
]
EndCode: TypeAlias = Literal[
    "person_wish", "moved_away", "died", "service_ended", "employment_ended", "contact_lost", "other"
]
VersionReason: TypeAlias = Literal[
    "opened", "claimed", "handover_accepted", "handover_withdrawn", "corrected", "ended", "succeeded"
]
MilestoneKind: TypeAlias = Literal[
    "follow_up_ends",
    "settlement_starts",
    "settlement_ends",
    "conference_due",
    "window_opens",
    "sharing_due",
    "overlap_starts",
    "service_ends",
    "planned_date",
    "answer_due",
]
EventType: TypeAlias = Literal[
    "handover.offered",
    "handover.opened",
    "handover.amended",
    "handover.received",
    "handover.accepted",
    "handover.declined",
    "handover.returned",
    "handover.withdrawn",
    "handover.expired",
    "handover.overlapping",
    "handover.completed",
    "handover.window_opened",
    "handover.activity_recorded",
    "handover.activity_withdrawn",
    "consent.withdrawn",
    "responsibility.changed",
]
Basis: TypeAlias = Literal[
    "post_employment_6m_duty", "service_contract", "settlement_contract", "center_registration", "agreement"
]
WithheldReason: TypeAlias = Literal[
    "not_consented", "consent_not_started", "consent_ended", "consent_withdrawn", "family_consent_missing"
]
DisclosureGround: TypeAlias = Literal[
    "consent", "law", "life_protection", "child_welfare", "public_cooperation"
]
