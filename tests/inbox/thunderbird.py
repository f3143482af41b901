"""A mail in Thunderbird, on a screen that nobody sees, as a picture of its window, by day or in the dark."""

import json
import os
import select
import shutil
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

WIDTH, HEIGHT = 860, 1240
"""The screen, in pixels; the window of the message fills it."""

_SECONDS = 90  # Thunderbird's first start on a busy machine
_PREFERENCES: dict[str, bool | int | str] = {
    "app.donation.eoy.version.viewed": 999,
    "app.update.enabled": False,
    "datareporting.policy.dataSubmissionPolicyBypassNotification": True,
    "mail.accountmanager.accounts": "account1",
    "mail.accountmanager.localfoldersserver": "server1",
    "mail.account.account1.server": "server1",
    "mail.provider.suppress_dialog_on_startup": True,
    "mail.rights.version": 1,
    "mail.server.server1.hostname": "Local Folders",
    "mail.server.server1.name": "Local Folders",
    "mail.server.server1.type": "none",
    "mail.server.server1.userName": "nobody",
    "mail.shell.checkDefaultClient": False,
    "mail.spotlight.firstRunDone": True,
    "mailnews.start_page.enabled": False,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,  # nobody listens there: Thunderbird has no network
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
    "network.proxy.type": 1,
}
_DARK: dict[str, bool | int | str] = {
    "ui.systemUsesDarkTheme": 1,
    "extensions.activeThemeID": "thunderbird-compact-dark@mozilla.org",
}
_WINDOW = {"screenX": "0", "screenY": "0", "width": str(WIDTH), "height": str(HEIGHT), "sizemode": "normal"}


def lack() -> str:
    """Which of Debian's packages this machine lacks, and the command that brings them; empty when none."""
    packages = {"thunderbird": "thunderbird", "Xvfb": "xvfb"}
    lacking = [package for command, package in packages.items() if not shutil.which(command)]
    return f"{' and '.join(lacking)} missing; `apt-get install {' '.join(lacking)}` brings them" if lacking else ""


def picture(message: bytes, folder: Path, *, dark: bool) -> Image.Image:
    """How Thunderbird shows a message; `folder` is empty and takes its profile.

    Raises TimeoutError when its window does not come to rest.
    """
    profile = folder / "profile"
    profile.mkdir()
    preferences = _PREFERENCES | (_DARK if dark else {})
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in preferences.items()]
    (profile / "user.js").write_text("".join(lines))
    window = {"chrome://messenger/content/messageWindow.xhtml": {"messengerWindow": _WINDOW}}
    (profile / "xulstore.json").write_text(json.dumps(window))
    mail = folder / "mail.eml"
    mail.write_bytes(message)
    with _screen(folder) as display:
        environment = os.environ | {"HOME": str(folder), "DISPLAY": display, "MOZ_DISABLE_CONTENT_SANDBOX": "1"}
        command = ["thunderbird", "--profile", str(profile), "--no-remote", str(mail)]
        with _running(command, env=environment):
            return _at_rest(folder / "Xvfb_screen0")


@contextmanager
def _screen(folder: Path) -> Iterator[str]:
    """An X server that keeps its screen in a file of the folder; its display's name."""
    reading, writing = os.pipe()
    screen = ["-screen", "0", f"{WIDTH}x{HEIGHT}x24", "-fbdir", str(folder), "-nolisten", "tcp", "-nocursor"]
    command = ["Xvfb", "-displayfd", str(writing), *screen]
    with _running(command, pass_fds=(writing,)):
        os.close(writing)
        if not select.select([reading], [], [], _SECONDS)[0]:
            raise TimeoutError("Xvfb does not start")
        number = os.read(reading, 16).decode().strip()
        yield f":{number}"
    os.close(reading)  # not before: Xvfb ends when it cannot write the rest of its line


@contextmanager
def _running(command: list[str], **options: object) -> Iterator[None]:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **options}
    process = subprocess.Popen(command, **quiet)  # type: ignore[call-overload]  # options of one of two kinds
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _at_rest(screen: Path) -> Image.Image:
    """The screen once it shows a message and no longer changes: a start page or half a page has too few colours."""
    last, same, end = b"", 0, time.monotonic() + _SECONDS
    while time.monotonic() < end:
        time.sleep(1)
        shot = _shot(screen.read_bytes())
        same = same + 1 if shot.tobytes() == last else 0
        last = shot.tobytes()
        if same >= 4 and len(shot.getcolors(maxcolors=WIDTH * HEIGHT) or ()) > 100:
            return shot
    raise TimeoutError(f"Thunderbird's window did not come to rest in {_SECONDS} s")


def _shot(dump: bytes) -> Image.Image:
    """The screen: 25 numbers of 4 bytes, a name, 12 bytes for each colour, then the lines (X11's XWDFile.h)."""
    header = struct.unpack(">25I", dump[:100])
    begin = header[0] + 12 * header[19]
    width, height, line_bytes = header[4], header[5], header[12]
    pixels = dump[begin : begin + line_bytes * height]
    return Image.frombuffer("RGB", (width, height), pixels, "raw", "BGRX", line_bytes, 1)
