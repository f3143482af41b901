"""A name server on loopback that knows what a test tells it, and nothing else."""

import socket
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

ROOT = {(".", "NS"): ["a.root-servers.example."]}


class NameServer:
    """Answers over UDP from a table of (name, kind) -> values; `fails` are names it answers with SERVFAIL.

    One that is `silent` takes every question and says nothing.
    """

    def __init__(
        self,
        records: Mapping[tuple[str, str], Sequence[str]],
        *,
        fails: frozenset[str] = frozenset(),
        silent: bool = False,
    ) -> None:
        self._records = dict(records)
        self._names = {name for name, _ in self._records}
        self._fails = fails
        self._silent = silent
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.asked: list[str] = []

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._socket.getsockname()[1])

    def __enter__(self) -> "NameServer":
        self._socket.bind(("127.0.0.1", 0))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bell:
            bell.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join(5)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            data, client = self._socket.recvfrom(4096)
            if not data:
                return
            query = dns.message.from_wire(data)
            name = str(query.question[0].name).lower()
            self.asked.append(name.rstrip("."))
            if not self._silent:
                self._socket.sendto(self._answer(query, name).to_wire(), client)

    def _answer(self, query: dns.message.Message, name: str) -> dns.message.Message:
        question = query.question[0]
        kind = dns.rdatatype.to_text(question.rdtype)
        name = name if name == "." else name.rstrip(".")
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        if name in self._fails:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif values := self._records.get((name, kind)):
            texts = [_quoted(value) if kind == "TXT" else value for value in values]
            response.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *texts))
        elif name not in self._names:
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response


def _quoted(text: str) -> str:
    """A TXT value in strings of at most 255 bytes (RFC 1035 §3.3), as long ones have to be published."""
    return " ".join('"' + text[start : start + 200] + '"' for start in range(0, len(text), 200))
