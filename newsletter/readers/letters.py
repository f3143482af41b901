"""The rows of letters: written down here, taken in hand, settled, and purged.

A letter is made and sent from its row, and by the rows an address is spared the fourth of a day. A row in hand comes
due again by itself, for the case that whoever took it has died.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, delete, func, select

from newsletter.readers.models import Letter, LetterKind, LetterState
from newsletter.storage.turn import take_turn

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
WAITING = (LetterState.QUEUED, LetterState.IN_HAND)
"""The states in which a letter comes due, at its `next_at`."""


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
    """Queue a letter to an ASCII address; None when the address has had enough of its kind lately. Commits nothing.

    Until the transaction ends nobody else can have a letter that is counted sent to this address.
    """
    if kind in _ASKED_BY_ANYBODY:
        take_turn(session, address_hash)
        if _has_had_enough(session, kind, address_hash, now):
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


def is_due(session: Session, now: datetime) -> bool:
    """Whether there is a letter to hand over."""
    return session.exec(select(Letter.id).where(*_due(now)).limit(1)).first() is not None


def next_due(session: Session, now: datetime) -> Letter | None:
    """The letter that has been due for longest, held until the transaction ends; what others hold is passed over."""
    query = select(Letter).where(*_due(now)).order_by(col(Letter.next_at), col(Letter.id)).limit(1)
    return session.exec(query.with_for_update(skip_locked=True)).first()


def take(letter: Letter, now: datetime, until: datetime) -> None:
    """Take a letter in hand; where nobody says what became of it until that moment, it comes due again."""
    letter.state, letter.claimed_at, letter.next_at = LetterState.IN_HAND, now, until
    letter.attempts += 1


def in_hand(session: Session, letter_id: int, attempt: int) -> Letter | None:
    """A letter that was taken in hand as this attempt, held; None when it has been settled or taken anew since."""
    query = select(Letter).where(
        Letter.id == letter_id, Letter.state == LetterState.IN_HAND, Letter.attempts == attempt
    )
    return session.exec(query.with_for_update()).first()


def put_back(letter: Letter, at: datetime) -> None:
    """Let a letter wait until a moment."""
    letter.state, letter.next_at = LetterState.QUEUED, at


def settle(letter: Letter, state: LetterState, now: datetime, reply: str) -> None:
    """Have done with a letter; a forgotten one keeps no reply, which might name who it was for."""
    letter.state, letter.settled_at, letter.reply = state, now, reply if letter.address else ""


def purge_letters(session: Session, before: datetime) -> int:
    """Delete the letters written before a moment; how many. One that still waits is of no use by then."""
    gone = delete(Letter).where(col(Letter.created_at) < before).returning(col(Letter.id))
    return len(session.execute(gone).all())


def _due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return col(Letter.state).in_(WAITING), col(Letter.next_at) <= now


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
