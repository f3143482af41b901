"""Measure everything, print a table, write `benchmarks/results.json`; exit code 1 when a bar is missed."""

import json
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.compiling import compiling
from benchmarks.measure import Result
from benchmarks.messages import per_message, size
from benchmarks.reading import hostile, reading
from benchmarks.start_up import start_up

RESULTS = Path(__file__).parent / "results.json"
WORDS = {True: "holds", False: "MISSED", None: "not run"}


def main() -> int:
    """Run every benchmark in turn."""
    results: list[Result] = []
    for measure in (per_message, compiling, start_up, reading, hostile, size):
        results.append(measure())
        Console(stderr=True).print(f"{results[-1].name}: {WORDS[results[-1].holds]}")
    table = Table(box=None, pad_edge=False)
    for column in ("figure", "ratio", "bar", "", "detail"):
        table.add_column(column, overflow="fold")
    for one in results:
        ratio = "–" if one.ratio is None else f"{one.ratio:,.2f}"
        table.add_row(one.name, ratio, one.bar, WORDS[one.holds], one.detail)
    Console().print(table)
    RESULTS.write_text(json.dumps([asdict(one) for one in results], ensure_ascii=False, indent=1) + "\n", "utf-8")
    return 1 if any(one.holds is False for one in results) else 0


if __name__ == "__main__":
    raise SystemExit(main())
