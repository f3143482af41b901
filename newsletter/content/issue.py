"""What an issue is made of: frozen values that every other room can pass around and compare.

Every string that a reader will see (title, summary, background, points, body) is *inline Markdown*: emphasis, code and
links, canonically escaped by `newsletter.content.inline`. Nothing here is HTML, and nothing here is a template.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Source:
    """Where a story comes from (来源出处): the label the editor wrote and an http(s) address, empty when unknown."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text."""

    text: str


@dataclass(frozen=True, slots=True)
class Points:
    """A heading inside a story with the points below it; the heading may be empty."""

    heading: str
    points: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """A list without a heading; `ordered` says whether its items were numbered."""

    items: tuple[str, ...]
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Quote:
    """Quoted paragraphs."""

    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """Preformatted text, kept letter by letter (the one string that is not inline Markdown)."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; the first row is the heading."""

    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Image:
    """A picture by its address, with the text that stands for it."""

    url: str
    alt: str


Block = Paragraph | Points | Listing | Quote | Code | Table | Image


class Mark(StrEnum):
    """What an editor says of a story beyond its text (标记), declared in the order in which it is written."""

    IMPORTANT = "important"
    """It goes to those, too, who want only what is important."""
    FOLLOW_UP = "follow-up"
    """It goes on with a story of an earlier issue: whoever had that gets this as well, and reads that it goes on."""
    NEW = "new"
    """It is a story of its own, however much it looks like an earlier one."""


@dataclass(frozen=True, slots=True)
class Story:
    """One piece of news.

    `id` stays the same across revisions of its issue (see `newsletter.content.identity`); it is empty until then.
    `topics` are slugs: its section's topic first, then more. `published` is the time the source
    gives, when it gives one. `marks` are what the editor says of it.
    """

    title: str
    summary: str = ""
    background: str = ""
    points: tuple[str, ...] = ()
    source: Source | None = None
    topics: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    published: datetime | None = None
    body: tuple[Block, ...] = ()
    id: str = ""
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """Stories under one heading; `path` holds the headings from the outermost to its own, `topic` a slug or nothing."""

    title: str
    stories: tuple[Story, ...]
    path: tuple[str, ...] = ()
    topic: str = ""


DIGEST = "digest"
"""The format of an issue that nobody wrote: the stories of a week."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The issue that a story of a digest stood in: its slug and its date."""

    issue: str
    date: date


@dataclass(frozen=True, slots=True)
class Issue:
    """One dated publication.

    `format` is the dialect it was written in, or `DIGEST` where it was made of the stories of others; `origins` says
    then, by the ids of its stories, where each comes from. `subject` and `preheader` are what the front matter fixed
    for everybody, else empty.
    """

    title: str
    date: date | None
    sections: tuple[Section, ...]
    format: str = "daily"
    subject: str = ""
    preheader: str = ""
    origins: tuple[tuple[str, Origin], ...] = ()

    @property
    def is_digest(self) -> bool:
        """Whether it was made of the stories of other issues."""
        return self.format == DIGEST

    @property
    def stories(self) -> tuple[Story, ...]:
        """Every story in the order of the issue."""
        return tuple(story for section in self.sections for story in section.stories)
