"""Leaving: everything or a topic, at once, by whatever door; and the way back for a day."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlmodel import Session

from newsletter.app import Newsletter
from newsletter.readers.models import LetterKind
from newsletter.readers.persons import hold, write_to
from newsletter.readers.preferences import follow_rhythm
from newsletter.render.wording import masked
from subscribers.addresses import parse_address, without_addresses
from subscribers.consent import last_of, record
from subscribers.models import Consent, State, Subscriber
from subscribers.people import LIFTED_BY_CONSENT, SubscriberRefused
from subscribers.preference_columns import preferences_of
from subscribers.preferences import of_topics
from subscribers.tokens import Purpose

ONE_CLICK, PAGE, MAIL = "one-click", "page", "mail"
"""Where somebody says that they leave: the mail program's own button (RFC 8058), our page, or a mail to us."""

WAY_BACK = timedelta(hours=24)
"""Long enough to notice a slip, and too short for an old link to bring back somebody who meant it."""

REASON_CHARACTERS = 500
"""A few sentences."""


@dataclass(frozen=True, slots=True)
class Left:
    """How a person stands to the newsletter after a word about leaving, or before one.

    `address` is masked, and empty once it was forgotten; `topics` are the slugs that they have, `gone` those that they
    left now. `out` says that they get nothing any more, `may_return` that the way back is open, `kept_out` that only
    the operator could let them in again, `may_explain` that they may still say why they left, `explained` that they
    have.
    """

    address: str
    out: bool
    topics: tuple[str, ...]
    gone: tuple[str, ...] = ()
    may_return: bool = False
    kept_out: bool = False
    may_explain: bool = False
    explained: bool = False


def look(newsletter: Newsletter, token: str) -> Left | None:
    """How the person of an unsubscribe link stands; None for a link that we never made."""
    with newsletter.reading() as session:
        person = _person(newsletter, session, token)
        return None if person is None else _left(newsletter, session, person)


def leave(
    newsletter: Newsletter,
    token: str,
    source: str,
    *,
    topics: Sequence[str] = (),
    reason: str = "",
    origin: str = "",
) -> Left | None:
    """Write to the person of an unsubscribe link no more, or no more about `topics`; None for a link never made.

    It acts at once, also for a send in progress, and repeating it changes nothing. Leaving the last topic of somebody
    who follows no keyword is leaving. `source` is `ONE_CLICK`, `PAGE` or `MAIL`; all but the first are answered by a
    letter, for there a mail service has told the person already. `origin` is their network address.
    """
    with newsletter.session() as session:
        people = newsletter.people(session)
        person = _person(newsletter, session, token)
        if person is None:
            return None
        hold(session, person)  # lest a choice made meanwhile be undone
        gone = tuple(topic for topic in person.topics if topic in topics)
        kept = [topic for topic in person.topics if topic not in topics]
        if topics and not gone:
            pass  # they have none of these
        elif topics and (kept or person.follow):
            if person.state is not State.UNSUBSCRIBED:
                held = preferences_of(person)
                choices = replace(held, topics=tuple(kept), frequencies=of_topics(held.frequencies, kept))
                people.change(person, choices, source=source, origin=origin)
                follow_rhythm(newsletter, session, person, held)
                _keep_reason(newsletter, session, person, source, reason)
        elif people.unsubscribe(person, source, origin=origin):
            _keep_reason(newsletter, session, person, source, reason)
            if source != ONE_CLICK:
                _say_goodbye(newsletter, session, person)
        return _left(newsletter, session, person, gone)


def explain(newsletter: Newsletter, token: str, reason: str) -> Left | None:
    """Keep why somebody left, said within `WAY_BACK` of it; None for a link that we never made.

    One reason is kept for having left once: with another, later, or from somebody who has not left, nothing changes.
    """
    with newsletter.session() as session:
        person = _person(newsletter, session, token)
        if person is None:
            return None
        hold(session, person)  # so that no reason is kept of somebody forgotten meanwhile, and none twice
        if _left(newsletter, session, person).may_explain:
            _keep_reason(newsletter, session, person, PAGE, reason)
        return _left(newsletter, session, person)


def come_back(newsletter: Newsletter, token: str, origin: str = "", wording: str = "") -> Left | None:
    """Take back having left, within `WAY_BACK` of it; later, or for a link that we never made, nothing changes.

    `wording` is the text that says what this does.
    """
    with newsletter.session() as session:
        person = _person(newsletter, session, token)
        if person is None:
            return None
        hold(session, person)
        if _left(newsletter, session, person).may_return:
            with suppress(SubscriberRefused):  # who never confirmed has to sign up
                newsletter.people(session).come_back(person, source=PAGE, origin=origin, wording=wording)
        return _left(newsletter, session, person)


def one_line(text: str) -> str:
    """A reason as it is kept: one line of at most `REASON_CHARACTERS`, without the addresses that it may hold.

    The record outlives the address of whoever said it.
    """
    printable = "".join(character if character.isprintable() else " " for character in text)
    return without_addresses(" ".join(printable.split()))[:REASON_CHARACTERS]


def _person(newsletter: Newsletter, session: Session, token: str) -> Subscriber | None:
    public_id = newsletter.tokens.read(Purpose.UNSUBSCRIBE, token)
    return newsletter.people(session).by_public_id(public_id) if public_id else None


def _left(newsletter: Newsletter, session: Session, person: Subscriber, gone: tuple[str, ...] = ()) -> Left:
    lately = _left_lately(newsletter, session, person)
    reason = last_of(session, person.id or 0, ("reason",)) if lately else None
    kept_out = _is_kept_out(newsletter, session, person)
    explained = lately is not None and reason is not None and (reason.id or 0) > (lately.id or 0)
    return Left(
        address=masked(person.address) if person.address else "",
        out=person.state is State.UNSUBSCRIBED,
        topics=tuple(person.topics),
        gone=gone,
        may_return=lately is not None and not kept_out,
        kept_out=kept_out,
        may_explain=lately is not None and not explained,
        explained=explained,
    )


def _left_lately(newsletter: Newsletter, session: Session, person: Subscriber) -> Consent | None:
    """A person's own word that they leave, if that is why they are out, less than `WAY_BACK` ago.

    None for somebody without an address, and for whom the operator took off: a command or an import, which has a name
    of its own in the record.
    """
    if person.state is not State.UNSUBSCRIBED or person.address is None:
        return None
    last = last_of(session, person.id or 0, ("unsubscribe", "import"))
    theirs = last is not None and last.kind == "unsubscribe" and last.source in (ONE_CLICK, PAGE, MAIL)
    return last if last and theirs and last.at > newsletter.clock() - WAY_BACK else None


def _is_kept_out(newsletter: Newsletter, session: Session, person: Subscriber) -> bool:
    """Whether only the operator can have this person's address written to again."""
    if person.address is None:
        return False
    reason = newsletter.people(session).reason_against(parse_address(person.address))
    return reason is not None and reason not in LIFTED_BY_CONSENT


def _keep_reason(newsletter: Newsletter, session: Session, person: Subscriber, source: str, reason: str) -> None:
    said = one_line(reason)
    if said and person.address is not None:
        record(session, person.id or 0, "reason", source, newsletter.clock(), detail=said)


def _say_goodbye(newsletter: Newsletter, session: Session, person: Subscriber) -> None:
    if person.address is not None and not newsletter.suppression(session).is_suppressed(person.address):
        write_to(newsletter, session, LetterKind.GOODBYE, person)
