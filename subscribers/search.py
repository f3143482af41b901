"""Finding people among a million: by a part of their address or name, and by what they chose; a page at a time."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, String, cast, false, func, or_
from sqlmodel import Session, col, select

from subscribers.addresses import AddressRefused, parse_address
from subscribers.characters import unwritable
from subscribers.models import State, Subscriber
from subscribers.preferences import Frequency, MailFormat


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom to look for; what is empty or None does not matter.

    `text` is words, each of them a part of the address or the name, or a whole address; `topic` a slug they chose;
    `frequency` how often they want to hear of everything, or of one topic.
    """

    text: str = ""
    state: State | None = None
    topic: str = ""
    language: str = ""
    format: MailFormat | None = None
    frequency: Frequency | None = None

    @property
    def everybody(self) -> bool:
        """Whether nothing is asked."""
        return self == Wanted()


@dataclass(frozen=True, slots=True)
class Found:
    """A page of people, the newest first; `newer` and `older` are the ids to read on from, None at the ends."""

    people: tuple[Subscriber, ...]
    newer: int | None
    older: int | None


def find(session: Session, wanted: Wanted, limit: int, *, before: int | None = None, after: int | None = None) -> Found:
    """The newest `limit` people, of those with an id below `before`, or the oldest of those above `after`.

    Pages go by key, so that the last one of a million costs what the first one does. Nobody forgotten is found.
    """
    query = select(Subscriber).where(*_conditions(session, wanted)).limit(limit + 1)
    number = col(Subscriber.id)
    if after is not None:
        rows = session.exec(query.where(number > after).order_by(number)).all()
        people = tuple(reversed(rows[:limit]))
        return Found(people, _end(people, 0, there=len(rows) > limit), _end(people, -1))
    query = query if before is None else query.where(number < before)
    rows = session.exec(query.order_by(number.desc())).all()
    people = tuple(rows[:limit])
    return Found(people, _end(people, 0, there=before is not None), _end(people, -1, there=len(rows) > limit))


def count(session: Session, wanted: Wanted, most: int) -> int:
    """How many people there are of a kind, counted no further than one beyond `most`."""
    some = select(col(Subscriber.id)).where(*_conditions(session, wanted)).limit(most + 1)
    return session.exec(select(func.count()).select_from(some.subquery())).one()


def _end(people: tuple[Subscriber, ...], place: int, *, there: bool = True) -> int | None:
    return people[place].id if people and there else None


def _conditions(session: Session, wanted: Wanted) -> list[ColumnElement[bool]]:
    known: list[ColumnElement[bool]] = [col(Subscriber.address_key).is_not(None)]
    if wanted.state is not None:
        known.append(col(Subscriber.state) == wanted.state)
    if wanted.topic:
        # a slug has no quotes, so the text of the JSON list tells it on every database
        known.append(cast(col(Subscriber.topics), String).contains(f'"{wanted.topic}"', autoescape=True))
    if wanted.language:
        known.append(col(Subscriber.language) == wanted.language)
    if wanted.format is not None:
        known.append(col(Subscriber.format) == wanted.format)
    if wanted.frequency is not None:
        # keys of the JSON object are slugs, followed by a colon; what one of them has stands after it, or after a blank
        own = cast(col(Subscriber.frequencies), String)
        some = [own.contains(f'{colon}"{wanted.frequency}"', autoescape=True) for colon in (":", ": ")]
        known.append(or_(col(Subscriber.frequency) == wanted.frequency, *some))
    return known + _said(session, wanted.text)


def _said(session: Session, text: str) -> list[ColumnElement[bool]]:
    """What a text asks for: the one person whose whole address it is, else parts of addresses and names."""
    if unwritable(text.strip()):  # PostgreSQL refuses to look for NUL, and nobody's name has one
        return [false()]
    try:
        key = parse_address(text).key
    except AddressRefused:
        key = ""
    if key and session.exec(select(Subscriber.id).where(Subscriber.address_key == key)).first():
        return [col(Subscriber.address_key) == key]
    columns = col(Subscriber.address), col(Subscriber.name)
    return [or_(*(column.icontains(word, autoescape=True) for column in columns)) for word in text.split()]
