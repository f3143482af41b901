"""Links for colleagues without an account: an issue as it stands, for some days, with nothing of any reader in it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from newsletter.app import Newsletter
from newsletter.editorial.preview import Preview, preview_topics
from newsletter.staff import audit
from newsletter.staff.rights import Actor
from newsletter.storage.issues import IssueRefused, Saved
from newsletter.storage.models import IssueRow
from subscribers.preferences import LANGUAGES
from subscribers.tokens import Purpose

DAYS = (1, 7, 30)
"""How long a link may be good."""
DAYS_BY_DEFAULT = 7

_LONGEST_SUBJECT = 128
"""A token holds no more."""


class LookOver(Exception):
    """A link that was good once; its time is over."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a link shows: the newest revision of an issue for these topics (none: all of it), until a moment."""

    saved: Saved
    topics: tuple[str, ...]
    language: str
    until: datetime

    def preview(self, newsletter: Newsletter) -> Preview:
        """The mail, marked as a test, its links inert; raises `IssueRefused` when the issue has nothing for these."""
        return preview_topics(newsletter, self.saved.slug, self.topics, self.language)


def share(
    newsletter: Newsletter, actor: Actor, slug: str, topics: tuple[str, ...], language: str, days: int
) -> tuple[str, datetime]:
    """Make a link's token for some `days`, and say until when it is good.

    Raises `IssueRefused` when there is nothing to show, when the time is none of `DAYS`, and for more topics than a
    link can hold.
    """
    if days not in DAYS or language not in LANGUAGES:
        raise IssueRefused(f"a link is good for {', '.join(map(str, DAYS))} days, and in {' or '.join(LANGUAGES)}.")
    preview_topics(newsletter, slug, topics, language)
    now = newsletter.clock().replace(microsecond=0)
    until = now + timedelta(days=days)
    with newsletter.session() as session:
        saved = newsletter.issues(session).find(slug)
        subject = f"{saved.issue_id}-{int(until.timestamp())}-{language}-{'_'.join(topics)}"
        if len(subject) > _LONGEST_SUBJECT:
            raise IssueRefused(f"a link cannot hold {len(topics)} topics: choose fewer, or none for all of the issue.")
        audit.record(session, actor, audit.Action.LINK_SHARED, slug, now, until=until.isoformat(), topics=list(topics))
    return newsletter.tokens.make(Purpose.LOOK, subject), until


def look(newsletter: Newsletter, token: str) -> Look | None:
    """What a link shows, or None for one that we never made; raises `LookOver` when its time is over."""
    subject = newsletter.tokens.read(Purpose.LOOK, token) or ""
    issue_id, _, rest = subject.partition("-")
    seconds, _, rest = rest.partition("-")
    language, _, topics = rest.partition("-")
    if not (issue_id.isdecimal() and seconds.isdecimal() and language in LANGUAGES):
        return None
    until = datetime.fromtimestamp(int(seconds), UTC)
    if newsletter.clock() >= until:
        raise LookOver
    with newsletter.reading() as session:
        if session.get(IssueRow, int(issue_id)) is None:
            return None
        saved = newsletter.issues(session).newest(int(issue_id))
    return Look(saved, tuple(topics.split("_")) if topics else (), language, until)
