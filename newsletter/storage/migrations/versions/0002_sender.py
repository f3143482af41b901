"""the sender: states of a mailing, claims with their time, buckets, appointments"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    many = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "bucket",
        sa.Column("key", AutoString(), nullable=False),
        sa.Column("tokens", sa.Float(), nullable=False),
        sa.Column("filled_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_bucket")),
    )
    op.create_table(
        "appointment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", AutoString(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("issue_id", sa.Integer(), nullable=True),
        sa.Column("approved_hash", AutoString(), nullable=False),
        sa.Column("state", AutoString(), nullable=False),
        sa.Column("note", AutoString(), nullable=False),
        sa.Column("made_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_appointment_issue_id_issue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointment")),
        sa.UniqueConstraint("key", name=op.f("uq_appointment_key")),
    )
    with op.batch_alter_table("appointment") as batch_op:
        batch_op.create_index(batch_op.f("ix_appointment_at"), ["at"], unique=False)
    with op.batch_alter_table("mailing") as batch_op:
        # whatever was begun goes on; the sender marks as finished what has nothing left
        batch_op.add_column(sa.Column("state", AutoString(), nullable=False, server_default="running"))
        batch_op.add_column(sa.Column("why", AutoString(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("canary_through", many, nullable=True))
    with op.batch_alter_table("delivery") as batch_op:
        batch_op.alter_column("id", existing_type=sa.Integer(), type_=many, existing_nullable=False)
        batch_op.add_column(sa.Column("claimed_at", UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("reply_class", AutoString(), nullable=True))
        batch_op.add_column(sa.Column("server", AutoString(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("size_bytes", sa.Integer(), nullable=True))
        batch_op.drop_index("ix_delivery_next")
        batch_op.create_index("ix_delivery_left", ["mailing_id", "state", "id"], unique=False)
        batch_op.create_index(
            "ix_delivery_deferred",
            ["next_at"],
            unique=False,
            sqlite_where=sa.text("state = 'deferred'"),
            postgresql_where=sa.text("state = 'deferred'"),
        )
    op.execute("UPDATE attempt SET verdict = 'unknown' WHERE verdict IS NULL")
    with op.batch_alter_table("attempt") as batch_op:
        batch_op.alter_column("id", existing_type=sa.Integer(), type_=many, existing_nullable=False)
        batch_op.alter_column("delivery_id", existing_type=sa.Integer(), type_=many, existing_nullable=False)
        batch_op.alter_column("verdict", existing_type=AutoString(), nullable=False)
        batch_op.drop_column("claim")


def downgrade() -> None:
    many = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    with op.batch_alter_table("attempt") as batch_op:
        batch_op.add_column(sa.Column("claim", AutoString(), nullable=False, server_default=""))
        batch_op.alter_column("verdict", existing_type=AutoString(), nullable=True)
        batch_op.alter_column("delivery_id", existing_type=many, type_=sa.Integer(), existing_nullable=False)
        batch_op.alter_column("id", existing_type=many, type_=sa.Integer(), existing_nullable=False)
    with op.batch_alter_table("delivery") as batch_op:
        batch_op.drop_index("ix_delivery_deferred")
        batch_op.drop_index("ix_delivery_left")
        batch_op.create_index("ix_delivery_next", ["mailing_id", "state", "next_at", "id"], unique=False)
        batch_op.drop_column("size_bytes")
        batch_op.drop_column("server")
        batch_op.drop_column("reply_class")
        batch_op.drop_column("claimed_at")
        batch_op.alter_column("id", existing_type=many, type_=sa.Integer(), existing_nullable=False)
    with op.batch_alter_table("mailing") as batch_op:
        batch_op.drop_column("canary_through")
        batch_op.drop_column("why")
        batch_op.drop_column("state")
    op.drop_table("appointment")
    op.drop_table("bucket")
