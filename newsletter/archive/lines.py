"""What the archive gives out: an issue, and lines about issues and stories in plain text."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

from newsletter.compose.choose import Chooser
from newsletter.content.inline import plain
from newsletter.content.issue import Issue, Paragraph, Story
from newsletter.render.spans import clean, language_of, web_url

_HEADLINES = 3


@dataclass(frozen=True, slots=True)
class StoryLine:
    """What a list says about a story; `slug` is its issue's, and both together are its permanent address.

    Texts are plain, without markup and control characters; `summary` is the first thing told where there is none.
    `source` is the source's name and `source_url` an http(s) address, each empty when unknown. `topics` are slugs.
    `lang` is the language of its text (BCP 47). `published_at` and `updated_at` are those of its issue, and `story`
    is all of it.
    """

    slug: str
    story_id: str
    title: str
    summary: str
    date: date
    topics: tuple[str, ...]
    source: str
    source_url: str
    lang: str
    published_at: datetime
    updated_at: datetime
    story: Story = field(repr=False)

    @property
    def path(self) -> str:
        """The story's permanent address below the newsletter's own."""
        return f"/archive/{self.slug}/{self.story_id}"


@dataclass(frozen=True, slots=True)
class IssueLine:
    """What a list says about an issue: how many stories it has, of which topics, and the titles of its first three."""

    slug: str
    title: str
    date: date
    published_at: datetime
    updated_at: datetime
    stories: int
    topics: tuple[str, ...]
    headlines: tuple[str, ...]

    @property
    def path(self) -> str:
        """The issue's permanent address below the newsletter's own."""
        return f"/archive/{self.slug}"


@dataclass(frozen=True)
class ArchivedIssue:
    """The published revision of an issue, whole; `lines` are those of its stories, in their order.

    `published_at` is when its mailing began, `updated_at` when what is shown was written, if that was later.
    """

    slug: str
    title: str
    date: date
    published_at: datetime
    updated_at: datetime
    issue: Issue
    lines: tuple[StoryLine, ...]

    @cached_property
    def chooser(self) -> Chooser:
        """Chooses editions of it; made once, because looking for keywords takes reading every text."""
        return Chooser(self.issue)

    @cached_property
    def line(self) -> IssueLine:
        """What a list says about it."""
        return IssueLine(
            slug=self.slug,
            title=self.title,
            date=self.date,
            published_at=self.published_at,
            updated_at=self.updated_at,
            stories=len(self.lines),
            topics=tuple(dict.fromkeys(topic for line in self.lines for topic in line.topics)),
            headlines=tuple(line.title for line in self.lines[:_HEADLINES]),
        )

    def pick(self, story_ids: Iterable[str]) -> tuple[StoryLine, ...]:
        """The lines of stories of it, in the order asked for."""
        by_id = {line.story_id: line for line in self.lines}
        return tuple(by_id[story_id] for story_id in story_ids)


def archived_issue(slug: str, on: date, published_at: datetime, written_at: datetime, issue: Issue) -> ArchivedIssue:
    """An issue with the lines about its stories; `written_at` is when the revision shown was written."""
    updated_at = max(published_at, written_at)
    return ArchivedIssue(
        slug=slug,
        title=_shown(issue.title),
        date=on,
        published_at=published_at,
        updated_at=updated_at,
        issue=issue,
        lines=tuple(_line(slug, on, published_at, updated_at, story) for story in issue.stories),
    )


def _line(slug: str, on: date, published_at: datetime, updated_at: datetime, story: Story) -> StoryLine:
    title, summary = _shown(story.title), next((shown for text in _told(story) if (shown := _shown(text))), "")
    return StoryLine(
        slug=slug,
        story_id=story.id,
        title=title,
        summary=summary,
        date=on,
        topics=story.topics,
        source=_shown(story.source.name) if story.source else "",
        source_url=web_url(story.source.url) if story.source else "",
        lang=language_of(f"{title} {summary}"),
        published_at=published_at,
        updated_at=updated_at,
        story=story,
    )


def _told(story: Story) -> Iterator[str]:
    """The texts that can say what a story is about, the best first."""
    yield from (story.summary, *story.points, story.background)
    yield from (block.text for block in story.body if isinstance(block, Paragraph))


def _shown(text: str) -> str:
    return clean(plain(text)).strip()
