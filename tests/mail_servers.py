"""
Real mail servers on free loopback ports, for as long as a `with` lasts: smtp-sink, a counting sink, aiosmtpd.

A server is ready when its `with` begins, and gone with all its processes when it ends; a guard sees to the latter even
where the tests themselves are killed. Where a program is missing the test is skipped, with the package that brings it.
Postfix is in `postfix_server`.
"""

import contextlib
import os
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from certificates import Certificate, make_certificate

HOST = "127.0.0.1"
PORTS = range(10_240, 32_000)
"""Below the ports that Linux gives to clients: no outgoing connection takes one between the look and the use."""

READY_SECONDS, PAUSE_SECONDS = 30, 0.01
COUNTING_SINK = Path(__file__).with_name("counting_sink.py")


def free_port() -> int:
    """A loopback port nobody listens on."""
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
            return port


def program(name: str) -> str:
    """The path of a program of Debian's postfix package; skips the test where it is missing."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        pytest.skip(f"{name} is missing: Debian's package postfix brings it")
    return found


@contextmanager
def running(
    command: Sequence[str], port: int, *, ready_seconds: float = READY_SECONDS, **options: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a group of its own that listens on the port; at the end the whole group is killed."""
    with tempfile.TemporaryFile() as said, contextlib.ExitStack() as stack:
        server = subprocess.Popen(
            command, start_new_session=True, stdin=subprocess.DEVNULL, stdout=said, stderr=said, **options
        )
        stack.callback(_end, server)
        stack.enter_context(_guard(server.pid))
        deadline = time.monotonic() + ready_seconds
        while not _listens(port):
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(PAUSE_SECONDS)
            if server.returncode is not None or time.monotonic() > deadline:
                said.seek(0)
                raise RuntimeError(f"{command[0]} does not listen on port {port}: {said.read().decode()}")
        yield server


@contextmanager
def _guard(group: int) -> Iterator[None]:
    """Kill the group when this process dies: the guard's standard input is a pipe that only we hold open."""
    script = 'read -r _ || kill -s KILL -- "-$1"'
    guard = subprocess.Popen(["/bin/sh", "-c", script, "guard", str(group)], stdin=subprocess.PIPE, process_group=0)
    try:
        yield
    finally:
        guard.kill()
        guard.wait()
        if guard.stdin:
            guard.stdin.close()


