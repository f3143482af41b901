"""The kinds of values that settings have: each is checked when it is read, and says what it should be."""

import re
from email.utils import parseaddr
from ipaddress import ip_network
from typing import Annotated, Literal
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic_settings import NoDecode

from newsletter.delivery.slot import DaysOff, Slot

_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
)
_BASE_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*)?")
_BETWEEN = re.compile(r"[\s,，、;；]+")
_DOTS = re.compile(r"\s*\.\.\s*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


MOST_MINUTES_LATE = 1440
"""A slot waits for a day at most: then the next one comes."""


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine."""
    return host in ("localhost", "::1") or host.startswith("127.")


class SmtpServer:
    """Where mail is handed over, taken apart from an `SMTP_URL` such as `smtp://user:password@host:587?starttls=required`."""

    def __init__(self, url: str) -> None:
        shape = "should look like smtp://user:password@host:port, with / @ : in a password written as %2F %40 %3A"
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:  # its own words would repeat a part of the password
            raise ValueError(shape) from None
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError(shape)
        self.implicit_tls = parts.scheme == "smtps"
        self.host = parts.hostname
        self.port = port or (465 if self.implicit_tls else 587)
        self.user = unquote(parts.username or "")
        self.password = unquote(parts.password or "")
        self.is_loopback = is_loopback(self.host)
        options = parse_qs(parts.query)
        self.starttls = options.get("starttls", ["optional" if self.is_loopback else "required"])[0]
        if self.starttls not in ("required", "optional", "never"):
            raise ValueError("starttls should be required, optional or never")
        self.ca_file = options.get("ca", [""])[0]
        """Certificates to trust instead of the system's, for a relay with a certificate of one's own."""

    def __str__(self) -> str:
        """The server without its credentials, fit for a log."""
        return f"{'smtps' if self.implicit_tls else 'smtp'}://{self.host}:{self.port}"


def _one_line(value: str) -> str:
    if _CONTROL.search(value):
        raise ValueError("must be one line without control characters")
    return value


def _mailbox(value: str) -> str:
    name, address = parseaddr(_one_line(value))
    # what the parser dropped or read as something else would stand in the mail as it was typed
    is_whole = _bare(value) in (address, _bare(f"{name}<{address}>"))
    if value and not (is_whole and _ADDRESS.fullmatch(address)):
        raise ValueError("should be a mailbox such as `AI 行业动态 <daily@example.org>`, its address in ASCII")
    return value


def _bare(mailbox: str) -> str:
    """A mailbox without blanks and quoting, to compare."""
    return re.sub(r'[\s"\\]', "", mailbox)


def _bare_address(value: str) -> str:
    if value and not _ADDRESS.fullmatch(value):
        raise ValueError(f"should be a bare address in ASCII such as bounce@example.org, not {value!r}")
    return value


def _list_id(value: str) -> str:
    if value and not re.fullmatch(r"<[A-Za-z0-9._-]+\.[A-Za-z0-9._-]+>", value):
        raise ValueError("should be bare, such as <daily.example.org>")
    return value


def _base_url(value: str) -> str:
    if not _BASE_URL.fullmatch(value) or not urlsplit(value).hostname:
        raise ValueError("should be where readers reach the web pages, in ASCII, such as https://news.example.org")
    return value.rstrip("/")


def _zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError("should be an IANA time zone such as Asia/Shanghai")
    return value


def _smtp_url(value: SecretStr) -> SecretStr:
    SmtpServer(value.get_secret_value())
    return value


def _domain_name(value: str) -> str:
    name = value.strip().lower().removeprefix("@")
    if not name or "@" in name or _CONTROL.search(name):
        raise ValueError("should be the domain of the readers' addresses, such as qq.com")
    return name


def _secret_key(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) < 32:
        raise ValueError("should be at least 32 characters, for example the output of `openssl rand -hex 32`")
    return value


def _slot(value: str) -> str:
    if value:
        Slot.parse(value)
    return value


def _day_off(value: str) -> str:
    DaysOff.parse([value])
    return value.strip()


def _comma_separated(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def in_pieces(text: str) -> list[str]:
    """The pieces of a list as people type it, with commas of any width, blanks or line ends between them.

    The blanks about the dots of a span of days are none.
    """
    return [piece for piece in _BETWEEN.split(_DOTS.sub("..", text)) if piece]


def _in_pieces(value: object) -> object:
    return in_pieces(value) if isinstance(value, str) else value


def _network(value: str) -> str:
    try:
        ip_network(value)
    except ValueError:
        raise ValueError("should be addresses or networks such as 127.0.0.1 or 10.0.0.0/8") from None
    return value


SmtpUrl = Annotated[SecretStr, AfterValidator(_smtp_url)]
SecretKey = Annotated[SecretStr, AfterValidator(_secret_key)]
OneLine = Annotated[str, AfterValidator(_one_line)]
About = Annotated[str, Field(max_length=300), AfterValidator(_one_line)]
"""What a newsletter is, in a sentence or two."""
Mailbox = Annotated[str, AfterValidator(_mailbox)]
BareAddress = Annotated[str, AfterValidator(_bare_address)]
ListId = Annotated[str, AfterValidator(_list_id)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
Zone = Annotated[str, AfterValidator(_zone)]
SlotTime = Annotated[str, AfterValidator(_slot)]
DayOff = Annotated[str, AfterValidator(_day_off)]
"""A day or a span of days on which nothing goes out by itself, as text."""
WeekDay = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
"""A day of the week, in the words of `newsletter.delivery.slot`."""
Network = Annotated[str, AfterValidator(_network)]
"""A network address, or a network of them such as 10.0.0.0/8, as text."""
Seconds = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, lt=1)]
Words = NoDecode, BeforeValidator(_comma_separated)
Pieces = NoDecode, BeforeValidator(_in_pieces)


class ServerSettings(BaseModel):
    """One of several servers, in a `[[servers]]` table; a limit that is left out is none."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: str = ""
    url: SmtpUrl
    weight: Annotated[float, Field(gt=0)] = 1
    connections: Annotated[int, Field(ge=1)] | None = None
    messages_per_second: Annotated[float, Field(gt=0)] | None = None
    messages_per_connection: Annotated[int, Field(ge=1)] | None = None

    @property
    def smtp(self) -> SmtpServer:
        """The server of `url`, taken apart."""
        return SmtpServer(self.url.get_secret_value())

    @property
    def label(self) -> str:
        """What the log calls it."""
        return self.name or f"{self.smtp.host}:{self.smtp.port}"


class DomainSettings(BaseModel):
    """A limit on the readers of one provider, in a `[[domains]]` table; a limit that is left out is none."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    names: Annotated[tuple[Annotated[str, AfterValidator(_domain_name)], ...], Field(min_length=1)]
    messages_per_second: Annotated[float, Field(gt=0)] | None = None
    connections: Annotated[int, Field(ge=1)] | None = None
    messages_per_connection: Annotated[int, Field(ge=1)] | None = None


def _labels_differ(servers: tuple[ServerSettings, ...]) -> tuple[ServerSettings, ...]:
    labels = [server.label for server in servers]
    twice = [label for label in dict.fromkeys(labels) if labels.count(label) > 1]
    if twice:
        raise ValueError(f"has {twice[0]!r} twice; give each server a name of its own")
    return servers


Servers = Annotated[tuple[ServerSettings, ...], AfterValidator(_labels_differ)]
