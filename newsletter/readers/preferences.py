"""A reader's own choices: looked at and changed through the link in every mail, and that link asked for by address."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import sha256

from sqlmodel import Session

from newsletter.app import Newsletter
from newsletter.delivery.moving_hours import move_waiting
from newsletter.delivery.plan import wait_for_planners
from newsletter.readers.letters import SUPPRESSED, put_down
from newsletter.readers.limits import TURN, has_room
from newsletter.readers.models import LetterKind
from newsletter.readers.persons import person_of, reader_of
from newsletter.render.wording import masked
from newsletter.storage.turn import take_turn
from subscribers.addresses import parse_address
from subscribers.models import State, Subscriber
from subscribers.people import LIFTED_BY_CONSENT
from subscribers.preference_columns import preferences_of
from subscribers.preferences import Preferences, PreferencesRefused, check_preferences
from subscribers.tokens import Purpose

SOURCE = "preferences page"
"""What the consent record says about where a choice was made."""

LONGEST_PAUSE = timedelta(days=366)
"""A year; who wants less than that should leave, and not be written to after they forgot us."""

KEYWORDS = 50
"""More to follow, or more to mute, than anybody remembers; each is looked for in every story."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a preferences page shows: choices, and how the person stands.

    `address` is masked. `left` says that they unsubscribed; `paused` that nothing is sent now, until the beginning of
    the day `until`, or without an end (None). `suppressed` says that their address is not written to, `kept_out` that
    signing up again would not end that, because it is the operator's doing. `version` changes with every change.
    """

    address: str
    preferences: Preferences
    left: bool = False
    paused: bool = False
    until: date | None = None
    suppressed: bool = False
    kept_out: bool = False
    feed_token: str = ""
    unsubscribe_token: str = ""
    version: str = ""


def look(newsletter: Newsletter, token: str) -> Held | None:
    """What there is behind a preferences link; None when it is none of ours, or of a person pending or forgotten."""
    with newsletter.reading() as session:
        person = person_of(newsletter, session, token)
        return None if person is None else _held(newsletter, session, person)


def save(
    newsletter: Newsletter, token: str, preferences: Preferences, until: date | None, origin: str = ""
) -> Held | None:
    """Keep choices, and a pause until the beginning of a day in the newsletter's zone (None: no such pause).

    None when nobody's choices can be changed by this link. A pause without an end, which only the command line makes,
    stays. Raises `PreferencesRefused` for what `check_choices` or `check_pause` refuse; nothing is changed then.
    """
    with newsletter.session() as session:
        wait_for_planners(session)  # the hour may change
        people = newsletter.people(session)
        person = reader_of(newsletter, session, token)
        if person is None:
            return None
        check_choices(preferences, newsletter.topics(session).slugs())
        check_pause(until, newsletter.today())
        before = preferences_of(person)
        if preferences != before:
            people.change(person, preferences, source=SOURCE, origin=origin)
            follow_rhythm(newsletter, session, person, before)
        moment = None if until is None else _beginning(newsletter, until)
        if moment is not None and moment != person.paused_until:
            people.pause(person, moment, SOURCE, origin=origin)
        elif moment is None and person.paused_until is not None:
            people.resume(person, SOURCE, origin=origin)
        return _held(newsletter, session, person)


def resume(newsletter: Newsletter, token: str, origin: str = "") -> Held | None:
    """End a pause, whatever its end; None when nobody's can be ended by this link."""
    with newsletter.session() as session:
        person = reader_of(newsletter, session, token)
        if person is None:
            return None
        newsletter.people(session).resume(person, SOURCE, origin=origin)
        return _held(newsletter, session, person)


def ask_link(newsletter: Newsletter, address: str, origin: str = "") -> None:
    """Mail the link to the preferences of an address, if it is a reader's or was; the caller cannot tell whether it is.

    `origin` is the caller's network address. Whoever the address belongs to, the same is read and written, and counts
    the same. Raises `AddressRefused` for what is no address, and `TooMany`.
    """
    parsed, kind = parse_address(address), LetterKind.PREFERENCES
    with newsletter.reading() as session:  # so that a flood is turned away without waiting for a turn
        if not has_room(newsletter, session, kind, parsed, origin):
            return
    with newsletter.session() as session:
        take_turn(session, TURN)
        if not has_room(newsletter, session, kind, parsed, origin):
            return
        people = newsletter.people(session)
        person, reason = people.get(parsed.display), people.reason_against(parsed)
        not_sent = "no reader" if person is None or person.state is State.PENDING else ""
        if reason and reason not in LIFTED_BY_CONSENT:
            not_sent = SUPPRESSED
        there = parse_address((person.address if person else None) or parsed.display)  # as its owner writes it
        number, language = (person.id, person.language) if person else (None, "")
        put_down(newsletter, session, kind, there, language, subscriber_id=number, origin=origin, not_sent=not_sent)


def follow_rhythm(newsletter: Newsletter, session: Session, person: Subscriber, before: Preferences) -> None:
    """Move what waits for a person, where mail is to come at other times than `before`; in the same transaction."""
    if person.id is not None and preferences_of(person).rhythm != before.rhythm:
        move_waiting(session, person.id, newsletter.clock())


def check_choices(preferences: Preferences, known: Collection[str]) -> None:
    """Raise `PreferencesRefused` for choices that nobody could be served by; `known` are the slugs of all topics."""
    check_preferences(preferences)
    unknown = [topic for topic in preferences.topics if topic not in known]
    if unknown:
        raise PreferencesRefused(f"there is no topic {unknown[0]}")
    if not preferences.topics and not preferences.follow:
        raise PreferencesRefused("choose a topic, or follow a keyword")
    if max(len(preferences.follow), len(preferences.mute)) > KEYWORDS:
        raise PreferencesRefused(f"at most {KEYWORDS} keywords")


def check_pause(until: date | None, today: date) -> None:
    """Raise `PreferencesRefused` unless a pause ends after today and within `LONGEST_PAUSE`."""
    if until is not None and not today < until <= today + LONGEST_PAUSE:
        raise PreferencesRefused(f"a pause ends between tomorrow and {today + LONGEST_PAUSE}")


def _held(newsletter: Newsletter, session: Session, person: Subscriber) -> Held:
    address = person.address or ""
    end = person.paused_until
    reason = newsletter.people(session).reason_against(parse_address(address))
    paused = person.state is State.PAUSED and (end is None or end > newsletter.clock())
    return Held(
        address=masked(address),
        preferences=preferences_of(person),
        left=person.state is State.UNSUBSCRIBED,
        paused=paused,
        until=_day_of(newsletter, end) if paused and end else None,
        suppressed=reason is not None,
        kept_out=reason is not None and reason not in LIFTED_BY_CONSENT,
        feed_token=newsletter.tokens.make(Purpose.FEED, person.public_id),
        unsubscribe_token=newsletter.tokens.make(Purpose.UNSUBSCRIBE, person.public_id),
        version=sha256(repr((preferences_of(person), person.state, end)).encode()).hexdigest()[:16],
    )


def _beginning(newsletter: Newsletter, day: date) -> datetime:
    return datetime.combine(day, time(), newsletter.settings.time_zone)


def _day_of(newsletter: Newsletter, moment: datetime) -> date:
    """The first whole day after a moment: at its beginning, that day itself."""
    local = moment.astimezone(newsletter.settings.time_zone)
    return local.date() if local.time() == time() else local.date() + timedelta(days=1)
