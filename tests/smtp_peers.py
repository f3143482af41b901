"""The other end of a line, on the same event loop: it does what a test says, over TCP or TLS, on any kind of loop."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvloop
from certificates import Certificate

from newsletter.delivery.line import Line

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}
ENOUGH_SECONDS = 15
"""No test of a line takes that long unless something hangs."""


class Peer:
    """A server's end: bytes in, bytes out, and two ways to go."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def hears(self) -> bytes:
        """The next command, without its line end; empty when the client has gone."""
        return (await self.reader.readline()).rstrip(b"\r\n")

    async def hears_body(self) -> bytes:
        """What comes until the final dot, with the dots as they were sent; raises `IncompleteReadError` without one."""
        body = b""
        while (line := await self.reader.readline()) != b".\r\n":
            if not line:
                raise asyncio.IncompleteReadError(body, None)
            body += line
        return body

    async def hears_the_end(self) -> bytes:
        """All that comes until the client has gone, however it went."""
        got = bytearray()
        try:
            while data := await self.reader.read(1 << 16):
                got += data
        except ConnectionError:
            pass
        return bytes(got)

    async def says(self, data: bytes) -> None:
        """Say something, in one piece."""
        self.writer.write(data)
        await self.writer.drain()

    def hangs_up(self) -> None:
        """Close as a server does that ends."""
        self.writer.close()

    def resets(self) -> None:
        """Vanish as a server does whose machine dies: what it did not read is lost (RST)."""
        self.writer.transport.abort()


def run(loop: str, work: Callable[[], Awaitable[Any]]) -> Any:
    """Run on a loop of that kind; fails where the loop had to report an exception of its own."""
    reported: list[dict[str, Any]] = []

    async def watched() -> Any:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
        async with asyncio.timeout(ENOUGH_SECONDS):
            return await work()

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        result = runner.run(watched())
    assert not reported
    return result


@asynccontextmanager
async def joined(certificate: Certificate | None = None) -> AsyncIterator[tuple[Line, Peer]]:
    """A line and its other end, with TLS where there is a certificate; small buffers between them."""
    loop = asyncio.get_running_loop()
    arrived: asyncio.Future[Peer] = loop.create_future()
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    listening.bind(("127.0.0.1", 0))

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.set_result(Peer(reader, writer))

    server = await asyncio.start_server(meet, sock=listening, ssl=certificate.server_context() if certificate else None)
    transport, _ = await loop.create_connection(
        asyncio.Protocol, *listening.getsockname(), ssl=certificate.client_context() if certificate else None
    )
    line, peer = Line(transport), await arrived
    try:
        yield line, peer
    finally:
        line.close()
        peer.resets()
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0)  # the loop tells both ends that it is over
