"""What somebody does with their own account: password, second factor, and the browsers they are signed in with."""

from newsletter.app import Newsletter
from newsletter.staff import accounts, logins, passwords, second_factor
from newsletter.staff.audit import Action, record
from newsletter.staff.logins import LoginRefused
from newsletter.staff.models import Staff, StaffSession
from newsletter.staff.rights import Actor


class CodeRefused(Exception):
    """A code that does not fit the secret, so that the app has not taken it over."""


def change_password(
    newsletter: Newsletter, actor: Actor, old: str, new: str, again: str, *, origin: str, here: int | None
) -> None:
    """Set a new password and end all sessions but the one with the id `here`.

    Raises `PasswordRefused`, `LoginRefused` when the old one is wrong, and `TooManyTries`.
    """
    passwords.check(new, again, actor.address)
    proved = logins.prove(newsletter, actor.id, old, origin)
    kept, now = passwords.keep(new), newsletter.clock()
    with newsletter.session() as session:
        row = session.get(Staff, actor.id, with_for_update=True)
        if row is None or row.removed_at or row.password_hash != proved.password_hash:
            raise LoginRefused
        row.password_hash = kept
        accounts.end_sessions(session, row, but=here)
        record(session, actor, Action.PASSWORD_SET, actor.address, now, origin=origin)


def turn_on(newsletter: Newsletter, actor: Actor, secret: str, code: str) -> None:
    """Ask for codes of a secret from now on; raises `CodeRefused` when this is none of them."""
    now = newsletter.clock()
    step = second_factor.step_of(secret, code, now) if second_factor.is_secret(secret) else None
    if step is None:
        raise CodeRefused
    with newsletter.session() as session:
        row = session.get(Staff, actor.id, with_for_update=True)
        if row and row.removed_at is None and row.totp_secret is None:
            row.totp_secret, row.totp_step = secret, step
            record(session, actor, Action.TOTP_ON, actor.address, now)


def turn_off(newsletter: Newsletter, actor: Actor, password: str, *, origin: str) -> None:
    """Ask for no codes any more; raises `LoginRefused` for a wrong password, and `TooManyTries`."""
    logins.prove(newsletter, actor.id, password, origin)
    with newsletter.session() as session:
        row = session.get(Staff, actor.id, with_for_update=True)
        if row and row.totp_secret:
            row.totp_secret = row.totp_step = None
            record(session, actor, Action.TOTP_OFF, actor.address, newsletter.clock())


def end_session(newsletter: Newsletter, actor: Actor, session_id: int) -> None:
    """End one of one's own sessions; nothing happens when it is no longer there, or somebody else's."""
    with newsletter.session() as session:
        row = session.get(StaffSession, session_id)
        if row and row.staff_id == actor.id:
            session.delete(row)
            record(session, actor, Action.SESSION_ENDED, actor.address, newsletter.clock(), sessions=1)


def end_other_sessions(newsletter: Newsletter, actor: Actor, here: int | None) -> None:
    """End all of one's own sessions but the one with the id `here`."""
    with newsletter.session() as session:
        row = session.get(Staff, actor.id)
        if row and (ended := accounts.end_sessions(session, row, but=here)):
            record(session, actor, Action.SESSION_ENDED, actor.address, newsletter.clock(), sessions=ended)
