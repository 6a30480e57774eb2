"""Many handovers at once: copies of one that was made for real."""

from uuid import UUID

from sqlalchemy import text

from tsunagi.db import Database
from tsunagi.ids import ordered_id


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
            columns = ", ".join(names)
            await tx.execute(
                text(
                    f"INSERT INTO {table} ({key}, {columns})"
                    f" SELECT copy, {columns} FROM {table}, unnest(CAST(:ids AS uuid[])) AS c (copy)"
                    f" WHERE {key} = :original"
                ),
                {"ids": ids, "original": UUID(handover_id)},
            )
    return [str(one) for one in ids]
