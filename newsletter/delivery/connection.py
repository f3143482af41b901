"""One message after the other over an open line to a server: message in, outcome out."""

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass

from newsletter.delivery.classify import is_worth_retrying
from newsletter.delivery.line import Line, LineBroke, Reply
from newsletter.delivery.outcome import Outcome, Stage, Verdict
from newsletter.render.recipient import Message

_REPLY_CHARACTERS = 500
"""A reply is kept in the log so far; RFC 5321 §4.5.3.1.5 allows 512 octets a line, and some servers write pages."""
_GOODBYE_SECONDS = 5
_ACCEPTED = {Stage.MAIL: (250,), Stage.RCPT: (250, 251), Stage.DATA: (354,), Stage.DOT: (250,)}
"""The replies that let a transaction go on (RFC 5321 §4.3.2)."""
_FITS_ENVELOPE = re.compile(r"[!-;=?-~]+@[!-;=?-~]+").fullmatch
"""Whether an address can stand between `<` and `>`: whatever is wrong with it, it begins no command and no option."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a step may take, in seconds; RFC 5321 §4.5.3.2 gives the least each should be.

    `command_seconds` is for MAIL, RCPT and RSET, `block_seconds` for a part of the body to be taken,
    `final_dot_seconds` for the answer to the whole message.
    """

    connect_seconds: float
    command_seconds: float
    data_seconds: float
    block_seconds: float
    final_dot_seconds: float


