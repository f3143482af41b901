"""Logging in: a password, then a code where there is a second factor, and a session comes of it.

Whatever is wrong, the answer and its cost are the same: nobody learns here who is on the staff.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import or_
from sqlmodel import Session, col, select, update

from newsletter.app import Newsletter
from newsletter.staff import passwords, second_factor, sessions, throttle
from newsletter.staff.accounts import actor_of
from newsletter.staff.audit import Action, record
from newsletter.staff.models import Staff, StaffSession
from subscribers.addresses import AddressRefused, parse_address
from subscribers.tokens import Purpose

FOR_THE_CODE = timedelta(minutes=5)
"""So long after the password the code may come."""
_NAME_CHARACTERS = 320


class LoginRefused(Exception):
    """Address, password or code is wrong; nothing says which."""


class ProofOver(Exception):
    """The password was given too long ago, or never: the login begins anew."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who wants to come in, as far as it can be told: a network address, what the browser calls itself."""

    origin: str
    browser: str


@dataclass(frozen=True, slots=True)
class Passed:
    """What a right password gives: the token of a session, or a proof of it with which to bring the code."""

    session_token: str = ""
    proof: str = ""


def sign_in(newsletter: Newsletter, address: str, password: str, visitor: Visitor) -> Passed:
    """Let somebody in by their password, or ask for the code.

    Raises `LoginRefused`, and `TooManyTries` when that may not be tried now, right or not.
    """
    name = _name(address)
    trial = throttle.count(newsletter, name, visitor.origin)
    with newsletter.reading() as session:
        found = session.exec(select(Staff).where(Staff.address == name, col(Staff.removed_at).is_(None))).first()
    kept = found.password_hash if found else None
    tried = passwords.attempt(password, kept)
    if found is None or not tried.right:
        raise LoginRefused
    with newsletter.session() as session:
        staff = _unchanged(session, found)
        if tried.new_hash:
            staff.password_hash = tried.new_hash
        throttle.forgive(session, trial)
        if staff.totp_secret:
            return Passed(proof=_proof(newsletter, staff))
        return Passed(session_token=admit(newsletter, session, staff, visitor))


def bring_code(newsletter: Newsletter, proof: str, code: str, visitor: Visitor) -> str:
    """Let somebody in by the code after their password; gives the token of a session.

    Raises `LoginRefused` for a code that is wrong or was used, `ProofOver`, and `TooManyTries`.
    """
    found = _proved(newsletter, proof)
    trial = throttle.count(newsletter, found.address, visitor.origin)
    step = second_factor.step_of(found.totp_secret or "", code, newsletter.clock()) if found.totp_secret else None
    with newsletter.session() as session:
        if step is None or not use_step(session, found, step):
            raise LoginRefused
        throttle.forgive(session, trial)
        return admit(newsletter, session, _unchanged(session, found), visitor)


def admit(newsletter: Newsletter, session: Session, staff: Staff, visitor: Visitor) -> str:
    """Begin a session of somebody who has proved who they are, and write it down; the caller commits."""
    now = newsletter.clock()
    throttle.forget(newsletter, session, staff.address)
    record(session, actor_of(staff), Action.SIGNED_IN, staff.address, now, origin=visitor.origin)
    return sessions.begin(session, staff, now, origin=visitor.origin, browser=visitor.browser)


def prove(newsletter: Newsletter, staff_id: int | None, password: str, origin: str) -> Staff:
    """Whoever is signed in gives their password once more, for what a borrowed browser must not do.

    Raises `LoginRefused` and `TooManyTries`.
    """
    with newsletter.reading() as session:
        found = session.get(Staff, staff_id)
    if found is None:
        raise LoginRefused
    trial = throttle.count(newsletter, found.address, origin)
    if not passwords.attempt(password, found.password_hash).right:
        raise LoginRefused
    with newsletter.session() as session:
        throttle.forgive(session, trial)
    return found


def use_step(session: Session, staff: Staff, step: int) -> bool:
    """Use up a step of the second factor, and all before it: of two who bring the same code, one is let in."""
    unused = or_(col(Staff.totp_step).is_(None), col(Staff.totp_step) < step)
    same = col(Staff.id) == staff.id, col(Staff.totp_secret) == staff.totp_secret
    return bool(session.exec(update(Staff).where(*same, unused).values(totp_step=step)).rowcount)


def sign_out(newsletter: Newsletter, token: str) -> None:
    """End the session of a token, if there is one."""
    now = newsletter.clock()
    with newsletter.reading() as session:
        found = sessions.find(session, token, now)
    if found is None:
        return
    with newsletter.session() as session:
        row = session.get(StaffSession, found[0].id)
        if row:
            session.delete(row)
            record(session, actor_of(found[1]), Action.SIGNED_OUT, found[1].address, now)


def _name(address: str) -> str:
    """What was typed as the name, the way that accounts have theirs where it is an address at all."""
    try:
        return parse_address(address[:_NAME_CHARACTERS]).key
    except AddressRefused:
        return "".join(filter(str.isprintable, address)).casefold()[:_NAME_CHARACTERS]  # PostgreSQL takes no NUL


def _unchanged(session: Session, found: Staff) -> Staff:
    """The row of somebody as it is now; raises `LoginRefused` when it is another since the password was tried."""
    staff = session.get(Staff, found.id, with_for_update=True, populate_existing=True)
    if staff is None or staff.removed_at or staff.password_hash != found.password_hash:
        raise LoginRefused
    return staff


def _proof(newsletter: Newsletter, staff: Staff) -> str:
    seconds = int(newsletter.clock().timestamp())
    return newsletter.tokens.make(Purpose.SECOND_FACTOR, f"{staff.public_id}-{seconds}-{_mark(staff)}")


def _proved(newsletter: Newsletter, proof: str) -> Staff:
    """Whose password was right a moment ago; raises `ProofOver`."""
    public_id, _, rest = (newsletter.tokens.read(Purpose.SECOND_FACTOR, proof) or "").partition("-")
    seconds, _, mark = rest.partition("-")
    with newsletter.reading() as session:
        found = session.exec(select(Staff).where(Staff.public_id == public_id, col(Staff.removed_at).is_(None))).first()
    if found is None or mark != _mark(found) or not seconds.isascii() or not seconds.isdecimal():
        raise ProofOver
    if newsletter.clock().timestamp() - int(seconds) > FOR_THE_CODE.total_seconds():
        raise ProofOver
    return found


def _mark(staff: Staff) -> str:
    """What tells that the password is still the same, and the second factor."""
    return hashlib.sha256(f"{staff.password_hash}\0{staff.totp_secret}".encode()).hexdigest()[:16]
