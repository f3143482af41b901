"""A mailbox on this machine: an SMTP server that takes every message and keeps it as a file, and what it has taken."""

import asyncio
import threading
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import cast

from aiosmtpd.smtp import SMTP, Envelope, Session


class MailboxServer:
    """Listens on a free port of the loopback interface, in a thread of its own, while its `with` block lasts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._taken = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mailbox", daemon=True)
        self.port = 0

    def __enter__(self) -> "MailboxServer":
        """Start listening; `port` is known from here on."""
        self._folder.mkdir(parents=True, exist_ok=True)
        listening = self._loop.create_server(self._conversation, "127.0.0.1", 0)
        self._server = self._loop.run_until_complete(listening)
        self.port = self._server.sockets[0].getsockname()[1]
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening; conversations that are still open end with the process."""
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep a message exactly as it came, then accept it."""
        self._taken += 1
        (self._folder / f"{self._taken:04}.eml").write_bytes(cast(bytes, envelope.original_content))
        return f"250 2.0.0 Ok: kept as {self._taken:04}"

    def _conversation(self) -> SMTP:
        return SMTP(self, hostname="mailbox.invalid", ident="demo mailbox", enable_SMTPUTF8=True, loop=self._loop)


@dataclass(frozen=True, slots=True)
class Mail:
    """One message that was received; `number` counts from 1 in the order of arrival."""

    number: int
    raw: bytes
    message: EmailMessage

    @classmethod
    def read(cls, file: Path) -> "Mail":
        """Parse a kept message as a mail program would."""
        raw = file.read_bytes()
        return cls(int(file.stem), raw, message_from_bytes(raw, policy=default))

    @property
    def to(self) -> str:
        """The bare address it was sent to."""
        return str(self.message["To"].addresses[0].addr_spec)

    @property
    def name(self) -> str:
        """What the message calls its recipient, empty when it gives the address alone."""
        return str(self.message["To"].addresses[0].display_name)

    @property
    def subject(self) -> str:
        """The decoded subject line."""
        return str(self.message["Subject"])

    @property
    def date(self) -> datetime:
        """The moment in its Date header."""
        return cast(datetime, self.message["Date"].datetime)

    @property
    def unsubscribe(self) -> str:
        """The web address in List-Unsubscribe, empty when there is none."""
        links = str(self.message["List-Unsubscribe"] or "").replace(">", "").split("<")
        return next((link.strip(", ") for link in links if link.startswith("http")), "")

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Every header, decoded."""
        return [(name, str(value)) for name, value in self.message.items()]

    def part(self, subtype: str) -> str:
        """The text of the `plain` or `html` part, empty when there is none."""
        body = self.message.get_body((subtype,))
        return str(body.get_content()) if body else ""

    @property
    def defects(self) -> list[str]:
        """What the standard library's parser has against it, headers and transfer encodings included."""
        found: list[object] = []
        for part in self.message.walk():
            if not part.is_multipart():
                part.get_payload(decode=True)
            found += [*part.defects, *(defect for value in part.values() for defect in value.defects)]
        return [f"{type(defect).__name__}: {defect}" for defect in found]


def received(folder: Path) -> list[Mail]:
    """Every message in a mailbox's folder, in the order of arrival."""
    return [Mail.read(file) for file in sorted(folder.glob("*.eml"))]
