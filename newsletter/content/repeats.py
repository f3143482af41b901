"""Stories that the issue, or an earlier issue, has already."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from newsletter.content.diagnostics import Diagnostic, Fact
from newsletter.content.findings import name_of, named, warning
from newsletter.content.identity import title_key, url_key
from newsletter.content.issue import Mark, Story
from newsletter.content.likeness import Case, Retelling, Traits, retells, traits_of

Placed = tuple[int, Story]
"""The line of a story's title (0 when unknown) and the story."""

ITS_OWN = frozenset({Mark.FOLLOW_UP, Mark.NEW})
"""A story that is marked so is no repeat, whatever it looks like."""

_ADVICE = (
    "take it out if it brings nothing new, mark it “标记：后续” (Mark: follow-up) if it goes on with that story, or "
    "“标记：新” (Mark: new) if it is another one"
)


@dataclass(frozen=True, slots=True)
class EarlierStory:
    """A story that an earlier issue had: its title, the slug of that issue, and what it is known by.

    `root` is the id of the first story that it tells again, its own `id` where it is the first.
    """

    title: str
    issue: str
    traits: Traits
    id: str = ""
    root: str = ""


class EarlierStories:
    """Stories of earlier issues, to be looked up by what a story has in common with them."""

    def __init__(self, stories: Iterable[EarlierStory]) -> None:
        """Take them in the order in which they were told, the earliest first."""
        self._stories: Sequence[EarlierStory] = tuple(stories)
        places: defaultdict[object, list[int]] = defaultdict(list)
        for place, story in enumerate(self._stories):
            for key in _marks_of(story.traits):
                places[key].append(place)
        self._places: Mapping[object, list[int]] = places

    def told_by(self, new: Traits) -> tuple[EarlierStory, Retelling] | None:
        """The story that a new one tells again, the surest and most alike; of several like it, the latest."""
        places = {place for key in _marks_of(new) for place in self._places.get(key, ())}
        found = [(place, told) for place in places if (told := retells(new, self._stories[place].traits))]
        if not found:
            return None
        place, told = max(found, key=lambda one: (one[1].is_sure, one[1].likeness, one[0]))
        return self._stories[place], told


def _marks_of(traits: Traits) -> Iterator[object]:
    """What two stories share at least, of which one may tell the other again."""
    yield from traits.sought
    if traits.title_key:
        yield "title", traits.title_key
    if traits.url_key:
        yield "link", traits.url_key


def _story_keys(story: Story) -> tuple[tuple[str, str], ...]:
    keys = (("title", title_key(story.title)), ("link", url_key(story.source.url if story.source else "")))
    return tuple(key for key in keys if key[1])


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
    """Find stories that tell a story of an earlier issue again and are not marked as their own."""
    known = EarlierStories(earlier)
    for line, story in placed:
        if ITS_OWN.isdisjoint(story.marks) and (told := known.told_by(traits_of(story))):
            yield _earlier(line, story, *told)


def _earlier(line: int, story: Story, earlier: EarlierStory, told: Retelling) -> Diagnostic:
    facts: dict[str, Fact] = {"case": told.case, "what": name_of(story.title), "issue": earlier.issue}
    if told.case is Case.TITLE:
        what = f"has the same title as a story of issue {earlier.issue}"
    else:
        facts["of"] = name_of(earlier.title)
        its = f"{named(earlier.title)} in issue {earlier.issue}"
        if told.case is Case.TEXT:
            facts["n"] = round(100 * told.likeness)
            what = f"has {facts['n']} % of its text in common with {its}"
        elif told.case is Case.LINK:
            what = f"has the same link as {its}"
        else:
            what = f"tells in other words of the page that is the source of {its}"
    return warning(line, "story-earlier", f"{named(story.title)} {what}: {_ADVICE}", **facts)
