"""rspamd as Debian ships it, with a name server that knows our domain's records and nothing else in the world."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cache
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from dkim_verifiers import altered
from mail_servers import HOST, free_port, running
from name_server import NameServer

from inbox.judge import Ruling, Sample
from inbox.signing import DOMAIN, LETTER, other_records, signed, signer
from inbox.spam import SPAM

MOST = 0.5
REJECTED = 5.0
"""A score that no filter delivers to the inbox; rspamd itself adds a header from 6 on and rejects from 15 on."""
NOISE = "URI_COUNT_ODD"
"""A whole point for an odd number of links, whichever they are."""
WANTED = ("R_DKIM_ALLOW", "R_SPF_ALLOW", "DMARC_POLICY_ALLOW")

_IP, _HELO = "198.18.0.25", "mx.example.org"
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"
_USER = "_rspamd"
_READY_SECONDS = 120
"""Its first start compiles ten thousand domain endings, half a minute on a busy machine; the next finds them made."""
_CONFIGURATION = {
    "local.d/options.inc": 'dns {{ nameserver = ["{host}:{name_server}"]; timeout = 1s; retransmits = 1; }}\n',
    "local.d/worker-normal.inc": 'bind_socket = "{host}:{port}";\ncount = 1;\n',
    "local.d/worker-controller.inc": "enabled = false;\n",
    "local.d/worker-proxy.inc": "enabled = false;\n",
    "local.d/fuzzy_check.conf": "enabled = false;\n",
    "override.d/logging.inc": 'type = "console";\nlevel = "warning";\n',
}
"""What differs from the package's own configuration: where it listens, whom it asks, and what it leaves out."""


class Rspamd:
    """One rspamd on loopback for as long as a judgement lasts."""

    name = "rspamd"
    bar = f"DKIM, SPF, DMARC allow; ≤ {MOST} without {NOISE}"

    def lack(self) -> str:
        """Debian's rspamd."""
        if shutil.which("rspamd", path=_PATH) is None:
            return "rspamd is missing: `make system` installs it"
        return ""

    def version(self) -> str:
        """The version of rspamd."""
        said = subprocess.run([_rspamd(), "--version"], capture_output=True, text=True, check=True).stdout
        return said.split()[-1]

    def judge(self, samples: Sequence[Sample]) -> list[Ruling]:
        """Signatures, policy and score of each sample, as if it were sent now."""
        with _daemon(signer().records()) as port:
            return [_ruling(sample.name, _judged(port, signed(_now(sample.data)))) for sample in samples]

    def judge_bad(self) -> list[Ruling]:
        """Spam passes unless it scores as such; a mail altered or without its key passes when all is allowed."""
        mail = signed(_now(LETTER))
        with _daemon(signer().records()) as port:
            spam = {name: _judged(port, data)["score"] for name, data in SPAM.items()}
            rulings = [Ruling(name, score < REJECTED, f"{score:.1f}", score) for name, score in spam.items()]
            rulings.append(_ruling("a changed letter", _judged(port, altered(mail, b"\r\n\r\n"))))
            rulings.append(_ruling("another server's mail", _judged(port, mail, ip="198.18.0.26")))
        with _daemon(other_records()) as port:
            return [*rulings, _ruling("another key in DNS", _judged(port, mail))]


@contextmanager
def _daemon(keys: Mapping[str, str]) -> Iterator[int]:
    """An rspamd with a name server of its own; gives its port."""
    folder, port = Path(_folder().name), free_port()
    with NameServer(_records(keys)) as names:
        for name, text in _CONFIGURATION.items():
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text.format(host=HOST, port=port, name_server=names.port), "utf-8")
        command = [_rspamd(), "--no-fork", "--config=/etc/rspamd/rspamd.conf"]
        command += [f"--var={name}={folder}" for name in ("LOCAL_CONFDIR", "DBDIR", "RUNDIR", "LOGDIR")]
        if os.geteuid() == 0:
            shutil.chown(folder, _USER)
            command += [f"--user={_USER}", f"--group={_USER}"]
        with running(command, port, ready_seconds=_READY_SECONDS):
            yield port


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """The folder of its configuration, and of what it has compiled: kept from one start to the next."""
    return tempfile.TemporaryDirectory(prefix="rspamd-")


def _rspamd() -> str:
    return shutil.which("rspamd", path=_PATH) or "rspamd"


def _records(keys: Mapping[str, str]) -> dict[tuple[str, str], list[str]]:
    backwards = ".".join(reversed(_IP.split(".")))
    return {
        (DOMAIN, "A"): [_IP],
        (DOMAIN, "MX"): [f"10 {_HELO}."],
        (DOMAIN, "TXT"): [f"v=spf1 ip4:{_IP} -all"],
        (_HELO, "A"): [_IP],
        (f"{backwards}.in-addr.arpa", "PTR"): [f"{_HELO}."],
        (f"_dmarc.{DOMAIN}", "TXT"): ["v=DMARC1; p=reject; adkim=s; aspf=s"],
        **{(name, "TXT"): [text] for name, text in keys.items()},
    }


def _judged(port: int, mail: bytes, ip: str = _IP) -> dict[str, Any]:
    """What rspamd says of a mail that came from that server."""
    line = HTTPConnection(HOST, port, timeout=30)
    envelope = {"IP": ip, "Helo": _HELO, "Hostname": _HELO, "From": "bounce@example.org", "Rcpt": "chen@example.com"}
    try:
        line.request("POST", "/checkv2", mail, envelope)
        said: dict[str, Any] = json.load(line.getresponse())
    finally:
        line.close()
    if "symbols" not in said:
        raise RuntimeError(f"rspamd gave no score: {said}")
    return said


def _ruling(name: str, said: Mapping[str, Any]) -> Ruling:
    points = {symbol: found["score"] for symbol, found in said["symbols"].items()}
    score = said["score"] - points.pop(NOISE, 0)
    missing = [symbol for symbol in WANTED if symbol not in points]
    selectors = {option.partition("s=")[2] for option in said["symbols"].get(WANTED[0], {}).get("options", [])}
    missing += [f"DKIM of {selector}" for selector in ("s1", "e1") if selector not in selectors]
    against = [f"{symbol} {value:.2g}" for symbol, value in points.items() if value >= MOST / 10]
    allowed = [f"no {symbol}" for symbol in missing] or ["all allow"]
    figure = ", ".join([f"{score:.2f}", *allowed, *against])
    return Ruling(name, not missing and score <= MOST, figure, score)


def _now(mail: bytes) -> bytes:
    """The mail with the present time in its Date: rspamd knows no other clock, and finds a mail of last week odd."""
    date = format_datetime(datetime.now(UTC)).encode()
    return re.sub(rb"(?m)^Date: .*?\r$", b"Date: " + date + b"\r", mail, count=1)
