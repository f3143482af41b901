"""Links for colleagues without an account: an issue as it stands, for some days, with nothing of any reader in it.

Which links were taken back is known from the audit log, where nothing is ever deleted.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlmodel import Session, col, select

from newsletter.app import Newsletter
from newsletter.editorial.preview import Preview, preview_topics
from newsletter.staff import audit
from newsletter.staff.models import AuditEntry
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
_SUBJECT = re.compile(r"([0-9]+)-([0-9]+)-([0-9]+)-([a-z]+)-([a-z0-9_-]*)", re.ASCII)
"""The issue's id, until when in seconds since 1970, what was taken back before, the language, the topics.

Topics are joined by the one character that a token may hold and a topic's slug may not.
"""


class NoLink(IssueRefused):
    """There is no link to be had.

    `code` names why, for pages that say it in words of their own, which `facts` fill:

    | code | facts | what is wrong |
    |---|---|---|
    | choice | | the time is none of `DAYS`, or the language none of ours |
    | many | topics | a link holds fewer than so many topics |
    """

    def __init__(self, code: str, message: str, **facts: object) -> None:
        super().__init__(message)
        self.code = code
        self.facts = facts


class LookOver(Exception):
    """A link that was good once; its time is over, or it was taken back."""


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

    Raises `NoLink`, and `IssueRefused` when there is nothing to show.
    """
    if days not in DAYS or language not in LANGUAGES:
        message = f"a link is good for {', '.join(map(str, DAYS))} days, and in {' or '.join(LANGUAGES)}."
        raise NoLink("choice", message)
    preview_topics(newsletter, slug, topics, language)
    now = newsletter.clock().replace(microsecond=0)
    until = now + timedelta(days=days)
    with newsletter.session() as session:
        saved = newsletter.issues(session).find(slug)
        before = _taken_back(session, slug)
        subject = f"{saved.issue_id}-{int(until.timestamp())}-{before}-{language}-{'_'.join(topics)}"
        if len(subject) > _LONGEST_SUBJECT:
            message = f"a link cannot hold {len(topics)} topics: choose fewer, or none for all of the issue."
            raise NoLink("many", message, topics=len(topics))
        audit.record(session, actor, audit.Action.LINK_SHARED, slug, now, until=until.isoformat(), topics=list(topics))
    return newsletter.tokens.make(Purpose.LOOK, subject), until


def good_links(newsletter: Newsletter, slug: str) -> int:
    """How many links to an issue are good now."""
    with newsletter.reading() as session:
        return _good(session, slug, newsletter.clock())


def take_back(newsletter: Newsletter, actor: Actor, slug: str) -> int:
    """End all links to an issue that were made until now, and say how many were good; later ones are good again."""
    now = newsletter.clock()
    with newsletter.session() as session:
        good = _good(session, slug, now)
        if good:
            audit.record(session, actor, audit.Action.LINKS_TAKEN_BACK, slug, now, links=good)
    return good


def look(newsletter: Newsletter, token: str) -> Look | None:
    """What a link shows, or None for one that we never made; raises `LookOver` for one that is good no more."""
    parts = _SUBJECT.fullmatch(newsletter.tokens.read(Purpose.LOOK, token) or "")
    if parts is None or parts[4] not in LANGUAGES:
        return None
    issue_id, seconds, before, language, topics = parts.groups()
    until = datetime.fromtimestamp(int(seconds), UTC)
    if newsletter.clock() >= until:
        raise LookOver
    with newsletter.reading() as session:
        if session.get(IssueRow, int(issue_id)) is None:
            return None
        saved = newsletter.issues(session).newest(int(issue_id))
        if _taken_back(session, saved.slug) != int(before):
            raise LookOver
    return Look(saved, tuple(topics.split("_")) if topics else (), language, until)


def _taken_back(session: Session, slug: str) -> int:
    """Which entry of the audit log took links to an issue back last; 0 is none."""
    found = audit.entries(session, subject=slug, action=audit.Action.LINKS_TAKEN_BACK, most=1)
    return next((entry.id or 0 for entry in found), 0)


def _good(session: Session, slug: str, now: datetime) -> int:
    made = select(AuditEntry.details).where(
        AuditEntry.subject == slug,
        AuditEntry.action == audit.Action.LINK_SHARED,
        col(AuditEntry.id) > _taken_back(session, slug),
        col(AuditEntry.at) > now - timedelta(days=max(DAYS)),
    )
    return sum(datetime.fromisoformat(details["until"]) > now for details in session.exec(made))
