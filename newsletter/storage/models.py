"""Tables of issues: an issue, its revisions, and what was compiled of a revision when it was approved."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column, UniqueConstraint
from sqlmodel import Field, SQLModel


class AddressKeyRow(SQLModel, table=True):
    """The fingerprint of the key that hashes addresses; one row."""

    __tablename__ = "address_key"

    id: int = Field(primary_key=True)
    fingerprint: str


class IssueRow(SQLModel, table=True):
    """One publication, known to people by its slug; approval points at one of its revisions and at what that showed.

    The archive shows the revision that was published last, from the moment its first mailing began.
    """

    __tablename__ = "issue"

    id: int | None = Field(default=None, primary_key=True)
    slug: str = Field(unique=True)
    title: str
    date: date
    created_at: datetime
    approved_revision_id: int | None = None
    approved_hash: str | None = None
    approved_at: datetime | None = None
    published_revision_id: int | None = None
    published_at: datetime | None = None


class RevisionRow(SQLModel, table=True):
    """One saved state of an issue: the text as it came, what was read from it, and the findings of that reading."""

    __tablename__ = "revision"
    __table_args__ = (UniqueConstraint("issue_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    issue_id: int = Field(foreign_key="issue.id")
    number: int
    source: bytes
    document: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    content_hash: str
    created_at: datetime


class StoryRow(SQLModel, table=True):
    """Where a story stood, for finding repeats across issues: one row per story of an issue's newest revision."""

    __tablename__ = "story"
    __table_args__ = (UniqueConstraint("issue_id", "story_id"),)

    id: int | None = Field(default=None, primary_key=True)
    issue_id: int = Field(foreign_key="issue.id", index=True)
    story_id: str = Field(index=True)
    title: str
    url: str


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
