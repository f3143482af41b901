"""Slowing down whoever guesses: refused logins are counted in the database, by the name tried and by where from.

A trial is written down as refused before it is made, and taken back when it was right: however many are made at once,
none goes uncounted.
"""

import hashlib
import hmac
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, delete, select

from newsletter.app import Newsletter
from newsletter.staff.models import FailedLogin
from newsletter.storage.turn import take_turn

WITHIN = timedelta(minutes=15)
PER_NAME = 5
PER_ORIGIN = 30
"""An office may share one address; a script has no use of it."""


class TooManyTries(Exception):
    """So much was tried for a name, or from one place, that the next trial has to wait for `seconds`."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many wrong logins: try again in {seconds} seconds")
        self.seconds = seconds


def count(newsletter: Newsletter, name: str, origin: str) -> int:
    """Write a trial for a name down as refused, and give its number.

    `origin` is the network address it comes from, empty where nobody knows. Raises `TooManyTries` when it may not be
    made now, whether or not there is such a name; such a trial counts for nothing.
    """
    now, hashed = newsletter.clock(), name_hash(newsletter, name)
    with newsletter.session() as session:
        take_turn(session, "logins")
        session.exec(delete(FailedLogin).where(col(FailedLogin.at) <= now - WITHIN))
        _require_room(session, col(FailedLogin.name_hash) == hashed, PER_NAME, now)
        if origin:
            _require_room(session, col(FailedLogin.origin) == origin, PER_ORIGIN, now)
        row = FailedLogin(at=now, name_hash=hashed, origin=origin)
        session.add(row)
        session.flush()
        return row.id or 0


def forgive(session: Session, trial: int) -> None:
    """Take one trial back: it was right; the caller commits."""
    session.exec(delete(FailedLogin).where(col(FailedLogin.id) == trial))


def forget(newsletter: Newsletter, session: Session, name: str) -> None:
    """Take back all trials for a name whose owner has come; the caller commits."""
    session.exec(delete(FailedLogin).where(col(FailedLogin.name_hash) == name_hash(newsletter, name)))


def name_hash(newsletter: Newsletter, name: str) -> str:
    """What a name is counted as. Keyed: people type their passwords into the wrong field."""
    return hmac.new(newsletter.address_key, b"login\0" + name.encode(), hashlib.sha256).hexdigest()


def _require_room(session: Session, same: ColumnElement[bool], most: int, now: datetime) -> None:
    times = session.exec(select(FailedLogin.at).where(same).order_by(col(FailedLogin.at).desc()).limit(most)).all()
    if len(times) == most:
        raise TooManyTries(int((times[-1] + WITHIN - now).total_seconds()) + 1)
