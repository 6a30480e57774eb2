"""Every column that could hold what somebody wrote about a person is sealed, or listed here with the reason why not."""

from sqlalchemy import JSON, LargeBinary, Text

from tsunagi.sealing.store import DATA_KEY, Sealed
from tsunagi.tables import metadata

PUBLIC = "the directory, which everybody may read"
TECHNICAL = "about software, keys and counts"
CODES = "codes of the contract"
HASHES = "hashes and signatures; what they are of is not to be guessed"

PLAIN: dict[str, tuple[str, set[str]]] = {
    "areas": (PUBLIC, {"code", "name", "name_kana", "prefecture_code"}),
    "area_municipalities": (PUBLIC, {"area_code", "municipality_code"}),
    "client_keys": (TECHNICAL, {"client_id", "kid", "jwk"}),
    "client_organizations": (TECHNICAL, {"client_id", "scopes"}),
    "consent_access": (CODES, {"section", "subject", "exception_code"}),
    "consent_withdrawals": (CODES, {"sections"}),
    "consents": (CODES, {"sections"}),
    "directory_imports": (PUBLIC, {"service_codes", "files"}),
    "events": (CODES, {"type", "status"}),
    "handover_activities": (CODES, {"kind"}),
    "handover_assignees": ("an organization's own id of one of its staff", {"assignee"}),
    "handovers": (CODES, {"handover_type", "status", "area_code", "domains"}),
    "handover_drafts": ("keyed hashes: decision 0007", {"kana_birth_key", "certificate_key"}),
    "handover_revisions": (CODES, {"handover_type", "status", "area_code", "domains"}),
    "idempotent_answers": (TECHNICAL, {"client_id", "key"}),
    "ledger_contents": (
        "pseudonyms, ids, codes; and what a vendor's software calls its user",
        {"action", "outcome", "record_id", "salt", "body"},
    ),
    "ledger_entries": (HASHES, {"commitment"}),
    "ledger_queue": (HASHES, {"commitment"}),
    "ledger_streams": (HASHES, {"head"}),
    "log_checkpoints": (HASHES, {"root", "note", "keys"}),
    "log_entries": (HASHES, {"commitment"}),
    "log_nodes": (HASHES, {"hash"}),
    "master_keys": (HASHES, {"id"}),
    "openid_providers": ("an organization about its own sign-in", {"issuer", "client_id"}),
    "openid_ways": (
        "hashes; a page of ours",
        {"state_hash", "browser_hash", "nonce_hash", "purpose", "back", "invitation_hash"},
    ),
    "person_identities": ("keyed hashes: decision 0007", {"kana_birth_key", "certificate_key"}),
    "provision_retention": (PUBLIC, {"organization_kind", "prefecture_code", "source"}),
    "provisions": (
        "codes; of the two sides what the directory says",
        {"digest", "area_code", "giver", "receiver", "means", "ground", "sections"}
        | {"acquisition", "withheld_from_person"},
    ),
    "rate_counts": (TECHNICAL, {"subject"}),
    "record_sections": (CODES, {"section"}),
    "record_versions": ("codes; the rules' own words, about places", {"section_names", "warnings"}),
    "responsibility_segments": (CODES, {"domain", "basis"}),
    "responsibility_support": (CODES, {"domain", "role"}),
    "responsibility_versions": (CODES, {"code", "domain", "reason"}),
    "sharing_guidelines": (
        "an organization about itself, and who of its staff is responsible",
        {"title", "document_hash", "document_url", "officer_name", "officer_role"},
    ),
    "software_clients": (TECHNICAL, {"id", "name", "status", "profile"}),
    "staff_attempts": (HASHES, {"key_hash"}),
    "staff_challenges": (HASHES, {"challenge_hash"}),
    "staff_members": (
        "an organization about its own staff; hashes of passwords and invitations are of no use to whoever reads them",
        {"login", "name", "role", "status", "password_hash", "invitation_hash", "calendar_hash"}
        | {"openid_issuer", "openid_subject"},
    ),
    "staff_passkeys": (
        "public keys, and what their owners call them",
        {"credential_id", "public_key", "name"},
    ),
    "staff_sessions": (HASHES, {"token_hash"}),
    "used_assertions": (HASHES, {"fingerprint"}),
    "used_proofs": (HASHES, {"fingerprint"}),
    "webhook_deliveries": (CODES, {"status", "outcome"}),
    "webhooks": ("an organization about its own software", {"url", "status"}),
}
DIRECTORY = {"corporate_bodies", "directory_listings"}
"""Beside the tables whose names begin with `organization`."""


def test_what_could_hold_a_text_is_sealed_or_said_why_not() -> None:
    found = {}
    for table in metadata.sorted_tables:
        could = {
            column.name
            for column in table.c
            if isinstance(getattr(column.type, "item_type", column.type), Text | LargeBinary | JSON)
            and not isinstance(column.type, Sealed)
            and column.name != DATA_KEY
        }
        if could and not table.name.startswith("organization") and table.name not in DIRECTORY:
            found[table.name] = could
    assert found == {name: columns for name, (_, columns) in PLAIN.items()}


def test_what_is_sealed_has_its_key_in_the_row_or_in_the_row_that_it_belongs_to() -> None:
    for table in metadata.sorted_tables:
        sealed = [column for column in table.c if isinstance(column.type, Sealed)]
        assert len(sealed) <= 1, f"two texts of {table.name} would have one place"
        above = [one.referred_table for one in table.foreign_key_constraints]
        assert not sealed or any(DATA_KEY in one.c for one in (table, *above)), table.name
