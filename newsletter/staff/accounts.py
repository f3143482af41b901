"""Accounts of the staff: invite, change, remove; who is who."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from newsletter.staff.models import Staff, StaffSession
from newsletter.staff.rights import Actor, Role, roles_of
from subscribers.addresses import clean_name, parse_address


class StaffRefused(ValueError):
    """What cannot be done with an account; the message says why and what can.

    `why` is the same in a word: known, unknown, no_role, last_admin or self.
    """

    def __init__(self, message: str, why: str = "unknown") -> None:
        super().__init__(message)
        self.why = why


def invite(session: Session, address: str, name: str, roles: Iterable[Role], now: datetime) -> Staff:
    """Make an account without a password, or let somebody who was removed come back; the caller commits.

    Raises `AddressRefused`, `NameRefused`, and `StaffRefused` when somebody has that address already or no role is
    given.
    """
    folded = parse_address(address).key
    name = clean_name(name)
    kept = _required(roles)
    row = session.exec(select(Staff).where(Staff.address == folded)).first()
    if row and row.removed_at is None:
        raise StaffRefused(f"{folded} is on the staff already.", "known")
    row = row or Staff(
        public_id=secrets.token_hex(8), address=folded, name="", roles=[], created_at=now, invited_at=now
    )
    row.name, row.roles = name or folded.partition("@")[0], kept
    row.removed_at = None
    start_anew(session, row, now)
    return row


def start_anew(session: Session, row: Staff, now: datetime) -> None:
    """Take password, second factor and sessions from somebody, who needs a new link then; the caller commits."""
    row.invited_at, row.password_hash = now, None
    row.totp_secret = row.totp_step = None
    session.add(row)
    session.flush()
    end_sessions(session, row)


def set_roles(session: Session, row: Staff, roles: Iterable[Role]) -> None:
    """Give somebody these roles and no others; raises `StaffRefused` when that would be none."""
    row.roles = _required(roles)
    session.add(row)


def remove(session: Session, row: Staff, now: datetime) -> None:
    """Take somebody off the staff: they are signed out, and nothing lets them in again but a new invitation."""
    start_anew(session, row, now)
    row.invited_at, row.removed_at = None, now


def is_last_admin(session: Session, row: Staff) -> bool:
    """Whether no admin who can sign in would be left without this one; ask it in a turn at `staff`."""
    if Role.ADMIN not in roles_of(row.roles):
        return False
    others = (one for one in everybody(session) if one.id != row.id and one.password_hash)
    return not any(Role.ADMIN in roles_of(one.roles) for one in others)


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


def by_public_id(session: Session, public_id: str) -> Staff:
    """The member of the staff with that public id; raises `StaffRefused` when nobody has it."""
    known = public_id.isalnum()  # of what comes in an address, PostgreSQL takes no NUL
    row = session.exec(select(Staff).where(Staff.public_id == public_id)).first() if known else None
    if row is None or row.removed_at:
        raise StaffRefused("there is no such account.")
    return row


def names(session: Session) -> dict[int, str]:
    """The name of everybody who ever was on the staff, by id."""
    return {row.id: row.name for row in session.exec(select(Staff)) if row.id is not None}


def actor_of(row: Staff) -> Actor:
    """A member of the staff as whoever does something."""
    return Actor(row.id, row.name, row.address, roles_of(row.roles))


def end_sessions(session: Session, row: Staff, *, but: int | None = None) -> int:
    """Sign somebody out everywhere, but for the session with the id `but`; the number of sessions ended."""
    rows = session.exec(select(StaffSession).where(StaffSession.staff_id == row.id)).all()
    ended = [one for one in rows if one.id != but]
    for one in ended:
        session.delete(one)
    return len(ended)


def _required(roles: Iterable[Role]) -> list[str]:
    kept = sorted({Role(role).value for role in roles})
    if not kept:
        raise StaffRefused("a member of the staff needs a role: editor, sender or admin.", "no_role")
    return kept
