"""A simulated month in small: everybody gets what they should, once, in their hour. `make rhythm` makes it large."""

from datetime import timedelta
from pathlib import Path

from rhythm.account import judge
from rhythm.machine import machine_for
from rhythm.script import LAST_DAYS, Extent, write

SEED, READERS, STEP = 7, 250, timedelta(minutes=30)
HOURS = (1, 2, 3, 7, 8, 13, 20)
"""With those of the night in which clocks change."""


def test_in_a_month_with_outages_late_approvals_and_moves_every_reader_gets_each_issue_once_in_their_hour(
    tmp_path: Path,
) -> None:
    month = write(SEED, READERS, STEP, Extent(first=LAST_DAYS, hours=HOURS))
    with machine_for(month, tmp_path) as machine:
        machine.run()
        account = judge(month, machine)
    assert account.is_clean, f"seed {SEED}: {account}"
    assert {"after an outage", "nothing: too late", "nothing: already had"} <= account.counts["issues"].keys()
    assert account.counts["digests"].total() > READERS // 10
