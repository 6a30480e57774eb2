"""Every table of the service on one metadata: what migrations are compared with."""

from tsunagi.activities import store as activities
from tsunagi.api import idempotency, limits
from tsunagi.assignees import store as assignees
from tsunagi.auth import store as auth
from tsunagi.consent import store as consent
from tsunagi.db import metadata
from tsunagi.directory import tables as directory
from tsunagi.drafts import store as drafts
from tsunagi.erasure import store as erasure
from tsunagi.evidence import store as evidence
from tsunagi.handovers import store as handovers
from tsunagi.ledger import store as ledger
from tsunagi.notifications import store as notifications
from tsunagi.openid import store as openid
from tsunagi.people import store as people
from tsunagi.proofs import store as proofs
from tsunagi.provisions import store as provisions
from tsunagi.records import store as records
from tsunagi.responsibility import store as responsibility
from tsunagi.sealing import store as sealing
from tsunagi.staff import passkeys
from tsunagi.staff import store as staff
from tsunagi.transparency import store as transparency
from tsunagi.webhooks import store as webhooks

__all__ = [
    "activities",
    "assignees",
    "auth",
    "consent",
    "directory",
    "drafts",
    "erasure",
    "evidence",
    "handovers",
    "idempotency",
    "ledger",
    "limits",
    "metadata",
    "notifications",
    "openid",
    "passkeys",
    "people",
    "proofs",
    "provisions",
    "records",
    "responsibility",
    "sealing",
    "staff",
    "transparency",
    "webhooks",
]
