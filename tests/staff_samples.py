"""What the tests of the staff share: people with passwords, and what they come in with."""

from functools import cache

import pyotp
from sqlmodel import select

from newsletter.app import Newsletter
from newsletter.staff import accounts, invitations, own_account, passwords, second_factor, sessions
from newsletter.staff.audit import entries
from newsletter.staff.logins import Visitor
from newsletter.staff.models import Staff, StaffSession
from newsletter.staff.rights import COMMAND_LINE, Actor, Role

CHEN, LI = "chen@example.org", "li@example.org"
PASSWORD = "a long password"
HERE = Visitor("203.0.113.7", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")


def invited(newsletter: Newsletter, address: str = CHEN, *roles: Role, name: str = "") -> str:
    """The token of a fresh invitation; with every role unless some are named."""
    made = invitations.invite(newsletter, COMMAND_LINE, address, name, roles or list(Role))
    return made.link.rpartition("/")[2]


def join(newsletter: Newsletter, address: str = CHEN, *roles: Role) -> None:
    """Somebody who has come by their link: with `PASSWORD`, and signed in here."""
    invited(newsletter, address, *roles)
    with newsletter.session() as session:
        row = accounts.find(session, address)
        row.password_hash, row.invited_at = _kept(), None
        sessions.begin(session, row, newsletter.clock(), origin=HERE.origin, browser=HERE.browser)


@cache
def _kept() -> str:
    """The hash of `PASSWORD`, made once: it takes an eighth of a second."""
    return passwords.keep(PASSWORD)


def row_of(newsletter: Newsletter, address: str = CHEN) -> Staff:
    """The account of an address, removed or not."""
    with newsletter.reading() as session:
        return session.exec(select(Staff).where(Staff.address == address)).one()


def actor(newsletter: Newsletter, address: str = CHEN) -> Actor:
    """Somebody as whoever does something."""
    return accounts.actor_of(row_of(newsletter, address))


def sessions_of(newsletter: Newsletter, address: str = CHEN) -> list[int]:
    """The ids of somebody's sessions, the oldest first."""
    row = row_of(newsletter, address)
    with newsletter.reading() as session:
        found = session.exec(select(StaffSession).where(StaffSession.staff_id == row.id)).all()
    return sorted(one.id or 0 for one in found)


def turn_on_codes(newsletter: Newsletter, address: str = CHEN) -> str:
    """Turn the second factor on; gives its secret. The code of now is used up by that."""
    secret = second_factor.new_secret()
    own_account.turn_on(newsletter, actor(newsletter, address), secret, code(newsletter, secret))
    return secret


def code(newsletter: Newsletter, secret: str) -> str:
    """The code that an app shows now."""
    return str(pyotp.TOTP(secret).at(newsletter.clock()))


def done(newsletter: Newsletter) -> list[tuple[str, str, str]]:
    """Who did what to what, the oldest first."""
    with newsletter.reading() as session:
        return [(one.who, one.action, one.subject) for one in reversed(entries(session))]
