"""A line to an SMTP server: bytes out, replies in, and what a sender has to know: whether all bytes have left."""

import asyncio
from collections import deque
from dataclasses import dataclass

_LONGEST_REPLY = 32 * 1024
"""A reply of many lines may be so long, in bytes; RFC 5321 §4.5.3.1.5 allows 512 a line, and whoever sends more is no
mail server."""


class LineBroke(Exception):
    """The line closed, or what came was no SMTP; the message says which."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A server's reply: its code (RFC 5321 §4.2) and the text of its lines, joined by blanks."""

    code: int
    text: str


class Line(asyncio.Protocol):
    """Takes over an open transport. Whoever uses it asks for as many replies as it sent commands, in their order.

    What comes unasked closes the line, because every later reply would be taken for the one before it.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._received = bytearray()
        self._text: list[bytes] = []
        self._length = 0
        self._replies: deque[Reply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._expected = 0
        self._full = False
        self._trouble = ""
        # So that a paused line is one with bytes that have not left: a socket pauses above `high`, TLS at it.
        transport.set_write_buffer_limits(high=int(transport.get_extra_info("sslcontext") is not None), low=0)
        transport.set_protocol(self)

    @property
    def is_open(self) -> bool:
        """Whether something can still be sent."""
        return not self._trouble and not self._transport.is_closing()

    def send(self, data: bytes, replies: int) -> None:
        """Send bytes that will be answered by so many replies; raises `LineBroke` if not one of them could leave."""
        self._expected += replies
        if self.is_open:
            self._transport.write(data)
        if not self.is_open:
            raise LineBroke(self._trouble or "the connection was lost")

    async def left(self, seconds: float) -> None:
        """Wait until the last byte has left this process; raises `LineBroke`, `TimeoutError`.

        Under TLS it has left when the TLS layer took it, which is the sooner of two moments that cannot be told apart.
        """
        end = self._loop.time() + seconds
        while self._full:
            await self._wait(end, "the server stopped reading")

    async def reply(self, seconds: float) -> Reply:
        """The next reply, complete within so many seconds; raises `LineBroke`, `TimeoutError`."""
        end = self._loop.time() + seconds
        while not self._replies:
            await self._wait(end, "the server did not answer in time")
        self._expected -= 1
        return self._replies.popleft()

    def close(self) -> None:
        """Close at once: bytes that have not left never will."""
        self._trouble = self._trouble or "the connection was closed"
        self._transport.abort()

    async def _wait(self, end: float, late: str) -> None:
        """Wait until something happens, by the loop's clock until `end`."""
        if self._trouble:
            raise LineBroke(self._trouble)
        waiter = self._waiter = self._loop.create_future()
        alarm = self._loop.call_at(end, self._time_out, waiter, late)
        try:
            await waiter
        finally:
            alarm.cancel()
            self._waiter = None

    @staticmethod
    def _time_out(waiter: "asyncio.Future[None]", late: str) -> None:
        if not waiter.done():
            waiter.set_exception(TimeoutError(late))

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    def _break(self, trouble: str) -> None:
        self._trouble = self._trouble or trouble
        self._transport.abort()
        self._wake()  # who waits may still find the reply that came before the trouble

    def data_received(self, data: bytes) -> None:
        """Take apart what came (called by the loop)."""
        self._received += data
        end = self._received.rfind(b"\n") + 1
        lines = bytes(self._received[:end]).splitlines()
        del self._received[:end]
        for line in lines:
            self._take(line)
        self._measure(len(self._received))
        self._wake()

    def _measure(self, rest: int) -> None:
        if self._length + rest > _LONGEST_REPLY:
            self._break("the server's reply has no end")

    def _take(self, line: bytes) -> None:
        """One line of a reply (RFC 5321 §4.2.1): three digits, then a hyphen where more lines follow."""
        if self._trouble:
            return
        if not line[:3].isdigit() or line[3:4] not in (b" ", b"-", b""):
            self._break(f"the server's reply is no SMTP: {line[:200].decode(errors='replace')}")
            return
        self._text.append(line[4:].strip())
        self._length += len(line)
        self._measure(0)
        if line[3:4] == b"-":
            return
        reply = Reply(int(line[:3]), b" ".join(self._text).decode(errors="replace"))
        self._text.clear()
        self._length = 0
        if len(self._replies) < self._expected:
            self._replies.append(reply)
        else:
            self._break(f"the server said something unasked: {reply.code} {reply.text}")

    def pause_writing(self) -> None:
        """There are bytes that have not left (called by the loop)."""
        self._full = True

    def resume_writing(self) -> None:
        """All bytes have left (called by the loop)."""
        self._full = False
        self._wake()

    def eof_received(self) -> bool:
        """Close our half too (called by the loop)."""
        return False

    def connection_lost(self, reason: Exception | None) -> None:
        """Tell whoever waits (called by the loop)."""
        self._break(str(reason) if reason else "the connection was lost")
