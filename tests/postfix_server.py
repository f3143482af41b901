"""A Postfix of one's own on a free loopback port, for as long as a `with` lasts."""

import os
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from certificates import Certificate
from mail_servers import HOST, PAUSE_SECONDS, free_port, program, running

MAIN_CF = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
myhostname = postfix.example.org
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtpd_peername_lookup = no
default_transport = {protocol}
relayhost = [127.0.0.1]:{next_hop}
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions = check_recipient_access regexp:{folder}/etc/refused
smtpd_client_connection_count_limit = 0
in_flow_delay = 0
"""
TLS_CF = """
smtpd_tls_security_level = {level}
smtpd_tls_chain_files = {certificate.key}, {certificate.certificate}
"""
REFUSED = "/^nobody/ 550 5.1.1 no such user\n"
MASTER_CF = """
127.0.0.1:{port} inet n - n - - smtpd
pickup     unix n - n 60    1 pickup
cleanup    unix n - n -     0 cleanup
qmgr       unix n - n 300   1 qmgr
tlsmgr     unix - - n 1000? 1 tlsmgr
rewrite    unix - - n -     - trivial-rewrite
bounce     unix - - n -     0 bounce
defer      unix - - n -     0 bounce
flush      unix n - n 1000? 0 flush
smtp       unix - - n -     - smtp
lmtp       unix - - n -     - lmtp
showq      unix n - n -     - showq
error      unix - - n -     - error
retry      unix - - n -     - error
anvil      unix - - n -     1 anvil
scache     unix - - n -     1 scache
postlog    unix-dgram n - n - 1 postlogd
local      unix - n n -     - local
"""
PRIVATE_QUEUES = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved")
QUEUES = dict.fromkeys((*PRIVATE_QUEUES, "trace"), 0o700) | {"maildrop": 0o730, "public": 0o710}
"""The folders of a queue and who may enter them, as post-install makes them."""


@dataclass(frozen=True)
class Postfix:
    """A running Postfix of our own."""

    port: int
    folder: Path
    host: str = HOST

    def log(self) -> str:
        """What it has logged until now: its lines are written one after the other, so ours is behind them all."""
        mark = f"mark {random.getrandbits(64):x}"
        subprocess.run([program("postlog"), "-c", self.folder / "etc", mark], check=True, capture_output=True)
        while mark not in (logged := (self.folder / "mail.log").read_text("utf-8", "replace")):
            time.sleep(PAUSE_SECONDS)
        return logged

    def flush(self) -> None:
        """Have it try again at once whatever is deferred."""
        subprocess.run([program("postqueue"), "-c", self.folder / "etc", "-f"], check=True, capture_output=True)

    def queued(self) -> set[str]:
        """The queue ids of what it holds; a second look finds what moved against the direction of the first."""
        queues = ("incoming", "active", "deferred") * 2
        return {path.name for queue in queues for path in (self.folder / "queue" / queue).rglob("*") if path.is_file()}

    def wait_until_empty(self, timeout_seconds: float) -> None:
        """Wait until every message is delivered or returned; TimeoutError with the end of the log if some are not."""
        deadline = time.monotonic() + timeout_seconds
        while held := self.queued():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(held)} messages in Postfix's queue:\n{self.log()[-2000:]}")
            time.sleep(PAUSE_SECONDS)


@contextmanager
def postfix(
    next_hop: int,
    *,
    certificate: Certificate | None = None,
    tls: Literal["may", "encrypt"] = "may",
    protocol: Literal["smtp", "lmtp"] = "smtp",
    main_cf: str = "",
    master_cf: str = "",
) -> Iterator[Postfix]:
    """
    A Postfix with folders of its own that hands everything to the loopback port `next_hop`, and looks up no DNS.

    It refuses a recipient whose local part begins with `nobody` (550 5.1.1), takes any other, and returns what it
    cannot deliver to the envelope's sender, by the same next hop. With a certificate it offers STARTTLS; `encrypt` lets
    nothing pass without (530). There is no AUTH. Only root can start it. `main_cf` and `master_cf` are more lines of
    these files, and beat what is there.
    """
    program("postfix")
    if os.geteuid() != 0:
        pytest.skip("only root can start a Postfix")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="postfix-") as made:  # not the test's: Postfix's user has to reach it
        folder = Path(made)
        folder.chmod(0o755)
        for name in ("etc", "data"):
            (folder / name).mkdir()
        shutil.chown(folder / "data", "postfix")
        main = MAIN_CF.format(folder=folder, next_hop=next_hop, protocol=protocol)
        main += TLS_CF.format(level=tls, certificate=certificate) if certificate else ""
        master = MASTER_CF.format(port=port) + master_cf
        files = {"main.cf": main + main_cf, "master.cf": master, "refused": REFUSED}
        for file, text in files.items():
            (folder / "etc" / file).write_text(text, "utf-8")
            os.utime(folder / "etc" / file, (0, 0))  # it waits two seconds where a file looks newly written
        _make_queues(folder)
        with running(["/usr/lib/postfix/sbin/master", "-c", str(folder / "etc"), "-d"], port):
            yield Postfix(port, folder)


def _make_queues(folder: Path) -> None:
    """The folders that `postfix check` would make, and takes two seconds for."""
    (folder / "queue" / "pid").mkdir(parents=True)
    for name, mode in QUEUES.items():
        queue = folder / "queue" / name
        queue.mkdir()
        shutil.chown(queue, "postfix", "postdrop")
        queue.chmod(mode)
