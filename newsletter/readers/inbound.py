"""Leaving by mail: one message, as a mail server hands it over, in which somebody asks to be written to no more.

What counts is a token of ours, for who signed it is known: From can be anybody's and is not looked at. It is looked for
in the Subject, where the mailto of our List-Unsubscribe puts it (RFC 2369 section 3.2), then in the recipient's
sub-address (`leave+TOKEN@`), then alone or behind one word on one of the first lines of the text.

Of automatic mail (RFC 3834) the Subject alone counts: some mail services write such a mail for their user and say so,
but a bounce or an absence notice quotes our own header, with a token that works, in its body, and must never
unsubscribe anybody.
"""

import base64
import quopri
import re
from email.errors import HeaderParseError
from email.header import decode_header
from enum import StrEnum

from newsletter.app import Newsletter
from newsletter.readers.leaving import MAIL, leave
from subscribers.tokens import Purpose

MOST_BYTES = 10_000_000
"""No more of a message is read: what we look for is at its beginning."""
_HEAD_BYTES = 1_000_000
_VALUE_BYTES = 5_000
_BODY_BYTES = 50_000
_LINES = 10
"""Somebody who writes to us begins with what they want; what stands below is quoted."""
_DEPTH = 8
"""Parts within parts; a mail program nests a text three deep."""

_TOKEN = re.compile(rb"(?<![\w-])[\w-]{27,58}(?![\w-])")  # of any subject that `subscribers.tokens` signs
_SUB_ADDRESS = re.compile(rb"\+([\w-]{27,58})@")
_LINE = re.compile(rb"\s*(?:[^\s>|]+\s+)?([\w-]{27,58})\s*")
_NULL_PATH = re.compile(rb"\s*(?:<\s*(?:mailer-daemon(?:@[^>]*)?)?\s*>)?\s*", re.IGNORECASE)  # Postfix's pipe names it
_BLANK_LINE = re.compile(rb"\r?\n\r?\n|\A\r?\n")
_FOLD = re.compile(rb"\r?\n(?=[ \t])")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")
_BOUNDARY = re.compile(rb"boundary\s*=\s*(?:\"([^\"]{1,70})\"|([^\s;\"]{1,70}))", re.IGNORECASE)  # RFC 2046 §5.1.1

_Head = dict[bytes, bytes]


class Answer(StrEnum):
    """What became of a message; none of them names anybody."""

    DONE = "unsubscribed"
    NOBODY = "nothing done: no reader's unsubscribe link is in it"
    AUTOMATIC = "nothing done: automatic mail without an unsubscribe link in its subject"


def receive(newsletter: Newsletter, message: bytes) -> Answer:
    """Unsubscribe whom a message's token names; repeating it changes nothing, and no message does any harm."""
    head, body = _parted(message)
    automatic = is_automatic(head)
    found = _in_subject(head)
    if not automatic:
        found += _in_recipients(head) + _in_text(head, body)
    for token in dict.fromkeys(name.decode("ascii") for name in found):
        # the signature first: nobody waits for the database because of a word that only looks like a token
        if newsletter.tokens.read(Purpose.UNSUBSCRIBE, token) and leave(newsletter, token, MAIL):
            return Answer.DONE
    return Answer.AUTOMATIC if automatic else Answer.NOBODY


def is_automatic(head: _Head) -> bool:
    """Whether no person wrote it (RFC 3834 section 2): it says so, nobody waits for an answer, or it is a report."""
    submitted = head.get(b"auto-submitted", b"no").split(b";")[0].split(b"(")[0].strip().lower()
    precedence = head.get(b"precedence", b"").strip().lower()
    return (
        submitted not in (b"", b"no")
        or precedence in (b"bulk", b"junk")
        or _NULL_PATH.fullmatch(head.get(b"return-path", b"?")) is not None
        or head.get(b"content-type", b"").strip().lower().startswith(b"multipart/report")
    )


def _in_subject(head: _Head) -> list[bytes]:
    return _TOKEN.findall(_decoded(head.get(b"subject", b"")))


def _in_recipients(head: _Head) -> list[bytes]:
    """From the fields that a mail server adds on delivery, and from what the writer put in."""
    return [
        token
        for name in (b"delivered-to", b"x-original-to", b"to")
        for token in _SUB_ADDRESS.findall(head.get(name, b""))
    ]


def _in_text(head: _Head, body: bytes) -> list[bytes]:
    lines = _text(head, body).splitlines()[:_LINES]
    return [found[1] for line in lines if (found := _LINE.fullmatch(line))]


def _parted(raw: bytes) -> tuple[_Head, bytes]:
    """The header fields by their name in lower case, the first of each, and what begins the body."""
    blank = _BLANK_LINE.search(raw)
    end, begin = blank.span() if blank else (len(raw), len(raw))
    head: _Head = {}
    for line in _FOLD.sub(b"", raw[: min(end, _HEAD_BYTES)]).splitlines():
        name, colon, value = line.partition(b":")
        if colon:
            head.setdefault(name.rstrip().lower(), value[:_VALUE_BYTES])
    return head, raw[begin : begin + _BODY_BYTES]


def _decoded(value: bytes) -> bytes:
    """A header's text with its encoded words read (RFC 2047); tokens are ASCII, so no character set matters."""
    text = value.decode("latin-1").strip()
    try:
        parts = decode_header(text)
    except HeaderParseError:
        return value
    return b"".join(part if isinstance(part, bytes) else part.encode("latin-1") for part, _ in parts)


def _text(head: _Head, body: bytes) -> bytes:
    """The first part that is plain text, decoded; nothing where there is none."""
    for _ in range(_DEPTH):
        kind = head.get(b"content-type", b"text/plain").strip().lower()
        if not kind.startswith(b"multipart/"):
            return _transferred(head, body) if kind.startswith(b"text/plain") else b""
        boundary = _BOUNDARY.search(head[b"content-type"])
        if boundary is None:
            return b""
        mark = b"--" + (boundary[1] or boundary[2])
        parts = body.split(mark, 2)
        if len(parts) == 1:
            return b""
        head, body = _parted(parts[1].partition(b"\n")[2])
    return b""


def _transferred(head: _Head, body: bytes) -> bytes:
    """A part's bytes without their transfer encoding (RFC 2045 section 6)."""
    encoding = head.get(b"content-transfer-encoding", b"").strip().lower()
    if encoding == b"quoted-printable":
        return quopri.decodestring(body)
    if encoding != b"base64":
        return body
    digits = _NOT_BASE64.sub(b"", body)
    digits = digits[: len(digits) - (len(digits) % 4 == 1)]  # one digit alone is no byte: the text was cut there
    return base64.b64decode(digits + b"=" * (-len(digits) % 4))
