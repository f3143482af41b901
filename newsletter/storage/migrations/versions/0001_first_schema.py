"""the first schema"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "address_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_key")),
    )
    op.create_table(
        "issue",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", AutoString(), nullable=False),
        sa.Column("title", AutoString(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("approved_revision_id", sa.Integer(), nullable=True),
        sa.Column("approved_hash", AutoString(), nullable=True),
        sa.Column("approved_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issue")),
        sa.UniqueConstraint("slug", name=op.f("uq_issue_slug")),
    )
    op.create_table(
        "subscriber",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", AutoString(length=32), nullable=False),
        sa.Column("address", AutoString(length=320), nullable=True),
        sa.Column("ascii_address", AutoString(length=320), nullable=True),
        sa.Column("address_key", AutoString(length=320), nullable=True),
        sa.Column("address_hash", AutoString(length=64), nullable=True),
        sa.Column("name", AutoString(length=200), nullable=False),
        sa.Column(
            "state",
            sa.Enum("active", "paused", "pending", "unsubscribed", name="state", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column("paused_until", UTCDateTime(), nullable=True),
        sa.Column("topics", sa.JSON(), nullable=False),
        sa.Column(
            "frequency", sa.Enum("daily", "weekly", name="frequency", native_enum=False, length=16), nullable=False
        ),
        sa.Column("language", AutoString(length=16), nullable=False),
        sa.Column("zone", AutoString(length=64), nullable=True),
        sa.Column("hour", sa.Integer(), nullable=True),
        sa.Column("most", sa.Integer(), nullable=True),
        sa.Column("follow", sa.JSON(), nullable=False),
        sa.Column("mute", sa.JSON(), nullable=False),
        sa.Column("format", sa.Enum("html", "text", name="mailformat", native_enum=False, length=16), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriber")),
        sa.UniqueConstraint("address_key", name=op.f("uq_subscriber_address_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_subscriber_public_id")),
    )
    with op.batch_alter_table("subscriber", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_subscriber_address_hash"), ["address_hash"], unique=False)
        batch_op.create_index(batch_op.f("ix_subscriber_state"), ["state"], unique=False)

    op.create_table(
        "suppression",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("address_key_hash", AutoString(length=64), nullable=False),
        sa.Column("address", AutoString(length=320), nullable=True),
        sa.Column("reason", AutoString(length=32), nullable=False),
        sa.Column("note", AutoString(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppression")),
        sa.UniqueConstraint("address_key_hash", name=op.f("uq_suppression_address_key_hash")),
    )
    op.create_table(
        "topic",
        sa.Column("slug", AutoString(length=40), nullable=False),
        sa.Column("zh", AutoString(length=80), nullable=False),
        sa.Column("en", AutoString(length=80), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("aliases", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_topic")),
    )
    op.create_table(
        "consent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("kind", AutoString(length=32), nullable=False),
        sa.Column("detail", AutoString(), nullable=False),
        sa.Column("source", AutoString(), nullable=False),
        sa.ForeignKeyConstraint(["subscriber_id"], ["subscriber.id"], name=op.f("fk_consent_subscriber_id_subscriber")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_consent_subscriber_id"), ["subscriber_id"], unique=False)

    op.create_table(
        "revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("issue_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("source", sa.LargeBinary(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("content_hash", AutoString(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_revision_issue_id_issue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revision")),
        sa.UniqueConstraint("issue_id", "number", name=op.f("uq_revision_issue_id")),
    )
    op.create_table(
        "story",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("issue_id", sa.Integer(), nullable=False),
        sa.Column("story_id", AutoString(), nullable=False),
        sa.Column("title", AutoString(), nullable=False),
        sa.Column("url", AutoString(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_story_issue_id_issue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_story")),
        sa.UniqueConstraint("issue_id", "story_id", name=op.f("uq_story_issue_id")),
    )
    with op.batch_alter_table("story", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_story_issue_id"), ["issue_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_story_story_id"), ["story_id"], unique=False)

    op.create_table(
        "compiled",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("theme", AutoString(), nullable=False),
        sa.Column("language", AutoString(), nullable=False),
        sa.Column("content_hash", AutoString(), nullable=False),
        sa.Column("document", AutoString(), nullable=False),
        sa.ForeignKeyConstraint(["revision_id"], ["revision.id"], name=op.f("fk_compiled_revision_id_revision")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_compiled")),
        sa.UniqueConstraint("revision_id", "theme", "language", "content_hash", name=op.f("uq_compiled_revision_id")),
    )
    op.create_table(
        "mailing",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", AutoString(), nullable=False),
        sa.Column("issue_id", sa.Integer(), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("theme", AutoString(), nullable=False),
        sa.Column("compiled_hashes", sa.JSON(), nullable=False),
        sa.Column("due", UTCDateTime(), nullable=False),
        sa.Column("audience_through", sa.Integer(), nullable=False),
        sa.Column("planned_through", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_mailing_issue_id_issue")),
        sa.ForeignKeyConstraint(["revision_id"], ["revision.id"], name=op.f("fk_mailing_revision_id_revision")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailing")),
        sa.UniqueConstraint("issue_id", name=op.f("uq_mailing_issue_id")),
        sa.UniqueConstraint("key", name=op.f("uq_mailing_key")),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mailing_id", sa.Integer(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("address", AutoString(), nullable=True),
        sa.Column("state", AutoString(), nullable=False),
        sa.Column("reason", AutoString(), nullable=True),
        sa.Column("due", UTCDateTime(), nullable=False),
        sa.Column("next_at", UTCDateTime(), nullable=False),
        sa.Column("language", AutoString(), nullable=False),
        sa.Column("edition", sa.JSON(), nullable=False),
        sa.Column("slots", sa.JSON(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("deferrals", sa.Integer(), nullable=False),
        sa.Column("claim", AutoString(), nullable=True),
        sa.Column("stage", AutoString(), nullable=True),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("reply", AutoString(), nullable=True),
        sa.Column("settled_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["mailing_id"], ["mailing.id"], name=op.f("fk_delivery_mailing_id_mailing")),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_delivery_subscriber_id_subscriber")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("mailing_id", "subscriber_id", name=op.f("uq_delivery_mailing_id")),
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index("ix_delivery_next", ["mailing_id", "state", "next_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_delivery_subscriber_id"), ["subscriber_id"], unique=False)

    op.create_table(
        "mailing_story",
        sa.Column("mailing_id", sa.Integer(), nullable=False),
        sa.Column("story_id", AutoString(), nullable=False),
        sa.ForeignKeyConstraint(["mailing_id"], ["mailing.id"], name=op.f("fk_mailing_story_mailing_id_mailing")),
        sa.PrimaryKeyConstraint("mailing_id", "story_id", name=op.f("pk_mailing_story")),
    )
    with op.batch_alter_table("mailing_story", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mailing_story_story_id"), ["story_id"], unique=False)

    op.create_table(
        "attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("delivery_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("claim", AutoString(), nullable=False),
        sa.Column("started_at", UTCDateTime(), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("verdict", AutoString(), nullable=True),
        sa.Column("stage", AutoString(), nullable=True),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("reply", AutoString(), nullable=True),
        sa.Column("server", AutoString(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name=op.f("fk_attempt_delivery_id_delivery")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
        sa.UniqueConstraint("delivery_id", "number", name=op.f("uq_attempt_delivery_id")),
    )


def downgrade() -> None:
    op.drop_table("attempt")
    with op.batch_alter_table("mailing_story", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mailing_story_story_id"))

    op.drop_table("mailing_story")
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_delivery_subscriber_id"))
        batch_op.drop_index("ix_delivery_next")

    op.drop_table("delivery")
    op.drop_table("mailing")
    op.drop_table("compiled")
    with op.batch_alter_table("story", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_story_story_id"))
        batch_op.drop_index(batch_op.f("ix_story_issue_id"))

    op.drop_table("story")
    op.drop_table("revision")
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_consent_subscriber_id"))

    op.drop_table("consent")
    op.drop_table("topic")
    op.drop_table("suppression")
    with op.batch_alter_table("subscriber", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_subscriber_state"))
        batch_op.drop_index(batch_op.f("ix_subscriber_address_hash"))

    op.drop_table("subscriber")
    op.drop_table("issue")
    op.drop_table("address_key")
