"""Many handovers at once: copies of one that was made for real."""

from uuid import UUID

from sqlalchemy import text

from tsunagi.db import Database, WriteTx, columns, fetch
from tsunagi.ids import HandoverId, ordered_id
from tsunagi.records.store import opened
from tsunagi.sealing.keys import keys


async def copies(db: Database, handover_id: str, number: int) -> list[str]:
    """So many more handovers that differ from this one in nothing but the id."""
    ids = [ordered_id() for _ in range(number)]
    async with db.platform() as tx:
        for table, key in (
            ("handovers", "id"),
            ("record_versions", "handover_id"),
            ("record_sections", "handover_id"),
        ):
            names = await tx.scalars(
                text(
                    "SELECT column_name FROM information_schema.columns"
                    " WHERE table_name = :table AND column_name <> :key"
                ),
                {"table": table, "key": key},
            )
            listed = ", ".join(names)
            await tx.execute(
                text(
                    f"INSERT INTO {table} ({key}, {listed})"
                    f" SELECT copy, {listed} FROM {table}, unnest(CAST(:ids AS uuid[])) AS c (copy)"
                    f" WHERE {key} = :original"
                ),
                {"ids": ids, "original": UUID(handover_id)},
            )
        await _seal(tx, HandoverId(UUID(handover_id)), ids)
    return [str(one) for one in ids]


async def _seal(tx: WriteTx, original: HandoverId, ids: list[UUID]) -> None:
    """Texts open in their own place alone: each copy's are sealed anew."""
    (version,) = await fetch(tx, "SELECT * FROM record_versions WHERE handover_id = $1", original)
    parts = await fetch(tx, "SELECT section, document FROM record_sections WHERE handover_id = $1", original)
    read = opened(tx, original, 1, version["data_key"], version["header"], dict(map(tuple, parts)))
    headers, sections = [], []
    for one in ids:
        key = keys(tx).fresh("record_versions", one, 1)
        headers.append((one, key.wrapped, key.seal(read.header.encode(), "record_versions", one, 1)))
        sections += [
            (one, name, key.seal(read.hashes[name] + said.encode(), "record_sections", one, 1, name))
            for name, said in read.texts.items()
        ]
    await fetch(
        tx,
        "UPDATE record_versions v SET data_key = n.data_key, header = n.header"
        " FROM unnest($1::uuid[], $2::bytea[], $3::bytea[]) AS n (id, data_key, header) WHERE handover_id = n.id",
        *columns(headers),
    )
    await fetch(
        tx,
        "UPDATE record_sections s SET document = n.document"
        " FROM unnest($1::uuid[], $2::text[], $3::bytea[]) AS n (id, section, document)"
        " WHERE handover_id = n.id AND s.section = n.section",
        *columns(sections),
    )
