"""Fill an assembled edition for one reader: RFC 5322 bytes with CRLF, the same ones for the same values."""

import re
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256

from newsletter.render.assemble import Assembled
from newsletter.render.compiled import PERSONAL, TAIL, CompiledIssue
from newsletter.render.headers import MessageRefused, date_header, header, mailbox_header, safe, text_header
from newsletter.render.labels import Labels
from newsletter.render.letterhead import ADDRESS, ATOMS, require
from newsletter.render.publication import Publication
from newsletter.render.recipient import Message, Recipient
from newsletter.render.spans import markup
from newsletter.render.transfer import Encoding, base64_lines, is_seven_bit, padded, padded_wire, quoted_lines, wire
from newsletter.render.wording import reason_line

_KEY = re.compile(rf"(?=.{{1,64}}\Z){ATOMS}")  # short enough for one line with the domain behind it
_TOKEN = re.compile(r"[A-Za-z0-9._~-]+")  # what needs no escape in an address (RFC 3986 section 2.3)
_LONGEST_ADDRESS = 254  # RFC 5321 section 4.5.3.1.3


def subject_of(assembled: Assembled, recipient: Recipient) -> str:
    """The subject of this reader's message; a test send carries its mark."""
    return marked(assembled.compiled.labels, recipient, assembled.subject)


def marked(labels: Labels, recipient: Recipient, subject: str) -> str:
    """A subject line with the mark of a test send where it is one."""
    return (labels.gettext("[Test] ") if recipient.test else "") + subject


def html_of(assembled: Assembled, recipient: Recipient) -> str:
    """The decoded HTML part; its line ends are LF, on the wire CRLF."""
    fragments = assembled.compiled.html
    end = padded(html_end(assembled.compiled, personal(assembled, recipient))) + fragments[TAIL].literals[0]
    return "".join([piece.html for piece in assembled.pieces]) + end


def text_of(assembled: Assembled, recipient: Recipient) -> str:
    """The decoded text part; its line ends are LF, on the wire CRLF."""
    return assembled.text + _text_end(assembled, personal(assembled, recipient))


def fill(assembled: Assembled, recipient: Recipient) -> Message:
    """Make one reader's message; raises MessageRefused when a value could not stand in a header or an address."""
    publication = assembled.compiled.publication
    values = personal(assembled, recipient)
    lines = _headers(assembled, recipient, values["unsubscribe"])
    encoding, *text = _text_body(assembled, _text_end(assembled, values))
    if recipient.format == "text":
        data = b"".join([lines, _part_head("text/plain", encoding), *text])
        return Message(publication.envelope_sender, recipient.address, data, may_begin_with_dot=False)
    encode = base64_lines if assembled.html_encoding is Encoding.BASE64 else _quoted_open
    boundary = b"=_" + sha256(recipient.key.encode()).hexdigest()[:32].encode()  # "=_" is in no encoded body
    data = b"".join(
        [
            lines,
            b'Content-Type: multipart/alternative;\r\n boundary="',
            boundary,
            b'"\r\n\r\n--',
            boundary,
            b"\r\n",
            _part_head("text/plain", encoding),
            *text,
            b"\r\n--",
            boundary,
            b"\r\n",
            _part_head("text/html", assembled.html_encoding),
            *assembled.html_front,
            encode(padded_wire(html_end(assembled.compiled, values))),
            assembled.html_tail,
            b"\r\n--",
            boundary,
            b"--\r\n",
        ]
    )
    return Message(publication.envelope_sender, recipient.address, data, may_begin_with_dot=False)


def personal(assembled: Assembled, recipient: Recipient) -> dict[str, str]:
    """The values of the personal slots, unescaped; raises MessageRefused for a token that is no path segment."""
    compiled = assembled.compiled
    return personal_values(compiled.publication, compiled.labels, compiled.names, recipient)


def personal_values(
    publication: Publication, labels: Labels, names: Mapping[str, str], recipient: Recipient
) -> dict[str, str]:
    """The same from the parts that decide it; `names` are the topics' names by slug."""
    require(_TOKEN, recipient.unsubscribe_token, "the unsubscribe token")
    require(_TOKEN, recipient.preferences_token, "the preferences token")
    require(_TOKEN, recipient.view_token, "the view token")
    return {
        "reason": reason_line(labels, recipient.address, [names.get(slug, slug) for slug in recipient.topics]),
        "unsubscribe": f"{publication.base_url}/unsubscribe/{recipient.unsubscribe_token}",
        "preferences": f"{publication.base_url}/preferences/{recipient.preferences_token}",
        "view": f"{publication.base_url}/view/{recipient.view_token}",
    }


def html_end(compiled: CompiledIssue, values: Mapping[str, str]) -> str:
    """The fragment of the HTML that is the reader's own; `values` are unescaped."""
    escaped = {name: markup(value) for name, value in values.items()}
    return compiled.html[PERSONAL].fill(escaped)


def _text_end(assembled: Assembled, values: Mapping[str, str]) -> str:
    fragments = assembled.compiled.text
    return fragments[PERSONAL].fill(values) + fragments[TAIL].literals[0]


def _headers(assembled: Assembled, recipient: Recipient, unsubscribe: str) -> bytes:
    head = assembled.letterhead
    if not ADDRESS.fullmatch(recipient.address) or len(recipient.address) > _LONGEST_ADDRESS:
        raise MessageRefused(f"this is no address that a mail can go to: {recipient.address!r}")
    require(_KEY, recipient.key, "the key of the message")
    leave = f"<{unsubscribe}>"
    if head.leave:
        leave += f",\r\n <{head.leave}{recipient.unsubscribe_token}>"
    return "".join(
        [
            head.before,
            mailbox_header("To", safe("To", recipient.name).strip(), recipient.address),
            text_header("Subject", subject_of(assembled, recipient)) if recipient.test else assembled.subject_header,
            date_header(recipient.date),
            f"Message-ID: <{recipient.key}@{head.domain}>\r\n",
            header("List-Unsubscribe", leave),
            head.behind,
        ]
    ).encode("ascii")


@lru_cache
def _part_head(kind: str, encoding: Encoding) -> bytes:
    return f"Content-Type: {kind}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode()


def _text_body(assembled: Assembled, end: str) -> tuple[Encoding, bytes, bytes]:
    """The shared and the personal part of the text, encoded; unencoded where both allow that."""
    if assembled.text_plain is not None and is_seven_bit(end):
        return Encoding.SEVEN_BIT, assembled.text_plain, wire(end)
    encoding = assembled.text_encoding
    return encoding, assembled.text_front, _encoded(encoding, assembled.text_rest + wire(end))


def _quoted_open(data: bytes) -> bytes:
    return quoted_lines(data, open_end=True)


def _encoded(encoding: Encoding, data: bytes) -> bytes:
    return base64_lines(data) if encoding is Encoding.BASE64 else quoted_lines(data)
