"""The topics of this newsletter, kept in its database: the five that ship, and those added by command."""

import re
from functools import lru_cache
from typing import Any

from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from subscribers.characters import shown, unwritable
from subscribers.models import TopicRow
from subscribers.topics import SHIPPED, Catalogue, Topic, heading_key

_SLUG = re.compile(r"[a-z0-9-]{2,40}", re.ASCII)
_RESERVED = frozenset({"followed"})
"""The group of stories that match a followed keyword goes by this name."""

_SLUGS = select(TopicRow.slug)
_COLUMNS: tuple[Any, ...] = (
    TopicRow.slug,
    TopicRow.zh,
    TopicRow.en,
    TopicRow.aliases,
    TopicRow.about_zh,
    TopicRow.about_en,
)
_ALL = sql_select(*(col(column) for column in _COLUMNS)).order_by(col(TopicRow.position), col(TopicRow.slug))

NAME_CHARACTERS = 80
ABOUT_CHARACTERS = 200


_catalogue = lru_cache(maxsize=8)(Catalogue)  # looking up headings takes a table, made once for the same topics


class TopicRefused(ValueError):
    """A topic or alias that cannot be had, and what to do instead."""


class TopicStore:
    """Topics in the order readers are offered them. Nothing is committed here."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def all(self) -> tuple[Topic, ...]:
        """Every topic, in order."""
        return tuple(map(_topic, self._session.execute(_ALL)))

    def slugs(self) -> frozenset[str]:
        """The slug of every topic: all that a check of choices needs, and read without the rest."""
        return frozenset(self._session.connection().execute(_SLUGS).scalars())

    def catalogue(self) -> Catalogue:
        """Every topic, to be found by slug or heading."""
        return _catalogue(self.all())

    def seed(self) -> None:
        """Add those of the five shipped topics that are not there yet; topics that are stay as they are.

        But for what they are about, where nobody has said that yet.
        """
        present = {topic.slug: topic for topic in self.all()}
        for topic in SHIPPED:
            there = present.get(topic.slug)
            if there is None:
                self._append(topic)
            elif not there.about_zh and not there.about_en:
                self.describe(topic.slug, topic.about_zh, topic.about_en)

    def add(self, slug: str, zh: str, en: str) -> Topic:
        """Add a topic at the end.

        Raises `TopicRefused` when the slug is not 2 to 40 of `a-z 0-9 -`, is reserved or taken, or when a name is
        empty, too long, has a control character, or is a heading that already means another topic.
        """
        if not _SLUG.fullmatch(slug):
            raise TopicRefused(f"{shown(slug)!r} is no slug: use 2 to 40 of a-z, 0-9 and -, such as chips-and-devices")
        if slug in _RESERVED:
            raise TopicRefused(f"the slug {slug} is reserved: choose another")
        catalogue = self._held()
        if catalogue.get(slug):
            raise TopicRefused(f"there is a topic {slug} already: give it another heading with `topic alias`")
        topic = Topic(slug, _heading(zh), _heading(en))
        for name in (slug, topic.zh, topic.en):
            self._refuse_taken(catalogue, name, slug)
        self._append(topic)
        return topic

    def add_alias(self, slug: str, heading: str) -> Topic:
        """Let a section heading mean a topic; a heading that already does changes nothing.

        Raises `TopicRefused` for an unknown slug, an empty heading, and one that means another topic.
        """
        row, catalogue = self._row(slug)
        alias = _heading(heading)
        self._refuse_taken(catalogue, alias, slug)
        if catalogue.resolve(alias) is None:
            row.aliases = [*row.aliases, alias]
        return self._keep(row)

    def describe(self, slug: str, about_zh: str | None = None, about_en: str | None = None) -> Topic:
        """Say what a topic is about, in either language; None leaves a language as it is.

        Raises `TopicRefused` for an unknown slug, and for a text that is too long or has a control character.
        """
        row, _ = self._row(slug)
        row.about_zh = row.about_zh if about_zh is None else _about(about_zh)
        row.about_en = row.about_en if about_en is None else _about(about_en)
        return self._keep(row)

    def rename(self, slug: str, zh: str, en: str) -> Topic:
        """Give a topic other names: the former ones go on to mean it, and the slug, which choices hold, stays.

        Raises `TopicRefused` for an unknown slug, and for a name that is none or means another topic.
        """
        row, catalogue = self._row(slug)
        names = _heading(zh), _heading(en)
        for name in names:
            self._refuse_taken(catalogue, name, slug)
        held = {heading_key(heading) for heading in (*row.aliases, *names)}
        row.aliases = [*row.aliases, *(name for name in (row.zh, row.en) if heading_key(name) not in held)]
        row.zh, row.en = names
        return self._keep(row)

    def drop_alias(self, slug: str, heading: str) -> Topic:
        """Let a section heading no longer mean a topic; one that did not changes nothing."""
        row, _ = self._row(slug)
        row.aliases = [alias for alias in row.aliases if heading_key(alias) != heading_key(heading)]
        return self._keep(row)

    def move(self, slug: str, steps: int) -> None:
        """Put a topic so many places further down, or up for a negative number; the ends hold."""
        self._row(slug)
        order = [topic.slug for topic in self.all()]
        place = order.index(slug)
        order.insert(max(place + steps, 0), order.pop(place))
        for position, one in enumerate(order, 1):
            self._session.get_one(TopicRow, one).position = position
        self._session.flush()

    def remove(self, slug: str) -> None:
        """Take a topic away; that nobody chose it and no story has it is for the caller to see to."""
        row, _ = self._row(slug)
        self._session.delete(row)
        self._session.flush()

    def _row(self, slug: str) -> tuple[TopicRow, Catalogue]:
        """A topic to change, and all of them, held."""
        catalogue = self._held()
        row = self._session.get(TopicRow, slug) if catalogue.get(slug) else None
        if row is None:
            raise TopicRefused(unknown_topic(slug, catalogue))
        return row, catalogue

    def _keep(self, row: TopicRow) -> Topic:
        self._session.add(row)
        self._session.flush()
        return _topic(row)

    def _held(self) -> Catalogue:
        """Read every topic afresh and keep others from changing any, lest one heading comes to mean two."""
        rows = select(TopicRow).order_by(col(TopicRow.slug)).with_for_update()
        self._session.exec(rows.execution_options(populate_existing=True)).all()
        return self.catalogue()  # once more, for those who added one while we waited

    def _refuse_taken(self, catalogue: Catalogue, heading: str, slug: str) -> None:
        owner = catalogue.resolve(heading)
        if owner not in (None, slug):
            raise TopicRefused(f"{shown(heading)} already means the topic {owner}: choose another wording")

    def _append(self, topic: Topic) -> None:
        last = max(self._session.exec(select(TopicRow.position)), default=0)
        self._session.add(
            TopicRow(
                slug=topic.slug,
                zh=topic.zh,
                en=topic.en,
                about_zh=topic.about_zh,
                about_en=topic.about_en,
                position=last + 1,
                aliases=list(topic.aliases),
            )
        )
        self._session.flush()


def unknown_topic(slug: str, catalogue: Catalogue) -> str:
    """Say that a topic does not exist and which do, with the slug that was probably meant where a heading tells."""
    meant = catalogue.resolve(slug)
    if meant:
        return f"unknown topic {shown(slug)}: did you mean {meant}?"
    return f"unknown topic {shown(slug)}: there are {', '.join(topic.slug for topic in catalogue.topics) or 'none yet'}"


def _topic(row: Any) -> Topic:
    """The value of a row, or of its columns."""
    return Topic(row.slug, row.zh, row.en, tuple(row.aliases), row.about_zh, row.about_en)


def _about(text: str) -> str:
    about = text.strip()
    if unwritable(about) or len(about) > ABOUT_CHARACTERS:
        raise TopicRefused(
            f"what a topic is about is one line of at most {ABOUT_CHARACTERS} characters, without control characters"
        )
    return about


def _heading(text: str) -> str:
    heading = text.strip()
    if not heading_key(heading):
        raise TopicRefused(f"{shown(text)!r} is no heading: it needs letters or digits")
    if unwritable(heading) or len(heading) > NAME_CHARACTERS:
        raise TopicRefused(f"{shown(text)!r} is no heading: at most {NAME_CHARACTERS} characters, none of them control")
    return heading
