"""What the pages of the archive show, as values for their templates: the parts of an issue, marked words, addresses."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from urllib.parse import urlencode

from markupsafe import Markup, escape

from newsletter.content.inline import CJK, spans
from newsletter.content.issue import Issue, Section, Story
from newsletter.content.spans import plain
from newsletter.render.blocks import block_view
from newsletter.render.labels import Labels, load_labels
from newsletter.render.spans import clean, is_chinese, language_of
from newsletter.render.story_view import StoryView, story_view
from newsletter.render.theme import templates_dir
from newsletter.render.widths import whole_characters

DESCRIPTION_CHARACTERS = 160
"""How much of a text search engines and messengers show below a title."""

EXCERPT_CHARACTERS = 180
"""About three lines below the title of a story that was found, on a wide screen."""

_BEFORE_CHARACTERS = 40
"""What stands before the word that was looked for, where the beginning of a text is left out."""

_WORD = re.compile(rf"(?:(?=\w)[{CJK}])+|(?:(?![{CJK}_])\w)+")


@dataclass(frozen=True, slots=True)
class Part:
    """A section of an issue: its own heading with the headings `above` it that are new, and its stories whole.

    `topic` is a slug or empty; `lang` is the language of the heading, which is empty where an issue has none.
    """

    above: tuple[str, ...]
    heading: str
    lang: str
    topic: str
    stories: tuple[StoryView, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """An issue as its page shows it."""

    title: str
    lang: str
    parts: tuple[Part, ...]

    @property
    def stories(self) -> tuple[StoryView, ...]:
        """Every story in the order of the issue."""
        return tuple(story for part in self.parts for story in part.stories)

    @property
    def single(self) -> bool:
        """Whether the issue is one article, whose title is the issue's own."""
        return len(self.stories) == 1 and self.stories[0].name == self.title

    def story(self, story_id: str) -> StoryView | None:
        """The story of that id, or None."""
        return next((story for story in self.stories if story.id == story_id), None)


@dataclass(frozen=True, slots=True)
class Card:
    """What a page says about itself to search engines, messengers and feed readers.

    `url` is the page's permanent address, absolute; `kind` is Open Graph's `article` or `website`; `published` is a
    moment or day as text (ISO 8601) or empty; `indexed` says whether search engines may list the page; `feeds` are
    addresses without their ending, with a title each.
    """

    title: str
    description: str
    url: str
    kind: str = "website"
    published: str = ""
    indexed: bool = True
    feeds: tuple[tuple[str, str], ...] = ()


@lru_cache(maxsize=32)  # the newest issues are what most visitors read; reading their Markdown takes most of the time
def sheet_of(issue: Issue, base_url: str = "") -> Sheet:
    """Prepare an issue, every body whole; pictures that were uploaded lie below `base_url`."""
    title = clean(plain(spans(issue.title)))
    parts: list[Part] = []
    path: tuple[str, ...] = ()
    for section in issue.sections:
        parts.append(_part(section, path, sum(len(part.stories) for part in parts), base_url))
        path = section.path
    return Sheet(title, language_of(title), tuple(parts))


def _part(section: Section, before: Sequence[str], first: int, base_url: str) -> Part:
    """One section; `before` is the path of the one above it, `first` the place of its first story in the issue."""
    heading = clean(plain(spans(section.title)))
    outer = section.path[:-1]
    pairs = enumerate(zip(outer, before, strict=False))
    common = next((level for level, (name, earlier) in pairs if name != earlier), len(before))
    above = tuple(clean(plain(spans(name))) for name in outer[common:])
    stories = tuple(_whole(index, story, base_url) for index, story in enumerate(section.stories, first))
    return Part(above, heading, language_of(heading), section.topic, stories)


def _whole(index: int, story: Story, base_url: str) -> StoryView:
    """A story with all of its body, which a mail may have cut."""
    return replace(story_view(index, story), body=tuple(block_view(block, base_url) for block in story.body))


def description_of(story: StoryView) -> str:
    """What a story is about, short enough to stand below its title."""
    return shortened(clean(plain(story.teaser)), DESCRIPTION_CHARACTERS)


def shortened(text: str, most: int) -> str:
    """At most so many characters of a text, with an ellipsis where more follows."""
    return text if len(text) <= most else text[: whole_characters(text, most - 1)].rstrip() + "…"


def marked(text: str, search: str, most: int = 0) -> Markup:
    """A text, escaped, in which the words of a search stand in `<mark>`.

    With `most` it is an excerpt of about so many characters around the first of them.
    """
    found = _searched(search)
    text = _around(text, found, most) if most else text
    if found is None:
        return escape(text)
    pieces = found.split(text)  # the words that were found stand between what they separate
    return Markup("").join(
        Markup("<mark>{}</mark>").format(piece) if index % 2 else escape(piece) for index, piece in enumerate(pieces)
    )


def _searched(search: str) -> re.Pattern[str] | None:
    """What finds the words of a search: Chinese ones anywhere, others as whole words, as the search itself does."""
    words = dict.fromkeys(_WORD.findall(unicodedata.normalize("NFKC", search)))
    patterns = [
        re.escape(word) if is_chinese(word) else rf"(?<![a-zA-Z\d]){re.escape(word)}(?![a-zA-Z\d])" for word in words
    ]
    return re.compile(f"({'|'.join(patterns)})", re.IGNORECASE) if patterns else None


def _around(text: str, found: re.Pattern[str] | None, most: int) -> str:
    first = found.search(text) if found else None
    start = max(0, first.start() - _BEFORE_CHARACTERS) if first and first.end() > most else 0
    return ("…" if start else "") + shortened(text[start:], most)


@cache
def labels(language: str) -> Labels:
    """The words and dates of a language, read once."""
    return load_labels(templates_dir() / "locale")[language]


def address(path: str, **query: str | int) -> str:
    """A path with what of a query says something."""
    said = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(said)}" if said else path
