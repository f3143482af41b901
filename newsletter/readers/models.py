"""Tables of letters (mail about a subscription, to one person, outside any mailing) and of lists to be taken in."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, Index, LargeBinary, text
from sqlmodel import Field, SQLModel

from subscribers.models import new_public_id


class LetterKind(StrEnum):
    """What a letter is about."""

    CONFIRM = "confirm"
    """Confirm a sign-up; `sign_up_id` says which."""
    ALREADY = "already"
    """Somebody signed up with the address of a person who is a reader already: here is the way to your preferences."""
    WELCOME = "welcome"
    GOODBYE = "goodbye"
    PREFERENCES = "preferences"
    """The link to one's preferences, asked for without an old mail at hand."""
    DATA = "data"
    """The link to export, erasure and change of address; it opens for an hour."""
    ADDRESS = "address"
    """Confirm a new address, sent to it; `sign_up_id` says which."""
    MOVED = "moved"
    """A subscription goes to another address now; sent to the former one."""


class LetterState(StrEnum):
    """Where a letter stands."""

    QUEUED = "queued"
    IN_HAND = "in hand"
    ACCEPTED = "accepted"
    FAILED = "failed"


class Letter(SQLModel, table=True):
    """One letter to one person; `public_id` is in its Message-ID, and the subject of a token that opens for a while.

    `address` is the ASCII form, `address_hash` its keyed hash. `mailbox_hash` and `origin`, the network address of
    whoever asked for it, tell how many there were lately. A letter that was asked for and is not sent is a row too,
    failed from the beginning and without the address: it counts as any other. `details` are the few values that the
    text needs. `claimed_at` is when a sender took it in hand.
    """

    __table_args__ = (
        Index(
            "ix_letter_due",
            "next_at",
            sqlite_where=text("state IN ('queued', 'in hand')"),
            postgresql_where=text("state IN ('queued', 'in hand')"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    public_id: str = Field(default_factory=new_public_id, unique=True, max_length=32)
    kind: str = Field(max_length=16)
    subscriber_id: int | None = Field(default=None, foreign_key="subscriber.id", index=True)
    sign_up_id: int | None = Field(default=None, foreign_key="sign_up.id", index=True)
    address: str = Field(max_length=320)
    address_hash: str = Field(index=True, max_length=64)
    mailbox_hash: str = Field(index=True, max_length=64)
    origin: str = Field(default="", max_length=64, index=True)
    language: str = Field(max_length=16)
    details: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    created_at: datetime = Field(index=True)
    state: str = Field(max_length=16)
    next_at: datetime
    attempts: int = 0
    claimed_at: datetime | None = None
    reply: str = ""
    settled_at: datetime | None = None


class ReaderList(SQLModel, table=True):
    """A reader list that a member of the staff brought, kept for an hour: between looking at it and taking it in.

    `report` says what would become of its lines or, once `done_at` is set, what became of them. `begun_at` is when
    taking it in began. `state` is the one that its readers come in with.
    """

    __tablename__ = "reader_list"

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(default_factory=new_public_id, unique=True, max_length=32)
    staff_id: int | None = None
    name: str = Field(max_length=200)
    state: str = Field(max_length=16)
    made_at: datetime
    begun_at: datetime | None = None
    done_at: datetime | None = None
    report: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


class ReaderListPiece(SQLModel, table=True):
    """A megabyte of such a list: in the database, since the next request may come to another process."""

    __tablename__ = "reader_list_piece"

    list_id: int = Field(primary_key=True, foreign_key="reader_list.id")
    number: int = Field(primary_key=True)
    data: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
