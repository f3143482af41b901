"""Publishing: from the moment its mailing begins, an issue is in the archive, as it was approved last."""

from datetime import date, datetime

from sqlalchemy import delete
from sqlmodel import Session, col, select

from newsletter.archive import search
from newsletter.archive.models import ArchivedStory, ArchivedTopic
from newsletter.compose.choose import haystack
from newsletter.content.as_json import issue_from_json
from newsletter.content.issue import Issue
from newsletter.storage.models import IssueRow, RevisionRow


def publish(session: Session, issue_id: int, at: datetime) -> None:
    """Show the approved revision of an issue to everybody; the caller commits.

    It is the approved one whichever revision a mailing has: one that was approved while that mailing began must not be
    hidden by it. Published again, an issue keeps the moment it was first published `at`.
    """
    # one after the other; and read anew, since somebody else may have approved or published it while we waited
    row = session.get_one(IssueRow, issue_id, with_for_update={"key_share": True}, populate_existing=True)
    if row.approved_revision_id is None or row.approved_revision_id == row.published_revision_id:
        return
    row.published_revision_id = row.approved_revision_id
    row.published_at = row.published_at or at
    session.flush()
    _forget(session, issue_id)
    revision = session.get_one(RevisionRow, row.approved_revision_id)
    _remember(session, issue_id, row.date, issue_from_json(revision.document))


def republish(session: Session, issue_id: int, at: datetime) -> None:
    """Show what was approved just now, if the issue is in the archive already; the caller commits."""
    if session.exec(select(IssueRow.published_at).where(IssueRow.id == issue_id)).one() is not None:
        publish(session, issue_id, at)


def _remember(session: Session, issue_id: int, on: date, issue: Issue) -> None:
    """Write down which stories of which topics an issue has, and how they are found."""
    rows = [
        ArchivedStory(issue_id=issue_id, story_id=story.id, date=on, position=position)
        for position, story in enumerate(issue.stories)
    ]
    session.add_all(rows)
    session.flush()
    stories = {row.id: story for row, story in zip(rows, issue.stories, strict=True) if row.id is not None}
    for key, story in stories.items():
        session.add_all(ArchivedTopic(topic=topic, archived_story_id=key) for topic in dict.fromkeys(story.topics))
    session.flush()
    search.remember(session, {key: haystack(story) for key, story in stories.items()})


def _forget(session: Session, issue_id: int) -> None:
    ids = session.exec(select(ArchivedStory.id).where(ArchivedStory.issue_id == issue_id)).all()
    search.forget(session, [one for one in ids if one])
    session.execute(delete(ArchivedTopic).where(col(ArchivedTopic.archived_story_id).in_(ids)))
    session.execute(delete(ArchivedStory).where(col(ArchivedStory.issue_id) == issue_id))
