"""From an issue and one reader's preferences to the edition they get."""

import unicodedata
from collections.abc import Collection, Iterator
from functools import lru_cache

from newsletter.compose.edition import FOLLOWED, Edition, Group
from newsletter.content.inline import plain
from newsletter.content.issue import Code, Image, Issue, Listing, Mark, Paragraph, Points, Quote, Story, Table
from subscribers.preferences import Frequency, Preferences

_NONE: frozenset[str] = frozenset()
_CACHED_EDITIONS = 4096
"""Distinct choices remembered per issue; past that the least recent is chosen anew (some 100 microseconds)."""
MOST_IN_DIGEST = 40
"""Stories that a week's digest brings at most to anybody: more of them nobody reads, and mail programs cut them off."""
_KEPT_STORIES = 2_048  # whoever writes an issue looks at it again and again, and changes one story at a time


def most_in_mail(issue: Issue) -> int | None:
    """How many stories of an issue one mail brings at most, whatever its reader wants; None where there is no bound."""
    return MOST_IN_DIGEST if issue.is_digest else None


class Chooser:
    """Chooses editions of one issue; the same preferences always give the same edition.

    The rules: stories of the reader's topics, in the reader's order of topics and the issue's order of stories; a
    followed keyword adds stories from outside and ranks them first, under a heading of their own; a muted keyword
    removes a story, even a followed one; a cap takes the followed first and then one story from each topic in turn; a
    story of several topics stands under the reader's first; a story the reader already had is left out.

    A digest has the topics that the reader wants once a week, any other issue the rest: of those they want to hear of
    only when it matters, the important stories. What they follow comes as often as they chose for everything.
    """

    def __init__(self, issue: Issue, is_digest: bool = False) -> None:
        self.is_digest = is_digest
        self._stories = issue.stories
        self._important = frozenset(story.id for story in self._stories if Mark.IMPORTANT in story.marks)
        self._haystacks = {story.id: haystack(story) for story in self._stories}
        self._cached = lru_cache(_CACHED_EDITIONS)(self._choose)

    @property
    def story_ids(self) -> tuple[str, ...]:
        """The ids of the issue's stories."""
        return tuple(self._haystacks)

    def choose(self, preferences: Preferences, had: frozenset[str] = frozenset()) -> Edition:
        """The edition for these preferences without the story ids in `had`; false when nothing is left."""
        topics, sparing, follow, most = self._wanted(preferences)
        known = frozenset(had & self._haystacks.keys()) if had else had
        return self._cached(topics, sparing, follow, preferences.mute, most, known)

    def wants_nothing(self, preferences: Preferences) -> bool:
        """Whether a reader wants nothing of issues of this kind, whatever stands in them."""
        topics, _, follow, _ = self._wanted(preferences)
        return not topics and not follow

    def _wanted(self, preferences: Preferences) -> tuple[tuple[str, ...], frozenset[str], tuple[str, ...], int | None]:
        """The topics, those of them of which only important stories are wanted, the keywords, and the cap."""
        weekly = preferences.frequency is Frequency.WEEKLY
        follow = preferences.follow if weekly is self.is_digest else ()
        if self.is_digest:
            most = min(preferences.most or MOST_IN_DIGEST, MOST_IN_DIGEST)
            return preferences.topics_at(Frequency.WEEKLY), _NONE, follow, most
        if preferences.frequency is Frequency.DAILY and not preferences.frequencies:  # as most people want it
            return preferences.topics, _NONE, follow, preferences.most
        topics = preferences.topics_at(Frequency.DAILY, Frequency.IMPORTANT)
        return topics, frozenset(preferences.topics_at(Frequency.IMPORTANT)), follow, preferences.most

    def _choose(
        self,
        topics: tuple[str, ...],
        sparing: frozenset[str],
        follow: tuple[str, ...],
        mute: tuple[str, ...],
        most: int | None,
        had: frozenset[str],
    ) -> Edition:
        groups: dict[str, list[str]] = {FOLLOWED: [], **{topic: [] for topic in topics}}
        for story in self._stories:
            if story.id in had or self._mentions(story, mute):
                continue
            first = FOLLOWED if self._mentions(story, follow) else self._heading(story, topics, sparing)
            if first is not None:
                groups[first].append(story.id)
        kept = set(_round_robin(groups, most))
        chosen = ((topic, tuple(story for story in stories if story in kept)) for topic, stories in groups.items())
        return Edition(tuple(Group(topic, stories) for topic, stories in chosen if stories))

    def _heading(self, story: Story, topics: tuple[str, ...], sparing: frozenset[str]) -> str | None:
        """The first of these topics that brings the story."""
        is_important = story.id in self._important
        wanted = (topic for topic in topics if topic in story.topics and (is_important or topic not in sparing))
        return next(wanted, None)

    def mentioned(self, story_id: str, keywords: Collection[str]) -> str | None:
        """The first of these keywords that a story of the issue mentions, or None when it mentions none."""
        haystack = self._haystacks[story_id]
        return next((keyword for keyword in keywords if (folded := _fold(keyword)) and folded in haystack), None)

    def _mentions(self, story: Story, keywords: Collection[str]) -> bool:
        return self.mentioned(story.id, keywords) is not None


def _round_robin(groups: dict[str, list[str]], most: int | None) -> list[str]:
    """Ids in the order in which a cap lets them in: all followed, then one of each topic, then the second of each."""
    followed, *rest = groups.values()
    deepest = max((len(stories) for stories in rest), default=0)
    turns = [stories[turn] for turn in range(deepest) for stories in rest if turn < len(stories)]
    return (followed + turns)[:most]


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()


@lru_cache(_KEPT_STORIES)
def haystack(story: Story) -> str:
    """Everything a keyword can be found in, one field a line so that no keyword matches across two."""
    fields = [story.title, story.summary, story.background, *story.points, *_body(story)]
    words = [plain(field) for field in fields]
    return _fold("\n".join([*words, *story.tags, story.source.name if story.source else ""]))


def _body(story: Story) -> Iterator[str]:
    for block in story.body:
        match block:
            case Paragraph(text) | Code(text):
                yield text
            case Points(heading, points):
                yield from (heading, *points)
            case Listing(items):
                yield from items
            case Quote(paragraphs):
                yield from paragraphs
            case Table(rows):
                yield from (cell for row in rows for cell in row)
            case Image(_, alt):
                yield alt
