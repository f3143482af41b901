"""What the RFCs ask of a newsletter's message and no program checks, read from its bytes alone.

Nothing of `newsletter` is used here, nor a library that repairs what it reads.
"""

import base64
import binascii
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

NEEDED = ("from", "to", "subject", "date", "message-id", "mime-version", "content-type")
"""What every message has (RFC 5322 section 3.6, RFC 2045)."""
ADDRESS_HEADERS = ("from", "to", "reply-to")
PART_HEADERS = {"content-type", "content-transfer-encoding"}
MOST_OF_THE_BEST = 1.02
"""How much longer an encoded part may be than the shorter of the two encodings makes it.

An edition's encoding is chosen once for all its readers: in a short text that is almost a tie the lines of one reader
can turn it.
"""

_FIELD = re.compile(rb"([!-9;-~]+): ((?:[^\r\n]|\r\n[ \t])*)\r\n")
_BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)")
_ENCODED = re.compile(r"=\?([^?]*)\?([bq])\?([^?]*)\?=", re.IGNORECASE)
_ATOM = r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*"
_ANGLE = re.compile(rf"(?:^| )<({_ATOM}@{_ATOM})>$", re.ASCII)
_MESSAGE_ID = re.compile(rf"<{_ATOM}@({_ATOM})>", re.ASCII)
_WORD = rf'(?:{_ATOM}|"(?:[^"\\]|\\.)*")'
_LIST_ID = re.compile(rf"(?:{_WORD} )*<{_ATOM}\.{_ATOM}>", re.ASCII)
_URI = re.compile(r"(?:https://[\w.-]+(?:/[\w./~%?&=:@!$'()*+,;-]*)?|mailto:[\w.!$'*+~%-]+@[\w.-]+(?:\?[\w=%&.~-]+)?)")
_HAS_TO_BE_ENCODED = re.compile(r"[^\x20-\x7e]|=\?|\S{68}")  # a longer run of letters does not fit on a line of 78


@dataclass(frozen=True, slots=True)
class Entity:
    """A message or one part of it: headers as they stand in their order, names in lower case, and the body."""

    headers: tuple[tuple[str, str], ...]
    body: bytes

    def values(self, name: str) -> list[str]:
        """Every value of a header, folded as it is."""
        return [value for given, value in self.headers if given == name]

    def value(self, name: str) -> str:
        """The first value of a header with its folds taken out; empty when there is none."""
        return next((value.replace("\r\n", "") for value in self.values(name)), "")

    def kind(self) -> str:
        """The media type without its parameters."""
        return self.value("content-type").partition(";")[0].strip().lower()


class NotRead(ValueError):
    """Bytes that are no message; the text says why."""


def offences(data: bytes) -> list[str]:
    """What a message does against the rules; empty when nothing."""
    found = list(_of_lines(data))
    try:
        message = entity(data)
        parts = alternatives(message)
    except NotRead as error:
        return [*found, str(error)]
    found += _of_names(message)
    for name, value in message.headers:
        found += [f"{name}: {said}" for said in _of_value(name, value)]
    found += [*_of_addresses(message), *_of_list(message), *_of_order(message, parts)]
    for part in parts:
        found += [f"{part.kind()}: {said}" for said in _of_part(part)]
    return found


def entity(data: bytes) -> Entity:
    """Headers and body; raises NotRead for a head that is not made of ASCII header lines (RFC 5322 section 2.2)."""
    head, blank, body = data.partition(b"\r\n\r\n")
    if not blank:
        raise NotRead("no empty line behind the headers")
    headers, at = [], 0
    head += b"\r\n"
    while at < len(head):
        field = _FIELD.match(head, at)
        if not field or not field[0].isascii():
            raise NotRead(f"no header of ASCII: {head[at : at + 60]!r}")
        headers.append((field[1].decode().lower(), field[2].decode()))
        at = field.end()
    return Entity(tuple(headers), body)


def alternatives(message: Entity) -> list[Entity]:
    """The parts of a multipart, or the message itself (RFC 2046 section 5.1.1)."""
    if not message.kind().startswith("multipart/"):
        return [message]
    boundary = re.search(r'boundary="([^"]{1,70})"', message.value("content-type"))
    if not boundary:
        raise NotRead("no boundary of at most 70 characters")
    line = b"--" + boundary[1].encode()
    first, *parts = (b"\r\n" + message.body).split(b"\r\n" + line)
    if first or not parts or parts[-1] != b"--\r\n":
        raise NotRead("the boundary does not begin and end the body")
    return [entity(part.removeprefix(b"\r\n")) for part in parts[:-1]]


