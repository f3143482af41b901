"""A small kill table: whatever is killed and whenever, nobody is lost or doubled, and the send goes on."""

from dataclasses import replace
from pathlib import Path

import pytest
from kill_table import SEND, SERVE, TWO, WORKER
from kill_trial import Tally, Variant, try_variant

FEW, SLOWER = 300, 8
"""A send to few readers lasts as long as one to many when the server takes its time."""
SOME = 2_500
"""So many that there is work for both workers: a job is a thousand rows."""


def assert_kept(tally: Tally, kills: int) -> None:
    assert tally.faults == []
    assert (tally.kills, tally.lost, tally.doubled) == (kills, 0, 0)


@pytest.mark.parametrize("variant", [SEND, SERVE, WORKER], ids=["send", "serve", "worker"])
def test_a_killed_sender_on_sqlite_loses_and_doubles_nobody(variant: Variant, tmp_path: Path) -> None:
    slow = replace(variant, delay_seconds=variant.delay_seconds * SLOWER)
    tally = try_variant(slow, f"sqlite:///{tmp_path / 'newsletter.db'}", tmp_path, kills=2, readers=FEW)
    assert_kept(tally, kills=2)


def test_of_two_workers_on_postgresql_the_other_takes_over_what_a_killed_one_left(
    own_postgres_url: str, tmp_path: Path
) -> None:
    tally = try_variant(TWO, own_postgres_url, tmp_path, kills=6, readers=SOME)
    assert_kept(tally, kills=6)
    assert tally.taken_over_seconds
