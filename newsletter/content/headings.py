"""Telling a report's true headings from lines that only begin like one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from newsletter.content.contents_page import TITLE, Contents, Entry, Numbered, Row, numbered
from newsletter.content.paragraphs import breaks_off, columns, ends_sentence

TAG_LINE = re.compile(r"(?:标\s*签|[Tt]ags)\s*[:：](.*)")
_DECIMAL = re.compile(r"\d+[.．]\d+\s*[%％]")
_WIDEST_TITLE_COLUMNS = 120


@dataclass(frozen=True, slots=True)
class Heading:
    """A true heading: its level, its words as the text has them, the rows it takes, and its entry in the table."""

    level: int
    title: str
    rows: int = 1
    entry: Entry | None = None


def find_headings(rows: Sequence[Row], contents: Contents) -> dict[int, Heading]:
    """Find the true headings, by the index of their row.

    A line is one when the table of contents has it, when a 标签 line stands below it, or, in a report without a table,
    when its number is the next. A section's heading that the table lacks is known by the true heading below it.
    """
    search = _Search(rows, contents)
    search.forwards()
    search.backwards()
    return search.found


class _Search:
    def __init__(self, rows: Sequence[Row], contents: Contents) -> None:
        self._rows = rows
        self._contents = contents
        self._numbered = [numbered(text) for _, text in rows]
        self._last = 0
        self.found: dict[int, Heading] = {}

    def forwards(self) -> None:
        """Find what the table of contents, the 标签 lines and the numbers tell."""
        at = 0
        while at < len(self._rows):
            heading = self._listed(at) or self._tagged(at) or self._counted(at)
            if heading:
                self.found[at] = heading
            here = self._numbered[at]
            if here and (here.level != TITLE or heading):
                self._last = int(here.number) if here.level == TITLE else 0
            at += heading.rows if heading else 1

    def backwards(self) -> None:
        """Find the headings of sections that stand right above a true heading of their own or a deeper level."""
        for at in range(len(self._rows) - 2, -1, -1):
            here, below = self._numbered[at], self.found.get(at + 1)
            if at not in self.found and here and here.level < TITLE and below and below.level >= here.level:
                self.found[at] = Heading(here.level, here.title)

    def _text(self, at: int) -> str:
        return self._rows[at][1] if at < len(self._rows) else ""

    def _is_tags(self, at: int) -> bool:
        return bool(TAG_LINE.match(self._text(at)))

    def _wraps(self, at: int) -> bool:
        """Whether the words of this numbered row may go on in the next."""
        below = at + 1
        return (
            self._numbered[at] is not None
            and below < len(self._rows)
            and self._rows[below][0] == self._rows[at][0] + 1
            and self._numbered[below] is None
            and not self._is_tags(below)
        )

    def _listed(self, at: int) -> Heading | None:
        """Take a heading that stands in the table of contents, on one line or on two."""
        text = self._text(at)
        if entry := self._contents.meet(text):
            return _from_entry(entry, self._numbered[at], text, 1)
        if self._wraps(at):
            whole = f"{text} {self._text(at + 1)}"
            if entry := self._contents.meet(whole):
                return _from_entry(entry, numbered(whole), whole, 2)
        return None

    def _tagged(self, at: int) -> Heading | None:
        """Take a title with a 标签 line below it."""
        text, heading = self._text(at), self._numbered[at]
        if self._is_tags(at) or _too_wide(text) or (heading and heading.level != TITLE):
            return None
        words = heading.title if heading else text
        if self._is_tags(at + 1):
            plausible = heading or not (ends_sentence(text) or at - 1 in self.found)
            return Heading(TITLE, words) if plausible else None
        if heading and self._wraps(at) and self._is_tags(at + 2):
            return Heading(TITLE, f"{words} {self._text(at + 1)}", rows=2)
        return None

    def _counted(self, at: int) -> Heading | None:
        """Without a table of contents: a title whose number is the next and that stands between whole sentences."""
        text, heading = self._text(at), self._numbered[at]
        if self._contents or not heading or heading.level != TITLE or int(heading.number) != self._last + 1:
            return None
        above, below = (self._numbered[near] if 0 <= near < len(self._rows) else None for near in (at - 1, at + 1))
        starts = at == 0 or at - 1 in self.found or above is not None or not breaks_off(self._text(at - 1))
        looks = not ends_sentence(text) and not _too_wide(text) and not _DECIMAL.match(text)
        in_list = any(near and near.level == TITLE for near in (above, below))
        return Heading(TITLE, heading.title) if starts and looks and not in_list else None


def _from_entry(entry: Entry, heading: Numbered | None, text: str, rows: int) -> Heading:
    return Heading(entry.level, heading.title if heading else text, rows, entry)


def _too_wide(text: str) -> bool:
    return len(text) > _WIDEST_TITLE_COLUMNS or columns(text) > _WIDEST_TITLE_COLUMNS
