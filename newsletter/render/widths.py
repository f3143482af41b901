"""How wide a text is shown, and texts cut to what there is room for."""

import unicodedata

_TRAILING = " ,;:·–—，；：、（(“‘「『《"


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
    return _ended(text, kept)


def cut_to_characters(text: str, most: int) -> str:
    """The same for at most `most` characters."""
    return text if len(text) <= most else _ended(text, text[: most - 1])


def _ended(text: str, kept: str) -> str:
    """What was kept of a text, without half a word at its end unless that is all there is, and an ellipsis."""
    end = len(kept)
    while end and _in_word(text[end - 1]) and _in_word(text[end]):
        end -= 1
    return (kept[:end].rstrip(_TRAILING) or kept.rstrip(_TRAILING)) + "…"


def _in_word(character: str) -> bool:
    """Whether a text is not cut at a character: Chinese, which is wide, may be parted anywhere."""
    return (character.isalnum() or character in "'’-.") and columns(character) == 1
