"""How wide a text is shown, and texts cut to what there is room for."""

import re
import unicodedata

_TRAILING = " ,;:·–—，；：、（(“‘「『《"
_NO_WIDTH = ("Mn", "Me", "Cf")  # marks upon a character, variation selectors, joiners
_JOINER = "\u200d"
_JOINS = re.compile("[\u200d\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")  # joiner, colours of skin, tags of a flag
_FLAG_LETTERS = re.compile("[\U0001f1e6-\U0001f1ff]+\\Z")


def columns(text: str) -> int:
    """How wide a text is shown: wide and full-width characters take two columns (UAX 11), combining marks none."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.category(sign) in _NO_WIDTH else 1 + is_wide(sign) for sign in text)


def is_wide(character: str) -> bool:
    """Whether a character takes two columns, as Chinese ones do (UAX 11)."""
    return unicodedata.east_asian_width(character) in "WF"


def cut_to_columns(text: str, most: int) -> str:
    """A text of at most `most` columns; what was cut is an ellipsis, after a whole word where there are words."""
    if columns(text) <= most:
        return text
    kept = text[: most - 1]
    while columns(kept) > most - 1:
        kept = kept[:-1]
    return _ended(text, kept)


def cut_to_characters(text: str, most: int) -> str:
    """The same for at most `most` characters."""
    return text if len(text) <= most else _ended(text, text[: most - 1])


def whole_characters(text: str, end: int) -> int:
    """The last place up to `end` where a text may be parted without taking what is shown as one character apart.

    Those are marks upon a letter, emoji joined to one, and flags, which are pairs of letters: the rules GB9, GB11 and
    GB12 of UAX 29.
    """
    while 0 < end < len(text) and _joined(text, end):
        end -= 1
    return end


def _joined(text: str, place: int) -> bool:
    """Whether the characters before and behind a place in a text are shown as one."""
    before, behind = text[place - 1], text[place]
    if before == _JOINER or _JOINS.match(behind) or unicodedata.category(behind).startswith("M"):
        return True
    letters = _FLAG_LETTERS.search(text, 0, place)
    return bool(letters and _FLAG_LETTERS.match(behind) and len(letters[0]) % 2)


def _ended(text: str, kept: str) -> str:
    """What was kept of a text, without half a word at its end unless that is all there is, and an ellipsis."""
    whole = end = whole_characters(text, len(kept)) or len(kept)
    while end and _in_word(text[end]) and _in_word(text[before := whole_characters(text, end - 1)]):
        end = before
    return (text[:end].rstrip(_TRAILING) or text[:whole].rstrip(_TRAILING)) + "…"


def _in_word(character: str) -> bool:
    """Whether a text is not cut at a character: Chinese, which is wide, may be parted anywhere."""
    return (character.isalnum() or character in "'’-.") and not is_wide(character)