def _of_lines(data: bytes) -> Iterator[str]:
    """RFC 5322 sections 2.1.1 and 2.3: CRLF alone ends a line, 998 bytes, 78 where a fold is possible."""
    if _BARE.search(data):
        yield "a CR or LF alone"
    head, _, body = data.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        # a header's name and the word behind it cannot be parted: a line of blanks alone is obsolete (section 4.2)
        if len(line) > 998 or (len(line) > 78 and b" " in re.sub(rb"^(?:[!-9;-~]+:)? ", b"", line)):
            yield f"a header line of {len(line)} bytes: {line[:40]!r}"
    if (longest := max(len(line) for line in body.split(b"\r\n"))) > 78:
        yield f"a body line of {longest} bytes"


def _of_names(message: Entity) -> Iterator[str]:
    names = [name for name, _ in message.headers]
    yield from (f"{name} stands {names.count(name)} times" for name in sorted(set(names)) if names.count(name) > 1)
    yield from (f"there is no {name}" for name in NEEDED if name not in names)
    if message.value("mime-version") != "1.0":
        yield "MIME-Version is not 1.0"
    try:
        if parsedate_to_datetime(message.value("date")).utcoffset() is None:
            yield "Date has no zone"
    except ValueError:
        yield "Date is no date"


def _of_value(name: str, value: str) -> Iterator[str]:
    """Encoded words (RFC 2047 sections 2 and 5): where they may stand, how long, each to be decoded alone."""
    words = [word for word in re.split(r"[ \t\r\n]+", value) if "=?" in word]
    if words and name not in (*ADDRESS_HEADERS, "subject"):
        yield "an encoded word where none may be"
        return
    if any(len(line) > 76 for line in f"{name}: {value}".split("\r\n") if "=?" in line):
        yield "a line with an encoded word is longer than 76"
    decoded = []
    for word in words:
        try:
            decoded.append(_decoded(word))
        except (ValueError, LookupError) as error:
            yield f"{word}: {error}"
    if words and len(decoded) == len(words) and not _HAS_TO_BE_ENCODED.search("".join(decoded)):
        yield "ASCII that needs no encoding is encoded"


def _decoded(word: str) -> str:
    """One encoded word alone; ValueError when it is none, or not UTF-8 from the first byte to the last."""
    found = _ENCODED.fullmatch(word)
    if not found or len(word) > 75:
        raise ValueError("no encoded word of at most 75 characters")
    charset, encoding, text = found.groups()
    if charset.lower() != "utf-8":
        raise ValueError(f"the character set is {charset}")
    if encoding.lower() == "b":
        return base64.b64decode(text, validate=True).decode()
    if not re.fullmatch(r"[\w!*+/=-]*", text, re.ASCII):  # the characters that section 5 (3) leaves in a phrase
        raise ValueError("characters that no phrase may have")
    return quopri.decodestring(text, header=True).decode()


def _of_addresses(message: Entity) -> Iterator[str]:
    """RFC 5322 section 3.4: one mailbox each, in angle brackets behind a phrase of atoms, quotes or encoded words."""
    for name in (name for name in ADDRESS_HEADERS if message.values(name)):
        value = message.value(name)
        found = _ANGLE.search(value)
        if not found:
            yield f"{name} does not end in one address: {value}"
            continue
        phrase = value[: found.start()]
        loose = re.sub(r'"(?:[^"\\]|\\.)*"', "", phrase)
        if re.search(r'[,;:<>()\[\]@"\\.]', loose):
            yield f"{name} has a phrase with what must stand in quotes: {phrase}"
        if any("=?" in quoted for quoted in re.findall(r'"(?:[^"\\]|\\.)*"', phrase)):
            yield f"{name} has an encoded word in quotes"
    domain = message.value("from").rpartition("@")[2].rstrip(">")
    identity = _MESSAGE_ID.fullmatch(message.value("message-id"))
    if not identity or identity[1] != domain:
        yield f"Message-ID is none of the sender's domain: {message.value('message-id')}"


