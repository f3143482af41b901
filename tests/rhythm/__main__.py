"""`make rhythm`: act out the large month and print its account; exit code 1 when anything is against the rules.

`python -m rhythm` simulates the month, `python -m rhythm processes` lives through it with real processes on PostgreSQL,
fewer readers and fewer hours; `--write FILE` puts what it prints into the page, between the marks for it.
"""

import argparse
import re
import sys
import time
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from postgres import find_programs, running_server

from rhythm.account import Account, judge
from rhythm.crew import crew_for
from rhythm.machine import machine_for, make_database
from rhythm.script import Extent, write

_LINES_EVERY_SECONDS = 20
_PROCESSES = Extent(
    zones=("Europe/Berlin", "America/New_York", "Australia/Sydney"),
    hours=(7,),
    is_calm=True,
)


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="?", choices=("month", "processes"), default="month")
    parser.add_argument("--readers", type=int, help="20,000 in the month, 500 with processes")
    parser.add_argument("--minutes", type=int, default=5, help="from one round of the month to the next")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", type=Path, help="the page to put the account into")
    chosen = parser.parse_args()
    began = time.monotonic()
    with TemporaryDirectory(prefix="newsletter-rhythm-") as folder:
        run = _month if chosen.what == "month" else _processes
        title, account = run(Path(folder), chosen)
    minutes = (time.monotonic() - began) / 60
    text = f"{title}; {minutes:.0f} minutes.\n\n{account}\n"
    _say(text)
    if chosen.write and account.is_clean:
        page = chosen.write.read_text("utf-8")
        marks = rf"(?<=<!-- {chosen.what} -->\n).*?(?=<!-- end -->)"
        chosen.write.write_text(re.sub(marks, lambda _: f"{text}\n", page, count=1, flags=re.DOTALL), "utf-8")
    return int(not account.is_clean)


def _month(folder: Path, chosen: argparse.Namespace) -> tuple[str, Account]:
    """The simulation."""
    readers = chosen.readers or 20_000
    extent = Extent()
    month = write(chosen.seed, readers, timedelta(minutes=chosen.minutes), extent)
    told = time.monotonic()

    def say(at: datetime) -> None:
        nonlocal told
        if time.monotonic() - told > _LINES_EVERY_SECONDS:
            told = time.monotonic()
            _say(f"{at:%Y-%m-%d %H:%M}: {machine.messages:,} messages")

    with machine_for(month, folder) as machine:
        machine.run(say)
        title = (
            f"{len(month.readers):,} readers in {len(extent.zones)} zones, {extent.first} to {extent.last}, "
            f"{machine.rounds:,} rounds, {sum(len(reader.changes) for reader in month.readers):,} changes by readers, "
            f"{len(month.outages)} outages, {machine.messages:,} messages, {machine.letters} letters to the staff; "
            f"seed {chosen.seed}"
        )
        return title, judge(month, machine)


def _processes(folder: Path, chosen: argparse.Namespace) -> tuple[str, Account]:
    """Real processes on PostgreSQL."""
    month = write(chosen.seed, chosen.readers or 500, timedelta(minutes=30), _PROCESSES)
    with ExitStack() as stack:
        server = stack.enter_context(running_server())
        url = server.url(server.create_database())
        make_database(url)
        crew = stack.enter_context(crew_for(month, url, folder, workers=2, seed=chosen.seed, say=_say))
        crew.act_out()
        account = crew.judge()
        title = (
            f"{len(month.readers):,} readers, {_PROCESSES.first} to {_PROCESSES.last}, two workers on PostgreSQL, "
            f"{crew.waves} waves, {crew.kills} kills, {crew.messages:,} messages, {account.unknown} unknown; "
            f"seed {chosen.seed}"
        )
        return title, account


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    if find_programs() is None and "processes" in sys.argv:
        sys.exit("PostgreSQL is not installed: `make system` brings it")
    sys.exit(main())
