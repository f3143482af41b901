"""The words by which a text is found again: neither database can tell where a Chinese word ends, so we make them.

A run of Chinese characters is kept as its characters and its overlapping pairs: 融资轮 as 融, 资, 轮, 融资, 资轮. The
characters alone are there for who looks for one: asking for all pairs that begin with it takes many times as long in
an archive of ten thousand stories. Anything else is a word from blank to blank, as it stands. A longer Chinese word is
asked for by all its pairs: what holds them all nearly always holds them in a row, and a text of any length is found,
however few positions an index can count.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import accumulate

WORD_CHARACTERS = 40
"""What a word keeps of its beginning; longer ones are addresses and noise."""
MOST_BYTES = 500_000
"""Of the different words of one story, in UTF-8: a book has fewer, and PostgreSQL takes a megabyte in one row."""
_MOST_WANTED = 32
"""Different words that one search looks for; a person types two or three, and more of them find no less."""


_RUNS = "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
_PIECE = re.compile(rf"(?P<run>(?:(?=\w)[{_RUNS}])+)|(?:(?![{_RUNS}_])\w)+")
_ACCENTS = dict.fromkeys(range(0x300, 0x370))
"""Combining marks of Latin, Greek and Cyrillic letters: a person who types cafe means café too."""


def words(text: str) -> tuple[str, ...]:
    """The different words of a text to be found, in the order in which they first stand; letters and digits only."""
    different = dict.fromkeys(word for piece in _pieces(text) for word in (*_pairs(piece), *_characters(piece)))
    sizes = accumulate(len(word.encode()) for word in different)
    return tuple(word for word, size in zip(different, sizes, strict=True) if size <= MOST_BYTES)


def wanted(text: str) -> tuple[str, ...]:
    """The words that a text must have to be what somebody looks for."""
    return tuple(dict.fromkeys(word for piece in _pieces(text) for word in _pairs(piece)))[:_MOST_WANTED]


def _pieces(text: str) -> Iterator[re.Match[str]]:
    return _PIECE.finditer(_folded(text))


def _pairs(piece: re.Match[str]) -> tuple[str, ...]:
    """The overlapping pairs of a run of Chinese characters; what has none, being one or no Chinese, as it is."""
    found = piece[0]
    if not piece["run"]:
        return (found[:WORD_CHARACTERS],)
    return tuple(found[start : start + 2] for start in range(max(len(found) - 1, 1)))


def _characters(piece: re.Match[str]) -> str:
    """The characters of a run of Chinese ones."""
    return piece["run"] or ""


def _folded(text: str) -> str:
    """The text without the differences of width, case and accent that no reader thinks of."""
    bare = unicodedata.normalize("NFKD", text).translate(_ACCENTS)
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", bare).casefold())
