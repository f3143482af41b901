"""The weekly digest of a date: built of the stories of issues that went out, as an issue of its own."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date

from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from newsletter.app import Newsletter
from newsletter.compose.digest import Past, digest
from newsletter.content.export import to_markdown
from newsletter.delivery.control import MailingState
from newsletter.delivery.models import Mailing
from newsletter.delivery.plan import find_mailing
from newsletter.editorial.timetable import moment_from
from newsletter.editorial.week import Week, days_of, digest_slug, readers_on, week_of
from newsletter.storage.digests import find_row, save_digest
from newsletter.storage.issues import IssueRefused, Saved
from newsletter.storage.models import IssueRow, StoryRow
from subscribers.models import Subscriber


@dataclass(frozen=True, slots=True)
class Built:
    """A digest that was built: of which days, how many stories of each topic, and how many readers it is for.

    Topics are slugs, empty for stories without one.
    """

    saved: Saved
    week: Week
    days: tuple[int | None, ...]
    topics: dict[str, int]
    readers: int


def is_wanted(newsletter: Newsletter, on: date) -> bool:
    """Whether there is anybody for the digest of a date, and anything to tell; looks at no story."""
    with newsletter.reading() as session:
        wanted = select(Subscriber.id).where(*readers_on(days_of(newsletter, session, on))).limit(1)
        if session.exec(wanted).first() is None:
            return False
        return session.exec(_begun_in(week_of(newsletter, session, on)).limit(1)).first() is not None


def build(newsletter: Newsletter, on: date) -> Built:
    """Build the digest of a date, in place of one that was built before and not begun.

    Raises `IssueRefused` when it was begun already, when no issue went out in its week, and for a date in years that no
    mail is sent in.
    """
    try:
        moment_from(on.isoformat(), UTC)
    except ValueError as reason:
        raise IssueRefused(f"{on} is too far away: {reason}.") from None
    with newsletter.reading() as session:
        week, days = week_of(newsletter, session, on), days_of(newsletter, session, on)
        past = _past(newsletter, session, week)
        topics = newsletter.topics(session).all()
        readers = session.exec(select(func.count()).select_from(Subscriber).where(*readers_on(days))).one()
    if not past:
        zone = newsletter.settings.time_zone
        raise IssueRefused(
            f"no issue went out since {week.since.astimezone(zone):%Y-%m-%d %H:%M}: there is nothing to make the "
            f"digest of {on} of."
        )
    issue = digest(on, past, topics)
    with newsletter.session() as session:
        row = find_row(session, digest_slug(on), held=True)
        if row and find_mailing(session, row.id or 0):
            raise IssueRefused(
                f"{row.slug} was begun already; `newsletter issue status {row.slug}` shows how it stands."
            )
        saved = save_digest(session, digest_slug(on), issue, to_markdown(issue).encode(), newsletter.clock())
    told = Counter({section.topic: len(section.stories) for section in issue.sections})
    return Built(saved, week, days, dict(told), readers)


def _begun_in(week: Week) -> SelectOfScalar[IssueRow]:
    """The issues that went to everybody in a week, as a query for their rows, the newest first."""
    return (
        select(IssueRow)
        .join(Mailing, col(Mailing.issue_id) == IssueRow.id)
        .where(
            col(Mailing.days).is_(None),
            Mailing.state != MailingState.CANCELLED,
            Mailing.created_at >= week.since,
            Mailing.created_at < week.until,
            col(IssueRow.published_revision_id).is_not(None),
            ~col(IssueRow.is_digest),
        )
        .order_by(col(IssueRow.date).desc(), col(IssueRow.id).desc())
    )


def _past(newsletter: Newsletter, session: Session, week: Week) -> list[Past]:
    """The issues of a week as the archive shows them, the newest first."""
    rows = session.exec(_begun_in(week)).all()
    of_these = select(StoryRow.issue_id, StoryRow.story_id, StoryRow.root)
    roots: dict[int, dict[str, str]] = {}
    for issue_id, story, root in session.exec(of_these.where(col(StoryRow.issue_id).in_([row.id for row in rows]))):
        roots.setdefault(issue_id, {})[story] = root
    store = newsletter.issues(session)
    return [
        Past(row.slug, row.date, store.revision(row.published_revision_id or 0).issue, roots.get(row.id or 0, {}))
        for row in rows
    ]
