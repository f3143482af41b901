"""Disk and clock: verdicts on what was read, and the reading itself on this machine."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from newsletter.checkup.findings import Verdict
from newsletter.checkup.machine import clock, disk, drift, room, steadiness, synchronised, zone

NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)
MB, GB = 1_000_000, 1_000_000_000


@pytest.mark.parametrize(
    ("free", "database", "verdict"),
    [
        (99 * MB, 1 * MB, Verdict.WRONG),
        (100 * MB, 1 * MB, Verdict.WARNING),
        (999 * MB, 1 * MB, Verdict.WARNING),
        (1 * GB, 1 * MB, Verdict.OK),
        (3 * GB, 2 * GB, Verdict.WARNING),
        (4 * GB, 2 * GB, Verdict.OK),
    ],
)
def test_room_on_the_disk_is_measured_against_the_database(free: int, database: int, verdict: Verdict) -> None:
    assert room(free, database, Path("/srv")).verdict is verdict


def test_the_disk_of_a_folder_is_read(tmp_path: Path) -> None:
    assert "free in" in disk(tmp_path, 0).what
    assert disk(tmp_path / "none", 0).verdict is Verdict.NOT_CHECKED


def test_clocks_that_differ_are_wrong() -> None:
    assert drift(NOON, NOON + timedelta(seconds=31)).verdict is Verdict.WRONG
    assert drift(NOON, NOON - timedelta(seconds=31)).verdict is Verdict.WRONG
    assert drift(NOON, NOON + timedelta(seconds=2)).verdict is Verdict.OK


def test_a_clock_behind_what_has_happened_is_wrong() -> None:
    verdicts = [one.verdict for one in clock(NOON, (NOON + timedelta(days=2), "newsletter.db was last written"), None)]
    assert Verdict.WRONG in verdicts
    assert Verdict.WRONG not in [one.verdict for one in clock(NOON, (NOON, "newsletter.db was last written"), NOON)]


@pytest.mark.parametrize(
    ("state", "verdict"), [("yes", Verdict.OK), ("no", Verdict.WARNING), (None, Verdict.NOT_CHECKED)]
)
def test_what_timedatectl_says_is_taken_over(state: str | None, verdict: Verdict) -> None:
    assert synchronised(state).verdict is verdict


def test_a_clock_that_jumps_during_the_checks_is_noticed() -> None:
    assert [one.verdict for one in steadiness(-3600, 2.0)] == [Verdict.WARNING]
    assert list(steadiness(2.3, 2.0)) == []


def test_the_time_of_the_newsletter_is_told() -> None:
    assert "2026-03-09 20:00 there (UTC+0800)" in zone(NOON, ZoneInfo("Asia/Shanghai")).what
