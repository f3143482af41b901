"""desk: staff and their sessions, what they did, who saved and approved, pictures, test lists, links, settings"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("revision") as batch_op:
        batch_op.add_column(sa.Column("saved_by", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("saved_at", UTCDateTime(), nullable=True))
    with op.batch_alter_table("issue") as batch_op:
        batch_op.add_column(sa.Column("approved_by", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("asked_revision_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("asked_by", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("asked_at", UTCDateTime(), nullable=True))
    with op.batch_alter_table("mailing") as batch_op:
        batch_op.add_column(sa.Column("canary", sa.Integer(), nullable=True))
    op.create_index(op.f("ix_consent_at"), "consent", ["at"], unique=False)
    _staff()
    _reader_lists()
    _editing()


def _staff() -> None:
    op.create_table(
        "staff",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", AutoString(length=32), nullable=False),
        sa.Column("address", AutoString(length=320), nullable=False),
        sa.Column("name", AutoString(length=200), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("password_hash", AutoString(), nullable=True),
        sa.Column("totp_secret", AutoString(length=64), nullable=True),
        sa.Column("totp_step", sa.Integer(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("invited_at", UTCDateTime(), nullable=True),
        sa.Column("removed_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("public_id", name=op.f("uq_staff_public_id")),
        sa.UniqueConstraint("address", name=op.f("uq_staff_address")),
    )
    op.create_table(
        "staff_session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", AutoString(length=64), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("origin", AutoString(length=64), nullable=False),
        sa.Column("browser", AutoString(length=200), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_session_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_staff_session_token_hash")),
    )
    op.create_index(op.f("ix_staff_session_staff_id"), "staff_session", ["staff_id"], unique=False)
    op.create_table(
        "failed_login",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("name_hash", AutoString(length=64), nullable=False),
        sa.Column("origin", AutoString(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_failed_login")),
    )
    for column in ("at", "name_hash", "origin"):
        op.create_index(op.f(f"ix_failed_login_{column}"), "failed_login", [column], unique=False)
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("who", AutoString(), nullable=False),
        sa.Column("action", AutoString(length=32), nullable=False),
        sa.Column("subject", AutoString(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    for column in ("at", "subject"):
        op.create_index(op.f(f"ix_audit_{column}"), "audit", [column], unique=False)


def _reader_lists() -> None:
    op.create_table(
        "reader_list",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", AutoString(length=32), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("name", AutoString(length=200), nullable=False),
        sa.Column("state", AutoString(length=16), nullable=False),
        sa.Column("made_at", UTCDateTime(), nullable=False),
        sa.Column("begun_at", UTCDateTime(), nullable=True),
        sa.Column("done_at", UTCDateTime(), nullable=True),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reader_list")),
        sa.UniqueConstraint("key", name=op.f("uq_reader_list_key")),
    )
    op.create_table(
        "reader_list_piece",
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["reader_list.id"], name=op.f("fk_reader_list_piece_list_id_reader_list")),
        sa.PrimaryKeyConstraint("list_id", "number", name=op.f("pk_reader_list_piece")),
    )


def _editing() -> None:
    op.create_table(
        "image",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", AutoString(length=64), nullable=False),
        sa.Column("media_type", AutoString(length=16), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("name", AutoString(length=200), nullable=False),
        sa.Column("alt", AutoString(length=500), nullable=False),
        sa.Column("made_at", UTCDateTime(), nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_image")),
        sa.UniqueConstraint("key", name=op.f("uq_image_key")),
    )
    op.create_table(
        "test_list",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", AutoString(length=100), nullable=False),
        sa.Column("addresses", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_test_list")),
        sa.UniqueConstraint("name", name=op.f("uq_test_list_name")),
    )
    op.create_table(
        "checked_link",
        sa.Column("url_hash", AutoString(length=64), nullable=False),
        sa.Column("url", AutoString(), nullable=False),
        sa.Column("checked_at", UTCDateTime(), nullable=False),
        sa.Column("verdict", AutoString(length=16), nullable=False),
        sa.Column("detail", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("url_hash", name=op.f("pk_checked_link")),
    )
    op.create_table(
        "chosen_setting",
        sa.Column("name", AutoString(length=64), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("changed_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_chosen_setting")),
    )


def downgrade() -> None:
    op.drop_table("reader_list_piece")
    op.drop_table("reader_list")
    op.drop_index(op.f("ix_consent_at"), "consent")
    for table in ("chosen_setting", "checked_link", "test_list", "image", "audit", "failed_login", "staff_session"):
        op.drop_table(table)
    op.drop_table("staff")
    with op.batch_alter_table("mailing") as batch_op:
        batch_op.drop_column("canary")
    with op.batch_alter_table("issue") as batch_op:
        for column in ("asked_at", "asked_by", "asked_revision_id", "approved_by"):
            batch_op.drop_column(column)
    with op.batch_alter_table("revision") as batch_op:
        batch_op.drop_column("saved_at")
        batch_op.drop_column("saved_by")
