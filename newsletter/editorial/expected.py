"""What to expect of sending an issue now: how many readers get it, who is left out, and what stands in their inbox."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlmodel import col, func, select

from newsletter.app import Newsletter
from newsletter.editorial.preview import coverage, preview_topics
from newsletter.storage.issues import IssueRefused
from subscribers.models import State, Subscriber

MOST_COUNTED = 50_000
"""More candidates are not gone through while somebody waits for a page: choosing for so many takes some seconds."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Candidates, and of these how many get something (`readers`, None where they are too many to go through)."""

    candidates: int
    readers: int | None
    left_out: Mapping[str, int]
    subject: str


def expect(newsletter: Newsletter, slug: str) -> Expected:
    """What sending an issue now would come to; raises `IssueRefused` for an unknown slug."""
    candidates = count_candidates(newsletter)
    readers, left_out = _covered(newsletter, slug) if candidates <= MOST_COUNTED else (None, {})
    return Expected(candidates, readers, left_out, fullest_subject(newsletter, slug))


def count_candidates(newsletter: Newsletter) -> int:
    """How many readers a mailing begun now would look at."""
    with newsletter.reading() as session:
        count = select(func.count()).select_from(Subscriber)
        return session.exec(count.where(col(Subscriber.state).in_((State.ACTIVE, State.PAUSED)))).one()


def fullest_subject(newsletter: Newsletter, slug: str) -> str:
    """The subject of the edition with every story; empty while the issue has none."""
    try:
        preview = preview_topics(newsletter, slug)
    except IssueRefused:
        return ""
    return replace(preview, recipient=replace(preview.recipient, test=False)).subject


def _covered(newsletter: Newsletter, slug: str) -> tuple[int, Mapping[str, int]]:
    covered, left_out, _ = coverage(newsletter, slug)
    nothing = covered.by_stories.get(0, 0)
    return covered.readers - nothing, {**({"no match": nothing} if nothing else {}), **left_out}
