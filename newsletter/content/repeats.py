"""Stories that the issue, or an earlier issue, has already."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from newsletter.content.diagnostics import Diagnostic, Fact
from newsletter.content.findings import name_of, named, warning
from newsletter.content.identity import title_key, url_key
from newsletter.content.issue import Story

Placed = tuple[int, Story]
"""The line of a story's title (0 when unknown) and the story."""


@dataclass(frozen=True, slots=True)
class EarlierStory:
    """A story that an earlier issue had: its title, its link (empty when none) and the slug of that issue."""

    title: str
    url: str
    issue: str


def _keys(title: str, url: str) -> tuple[tuple[str, str], ...]:
    return tuple(key for key in (("title", title_key(title)), ("link", url_key(url))) if key[1])


def _story_keys(story: Story) -> tuple[tuple[str, str], ...]:
    return _keys(story.title, story.source.url if story.source else "")


def repeated(placed: Iterable[Placed]) -> Iterator[Diagnostic]:
    """Find stories with the title or the link of a story above."""
    seen: dict[tuple[str, str], int] = {}
    for line, story in placed:
        keys = _story_keys(story)
        same = next((key for key in keys if key in seen), None)
        if same:
            facts: dict[str, Fact] = {"case": same[0], "what": name_of(story.title), "n": seen[same]}
            what = f"{named(story.title)} has the same {same[0]} as the story in line {seen[same]}"
            yield warning(line, "story-repeated", f"{what}; take one of them out", **facts)
        for key in keys:
            seen.setdefault(key, line)


def in_earlier_issues(placed: Iterable[Placed], earlier: Iterable[EarlierStory]) -> Iterator[Diagnostic]:
    """Find stories with the title or the link of a story in an earlier issue."""
    known = {key: story.issue for story in earlier for key in _keys(story.title, story.url)}
    for line, story in placed:
        same = next((key for key in _story_keys(story) if key in known), None)
        if same:
            facts: dict[str, Fact] = {"case": same[0], "what": name_of(story.title), "issue": known[same]}
            what = f"{named(story.title)} has the same {same[0]} as a story of issue {known[same]}"
            yield warning(line, "story-earlier", f"{what}; take it out if it brings nothing new", **facts)
