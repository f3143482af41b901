"""Exim as a parser of headers: it hears messages in a trial session (`exim -bh`) and delivers none of them.

The program comes from `fetch_exim.sh`, which only unpacks it: installed, it would replace Postfix. It insists on a user
of its own that such a machine does not have, so `libnss-wrapper` shows it a user list of ours.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

UNPACKED = Path(__file__).with_name(".exim") / "usr/sbin/exim4"
_WRAPPER = "libnss_wrapper.so"
_CONFIG = """
primary_hostname = mx.example.org
spool_directory = {folder}/spool
log_file_path = {folder}/%s.log
keep_environment =
smtp_accept_max_per_connection = 0
smtp_enforce_sync = false
message_size_limit = 10M
smtp_return_error_details = true
acl_smtp_rcpt = accept
acl_smtp_data = heard

begin acl

heard:
  require verify = header_syntax
  deny  message = a header's name is not ASCII
        !verify = header_names_ascii
  deny  message = there is no Date
        !condition = ${{if def:h_Date:}}
  deny  message = there is no Message-ID
        !condition = ${{if def:h_Message-ID:}}
  deny  message = a line of $max_received_linelength bytes
        condition = ${{if >{{$max_received_linelength}}{{998}}}}
  accept
"""
_NOBODY = 65534
_CLIENT = "192.0.2.10"
_ENVELOPE = b"MAIL FROM:<bounce@example.org>\r\nRCPT TO:<chen@example.com>\r\nDATA\r\n"
_REPLY = re.compile(r"(\d{3}) (.*)")


def program() -> str:
    """Where Exim is: unpacked, or installed; empty when neither."""
    if UNPACKED.is_file():
        return str(UNPACKED)
    return shutil.which("exim4", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or ""


def version() -> str:
    """Its version."""
    with tempfile.TemporaryDirectory() as folder:
        said = _run(Path(folder), ["-bV"], b"")
    return said.split(" ")[2]


def lack() -> str:
    """Why it does not start; empty when it does."""
    if not program():
        return "Exim is missing: `make system` fetches it"
    try:
        version()
    except (OSError, RuntimeError, IndexError) as error:
        return f"Exim does not start (`make system` brings what it needs): {error}"
    return ""


def refusals(messages: Sequence[bytes]) -> list[str]:
    """For each message why Exim refuses it; empty where it takes it."""
    session = b"".join(
        [b"EHLO client.example.org\r\n", *[_ENVELOPE + _stuffed(data) for data in messages], b"QUIT\r\n"]
    )
    with tempfile.TemporaryDirectory(prefix="exim-") as folder:
        said = list(_verdicts(_run(Path(folder), ["-bh", _CLIENT], session)))
    if len(said) != len(messages):
        raise RuntimeError(f"Exim answered {len(said)} of {len(messages)} messages")
    return said


def _stuffed(data: bytes) -> bytes:
    """A message as it stands behind DATA (RFC 5321 section 4.5.2); what has no line end at its end gets one."""
    end = b".\r\n" if data.endswith(b"\r\n") else b"\r\n.\r\n"
    return re.sub(rb"^\.", b"..", data, flags=re.MULTILINE) + end


def _verdicts(said: str) -> Iterator[str]:
    """The reply that follows each 354; the lines between replies are Exim's own remarks."""
    awaited = False
    for line in said.splitlines():
        if not (reply := _REPLY.match(line)):
            continue
        code, text = reply.groups()
        if awaited:
            yield "" if code == "250" else f"{code} {text}"
        awaited = code == "354"


def _run(folder: Path, arguments: list[str], session: bytes) -> str:
    """What Exim writes to its standard output, with configuration, spool and users in `folder`."""
    (folder / "spool").mkdir()
    (folder / "exim.conf").write_text(_CONFIG.format(folder=folder))
    own = os.getuid() or _NOBODY  # it gives up root's rights for those of its user, and refuses to have root for one
    users = {"Debian-exim": own, "mail": 8, "root": 0}
    (folder / "users").write_text("".join(f"{name}:x:{uid}:{uid}::{folder}:/bin/sh\n" for name, uid in users.items()))
    (folder / "groups").write_text("".join(f"{name}:x:{uid}:\n" for name, uid in users.items()))
    for path in (folder, folder / "spool"):
        os.chown(path, own, -1)
    names = {"NSS_WRAPPER_PASSWD": str(folder / "users"), "NSS_WRAPPER_GROUP": str(folder / "groups")}
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "LD_PRELOAD": _WRAPPER, **names}
    command = [program(), "-C", str(folder / "exim.conf"), *arguments]
    ended = subprocess.run(command, input=session, capture_output=True, env=environment, check=False)
    if ended.returncode:
        said = (ended.stdout + ended.stderr).decode("utf-8", "replace").strip()
        raise RuntimeError(said.splitlines()[-1] if said else f"it ended with {ended.returncode}")
    return ended.stdout.decode("utf-8", "replace")
