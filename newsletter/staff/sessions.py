"""Sessions: which browser is whose, until it signs out, is signed out, or a fortnight is over."""

import hashlib
import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import Session, col, delete, select

from newsletter.staff.accounts import actor_of
from newsletter.staff.models import Staff, StaffSession
from newsletter.staff.rights import Actor

LONGEST = timedelta(days=14)
_BROWSER_CHARACTERS = 200
_BROWSERS = {
    "Edge": r"\bEdg(?:e|A|iOS)?/",
    "Opera": r"\bOPR/",
    "WeChat": r"\bMicroMessenger/",
    "Firefox": r"\b(?:Firefox|FxiOS)/",
    "Chrome": r"\b(?:Chrome|CriOS|Chromium)/",
    "Safari": r"\bSafari/",
}
"""The first one found: browsers also name those that they want to be taken for."""
_SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "macOS": "Mac OS X|Macintosh",
    "ChromeOS": "CrOS",
    "Linux": "Linux",
}


def begin(session: Session, staff: Staff, now: datetime, *, origin: str, browser: str) -> str:
    """Begin a session of somebody who has proved who they are; gives the token (256 bits) for their cookie."""
    session.exec(delete(StaffSession).where(col(StaffSession.created_at) < now - LONGEST))
    token = secrets.token_urlsafe(32)
    session.add(
        StaffSession(
            token_hash=_hash(token),
            staff_id=staff.id or 0,
            created_at=now,
            origin=origin,
            browser="".join(filter(str.isprintable, browser))[:_BROWSER_CHARACTERS],
        )
    )
    return token


def find(session: Session, token: str, now: datetime) -> tuple[StaffSession, Staff] | None:
    """The session of a token and whose it is; None for one that was ended, is too old, or never was."""
    both = select(StaffSession, Staff).join(Staff, col(Staff.id) == col(StaffSession.staff_id))
    found = session.exec(both.where(StaffSession.token_hash == _hash(token), col(Staff.removed_at).is_(None))).first()
    return (found[0], found[1]) if found and now - found[0].created_at <= LONGEST else None


def who(session: Session, token: str, now: datetime) -> Actor | None:
    """Whoever a token belongs to."""
    found = find(session, token, now)
    return actor_of(found[1]) if found else None


def of(session: Session, staff_id: int | None, now: datetime) -> Sequence[StaffSession]:
    """The sessions that somebody has, the newest first."""
    theirs = select(StaffSession).where(
        StaffSession.staff_id == staff_id, col(StaffSession.created_at) >= now - LONGEST
    )
    return session.exec(theirs.order_by(col(StaffSession.id).desc())).all()


def in_words(browser: str) -> str:
    """What a browser calls itself, for people: `Firefox · Linux`; the beginning of it where nothing is known."""
    name = next((name for name, sign in _BROWSERS.items() if re.search(sign, browser)), "")
    system = next((system for system, sign in _SYSTEMS.items() if re.search(sign, browser)), "")
    return " · ".join(filter(None, (name, system))) or browser[:40]


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
