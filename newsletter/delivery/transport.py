"""One SMTP connection: message bytes in, outcome out. The one place that knows aiosmtplib."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from aiosmtplib import SMTP, SMTPAuthenticationError, SMTPException, SMTPResponseException
from aiosmtplib.typing import SMTPStatus

from newsletter.delivery.outcome import Outcome, Stage, Verdict
from newsletter.render.recipient import Message


class ServerRefused(Exception):
    """No connection could be opened; the message says to where and why.

    `final` is true when trying again would be refused alike, as a wrong password is.
    """

    def __init__(self, message: str, *, final: bool = False) -> None:
        super().__init__(message)
        self.final = final


class Server(Protocol):
    """Where to connect: `starttls` is required, optional or never; `user` is empty when there is no login."""

    host: str
    port: int
    user: str
    password: str
    implicit_tls: bool
    starttls: str


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a step may take, in seconds; RFC 5321 §4.5.3.2 gives the least each should be."""

    connect_seconds: float
    command_seconds: float
    final_dot_seconds: float


_NO_REPLY = (SMTPException, OSError, asyncio.TimeoutError)
"""What the library raises when there is no reply to go by: time-outs, a broken line, a reply that is not SMTP."""

_REPLY_CHARACTERS = 500
"""A reply is kept in the log so far; RFC 5321 §4.5.3.1.5 allows 512 octets a line, and some servers write pages."""

_FLUSH_SECONDS = 0.005
"""How often to look whether a body has left, where it did not leave at once."""


class Connection:
    """An open connection that hands over one message at a time and says what became of it.

    After a broken line, an odd reply or a cancel it closes itself: a client out of step would charge the next reader
    with this one's reply. `is_open` tells.
    """

    def __init__(self, client: SMTP, timeouts: Timeouts) -> None:
        self._client = client
        self._timeouts = timeouts
        self._stage = Stage.MAIL

    @classmethod
    async def open(cls, server: Server, timeouts: Timeouts, local_name: str) -> "Connection":
        """Connect, greet, secure and log in as the server asks; raises `ServerRefused`.

        TLS is verified except where it is merely `optional`: there an unverified line still beats an open one
        (RFC 7435).
        """
        client = SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user or None,
            password=server.password or None,
            use_tls=server.implicit_tls,
            start_tls=None
            if server.implicit_tls
            else {"required": True, "optional": None, "never": False}[server.starttls],
            validate_certs=server.implicit_tls or server.starttls != "optional",
            local_hostname=local_name,
            timeout=timeouts.connect_seconds,
        )
        try:
            await client.connect()
            if client.is_ehlo_or_helo_needed:
                await client.ehlo()
        except (*_NO_REPLY, ValueError) as reason:
            client.close()
            final = isinstance(reason, SMTPAuthenticationError) and reason.code >= 500
            raise ServerRefused(f"{server.host}:{server.port}: {_say(reason)}", final=final) from None
        return cls(client, timeouts)

    @property
    def is_open(self) -> bool:
        """Whether another message can be handed over."""
        return self._client.is_connected

    async def hand_over(self, message: Message) -> Outcome:
        """Hand one message over and say what became of it.

        Cancelling closes the line. Once the final dot has gone out there is an outcome to tell even then, so the cancel
        is turned into it and the caller has to ask its task whether it goes on.
        """
        try:
            return await self._converse(message)
        except _NO_REPLY as reason:
            self.close()
            return Outcome(Verdict.UNKNOWN if self._stage is Stage.DOT else Verdict.LATER, self._stage, 0, _say(reason))
        except asyncio.CancelledError:
            self.close()
            if self._stage is Stage.DOT:
                return Outcome(Verdict.UNKNOWN, Stage.DOT, 0, "stopped while waiting for the server's answer")
            raise

    async def quit(self) -> None:
        """Say goodbye (RFC 5321 §4.1.1.10) if the line is still there, and close."""
        if self.is_open:
            with suppress(*_NO_REPLY):
                await self._client.quit(timeout=5)  # a courtesy: nothing depends on its answer
        self.close()

    def close(self) -> None:
        """Close the line without a word."""
        self._client.close()

    async def _converse(self, message: Message) -> Outcome:
        """The transaction of RFC 5321 §3.3, noting in `_stage` how far it came."""
        steps = (
            (Stage.MAIL, b"MAIL FROM:<" + message.envelope_from.encode("ascii") + b">", (SMTPStatus.completed,)),
            (
                Stage.RCPT,
                b"RCPT TO:<" + message.envelope_to.encode("ascii") + b">",
                (SMTPStatus.completed, SMTPStatus.will_forward),
            ),
            (Stage.DATA, b"DATA", (SMTPStatus.start_input,)),
        )
        for self._stage, command, wanted in steps:
            code, reply = await self._client.execute_command(command, timeout=self._timeouts.command_seconds)
            if code not in wanted:
                return await self._refused(code, reply)
        code, reply = await self._send(message.data)
        if code != SMTPStatus.completed:
            return await self._refused(code, reply)
        return Outcome(Verdict.ACCEPTED, Stage.DONE, code, readable(reply))

    async def _send(self, data: bytes) -> tuple[int, str]:
        """Send the body, and when all of it has left the final dot; wait for the answer.

        The bytes go past the library's own line-ending pass: they have CRLF line ends, and only a dot that begins a
        line is doubled (RFC 5321 §4.5.2).
        """
        protocol, transport = self._client.protocol, self._client.transport
        if protocol is None or not isinstance(transport, asyncio.WriteTransport):
            raise ConnectionError("the connection was lost")
        if b"\r\n." in data or data.startswith(b"."):
            data = (b"\r\n" + data).replace(b"\r\n.", b"\r\n..").removeprefix(b"\r\n")
        protocol.write(data)
        async with asyncio.timeout(self._timeouts.command_seconds):
            while transport.get_write_buffer_size():
                await asyncio.sleep(_FLUSH_SECONDS)
        protocol.write(b".\r\n")  # raises when the line is gone already: then nothing was completed
        self._stage = Stage.DOT
        return await protocol.read_response(timeout=self._timeouts.final_dot_seconds)

    async def _refused(self, code: int, reply: str) -> Outcome:
        """An outcome from a refusing reply, with the envelope reset so that the next message starts clean."""
        stage = self._stage
        try:
            reset, _ = await self._client.execute_command(b"RSET", timeout=self._timeouts.command_seconds)
            if reset != SMTPStatus.completed:
                self.close()
        except _NO_REPLY:
            self.close()
        if 400 <= code < 500:
            return Outcome(Verdict.LATER, stage, code, readable(reply))
        if 500 <= code < 600:
            return Outcome(Verdict.REFUSED, stage, code, readable(reply))
        self.close()  # neither refusal nor consent: whatever this is, it does not follow the protocol any more
        return Outcome(Verdict.UNKNOWN if stage is Stage.DOT else Verdict.LATER, stage, 0, readable(f"{code} {reply}"))


def readable(reply: str) -> str:
    """A server's reply as it can be stored and shown: bytes that are no UTF-8 replaced, no control characters, cut."""
    text = reply.encode(errors="replace").decode()
    return "".join(letter if letter.isprintable() else " " for letter in text)[:_REPLY_CHARACTERS]


def _say(reason: BaseException) -> str:
    """An error in words, without anything that could hold a password."""
    if isinstance(reason, SMTPResponseException):
        return readable(f"{reason.code} {reason.message}")
    return readable(f"{reason or type(reason).__name__}")
