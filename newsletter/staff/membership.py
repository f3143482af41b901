"""Who is on the staff, and as what: roles changed, people removed, browsers signed out by an admin."""

from collections.abc import Iterable

from sqlmodel import Session

from newsletter.app import Newsletter
from newsletter.staff import accounts
from newsletter.staff.accounts import StaffRefused
from newsletter.staff.audit import Action, record
from newsletter.staff.models import Staff
from newsletter.staff.rights import Actor, Role
from newsletter.storage.turn import take_turn

_LAST = "{address} is the last admin who can sign in: make somebody else one first."


def change_roles(newsletter: Newsletter, actor: Actor, public_id: str, roles: Iterable[Role]) -> None:
    """Give somebody these roles and no others.

    Raises `StaffRefused` for none, for an unknown account, and when no admin would be left.
    """
    roles = frozenset(roles)
    with newsletter.session() as session:
        row = _held(session, public_id)
        before = row.roles
        if Role.ADMIN not in roles:
            _keep_an_admin(session, actor, row)
        accounts.set_roles(session, row, roles)
        if row.roles != before:
            now = newsletter.clock()
            record(session, actor, Action.STAFF_CHANGED, row.address, now, roles=row.roles, before=before)


def remove(newsletter: Newsletter, actor: Actor, public_id: str) -> None:
    """Take somebody off the staff and sign them out; raises `StaffRefused` as `change_roles` does."""
    now = newsletter.clock()
    with newsletter.session() as session:
        row = _held(session, public_id)
        _keep_an_admin(session, actor, row)
        accounts.remove(session, row, now)
        record(session, actor, Action.STAFF_REMOVED, row.address, now)


def sign_out(newsletter: Newsletter, actor: Actor, public_id: str) -> None:
    """End all sessions of somebody; raises `StaffRefused` for an unknown account."""
    with newsletter.session() as session:
        row = _held(session, public_id)
        if ended := accounts.end_sessions(session, row):
            record(session, actor, Action.SESSION_ENDED, row.address, newsletter.clock(), sessions=ended)


def _held(session: Session, public_id: str) -> Staff:
    """The account, which nobody else changes meanwhile, nor another one."""
    take_turn(session, "staff")
    return accounts.by_public_id(session, public_id)


def _keep_an_admin(session: Session, actor: Actor, row: Staff) -> None:
    """Raise `StaffRefused` when nobody could manage the desk any more; the command line can always make an admin."""
    if actor.id is not None and accounts.is_last_admin(session, row):
        raise StaffRefused(_LAST.format(address=row.address), "last_admin")
