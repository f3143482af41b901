"""A Dovecot of our own on free loopback ports: takes mail by LMTP, gives it out by IMAP, keeps it in a folder."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from imaplib import IMAP4
from pathlib import Path

import pytest
from mail_servers import HOST, free_port, running

USER, PASSWORD = "chen@example.com", "only-in-tests"
CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = imap lmtp
listen = {host}
ssl = no
disable_plaintext_auth = no
default_internal_user = dovecot
default_login_user = dovenull
mail_location = maildir:{folder}/mail/%u
first_valid_uid = 1
auth_mechanisms = plain
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={folder}/mail/%u allow_all_users=yes
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap_port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp_port}
  }}
}}
service anvil {{
  chroot =
}}
"""


@dataclass(frozen=True)
class Dovecot:
    """A running Dovecot; every address has a mailbox with the same password."""

    lmtp_port: int
    imap_port: int
    folder: Path

    def inbox(self, user: str = USER) -> list[bytes]:
        """The messages in a user's INBOX as IMAP gives them, oldest first."""
        with IMAP4(HOST, self.imap_port) as client:
            client.login(user, PASSWORD)
            client.select(readonly=True)
            _, numbers = client.search(None, "ALL")
            return [self._message(client, number) for number in numbers[0].decode().split()]

    @staticmethod
    def _message(client: IMAP4, number: str) -> bytes:
        _, answer = client.fetch(number, "(BODY.PEEK[])")
        literal = answer[0]
        assert isinstance(literal, tuple)
        return literal[1]


@contextmanager
def dovecot() -> Iterator[Dovecot]:
    """A Dovecot with folders of its own. Only root can start it, as its processes have users of their own."""
    program = installed()
    if not program:
        pytest.skip("Dovecot 2.3 is missing: Debian's packages dovecot-imapd and dovecot-lmtpd bring it")
    if os.geteuid() != 0:
        pytest.skip("only root can start a Dovecot")
    imap_port, lmtp_port = free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="dovecot-") as made:  # not the test's: its users have to reach it
        folder = Path(made)
        folder.chmod(0o755)
        (folder / "mail").mkdir()
        shutil.chown(folder / "mail", "mail", "mail")
        ports = {"imap_port": imap_port, "lmtp_port": lmtp_port}
        (folder / "dovecot.conf").write_text(CONFIG.format(folder=folder, host=HOST, password=PASSWORD, **ports))
        with running([program, "-F", "-c", str(folder / "dovecot.conf")], imap_port):
            yield Dovecot(lmtp_port, imap_port, folder)


def installed() -> str:
    """The path of a Dovecot that reads this configuration (2.4 has words of its own) and takes LMTP; else empty."""
    program = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if not program or not Path("/usr/lib/dovecot/lmtp").exists() or not Path("/usr/lib/dovecot/imap").exists():
        return ""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return program if said.startswith("2.3.") else ""
