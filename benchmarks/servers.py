"""The servers that figures are taken with: Postfix's smtp-sink and smtp-source, and a PostgreSQL of our own."""

import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.postgres import Server, find_programs

HOST = "127.0.0.1"
_READY_SECONDS = 10
_MOST_CONNECTIONS = 1000


def missing(*, postgres: bool = False) -> str:
    """What of these this machine lacks, in words; empty when nothing."""
    if _program("smtp-sink") is None or _program("smtp-source") is None:
        return "smtp-sink and smtp-source are missing: Debian's package postfix brings them"
    if postgres and find_programs() is None:
        return "PostgreSQL is missing: `make system` brings it"
    return ""


@contextmanager
def smtp_sink(*options: str) -> Iterator[int]:
    """A running smtp-sink with its own options; its port."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    user = ("-u", "nobody") if os.geteuid() == 0 else ()
    command = [str(_program("smtp-sink")), *user, "-m", str(_MOST_CONNECTIONS), *options, f"{HOST}:{port}", "1000"]
    with subprocess.Popen(command) as sink:
        try:
            _wait_for(port)
            yield port
        finally:
            sink.kill()


def smtp_source(port: int, *, messages: int, connections: int, size_bytes: int) -> float:
    """Messages per second of smtp-source, which keeps its connections open as we do (`-d`), from its start to its end.

    `size_bytes` counts what follows the headers that it makes itself, some 300 bytes.
    """
    command = [str(_program("smtp-source")), "-s", str(connections), "-m", str(messages), "-l", str(size_bytes)]
    began = time.perf_counter()
    subprocess.run([*command, f"{HOST}:{port}"], check=True)
    return messages / (time.perf_counter() - began)


def new_database(server: Server) -> str:
    """The URL of an empty database of a PostgreSQL server."""
    return server.url(server.create_database(name=f"benchmark_{secrets.token_hex(4)}"))


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def _wait_for(port: int) -> None:
    end = time.monotonic() + _READY_SECONDS
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.01)
    raise RuntimeError(f"smtp-sink does not listen on port {port}")
