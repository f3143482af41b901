"""Tables of the staff: accounts, sessions, failed logins, and the audit log."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel


class Staff(SQLModel, table=True):
    """A member of the staff. Without a password hash they were invited and have not come yet.

    `address` is normalised and case-folded: what they log in with. `totp_step` is the last step whose code was taken,
    so that no code works twice (RFC 6238 §5.2). Who was removed keeps the row, for the audit log.
    """

    __tablename__ = "staff"

    id: int | None = Field(default=None, primary_key=True)
    public_id: str = Field(unique=True, max_length=32)
    address: str = Field(unique=True, max_length=320)
    name: str = Field(max_length=200)
    roles: list[str] = Field(sa_column=Column(JSON, nullable=False))
    password_hash: str | None = None
    totp_secret: str | None = Field(default=None, max_length=64)
    totp_step: int | None = None
    created_at: datetime
    invited_at: datetime | None = None
    removed_at: datetime | None = None


class StaffSession(SQLModel, table=True):
    """A browser that somebody is signed in with; the token itself is in its cookie alone."""

    __tablename__ = "staff_session"

    id: int | None = Field(default=None, primary_key=True)
    token_hash: str = Field(unique=True, max_length=64)
    staff_id: int = Field(foreign_key="staff.id", index=True)
    created_at: datetime
    origin: str = Field(max_length=64)
    browser: str = Field(max_length=200)


class FailedLogin(SQLModel, table=True):
    """A login that was refused, for counting: by the hash of the name that was tried, and by where it came from."""

    __tablename__ = "failed_login"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(index=True)
    name_hash: str = Field(index=True, max_length=64)
    origin: str = Field(index=True, max_length=64)


class AuditEntry(SQLModel, table=True):
    """That somebody did something; `who` is their name as it was, `subject` what it was done to. Rows only come."""

    __tablename__ = "audit"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(index=True)
    staff_id: int | None = None
    who: str
    action: str = Field(max_length=32)
    subject: str = Field(index=True)
    details: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
