"""Accounts of the staff: invite, change, remove; who is who."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from newsletter.staff.models import Staff, StaffSession
from newsletter.staff.rights import Actor, Role, roles_of
from subscribers.addresses import parse_address


class StaffRefused(ValueError):
    """What cannot be done with an account; the message says why and what can."""


def invite(session: Session, address: str, name: str, roles: Iterable[Role], now: datetime) -> Staff:
    """Make an account without a password, or let somebody who was removed come back; the caller commits.

    Raises `AddressRefused`, and `StaffRefused` when somebody has that address already.
    """
    folded = parse_address(address).key
    row = session.exec(select(Staff).where(Staff.address == folded)).first()
    if row and row.removed_at is None:
        raise StaffRefused(f"{folded} is on the staff already.")
    row = row or Staff(
        public_id=secrets.token_hex(8), address=folded, name="", roles=[], created_at=now, invited_at=now
    )
    row.name, row.roles = name.strip() or folded.partition("@")[0], sorted(set(roles))
    row.invited_at, row.removed_at, row.password_hash = now, None, None
    row.totp_secret = row.totp_step = None
    session.add(row)
    session.flush()
    return row


def everybody(session: Session) -> Sequence[Staff]:
    """All who are on the staff, by address."""
    return session.exec(select(Staff).where(col(Staff.removed_at).is_(None)).order_by(Staff.address)).all()


def find(session: Session, address: str) -> Staff:
    """The member of the staff with that address; raises `StaffRefused` when nobody has it."""
    row = session.exec(select(Staff).where(Staff.address == address.strip().casefold())).first()
    if row is None or row.removed_at:
        raise StaffRefused(
            f"nobody on the staff has the address {address!r}; `newsletter staff list` shows who there is."
        )
    return row


def names(session: Session) -> dict[int, str]:
    """The name of everybody who ever was on the staff, by id."""
    return {row.id: row.name for row in session.exec(select(Staff)) if row.id is not None}


def actor_of(row: Staff) -> Actor:
    """A member of the staff as whoever does something."""
    return Actor(row.id, row.name, row.address, roles_of(row.roles))


def end_sessions(session: Session, row: Staff, *, but: int | None = None) -> None:
    """Sign somebody out everywhere, but for the session with the id `but`."""
    for one in session.exec(select(StaffSession).where(StaffSession.staff_id == row.id)):
        if one.id != but:
            session.delete(one)
