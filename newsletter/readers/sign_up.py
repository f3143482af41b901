"""Signing up: somebody asks in the name of an address, and nothing happens before its owner confirms by a letter.

Whatever is asked, the answer is the same: it tells nobody who reads this newsletter. Each request counts the same
towards the limits too, whether a letter to confirm follows, one to a reader that they are one already, or none.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import Session

from newsletter.app import Newsletter
from newsletter.readers.letters import LIMITS, write
from newsletter.readers.models import LetterKind
from newsletter.readers.preferences import check_choices
from newsletter.render.wording import masked
from newsletter.storage.turn import take_turn
from subscribers.addresses import Address, hash_address, parse_address
from subscribers.models import SignUp, State, Subscriber
from subscribers.people import LIFTED_BY_CONSENT, SubscriberRefused
from subscribers.preferences import Preferences, PreferencesRefused
from subscribers.sign_ups import SignUpStore, preferences_asked
from subscribers.tokens import Purpose
from subscribers.topics import Catalogue

CONFIRM_DAYS = 7
"""So long a link to confirm holds."""
SIGN_UPS_PER_ORIGIN = 10
"""From one network address so many requests are kept in an hour: an office may share one, a script has no use of it."""
TURN = "sign-ups"
"""Those who ask, confirm and forget take turns at this, so that no count is stale and nothing outlives a forgetting."""

_HOUR = timedelta(hours=1)


class TooMany(Exception):
    """So much was asked for within an hour, from one network address or in all, that it has to wait."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came in: who says so through what (`page`, `embed`, `api`), having read which text, from where.

    `origin` is a network address; an unknown one is empty and counts towards the limit in all alone.
    """

    address: str
    preferences: Preferences
    source: str
    wording: str
    origin: str


class Standing(StrEnum):
    """Where a request stands."""

    OPEN = "open"
    DONE = "done"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request to show to whoever has the link; the address is one that only its owner recognises."""

    address: str
    preferences: Preferences
    state: Standing


def ask(newsletter: Newsletter, asked: Asked) -> None:
    """Send a letter to an address so that its owner can confirm what was asked in their name.

    A reader who is written to gets one that says so and leads to their preferences, and nothing of theirs changes. An
    address that had its letters for now, or that the operator keeps out, gets none. Raises `AddressRefused`,
    `PreferencesRefused` (also for no topic and for unknown ones) and `TooMany`.
    """
    address = parse_address(asked.address)
    with newsletter.reading() as session:  # so that a flood of requests is turned away without waiting for a turn
        wished = _checked(asked.preferences, newsletter.topics(session).catalogue())
        if not _has_room(newsletter, session, address, asked.origin):
            return
    with newsletter.session() as session:
        take_turn(session, TURN)
        if not _has_room(newsletter, session, address, asked.origin):
            return
        with session.begin_nested() as kept:
            row = SignUpStore(session, newsletter.clock).add(
                address, wished, source=asked.source, wording=asked.wording, origin=asked.origin
            )
            if not _answer(newsletter, session, address, row):
                kept.rollback()


def look(newsletter: Newsletter, token: str) -> Waiting | None:
    """Show what a link is about, without changing anything; None when there is no such request, or no more."""
    with newsletter.reading() as session:
        row = _row(newsletter, session, token)
        return _waiting(row, newsletter.clock()) if row else None


def confirm(newsletter: Newsletter, token: str, origin: str) -> Waiting | None:
    """Do what was asked, now that the owner of the address says so, and welcome them; None when there is no such link.

    A request that is done or over is shown as it is and changes nothing.
    """
    with newsletter.session() as session:
        take_turn(session, TURN)
        row = _row(newsletter, session, token)
        if row is None:
            return None
        if _standing(row, newsletter.clock()) is Standing.OPEN:
            try:
                person = newsletter.people(session).join(row, source="page", origin=origin)
            except SubscriberRefused:  # the operator has shut this address out since it was asked for
                return None
            _welcome(newsletter, session, person)
        return _waiting(row, newsletter.clock())


def _checked(preferences: Preferences, catalogue: Catalogue) -> Preferences:
    """The preferences as they can be kept, no topic twice."""
    wished = replace(preferences, topics=tuple(dict.fromkeys(preferences.topics)))
    if not wished.topics:
        raise PreferencesRefused("choose at least one topic")
    check_choices(wished, catalogue)
    return wished


def _has_room(newsletter: Newsletter, session: Session, address: Address, origin: str) -> bool:
    """Whether this address may be asked for once more; raises `TooMany` when nothing may be asked at all."""
    store, now = SignUpStore(session), newsletter.clock()
    if origin and store.count(now - _HOUR, origin) >= SIGN_UPS_PER_ORIGIN:
        raise TooMany
    if store.count(now - _HOUR) >= newsletter.settings.sign_ups_per_hour:
        raise TooMany
    times = store.times(address, now - max(within for within, _ in LIMITS))
    return all(sum(at > now - within for at in times) < most for within, most in LIMITS)


def _answer(newsletter: Newsletter, session: Session, address: Address, row: SignUp) -> bool:
    """Write the letter that this address gets, if any; False when it had its letters for now."""
    people = newsletter.people(session)
    person, reason = people.get(address.display), people.reason_against(address)
    if reason and reason not in LIFTED_BY_CONSENT:
        return True
    address_hash, now = hash_address(address, newsletter.address_key), newsletter.clock()
    if person is not None and person.state in (State.ACTIVE, State.PAUSED) and not reason:
        letter = write(
            session, LetterKind.ALREADY, address.ascii, address_hash, person.language, now, subscriber_id=person.id
        )
    else:
        language = row.preferences["language"]
        letter = write(session, LetterKind.CONFIRM, address.ascii, address_hash, language, now, sign_up_id=row.id)
    return letter is not None


def _welcome(newsletter: Newsletter, session: Session, person: Subscriber) -> None:
    write(
        session,
        LetterKind.WELCOME,
        person.ascii_address or "",
        person.address_hash or "",
        person.language,
        newsletter.clock(),
        subscriber_id=person.id,
    )


def _row(newsletter: Newsletter, session: Session, token: str) -> SignUp | None:
    public_id = newsletter.tokens.read(Purpose.CONFIRM, token)
    return SignUpStore(session).by_public_id(public_id) if public_id else None


def _waiting(row: SignUp, now: datetime) -> Waiting:
    return Waiting(masked(row.address), preferences_asked(row), _standing(row, now))


def _standing(row: SignUp, now: datetime) -> Standing:
    if row.confirmed_at is not None:
        return Standing.DONE
    return Standing.OPEN if now - row.created_at < timedelta(days=CONFIRM_DAYS) else Standing.OVER
