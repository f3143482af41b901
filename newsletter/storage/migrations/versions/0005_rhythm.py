"""rhythm: own hours and days, digests, what a story tells again, and the witness of the database"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("subscriber") as batch_op:
        batch_op.add_column(sa.Column("day", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("frequencies", sa.JSON(), nullable=False, server_default="{}"))
    with op.batch_alter_table("issue") as batch_op:
        batch_op.add_column(sa.Column("is_digest", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("mailing") as batch_op:
        batch_op.add_column(sa.Column("days", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column("at_once", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("appointment") as batch_op:
        batch_op.add_column(sa.Column("is_digest", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("reminded_at", UTCDateTime(), nullable=True))
    op.drop_index("ix_delivery_left", table_name="delivery")
    op.create_index("ix_delivery_left", "delivery", ["mailing_id", "state", "next_at", "id"], unique=False)
    unknown = sa.text("state = 'unknown'")
    op.create_index("ix_delivery_unknown", "delivery", ["settled_at"], sqlite_where=unknown, postgresql_where=unknown)
    for table, column in (("mailing", "state"), ("appointment", "state"), ("issue", "date")):
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column], unique=False)
    _stories()
    op.create_table(
        "witness",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", AutoString(length=32), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("held", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_witness")),
    )


def _stories() -> None:
    with op.batch_alter_table("mailing_story") as batch_op:
        batch_op.drop_index(op.f("ix_mailing_story_story_id"))
        batch_op.add_column(sa.Column("root", AutoString(), nullable=False, server_default=""))
    op.execute("UPDATE mailing_story SET root = story_id")
    op.create_index(op.f("ix_mailing_story_root"), "mailing_story", ["root"], unique=False)
    with op.batch_alter_table("story") as batch_op:
        for name in ("root", "title_key", "url_key"):
            batch_op.add_column(sa.Column(name, AutoString(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("sketch", sa.LargeBinary(), nullable=False, server_default=sa.text("''")))
    op.execute("UPDATE story SET root = story_id")
    for name in ("root", "title_key", "url_key"):
        op.create_index(op.f(f"ix_story_{name}"), "story", [name], unique=False)
    op.create_table(
        "story_hash",
        sa.Column("hash", sa.BigInteger(), nullable=False),
        sa.Column("story_row_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["story_row_id"], ["story.id"], name=op.f("fk_story_hash_story_row_id_story")),
        sa.PrimaryKeyConstraint("hash", "story_row_id", name=op.f("pk_story_hash")),
    )
    op.create_index(op.f("ix_story_hash_story_row_id"), "story_hash", ["story_row_id"], unique=False)
