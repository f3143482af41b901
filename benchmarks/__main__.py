"""Measure everything, print a table, write `benchmarks/results.json`; exit code 1 when a bar is missed.

`python -m benchmarks [NAME…]` measures only what is named; `long` stands for all that takes half an hour.
"""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.compiling import compiling
from benchmarks.growth import a_million, growth, growth_long
from benchmarks.keystroke import keystroke
from benchmarks.measure import Result
from benchmarks.messages import per_message, size
from benchmarks.pages import pages
from benchmarks.reading import hostile, reading
from benchmarks.repeats import repeats
from benchmarks.rhythm import rhythm, rhythm_long
from benchmarks.sending import sending_beside_loop, sending_on_postgresql, sending_with_10, sending_with_20
from benchmarks.signing import signing
from benchmarks.start_up import start_up
from benchmarks.workers import two_workers, two_workers_slow_server

RESULTS = Path(__file__).parent / "results.json"
WORDS = {True: "holds", False: "MISSED", None: "not run"}
Measure = Callable[[], Result | list[Result]]
USUAL: tuple[Measure, ...] = (
    per_message,
    compiling,
    keystroke,
    repeats,
    start_up,
    reading,
    hostile,
    size,
    signing,
    sending_with_10,
    sending_with_20,
    sending_beside_loop,
    sending_on_postgresql,
    two_workers,
    two_workers_slow_server,
    growth,
    rhythm,
    pages,
)
LONG: tuple[Measure, ...] = (growth_long, rhythm_long, a_million)
NAMED = {measure.__name__: (measure,) for measure in (*USUAL, *LONG)} | {"long": LONG}


def main(names: Sequence[str]) -> int:
    """Run the benchmarks with these names, or the usual ones, in turn."""
    if unknown := set(names) - NAMED.keys():
        print(f"there is no {', '.join(sorted(unknown))}; there are: {', '.join(NAMED)}", file=sys.stderr)
        return 2
    results: list[Result] = []
    for measure in [one for name in names for one in NAMED[name]] or USUAL:
        found = measure()
        for one in [found] if isinstance(found, Result) else found:
            results.append(one)
            Console(stderr=True).print(f"{one.name}: {WORDS[one.holds]}")
    _print(results)
    RESULTS.write_text(json.dumps([asdict(one) for one in results], ensure_ascii=False, indent=1) + "\n", "utf-8")
    return 1 if any(one.holds is False for one in results) else 0


def _print(results: Sequence[Result]) -> None:
    table = Table(box=None, pad_edge=False)
    for column in ("figure", "ratio", "bar", "", "detail"):
        table.add_column(column, overflow="fold")
    for one in results:
        ratio = "–" if one.ratio is None else f"{one.ratio:,.2f}"
        table.add_row(one.name, ratio, one.bar, WORDS[one.holds], one.detail)
    Console().print(table)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
