"""What to expect of sending an issue now: how many readers get it, who is left out, and what stands in their inbox."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from newsletter.app import Newsletter
from newsletter.editorial.preview import preview_topics
from newsletter.editorial.readership import count_candidates, coverage, page_bound
from newsletter.storage.issues import IssueRefused


@dataclass(frozen=True, slots=True)
class Expected:
    """Candidates, and of these how many get something (`readers`, None where they are too many to go through)."""

    candidates: int
    readers: int | None
    left_out: Mapping[str, int]
    subject: str


def expect(newsletter: Newsletter, slug: str) -> Expected:
    """What sending an issue now would come to; raises `IssueRefused` for an unknown slug."""
    # a part of the readers would be taken for all of them here, so either everybody is counted or nobody
    readers, left_out = (None, {}) if page_bound(newsletter) else _covered(newsletter, slug)
    return Expected(count_candidates(newsletter, slug), readers, left_out, fullest_subject(newsletter, slug))


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
