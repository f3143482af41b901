"""The tables of people, topics, consent and suppression.

Table models do not validate what they are given: the stores check plain values first, then write a row.
"""

import secrets
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Enum
from sqlmodel import Field, SQLModel

from subscribers.preferences import Frequency, MailFormat

SQLModel.metadata.naming_convention = {
    # Migrations can only alter a constraint that has a name on every database.
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class State(StrEnum):
    """Where a person stands; only active ones are written to, and declared from the loosest to the strictest."""

    ACTIVE = "active"
    PAUSED = "paused"
    PENDING = "pending"
    UNSUBSCRIBED = "unsubscribed"


def _words(choices: type[StrEnum]) -> Enum:
    """Store an enumeration as its words in a plain text column, the same on every database."""
    return Enum(choices, native_enum=False, length=16, values_callable=lambda members: [str(m) for m in members])


def utc_now() -> datetime:
    """Read the clock: the present moment, aware, in UTC."""
    return datetime.now(UTC)


def new_public_id() -> str:
    """Make an opaque random id of 96 bits for links and logs: 24 hexadecimal digits."""
    return secrets.token_hex(12)


class TopicRow(SQLModel, table=True):
    """A topic readers may choose, with the headings that mean it and what it is about, in either language."""

    __tablename__ = "topic"

    slug: str = Field(primary_key=True, max_length=40)
    zh: str = Field(max_length=80)
    en: str = Field(max_length=80)
    about_zh: str = Field(default="", max_length=200)
    about_en: str = Field(default="", max_length=200)
    position: int
    aliases: list[str] = Field(default_factory=list, sa_type=JSON)


class Subscriber(SQLModel, table=True):
    """A person; after forgetting, an opaque id without address, name or preferences.

    `address` is what people read (Unicode domain), `ascii_address` what goes on the wire (RFC 5890 A-labels),
    `address_key` the case-folded identity, `address_hash` its keyed hash, which suppression is looked up by.
    """

    __tablename__ = "subscriber"

    id: int | None = Field(default=None, primary_key=True)
    public_id: str = Field(default_factory=new_public_id, unique=True, max_length=32)
    address: str | None = Field(default=None, max_length=320)
    ascii_address: str | None = Field(default=None, max_length=320)
    address_key: str | None = Field(default=None, unique=True, max_length=320)
    address_hash: str | None = Field(default=None, index=True, max_length=64)
    name: str = Field(default="", max_length=200)
    state: State = Field(default=State.ACTIVE, sa_type=_words(State), index=True)
    paused_until: datetime | None = None
    topics: list[str] = Field(default_factory=list, sa_type=JSON)
    frequency: Frequency = Field(default=Frequency.DAILY, sa_type=_words(Frequency))
    language: str = Field(default="zh", max_length=16)
    zone: str | None = Field(default=None, max_length=64)
    hour: int | None = None
    most: int | None = None
    follow: list[str] = Field(default_factory=list, sa_type=JSON)
    mute: list[str] = Field(default_factory=list, sa_type=JSON)
    format: MailFormat = Field(default=MailFormat.HTML, sa_type=_words(MailFormat))
    day: int | None = None
    frequencies: dict[str, str] = Field(default_factory=dict, sa_type=JSON)
    created_at: datetime = Field(default_factory=utc_now)
    updated_at: datetime = Field(default_factory=utc_now)


class Consent(SQLModel, table=True):
    """One thing a person, or somebody for them, said about being written to. Rows are only ever added.

    `kind` is a word (import, command, staff, sign-up, confirm, preferences, address, unsubscribe, reason, return,
    pause, resume, forget), `source` the file, page or command it came from, `wording` the text that was agreed to: in
    what was asked (sign-up, address), in its confirming and in the way back; for whom the staff added it says how they
    agreed. `detail` is the state that a person came to, or the end of a pause, the words of a reason, and for somebody
    who leaves the state they leave when they were not active. Neither it nor `wording` carries an address, so that the
    record may outlive it. `origin` is the network address it was said from; it and the words of a reason are erased
    when the person asks to be forgotten.
    """

    __tablename__ = "consent"

    id: int | None = Field(default=None, primary_key=True)
    subscriber_id: int = Field(foreign_key="subscriber.id", index=True)
    at: datetime = Field(index=True)
    kind: str = Field(max_length=32)
    detail: str = ""
    source: str = ""
    wording: str = ""
    origin: str = Field(default="", max_length=64)


class SignUp(SQLModel, table=True):
    """What somebody asked for in the name of an address, until its owner confirms it; unconfirmed ones are purged.

    Nothing about a person changes before `confirmed_at`: whoever types in the address of another can harm nobody.
    `subscriber_id` is the person who wants to move to this address, for a change of address; for a sign-up it is None
    until whoever confirmed it has become a person.
    `preferences` are the columns of `preference_columns.columns_of`; `source`, `wording` and `origin` go into the
    consent record.
    """

    __tablename__ = "sign_up"

    id: int | None = Field(default=None, primary_key=True)
    public_id: str = Field(default_factory=new_public_id, unique=True, max_length=32)
    subscriber_id: int | None = Field(default=None, foreign_key="subscriber.id", index=True)
    address: str = Field(max_length=320)
    ascii_address: str = Field(max_length=320)
    address_key: str = Field(index=True, max_length=320)
    preferences: dict[str, Any] = Field(sa_type=JSON)
    source: str = ""
    wording: str = ""
    origin: str = Field(default="", max_length=64)
    created_at: datetime = Field(index=True)
    confirmed_at: datetime | None = None


class Suppression(SQLModel, table=True):
    """An address that is not written to, known by its keyed hash; the readable address goes when it is forgotten."""

    __tablename__ = "suppression"

    id: int | None = Field(default=None, primary_key=True)
    address_key_hash: str = Field(unique=True, max_length=64)
    address: str | None = Field(default=None, max_length=320)
    reason: str = Field(max_length=32)
    note: str = ""
    created_at: datetime = Field(default_factory=utc_now)
