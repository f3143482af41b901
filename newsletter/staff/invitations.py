"""Invitations: a link by which somebody sets a first or a new password, once, within three days."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from newsletter.app import Newsletter
from newsletter.staff import accounts, logins, passwords
from newsletter.staff.audit import Action, record
from newsletter.staff.models import Staff
from newsletter.staff.rights import Actor, Role
from subscribers.tokens import Purpose

LASTS = timedelta(days=3)


class InvitationUnknown(Exception):
    """A link that was never made, or whose account is gone."""


class InvitationOver(Exception):
    """A link that was used, that a newer one replaced, or that is older than three days."""


@dataclass(frozen=True, slots=True)
class Invited:
    """Somebody with the link to hand to them."""

    public_id: str
    name: str
    address: str
    link: str


def invite(newsletter: Newsletter, actor: Actor, address: str, name: str, roles: Iterable[Role]) -> Invited:
    """Make an account and a link; raises what `accounts.invite` does."""
    now, roles = newsletter.clock(), [*roles]
    with newsletter.session() as session:
        row = accounts.invite(session, address, name, roles, now)
        record(session, actor, Action.STAFF_INVITED, row.address, now, roles=row.roles)
        return _invited(newsletter, row, now)


def renew(newsletter: Newsletter, actor: Actor, public_id: str) -> Invited:
    """Make a new link for somebody who forgot their password or lost their second factor; both are gone then.

    Raises `StaffRefused` for an unknown account, and for the actor's own, who would lock themselves out.
    """
    now = newsletter.clock()
    with newsletter.session() as session:
        row = accounts.by_public_id(session, public_id)
        if row.id == actor.id:
            raise accounts.StaffRefused("change your own password on the account page.", "self")
        accounts.start_anew(session, row, now)
        record(session, actor, Action.STAFF_INVITED, row.address, now, again=True)
        return _invited(newsletter, row, now)


def look(newsletter: Newsletter, token: str) -> Staff:
    """Whose link a token is; raises `InvitationUnknown` and `InvitationOver`."""
    with newsletter.reading() as session:
        return _open(newsletter, session, token)


def accept(newsletter: Newsletter, token: str, password: str, again: str, visitor: logins.Visitor) -> str:
    """Set the password of whoever has the link, and sign them in; gives the token of their session.

    Raises `PasswordRefused`, `InvitationUnknown` and `InvitationOver`; the link works no more afterwards.
    """
    passwords.check(password, again, look(newsletter, token).address)
    kept, now = passwords.keep(password), newsletter.clock()
    with newsletter.session() as session:
        row = _open(newsletter, session, token, to_use=True)
        row.password_hash, row.invited_at = kept, None
        accounts.end_sessions(session, row)
        record(session, accounts.actor_of(row), Action.PASSWORD_SET, row.address, now, origin=visitor.origin)
        return logins.admit(newsletter, session, row, visitor)


def _invited(newsletter: Newsletter, row: Staff, now: datetime) -> Invited:
    token = newsletter.tokens.make(Purpose.INVITATION, f"{row.public_id}-{_seconds(now)}")
    link = f"{newsletter.settings.base_url}/desk/welcome/{token}"
    return Invited(row.public_id, row.name, row.address, link)


def _open(newsletter: Newsletter, session: Session, token: str, *, to_use: bool = False) -> Staff:
    subject = newsletter.tokens.read(Purpose.INVITATION, token) or ""
    public_id, _, seconds = subject.partition("-")
    query = select(Staff).where(Staff.public_id == public_id, col(Staff.removed_at).is_(None))
    row = session.exec(query.with_for_update() if to_use else query).first()
    if row is None:
        raise InvitationUnknown
    if row.invited_at is None or seconds != str(_seconds(row.invited_at)):
        raise InvitationOver
    if newsletter.clock() - row.invited_at > LASTS:
        raise InvitationOver
    return row


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