def _of_list(message: Entity) -> Iterator[str]:
    """RFC 2919, RFC 2369 and RFC 8058 section 3.1; a letter to somebody who is on no list has nothing of a list."""
    if message.value("auto-submitted") and not any(name.startswith("list-") for name, _ in message.headers):
        return
    if not _LIST_ID.fullmatch(message.value("list-id")):
        yield f"List-Id is none: {message.value('list-id')}"
    for name in ("list-unsubscribe", "list-help", "list-owner", "list-archive"):
        for uri in filter(None, message.value(name).split(", ")):
            if not (uri[0] == "<" and uri[-1] == ">" and _URI.fullmatch(uri[1:-1])):
                yield f"{name} holds no https or mailto address: {uri}"
    if message.value("list-unsubscribe-post") != "List-Unsubscribe=One-Click":
        yield "List-Unsubscribe-Post does not say One-Click"
    if not message.value("list-unsubscribe").startswith("<https://"):
        yield "List-Unsubscribe does not begin with an https address"


def _of_order(message: Entity, parts: list[Entity]) -> Iterator[str]:
    """RFC 2046 section 5.1.4: the richest alternative comes last."""
    if message.kind() not in ("multipart/alternative", "text/plain"):
        yield f"the message is {message.kind()}"
    kinds = [part.kind() for part in parts]
    if kinds not in (["text/plain", "text/html"], ["text/plain"]):
        yield f"the parts are {', '.join(kinds)}"
    for part in parts:
        if part is not message and {name for name, _ in part.headers} - PART_HEADERS:
            yield f"{part.kind()} has headers that no part needs"


def _of_part(part: Entity) -> Iterator[str]:
    """RFC 2045 section 6: the encoding is the one named, and there is no much shorter one; RFC 2046 section 4.1.2."""
    if part.value("content-type").lower() not in ("text/plain; charset=utf-8", "text/html; charset=utf-8"):
        yield f"the type is {part.value('content-type')}"
    encoding = part.value("content-transfer-encoding")
    try:
        plain = _plain(part.body, encoding)
        plain.decode()
    except ValueError as error:
        yield f"not what it says, {encoding}: {error}"
        return
    if _BARE.search(plain):
        yield "a CR or LF alone in the text"
    if encoding == "base64" and plain.isascii():
        yield "base64 of nothing but ASCII"
    if encoding != "7bit" and len(part.body) > MOST_OF_THE_BEST * shortest(plain):
        yield f"{len(part.body)} bytes in {encoding}, where {shortest(plain)} would do"
    if encoding != "7bit" and _goes_as_it_is(plain):
        yield f"{encoding}, where nothing needs encoding"


def _plain(body: bytes, encoding: str) -> bytes:
    """A decoded body; ValueError when it is not in this encoding."""
    if encoding == "7bit":
        body.decode("ascii")
        return body
    if encoding == "base64":
        if any(len(line) > 76 for line in body.split(b"\r\n")):
            raise ValueError("a line of base64 longer than 76")
        try:
            return base64.b64decode(body.replace(b"\r\n", b""), validate=True)
        except binascii.Error as error:
            raise ValueError(str(error)) from error
    if encoding != "quoted-printable":
        raise ValueError("no encoding for text")
    if wrong := re.search(rb"=(?![0-9A-F]{2}|\r\n)|[^\t\r\n -~]|[ \t]\r\n|[^\r\n]{77}", body):
        raise ValueError(f"{wrong[0][:20]!r} in quoted-printable")
    return quopri.decodestring(body)


def shortest(plain: bytes) -> int:
    """How long the shorter of the two encodings makes a text, its CRLFs counted."""
    base64_bytes = len(base64.encodebytes(plain).replace(b"\n", b"\r\n"))
    quoted_lines = [quopri.encodestring(line) for line in plain.split(b"\r\n")]
    quoted_bytes = len(b"\n".join(quoted_lines).replace(b"\n", b"\r\n"))
    return min(base64_bytes, quoted_bytes)


def _goes_as_it_is(plain: bytes) -> bool:
    """ASCII with lines of at most 78, of which none begins with a dot, which would have to be doubled on its way."""
    return plain.isascii() and not re.search(rb"^\.|[^\r\n]{79}", plain, re.MULTILINE)
