"""Tables of issues: an issue, its revisions, what was compiled of them, the pictures in them; and of settings."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel


class AddressKeyRow(SQLModel, table=True):
    """The fingerprint of the key that hashes addresses; one row."""

    __tablename__ = "address_key"

    id: int = Field(primary_key=True)
    fingerprint: str


class IssueRow(SQLModel, table=True):
    """One publication, known to people by its slug; approval points at one of its revisions and at what that showed.

    The archive shows the revision that was published last, from the moment its first mailing began. `approved_by` and
    `asked_by` are ids of staff, None for the command line; `asked_revision_id` is what a second person was asked to
    approve. `is_digest` tells those that were made of the stories of others: no archive shows them, for it has their
    stories, and no repeats are looked for in them.
    """

    __tablename__ = "issue"
    __table_args__ = (Index("ix_issue_date", "date"),)

    id: int | None = Field(default=None, primary_key=True)
    slug: str = Field(unique=True)
    title: str
    date: date
    is_digest: bool = False
    created_at: datetime
    approved_revision_id: int | None = None
    approved_hash: str | None = None
    approved_at: datetime | None = None
    approved_by: int | None = None
    asked_revision_id: int | None = None
    asked_by: int | None = None
    asked_at: datetime | None = None
    published_revision_id: int | None = None
    published_at: datetime | None = None


class RevisionRow(SQLModel, table=True):
    """One saved state of an issue: the text as it came, what was read from it, and the findings of that reading.

    `saved_by` is the id of the member of staff who wrote it, None for the command line. While one person goes on
    writing, the newest revision is written over; `saved_at` is when that happened last.
    """

    __tablename__ = "revision"
    __table_args__ = (UniqueConstraint("issue_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    issue_id: int = Field(foreign_key="issue.id")
    number: int
    source: bytes
    document: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    content_hash: str
    created_at: datetime
    saved_by: int | None = None
    saved_at: datetime | None = None


class StoryRow(SQLModel, table=True):
    """Where a story stood, for finding repeats across issues: one row per story of an issue's newest revision.

    What readers had of it and was cut since has a row as well. `root` is the id of the first story that this one tells
    again, in some earlier issue; its own where it is news or goes on with it, with the issue's id behind it where an
    earlier story has that id. Who had a story of the same root had this one. `sketch` holds the smallest hashes of its
    text (see `newsletter.content.likeness`), eight bytes each.
    """

    __tablename__ = "story"
    __table_args__ = (UniqueConstraint("issue_id", "story_id"),)

    id: int | None = Field(default=None, primary_key=True)
    issue_id: int = Field(foreign_key="issue.id", index=True)
    story_id: str = Field(index=True)
    root: str = Field(default="", index=True)
    title: str
    url: str
    title_key: str = Field(default="", index=True)
    url_key: str = Field(default="", index=True)
    sketch: bytes = b""


class StoryHash(SQLModel, table=True):
    """One of the smallest hashes of a story's text: what finds the stories that may be alike without reading them."""

    __tablename__ = "story_hash"

    hash: int = Field(sa_type=BigInteger, primary_key=True)
    story_row_id: int = Field(foreign_key="story.id", primary_key=True, index=True)


class WitnessRow(SQLModel, table=True):
    """What the database knows of its witness, a small file beside it (see `newsletter.storage.witness`); one row.

    `name` is random and tells the witness of one database from that of another; `sequence` grows with everything that
    is sent. `held` says why nothing may be sent until a person says go on; empty as a rule.
    """

    __tablename__ = "witness"

    id: int = Field(primary_key=True)
    name: str = Field(max_length=32)
    sequence: int = Field(sa_type=BigInteger)
    held: str = ""


class CompiledRow(SQLModel, table=True):
    """A revision compiled for one theme and language, as it was approved."""

    __tablename__ = "compiled"
    __table_args__ = (UniqueConstraint("revision_id", "theme", "language", "content_hash"),)

    id: int | None = Field(default=None, primary_key=True)
    revision_id: int = Field(foreign_key="revision.id")
    theme: str
    language: str
    content_hash: str
    document: str


class ImageRow(SQLModel, table=True):
    """A picture that an editor uploaded, as it is served; `key` is in its address, sizes are in pixels."""

    __tablename__ = "image"

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True, max_length=64)
    media_type: str = Field(max_length=16)
    width: int
    height: int
    data: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    name: str = Field(max_length=200)
    alt: str = Field(max_length=500)
    made_at: datetime
    made_by: int | None = None


class ChosenSetting(SQLModel, table=True):
    """A setting that was chosen in the browser; it counts where neither environment nor file names it."""

    __tablename__ = "chosen_setting"

    name: str = Field(primary_key=True, max_length=64)
    value: Any = Field(sa_column=Column(JSON, nullable=False))
    changed_at: datetime
