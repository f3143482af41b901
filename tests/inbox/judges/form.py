"""Judges of a message's form: Exim, Python's strict policy, three MIME parsers of others, and the rules of the RFCs.

Each is shown the sample editions and a thousand generated messages. Of what a parser reads, everything that the table
of `Meant` has must be equal to what was written.
"""

import email
import email.policy
import json
import platform
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

from inbox import exim
from inbox.judge import Ruling, Sample
from inbox.judges import node
from inbox.messages import MANY, Meant, messages
from inbox.rules import offences
from inbox.spoilt import SENDER, SPOILT, SUBJECT, UNSEEN, plain_names

PARSERS = node.HOME / "parsers"
_PARTS = ("text", "html")
_BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)")

Complaints = Callable[[Sequence[Meant]], list[list[str]]]
"""For each message what is wrong with it."""


@dataclass(frozen=True, slots=True)
class FormJudge:
    """A judge that reads one message after the other; `bad` are the ways to spoil one that it has to notice."""

    name: str
    lack: Callable[[], str]
    version: Callable[[], str]
    complaints: Complaints
    bad: tuple[str, ...]
    bar: str = f"0 defects, also in {MANY:,} messages"

    def judge(self, samples: Sequence[Sample]) -> list[Ruling]:
        """A ruling on all the generated messages together, and one on each edition."""
        editions = [Meant(sample) for sample in samples]
        said = self.complaints([*editions, *generated()])
        own, others = said[: len(editions)], said[len(editions) :]
        all_others = [
            f"{meant.sample.name}: {text}" for meant, found in zip(generated(), others, strict=True) for text in found
        ]
        return [
            _ruling(f"{len(others):,} generated", all_others, f" in {len(others):,}"),
            *(_ruling(meant.sample.name, found, "") for meant, found in zip(editions, own, strict=True)),
        ]

    def judge_bad(self) -> list[Ruling]:
        """A ruling on a message spoilt in each of the ways."""
        said = self.complaints([spoilt(way) for way in self.bad])
        return [_ruling(way, found, "") for way, found in zip(self.bad, said, strict=True)]


def _ruling(name: str, found: Sequence[str], where: str) -> Ruling:
    first = f": {found[0]}" if found else ""
    return Ruling(name, not found, f"{len(found)} defects{where}{first}", len(found))


@lru_cache(maxsize=1)
def generated() -> list[Meant]:
    """The generated messages."""
    return list(messages())


@lru_cache(maxsize=1)
def good() -> Meant:
    """A message that can be spoilt in every way: two parts in base64, a mailto, a subject that is in encoded words."""
    meant = next(
        meant
        for meant in messages()
        if meant.sample.data.count(b"Encoding: base64") == 2 and meant.headers["mail"] and meant.headers["to"]
    )
    sample = replace(meant.sample, name="good", data=plain_names(meant.sample.data))
    return Meant(sample, meant.headers | {"subject": SUBJECT, "from": SENDER})


def spoilt(way: str) -> Meant:
    """The good message spoilt in one way; what it should mean stays."""
    sample = good().sample
    data = SPOILT[way](sample.data)
    if data == sample.data:
        raise RuntimeError(f"{way}: the message was not changed")
    return Meant(replace(sample, name=way, data=data), good().headers)


def _exim(mails: Sequence[Meant]) -> list[list[str]]:
    return [[said] if said else [] for said in exim.refusals([meant.sample.data for meant in mails])]


def _python(mails: Sequence[Meant]) -> list[list[str]]:
    return [list(_defects(meant.sample.data)) for meant in mails]


def _defects(data: bytes) -> Iterator[str]:
    """What the strict policy notes on parts and on every value, and what it overlooks in the raw bytes."""
    for part in email.message_from_bytes(data, policy=email.policy.default).walk():
        for name, value in part.items():
            yield from (f"{name}: {type(defect).__name__} {defect}" for defect in value.defects)
        try:
            if not part.is_multipart():
                part.get_payload(decode=True).decode(part.get_content_charset("utf-8"))
        except (LookupError, ValueError) as error:
            yield f"{part.get_content_type()}: {error}"
        yield from (f"{part.get_content_type()}: {type(defect).__name__}" for defect in part.defects)
    if _BARE.search(data):
        yield "a CR or LF alone"
    if (longest := max(map(len, data.split(b"\r\n")))) > 998:
        yield f"a line of {longest} bytes"
    if not data.partition(b"\r\n\r\n")[0].isascii():
        yield "8 bits in the headers"


