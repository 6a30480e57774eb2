"""What is written about people is sealed: what is there already, too, under the master keys of this installation.

Everything that uses the database must be stopped meanwhile. Each table is written anew in the end, so that no page of
it keeps a text from before; what the write-ahead log and backups keep of it, docs/operations.md says.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from tsunagi.sealing.keys import Keyring, kept_keys
from tsunagi.settings import Settings

revision = "0018_sealed"
down_revision = "0017_ledger_reading"
branch_labels = None
depends_on = None

BATCH = 200
TABLES = (
    "handovers",
    "record_versions",
    "record_sections",
    "consents",
    "consent_withdrawals",
    "idempotent_answers",
)
TEXTS = (
    ("record_versions", "header"),
    ("record_sections", "document"),
    ("consents", "document"),
    ("consent_withdrawals", "document"),
)
COMMENTS = {
    "handovers.notes": "sealed JSON: who is in charge at the receiver, the reason of the last decline, return or"
    " withdrawal, and those of answers",
    "record_versions.data_key": "of the version: of its sections as well",
    "record_versions.header": "sealed: the record''s members but sections and extensions, as sent",
    "record_sections.document": "sealed: the SHA-256 of the RFC 8785 form, and behind it the text as sent, to the"
    " letter",
    "consents.document": "sealed: the consent as it was submitted",
    "consent_withdrawals.document": "sealed: the withdrawal as it was submitted",
    "idempotent_answers.answer": "sealed: SHA-256 of operation, target and body; and as JSON status, headers and, in"
    " a line of its own, the answer''s body",
}

Row = dict[str, Any]


def upgrade() -> None:
    op.execute(
        "SET LOCAL statement_timeout = 0"
    )  # nobody waits: everything that uses the database is stopped
    _master_keys()
    for table in TABLES:  # or their owner would find nothing to seal
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    for table in TABLES:
        if table != "record_sections":
            op.add_column(table, sa.Column("data_key", sa.LargeBinary, nullable=True))
    op.add_column("handovers", sa.Column("notes", sa.LargeBinary, nullable=True))
    op.add_column("idempotent_answers", sa.Column("answer", sa.LargeBinary, nullable=True))
    for table, column in TEXTS:
        op.execute(f"ALTER TABLE {table} ALTER {column} TYPE bytea USING convert_to({column}, 'UTF8')")
    if any(_bind().scalar(sa.text(f"SELECT EXISTS (SELECT FROM {table})")) for table in TABLES):  # noqa: S608  only names of ours
        _seal(kept_keys(op.get_context().config.attributes.get("settings") or Settings()))
    _tidy()
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def _master_keys() -> None:
    op.create_table(
        "master_keys",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        comment="those without which something here cannot be read",
    )


def _bind() -> sa.Connection:
    return op.get_bind()


def _seal(ring: Keyring) -> None:
    _bind().execute(sa.text("INSERT INTO master_keys VALUES (:id, now())"), {"id": ring.newest.id})
    _each("record_versions", ["handover_id", "version"], ["header"], lambda row: _version(ring, row))
    for table in ("consents", "consent_withdrawals"):
        _each(table, ["id"], ["document"], lambda row, table=table: _document(ring, table, row))
    _each("handovers", ["id"], ["person_in_charge", "reason", "domains"], lambda row: _notes(ring, row))
    _each(
        "idempotent_answers",
        ["organization_id", "client_id", "key"],
        ["request_hash", "status", "headers", "body"],
        lambda row: _answer(ring, row),
    )


def _each(table: str, key: list[str], texts: list[str], change: Callable[[Row], Row]) -> None:
    """Every row has the members that `change` makes of it."""
    for rows in _batches(f"SELECT {', '.join([*key, *texts])} FROM {table}", key):  # noqa: S608  only names of ours
        made = [{f"k_{name}": row[name] for name in key} | change(row) for row in rows]
        same = " AND ".join(f"{name} = :k_{name}" for name in key)
        new = ", ".join(f"{name} = :{name}" for name in made[0] if not name.startswith("k_"))
        _bind().execute(sa.text(f"UPDATE {table} SET {new} WHERE {same}"), made)  # noqa: S608  only names of ours


def _batches(select: str, key: list[str]) -> Iterator[list[Row]]:
    names, behind = ", ".join(key), ""
    values: Row = {"limit": BATCH}
    while True:
        statement = sa.text(f"{select} {behind} ORDER BY {names} LIMIT :limit")
        rows = [dict(row) for row in _bind().execute(statement, values).mappings()]
        if not rows:
            return
        yield rows
        behind = f"WHERE ({names}) > ({', '.join(f':after_{name}' for name in key)})"
        values |= {f"after_{name}": rows[-1][name] for name in key}


def _version(ring: Keyring, row: Row) -> Row:
    where = row["handover_id"], row["version"]
    key = ring.fresh("record_versions", *where)
    sections = _bind().execute(
        sa.text(
            "SELECT section, document, hash FROM record_sections WHERE handover_id = :handover AND version = :version"
        ),
        {"handover": where[0], "version": where[1]},
    )
    sealed = [
        {
            "handover": where[0],
            "version": where[1],
            "section": section,
            "document": key.seal(digest + document, "record_sections", *where, section),
        }
        for section, document, digest in sections.all()
    ]
    if sealed:
        _bind().execute(
            sa.text(
                "UPDATE record_sections SET document = :document"
                " WHERE handover_id = :handover AND version = :version AND section = :section"
            ),
            sealed,
        )
    return {"data_key": key.wrapped, "header": key.seal(row["header"], "record_versions", *where)}


def _document(ring: Keyring, table: str, row: Row) -> Row:
    key = ring.fresh(table, row["id"])
    return {"data_key": key.wrapped, "document": key.seal(row["document"], table, row["id"])}


def _notes(ring: Keyring, row: Row) -> Row:
    domains = json.loads(row["domains"])
    reasons = {one["domain"]: one.pop("reason") for one in domains if "reason" in one}
    said = {name: json.loads(row[name]) for name in ("person_in_charge", "reason") if row[name]}
    said |= {"reasons": reasons} if reasons else {}
    if not said:
        return {"data_key": None, "notes": None, "domains": row["domains"]}
    key = ring.fresh("handovers", row["id"])
    return {
        "data_key": key.wrapped,
        "notes": key.seal(_written(said), "handovers", row["id"]),
        "domains": _written(domains).decode(),
    }


def _answer(ring: Keyring, row: Row) -> Row:
    where = ("idempotent_answers", row["organization_id"], row["client_id"], row["key"])
    key = ring.fresh(*where)
    head = json.dumps([row["status"], json.loads(row["headers"])]).encode()
    text = row["request_hash"] + head + b"\n" + row["body"].encode()
    return {"data_key": key.wrapped, "answer": key.seal(text, *where)}


def _written(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _tidy() -> None:
    """The columns are as the rooms have them, and every table has been written anew."""
    op.drop_column("record_sections", "hash")
    for column in ("person_in_charge", "reason"):
        op.drop_column("handovers", column)
    for column in ("request_hash", "status", "headers", "body"):
        op.drop_column("idempotent_answers", column)
    for table in ("record_versions", "consents", "consent_withdrawals", "idempotent_answers"):
        op.alter_column(table, "data_key", nullable=False)
    op.alter_column("idempotent_answers", "answer", nullable=False)
    op.create_check_constraint(
        op.f("handovers_notes_check"), "handovers", "(notes IS NULL) = (data_key IS NULL)"
    )
    for table, column in (*TEXTS, ("handovers", "notes"), ("idempotent_answers", "answer")):
        # The expression, which changes nothing, makes PostgreSQL write the whole table, without what was dropped or
        # updated. Nothing is to be gained from compressing what is sealed.
        op.execute(f"ALTER TABLE {table} ALTER {column} TYPE bytea USING substr({column}, 1)")
        op.execute(f"ALTER TABLE {table} ALTER {column} SET STORAGE EXTERNAL")
    for column, comment in COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN {column} IS '{comment}'")
