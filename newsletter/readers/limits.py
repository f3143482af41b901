"""How much may be asked for in the name of others: for one mailbox, from one network address, and in all.

The rows of letters are counted, sent or not, so that it holds over any number of processes and restarts, and tells
nothing about an address. Those that would land in a mailbox for the same reason are counted together.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, bindparam, func, select
from sqlmodel import Session, col

from newsletter.app import Newsletter
from newsletter.readers.models import Letter, LetterKind
from subscribers.addresses import Address, hash_mailbox

LIMITS = ((timedelta(hours=1), 1), (timedelta(days=1), 3))
"""A mailbox gets at most so many letters of a group within each of these times."""
PER_ORIGIN = 10
"""From one network address so much may be asked for in an hour: an office may share one, a script has no use of it."""
MOVES = 3
"""To so many new addresses a person may have us write in a day."""
TURN = "sign-ups"
"""Those who ask, confirm and forget take turns at this, so that no count is stale and nothing outlives a forgetting."""

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_SIGNING_UP = (LetterKind.CONFIRM, LetterKind.ALREADY, LetterKind.ADDRESS)


class TooMany(Exception):
    """So much was asked for within an hour, from one network address or in all, that it has to wait."""


@dataclass(frozen=True, slots=True)
class _Counts:
    """The questions about one group of letters.

    Every request of a flood asks them, so they are put together once and go past the unit of work, which costs more
    than running them.
    """

    in_all: Select[int]
    of_origin: Select[int]
    of_mailbox: Select[datetime]


def _counts(*kinds: LetterKind) -> _Counts:
    these = col(Letter.kind).in_(kinds), col(Letter.created_at) > bindparam("since")
    in_all = select(func.count()).select_from(Letter).where(*these)
    return _Counts(
        in_all=in_all,
        of_origin=in_all.where(col(Letter.origin) == bindparam("origin")),
        of_mailbox=select(col(Letter.created_at)).where(*these, col(Letter.mailbox_hash) == bindparam("mailbox")),
    )


_OF_KIND = {kind: _counts(kind) for kind in LetterKind} | dict.fromkeys(_SIGNING_UP, _counts(*_SIGNING_UP))


def has_room(newsletter: Newsletter, session: Session, kind: LetterKind, address: Address, origin: str) -> bool:
    """Whether a letter of a kind may be asked for in the name of an address; `origin` is the network address.

    An unknown origin is empty and counts in all alone. Raises `TooMany` when nothing may be asked for at all.
    """
    counts, now, connection = _OF_KIND[kind], newsletter.clock(), session.connection()
    since = {"since": now - _HOUR}
    if origin and connection.execute(counts.of_origin, {**since, "origin": origin}).scalar_one() >= PER_ORIGIN:
        raise TooMany
    if connection.execute(counts.in_all, since).scalar_one() >= newsletter.settings.sign_ups_per_hour:
        raise TooMany
    return not had_enough(session, kind, hash_mailbox(address, newsletter.address_key), now)


def had_enough(session: Session, kind: LetterKind, mailbox_hash: str, now: datetime) -> bool:
    """Whether a mailbox has had its letters of a kind, and of those that count as the same, for now."""
    asked = {"since": now - max(within for within, _ in LIMITS), "mailbox": mailbox_hash}
    times = session.connection().execute(_OF_KIND[kind].of_mailbox, asked).scalars().all()
    return any(sum(at > now - within for at in times) >= most for within, most in LIMITS)


def moved_enough(session: Session, subscriber_id: int, now: datetime) -> bool:
    """Whether a person has had us write to `MOVES` new addresses lately."""
    query = _counts(LetterKind.ADDRESS).in_all.where(col(Letter.subscriber_id) == subscriber_id)
    return session.connection().execute(query, {"since": now - _DAY}).scalar_one() >= MOVES
