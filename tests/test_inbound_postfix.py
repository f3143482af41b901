"""A mail to the inbound address, through a real Postfix that is set up as the documentation says."""

import os
import pwd
import re
import shutil
import smtplib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from mail_servers import PAUSE_SECONDS, free_port, program
from postfix_server import Postfix, postfix
from pydantic import SecretStr
from web_samples import add_reader, state_of

from newsletter.app import Newsletter
from newsletter.settings import Settings
from subscribers.models import State

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "how-to" / "unsubscribe-by-mail.md"
USER = "nobody"
KEY = "a key that is only used in these tests"
ADDRESS = "chen@example.org"
WAIT_SECONDS = 60


def interpreter() -> str:
    """A Python of this version that the pipe's user may run; where the tests' own is in root's home, the system's."""
    named = shutil.which(f"python3.{sys.version_info.minor}", path="/usr/bin:/usr/local/bin")
    for python in filter(None, (sys.executable, named)):
        command = ["/usr/bin/env", f"PYTHONPATH={python_path()}", python, "-m", "newsletter", "--version"]
        try:
            if not subprocess.run(command, user=USER, cwd="/", capture_output=True, check=False).returncode:
                return python
        except PermissionError:
            continue
    pytest.skip(f"the user {USER} cannot run this checkout: put it where others may read")


def python_path() -> str:
    return os.pathsep.join([str(ROOT), *(path for path in sys.path if path.endswith("-packages"))])


def block(sign: str) -> str:
    """The block of the page that holds a sign."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    (found,) = [text for text in blocks if sign in text]
    return found


@dataclass(frozen=True)
class Site:
    """A newsletter in a folder that belongs to the pipe's user, and the reader's token."""

    folder: Path
    newsletter: Newsletter
    token: str

    def here(self, text: str) -> str:
        """What the page says, with the places of this test."""
        command = f"/usr/bin/env PYTHONPATH={python_path()} {interpreter()} -B -m newsletter inbound"
        text = text.replace("/opt/newsletter/bin/newsletter inbound", command)
        return text.replace("user=newsletter", f"user={USER}").replace("/var/lib/newsletter", str(self.folder))


@pytest.fixture
def site(sqlite_template: Path) -> Iterator[Site]:
    program("postfix")
    if os.geteuid() != 0:
        pytest.skip("only root can start a Postfix")
    with tempfile.TemporaryDirectory(prefix="inbound-") as made:
        folder = Path(made)
        shutil.copyfile(sqlite_template, folder / "newsletter.db")
        settings = f'secret_key = "{KEY}"\nsender = "daily@example.org"\n{block("inbound_address")}'
        (folder / "newsletter.toml").write_text(settings, "utf-8")
        url = f"sqlite:///{folder / 'newsletter.db'}"
        newsletter = Newsletter(Settings(database_url=url, secret_key=SecretStr(KEY), sender="daily@example.org"))
        token = add_reader(newsletter, ADDRESS)
        newsletter.engine.dispose()
        own(folder)
        yield Site(folder, newsletter, token)
        newsletter.engine.dispose()


def own(folder: Path) -> None:
    for path in (folder, *folder.iterdir()):
        shutil.chown(path, USER, pwd.getpwnam(USER).pw_gid)


@pytest.fixture
def server(site: Site) -> Iterator[Postfix]:
    main, master = block("virtual_transport"), site.here(block("unix "))
    with postfix(free_port(), main_cf=main, master_cf=master) as running:
        yield running


def write(
    server: Postfix, recipient: str, subject: str = "hello", body: str = "", sender: str = "somebody@example.com"
) -> None:
    with smtplib.SMTP(server.host, server.port, timeout=WAIT_SECONDS) as client:
        message = f"From: somebody@example.com\nTo: {recipient}\nSubject: {subject}\n\n{body}\n"
        client.sendmail(sender, [recipient], message)


def wait_for(server: Postfix, status: str) -> str:
    """The log's line with this status, once it is there."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not (found := re.search(rf"^.*status={status} .*$", server.log(), re.MULTILINE)):
        if time.monotonic() > deadline:
            raise TimeoutError(server.log()[-2000:])
        time.sleep(PAUSE_SECONDS)
    return found[0]


def test_a_mail_to_the_address_unsubscribes_and_the_log_names_nobody(site: Site, server: Postfix) -> None:
    write(server, "leave@news.example.org", f"unsubscribe {site.token}")
    said = wait_for(server, "sent")
    assert "delivered via newsletter service (newsletter: unsubscribed.)" in said
    assert site.token not in server.log()
    assert ADDRESS not in server.log()
    assert state_of(site.newsletter, ADDRESS) is State.UNSUBSCRIBED


def test_a_mail_to_the_sub_address_unsubscribes(site: Site, server: Postfix) -> None:
    write(server, f"leave+{site.token}@news.example.org")
    wait_for(server, "sent")
    assert state_of(site.newsletter, ADDRESS) is State.UNSUBSCRIBED


def test_a_mail_without_a_token_is_taken_and_changes_nothing(site: Site, server: Postfix) -> None:
    write(server, "leave@news.example.org", "unsubscribe me", "please")
    assert "nothing done: no reader" in wait_for(server, "sent")
    assert state_of(site.newsletter, ADDRESS) is State.ACTIVE


def test_a_bounce_that_quotes_our_header_changes_nothing(site: Site, server: Postfix) -> None:
    write(server, "leave@news.example.org", "Undelivered", f"unsubscribe {site.token}", sender="")
    assert "nothing done: automatic mail" in wait_for(server, "sent")
    assert state_of(site.newsletter, ADDRESS) is State.ACTIVE


@pytest.mark.parametrize("trouble", ["moved away", "closed"])
def test_while_the_database_is_away_the_mail_waits_and_is_done_later(trouble: str, site: Site, server: Postfix) -> None:
    file, away = site.folder / "newsletter.db", site.folder / "away.db"
    if trouble == "moved away":
        file.rename(away)
    else:
        shutil.chown(file, "root")
        file.chmod(0)
    write(server, "leave@news.example.org", f"unsubscribe {site.token}")
    assert "newsletter: not now: " in wait_for(server, "deferred")
    assert len(server.queued()) == 1
    if trouble == "moved away":
        away.rename(file)
    else:
        file.chmod(0o600)
        own(site.folder)
    server.flush()
    server.wait_until_empty(WAIT_SECONDS)
    assert "status=sent" in server.log()
    assert state_of(site.newsletter, ADDRESS) is State.UNSUBSCRIBED


def test_an_alias_does_the_same(site: Site) -> None:
    aliases = site.folder / "aliases"
    aliases.write_text(site.here(block("leave: ")), "utf-8")
    postalias = [program("postalias"), f"hash:{aliases}"]
    subprocess.run(postalias, check=True, env={**os.environ, "MAIL_CONFIG": "/etc/postfix"})
    own(site.folder)
    main = f"mydestination = example.org\nalias_maps = hash:{aliases}\n"
    with postfix(free_port(), main_cf=main) as server:
        write(server, "leave@example.org", f"unsubscribe {site.token}")
        assert "delivered to command" in wait_for(server, "sent")
    assert state_of(site.newsletter, ADDRESS) is State.UNSUBSCRIBED
