"""SpamAssassin with its own rules and no network: in its default settings, and for a reader who expects English."""

import os
import pwd
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from email import message_from_bytes

from mail_servers import HOST, free_port, running

from inbox.judge import Ruling, Sample
from inbox.spam import SPAM, SPAM_TO_THE_ENGLISH

MOST, MOST_OF_A_RULE = 0.5, 0.5
"""A mail of ours scores at most the first, and each rule less than the second."""
REJECTED = 5.0
"""From here on SpamAssassin itself says spam."""

_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"
_SETTINGS = ("use_bayes 0", "clear_report_template", "report _TESTSSCORES(,)_")
_RECEIVED = (
    "Return-Path: <bounce@example.org>\r\n"
    "Received: from mx.example.org (mx.example.org [198.18.0.25])\r\n"
    "\tby mx.example.com (Postfix) with ESMTPS id 4ABCDEF\r\n"
    "\tfor <chen@example.com>; {date}\r\n"
)
"""What the reader's server puts above the mail: with it, the rules on relays and on dates have something to look at."""
_DATE = "Thu, 12 Mar 2026 08:00:05 +0800"


class SpamAssassin:
    """One spamd on loopback for as long as a judgement lasts.

    `bad` are mails that it has to call spam, by their names; `settings` are lines of its configuration.
    """

    bar = f"≤ {MOST}, each rule < {MOST_OF_A_RULE}"

    def __init__(self, name: str, bad: Mapping[str, bytes], settings: Sequence[str] = ()) -> None:
        self.name = name
        self._bad = bad
        self._settings = settings

    def lack(self) -> str:
        """Debian's spamd, with the rules that Debian's spamassassin brings."""
        return "" if shutil.which("spamd", path=_PATH) else "spamd is missing: `make system` installs it"

    def version(self) -> str:
        """The version of spamd."""
        said = subprocess.run([_spamd(), "--version"], capture_output=True, text=True, check=True).stdout
        return said.split("version ")[1].split()[0]

    def judge(self, samples: Sequence[Sample]) -> list[Ruling]:
        """The score of each sample, with the rules that count."""
        with _daemon(self._settings) as port:
            return [_ruling(sample.name, *_score(port, _received(sample.data))) for sample in samples]

    def judge_bad(self) -> list[Ruling]:
        """Spam passes unless it is called so."""
        with _daemon(self._settings) as port:
            scores = {name: _score(port, _received(data))[0] for name, data in self._bad.items()}
        return [Ruling(name, score < REJECTED, f"{score:g}", score) for name, score in scores.items()]


@contextmanager
def _daemon(settings: Sequence[str]) -> Iterator[int]:
    """A spamd of our own; gives its port."""
    port = free_port()
    command = [_spamd(), "--local", "--nouser-config", "--syslog=stderr", f"--listen={HOST}:{port}"]
    command += ["--max-children=1", "--min-children=1", *(f"--cf={line}" for line in (*_SETTINGS, *settings))]
    if os.geteuid() == 0:  # it refuses to judge as root
        command += [f"--username={pwd.getpwnam('nobody').pw_name}"]
    with running(command, port):
        yield port


def _spamd() -> str:
    return shutil.which("spamd", path=_PATH) or "spamd"


def _score(port: int, mail: bytes) -> tuple[float, dict[str, float]]:
    """The score of a mail and of each rule that it met; the protocol is the PROTOCOL file of spamd."""
    with socket.create_connection((HOST, port), timeout=60) as line, line.makefile("rb") as answer:
        line.sendall(b"REPORT SPAMC/1.5\r\nContent-length: %d\r\n\r\n%b" % (len(mail), mail))
        status = answer.readline().decode()
        head, _, body = answer.read().decode("utf-8", "replace").partition("\r\n\r\n")
    spam = re.search(r"^Spam: \w+ ; (-?[\d.]+) / ", head, re.MULTILINE)
    if not spam:
        raise RuntimeError(f"spamd gave no score: {status}{head}")
    return float(spam[1]), {rule: float(points) for rule, points in re.findall(r"(\w+)=(-?[\d.]+)", body)}


def _ruling(name: str, score: float, rules: dict[str, float]) -> Ruling:
    highest = max(rules.values(), default=0)
    counted = [f"{rule} {points:g}" for rule, points in rules.items() if abs(points) >= MOST_OF_A_RULE / 10]
    figure = ", ".join([f"{score:g}", f"highest rule {highest:g}", *counted])
    return Ruling(name, score <= MOST and highest < MOST_OF_A_RULE, figure, max(score, highest))


def _received(mail: bytes) -> bytes:
    """The mail with the line of the server that took it, seconds after the mail's own Date."""
    date = message_from_bytes(mail)["Date"] or _DATE
    return _RECEIVED.format(date=date).encode() + mail


SPAMASSASSIN = (
    SpamAssassin("SpamAssassin -L", SPAM),
    SpamAssassin("SpamAssassin -L, ok_locales en", SPAM | SPAM_TO_THE_ENGLISH, ("ok_locales en",)),
)
