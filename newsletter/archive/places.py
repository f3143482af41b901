"""Where things stand in the archive: the issues beside one, and the permanent address of everything."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import tuple_
from sqlmodel import col, select

from newsletter.app import Newsletter
from newsletter.archive.lines import IssueLine
from newsletter.archive.models import ArchivedStory
from newsletter.archive.reading import Archive
from newsletter.storage.models import IssueRow, RevisionRow

_SHOWN = select(IssueRow.slug).where(col(IssueRow.published_revision_id).is_not(None))


@dataclass(frozen=True, slots=True)
class Address:
    """A permanent address below the newsletter's own, and when what stands there was written."""

    path: str
    written_at: datetime


def neighbours(newsletter: Newsletter, slug: str) -> tuple[IssueLine | None, IssueLine | None]:
    """The issue before the one with that slug and the one after it, as far as there are any."""
    place = tuple_(col(IssueRow.date), col(IssueRow.id))
    here = select(col(IssueRow.date), col(IssueRow.id)).where(IssueRow.slug == slug).scalar_subquery()
    earlier = _SHOWN.where(place < here).order_by(col(IssueRow.date).desc(), col(IssueRow.id).desc())
    later = _SHOWN.where(place > here).order_by(col(IssueRow.date), col(IssueRow.id))
    with newsletter.reading() as session:
        slugs = [session.exec(wanted.limit(1)).first() for wanted in (earlier, later)]
    before, after = (Archive(newsletter).issue(one) if one else None for one in slugs)
    return before.line if before else None, after.line if after else None


def addresses(newsletter: Newsletter, most: int) -> tuple[Address, ...]:
    """The addresses of all issues and their stories, at most so many, the newest issues first."""
    with newsletter.reading() as session:
        rows = session.exec(
            select(IssueRow.slug, ArchivedStory.story_id, RevisionRow.created_at)
            .join(ArchivedStory, col(ArchivedStory.issue_id) == col(IssueRow.id))
            .join(RevisionRow, col(RevisionRow.id) == col(IssueRow.published_revision_id))
            .order_by(col(IssueRow.date).desc(), col(IssueRow.id).desc(), col(ArchivedStory.position))
            .limit(most)
        ).all()
    return tuple(_addresses(rows))[:most]


def _addresses(rows: Sequence[tuple[str, str, datetime]]) -> Iterator[Address]:
    before = ""
    for slug, story_id, written_at in rows:
        if slug != before:
            yield Address(f"/archive/{slug}", written_at)
        yield Address(f"/archive/{slug}/{story_id}", written_at)
        before = slug
