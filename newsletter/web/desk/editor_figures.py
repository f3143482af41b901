"""The figures below the text: who will get it, how large it gets, what the checks say, when it goes out."""

from dataclasses import dataclass, replace
from datetime import datetime

from newsletter.app import Newsletter
from newsletter.editorial.approval import MOST_HTML_BYTES, WARN_HTML_BYTES
from newsletter.editorial.daily_slot import waits_for
from newsletter.editorial.readership import coverage, page_bound
from newsletter.editorial.timetable import appointed_for, slot_of
from newsletter.review.report import Summary, summary
from newsletter.storage.issues import IssueRefused
from newsletter.web.desk.issue_bar import IssueBar

_MANY = 3
"""From so many stories on a mail is a full one."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How many readers would get no story, one or two, or more; how many editions; the bytes of the fullest."""

    none: int
    few: int
    many: int
    editions: int
    largest_bytes: int

    @property
    def readers(self) -> int:
        """Those who get a mail."""
        return self.few + self.many

    @property
    def shares(self) -> tuple[tuple[str, int], ...]:
        """The parts of the bar, each in whole percent of all."""
        everybody = max(1, self.none + self.few + self.many)
        parts = (("none", self.none), ("few", self.few), ("many", self.many))
        return tuple((name, round(100 * number / everybody)) for name, number in parts)


@dataclass(frozen=True, slots=True)
class Figures:
    """What the cards show; a part that was not asked for, or cannot be said, is None.

    `only_first` is how many readers were looked at where these are not all. `reach` is also None where there is no mail
    yet, because no story has a topic; `refusal` says why nothing compiles. `next_at` is when the issue goes out by
    itself; where it does not, `until` is how long the slot that has come waits for its approval, and `is_off` says that
    its date is a day off.
    """

    reach: Reach | None = None
    checks: Summary | None = None
    next_at: datetime | None = None
    warn_bytes: int = WARN_HTML_BYTES
    most_bytes: int = MOST_HTML_BYTES
    only_first: int | None = None
    no_mail: bool = False
    until: datetime | None = None
    is_off: bool = False
    refusal: str = ""


def figures(newsletter: Newsletter, bar: IssueBar, part: str) -> Figures:
    """The figures of an issue: those of the checks, which take longest, or the others; with no `part` all of them."""
    most = page_bound(newsletter)
    checks = summary(newsletter, bar.slug) if part in ("", "checks") else None
    if part == "checks":
        return Figures(checks=checks, only_first=most)
    found = _next_send(newsletter, bar, Figures(checks=checks, only_first=most))
    if not any(story.topics for story in bar.saved.issue.stories):
        return replace(found, no_mail=True)
    try:
        return replace(found, reach=_reach(newsletter, bar.slug, most))
    except IssueRefused as refusal:
        return replace(found, refusal=str(refusal))


def _next_send(newsletter: Newsletter, bar: IssueBar, found: Figures) -> Figures:
    """With when an issue goes out by itself: at its appointed time, else in the slot of its day; or why it does not."""
    schedule, on = newsletter.settings.schedule, bar.saved.issue.date
    with newsletter.reading() as session:
        at = appointed_for(session, bar.saved.issue_id) or slot_of(newsletter, session, bar.saved)
        until = None if at else waits_for(newsletter, session, bar.saved)
    is_off = at is None and schedule is not None and on is not None and schedule.is_off(on)
    return replace(found, next_at=at, until=until, is_off=is_off)


def _reach(newsletter: Newsletter, slug: str, most: int | None) -> Reach:
    covered, _, largest = coverage(newsletter, slug, most)
    by_stories = covered.by_stories
    return Reach(
        none=by_stories.get(0, 0),
        few=sum(readers for stories, readers in by_stories.items() if 0 < stories < _MANY),
        many=sum(readers for stories, readers in by_stories.items() if stories >= _MANY),
        editions=sum(bool(edition.stories) for edition in covered.editions),
        largest_bytes=largest,
    )
