"""The moment an issue goes out: its mailing is opened and the archive shows it, both or neither."""

from datetime import datetime

from sqlmodel import Session, col, select

from newsletter.app import Newsletter
from newsletter.archive.publishing import publish
from newsletter.delivery.models import Mailing
from newsletter.delivery.plan import Approved, open_mailing
from newsletter.storage.models import IssueRow


def open_in_public(session: Session, approved: Approved, now: datetime) -> Mailing:
    """The mailing of an issue, opened unless it was before; the caller commits."""
    mailing, is_new = open_mailing(session, approved, now)
    if is_new:
        publish(session, mailing.issue_id, now)
    return mailing


def publish_missing(newsletter: Newsletter) -> None:
    """Publish what was mailed before there was an archive; nothing is left to do the second time."""
    with newsletter.session() as session:
        mailed = select(Mailing.issue_id, Mailing.created_at).join(IssueRow, col(IssueRow.id) == Mailing.issue_id)
        for issue_id, at in session.exec(mailed.where(col(IssueRow.published_revision_id).is_(None))).all():
            publish(session, issue_id, at)
