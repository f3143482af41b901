"""One reader as the mail sees them, and the message made for them."""

from dataclasses import dataclass
from datetime import datetime

INERT_TOKEN = "preview"  # noqa: S105 (no secret: it opens nothing)
"""Stands where a reader's token would be in test sends and in previews without a reader: its links do nothing."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """What is personal about one message; the same values always give the same bytes.

    `key` is unique per message (`Message-ID` and the MIME boundary derive from it); `address` is the ASCII form that
    goes on the wire; `date` is aware and frozen when the mailing is planned; `topics` are slugs in the reader's order,
    named in the footer; `format` is `html` (both parts) or `text`; `test` puts a mark before the subject.
    """

    key: str
    address: str
    date: datetime
    topics: tuple[str, ...]
    unsubscribe_token: str = INERT_TOKEN
    preferences_token: str = INERT_TOKEN
    view_token: str = INERT_TOKEN
    name: str = ""
    format: str = "html"
    test: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """RFC 5322 bytes with CRLF line ends, and the envelope they travel in (RFC 5321 §2.3.1).

    `may_begin_with_dot` is false where it is known that no line does: looking for one costs more than sending.
    """

    envelope_from: str
    envelope_to: str
    data: bytes
    may_begin_with_dot: bool = True