def _rules(mails: Sequence[Meant]) -> list[list[str]]:
    return [offences(meant.sample.data) for meant in mails]


@dataclass(frozen=True, slots=True)
class Parser:
    """A MIME parser of others, asked through a script that prints what it made of each message."""

    command: tuple[str, ...]
    reads: tuple[str, ...]
    """What it reads of `Meant.headers`; text and html it always does."""
    adds: str = ""
    """What it puts behind the end of some parts."""

    def __call__(self, mails: Sequence[Meant]) -> list[list[str]]:
        """How what it reads differs from what is meant."""
        with tempfile.TemporaryDirectory(prefix="parsed-") as folder:
            for number, meant in enumerate(mails):
                (Path(folder) / f"{number:05}.eml").write_bytes(meant.sample.data)
            ended = subprocess.run([*self.command, folder], capture_output=True, check=False, cwd=PARSERS)
        lines = ended.stdout.decode("utf-8", "replace").splitlines()
        if len(lines) != len(mails):
            raise RuntimeError(f"{self.command[-1]}: {ended.stderr.decode('utf-8', 'replace')[-500:]}")
        return [self._differences(meant, json.loads(line)) for meant, line in zip(mails, lines, strict=True)]

    def _differences(self, meant: Meant, said: dict[str, str]) -> list[str]:
        if "error" in said:
            return [said["error"]]
        wanted = {name: meant.headers[name] for name in self.reads if name in meant.headers}
        wanted |= {"text": meant.sample.text, "html": meant.sample.html}
        pairs = ((name, _plain(name, value), _plain(name, said[name])) for name, value in wanted.items())
        return [
            f"{name} is read as {read[:60]!r}, not {value[:60]!r}"
            for name, value, read in pairs
            if read != value and not (name in _PARTS and read == value + self.adds)
        ]


def _plain(name: str, value: str) -> str:
    """A value without what parsers differ in and nobody means.

    Line ends, and a host's name in letters instead of ASCII (mailparser).
    """
    if name == "address":
        local, at, host = value.rpartition("@")
        return local + at + host.encode("idna").decode()
    return value.replace("\r\n", "\n") if name in _PARTS else value


def _lack_of_perl() -> str:
    if subprocess.run(["perl", "-MEmail::MIME", "-e", "1"], capture_output=True, check=False).returncode:
        return "libemail-mime-perl is missing: `make system` installs it"
    return ""


def _perl_version() -> str:
    command = ["perl", "-MEmail::MIME", "-e", "print $Email::MIME::VERSION"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


_UNDECODED = (
    "raw GBK in Subject",
    "gb18030 that is not so",
    "utf-8 that is not so",
    "7bit that is not so",
    "base64 that is not so",
    "another boundary",
)
_NAMES = ("subject", "from", "to", "address")

JUDGES = (
    FormJudge(
        "Exim header syntax",
        exim.lack,
        exim.version,
        _exim,
        ("no Date", "no Message-ID", "From without its end", "To with two signs at", "a line of 1,200"),
    ),
    FormJudge(
        "Python strict policy",
        lambda: "",
        platform.python_version,
        _python,
        (
            "raw GBK in Subject",
            "raw UTF-8 in From",
            "a bare LF",
            "a line of 1,200",
            "To with two signs at",
            "utf-8 that is not so",
            "base64 that is not so",
            "another boundary",
            "no last boundary",
        ),
    ),
    FormJudge(
        "Email::MIME round trip",
        _lack_of_perl,
        _perl_version,
        Parser(("perl", str(PARSERS / "email_mime.pl")), _NAMES),
        _UNDECODED,
    ),
    FormJudge(
        "postal-mime round trip",
        partial(node.lack, "postal-mime"),
        partial(node.version, "postal-mime"),
        Parser(("node", str(PARSERS / "postal_mime.mjs")), _NAMES, adds="\n"),  # behind what was base64
        _UNDECODED,
    ),
    FormJudge(
        "mailparser round trip",
        partial(node.lack, "mailparser"),
        partial(node.version, "mailparser"),
        Parser(("node", str(PARSERS / "mailparser.mjs")), (*_NAMES, "url", "mail")),
        (*_UNDECODED, "a word in List-Unsubscribe"),
    ),
    FormJudge("RFC rules, our own reading", lambda: "", lambda: "", _rules, tuple(SPOILT.keys() - UNSEEN)),
)
