"""Organizations' own providers of sign-in (OpenID Connect), ways to them, and who members of staff are there."""

import sqlalchemy as sa
from alembic import op

revision = "0034_openid"
down_revision = "0033_activities"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "openid_providers",
        sa.Column("organization_id", sa.Uuid, sa.ForeignKey("organizations.id"), primary_key=True),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("second_factor_stated", sa.Boolean, nullable=False, comment="that it always asks for one"),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data_key", sa.LargeBinary, nullable=False),
        sa.Column(
            "client_secret", sa.LargeBinary, nullable=False, comment="sealed: what we show the provider"
        ),
    )
    op.create_table(
        "openid_ways",
        sa.Column("state_hash", sa.LargeBinary, primary_key=True),
        sa.Column(
            "browser_hash",
            sa.LargeBinary,
            nullable=False,
            comment="SHA-256 of what the browser's cookie holds",
        ),
        sa.Column("nonce_hash", sa.LargeBinary, nullable=False),
        sa.Column(
            "organization_id",
            sa.Uuid,
            sa.ForeignKey("openid_providers.organization_id", ondelete="CASCADE"),
            nullable=False,
            index=True,
        ),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False, index=True),
        sa.Column("back", sa.Text, nullable=False, comment="the page where they wanted to go"),
        sa.Column("member_id", sa.Uuid, sa.ForeignKey("staff_members.id"), nullable=True, index=True),
        sa.Column("invitation_hash", sa.LargeBinary, nullable=True),
        sa.CheckConstraint(
            "purpose IN ('sign_in', 'confirm', 'join', 'link')", name="openid_ways_purpose_check"
        ),
    )
    op.add_column(
        "staff_members",
        sa.Column(
            "openid_issuer",
            sa.Text,
            nullable=True,
            comment="of the provider at which the member is `openid_subject`",
        ),
    )
    op.add_column("staff_members", sa.Column("openid_subject", sa.Text, nullable=True))
    op.create_unique_constraint(
        "staff_members_openid_issuer_openid_subject_key", "staff_members", ["openid_issuer", "openid_subject"]
    )
