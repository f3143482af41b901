"""`make inbox`: show every sample edition to every judge, print one table, end with 1 when one of them says no.

Each judge is shown its bad samples first. A judge that this machine lacks is reported as not run; where
NEWSLETTER_TESTS_COMPLETE is set, that is a failure too. A judge that breaks down fails. `python -m inbox NAME…` asks
only the judges so named; `--write FILE` puts the table into a page, between its marks.
"""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from inbox.judge import Judge, Ruling, Sample
from inbox.judges import ALL
from inbox.samples import samples

_BETWEEN_MARKS = re.compile(r"(?<=<!-- table -->\n).*?(?=<!-- end -->)", re.DOTALL)
_STYLES = {"pass": "green", "FAIL": "bold red", "not run": "yellow"}


@dataclass(frozen=True, slots=True)
class Row:
    """One judge in the table; `details` are the rulings that went against us."""

    judge: Judge
    version: str
    figure: str
    state: str
    details: tuple[str, ...] = ()


def main(asked: Sequence[Judge], page: Path | None) -> int:
    """Ask the judges, print the table, write it into `page`; the exit code."""
    mails = list(samples())
    console = Console(width=None if sys.stdout.isatty() else 140)
    rows = []
    for judge in asked:
        with console.status(f"{judge.name}…"):
            rows.append(heard(judge, mails))
    console.print(_table(rows))
    for row in rows:
        for detail in row.details:
            console.print(Text(f"{row.judge.name}: {detail}", style="red"))
    if page:
        page.write_text(_BETWEEN_MARKS.sub(lambda _: _markdown(rows), page.read_text("utf-8")), "utf-8")
    complete = bool(os.environ.get("NEWSLETTER_TESTS_COMPLETE"))
    bad = {"FAIL", "not run"} if complete else {"FAIL"}
    return 1 if any(row.state in bad for row in rows) else 0


def called(judge: Judge) -> str:
    """The first word of a judge's name in small letters: what it is asked for by."""
    return judge.name.partition(" ")[0].rstrip(",").lower()


def heard(judge: Judge, mails: Sequence[Sample]) -> Row:
    """What a judge says; where it breaks down, a failure with its words, so that the others are still heard."""
    try:
        return _heard(judge, mails)
    except Exception as error:  # noqa: BLE001  # programs of others fail in ways that nobody can list
        said = " ".join(f"{type(error).__name__}: {error}".split())
        return Row(judge, "", "it broke down", "FAIL", (said,))


def _heard(judge: Judge, mails: Sequence[Sample]) -> Row:
    """The ruling of a judge, after it has rejected what it must reject."""
    if lack := judge.lack():
        return Row(judge, "", lack, "not run")
    let_pass = [ruling for ruling in judge.judge_bad() if ruling.passed]
    if let_pass:
        said = tuple(f"lets {ruling.sample} pass ({ruling.figure})" for ruling in let_pass)
        return Row(judge, judge.version(), "it lets a bad sample pass", "FAIL", said)
    rulings = judge.judge(mails)
    against = tuple(f"{ruling.sample}: {ruling.figure}" for ruling in rulings if not ruling.passed)
    return Row(judge, judge.version(), _figure(rulings), "FAIL" if against or not rulings else "pass", against)


def _figure(rulings: Sequence[Ruling]) -> str:
    if not rulings:
        return "it judged nothing"
    worst = max(rulings, key=lambda ruling: (not ruling.passed, ruling.worst))
    return worst.figure if len(rulings) == 1 else f"{worst.figure} (worst of {len(rulings)}, {worst.sample})"


def _table(rows: Sequence[Row]) -> Table:
    table = Table("judge", "version", "figure", "bar", "verdict")
    for row in rows:
        state = Text(row.state, style=_STYLES[row.state])
        table.add_row(row.judge.name, row.version, row.figure, row.judge.bar, state)
    return table


def _markdown(rows: Sequence[Row]) -> str:
    head = "| judge | version | figure | bar | verdict |\n| --- | --- | --- | --- | --- |\n"
    cells = [(row.judge.name, row.version, row.figure, row.judge.bar, row.state) for row in rows]
    return head + "".join(f"| {' | '.join(line)} |\n" for line in cells)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", type=str.lower, metavar="NAME")
    parser.add_argument("--write", type=Path, metavar="FILE")
    given = parser.parse_args()
    names = dict.fromkeys(called(judge) for judge in ALL)
    if unknown := [name for name in given.names if name not in names]:
        parser.error(f"no judge is called {', '.join(unknown)}; there are {', '.join(names)}")
    sys.exit(main([judge for judge in ALL if not given.names or called(judge) in given.names], given.write))
