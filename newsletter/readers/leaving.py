"""Leaving: everything or a topic, at once, by whatever door; and the way back for a day."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlmodel import Session, col, select

from newsletter.app import Newsletter
from newsletter.readers.models import LetterKind
from newsletter.readers.preferences import write_to
from newsletter.render.wording import masked
from subscribers.models import Consent, State, Subscriber
from subscribers.people import SubscriberRefused
from subscribers.preference_columns import preferences_of
from subscribers.tokens import Purpose

ONE_CLICK, PAGE, MAIL = "one-click", "page", "mail"
"""Where somebody says that they leave: the mail program's own button (RFC 8058), our page, or a mail to us."""

WAY_BACK = timedelta(hours=24)
"""Long enough to notice a slip, and too short for an old link to bring back somebody who meant it."""

REASON_CHARACTERS = 500
"""A few sentences."""

_ADDRESS = re.compile(r"\S+[@＠]\S+")


@dataclass(frozen=True, slots=True)
class Left:
    """How a person stands to the newsletter after a word about leaving, or before one.

    `address` is masked, and empty once it was forgotten; `topics` are the slugs that they have, `gone` those that they
    left now. `out` says that they get nothing any more, `may_return` that the way back is open.
    """

    address: str
    out: bool
    topics: tuple[str, ...]
    gone: tuple[str, ...] = ()
    may_return: bool = False


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
        session.refresh(person, with_for_update={"key_share": True})  # lest a choice made meanwhile be undone
        gone = tuple(topic for topic in person.topics if topic in topics)
        kept = [topic for topic in person.topics if topic not in topics]
        if topics and not gone:
            pass  # they have none of these
        elif topics and (kept or person.follow):
            if person.state is not State.UNSUBSCRIBED:
                choices = replace(preferences_of(person), topics=tuple(kept))
                people.change(person, choices, source=source, origin=origin)
                _keep_reason(newsletter, session, person, source, reason)
        elif people.unsubscribe(person, source, origin=origin):
            _keep_reason(newsletter, session, person, source, reason)
            if source != ONE_CLICK:
                _say_goodbye(newsletter, session, person)
        return _left(newsletter, session, person, gone)


def explain(newsletter: Newsletter, token: str, reason: str) -> Left | None:
    """Keep why somebody left, said afterwards; None for a link that we never made."""
    with newsletter.session() as session:
        person = _person(newsletter, session, token)
        if person is None:
            return None
        _keep_reason(newsletter, session, person, PAGE, reason)
        return _left(newsletter, session, person)


def come_back(newsletter: Newsletter, token: str, origin: str = "") -> Left | None:
    """Take back having left, within `WAY_BACK` of it; later, or for a link that we never made, nothing changes."""
    with newsletter.session() as session:
        person = _person(newsletter, session, token)
        if person is None:
            return None
        if _may_return(newsletter, session, person):
            # an address that the operator keeps out stays out
            with suppress(SubscriberRefused):
                newsletter.people(session).come_back(person, source=PAGE, origin=origin)
        return _left(newsletter, session, person)


def one_line(text: str) -> str:
    """A reason as it is kept: one line of at most `REASON_CHARACTERS`, without the addresses that it may hold.

    The record outlives the address of whoever said it.
    """
    printable = "".join(character if character.isprintable() else " " for character in text)
    return _ADDRESS.sub("…", " ".join(printable.split()))[:REASON_CHARACTERS]


def _person(newsletter: Newsletter, session: Session, token: str) -> Subscriber | None:
    public_id = newsletter.tokens.read(Purpose.UNSUBSCRIBE, token)
    return newsletter.people(session).by_public_id(public_id) if public_id else None


def _left(newsletter: Newsletter, session: Session, person: Subscriber, gone: tuple[str, ...] = ()) -> Left:
    return Left(
        address=masked(person.address) if person.address else "",
        out=person.state is State.UNSUBSCRIBED,
        topics=tuple(person.topics),
        gone=gone,
        may_return=_may_return(newsletter, session, person),
    )


def _may_return(newsletter: Newsletter, session: Session, person: Subscriber) -> bool:
    """Whether this person left by their own doing less than `WAY_BACK` ago, and has an address still."""
    if person.state is not State.UNSUBSCRIBED or person.address is None:
        return False
    since = newsletter.clock() - WAY_BACK
    query = (
        select(Consent)
        .where(Consent.subscriber_id == person.id, Consent.kind == "unsubscribe", Consent.at > since)
        .where(col(Consent.source).in_((ONE_CLICK, PAGE, MAIL)))
    )
    return session.exec(query).first() is not None


def _keep_reason(newsletter: Newsletter, session: Session, person: Subscriber, source: str, reason: str) -> None:
    said = one_line(reason)
    if not said or person.address is None or person.id is None:
        return
    of_this_person = select(Consent).where(Consent.subscriber_id == person.id, Consent.kind == "reason")
    if any(row.detail == said for row in session.exec(of_this_person)):
        return  # a form that was sent twice
    session.add(Consent(subscriber_id=person.id, at=newsletter.clock(), kind="reason", detail=said, source=source))


def _say_goodbye(newsletter: Newsletter, session: Session, person: Subscriber) -> None:
    if person.address is not None and not newsletter.suppression(session).is_suppressed(person.address):
        write_to(newsletter, session, LetterKind.GOODBYE, person)
