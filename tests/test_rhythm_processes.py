"""Real processes, killed about each wave of a day, hand everything over once and at its time."""

from datetime import date, timedelta
from pathlib import Path

from rhythm.crew import crew_for
from rhythm.machine import make_database
from rhythm.script import Extent, write

STEP = timedelta(minutes=30)
READERS = 200
ONE_DAY = Extent(
    date(2026, 4, 4), date(2026, 4, 4), ("Europe/Berlin", "Australia/Sydney"), (8, 20), is_calm=True, is_still=True
)
"""On the evening of this day summer time ends in Sydney."""
SLOTS = Extent(date(2026, 4, 2), date(2026, 4, 4), ("Europe/Berlin",), (8,), is_calm=True, is_still=True)
"""Three days on which everybody has the hour of the slot."""


def test_of_two_workers_on_postgresql_one_may_be_killed_about_each_wave(own_postgres_url: str, tmp_path: Path) -> None:
    with crew_for(write(1, READERS, STEP, ONE_DAY), own_postgres_url, tmp_path, workers=2) as crew:
        crew.act_out()
        account = crew.judge()
    assert account.is_clean, str(account)
    assert crew.kills == crew.waves >= 3


def test_on_sqlite_the_one_worker_may_be_killed_before_at_and_after_the_slot(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'newsletter.db'}"
    make_database(url)
    with crew_for(write(2, READERS, STEP, SLOTS), url, tmp_path, workers=1, kills_each=2) as crew:
        crew.act_out()
        account = crew.judge()
    assert account.is_clean, str(account)
    assert (crew.waves, crew.kills) == (3, 6)
