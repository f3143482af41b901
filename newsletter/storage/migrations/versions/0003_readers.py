"""readers: sign-ups, letters, where consent came from, what topics are about, the archive and its words"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("topic") as batch_op:
        batch_op.add_column(sa.Column("about_zh", AutoString(length=200), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("about_en", AutoString(length=200), nullable=False, server_default=""))
    with op.batch_alter_table("consent") as batch_op:
        batch_op.add_column(sa.Column("wording", AutoString(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("origin", AutoString(length=64), nullable=False, server_default=""))
    with op.batch_alter_table("issue") as batch_op:
        batch_op.add_column(sa.Column("published_revision_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("published_at", UTCDateTime(), nullable=True))
    _readers()
    _archive()


def _readers() -> None:
    op.create_table(
        "sign_up",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", AutoString(length=32), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=True),
        sa.Column("address", AutoString(length=320), nullable=False),
        sa.Column("ascii_address", AutoString(length=320), nullable=False),
        sa.Column("address_key", AutoString(length=320), nullable=False),
        sa.Column("preferences", sa.JSON(), nullable=False),
        sa.Column("source", AutoString(), nullable=False),
        sa.Column("wording", AutoString(), nullable=False),
        sa.Column("origin", AutoString(length=64), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("confirmed_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["subscriber_id"], ["subscriber.id"], name=op.f("fk_sign_up_subscriber_id_subscriber")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_up")),
        sa.UniqueConstraint("public_id", name=op.f("uq_sign_up_public_id")),
    )
    for column in ("subscriber_id", "address_key", "created_at"):
        op.create_index(op.f(f"ix_sign_up_{column}"), "sign_up", [column], unique=False)
    op.create_table(
        "letter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", AutoString(length=32), nullable=False),
        sa.Column("kind", AutoString(length=16), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=True),
        sa.Column("sign_up_id", sa.Integer(), nullable=True),
        sa.Column("address", AutoString(length=320), nullable=False),
        sa.Column("address_hash", AutoString(length=64), nullable=False),
        sa.Column("mailbox_hash", AutoString(length=64), nullable=False),
        sa.Column("origin", AutoString(length=64), nullable=False),
        sa.Column("language", AutoString(length=16), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("state", AutoString(length=16), nullable=False),
        sa.Column("next_at", UTCDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claimed_at", UTCDateTime(), nullable=True),
        sa.Column("reply", AutoString(), nullable=False),
        sa.Column("settled_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["subscriber_id"], ["subscriber.id"], name=op.f("fk_letter_subscriber_id_subscriber")),
        sa.ForeignKeyConstraint(["sign_up_id"], ["sign_up.id"], name=op.f("fk_letter_sign_up_id_sign_up")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter")),
        sa.UniqueConstraint("public_id", name=op.f("uq_letter_public_id")),
    )
    for column in ("subscriber_id", "sign_up_id", "address_hash", "mailbox_hash", "origin", "created_at"):
        op.create_index(op.f(f"ix_letter_{column}"), "letter", [column], unique=False)
    waiting = sa.text("state IN ('queued', 'in hand')")
    op.create_index("ix_letter_due", "letter", ["next_at"], sqlite_where=waiting, postgresql_where=waiting)


def _archive() -> None:
    op.create_table(
        "archived_story",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("issue_id", sa.Integer(), nullable=False),
        sa.Column("story_id", AutoString(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_archived_story_issue_id_issue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archived_story")),
        sa.UniqueConstraint("issue_id", "story_id", name=op.f("uq_archived_story_issue_id")),
    )
    op.create_index(op.f("ix_archived_story_date"), "archived_story", ["date"], unique=False)
    op.create_table(
        "archived_topic",
        sa.Column("topic", AutoString(), nullable=False),
        sa.Column("archived_story_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["archived_story_id"],
            ["archived_story.id"],
            name=op.f("fk_archived_topic_archived_story_id_archived_story"),
        ),
        sa.PrimaryKeyConstraint("topic", "archived_story_id", name=op.f("pk_archived_topic")),
    )
    op.create_index(op.f("ix_archived_topic_archived_story_id"), "archived_topic", ["archived_story_id"], unique=False)
    if op.get_bind().dialect.name == "sqlite":
        op.execute("CREATE VIRTUAL TABLE archived_words USING fts5(words, tokenize = 'unicode61')")
        return
    op.execute("CREATE TABLE archived_words (id integer PRIMARY KEY, words tsvector NOT NULL)")
    op.execute("CREATE INDEX ix_archived_words_words ON archived_words USING gin (words)")
