"""Transfer encodings of RFC 2045 section 6, in pieces that can be joined.

Base64 pieces join when every piece but the last is a multiple of 57 bytes, which fill a line of 76 characters.
Quoted-printable pieces join when they end in a soft line break. No encoded line begins with a dot, so nothing on the
way has to double one (RFC 5321 section 4.5.2).
"""

import re
from binascii import a2b_base64, a2b_qp, b2a_base64, b2a_qp
from enum import StrEnum
from struct import unpack_from

LINE_BYTES = 57
"""What one line of base64 holds: 57 bytes are 76 characters (RFC 2045 section 6.8)."""

_LINE = 76
_ASCII = bytes(range(128))
_TOO_LONG_OR_DOT = re.compile(r"^(?:\.|[^\n]{79})", re.MULTILINE)


class Encoding(StrEnum):
    """Values of Content-Transfer-Encoding."""

    SEVEN_BIT = "7bit"
    BASE64 = "base64"
    QUOTED = "quoted-printable"


def wire(text: str) -> bytes:
    """UTF-8 with CRLF line ends, the canonical form of text (RFC 2046 section 4.1.1)."""
    return text.replace("\n", "\r\n").encode()


def decoded(encoding: Encoding, lines: bytes, rest: bytes = b"") -> str:
    """The text that was encoded, with `rest` behind it that was not; its line ends are LF."""
    data = a2b_base64(lines) if encoding is Encoding.BASE64 else a2b_qp(lines)
    return (data + rest).decode().replace("\r\n", "\n")


def padded(html: str) -> str:
    """HTML with blanks behind it, up to a whole number of base64 lines."""
    return html + " " * (-len(wire(html)) % LINE_BYTES)


def padded_wire(html: str) -> bytes:
    """The same in its canonical form."""
    data = wire(html)
    return data + b" " * (-len(data) % LINE_BYTES)


def is_seven_bit(text: str) -> bool:
    """Whether text can go as it is: ASCII, lines of at most 78 characters (RFC 5322 section 2.1.1), none with a dot."""
    return text.isascii() and _TOO_LONG_OR_DOT.search(text) is None


def base64_lines(data: bytes) -> bytes:
    """Base64 in lines of 76 characters, each with its CRLF."""
    encoded = b2a_base64(data, newline=False)
    whole = len(encoded) // _LINE
    lines = [*unpack_from(f"{_LINE}s" * whole, encoded)]  # half the time of slicing the lines out one by one
    if rest := encoded[whole * _LINE :]:
        lines.append(rest)
    return b"\r\n".join([*lines, b""])


def quoted_lines(data: bytes, open_end: bool = False) -> bytes:
    """Quoted-printable in lines of at most 76 characters; with `open_end` it ends in a soft line break."""
    quoted = b"\r\n".join([_quoted_line(line) for line in data.split(b"\r\n")])
    return quoted + b"=\r\n" if open_end and data else quoted


def _quoted_line(line: bytes) -> bytes:
    """One line, broken softly where it is too long; one column of its last line stays free for a soft break."""
    quoted = b2a_qp(line)
    last = len(quoted) - quoted.rfind(b"\n") - 1
    if last >= _LINE or quoted.startswith(b".") or b"\n." in quoted:
        quoted = _broken_anew(quoted.replace(b"=\n", b""))
    return quoted.replace(b"\n", b"\r\n")


def _broken_anew(quoted: bytes) -> bytes:
    """Break an escaped line softly, with the dot escaped where one begins a line."""
    lines: list[bytes] = []
    while True:
        if quoted.startswith(b"."):
            quoted = b"=2E" + quoted[1:]
        if len(quoted) < _LINE:
            return b"=\n".join([*lines, quoted])
        end = _LINE - 1
        if b"=" in quoted[end - 2 : end]:  # never inside an escape
            end = quoted.rindex(b"=", 0, end)
        lines.append(quoted[:end])
        quoted = quoted[end:]


def smaller(quoted_bytes: int, base64_bytes: int) -> Encoding:
    """The encoding that makes less of a part; quoted-printable when they tie, as a person can read it."""
    return Encoding.BASE64 if base64_bytes < quoted_bytes else Encoding.QUOTED


def quoted_size(data: bytes) -> int:
    """About how many bytes quoted-printable makes of UTF-8 text, without making them."""
    beyond_ascii = len(data.translate(None, _ASCII))
    escaped = len(data) + 2 * beyond_ascii + 2 * data.count(b"=")
    return escaped + 3 * (escaped // (_LINE - 1))
