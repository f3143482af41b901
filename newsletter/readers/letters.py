"""Writing letters down: each is a row from which it is made and sent, and by which an address is spared the fourth."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select

from newsletter.readers.models import Letter, LetterKind, LetterState

_ASKED_BY_ANYBODY = {
    LetterKind.CONFIRM: "sign-up",
    LetterKind.ALREADY: "sign-up",
    LetterKind.ADDRESS: "sign-up",
    LetterKind.PREFERENCES: "link",
    LetterKind.DATA: "data",
}
"""What a stranger can have sent to an address, in groups that are counted together."""
LIMITS = ((timedelta(hours=1), 1), (timedelta(days=1), 3))
"""An address gets at most so many letters of a group within each of these times."""


def write(
    session: Session,
    kind: LetterKind,
    address: str,
    address_hash: str,
    language: str,
    now: datetime,
    *,
    subscriber_id: int | None = None,
    sign_up_id: int | None = None,
    details: Mapping[str, object] | None = None,
) -> Letter | None:
    """Queue a letter to an ASCII address; None when the address has had enough of its kind lately. Commits nothing."""
    if kind in _ASKED_BY_ANYBODY and _has_had_enough(session, kind, address_hash, now):
        return None
    letter = Letter(
        kind=kind,
        subscriber_id=subscriber_id,
        sign_up_id=sign_up_id,
        address=address,
        address_hash=address_hash,
        language=language,
        details=dict(details or {}),
        created_at=now,
        state=LetterState.QUEUED,
        next_at=now,
    )
    session.add(letter)
    session.flush()
    return letter


def _has_had_enough(session: Session, kind: LetterKind, address_hash: str, now: datetime) -> bool:
    group = [other for other, name in _ASKED_BY_ANYBODY.items() if name == _ASKED_BY_ANYBODY[kind]]
    return any(
        session.exec(
            select(func.count()).where(
                Letter.address_hash == address_hash, col(Letter.kind).in_(group), Letter.created_at > now - within
            )
        ).one()
        >= most
        for within, most in LIMITS
    )
