"""Header lines of RFC 5322, written by hand.

The standard library's message classes turn a long `List-Unsubscribe` into an encoded word, which no receiver reads as
an address, so nothing of it is used to write headers. A value that could break out of its line is refused.
"""

import re
from binascii import b2a_base64
from datetime import datetime
from functools import lru_cache

_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")  # atoms of RFC 5322 section 3.2.3 and blanks between them
_QUOTABLE = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/"  # RFC 2047 section 5 (3)
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LINE = 78
_LINE_LIMIT = 998
_WORD_LINE = 76  # a line with an encoded word (RFC 2047 section 2)
_WORD = 75
_WRAPPING = len("=?utf-8?q??=")


class MessageRefused(ValueError):
    """A message that may not be made; the message says which value is wrong and why."""


def safe(name: str, value: str) -> str:
    """A value that stays on its line; raises MessageRefused naming the header when it holds a control character."""
    if found := _UNSAFE.search(value):
        raise MessageRefused(f"{name} holds the control character U+{ord(found[0]):04X}: {value!r}")
    return value


def header(name: str, value: str) -> str:
    """One header of plain ASCII with its CRLF; `value` may hold folds of its own (`CRLF` and a blank)."""
    line = f"{name}: {value}\r\n"
    if not line.isascii():
        raise MessageRefused(f"{name} holds characters outside ASCII: {value!r}")
    if len(line) > _LINE_LIMIT and any(len(part) > _LINE_LIMIT for part in line.split("\r\n")):
        raise MessageRefused(f"{name} is longer than the {_LINE_LIMIT} characters that RFC 5322 section 2.1.1 allows")
    return line


def text_header(name: str, text: str) -> str:
    """An unstructured header such as Subject: as it is when ASCII, else in encoded words; folded."""
    safe(name, text)
    return header(name, folded(text, len(name) + 2) if _is_plain(text) else encoded(text, len(name) + 2))


def date_header(date: datetime) -> str:
    """The Date header (RFC 5322 section 3.3) in the zone of `date`; raises MessageRefused when it has none."""
    offset = date.utcoffset()
    if offset is None:
        raise MessageRefused(f"the date of the message has no zone: {date.isoformat()}")
    # by wall clock and offset, because equal moments of two zones are written differently
    return _date_line(date.replace(tzinfo=None), offset.days * 1440 + offset.seconds // 60)


@lru_cache(maxsize=64)
def _date_line(date: datetime, minutes: int) -> str:
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    day = f"{_DAYS[date.weekday()]}, {date.day:02} {_MONTHS[date.month - 1]} {date.year:04}"
    return f"Date: {day} {date.hour:02}:{date.minute:02}:{date.second:02} {sign}{hours:02}{rest:02}\r\n"


def mailbox_header(name: str, display: str, address: str) -> str:
    """A header with one mailbox: display name (may be empty) and address (RFC 5322 section 3.4)."""
    safe(name, display)
    if not display:
        return header(name, f"<{address}>")
    phrase = _phrase(display, len(name) + 2)
    last = len(f"{name}: {phrase}".rpartition("\n")[2])
    limit = _WORD_LINE if "=?" in phrase else _LINE
    fold = "\r\n " if last + len(address) + 3 > limit else " "
    return header(name, f"{phrase}{fold}<{address}>")


def _phrase(display: str, used: int) -> str:
    if not _is_plain(display):
        return encoded(display, used)
    if _PHRASE.fullmatch(display):
        return folded(display, used)
    quoted = display.replace("\\", "\\\\").replace('"', '\\"')
    return folded(f'"{quoted}"', used)


def _is_plain(text: str) -> bool:
    """Whether text can stand unencoded: ASCII, nothing in it looks encoded, and it has blanks to fold at."""
    return text.isascii() and "=?" not in text and max(map(len, text.split(" "))) < _LINE - 8


def folded(text: str, used: int) -> str:
    """ASCII text with line breaks before blanks, so that lines stay within 78; `used` columns are taken already."""
    if used + len(text) <= _LINE:
        return text
    lines, line = [], ""
    for number, word in enumerate(text.split(" ")):
        piece = f" {word}" if number else word
        if line.strip() and used + len(line) + len(piece) > _LINE:
            lines.append(line)
            line, used = "", 0
        line += piece
    return "\r\n".join([*lines, line])


def encoded(text: str, used: int) -> str:
    """Encoded words of RFC 2047, B or Q by size, split between characters, a line for each after the first."""
    data = text.encode()
    base64_size, quoted_size = 4 * -(-len(data) // 3), _quoted_size(data)
    base64 = base64_size < quoted_size
    room = min(_WORD, _WORD_LINE - used) - _WRAPPING
    if min(base64_size, quoted_size) <= room:
        return _word(data, base64)
    words: list[str] = []
    word, size = b"", 0
    for character in (letter.encode() for letter in text):
        cost = len(character) if base64 else _quoted_size(character)
        if size + cost > (room // 4 * 3 if base64 else room):
            words.append(_word(word, base64))
            word, size, room = b"", 0, _WORD - _WRAPPING
        word += character
        size += cost
    return "\r\n ".join([*words, _word(word, base64)])


def _quoted_size(data: bytes) -> int:
    return len(data) + 2 * len(data.translate(None, _QUOTABLE + b" "))


def _word(data: bytes, base64: bool) -> str:
    if base64:
        return f"=?utf-8?b?{b2a_base64(data, newline=False).decode()}?="
    shown = "".join(chr(byte) if byte in _QUOTABLE else "_" if byte == 0x20 else f"={byte:02X}" for byte in data)
    return f"=?utf-8?q?{shown}?="
