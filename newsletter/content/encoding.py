"""Bytes of a text file to characters: UTF-8, UTF-16 with or without a byte order mark, GB18030."""

import codecs
import unicodedata
from collections.abc import Iterator

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins like UTF-16's mark, so it is tried first
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE_CHARACTERS = 20_000
_PLAIN_CONTROLS = frozenset("\t\n\r\x0b\x0c\x85\u2028\u2029\u3000 ")
_NO_PLAIN_CONTROLS = dict.fromkeys(map(ord, _PLAIN_CONTROLS))
# A text may hold a stray control character; a picture or an archive holds many.
_MOST_STRANGE = 0.02
_LEAST_EXPECTED = 0.7


def decode(data: bytes) -> str | None:
    """The text in these bytes, or None when they are not text in an encoding we know."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return _checked(data, name)
    if b"\x00" not in data and (text := _checked(data, "utf-8")) is not None:
        return text
    if b"\x00" in data:
        return _best(data, ("utf-16-le", "utf-16-be")) or _checked(data, "utf-8")
    return _best(data, ("gb18030", "utf-16-le", "utf-16-be"))


def _decoded(data: bytes, name: str) -> str | None:
    try:
        return data.decode(name)
    except UnicodeDecodeError:
        return None


def _sample(text: str) -> str:
    return text[:_SAMPLE_CHARACTERS]


def _strange(text: str) -> float:
    """The share of characters that no text has: controls, private use, unassigned."""
    sample = _sample(text)
    if sample.translate(_NO_PLAIN_CONTROLS).isprintable():  # as nearly every text is; looking at each letter takes long
        return 0.0
    odd = sum(c not in _PLAIN_CONTROLS and unicodedata.category(c) in ("Cc", "Cn", "Co", "Cs") for c in sample)
    return odd / max(1, len(sample))


def _expected(text: str) -> float:
    """The share of characters that a Chinese or English text is made of."""
    sample = _sample(text)
    return sum(
        c.isascii() or "\u4e00" <= c <= "\u9fff" or "\u2010" <= c <= "\u303f" or c >= "\uff00" for c in sample
    ) / max(1, len(sample))


def _checked(data: bytes, name: str) -> str | None:
    text = _decoded(data, name)
    return text if text is not None and _strange(text) <= _MOST_STRANGE else None


def _candidates(data: bytes, names: tuple[str, ...]) -> Iterator[tuple[float, str]]:
    for name in names:
        text = _decoded(data, name)
        if text is not None and _strange(text) == 0 and _expected(text) >= _LEAST_EXPECTED:
            yield _expected(text), text


def _best(data: bytes, names: tuple[str, ...]) -> str | None:
    """The most plausible reading of bytes that say nothing about their encoding; of equal ones the first."""
    return max(_candidates(data, names), key=lambda found: found[0], default=(0.0, None))[1]
