"""A PostgreSQL server of the tests' own: made in a temporary folder, and gone with everything in it afterwards."""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

USER = "newsletter"
PASSWORD = "a password with @ : and / in it"  # what a URL must escape, so that every test proves that it does
START_SECONDS = 60
_PRESENT = """
    SELECT 'version', version_num FROM alembic_version
    UNION ALL
    SELECT 'table', tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    UNION ALL
    SELECT 'sequence', sequencename FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL
"""
_EMPTY = {"table": "DELETE FROM {}", "sequence": "ALTER SEQUENCE {} RESTART"}


def find_programs() -> Path | None:
    """The folder of `initdb` and `pg_ctl`, which Debian keeps off the path; None where PostgreSQL is absent."""
    on_path = shutil.which("pg_ctl")
    if on_path:
        return Path(on_path).resolve().parent
    versions = Path("/usr/lib/postgresql").glob("*/bin/pg_ctl")
    return max((found.parent for found in versions), key=lambda path: float(path.parent.name), default=None)


class Server:
    """One cluster. `start` and `stop` may alternate; the port stays the same, so that clients find it again.

    `durable` leaves fsync on, which tests of what survives need and all others pay for in vain.
    """

    def __init__(self, folder: Path, programs: Path, *, durable: bool = False) -> None:
        self.folder = folder
        self._programs = programs
        self.port = _free_port()
        self._durable = durable

    def make(self) -> None:
        """Create the cluster; only a password lets anybody in."""
        password_file = self.folder / "password"
        password_file.write_text(PASSWORD)
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            postgres = pwd.getpwnam("postgres")
            for path in (self.folder, password_file):
                os.chown(path, postgres.pw_uid, postgres.pw_gid)
        self._run(
            "initdb", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256",
            f"--username={USER}", f"--pwfile={password_file}", f"--pgdata={self._data}",
        )  # fmt: skip

    def start(self) -> None:
        """Start it and wait until it answers, after a kill until it has recovered."""
        options = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self.folder,
            "fsync": "on" if self._durable else "off",
            "full_page_writes": "on" if self._durable else "off",
            "synchronous_commit": "off",  # the product must not rely on the server's default
            "shared_buffers": "32MB",
        }
        words = " ".join(f"-c {name}={value}" for name, value in options.items())
        self._pg_ctl("start", f"--log={self.folder / 'log'}", f"--options={words}", f"--timeout={START_SECONDS}")

    def stop(self) -> None:
        """End it in order: clients are cut off, what they had begun is rolled back."""
        self._pg_ctl("stop", "--mode=fast")

    def kill(self) -> None:
        """End it as a crash does, in the middle of whatever it was doing."""
        self._pg_ctl("stop", "--mode=immediate")

    def restart(self) -> None:
        """End it in order and start it again."""
        self.stop()
        self.start()

    @property
    def is_running(self) -> bool:
        """Whether the server process lives."""
        return (self._data / "postmaster.pid").exists()

    def url(self, database: str = "postgres", password: str = PASSWORD) -> str:
        """How a newsletter reaches a database of this server."""
        escaped = password.replace("@", "%40").replace(":", "%3A").replace("/", "%2F").replace(" ", "%20")
        return f"postgresql://{USER}:{escaped}@127.0.0.1:{self.port}/{database}"

    def create_database(self, template: str = "template0", name: str = "") -> str:
        """Create a database, with a name of its own unless one is given, as a copy of `template`, and give the name."""
        name = name or f"newsletter_{secrets.token_hex(4)}"
        command = sql.SQL("CREATE DATABASE {} TEMPLATE {} ENCODING 'UTF8'")
        self.execute(command.format(sql.Identifier(name), sql.Identifier(template)))
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def empty_database(self, name: str) -> frozenset[str]:
        """Remove every row but the schema's own version, count ids from 1 again, and give that version and the tables.

        It takes a hundredth of the time of a copy, and fails after some seconds when a test left a transaction open.
        """
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            connection.execute("SET lock_timeout TO '5s'")
            connection.execute("SET session_replication_role TO replica")  # tables in any order
            found = connection.execute(_PRESENT).fetchall()
            for kind, what in found:
                if kind in _EMPTY:
                    connection.execute(sql.SQL(_EMPTY[kind]).format(sql.Identifier(what)))
        return frozenset(what for kind, what in found if kind != "sequence")

    def execute(self, command: sql.Composed | sql.SQL, database: str = "postgres") -> None:
        """Run one command as the owner of everything, outside a transaction."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(command)

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _pg_ctl(self, action: str, *words: str) -> None:
        self._run("pg_ctl", action, "--silent", "--wait", f"--pgdata={self._data}", *words)

    def _run(self, program: str, *words: str) -> None:
        as_postgres: Sequence[str] = ()
        if os.geteuid() == 0:
            as_postgres = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups")
        # the server inherits the output: a pipe would stay open as long as it runs
        with (self.folder / f"{program}.out").open("w+") as output:
            done = subprocess.run(
                [*as_postgres, str(self._programs / program), *words],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self.folder, check=False,
            )  # fmt: skip
            output.seek(0)
            assert done.returncode == 0, f"{program} {words}: {output.read()}{self._log()}"

    def _log(self) -> str:
        log = self.folder / "log"
        return log.read_text() if log.exists() else ""


@contextmanager
def running_server(*, durable: bool = False) -> Iterator[Server]:
    """A started server, stopped and removed when the block ends; ask `find_programs` first whether there can be one."""
    programs = find_programs()
    assert programs is not None, "PostgreSQL is not installed: `make system` brings it"
    # not below pytest's own folder, which nobody but its owner may enter; and a socket's path must be short
    folder = Path(tempfile.mkdtemp(prefix="newsletter-postgres-", dir="/tmp"))
    server = Server(folder, programs, durable=durable)
    try:
        server.make()
        server.start()
        yield server
    finally:
        if server.is_running:
            server.kill()
        shutil.rmtree(folder)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
