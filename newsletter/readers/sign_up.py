"""Signing up: somebody asks in the name of an address, and nothing happens before its owner confirms by a letter.

Whatever is asked, the answer is the same: it tells nobody who reads this newsletter. Each request counts the same
towards the limits too, whether a letter to confirm follows, one to a reader that they are one already, or none.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import Session

from newsletter.app import Newsletter
from newsletter.readers.letters import SUPPRESSED, put_down, write
from newsletter.readers.limits import TURN, has_room
from newsletter.readers.models import LetterKind
from newsletter.readers.preferences import check_choices, follow_rhythm
from newsletter.render.wording import masked
from newsletter.storage.turn import take_turn
from subscribers.addresses import Address, parse_address
from subscribers.models import SignUp, State, Subscriber
from subscribers.people import LIFTED_BY_CONSENT, SubscriberRefused
from subscribers.preference_columns import preferences_of
from subscribers.preferences import Preferences, PreferencesRefused
from subscribers.sign_ups import SignUpStore, preferences_asked
from subscribers.tokens import Purpose

CONFIRM_DAYS = 7
"""So long a link to confirm holds."""


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
    """Where a request stands; `left` is one that was done, of somebody who unsubscribed since."""

    OPEN = "open"
    DONE = "done"
    OVER = "over"
    LEFT = "left"


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
        wished = _checked(asked.preferences, newsletter.topics(session).slugs())
        if not has_room(newsletter, session, LetterKind.CONFIRM, address, asked.origin):
            return
    with newsletter.session() as session:
        take_turn(session, TURN)
        if not has_room(newsletter, session, LetterKind.CONFIRM, address, asked.origin):
            return
        row = SignUpStore(session, newsletter.clock).add(
            address, wished, source=asked.source, wording=asked.wording, origin=asked.origin
        )
        _answer(newsletter, session, address, row)


def look(newsletter: Newsletter, token: str) -> Waiting | None:
    """Show what a link is about, without changing anything; None when there is no such request, or no more."""
    with newsletter.reading() as session:
        row = _row(newsletter, session, token)
        return _waiting(session, row, newsletter.clock()) if row else None


def confirm(newsletter: Newsletter, token: str, origin: str, wording: str = "") -> Waiting | None:
    """Do what was asked, now that the owner of the address says so, and welcome them; None when there is no such link.

    `wording` is the text that they read above the button. A request that is done or over is shown as it is and changes
    nothing.
    """
    with newsletter.session() as session:
        take_turn(session, TURN)
        row = _row(newsletter, session, token)
        if row is None:
            return None
        if _standing(row, newsletter.clock()) is Standing.OPEN:
            try:
                known = newsletter.people(session).get(row.address)
                before = preferences_of(known) if known else None
                person = newsletter.people(session).join(row, source="page", origin=origin, wording=wording)
            except SubscriberRefused:  # the operator has shut this address out since it was asked for
                return None
            if before is not None:
                follow_rhythm(newsletter, session, person, before)
            _welcome(newsletter, session, person)
        return _waiting(session, row, newsletter.clock())


def way_on(newsletter: Newsletter, token: str) -> str:
    """The token for the preferences of the person who confirmed by a link; empty when they are forgotten by now."""
    public_id = newsletter.tokens.read(Purpose.CONFIRM, token)
    with newsletter.reading() as session:
        row = SignUpStore(session).by_public_id(public_id or "")
        # by who they became: they may have moved since, and their address may be somebody else's by now
        person = session.get(Subscriber, row.subscriber_id) if row and row.subscriber_id else None
    return newsletter.tokens.make(Purpose.PREFERENCES, person.public_id) if person else ""


def _checked(preferences: Preferences, known: Collection[str]) -> Preferences:
    """The preferences as they can be kept, no topic twice."""
    wished = replace(preferences, topics=tuple(dict.fromkeys(preferences.topics)))
    if not wished.topics:
        raise PreferencesRefused("choose at least one topic")
    check_choices(wished, known)
    return wished


def _answer(newsletter: Newsletter, session: Session, address: Address, row: SignUp) -> None:
    """Put down the letter that this address gets, or would get."""
    people = newsletter.people(session)
    person, reason = people.get(address.display), people.reason_against(address)
    if person is not None and person.state in (State.ACTIVE, State.PAUSED) and not reason:
        kind, language, ids = LetterKind.ALREADY, person.language, {"subscriber_id": person.id}
    else:
        kind, language, ids = LetterKind.CONFIRM, row.preferences["language"], {"sign_up_id": row.id}
    not_sent = SUPPRESSED if reason and reason not in LIFTED_BY_CONSENT else ""
    put_down(newsletter, session, kind, address, language, **ids, origin=row.origin, not_sent=not_sent)


def _welcome(newsletter: Newsletter, session: Session, person: Subscriber) -> None:
    address = parse_address(person.address or "")
    write(newsletter, session, LetterKind.WELCOME, address, person.language, subscriber_id=person.id)


def _row(newsletter: Newsletter, session: Session, token: str) -> SignUp | None:
    public_id = newsletter.tokens.read(Purpose.CONFIRM, token)
    return SignUpStore(session).by_public_id(public_id) if public_id else None


def _waiting(session: Session, row: SignUp, now: datetime) -> Waiting:
    standing = _standing(row, now)
    if standing is Standing.DONE:
        person = session.get(Subscriber, row.subscriber_id)
        standing = Standing.LEFT if person is None or person.state is State.UNSUBSCRIBED else standing
    return Waiting(masked(row.address), preferences_asked(row), standing)


def _standing(row: SignUp, now: datetime) -> Standing:
    if row.confirmed_at is not None:
        return Standing.DONE
    return Standing.OPEN if now - row.created_at < timedelta(days=CONFIRM_DAYS) else Standing.OVER
