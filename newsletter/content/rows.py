"""What each line of a daily digest is by its look alone: heading, bold line, list item, labelled line, text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from newsletter.content.fields import Labelled, match_label
from newsletter.content.inline import spans
from newsletter.content.lines import in_fences, loosened
from newsletter.content.spans import Strong

_HEADING = re.compile(r"[ \t]{0,3}(#{1,6})(?:[ \t]+|$)")
_CLOSING = re.compile(r"[ \t]+#+$")
_ITEM = re.compile(r"([-*+]|\d{1,9}[.)])(?:[ \t]+|$)")
_STYLED = re.compile(r"<(?:span|font|h[1-6]|div|p|center|b|strong)\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_RULE = re.compile(r"[ \t]*(?:-[ \t]*){3,}$|[ \t]*(?:\*[ \t]*){3,}$|[ \t]*(?:_[ \t]*){3,}$")
_KEPT_ROWS = 8_192
_MOST_KEPT_CHARACTERS = 1_000
_BOLD_ENDS = ("**", "__", "**：", "**:", "__：", "__:")


class Look(StrEnum):
    """The kinds of lines."""

    BLANK = "blank"
    HEADING = "heading"
    STYLED = "styled"
    BOLD = "bold"
    ITEM = "item"
    LABEL = "label"
    TEXT = "text"
    CODE = "code"
    RULE = "rule"


@dataclass(frozen=True, slots=True)
class Row:
    """A line by its look.

    `text` is what stands behind its mark; `raw` the line itself; `level` the hashes of a heading; `mark` the kind of an
    item's list (`-` or `1`), `bold` whether an item's text is bold altogether.
    """

    number: int
    look: Look
    raw: str
    text: str
    indent: int = 0
    level: int = 0
    mark: str = ""
    bold: bool = False
    label: Labelled | None = None

    @property
    def list_key(self) -> tuple[str, int]:
        """What the items of one list share: kind of mark and indentation."""
        return self.mark, self.indent


def without_style(text: str) -> str:
    """The text in a line that begins with an HTML tag for looks (`<span style=…>`), closed or not; else empty."""
    return _TAG.sub("", text).strip().lstrip("#＃ ") if _STYLED.match(text.strip()) else ""


def is_bold(text: str) -> bool:
    """Whether a line is bold altogether, a colon at its end aside."""
    if not text.startswith(("**", "__")) or not text.endswith(_BOLD_ENDS):
        return False
    found = spans(text.rstrip("：: "))
    return len(found) == 1 and isinstance(found[0], Strong)


def _row(number: int, raw: str, fenced: bool) -> Row:
    """A line as a row; a short one is remembered: it is looked at twice, and an editor changes one at a time."""
    return _row_once(number, raw, fenced) if len(raw) <= _MOST_KEPT_CHARACTERS else _row_anew(number, raw, fenced)


@lru_cache(maxsize=_KEPT_ROWS)
def _row_once(number: int, raw: str, fenced: bool) -> Row:
    return _row_anew(number, raw, fenced)


def _row_anew(number: int, raw: str, fenced: bool) -> Row:
    line = raw.expandtabs(4)
    text = line.strip()
    indent = len(line) - len(line.lstrip())
    if fenced:
        return Row(number, Look.CODE, raw, text, indent)
    if not text:
        return Row(number, Look.BLANK, raw, "")
    if _RULE.match(line):
        return Row(number, Look.RULE, raw, text, indent)
    if found := _HEADING.match(line):
        inner = _CLOSING.sub("", line[found.end() :].strip())
        return Row(number, Look.HEADING, raw, without_style(inner) or inner, level=len(found.group(1)))
    if styled := without_style(text):
        return Row(number, Look.STYLED, raw, styled, indent, level=1)
    if label := match_label(text):
        return Row(number, Look.LABEL, raw, text, indent, label=label)
    if found := _ITEM.match(text):
        inner = text[found.end() :].strip()
        mark = "1" if found.group(1)[0].isdigit() else "-"
        return Row(number, Look.ITEM, raw, inner, indent, 0, mark, is_bold(inner), match_label(inner))
    return Row(number, Look.BOLD if is_bold(text) else Look.TEXT, raw, text, indent)


def read_rows(lines: Sequence[str]) -> list[Row]:
    """Every line as a row; blank lines too, so that the list's index is the line's number less one."""
    loose = loosened(lines)
    return [_row(n, line, fenced) for n, (line, fenced) in enumerate(zip(loose, in_fences(loose), strict=True), 1)]
