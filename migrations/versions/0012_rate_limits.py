"""How often somebody has asked in a minute, as the processes tell each other; in a table that a crash empties."""

import sqlalchemy as sa
from alembic import op

revision = "0012_rate_limits"
down_revision = "0011_row_security"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rate_counts",
        sa.Column("minute", sa.BigInteger, primary_key=True, autoincrement=False, comment="since 1970"),
        sa.Column("subject", sa.Text, primary_key=True, comment="policy and whom it counts"),
        sa.Column("count", sa.Integer, nullable=False),
        prefixes=["UNLOGGED"],
    )
