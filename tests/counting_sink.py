"""An SMTP server that takes every message and writes down whose it was before it answers; a program of its own.

`python counting_sink.py --port PORT --record FILE [--delay SECONDS]`. For each recipient of each message whose final
dot was read, one line stands in FILE before the 250 leaves: recipient, Message-ID, size in bytes and SHA-256, between
tabs. So a 250 that a client saw has its line, whatever is killed afterwards. A line may be there without the client
having seen its 250: that is the gap of RFC 1047, and `--delay` makes it wider.

It imports nothing of the project, and is quick enough to stand behind a benchmark.
"""

import argparse
import asyncio
import functools
import hashlib
import os
import re
import sys
from collections.abc import Callable
from typing import cast

try:
    import uvloop
except ImportError:  # it is only quicker
    new_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
else:
    new_loop = uvloop.new_event_loop

HOST = "127.0.0.1"
END = b"\r\n.\r\n"
EXTENSIONS = (b"PIPELINING", b"8BITMIME", b"SMTPUTF8", b"ENHANCEDSTATUSCODES")
GREETING = b"220 counting-sink ESMTP\r\n"
EHLO = b"".join(b"250-%s\r\n" % line for line in (b"counting-sink", *EXTENSIONS[:-1])) + b"250 %s\r\n" % EXTENSIONS[-1]
BYE = b"221 2.0.0 bye\r\n"
MESSAGE_ID = re.compile(rb"^message-id:[ \t]*(?:\r\n[ \t]+)?([^\r\n]*)", re.IGNORECASE | re.MULTILINE)


def lines_of(recipients: list[bytes], dotted: bytes) -> bytes:
    """The lines of one message; its dots are still doubled (RFC 5321 §4.5.2)."""
    content = dotted.replace(b"\r\n..", b"\r\n.")
    if content.startswith(b"."):
        content = content[1:]
    found = MESSAGE_ID.search(content[: content.find(b"\r\n\r\n") + 1])
    message_id = found[1].strip().replace(b"\t", b" ") if found else b""
    digest = hashlib.sha256(content).hexdigest().encode()
    rest = b"%s\t%d\t%s\n" % (message_id, len(content), digest)
    return b"".join(recipient.replace(b"\t", b" ") + b"\t" + rest for recipient in recipients)


class Conversation(asyncio.Protocol):
    """One connection: commands as they come, several at a time where the client pipelines (RFC 2920)."""

    def __init__(self, record: int, delay_seconds: float) -> None:
        self.record = record
        self.delay_seconds = delay_seconds
        self.buffer = bytearray()
        self.forget()

    def forget(self) -> None:
        """Back to where a MAIL may come (RFC 5321 §4.1.1.5)."""
        self.sender_known = False
        self.recipients: list[bytes] = []
        self.in_data = False
        self.searched = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's transports say they are none
        self.answering_later = False
        self.transport.write(GREETING)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.answering_later:
            self.go_on()

    def go_on(self) -> None:
        """Work off what has come, and send the replies to it together."""
        replies = []
        while (reply := self.message() if self.in_data else self.command()) is not None:
            replies.append(reply)
            if self.answering_later or reply is BYE:
                break
        if replies:
            self.transport.write(b"".join(replies))
        if replies[-1:] == [BYE]:
            self.transport.close()

    def command(self) -> bytes | None:
        """The reply to the next command; None while its line is not here yet."""
        end = self.buffer.find(b"\r\n")
        if end < 0:
            return None
        line = bytes(self.buffer[:end])
        verb = line[:4].upper()
        if verb == b"DATA" and self.recipients:
            del self.buffer[:end]  # its line end stays: a message may be empty, and then begins with its final dot
            self.in_data = True
            return b"354 go on\r\n"
        del self.buffer[: end + 2]
        return self.reply(verb, line)

    def reply(self, verb: bytes, line: bytes) -> bytes:
        """What is said to any command but a DATA that may begin."""
        if verb == b"MAIL" and not self.sender_known:
            self.sender_known = True
            return b"250 2.1.0 ok\r\n"
        if verb == b"RCPT" and self.sender_known:
            self.recipients.append(line.partition(b"<")[2].rpartition(b">")[0])
            return b"250 2.1.5 ok\r\n"
        if verb in (b"MAIL", b"RCPT", b"DATA"):
            return b"503 5.5.1 not now\r\n"
        if verb in (b"EHLO", b"HELO", b"RSET"):
            self.forget()
            return EHLO if verb == b"EHLO" else b"250 2.0.0 ok\r\n"
        if verb == b"NOOP":
            return b"250 2.0.0 ok\r\n"
        if verb == b"QUIT":
            return BYE
        return b"502 5.5.1 unknown\r\n"

    def message(self) -> bytes | None:
        """Write a message down when its final dot is here, then the reply; None before."""
        end = self.buffer.find(END, self.searched)
        if end < 0:
            self.searched = max(0, len(self.buffer) - len(END) + 1)
            return None
        lines = lines_of(self.recipients, bytes(self.buffer[2 : end + 2]))
        del self.buffer[: end + len(END)]
        self.forget()
        # one write to a file opened for appending: the line is the kernel's before the client hears of it
        if os.write(self.record, lines) != len(lines):
            sys.exit("counting_sink: the record takes no more")
        if not self.delay_seconds:
            return b"250 2.0.0 written down\r\n"
        self.answering_later = True
        asyncio.get_running_loop().call_later(self.delay_seconds, self.answer_late)
        return b""

    def answer_late(self) -> None:
        """The reply that was held back, and what has come since."""
        self.answering_later = False
        if self.transport.is_closing():
            return
        self.transport.write(b"250 2.0.0 written down\r\n")
        self.go_on()


async def serve(port: int, record: int, delay_seconds: float) -> None:
    """Take messages until the process is ended."""
    make = functools.partial(Conversation, record, delay_seconds)
    server = await asyncio.get_running_loop().create_server(make, HOST, port, backlog=1000)
    await server.serve_forever()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description="Take every message, and write down whose it was before answering.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--record", required=True, help="the file to append a line per recipient to")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds from the line to the answer")
    chosen = parser.parse_args()
    record = os.open(chosen.record, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(serve(chosen.port, record, chosen.delay))


if __name__ == "__main__":
    main()
