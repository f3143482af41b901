"""What the editor page shows of a text: its findings with their mends, its structure, its line in an inbox."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from newsletter.app import Newsletter
from newsletter.content.diagnostics import Diagnostic, Severity
from newsletter.content.inline import host, plain
from newsletter.content.issue import Mark, Section, Story
from newsletter.content.lines import split_lines
from newsletter.content.mends import Mend, mends_in
from newsletter.content.reading import Reading
from newsletter.editorial.intake import read_text
from newsletter.storage.issues import Saved
from subscribers.topics import Catalogue

FINDINGS_SHOWN = 100
"""More than anybody mends at a sitting; the count names them all."""

CARDS_SHOWN = 300
"""More than anybody looks over; the outline says how many there are."""

CARDS_MOVED = 60
"""Up to so many stories, each card offers every section to be moved to; in a longer issue it goes up and down alone."""

_IN_PARTS = ("daily",)  # the dialect whose stories have a background and points


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding as a line of the list; `heading` is the section's whose topic nobody knows, else empty."""

    found: Diagnostic
    heading: str
    mends: tuple[Mend, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """A story of the outline; `number` counts over the issue and `place` in its section, both from 0.

    `marks` are what the editor says of it; `lacks` names the parts that a reader would miss: source, background,
    points.
    """

    number: int
    place: int
    line: int
    title: str
    host: str
    marks: tuple[Mark, ...]
    lacks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A section of the outline: its heading (may be empty), its line (0 when unknown) and its topic's slug.

    It has so many `stories`; those that are listed have `cards`.
    """

    number: int
    line: int
    title: str
    topic: str
    stories: int
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """A text as it was read: everything that is shown beside it."""

    findings: tuple[Finding, ...]
    errors: int
    warnings: int
    parts: tuple[Part, ...]
    stories: int
    catalogue: Catalogue

    @property
    def topics(self) -> int:
        """How many topics its stories stand under."""
        return len({part.topic for part in self.parts if part.topic and part.stories})

    @property
    def marks(self) -> list[tuple[int, str]]:
        """Lines with findings; an error goes before a warning."""
        found = [finding.found for finding in self.findings]
        marked: dict[int, str] = {}
        for severity in (Severity.WARNING, Severity.ERROR):
            marked |= {one.line: severity.value for one in found if one.severity is severity and one.line}
        return sorted(marked.items())

    @property
    def headings(self) -> list[int]:
        """The lines of the sections' headings."""
        return [part.line for part in self.parts if part.line and part.title]


def look_over(newsletter: Newsletter, saved: Saved, text: str, reading: Reading | None = None) -> Look:
    """What to show of a text of an issue; it is read unless it was just read."""
    with newsletter.reading() as session:
        catalogue = newsletter.topics(session).catalogue()
    reading = reading or read_text(newsletter, text, saved.slug)
    errors = len(reading.errors)
    return Look(
        findings=tuple(_findings(text, reading, catalogue, _day(newsletter, saved, reading))),
        errors=errors,
        warnings=len(reading.diagnostics) - errors,
        parts=tuple(_parts(reading)),
        stories=len(reading.issue.stories) if reading.issue else 0,
        catalogue=catalogue,
    )


def mend_of(newsletter: Newsletter, saved: Saved, text: str, wanted: str) -> Mend | None:
    """The mend that a button without script names by two numbers: that of the finding, and its own."""
    first, _, second = wanted.partition(".")
    if not (first.isdecimal() and second.isdecimal()):
        return None
    findings = look_over(newsletter, saved, text).findings
    offers = findings[int(first)].mends if int(first) < len(findings) else ()
    return offers[int(second)] if int(second) < len(offers) else None


def _day(newsletter: Newsletter, saved: Saved, reading: Reading) -> date:
    """The day to write where one lacks or is wrong: the issue's own, unless that is what is old."""
    doubted = any(found.code in ("date-old", "date-impossible") for found in reading.diagnostics)
    return newsletter.today() if doubted or saved.issue.date is None else saved.issue.date


def _findings(text: str, reading: Reading, catalogue: Catalogue, on: date) -> Iterator[Finding]:
    lines = split_lines(text)
    sections = zip(reading.section_lines, reading.issue.sections if reading.issue else (), strict=False)
    headings = {line: section.title for line, section in sections if not section.topic}
    for one in sorted(reading.diagnostics, key=lambda one: one.severity != Severity.ERROR)[:FINDINGS_SHOWN]:
        yield Finding(
            found=one,
            heading=headings.get(one.line, "") if one.code == "topic-unknown" else "",
            mends=mends_in(lines, one, catalogue, on),
        )


def _parts(reading: Reading) -> Iterator[Part]:
    if reading.issue is None:
        return
    number = 0
    for at, section in enumerate(reading.issue.sections):
        lines = reading.story_lines[number : number + len(section.stories)]
        cards = _cards(section, number, lines, reading.issue.format)
        number += len(section.stories)
        line = reading.section_lines[at] if at < len(reading.section_lines) else 0
        yield Part(at, line, plain(section.title), section.topic, len(section.stories), cards)


def _cards(section: Section, first: int, lines: Sequence[int], dialect: str) -> tuple[Card, ...]:
    return tuple(
        Card(
            number=first + place,
            place=place,
            line=lines[place] if place < len(lines) else 0,
            title=plain(story.title),
            host=host(story.source.url) if story.source else "",
            marks=story.marks,
            lacks=tuple(_lacks(story, dialect)),
        )
        for place, story in enumerate(section.stories)
        if first + place < CARDS_SHOWN
    )


def _lacks(story: Story, dialect: str) -> Iterator[str]:
    if story.source is None or not story.source.url:
        yield "source"
    if dialect in _IN_PARTS and not story.background:
        yield "background"
    if dialect in _IN_PARTS and not story.points:
        yield "points"
