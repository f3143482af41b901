"""`make demo`: send sample issues to a mailbox on this machine, say who got what and why, then show it in the browser.

Environment: `SERVE=0` ends after the summary; `PORT` is where the pages are served (8000); `DEMO_FOLDER` is where it
all happens (`.demo`), removed and made anew.
"""

import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import mailbox_pages
from mailbox_server import Mail, MailboxServer, received
from rich.console import Console
from rich.markup import escape
from summary import BRAND, Outcome, outcomes, print_summary

from newsletter.app import Newsletter
from newsletter.editorial.station import sending_beside
from newsletter.readers.post import Post
from newsletter.settings import PREFIX, TOML, load
from newsletter.web.application import build
from newsletter.web.server import listen, run

EXAMPLES = Path(__file__).resolve().parent
MARKER = ".newsletter-demo"
SUPPRESSED = "wu.di@example.org"
WIDTH_COLUMNS = 120
"""How wide the summary is where no terminal says."""


class DemoStopped(Exception):
    """Why the demo cannot go on, and what to do."""


def main() -> int:
    """Run the demo; the exit code is 0 when every message that was due arrived once and none had a defect."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]  # settings of another newsletter on this machine are none of the demo's business
    out = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH_COLUMNS)
    try:
        bound = reserve_port() if serves() else None
        folder = fresh_folder(Path(os.environ.get("DEMO_FOLDER", ".demo")).absolute())
        with MailboxServer(folder / "mailbox") as mailbox:
            shell = Shell(folder, out)
            slug = work(shell, mailbox.port)
            account = shell.newsletter("staff", "add", "chen@example.org", "--name", "陈编辑")
            os.chdir(folder)  # where the settings are
            newsletter = Newsletter(load())
            report(out, newsletter, folder, slug)
            if bound:
                out.print(f"The desk               [bold]{account.strip()}[/] (choose a password)", soft_wrap=True)
                out.print("\nCtrl-C ends the demo.")
                serve(newsletter, folder, bound)
    except DemoStopped as reason:
        Console(stderr=True, highlight=False).print(f"[red]make demo:[/] {escape(str(reason))}", soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


@dataclass(frozen=True, slots=True)
class Shell:
    """The `newsletter` command as a user runs it in the demo's folder; prints what it runs and what that answers."""

    folder: Path
    out: Console

    def newsletter(self, *words: str) -> str:
        """Run one command and give what it said; raises `DemoStopped` with that when it was refused."""
        self.out.print(f"[bold]$ newsletter {escape(shlex.join(words))}[/]", soft_wrap=True)
        command = [sys.executable, "-m", "newsletter", *words]
        spoken = {**os.environ, "PYTHONUTF8": "1"}  # whatever the terminal's encoding, the pipe's is ours
        done = subprocess.run(command, cwd=self.folder, env=spoken, capture_output=True, encoding="utf-8")
        if done.returncode:
            raise DemoStopped(f"that command ended with exit code {done.returncode}:\n{done.stderr or done.stdout}")
        self.out.print(done.stdout, style="dim", markup=False, soft_wrap=True)
        return done.stdout


def work(shell: Shell, smtp_port: int) -> str:
    """Go the whole way from nothing to sent mails; gives the slug of the issue that was sent."""
    texts = sorted(file.relative_to(EXAMPLES).as_posix() for file in (EXAMPLES / "issues").iterdir())
    slug = Path(texts[-1]).name[: len("2026-03-12")]  # the samples are named by their dates, which become their slugs
    shell.newsletter("init")
    configure(shell.folder / TOML, smtp_port)
    shell.newsletter("topic", "add", "chips", "--zh", "芯片与算力", "--en", "Chips & Compute")
    shell.newsletter("subscriber", "import", "readers.csv")
    shell.newsletter("suppression", "add", SUPPRESSED, "--note", "asked on the telephone")
    shell.newsletter("issue", "import", "--topic", "policy", *texts)
    shell.newsletter("issue", "approve", slug)
    shell.newsletter("issue", "coverage", slug)
    shell.newsletter("issue", "send", slug)
    return slug