def _end(server: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


@dataclass
class Sink:
    """A running smtp-sink and what it dumped; everything but the address needs `dump`."""

    port: int
    process: int
    dump: Path | None
    host: str = HOST
    cut: frozenset[Path] = frozenset()
    """The files of messages that were in DATA when the sink was ended."""

    def complete(self) -> Iterator[Path]:
        """
        The files of the messages whose final dot was read.

        smtp-sink opens a file at RCPT and closes it at the dot, before it answers; where the client goes away before
        the dot it first removes the file. So one that is held open is a message cut short, or on its way.
        """
        assert self.dump, "this sink dumps nothing: give it a folder"
        files = sorted(self.dump.iterdir())
        unfinished = self.cut | self.held_open()  # looked up after the list: what is closed since then is complete
        return (file for file in files if file not in unfinished and file.exists())

    def held_open(self) -> frozenset[Path]:
        """The dump files that the sink is writing."""
        links = Path(f"/proc/{self.process}/fd").glob("*")
        return frozenset(Path(os.path.realpath(link)) for link in links)

    def messages(self) -> list[tuple[list[str], bytes]]:
        """The recipients and the content of each complete message; its lines end in a bare line feed."""
        return [(_recipients(head), body) for head, body in (_parted(file.read_bytes()) for file in self.complete())]

    def recipients(self) -> Counter[str]:
        """How many complete messages each address got; reads the heads only."""
        counted: Counter[str] = Counter()
        for path in self.complete():
            with path.open("rb") as file:
                counted.update(_recipients(_parted(file.read(4096))[0]))
        return counted


def _parted(dumped: bytes) -> tuple[bytes, bytes]:
    """The sink's own head, which ends with a Received of three lines, and the content without the sink's empty line."""
    head, _, rest = dumped.partition(b"\nReceived: ")
    return head, rest.split(b"\n", 3)[-1].removesuffix(b"\n")


def _recipients(head: bytes) -> list[str]:
    found = re.findall(rb"^X-Rcpt-Args: <(.*)>", head, re.MULTILINE)
    return [address.decode("utf-8", "replace") for address in found]


@contextmanager
def smtp_sink(*options: str, dump: Path | None = None) -> Iterator[Sink]:
    """
    Postfix's smtp-sink, with its own options; `dump` is a folder that gets a file per message.

    The look whether it is ready is a session too: count it where `-n` is among the options. A dumped message was
    received in full, which is not yet accepted: with `-q .` and `-f .` it lies there all the same.
    """
    port = free_port()
    command = [program("smtp-sink"), *options]
    user = {}
    if os.geteuid() == 0:  # it refuses to run as root; it opens its files relative to a folder it cannot reach by name
        nobody = pwd.getpwnam("nobody")
        user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        if dump:
            os.chown(dump, nobody.pw_uid, nobody.pw_gid)
    if dump:
        command += ["-d", "message."]
    with running([*command, f"{HOST}:{port}", "1000"], port, cwd=dump, **user) as server:
        sink = Sink(port, server.pid, dump and dump.resolve())
        try:
            yield sink
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(server.pid, signal.SIGSTOP)
            sink.cut = sink.held_open()


@dataclass(frozen=True)
class Received:
    """One message to one recipient, as the counting sink wrote it down."""

    recipient: str
    message_id: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class CountingSink:
    """A running counting sink; what it received can be read while it runs and after."""

    port: int
    record: Path
    host: str = HOST

    def received(self) -> list[Received]:
        """Every message that was read to its final dot, a line per recipient, in the order of their dots."""
        whole_lines = self.record.read_bytes().decode("utf-8", "replace").split("\n")[:-1]
        rows = (line.split("\t") for line in whole_lines)
        return [Received(recipient, message_id, int(size), digest) for recipient, message_id, size, digest in rows]

    def recipients(self) -> Counter[str]:
        """How many messages each address got."""
        return Counter(row.recipient for row in self.received())


@contextmanager
def counting_sink(record: Path, delay_seconds: float = 0) -> Iterator[CountingSink]:
    """A sink that writes a line per message to the file `record` before it answers, and answers so much later."""
    port = free_port()
    command = [sys.executable, str(COUNTING_SINK), "--port", str(port), "--record", str(record)]
    with running([*command, "--delay", str(delay_seconds)], port):
        yield CountingSink(port, record)


@dataclass(frozen=True)
class Aiosmtpd:
    """A running aiosmtpd, and the authority that a client has to trust for its certificate."""

    port: int
    authority: Path | None
    host: str = HOST


class SlowMailbox:
    """A handler for `aiosmtpd_server` that takes every message, after as long as a test says."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.taken: Counter[str] = Counter()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Count the message, wait, accept it."""
        self.taken.update(envelope.rcpt_tos)
        await server.loop.run_in_executor(None, time.sleep, self.seconds)
        return "250 2.0.0 taken"


@contextmanager
def aiosmtpd_server(
    handler: Any,
    *,
    tls: Literal["starttls", "implicit"] | None = None,
    require_tls: bool = False,
    auth: Mapping[str, str] | None = None,
    certificate: Certificate | None = None,
) -> Iterator[Aiosmtpd]:
    """
    An aiosmtpd in a thread of its own, with any handler that it knows.

    `require_tls` refuses mail before STARTTLS. `auth` holds the passwords of users: nobody else may send, and with
    STARTTLS no password is heard before it. Without `certificate` it is given one for `localhost` and 127.0.0.1.
    """
    passwords = auth or {}

    def check(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        known = isinstance(data, LoginPassword) and passwords.get(data.login.decode()) == data.password.decode()
        return AuthResult(success=known, handled=known)

    with tempfile.TemporaryDirectory(prefix="certificates-") as folder:
        if tls and not certificate:
            certificate = make_certificate(Path(folder))
        context = certificate.server_context() if tls and certificate else None
        controller = Controller(
            handler,
            hostname=HOST,
            port=free_port(),
            ssl_context=context if tls == "implicit" else None,
            tls_context=context if tls == "starttls" else None,
            require_starttls=require_tls,
            authenticator=check if auth else None,
            auth_required=bool(auth),
            auth_require_tls=tls == "starttls",
            enable_SMTPUTF8=True,
        )
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Requiring AUTH while not")  # it does not know of implicit TLS
            controller.start()
            try:
                yield Aiosmtpd(controller.port, certificate.authority if certificate else None)
            finally:
                controller.stop()
