"""What the staff do to topics: add, rename, describe, order, other headings, take away; the audit log has each."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, String, cast, func, select
from sqlmodel import Session, col

from newsletter.app import Newsletter
from newsletter.archive.models import ArchivedTopic
from newsletter.staff import audit
from newsletter.staff.audit import Action
from newsletter.staff.rights import Actor
from newsletter.storage.models import IssueRow, RevisionRow
from subscribers.models import Subscriber
from subscribers.topic_store import TopicRefused, TopicStore
from subscribers.topics import heading_key

_RECENT_ISSUES = 12
"""So many of the newest issues are looked through for headings that mean nothing."""


@dataclass(frozen=True, slots=True)
class Names:
    """What a topic is called and what it is about, in either language."""

    zh: str
    en: str
    about_zh: str
    about_en: str


@dataclass(frozen=True, slots=True)
class Uses:
    """Who or what holds a topic: readers in any state, stories in the archive, slugs of issues that were not sent."""

    readers: int
    stories: int
    drafts: tuple[str, ...]

    def __bool__(self) -> bool:
        """Whether anything does."""
        return bool(self.readers or self.stories or self.drafts)


@dataclass(frozen=True, slots=True)
class Loose:
    """A section heading that means no topic, and the slug of the newest issue that has it."""

    heading: str
    issue: str


def add(newsletter: Newsletter, actor: Actor, slug: str, names: Names) -> None:
    """Add a topic at the end; raises `TopicRefused`."""
    with _topics(newsletter, actor, slug, "added") as (_, store):
        store.add(slug, names.zh, names.en)
        store.describe(slug, names.about_zh, names.about_en)


def change(newsletter: Newsletter, actor: Actor, slug: str, names: Names) -> None:
    """Give a topic other names and say what it is about; raises `TopicRefused`, and nothing is changed then."""
    with _topics(newsletter, actor, slug, "changed") as (_, store):
        store.rename(slug, names.zh, names.en)
        store.describe(slug, names.about_zh, names.about_en)


def add_alias(newsletter: Newsletter, actor: Actor, slug: str, heading: str) -> None:
    """Let a section heading mean a topic; raises `TopicRefused`, for one that means another topic too."""
    with _topics(newsletter, actor, slug, "alias added", heading) as (_, store):
        store.add_alias(slug, heading)


def drop_alias(newsletter: Newsletter, actor: Actor, slug: str, heading: str) -> None:
    """Let a section heading mean a topic no longer; raises `TopicRefused` for an unknown topic."""
    with _topics(newsletter, actor, slug, "alias removed", heading) as (_, store):
        store.drop_alias(slug, heading)


def move(newsletter: Newsletter, actor: Actor, slug: str, steps: int) -> None:
    """Offer a topic so many places later, or earlier for a negative number; raises `TopicRefused`."""
    with _topics(newsletter, actor, slug, "moved") as (_, store):
        store.move(slug, steps)


def remove(newsletter: Newsletter, actor: Actor, slug: str) -> None:
    """Take a topic away; raises `TopicRefused` while anything holds it."""
    with _topics(newsletter, actor, slug, "removed") as (session, store):
        store.remove(slug)
        if uses_within(session, slug):
            raise TopicRefused(f"the topic {slug} is chosen by readers or held by stories: it stays")


def uses(newsletter: Newsletter, slug: str) -> Uses:
    """Who or what holds a topic."""
    with newsletter.reading() as session:
        return uses_within(session, slug)


def uses_within(session: Session, slug: str) -> Uses:
    """The same, as a transaction sees it."""
    chosen = cast(col(Subscriber.topics), String).contains(f'"{slug}"', autoescape=True)
    readers = select(func.count()).select_from(Subscriber).where(chosen)
    stories = select(func.count()).select_from(ArchivedTopic).where(col(ArchivedTopic.topic) == slug)
    return Uses(
        readers=session.execute(readers).scalar_one(),
        stories=session.execute(stories).scalar_one(),
        drafts=tuple(issue for issue, topics in _drafts(session) if slug in topics),
    )


def loose_headings(newsletter: Newsletter) -> tuple[Loose, ...]:
    """Headings of sections of the newest issues that mean no topic now, the newest first and each once."""
    found: dict[str, Loose] = {}
    with newsletter.reading() as session:
        catalogue = newsletter.topics(session).catalogue()
        for issue, document in session.execute(_newest_texts().limit(_RECENT_ISSUES)):
            for section in document["sections"]:
                heading, key = section["title"], heading_key(section["title"])
                if key and not section["topic"] and catalogue.resolve(heading) is None:
                    found.setdefault(key, Loose(heading, issue))
    return tuple(found.values())


def _drafts(session: Session) -> Iterator[tuple[str, set[str]]]:
    """The issues that readers have not seen, and the topics of their stories."""
    for issue, document in session.execute(_newest_texts().where(col(IssueRow.published_revision_id).is_(None))):
        yield issue, {topic for part in document["sections"] for story in part["stories"] for topic in story["topics"]}


def _newest_texts() -> Select[str, dict[str, Any]]:
    """The newest revision of each issue as it was read, the newest issue first; digests have the stories of others."""
    newest = select(func.max(col(RevisionRow.id))).group_by(col(RevisionRow.issue_id))
    return (
        select(col(IssueRow.slug), col(RevisionRow.document))
        .join(RevisionRow, col(RevisionRow.issue_id) == col(IssueRow.id))
        .where(col(RevisionRow.id).in_(newest), ~col(IssueRow.is_digest))
        .order_by(col(IssueRow.date).desc(), col(IssueRow.id).desc())
    )


@contextmanager
def _topics(
    newsletter: Newsletter, actor: Actor, slug: str, what: str, heading: str = ""
) -> Iterator[tuple[Session, TopicStore]]:
    """A transaction and the topics in it, to change one of them and write that down; neither when it raises."""
    with newsletter.session() as session:
        yield session, newsletter.topics(session)
        details = {"heading": heading} if heading else {}
        audit.record(session, actor, Action.TOPIC_CHANGED, slug, newsletter.clock(), what=what, **details)
