"""The sentences that are made for one edition or one reader: subject, preheader, counts, and why they get the mail."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from newsletter.render.compiled import StoryEntry
from newsletter.render.labels import Labels, one_or_many

SUBJECT_COLUMNS = 60
"""A subject stays narrower than this; a Chinese character takes two columns. More is cut off in most lists of mails."""

PREHEADER_CHARACTERS = 90
"""The widest preview line that a common mail program shows."""


def columns(text: str) -> int:
    """How wide a text is shown: wide and full-width characters take two columns (UAX 11), combining marks none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def cut_to_columns(text: str, most: int) -> str:
    """A text of at most `most` columns; what was cut is an ellipsis, after a whole word where there are words."""
    if columns(text) <= most:
        return text
    kept = text[: most - 1]
    while columns(kept) > most - 1:
        kept = kept[:-1]
    if kept.isascii() and " " in kept and text[len(kept)] != " ":
        kept = kept.rpartition(" ")[0]
    return kept.rstrip(" ,;:，；：、") + "…"


def cut_to_characters(text: str, most: int) -> str:
    """A text of at most `most` characters, with an ellipsis where it was cut."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


@dataclass(frozen=True, slots=True)
class EditionLines:
    """The sentences of one edition; none of them is escaped."""

    subject: str
    preheader: str
    count: str


def edition_lines(
    labels: Labels, subject: str, preheader: str, stories: Sequence[StoryEntry], topics: int, followed: bool
) -> EditionLines:
    """What depends on the selection: `stories` in their order, under `topics` topics, some as `followed`.

    `subject` and `preheader` are what the front matter fixed, else empty.
    """
    titles = [story.name for story in stories]
    line = subject_line(labels, subject, titles)
    return EditionLines(
        subject=line,
        preheader=preheader_line(labels, preheader, line, titles, stories[0].teaser),
        count=count_line(labels, topics, followed, len(stories)),
    )


def subject_line(labels: Labels, fixed: str, titles: Sequence[str]) -> str:
    """The subject of an edition: what the front matter fixed, else the first title and how many stories there are."""
    if fixed:
        return fixed
    titles = [title or labels.contents for title in titles]
    if len(titles) == 1:
        return cut_to_columns(titles[0], SUBJECT_COLUMNS - 1)
    numbers = {"count": len(titles), "rest": len(titles) - 1}
    room = SUBJECT_COLUMNS - 1 - columns(labels.subject.format(title="", **numbers))
    return labels.subject.format(title=cut_to_columns(titles[0], room), **numbers)


def preheader_line(labels: Labels, fixed: str, subject: str, titles: Sequence[str], teaser: str) -> str:
    """What mail programs show behind the subject: never empty, never the subject again.

    `fixed` comes from the front matter, `teaser` is the first story's summary, for an edition of one.
    """
    others = labels.titles.join(titles[1:])
    choices = (fixed, others, teaser, labels.contents)
    chosen = next((choice for choice in choices if choice and choice not in subject), labels.contents)
    return cut_to_characters(chosen, PREHEADER_CHARACTERS)


def count_line(labels: Labels, topics: int, followed: bool, stories: int) -> str:
    """How many stories of how many of the reader's topics, and whether keywords brought some of them."""
    origin = one_or_many(labels.topics, topics)
    if followed:
        origin = labels.both.format(topics=origin, keywords=labels.keywords) if topics else labels.keywords
    return labels.count.format(origin=origin, stories=one_or_many(labels.stories, stories))


def reason_line(labels: Labels, address: str, topics: Iterable[str]) -> str:
    """Why this mail came: the address, masked, and the names of the reader's topics."""
    names = labels.list.join(topics)
    return (labels.reason if names else labels.reason_plain).format(address=masked(address), topics=names)


def masked(address: str) -> str:
    """An address that its owner recognises and nobody else can use: `c***@example.com`."""
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}***{at}{domain}"
