"""Sessions: which browser is whose, until it signs out, is signed out, or a fortnight is over."""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlmodel import Session, select

from newsletter.staff.accounts import actor_of
from newsletter.staff.models import Staff, StaffSession
from newsletter.staff.rights import Actor

LONGEST = timedelta(days=14)
_BROWSER_CHARACTERS = 200


def begin(session: Session, staff: Staff, now: datetime, *, origin: str, browser: str) -> str:
    """Begin a session of somebody who has proved who they are; gives the token (256 bits) for their cookie."""
    token = secrets.token_urlsafe(32)
    session.add(
        StaffSession(
            token_hash=_hash(token),
            staff_id=staff.id or 0,
            created_at=now,
            seen_at=now,
            origin=origin,
            browser="".join(filter(str.isprintable, browser))[:_BROWSER_CHARACTERS],
        )
    )
    return token


def find(session: Session, token: str, now: datetime) -> tuple[StaffSession, Staff] | None:
    """The session of a token and whose it is; None for one that was ended, is too old, or never was."""
    row = session.exec(select(StaffSession).where(StaffSession.token_hash == _hash(token))).first()
    if row is None or now - row.created_at > LONGEST:
        return None
    staff = session.get(Staff, row.staff_id)
    return (row, staff) if staff and staff.removed_at is None else None


def who(session: Session, token: str, now: datetime) -> Actor | None:
    """Whoever a token belongs to."""
    found = find(session, token, now)
    return actor_of(found[1]) if found else None


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
