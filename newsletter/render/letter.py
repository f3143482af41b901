"""A letter to one person, outside any mailing: RFC 5322 bytes with CRLF, the same ones for the same values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from hashlib import sha256

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError

from newsletter.render.headers import date_header, header, mailbox_header, text_header
from newsletter.render.inline_css import mail_html
from newsletter.render.labels import Labels
from newsletter.render.letter_words import Facts, words_of
from newsletter.render.letterhead import ADDRESS, letterhead, require
from newsletter.render.publication import Publication
from newsletter.render.recipient import Message
from newsletter.render.spans import language_of
from newsletter.render.theme import Theme, ThemeError, load_theme, templates_dir
from newsletter.render.transfer import (
    Encoding,
    base64_lines,
    is_seven_bit,
    quoted_lines,
    quoted_size,
    smaller,
    wire,
)

_FOLDERS = ("letters", "email/daily")
"""Where the templates lie: the letters' own, and the styles of the theme that they look like."""


@dataclass(frozen=True, slots=True)
class Written:
    """A letter in words: the subject and the decoded parts, whose line ends are LF."""

    subject: str
    html: str
    text: str


class Stationery:
    """What letters are written on: their templates, in the colours of a theme and with its labels."""

    def __init__(self, theme: Theme) -> None:
        shipped = load_theme().about  # a theme that extends none may lack a colour
        self._labels: Mapping[str, Labels] = theme.labels
        self._environment = Environment(
            loader=FileSystemLoader([templates_dir() / folder for folder in _FOLDERS]),
            autoescape=lambda name: not (name or "").endswith(".txt.j2"),  # noqa: S701 (only plain text is not)
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        about = theme.about
        self._environment.globals.update(light={**shipped.light, **about.light}, dark={**shipped.dark, **about.dark})

    def write(self, publication: Publication, facts: Facts, language: str) -> Written:
        """Put a letter into words and set it.

        Raises `KeyError` for a language or kind that there is none of, `ThemeError` where a template fails.
        """
        labels = self._labels[language]
        words = words_of(labels, facts)
        given = {
            "labels": labels,
            "words": words,
            "colon": labels.gettext(": "),
            # NOTE: stands above a link in plain text; {action} is what the button says
            "follow": labels.gettext("{action} (open the link below):", action=words.button.label),
            "name": facts.newsletter,
            "name_lang": language_of(facts.newsletter),
            "postal_address": publication.postal_address,
            "postal_lang": language_of(publication.postal_address),
        }
        page, css, text = (self._rendered(name, given) for name in ("letter.mjml.j2", "letter.css", "letter.txt.j2"))
        return Written(words.heading, mail_html(page, css), text)

    def _rendered(self, name: str, given: Mapping[str, object]) -> str:
        try:
            return self._environment.get_template(name).render(given)
        except TemplateError as error:
            raise ThemeError(str(error), file=name) from error


def letter(publication: Publication, written: Written, facts: Facts, date: datetime, key: str) -> Message:
    """Make the message of a letter; `key` is unique, as Message-ID and MIME boundary derive from it.

    Raises `MessageRefused` when a value could not stand in a header or an address.
    """
    require(ADDRESS, facts.address, "the address of the letter")
    domain = parseaddr(publication.sender)[1].rpartition("@")[2]
    before, behind = _list_headers(publication, facts) if facts.unsubscribe else _plain_headers(publication)
    boundary = f"=_{sha256(key.encode()).hexdigest()[:32]}"  # "=_" is in no encoded body
    head = "".join(
        [
            before,
            mailbox_header("To", "", facts.address),
            text_header("Subject", written.subject),
            date_header(date),
            f"Message-ID: <{key}@{domain}>\r\n",
            header("Auto-Submitted", "auto-generated"),  # RFC 3834 §5: nobody's machine shall answer this
            behind,
            header("Content-Type", f'multipart/alternative;\r\n boundary="{boundary}"'),
        ]
    ).encode("ascii")
    mark = boundary.encode()
    parts = (_part("text/plain", written.text), _part("text/html", written.html))
    body = b"".join(b"\r\n--" + mark + b"\r\n" + part for part in parts)
    data = head + body + b"\r\n--" + mark + b"--\r\n"
    return Message(publication.envelope_sender, facts.address, data, may_begin_with_dot=False)


def _list_headers(publication: Publication, facts: Facts) -> tuple[str, str]:
    """What stands before and behind the letter's own headers where it goes to a reader: as in every issue."""
    head = letterhead(publication)
    leave = f"<{facts.unsubscribe}>"
    if head.leave:
        leave += f",\r\n <{head.leave}{facts.unsubscribe.rpartition('/')[2]}>"
    return head.before, header("List-Unsubscribe", leave) + head.behind


def _plain_headers(publication: Publication) -> tuple[str, str]:
    """The same for somebody who is no reader, and so has no list to leave."""
    before = mailbox_header("From", *parseaddr(publication.sender))
    reply = mailbox_header("Reply-To", *parseaddr(publication.reply_to)) if publication.reply_to else ""
    return before, reply + header("MIME-Version", "1.0")


def _part(kind: str, text: str) -> bytes:
    """A part in the encoding that makes the least of it."""
    data = wire(text)
    if is_seven_bit(text):
        encoding, body = Encoding.SEVEN_BIT, data
    elif smaller(quoted_size(data), len(data) * 4 // 3) is Encoding.BASE64:
        encoding, body = Encoding.BASE64, base64_lines(data)
    else:
        encoding, body = Encoding.QUOTED, quoted_lines(data)
    head = f"Content-Type: {kind}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode() + body
