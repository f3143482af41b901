"""Say, before the tests run, what this machine lacks and which command brings it."""

import shutil
import subprocess

NEEDED = {
    "Chromium, for the tests in the browser": lambda: shutil.which("chromium") is not None,
    "Chinese fonts, for pictures of mails and pages": lambda: _has_chinese_fonts(),
}


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
