"""Which characters may stand in an address, a name or a keyword, and how a refused text is shown."""

import unicodedata

_UNWRITABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories that break lines, headers or encodings: controls, surrogates, line and paragraph separators."""


def unwritable(text: str) -> bool:
    """Whether a text has a character that could break a line, a header or an encoding."""
    return not text.isprintable() and any(unicodedata.category(character) in _UNWRITABLE for character in text)


def shown(text: str) -> str:
    """Cut a refused text to 80 characters that are safe on a terminal and in a report."""
    cut = text if len(text) <= 80 else text[:79] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut)
