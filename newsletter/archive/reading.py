"""Reading the archive: published issues and their stories as frozen values, page by page, without their rows."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Generic, TypeVar

from sqlalchemy import Row, Select, func, select, tuple_
from sqlmodel import Session, col

from newsletter.app import Newsletter
from newsletter.archive.lines import ArchivedIssue, IssueLine, StoryLine
from newsletter.archive.models import ArchivedStory, ArchivedTopic
from newsletter.archive.search import matching
from newsletter.archive.shelf import Shelf
from newsletter.storage.models import IssueRow

PAGE = 20
"""Issues or stories on a page."""
_RATE_WEEKS = 4
_RATES_SECONDS = 60
"""So long the rates stand before they are counted anew."""
_Item = TypeVar("_Item")
_NEWEST_ISSUES = (
    select(col(IssueRow.published_revision_id))
    .where(col(IssueRow.published_revision_id).is_not(None))
    .order_by(col(IssueRow.date).desc(), col(IssueRow.id).desc())
)
_SHOWN = select(col(IssueRow.published_revision_id), col(ArchivedStory.position), col(ArchivedStory.date)).join(
    ArchivedStory, col(ArchivedStory.issue_id) == col(IssueRow.id)
)
_PLACE = tuple_(col(IssueRow.date), col(IssueRow.id))
_IS_OF_STORY = col(ArchivedTopic.archived_story_id) == col(ArchivedStory.id)
_IN_ORDER = col(ArchivedStory.date).desc(), col(ArchivedStory.issue_id).desc(), col(ArchivedStory.position)


@dataclass(frozen=True, slots=True)
class Page(Generic[_Item]):
    """Some of what there is: `page` counts from 1 to `pages`, `total` is how many items all pages have."""

    items: tuple[_Item, ...]
    page: int
    pages: int
    total: int


@dataclass(frozen=True, slots=True)
class TopicRate:
    """How often a topic's stories came in the four weeks up to the newest issue, and one of them as an example.

    The example is the first in the newest issue that has this topic before others, so that no two topics show the same;
    else the newest that has it at all.
    """

    per_week: float
    example: StoryLine


class Archive:
    """What everybody may read. It keeps what it has parsed and counted: an application makes one and hands it on."""

    def __init__(self, newsletter: Newsletter) -> None:
        self._newsletter = newsletter
        self._shelf = Shelf()
        self._rates: tuple[int, Mapping[str, TopicRate]] = (0, {})

    def issues(self, page: int) -> Page[IssueLine]:
        """A page of the issues, the newest first; empty beyond the last page, like every page."""
        with self._newsletter.reading() as session:
            total = session.execute(select(func.count(col(IssueRow.published_revision_id)))).scalar_one()
            wanted = _NEWEST_ISSUES.offset((page - 1) * PAGE).limit(PAGE)
            found = self._issues(session, wanted) if _is_there(page, total) else ()
        return _page(tuple(issue.line for issue in found), page, total)

    def issue(self, slug: str) -> ArchivedIssue | None:
        """The published revision of the issue with that slug, or None."""
        if not slug.isprintable():  # PostgreSQL refuses to look for NUL
            return None
        with self._newsletter.reading() as session:
            return next(iter(self._issues(session, _NEWEST_ISSUES.where(col(IssueRow.slug) == slug))), None)

    def beside(self, slug: str) -> tuple[IssueLine | None, IssueLine | None]:
        """The issue before the one with that slug and the one after it, as far as there are any."""
        here = select(col(IssueRow.date), col(IssueRow.id)).where(col(IssueRow.slug) == slug).scalar_subquery()
        later = _NEWEST_ISSUES.where(here < _PLACE).order_by(None).order_by(col(IssueRow.date), col(IssueRow.id))
        with self._newsletter.reading() as session:
            before = self._issues(session, _NEWEST_ISSUES.where(here > _PLACE).limit(1))
            after = self._issues(session, later.limit(1))
        return before[0].line if before else None, after[0].line if after else None

    def newest(self, most: int) -> tuple[ArchivedIssue, ...]:
        """The newest issues, at most so many, the newest first."""
        with self._newsletter.reading() as session:
            return self._issues(session, _NEWEST_ISSUES.limit(most))

    def latest(self) -> ArchivedIssue | None:
        """The newest issue, or None while nothing was published."""
        return next(iter(self.newest(1)), None)

    def stories(self, topic: str, page: int) -> Page[StoryLine]:
        """A page of the stories of the topic with that slug, the newest first."""
        if not topic.isprintable():
            return _page((), page, 0)
        with self._newsletter.reading() as session:
            return self._stories(session, _of_topic(topic), page)

    def newest_stories(self, topic: str, most: int) -> tuple[StoryLine, ...]:
        """The newest stories of a topic, at most so many."""
        if not topic.isprintable():
            return ()
        with self._newsletter.reading() as session:
            return self._lines(session, session.execute(_those(_of_topic(topic)).limit(most)))

    def search(self, text: str, page: int) -> Page[StoryLine]:
        """A page of the stories that have every word of a text, the newest first; none when there is no word in it."""
        with self._newsletter.reading() as session:
            keys = matching(session, text)
            return _page((), page, 0) if keys is None else self._stories(session, keys, page)

    def rates(self) -> Mapping[str, TopicRate]:
        """How often the stories of each topic come; a topic without any in the last four weeks is not there.

        The weeks end with the newest issue, so that a newsletter on holiday still says what to expect; one that is
        younger is counted by the weeks that it has, at least one. Counted once a minute.
        """
        minute = int(self._newsletter.clock().timestamp()) // _RATES_SECONDS
        counted, rates = self._rates
        if counted != minute:
            latest = self.latest()
            rates = self._count(latest) if latest else {}
            self._rates = minute, rates
        return rates

    def _count(self, latest: ArchivedIssue) -> Mapping[str, TopicRate]:
        recent = _SHOWN.add_columns(col(ArchivedTopic.topic)).join(ArchivedTopic, _IS_OF_STORY)
        since = latest.date - timedelta(weeks=_RATE_WEEKS)
        with self._newsletter.reading() as session:
            rows = session.execute(recent.where(col(ArchivedStory.date) > since).order_by(*_IN_ORDER)).all()
            newest = {row.topic: row for row in reversed(rows)}
            lines = self._lines(session, newest.values())
        many = Counter(row.topic for row in rows)
        weeks = max(((latest.date - rows[-1].date).days + 1) / 7, 1) if rows else 1
        first = {line.topics[0]: line for line in reversed(latest.lines) if line.topics}
        examples = dict(zip(newest, lines, strict=True)) | first
        return {topic: TopicRate(many[topic] / weeks, examples[topic]) for topic in newest}

    def _stories(self, session: Session, keys: Select[Any], page: int) -> Page[StoryLine]:
        """A page of the stories with these row ids, the newest first."""
        total = session.execute(select(func.count()).select_from(keys.subquery())).scalar_one()
        if not _is_there(page, total):
            return _page((), page, total)
        rows = session.execute(_those(keys).offset((page - 1) * PAGE).limit(PAGE))
        return _page(self._lines(session, rows), page, total)

    def _lines(self, session: Session, rows: Iterable[Row[Any]]) -> tuple[StoryLine, ...]:
        """The lines of the stories that rows point to by revision and position, in their order."""
        places = [(row.published_revision_id, row.position) for row in rows]
        issues = self._shelf.take(session, {revision_id for revision_id, _ in places})
        return tuple(issues[revision_id].lines[position] for revision_id, position in places)

    def _issues(self, session: Session, wanted: Select[Any]) -> tuple[ArchivedIssue, ...]:
        """The issues of a query for their revisions, in its order."""
        revision_ids = session.execute(wanted).scalars().all()
        found = self._shelf.take(session, revision_ids)
        return tuple(found[one] for one in revision_ids)


def _of_topic(topic: str) -> Select[Any]:
    """The row ids of a topic's stories."""
    return select(col(ArchivedTopic.archived_story_id)).where(col(ArchivedTopic.topic) == topic)


def _those(keys: Select[Any]) -> Select[int | None, int, date]:
    """Where the stories with these row ids stand, the newest first."""
    return _SHOWN.where(col(ArchivedStory.id).in_(keys)).order_by(*_IN_ORDER)


def _is_there(page: int, total: int) -> bool:
    return 1 <= page <= _pages(total)


def _pages(total: int) -> int:
    return -(-total // PAGE)


def _page(items: tuple[_Item, ...], page: int, total: int) -> Page[_Item]:
    return Page(items, page, _pages(total), total)
