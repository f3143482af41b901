"""Four DKIM verifiers that share no code: on a thousand messages as we sign them, and on some that Postfix relayed."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from dkim_verifiers import BOTH, DKIMPY, MAIL_DKIM, OPENDKIM, Held, Verifier, altered, written
from mail_servers import program

from inbox.judge import Ruling, Sample
from inbox.judges import node
from inbox.signed import MANY, tampered, thousand, travelled
from inbox.signing import LETTER, other_records, signed, signer


def _by_mailauth(mails: Sequence[bytes], records: Mapping[str, str], folder: Path) -> list[Held]:
    paths = [str(path) for path in written(mails, folder)]
    answer = node.ask("mailauth.mjs", {"records": dict(records), "paths": paths})
    return [frozenset(name.removesuffix("-sha256") for name in held) for held in answer]


MAILAUTH = Verifier("mailauth", BOTH, lambda: node.lack("mailauth"), lambda: node.version("mailauth"), _by_mailauth)
_NAMES = {"rsa": "RSA", "ed25519": "Ed25519"}
VERIFIERS = (DKIMPY, MAIL_DKIM, OPENDKIM, MAILAUTH)


class Signatures:
    """One verifier, shown a thousand signed messages and each of them altered."""

    bar = "RSA holds, Ed25519 where known; altered fails"

    def __init__(self, verifier: Verifier) -> None:
        self.name = f"{verifier.name} on DKIM"
        self._verifier = verifier

    def lack(self) -> str:
        """What the verifier needs."""
        return self._verifier.lack()

    def version(self) -> str:
        """The verifier's."""
        return self._verifier.version()

    def judge(self, samples: Sequence[Sample]) -> list[Ruling]:
        """One ruling over messages of its own: the samples are too few."""
        return [_counted(self._verifier, thousand(), f"{MANY:,} messages")]

    def judge_bad(self) -> list[Ruling]:
        """A letter that was changed on its way, or never signed, or whose key is another one in DNS."""
        mail = signed(LETTER)
        mails = {
            "a letter of the body changed": altered(mail, b"\r\n\r\n"),
            "a letter of the subject changed": altered(mail, b"\r\nSubject: "),
            "a second sender": b"From: <other@example.net>\r\n" + mail,
            "no signature": LETTER,
        }
        held = _held(self._verifier, list(mails.values()), signer().records())
        wrong_key = _held(self._verifier, [mail], other_records())
        return [_bad(name, one) for name, one in zip([*mails, "another key in DNS"], held + wrong_key, strict=True)]


class Relayed:
    """All verifiers on messages that a real Postfix has relayed."""

    name = "Postfix, then DKIM"
    bar = "as before"

    def lack(self) -> str:
        """Postfix, the right to start one, or a verifier."""
        if shutil.which("postfix", path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None:
            return "Postfix is missing: `make system` installs it"
        if os.geteuid() != 0:
            return "only root can start a Postfix"
        return "; ".join(lack for verifier in VERIFIERS if (lack := verifier.lack()))

    def version(self) -> str:
        """That of Postfix."""
        asked = [program("postconf"), "-dh", "mail_version"]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()

    def judge(self, samples: Sequence[Sample]) -> list[Ruling]:
        """One ruling for each verifier."""
        return [_counted(verifier, travelled(), verifier.name) for verifier in VERIFIERS]

    def judge_bad(self) -> list[Ruling]:
        """A relayed message with a letter changed behind the relay."""
        mails = tampered(travelled()[:1])
        return [_bad(one.name, held) for one in VERIFIERS for held in _held(one, mails, signer().records())]


def _counted(verifier: Verifier, mails: Sequence[bytes], name: str) -> Ruling:
    held = _held(verifier, [*mails, *tampered(mails)], signer().records())
    whole, changed = held[: len(mails)], held[len(mails) :]
    counts = {algorithm: sum(algorithm in one for one in whole) for algorithm in _NAMES if algorithm in verifier.knows}
    let_pass = sum(map(bool, changed))
    said = ", ".join(f"{_NAMES[algorithm]} {count:,}" for algorithm, count in counts.items())
    figure = f"{said} of {len(mails):,}; altered {let_pass:,} of {len(changed):,}"
    missed = sum(len(mails) - count for count in counts.values())
    return Ruling(name, bool(mails) and not missed and not let_pass, figure, missed + let_pass)


def _bad(name: str, held: Held) -> Ruling:
    return Ruling(name, bool(held), f"{', '.join(sorted(held)) or 'nothing'} holds")


def _held(verifier: Verifier, mails: Sequence[bytes], records: Mapping[str, str]) -> list[Held]:
    with tempfile.TemporaryDirectory(prefix="signatures-") as folder:
        return verifier.verify(mails, records, Path(folder))


SIGNATURES = (*(Signatures(verifier) for verifier in VERIFIERS), Relayed())
