"""Tables of sending: a mailing, one delivery per candidate, and every attempt at it."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel


class Mailing(SQLModel, table=True):
    """One planned send of an issue's approved revision, with a snapshot of the settings that show in the mail.

    `key` is random and part of every Message-ID; `audience_through` is the highest subscriber id when planning began,
    and `planned_through` how far the rows reach: equal when the plan is complete.
    """

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    issue_id: int = Field(foreign_key="issue.id", unique=True)
    revision_id: int = Field(foreign_key="revision.id")
    theme: str
    compiled_hashes: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    due: datetime
    audience_through: int
    planned_through: int = 0
    created_at: datetime


class MailingStory(SQLModel, table=True):
    """A story that a mailing may bring to its readers: what tells, later, who may have had it."""

    __tablename__ = "mailing_story"

    mailing_id: int = Field(foreign_key="mailing.id", primary_key=True)
    story_id: str = Field(primary_key=True, index=True)


class Delivery(SQLModel, table=True):
    """What one candidate of a mailing gets, when, and what became of it; a row is never deleted.

    `due` is frozen and becomes the message's Date; `next_at` is when the row may be claimed, and moves when it is
    deferred. `edition` is a list of [topic, [story ids]]; `slots` holds the personal values of the message, so that it
    can be built again byte for byte, and is emptied when the reader asks to be forgotten. `claim` names the sender that
    has the row in hand. `attempts` counts every try, `deferrals` those that were charged to the reader.
    """

    __table_args__ = (
        UniqueConstraint("mailing_id", "subscriber_id"),
        Index("ix_delivery_next", "mailing_id", "state", "next_at", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    mailing_id: int = Field(foreign_key="mailing.id")
    subscriber_id: int = Field(foreign_key="subscriber.id", index=True)
    address: str | None = None
    state: str
    reason: str | None = None
    due: datetime
    next_at: datetime
    language: str
    edition: list[Any] = Field(sa_column=Column(JSON, nullable=False))
    slots: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    attempts: int = 0
    deferrals: int = 0
    claim: str | None = None
    stage: str | None = None
    code: int | None = None
    reply: str | None = None
    settled_at: datetime | None = None


class Attempt(SQLModel, table=True):
    """One try at a delivery: begun before the message is handed over, ended with the server's answer.

    An attempt without an end belongs to a process that died with the row in hand.
    """

    __table_args__ = (UniqueConstraint("delivery_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    delivery_id: int = Field(foreign_key="delivery.id")
    number: int
    claim: str
    started_at: datetime
    ended_at: datetime | None = None
    verdict: str | None = None
    stage: str | None = None
    code: int | None = None
    reply: str | None = None
    server: str
    size_bytes: int | None = None
