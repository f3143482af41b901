"""The rows of letters: written down here, taken in hand, settled, and purged.

A letter is made and sent from its row, and by the rows a mailbox is spared the fourth of a day. A row in hand comes
due again by itself, for the case that whoever took it has died.
"""

from datetime import datetime

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, delete, func, select

from newsletter.app import Newsletter
from newsletter.readers.limits import had_enough
from newsletter.readers.models import Letter, LetterKind, LetterState
from newsletter.storage.turn import take_turn
from subscribers.addresses import Address, hash_address, hash_mailbox

SUPPRESSED = "suppressed"
"""Why a letter is not sent to an address that is on the list."""
WAITING = (LetterState.QUEUED, LetterState.IN_HAND)
"""The states in which a letter comes due, at its `next_at`."""


def write(
    newsletter: Newsletter,
    session: Session,
    kind: LetterKind,
    address: Address,
    language: str,
    *,
    subscriber_id: int | None = None,
    sign_up_id: int | None = None,
) -> Letter | None:
    """Queue a letter; None when the mailbox has had enough of its kind lately. Commits nothing.

    Until the transaction ends nobody else can write to this mailbox.
    """
    mailbox_hash = hash_mailbox(address, newsletter.address_key)
    take_turn(session, mailbox_hash)
    if had_enough(session, kind, mailbox_hash, newsletter.clock()):
        return None
    return put_down(newsletter, session, kind, address, language, subscriber_id=subscriber_id, sign_up_id=sign_up_id)


def put_down(
    newsletter: Newsletter,
    session: Session,
    kind: LetterKind,
    address: Address,
    language: str,
    *,
    subscriber_id: int | None = None,
    sign_up_id: int | None = None,
    origin: str = "",
    not_sent: str = "",
) -> Letter:
    """Put down a letter that somebody asked for from the network address `origin`, whoever it is that they named.

    The caller has the turn and knows that there is room. With a reason in `not_sent` it never goes out and keeps no
    address, yet it takes the same work and counts as any other, so that nobody learns whom we write to.
    """
    now = newsletter.clock()
    letter = Letter(
        kind=kind,
        subscriber_id=subscriber_id,
        sign_up_id=sign_up_id,
        address="" if not_sent else address.ascii,
        address_hash=hash_address(address, newsletter.address_key),
        mailbox_hash=hash_mailbox(address, newsletter.address_key),
        origin=origin,
        language=language,
        created_at=now,
        state=LetterState.FAILED if not_sent else LetterState.QUEUED,
        next_at=now,
        reply=f"not sent: {not_sent}" if not_sent else "",
        settled_at=now if not_sent else None,
    )
    session.add(letter)
    session.flush()
    return letter


def is_due(session: Session, now: datetime) -> bool:
    """Whether there is a letter to hand over."""
    return session.exec(select(Letter.id).where(*_due(now)).limit(1)).first() is not None


def count_due(session: Session, now: datetime) -> int:
    """How many letters there are to hand over."""
    return session.exec(select(func.count()).select_from(Letter).where(*_due(now))).one()


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
