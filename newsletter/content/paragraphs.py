"""Paragraphs that a page end or a line end broke in the middle of a sentence, put together again."""

import re
import unicodedata
from collections.abc import Iterable

from newsletter.content.inline import CJK

# A page of running text is at least thirty Han characters wide, so a shorter line ended because its author ended it.
_FULL_LINE_COLUMNS = 60
_CLOSERS = "”’」』）)》〉】]\"' "
_ENDS = tuple("。！？!?…；;：:.")
_GOES_ON = tuple("，、,（(《“‘「『—－-/和与及的")
_HAN_NUMBER = "[一二三四五六七八九十]{1,3}"
_HAN = "[一二三四五六七八九十]{1,3}"
_LIST_MARK = re.compile(rf"[•●◆■▪·①-⑳]|[-–—]\s|[（(](?:{_HAN}|\d{{1,3}})[)）]|第{_HAN}[，,、：:]")
_TIGHT = re.compile(f"[{CJK}“”‘’—…]")


def columns(text: str) -> int:
    """Measure a text in columns: full-width characters count two (Unicode Standard Annex 11)."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def ends_sentence(text: str) -> bool:
    """Whether a text closes with a sentence's end, quotes and brackets behind it set aside."""
    return text.rstrip(_CLOSERS).endswith(_ENDS)


def breaks_off(text: str) -> bool:
    """Whether a line stops in the middle of a sentence: at a comma, or as wide as a page without a sentence's end."""
    wide = len(text) >= _FULL_LINE_COLUMNS or columns(text) >= _FULL_LINE_COLUMNS
    return not ends_sentence(text) and (wide or text.endswith(_GOES_ON))


def join_broken(fragments: Iterable[str]) -> tuple[str, ...]:
    """Make whole paragraphs of the pieces that stood on lines of their own.

    A piece that breaks off goes on in the next one, unless that begins like an item of a list. Between two CJK
    characters the pieces meet without a blank, elsewhere with one.
    """
    whole: list[list[str]] = []
    last = ""
    for fragment in fragments:
        if whole and breaks_off(last) and not _LIST_MARK.match(fragment):
            whole[-1].append(_seam(last, fragment) + fragment)
        else:
            whole.append([fragment])
        last = fragment
    return tuple("".join(pieces) for pieces in whole)


def _seam(before: str, after: str) -> str:
    tight = _TIGHT.match(before[-1:]) and _TIGHT.match(after)
    return "" if tight else " "
