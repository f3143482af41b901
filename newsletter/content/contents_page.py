"""A report's numbered headings and its table of contents, which tells true headings from lines that look like one."""

import re
import unicodedata
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

CHAPTER, PART, TITLE = 1, 2, 3
"""The three levels of a report: 一、 and (一) are headings of sections, 1. is the title of a story."""

_HAN = "零〇一二三四五六七八九十百"
_NUMBERED = (
    (
        CHAPTER,
        re.compile(rf"(?:第\s*([{_HAN}\d]{{1,4}})\s*(?:章|部分|篇)|([{_HAN}]{{1,4}})\s*[、.．])[\s、：:]*(\S.*)"),
    ),
    (PART, re.compile(rf"[(（]\s*([{_HAN}]{{1,4}})()\s*[)）][\s、.．]*(\S.*)")),
    (TITLE, re.compile(r"(\d{1,3})()\s*[.．、]\s*(\S.*)")),
)
_ANNOUNCED = frozenset({"目录", "目次", "contents", "tableofcontents"})
_PAGE = re.compile(r"\d{1,4}\Z")
_LEADER = " \t\u3000.．…·‥"
_DOTS = re.compile(r"[.．…·‥]\s?[.．…·‥]|[…‥]|\t|\s{2}")
# Lines that do not fit (a running head, a page number) and still do not end a table of contents.
_MOST_STRAY_LINES = 2
_FEWEST_ENTRIES = 3
_ALIKE = 0.8
_NEARBY = 3
_LONGEST_TITLE = 300


@dataclass(frozen=True, slots=True)
class Numbered:
    """A line that begins like a numbered heading; `title` is what follows the number."""

    level: int
    number: str
    title: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the table of contents.

    `path` holds the titles of the sections around it, outermost first, and `above` their places in the table.
    """

    level: int
    number: str
    title: str
    path: tuple[str, ...]
    above: tuple[int, ...]
    line: int


Row = tuple[int, str]
Found = tuple[list[int], Numbered | None]
"""The line numbers of an entry and its heading, None when the entry has no number (a preface)."""


def numbered(text: str) -> Numbered | None:
    """Read the number and title of a line that begins like a heading, or None."""
    for level, pattern in _NUMBERED:
        if found := pattern.match(text):
            return Numbered(level, found[1] or found[2], found[3].strip())
    return None


def squeezed(title: str) -> str:
    """Reduce a title to what makes it the same as another: width, case and blanks do not matter."""
    return "".join(unicodedata.normalize("NFKC", title).casefold().split())


def _paged(text: str, announced: bool) -> str | None:
    """Read the title of a line that ends in a leader and a page number, or None."""
    page = _PAGE.search(text)
    if not page:
        return None
    head = text[: page.start()]
    title = head.rstrip(_LEADER)
    leader = head[len(title) :]
    return title if title and (_DOTS.search(leader) or (announced and leader)) else None


class Contents:
    """The table of contents of a report: its entries, and which of them the text has met so far.

    `lines` are the numbers (from 1) of the lines it takes up; empty when the report has none.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        self.entries: list[Entry] = []
        self.lines: set[int] = set()
        self._read(lines)
        self._open = set(range(len(self.entries)))
        self._next = 0
        self._places: dict[tuple[int, str], deque[int]] = {}
        for place, entry in enumerate(self.entries):
            for level in (entry.level, 0):
                self._places.setdefault((level, squeezed(entry.title)), deque()).append(place)

    def __bool__(self) -> bool:
        """Whether there is a table of contents."""
        return bool(self.entries)

    @property
    def missing(self) -> list[Entry]:
        """What the text has not met: stories, and sections of which it has met nothing."""
        return [self.entries[place] for place in sorted(self._open)]

    def meet(self, text: str) -> Entry | None:
        """Find the entry that this line of the text is the heading of; every entry is met once."""
        if not self._open or len(text) > _LONGEST_TITLE:
            return None
        heading = numbered(text)
        place = self._exact(heading, text)
        if place is None and heading:
            place = self._similar(heading)
        if place is None:
            return None
        self._open.difference_update((place, *self.entries[place].above))
        self._next = place + 1
        return self.entries[place]

    def _exact(self, heading: Numbered | None, text: str) -> int | None:
        keys = [(heading.level, squeezed(heading.title)), (0, squeezed(heading.title))] if heading else []
        for key in (*keys, (0, squeezed(text))):
            places = self._places.get(key, deque())
            while places and places[0] not in self._open:
                places.popleft()
            if places:
                return places[0]
        return None

    def _similar(self, heading: Numbered) -> int | None:
        """Find an entry close ahead with the same number and nearly the same words."""
        for place in range(self._next, min(self._next + _NEARBY, len(self.entries))):
            entry = self.entries[place]
            if place not in self._open:
                continue
            if (entry.level, entry.number) == (heading.level, heading.number):
                likeness = SequenceMatcher(None, squeezed(entry.title), squeezed(heading.title), autojunk=False)
                if likeness.quick_ratio() >= _ALIKE and likeness.ratio() >= _ALIKE:
                    return place
        return None

    def _read(self, lines: Sequence[str]) -> None:
        rows = [(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip()]
        announced = next((at for at, row in enumerate(rows) if squeezed(row[1]) in _ANNOUNCED), None)
        if announced is None:
            starts = (at for at, row in enumerate(rows) if numbered(row[1]) and _paged(row[1], False))
            found = _paged_entries(rows[next(starts, len(rows)) :], False)
        else:
            rest = rows[announced + 1 :]
            found = _paged_entries(rest, True) or _bare_entries(rest)
        if len(found) < _FEWEST_ENTRIES:
            return
        if announced is not None:
            self.lines.add(rows[announced][0])
        self._keep(found)

    def _keep(self, found: Sequence[Found]) -> None:
        around: dict[int, int] = {}
        for line_numbers, heading in found:
            self.lines.update(line_numbers)
            if heading:
                around = {level: place for level, place in around.items() if level < heading.level}
                above = tuple(around.values())
                path = tuple(self.entries[place].title for place in above)
                around[heading.level] = len(self.entries)
                self.entries.append(Entry(heading.level, heading.number, heading.title, path, above, line_numbers[0]))


def _paged_entries(rows: Sequence[Row], announced: bool) -> list[Found]:
    """Lines of a table with page numbers; an entry without a number (a preface) has no heading."""
    found: list[Found] = []
    at = stray = 0
    while at < len(rows) and stray <= _MOST_STRAY_LINES:
        taken = 1
        title = _paged(rows[at][1], announced)
        if title is None and numbered(rows[at][1]):
            tail = _wrapped_tail(rows, at + 1)
            if tail is None:
                break
            title, taken = f"{rows[at][1]} {tail}", 2
        if title is None:
            stray += 1
        else:
            found.append(([number for number, _ in rows[at : at + taken]], numbered(title)))
            stray = 0
        at += taken
    return found


def _wrapped_tail(rows: Sequence[Row], at: int) -> str | None:
    """Read the second line of an entry that was too long for one."""
    return None if at >= len(rows) or numbered(rows[at][1]) else _paged(rows[at][1], False)


def _bare_entries(rows: Sequence[Row]) -> list[Found]:
    """Lines of a table without page numbers; it ends where its first heading comes again."""
    found: list[Found] = []
    for number, text in rows:
        heading = numbered(text)
        if not heading or (found and found[0][1] and squeezed(found[0][1].title) == squeezed(heading.title)):
            break
        found.append(([number], heading))
    return found
