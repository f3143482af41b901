"""Taking turns: what must not be done twice at once, such as counting and then writing, waits for its turn.

On SQLite whoever has begun to write is alone already.
"""

from sqlalchemy import text
from sqlmodel import Session

_KIND = 1_853_190_770
"""What marks these advisory locks among others of the same database; any constant of four bytes would do."""


def take_turn(session: Session, what: str) -> None:
    """Wait until no other transaction has the turn for the same thing; it ends with this transaction.

    Whatever was read before may be stale by now. Who takes two turns in one transaction takes them in an order that
    everybody keeps: first "sign-ups", then "planning", then "rows" or an address, before which a person's row is held.
    """
    _lock(session, "pg_advisory_xact_lock", what)


def share_turn(session: Session, what: str) -> None:
    """Wait like `take_turn`, but keep out only those who take the turn: others who share it go on beside us."""
    _lock(session, "pg_advisory_xact_lock_shared", what)


def _lock(session: Session, how: str, what: str) -> None:
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"SELECT {how}(:kind, hashtext(:what))"), {"kind": _KIND, "what": what})
