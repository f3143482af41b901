"""The kill table: senders killed at random moments, checked against what the server really received.

`python tests/kill_table.py --kills 200 --readers 5000` prints it, variant by variant, and exits with 1 when a promise
was broken; `--write FILE` puts it into `docs/explanation/kill-table.md`. The moments come from `--seed`.
"""

import argparse
import math
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from kill_books import MOST_IN_HAND
from kill_trial import Tally, Variant, try_variant
from postgres import find_programs, running_server

SEND = Variant("SQLite: `issue send`, run again", ("issue", "send", "{slug}"), 0.006)
SERVE = Variant("SQLite: `serve`, started again", ("serve", "--port", "0"), 0.006)
WORKER = Variant("SQLite: `worker`, started again", ("worker",), 0.006)
TWO = Variant("PostgreSQL: one of two `worker`s", ("worker",), 0.03, processes=2, on_postgres=True)
SHARES = {SEND: 0.3, SERVE: 0.2, WORKER: 0.15, TWO: 0.35}
"""How the kills are shared out."""

_HEAD = (
    "", "sends", "kills", "before the next message", "lost", "doubled", f"most in hand (≤ {MOST_IN_HAND})",
    "unknown, received", "unknown, not received", "next message: median", "worst", "taken over: median", "worst",
)  # fmt: skip
_TABLE = re.compile(r"(?<=<!-- table -->\n).*?(?=<!-- end -->)", re.DOTALL)


def table(tallies: Sequence[Tally]) -> str:
    """The table, in Markdown, with a line that sums up."""
    lines: list[Sequence[object]] = [_HEAD, ["---", *["---:"] * (len(_HEAD) - 1)]]
    lines += [
        (tally.variant.name, *_counts(tally), *_seconds(tally.next_seconds), *_seconds(tally.taken_over_seconds))
        for tally in tallies
    ]
    *sums, _in_hand, received, not_received = (sum(column) for column in zip(*map(_counts, tallies), strict=True))
    most_in_hand = max(tally.most_in_hand for tally in tallies)
    lines.append(("all", *sums, most_in_hand, received, not_received, *[""] * 4))
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def _counts(tally: Tally) -> tuple[int, ...]:
    run = (tally.sends, tally.kills, tally.early, tally.lost, tally.doubled)
    return (*run, tally.most_in_hand, tally.unknown_received, tally.unknown_not_received)


def _seconds(times: Sequence[float]) -> tuple[str, str]:
    return (f"{median(times):.1f} s", f"{max(times):.1f} s") if times else ("", "")


def _run(variant: Variant, kills: int, readers: int, seed: int) -> Tally:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="newsletter-kills-")))
        url = f"sqlite:///{folder / 'newsletter.db'}"
        if variant.on_postgres:
            server = stack.enter_context(running_server())
            url = server.url(server.create_database())
        return try_variant(variant, url, folder, kills, readers, seed)


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def main() -> int:
    """Run the experiment, print the table, and say what went wrong."""
    parser = argparse.ArgumentParser(description="Kill senders at random moments, and check what the server received.")
    parser.add_argument("--kills", type=int, default=200, help="in all")
    parser.add_argument("--readers", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="a part of a variant's name")
    parser.add_argument("--write", type=Path, help="the page to put the table into")
    chosen = parser.parse_args()
    if find_programs() is None:
        parser.exit(1, "PostgreSQL is not installed: `make system` brings it\n")
    tallies = []
    for variant, share in SHARES.items():
        if chosen.only in variant.name:
            began = time.monotonic()
            tally = _run(variant, math.ceil(chosen.kills * share), chosen.readers, chosen.seed)
            tallies.append(tally)
            _say(f"{variant.name}: {tally.kills} kills in {time.monotonic() - began:.0f} s", *tally.faults)
    _say(table(tallies))
    broken = any(tally.faults for tally in tallies)
    if chosen.write and not broken:
        page = chosen.write.read_text("utf-8")
        chosen.write.write_text(_TABLE.sub(lambda _: table(tallies), page), "utf-8")
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
