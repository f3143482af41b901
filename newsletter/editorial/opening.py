"""The moment an issue goes out: its mailing is opened and the archive shows it, both or neither."""

from datetime import datetime

from sqlalchemy import ColumnElement, update
from sqlmodel import Session, col, func, select

from newsletter.app import Newsletter
from newsletter.archive.publishing import publish
from newsletter.delivery.models import Mailing, MailingStory
from newsletter.delivery.plan import Approved, find_mailing, open_mailing
from newsletter.editorial.approval import NotReady
from newsletter.editorial.timetable import dated
from newsletter.staff.audit import Action, record
from newsletter.staff.rights import COMMAND_LINE, Actor
from newsletter.storage.issues import newest_row
from newsletter.storage.models import IssueRow, RevisionRow, StoryRow
from newsletter.storage.story_index import index_missing, refresh_roots
from newsletter.storage.witness import held
from subscribers.audience import weekly_on
from subscribers.models import State, Subscriber

CALENDAR = Actor(None, "calendar")
"""Who begins what goes out by itself, at an appointed time or in the daily slot."""


def open_in_public(
    session: Session,
    approved: Approved,
    now: datetime,
    actor: Actor = COMMAND_LINE,
    canary: int | None = None,
    at: datetime | None = None,
    *,
    at_once: bool = False,
) -> Mailing:
    """The mailing of an issue, opened unless it was before, and who did that; the caller commits.

    `canary` is how many readers go first (None: as many as the settings say), `at` the moment it was meant to begin;
    `at_once` sends to everybody then, whatever their own hour.
    Raises `NotReady` when the issue was changed since it was looked at: nobody edits it from then on until the commit.
    And when the database was restored from a copy, so that nothing is sent.
    """
    if find_mailing(session, approved.issue_id) is None:
        refresh_roots(session, approved.issue_id)
    mailing, is_new = open_mailing(session, approved, now, dated(at, now), at_once)
    if is_new:
        if held(session):
            says = "nothing is sent until a person says go on: see `newsletter schedule resume --dry-run`."
            raise NotReady("held", says)
        _require_newest(session, approved)
        mailing.canary = canary
        if approved.days is None:  # the archive has a digest's stories
            publish(session, mailing.issue_id, now)
        _record(session, mailing, actor, now)
    return mailing


def _require_newest(session: Session, approved: Approved) -> None:
    """Hold the issue, and raise `NotReady` unless its newest revision is the one that was approved."""
    row = session.get_one(IssueRow, approved.issue_id, with_for_update={"key_share": True}, populate_existing=True)
    if not approved.revision_id == row.approved_revision_id == newest_row(session, row).id:
        raise NotReady("changed", f"{row.slug} was changed this very moment: look at it again.")


def _record(session: Session, mailing: Mailing, actor: Actor, now: datetime) -> None:
    those: list[ColumnElement[bool]] = [col(Subscriber.state).in_((State.ACTIVE, State.PAUSED))]
    if mailing.days is not None:
        those.append(weekly_on(mailing.days))
    details = {
        "revision": session.get_one(RevisionRow, mailing.revision_id).number,
        "readers": session.exec(select(func.count()).select_from(Subscriber).where(*those)).one(),
    }
    if mailing.canary is not None:
        details["canary"] = mailing.canary
    slug = session.get_one(IssueRow, mailing.issue_id).slug
    record(session, actor, Action.SEND_BEGUN, slug, now, **details)


def publish_missing(newsletter: Newsletter) -> None:
    """Publish what was mailed before there was an archive; nothing is left to do the second time."""
    with newsletter.session() as session:
        mailed = select(Mailing.issue_id, Mailing.created_at).join(IssueRow, col(IssueRow.id) == Mailing.issue_id)
        missing = col(IssueRow.published_revision_id).is_(None), col(Mailing.days).is_(None)
        for issue_id, at in session.exec(mailed.where(*missing)).all():
            publish(session, issue_id, at)


def know_stories(newsletter: Newsletter) -> None:
    """Index the stories of issues that were kept before there was an index; nothing is left to do the second time.

    What was mailed of them is told apart by what it tells again, as if the index had been there.
    """
    with newsletter.session() as session:
        if index_missing(session):
            its_row = (
                select(StoryRow.root)
                .join(Mailing, col(Mailing.issue_id) == StoryRow.issue_id)
                .where(col(Mailing.id) == MailingStory.mailing_id, StoryRow.story_id == MailingStory.story_id)
            ).scalar_subquery()
            session.execute(update(MailingStory).values(root=func.coalesce(its_row, MailingStory.root)))
