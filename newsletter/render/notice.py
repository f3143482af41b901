"""A short plain message to the people who run the newsletter."""

from collections.abc import Sequence
from datetime import datetime
from email.utils import parseaddr

from newsletter.render.headers import date_header, header, mailbox_header, text_header
from newsletter.render.publication import Publication
from newsletter.render.recipient import Message
from newsletter.render.transfer import base64_lines, wire


def notice(
    publication: Publication, to: str, subject: str, paragraphs: Sequence[str], date: datetime, key: str
) -> Message:
    """A text message from the newsletter's own address; `key` is unique, as its Message-ID derives from it.

    Raises `MessageRefused` when a value could not stand in a header.
    """
    name, address = parseaddr(publication.sender)
    head = "".join(
        [
            mailbox_header("From", name, address),
            mailbox_header("To", "", to),
            text_header("Subject", subject),
            date_header(date),
            f"Message-ID: <{key}@{address.rpartition('@')[2]}>\r\n",
            header("Auto-Submitted", "auto-generated"),  # RFC 3834 §5: nobody's machine shall answer this
            header("MIME-Version", "1.0"),
            header("Content-Type", "text/plain; charset=utf-8"),
            header("Content-Transfer-Encoding", "base64"),
        ]
    ).encode("ascii")
    text = "\n\n".join(paragraphs) + "\n"
    return Message(publication.envelope_sender, to, head + b"\r\n" + base64_lines(wire(text)))
