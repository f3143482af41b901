"""Tables of sending: a mailing, one delivery per candidate, every attempt at it, and how fast a server may be used."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, Integer, UniqueConstraint, text
from sqlmodel import Field, SQLModel

_MANY = BigInteger().with_variant(Integer, "sqlite")
"""Numbers of rows of which a million a day may come; SQLite's own integers are wide enough, and only those count up."""


class Mailing(SQLModel, table=True):
    """One planned send of an issue's approved revision, with a snapshot of the settings that show in the mail.

    `days` is None for an issue that goes to everybody; a weekly digest goes to those whose day of the week is among
    these (0 is Monday; None stands for whoever chose none). `key` is part of every Message-ID (see
    `plan.mailing_key`), and `due` is its release: the moment it was meant to begin, from which on each reader's own
    hour counts (`local_hour.py`), unless it goes to everybody `at_once`. `audience_through` is the highest subscriber
    id when planning began, and `planned_through` how far the rows reach: equal when the plan is complete. `state` and
    `why` are explained in `control.py`; `canary` is how many readers go first where that was chosen for this mailing,
    and `canary_through` the last delivery that may be claimed before they were looked at.
    """

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    issue_id: int = Field(foreign_key="issue.id", unique=True)
    revision_id: int = Field(foreign_key="revision.id")
    theme: str
    compiled_hashes: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    days: list[int | None] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True), nullable=True))
    due: datetime
    at_once: bool = False
    audience_through: int
    planned_through: int = 0
    created_at: datetime
    state: str = Field(index=True)
    why: str = ""
    canary: int | None = None
    canary_through: int | None = Field(default=None, sa_type=_MANY)


class MailingStory(SQLModel, table=True):
    """A story that a mailing may bring to its readers: what tells, later, who may have had it.

    `root` is that of its `StoryRow` when the mailing began.
    """

    __tablename__ = "mailing_story"

    mailing_id: int = Field(foreign_key="mailing.id", primary_key=True)
    story_id: str = Field(primary_key=True)
    root: str = Field(default="", index=True)


class Delivery(SQLModel, table=True):
    """What one candidate of a mailing gets, when, and what became of it; a row is never deleted.

    `due` is the reader's own hour, becomes the message's Date, and stays unless the reader moves it or a person has it
    sent again; `next_at` is when the row may be
    claimed, and moves when it is deferred. `edition` is a list of [topic, [story ids]]; `slots` holds the personal
    values of the message, so that it can be built again byte for byte, and is emptied when the reader asks to be
    forgotten. `claim` names the sender that has, or had, the row in hand, and `claimed_at` since when. `attempts`
    counts every try, `deferrals` those that were charged to the reader. What the last try came to stands here: to which
    `server`, how far, its reply and what that says about the address (`reply_class`); earlier tries are in `attempt`.
    """

    __table_args__ = (
        UniqueConstraint("mailing_id", "subscriber_id"),
        # what waits stands in the order of its hour, so that nobody looks at those whose hour is to come; and a job
        # claims what is left of its range of ids, so its rows stand together and none that is done is passed
        Index("ix_delivery_left", "mailing_id", "state", "next_at", "id"),
        Index(
            "ix_delivery_deferred",
            "next_at",
            sqlite_where=text("state = 'deferred'"),
            postgresql_where=text("state = 'deferred'"),
        ),
        Index(
            "ix_delivery_unknown",
            "settled_at",
            sqlite_where=text("state = 'unknown'"),
            postgresql_where=text("state = 'unknown'"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=_MANY)
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
    claimed_at: datetime | None = None
    stage: str | None = None
    code: int | None = None
    reply: str | None = None
    reply_class: str | None = None
    server: str = ""
    size_bytes: int | None = None
    settled_at: datetime | None = None


class Attempt(SQLModel, table=True):
    """A try at a delivery that was not its last one.

    One without an end belongs to a process that died with the row in hand. `server` is empty when it came to none.
    """

    __table_args__ = (UniqueConstraint("delivery_id", "number"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=_MANY)
    delivery_id: int = Field(sa_column=Column(_MANY, ForeignKey("delivery.id"), nullable=False))
    number: int
    started_at: datetime
    ended_at: datetime | None = None
    verdict: str
    stage: str | None = None
    code: int | None = None
    reply: str | None = None
    server: str
    size_bytes: int | None = None


class Bucket(SQLModel, table=True):
    """How many messages may go to a server, or to some domains through it, right now: what all senders draw from."""

    key: str = Field(primary_key=True)
    tokens: float
    filled_at: datetime


class Appointment(SQLModel, table=True):
    """One moment at which an issue is to be sent by itself; `key` is unique, so that no moment comes twice.

    `issue_id` is None for the daily slot, which sends what is approved for its day, and for the weekly digest
    (`is_digest`); `state` and `note` tell what came of it. `reminded_at` is when the staff heard that nothing is
    approved.
    """

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    at: datetime = Field(index=True)
    issue_id: int | None = Field(default=None, foreign_key="issue.id")
    is_digest: bool = False
    approved_hash: str = ""
    state: str = Field(index=True)
    note: str = ""
    reminded_at: datetime | None = None
    made_at: datetime
