"""Say, before the tests run, what this machine lacks and which command brings it."""

import os
import shutil
import subprocess

from imap_server import installed as find_dovecot
from postgres import find_programs

NEEDED = {
    "PostgreSQL, for the tests on the database of many machines": lambda: find_programs() is not None,
    "Postfix, for the tests with a mail server that others wrote": lambda: _has_postfix(),
    "Dovecot with IMAP and LMTP, for the way of a mail into a mailbox": lambda: bool(find_dovecot()),
    "Chromium, for the tests in the browser": lambda: shutil.which("chromium") is not None,
    "Chinese fonts, for pictures of mails and pages": lambda: _has_chinese_fonts(),
}


def _has_postfix() -> bool:
    return shutil.which("postfix", path=f"{os.environ.get('PATH', '')}:/usr/sbin") is not None


def _has_chinese_fonts() -> bool:
    try:
        listed = subprocess.run(["fc-list", ":lang=zh-cn"], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return bool(listed.stdout.strip())


def main() -> None:
    """Print one line per missing thing."""
    missing = [what for what, is_there in NEEDED.items() if not is_there()]
    for what in missing:
        print(f"missing: {what}")
    if missing:
        print("`make system` installs what is missing; until then the tests that need it are skipped.")


if __name__ == "__main__":
    main()
