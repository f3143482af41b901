"""DKIM verifiers that share no code with our signer or with each other, and what is done to mails to try them."""

import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import dkim

Held = frozenset[str]
"""The algorithms whose signatures hold: `rsa`, `ed25519`."""
RSA: Held = frozenset({"rsa"})
BOTH: Held = RSA | {"ed25519"}

_SIGNATURE = re.compile(rb"^DKIM-Signature:.*?\r\n(?![ \t])", re.DOTALL | re.MULTILINE | re.IGNORECASE)
_SECONDS = 300
_OPENDKIM_FILES = 500
"""So many names of files fit into one argument of a command."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """One verifier: the algorithms it knows, what this machine lacks of it (empty: nothing), its version.

    `verify` says of each message which signatures hold, given the DNS records by name and a folder to write into.
    """

    name: str
    knows: Held
    lack: Callable[[], str]
    version: Callable[[], str]
    verify: Callable[[Sequence[bytes], Mapping[str, str], Path], list[Held]]


def altered(mail: bytes, after: bytes) -> bytes:
    """The mail with the first letter or digit behind `after` changed to another one."""
    return altered_behind(mail, mail.index(after) + len(after))


def altered_behind(mail: bytes, start: int) -> bytes:
    """The mail with the first letter or digit from the byte `start` on changed to another one."""
    found = re.compile(rb"[A-Za-z0-9]").search(mail, start)
    assert found
    other = b"b" if found[0] in b"aA" else b"a"
    return mail[: found.start()] + other + mail[found.end() :]


def written(mails: Sequence[bytes], folder: Path, ending: str = "eml") -> list[Path]:
    """Each mail as a file of its own, in their order."""
    paths = [folder / f"{number}.{ending}" for number in range(len(mails))]
    for path, mail in zip(paths, mails, strict=True):
        path.write_bytes(mail)
    return paths


def _by_dkimpy(mails: Sequence[bytes], records: Mapping[str, str], _: Path) -> list[Held]:
    def answer(name: bytes, timeout: int = 5) -> bytes:
        return records.get(name.decode().rstrip("."), "").encode()

    def holds(mail: bytes, index: int) -> bool:
        with suppress(dkim.DKIMException):
            return bool(dkim.DKIM(mail).verify(index, dnsfunc=answer))
        return False

    def held(mail: bytes) -> Held:
        algorithms = [_algorithm(match[0].decode()) for match in _SIGNATURE.finditer(mail)]
        return frozenset(algorithm for index, algorithm in enumerate(algorithms) if holds(mail, index))

    return [held(mail) for mail in mails]


_PERL = r"""
use strict; use warnings;
use Mail::DKIM::Verifier; use Mail::DKIM::DNS; use Net::DNS::RR;
open my $keys, '<', shift @ARGV or die;
my %zone = map { chomp; split / /, $_, 2 } <$keys>;
{ no warnings 'redefine';
  *Mail::DKIM::DNS::query = sub {
    my ($name) = @_;
    my $text = $zone{$name} or return;
    return Net::DNS::RR->new(name => $name, type => 'TXT', txtdata => [$text =~ /(.{1,250})/g]);
  };
}
while (my $path = <STDIN>) {
  chomp $path;
  my $verifier = Mail::DKIM::Verifier->new;
  open my $mail, '<:raw', $path or die;
  $verifier->PRINT($_) while <$mail>;
  $verifier->CLOSE;
  print join(' ', map { $_->algorithm . '=' . $_->result } $verifier->signatures), "\n";
}
"""


def _by_perl(mails: Sequence[bytes], records: Mapping[str, str], folder: Path) -> list[Held]:
    names = "".join(f"{path}\n" for path in written(mails, folder))
    said = _said(["perl", "-e", _PERL, str(_keys(records, folder))], names)
    return [frozenset(re.findall(r"(\w+)-sha256=pass\b", line)) for line in said]


def _perl_lacks() -> str:
    if shutil.which("perl") and not subprocess.run(["perl", "-MMail::DKIM", "-e1"], capture_output=True).returncode:
        return ""
    return "Perl's Mail::DKIM is missing: `make system` installs it (libmail-dkim-perl)"


def _perl_version() -> str:
    return _said(["perl", "-MMail::DKIM", "-e", "print $Mail::DKIM::VERSION"])[0]


def _by_opendkim(mails: Sequence[bytes], records: Mapping[str, str], folder: Path) -> list[Held]:
    """It names one signature of a message, so each message is shown once more without its first one.

    Its exit code is 0 whatever it finds, so its words are read.
    """
    without_first = [_SIGNATURE.sub(b"", mail, count=1) for mail in mails]
    paths = list(zip(written(mails, folder), written(without_first, folder, "second"), strict=True))
    configuration = folder / "opendkim.conf"
    configuration.write_text(f"Mode v\nSyslog no\nTestPublicKeys {_keys(records, folder)}\n", "utf-8")
    command = [_opendkim(), "-x", str(configuration), "-t"]
    files = [str(path) for both in paths for path in both]
    parts = [files[start : start + _OPENDKIM_FILES] for start in range(0, len(files), _OPENDKIM_FILES)]
    with ThreadPoolExecutor(2) as pool:
        said = [line for lines in pool.map(lambda part: _said([*command, ",".join(part)]), parts) for line in lines]
    found = [re.fullmatch(r"\S+: (\S+): .*\(s=([^,]+), d=([^,]+), .*succeeded", line) for line in said]
    good = {match[1]: _algorithm(records[f"{match[2]}._domainkey.{match[3]}"]) for match in found if match}
    return [frozenset(good[str(path)] for path in both if str(path) in good) for both in paths]


def _opendkim() -> str:
    return shutil.which("opendkim", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/sbin:/bin") or ""


def _opendkim_version() -> str:
    return _said([_opendkim(), "-V"])[0].split()[-1].lstrip("v")


def _algorithm(tags: str) -> str:
    """The algorithm that a signature or a key's record names."""
    return "ed25519" if "=ed25519" in tags else "rsa"


def _said(command: Sequence[str], given: str = "") -> list[str]:
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=_SECONDS, check=True)
    return done.stdout.splitlines()


def _keys(records: Mapping[str, str], folder: Path) -> Path:
    path = folder / "keys"
    path.write_text("".join(f"{name} {text}\n" for name, text in records.items()), "utf-8")
    return path


DKIMPY = Verifier("dkimpy", BOTH, lambda: "", lambda: version("dkimpy"), _by_dkimpy)
MAIL_DKIM = Verifier("Mail::DKIM", RSA, _perl_lacks, _perl_version, _by_perl)
OPENDKIM = Verifier(
    "OpenDKIM",
    BOTH,
    lambda: "" if _opendkim() else "opendkim is missing: `make system` installs it",
    _opendkim_version,
    _by_opendkim,
)
