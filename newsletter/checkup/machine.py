"""The machine: room on the disk, and a clock that tells the time."""

import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from newsletter.checkup.findings import Finding, not_checked, ok, warning, wrong

LEAST_FREE_BYTES = 100_000_000
"""Less than this and a single issue to some ten thousand readers may fill the disk."""
COMFORTABLE_FREE_BYTES = 1_000_000_000
MOST_DRIFT = timedelta(seconds=30)
"""A wrong clock shows in the Date of every mail, in links that expire, and in the hour of the daily slot."""
_COMMAND_SECONDS = 2


def disk(folder: Path, database_bytes: int) -> Finding:
    """Room on the disk that holds the database."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError as reason:
        return not_checked("disk", f"{folder}: {reason.strerror}")
    return room(free, database_bytes, folder)


def room(free_bytes: int, database_bytes: int, folder: Path) -> Finding:
    """A verdict on the free bytes of a disk: migrations and backups may need the database's size once more."""
    what = f"{_size(free_bytes)} free in {folder}, the database takes {_size(database_bytes)}"
    advice = "Make room or move the database to a larger disk: what cannot be written down cannot be sent."
    if free_bytes < LEAST_FREE_BYTES:
        return wrong("disk", what, advice)
    if free_bytes < max(COMFORTABLE_FREE_BYTES, 2 * database_bytes):
        return warning("disk", what, advice)
    return ok("disk", what)


def zone(now: datetime, time_zone: ZoneInfo) -> Finding:
    """The newsletter's own time, for a person to compare with the clock on the wall."""
    here = now.astimezone(time_zone)
    return ok("time zone", f"{time_zone.key}: it is {here:%Y-%m-%d %H:%M} there (UTC{here:%z})")


def clock(now: datetime, newest: tuple[datetime, str] | None, database_now: datetime | None) -> Iterator[Finding]:
    """The clock against what is known of the time.

    `newest` is a moment that has passed and what happened then, `database_now` the time a database server gave.
    """
    if database_now is not None:
        yield drift(now, database_now)
    if newest is not None and newest[0] - now > MOST_DRIFT:
        behind = _span(newest[0] - now)
        advice = "Set the clock, and let it be kept by NTP (timedatectl set-ntp true)."
        yield wrong("clock", f"{newest[1]} {behind} in the future, so the clock is slow or was set back", advice)
    yield synchronised(_ntp_state())


def drift(now: datetime, database_now: datetime) -> Finding:
    """Our clock compared with the database server's."""
    apart = abs(now - database_now)
    if apart > MOST_DRIFT:
        advice = "Set both clocks by NTP (timedatectl set-ntp true): claims and due times compare one with the other."
        return wrong("clock", f"{_span(apart)} apart from the database server's", advice)
    return ok("clock", f"within {_span(apart)} of the database server's")


def steadiness(wall_seconds: float, monotonic_seconds: float) -> Iterator[Finding]:
    """A finding when the clock was moved while the check-up ran: both readings should have passed alike."""
    jumped = wall_seconds - monotonic_seconds
    if abs(jumped) > 1:
        advice = "Find what sets the clock; NTP should slew it instead of making it jump."
        yield warning("clock", f"it jumped by {jumped:+.0f} s while these checks ran", advice)


def synchronised(state: str | None) -> Finding:
    """What `timedatectl` says of NTP: yes, no, or nothing where there is no such thing."""
    if state == "yes":
        return ok("clock set by NTP", "yes, says timedatectl")
    if state == "no":
        return warning("clock set by NTP", "no, says timedatectl", "timedatectl set-ntp true")
    return not_checked("clock set by NTP", "timedatectl cannot say it here; in a container the host's clock counts")


def _ntp_state() -> str | None:
    command = ("timedatectl", "show", "--property=NTPSynchronized", "--value")
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=_COMMAND_SECONDS, check=False)  # noqa: S603 - fixed words
    except (OSError, subprocess.SubprocessError):
        return None
    return said.stdout.strip() or None


def _span(time: timedelta) -> str:
    seconds = time.total_seconds()
    return (
        f"{seconds:.0f} s"
        if seconds < 600
        else f"{seconds / 60:.0f} min"
        if seconds < 36_000
        else f"{time.days} d {seconds % 86_400 / 3600:.0f} h"
    )


def _size(size_bytes: int) -> str:
    """Bytes in words, 1 MB being 1,000,000."""
    if size_bytes < LEAST_FREE_BYTES * 10:
        return f"{size_bytes / 1_000_000:,.1f} MB"
    return f"{size_bytes / 1_000_000_000:,.1f} GB"
