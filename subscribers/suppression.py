"""Addresses that are not written to, whoever asks: bounced, complained, forgotten, or listed by hand."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select

from subscribers.addresses import Address, hash_address, parse_address
from subscribers.characters import shown, unwritable
from subscribers.models import Suppression, utc_now


class SuppressionRefused(ValueError):
    """A reason or note that cannot be kept, and what to write instead."""


class SuppressionStore:
    """The suppression list. `key` is the one that `hash_address` needs; nothing is committed here."""

    def __init__(self, session: Session, key: bytes, clock: Callable[[], datetime] = utc_now) -> None:
        self._session = session
        self._key = key
        self._clock = clock

    def add(self, address: str, reason: str = "manual", note: str = "") -> Suppression:
        """Put an address on the list; one that is there keeps its first reason and note.

        `reason` is a word such as manual, bounce, complaint. Raises `AddressRefused` for what is no address and
        `SuppressionRefused` when the reason is empty, longer than 32 characters, or has a control character.
        """
        if not 1 <= len(reason) <= 32 or unwritable(reason) or unwritable(note):
            raise SuppressionRefused(f"a reason is a word of at most 32 characters on one line, not {shown(reason)!r}")
        parsed = parse_address(address)
        row = self._find(parsed)
        if row is not None:
            return row
        return self._insert(hash_address(parsed, self._key), reason, parsed.display, note)

    def add_hash(self, address_hash: str, reason: str) -> Suppression:
        """Put an address on the list of which only its keyed hash is to be kept: that of somebody who is no reader."""
        return self._of_hash(address_hash) or self._insert(address_hash, reason)

    def remove(self, address: str) -> bool:
        """Take an address off the list, also a forgotten one; False when it was not on it."""
        row = self._find(parse_address(address))
        if row is None:
            return False
        self._session.delete(row)
        self._session.flush()
        return True

    def is_suppressed(self, address: str) -> bool:
        """Whether an address is on the list."""
        return self._find(parse_address(address)) is not None

    def get(self, number: int) -> Suppression | None:
        """The row with that id."""
        return self._session.get(Suppression, number)

    def find(self, address: str) -> Suppression | None:
        """The row of an address, also of one whose owner was forgotten; raises `AddressRefused` for what is none."""
        return self._find(parse_address(address))

    def lift(self, row: Suppression) -> None:
        """Take a row off the list."""
        self._session.delete(row)
        self._session.flush()

    def newest(self, limit: int, before: int | None = None, reason: str = "") -> tuple[Suppression, ...]:
        """The newest rows, those with an id below `before` where that is given, of one reason or of all."""
        query = select(Suppression).order_by(col(Suppression.id).desc()).limit(limit)
        query = query if before is None else query.where(col(Suppression.id) < before)
        return tuple(self._session.exec(query.where(Suppression.reason == reason) if reason else query))

    def count_by_reason(self) -> dict[str, int]:
        """How many rows there are of each reason, the most frequent first."""
        number = func.count()
        rows = self._session.exec(
            select(Suppression.reason, number).group_by(Suppression.reason).order_by(number.desc())
        )
        return dict(rows.all())

    def list(self) -> tuple[Suppression, ...]:
        """Every row, oldest first; a forgotten address has only its hash."""
        return tuple(self._session.exec(select(Suppression).order_by(col(Suppression.id))))

    def _insert(self, address_hash: str, reason: str, address: str | None = None, note: str = "") -> Suppression:
        row = Suppression(
            address_key_hash=address_hash, address=address, reason=reason, note=note, created_at=self._clock()
        )
        try:
            with self._session.begin_nested():
                self._session.add(row)
        except IntegrityError:  # somebody else listed the same address since we looked
            there = self._of_hash(address_hash)
            if there is None:
                raise
            return there
        return row

    def _find(self, address: Address) -> Suppression | None:
        return self._of_hash(hash_address(address, self._key))

    def _of_hash(self, address_hash: str) -> Suppression | None:
        return self._session.exec(select(Suppression).where(Suppression.address_key_hash == address_hash)).first()