def configure(file: Path, smtp_port: int) -> None:
    """Add to the settings that `init` wrote what tells this newsletter apart, as its owner would."""
    settings = {
        "smtp_url": f"smtp://127.0.0.1:{smtp_port}?starttls=never",
        "sender": "AI 行业动态 <daily@example.org>",
        "postal_address": "示例新闻社 · 云州市示例路 1 号",
        "inbound_address": "leave@example.org",
        "base_url": base_url(),
    }
    with file.open("a", encoding="utf-8") as opened:
        opened.writelines(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in settings.items())


def report(out: Console, newsletter: Newsletter, folder: Path, slug: str) -> None:
    """Print who got what and why, check it against the mailbox, and say where to look."""
    found = outcomes(newsletter, slug)
    out.rule(f"[bold]Issue {slug}: who got what, and why[/]", style=BRAND)
    print_summary(out, found)
    mails = received(folder / "mailbox")
    check(found, mails)
    out.print(f"[green]✓[/] {len(mails)} messages arrived, each reader's once; all were parsed without a defect.\n")
    program = os.path.relpath(Path(sys.executable).with_name("newsletter"), folder)
    if serves():
        out.print(f"The mailbox            [bold]{base_url()}/mailbox[/]")
        out.print(f"Preview as anybody     [bold]{base_url()}/preview/{slug}[/]")
    out.print(f"The messages as files  {escape(str(folder / 'mailbox'))}", soft_wrap=True)
    out.print(f"Ask more               cd {escape(str(folder))} && {program} log --issue {slug}", soft_wrap=True)
    if not serves():
        out.print("\n`make demo` without SERVE=0 shows all this in the browser.")


def check(found: Sequence[Outcome], mails: Sequence[Mail]) -> None:
    """Refuse to call it a success when a message is missing, doubled or broken."""
    due = sorted(one.address for one in found if one.titles)
    arrived = sorted(mail.to for mail in mails)
    if arrived != due:
        raise DemoStopped(f"the log says that {due} were written to, the mailbox holds mails to {arrived}.")
    for mail in mails:
        if mail.defects:
            raise DemoStopped(f"message {mail.number} to {mail.to} has defects: {'; '.join(mail.defects)}.")


def serve(newsletter: Newsletter, folder: Path, bound: socket.socket) -> None:
    """Serve the newsletter's own pages and the mailbox, and send what readers ask for there, until Ctrl-C."""
    router, templates, link = mailbox_pages.of(folder / "mailbox")
    application = build(newsletter, extra_routers=[router], extra_templates=[templates], extra_links=[link])
    with sending_beside(newsletter, Post(newsletter)), suppress(KeyboardInterrupt):  # that is how a person ends it
        run(application, bound)


def serves() -> bool:
    """Whether the pages are wanted at the end."""
    return os.environ.get("SERVE", "1") != "0"


def base_url() -> str:
    """Where the pages are served."""
    return f"http://127.0.0.1:{os.environ.get('PORT', '8000')}"


def reserve_port() -> socket.socket:
    """Take the port before any work is done."""
    port = os.environ.get("PORT", "8000")
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise DemoStopped(f"PORT should be a number from 1 to 65535, not {port!r}.")
    try:
        return listen("127.0.0.1", int(port))
    except OSError as reason:
        raise DemoStopped(
            f"port {port} on 127.0.0.1 cannot be used ({reason.strerror}). End what uses it, or choose another: "
            "make demo PORT=8080"
        ) from None


def fresh_folder(folder: Path) -> Path:
    """Make the demo's folder anew, with the samples in it; a folder that no demo made is left alone."""
    if folder.is_symlink() or (folder.exists() and not (folder / MARKER).is_file()):
        raise DemoStopped(f"{folder} was not made by the demo, so it is not removed; move it away or set DEMO_FOLDER.")
    try:
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        (folder / MARKER).write_text("Made by `make demo`, which removes this folder and makes it anew.\n")
        for sample in ("readers.csv", "again.md"):
            shutil.copy(EXAMPLES / sample, folder)
        shutil.copytree(EXAMPLES / "issues", folder / "issues")
    except OSError as reason:
        raise DemoStopped(f"{reason.filename or folder}: {reason.strerror}.") from None
    return folder


if __name__ == "__main__":
    sys.exit(main())