class Connection:
    """An open connection that hands over one message at a time and says what became of it.

    After a broken line, an odd reply or a cancel it closes itself: a line out of step would charge the next reader with
    this one's reply. `is_open` tells; `handed_over` counts the messages it was used for.
    """

    def __init__(self, line: Line, timeouts: Timeouts, *, pipelining: bool) -> None:
        self._line = line
        self._timeouts = timeouts
        self._pipelining = pipelining
        self._stage = Stage.MAIL
        self.handed_over = 0

    @property
    def is_open(self) -> bool:
        """Whether another message can be handed over."""
        return self._line.is_open

    async def hand_over(self, message: Message, latest: float | None = None) -> Outcome:
        """Hand one message over and say what became of it.

        `latest` is the moment, by the loop's clock, after which the final dot may no longer be sent. Cancelling closes
        the line. Once the final dot has gone out there is an outcome to tell even then, so the cancel is turned into it
        and the caller has to ask its task whether it goes on.
        """
        for address in (message.envelope_from, message.envelope_to):
            if not _FITS_ENVELOPE(address):
                why = f"{readable(repr(address))} cannot stand in an SMTP command"
                return Outcome(Verdict.REFUSED, Stage.WRITE, 0, why)
        self._stage = Stage.MAIL
        self.handed_over += 1
        try:
            return await self._converse(message, latest)
        except (LineBroke, TimeoutError, OSError) as reason:
            self._line.close()
            verdict = Verdict.UNKNOWN if self._stage is Stage.DOT else Verdict.LATER
            return Outcome(verdict, self._stage, 0, readable(str(reason)))
        except asyncio.CancelledError:
            self._line.close()
            if self._stage is Stage.DOT:
                return Outcome(Verdict.UNKNOWN, Stage.DOT, 0, "stopped while waiting for the server's answer")
            raise

    async def quit(self) -> None:
        """Say goodbye (RFC 5321 §4.1.1.10) if the line is still there, and close."""
        try:
            if self.is_open:
                with suppress(LineBroke, TimeoutError, OSError):
                    self._line.send(b"QUIT\r\n", 1)
                    await self._line.reply(_GOODBYE_SECONDS)  # a courtesy: nothing depends on it
        finally:
            self._line.close()

    async def _converse(self, message: Message, latest: float | None) -> Outcome:
        """The transaction of RFC 5321 §3.3, noting in `_stage` how far it came."""
        commands = (
            (Stage.MAIL, b"MAIL FROM:<" + message.envelope_from.encode("ascii") + b">\r\n"),
            (Stage.RCPT, b"RCPT TO:<" + message.envelope_to.encode("ascii") + b">\r\n"),
            (Stage.DATA, b"DATA\r\n"),
        )
        if self._pipelining:  # RFC 2920 §3.1: DATA may be the last command of a group
            self._line.send(b"".join([command for _, command in commands]), len(commands))
        for self._stage, command in commands:
            if not self._pipelining:
                self._line.send(command, 1)
            reply = await self._line.reply(self._seconds)
            if reply.code not in _ACCEPTED[self._stage]:
                return await self._refused(reply)
        if latest is not None and asyncio.get_running_loop().time() > latest:
            self._line.close()
            return Outcome(Verdict.LATER, Stage.DATA, 0, "too much time has passed since the row was claimed")
        reply = await self._body(message)
        if reply.code not in _ACCEPTED[Stage.DOT]:
            return await self._refused(reply)
        return Outcome(Verdict.ACCEPTED, Stage.DONE, reply.code, readable(reply.text))

    @property
    def _seconds(self) -> float:
        return self._timeouts.data_seconds if self._stage is Stage.DATA else self._timeouts.command_seconds

    async def _body(self, message: Message) -> Reply:
        """Send the body and the final dot in one piece, and wait for the answer.

        The bytes have CRLF line ends; only a dot that begins a line is doubled (RFC 5321 §4.5.2). Until the last byte
        has left, nothing was completed; from then on the server may have it all.
        """
        data = message.data
        if message.may_begin_with_dot and (b"\r\n." in data or data.startswith(b".")):
            data = (b"\r\n" + data).replace(b"\r\n.", b"\r\n..").removeprefix(b"\r\n")
        self._line.send(data + b".\r\n", 1)
        await self._line.left(self._timeouts.block_seconds)
        self._stage = Stage.DOT
        return await self._line.reply(self._timeouts.final_dot_seconds)

    async def _refused(self, reply: Reply) -> Outcome:
        """An outcome from a refusing reply, with the line made ready for the next message."""
        stage = self._stage
        if not 400 <= reply.code < 600 or reply.code == 421:
            self._line.close()  # closing (RFC 5321 §3.8), or neither refusal nor consent: no SMTP any more
        else:
            try:
                await self._start_over()
            except (LineBroke, TimeoutError, OSError, asyncio.CancelledError):
                self._line.close()  # of this message all is known, also to a caller who wanted to stop
        text = readable(reply.text)
        if 400 <= reply.code < 600:
            later = is_worth_retrying(reply.code, reply.text, stage)
            return Outcome(Verdict.LATER if later else Verdict.REFUSED, stage, reply.code, text)
        verdict = Verdict.UNKNOWN if stage is Stage.DOT else Verdict.LATER
        return Outcome(verdict, stage, 0, readable(f"{reply.code} {reply.text}"))

    async def _start_over(self) -> None:
        """Read the replies to what was sent ahead, and reset the envelope (RFC 5321 §4.1.1.5)."""
        command, data = self._timeouts.command_seconds, self._timeouts.data_seconds
        if self._pipelining and self._stage is Stage.MAIL:
            recipient = await self._line.reply(command)
            if recipient.code in _ACCEPTED[Stage.RCPT]:
                self._line.close()  # a recipient without a sender: the dot below would bring them an empty message
                return
        if self._pipelining and self._stage in (Stage.MAIL, Stage.RCPT) and (await self._line.reply(data)).code == 354:
            self._line.send(b".\r\n", 1)  # a server that wants data without a recipient gets none (RFC 2920 §3.1)
            await self._line.reply(self._timeouts.final_dot_seconds)
        self._line.send(b"RSET\r\n", 1)
        if (await self._line.reply(command)).code != 250:
            self._line.close()


def readable(reply: str) -> str:
    """A server's reply as it can be stored and shown: no control characters, and cut."""
    if reply.isprintable():
        return reply[:_REPLY_CHARACTERS]
    return "".join(letter if letter.isprintable() else " " for letter in reply)[:_REPLY_CHARACTERS]
