"""What the staff do to a reader: add, change, pause, take off, suppress, forget; the audit log has each of it.

The log names a reader by their public id and says what changed, not from what to what. Nobody who left or is suppressed
is brought back from here: that takes their own consent.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time

from sqlmodel import Session

from newsletter.app import Newsletter
from newsletter.delivery import history
from newsletter.delivery.plan import wait_for_planners
from newsletter.readers import forgetting
from newsletter.readers.leaving import one_line
from newsletter.readers.preferences import follow_rhythm
from newsletter.staff import audit
from newsletter.staff.audit import Action
from newsletter.staff.rights import Actor
from subscribers.addresses import parse_address
from subscribers.models import Consent, State, Subscriber, Suppression
from subscribers.people import SubscriberRefused
from subscribers.preference_columns import columns_of, preferences_of
from subscribers.preferences import Preferences, PreferencesRefused

SOURCE = "staff"
"""What the consent record says about where it was done."""

_LATELY = 10
"""So many of their latest mails are shown."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """All there is about one reader: the person, what they said, why they are suppressed, and their latest mails."""

    person: Subscriber
    consents: tuple[Consent, ...]
    suppression: Suppression | None
    mails: tuple[history.Entry, ...]


def look(newsletter: Newsletter, public_id: str) -> Sheet | None:
    """The sheet of a reader; None for somebody who is not there or was forgotten."""
    with newsletter.reading() as session:
        people = newsletter.people(session)
        person = people.by_public_id(public_id)
        if person is None or person.address is None:
            return None
        return Sheet(
            person=person,
            consents=people.consents(person),
            suppression=newsletter.suppression(session).find(person.address),
            mails=tuple(history.entries(session, subscriber_id=person.id, limit=_LATELY)),
        )


def add(
    newsletter: Newsletter,
    actor: Actor,
    address: str,
    preferences: Preferences,
    *,
    name: str,
    state: State,
    agreed: str,
) -> str:
    """Add a reader, active or pending, and give their public id; `agreed` says how they consented.

    Raises `AddressRefused`, `NameRefused` and `PreferencesRefused` for what cannot be kept, `SubscriberRefused` for an
    address that is there already or suppressed, in whatever state, and when nobody says how they agreed.
    """
    note = one_line(agreed)
    if not note:
        raise SubscriberRefused("say how this person agreed to be written to")
    with newsletter.session() as session:
        _check_topics(newsletter, session, preferences)
        person = newsletter.people(session).add(
            address, preferences, name=name, state=state, consent=SOURCE, source=SOURCE, wording=note
        )
        _record(newsletter, session, actor, person, "added", state=str(state))
        return person.public_id


def change(
    newsletter: Newsletter, actor: Actor, public_id: str, name: str, preferences: Preferences
) -> tuple[str, ...]:
    """Give a reader another name and other choices; says what changed, nothing for the same.

    Raises `NameRefused` and `PreferencesRefused`; nothing is changed then.
    """
    with _reader(newsletter, public_id, may_move=True) as (session, person):
        people = newsletter.people(session)
        _check_topics(newsletter, session, preferences)
        held = preferences_of(person)
        before, after = columns_of(held), columns_of(preferences)
        changed = tuple(column for column, value in after.items() if value != before[column])
        if people.rename(person, name):
            changed = ("name", *changed)
        people.change(person, preferences, source=SOURCE)
        follow_rhythm(newsletter, session, person, held)
        if changed:
            _record(newsletter, session, actor, person, "changed", fields=list(changed))
        return changed


def pause(newsletter: Newsletter, actor: Actor, public_id: str, until: date | None) -> None:
    """Write nothing to a reader until the beginning of a day in the newsletter's zone, or until somebody ends it.

    Raises `SubscriberRefused` for who is neither active nor paused.
    """
    moment = datetime.combine(until, time(), newsletter.settings.time_zone) if until else None
    with _reader(newsletter, public_id) as (session, person):
        newsletter.people(session).pause(person, moment, SOURCE)
        _record(newsletter, session, actor, person, "paused", until=until.isoformat() if until else "")


def resume(newsletter: Newsletter, actor: Actor, public_id: str) -> None:
    """End a reader's pause; raises `SubscriberRefused` for who is pending or has left."""
    with _reader(newsletter, public_id) as (session, person):
        was = person.state
        newsletter.people(session).resume(person, SOURCE)
        if was is not person.state:
            _record(newsletter, session, actor, person, "resumed")


def unsubscribe(newsletter: Newsletter, actor: Actor, public_id: str) -> None:
    """Write to a reader no more, also in a send that is running."""
    with _reader(newsletter, public_id) as (session, person):
        if newsletter.people(session).unsubscribe(person, SOURCE):
            _record(newsletter, session, actor, person, "unsubscribed")


def suppress(newsletter: Newsletter, actor: Actor, public_id: str, note: str) -> None:
    """Put a reader's address on the suppression list; one that is there keeps its reason.

    Raises `SuppressionRefused` for a note that cannot be kept.
    """
    with _reader(newsletter, public_id) as (session, person):
        suppression = newsletter.suppression(session)
        if suppression.find(person.address or "") is None:
            suppression.add(person.address or "", SOURCE, note.strip())
            subject = subject_of(person.public_id)
            audit.record(session, actor, Action.SUPPRESSED, subject, newsletter.clock(), addresses=1)


def forget(newsletter: Newsletter, actor: Actor, public_id: str) -> bool:
    """Erase who a reader was, at once and for good; False when there is nobody left to forget."""
    with newsletter.session() as session:
        if not forgetting.forget_within(newsletter, session, public_id, SOURCE):
            return False
        subject = subject_of(public_id)
        audit.record(session, actor, Action.READER_CHANGED, subject, newsletter.clock(), what="forgotten")
        return True


def note_export(newsletter: Newsletter, actor: Actor) -> None:
    """Write down that somebody takes a copy of all readers."""
    with newsletter.session() as session:
        audit.record(session, actor, Action.READERS_EXPORTED, "readers", newsletter.clock())


def kept_out(newsletter: Newsletter, address: str) -> tuple[Subscriber | None, Suppression | None]:
    """Whose an address is, and why it is suppressed; raises `AddressRefused` for what is none."""
    parse_address(address)
    with newsletter.reading() as session:
        return newsletter.people(session).get(address), newsletter.suppression(session).find(address)


def subject_of(public_id: str) -> str:
    """What the audit log calls a reader."""
    return f"reader {public_id}"


def _check_topics(newsletter: Newsletter, session: Session, preferences: Preferences) -> None:
    """Other than a reader's own page it lets them have no topic: who is imported without one can be given a name."""
    for slug in set(preferences.topics) - newsletter.topics(session).slugs():
        raise PreferencesRefused(f"there is no topic {slug}")


@contextmanager
def _reader(newsletter: Newsletter, public_id: str, *, may_move: bool = False) -> Iterator[tuple[Session, Subscriber]]:
    """A reader and the transaction to change them in, the hour of their mail too where they `may_move`.

    Raises `SubscriberRefused` when there is none.
    """
    with newsletter.session() as session:
        if may_move:
            wait_for_planners(session)
        person = newsletter.people(session).by_public_id(public_id)
        if person is None or person.address is None:
            raise SubscriberRefused("there is no such reader, or they were forgotten")
        yield session, person


def _record(
    newsletter: Newsletter,
    session: Session,
    actor: Actor,
    person: Subscriber,
    what: str,
    **details: str | Sequence[str],
) -> None:
    subject = subject_of(person.public_id)
    audit.record(session, actor, Action.READER_CHANGED, subject, newsletter.clock(), what=what, **details)
