"""Hearing judges: each is shown its bad samples first, then ours; one table tells what they say."""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic

from rich.console import Console
from rich.table import Table
from rich.text import Text

from inbox.judge import Judge, Ruling, Shown

_STYLES = {"pass": "green", "FAIL": "bold red", "not run": "yellow"}


@dataclass(frozen=True, slots=True)
class Row(Generic[Shown]):
    """One judge in the table; `details` are the rulings that went against us."""

    judge: Judge[Shown]
    version: str
    figure: str
    state: str
    details: tuple[str, ...] = ()


def hear(asked: Sequence[Judge[Shown]], samples: Sequence[Shown]) -> list[Row[Shown]]:
    """Ask the judges one after the other and print the table, with what went against us below it."""
    console = Console(width=None if sys.stdout.isatty() else 140)
    rows = []
    for judge in asked:
        with console.status(f"{judge.name}…"):
            rows.append(heard(judge, samples))
    console.print(_table(rows))
    for row in rows:
        for detail in row.details:
            console.print(Text(f"{row.judge.name}: {detail}", style="red"))
    return rows


def exit_code(rows: Sequence[Row[Shown]]) -> int:
    """1 when a judge said no, or did not run where NEWSLETTER_TESTS_COMPLETE is set."""
    bad = {"FAIL", "not run"} if os.environ.get("NEWSLETTER_TESTS_COMPLETE") else {"FAIL"}
    return 1 if any(row.state in bad for row in rows) else 0


def called(judge: Judge[Shown]) -> str:
    """The first word of a judge's name in small letters: what it is asked for by."""
    return judge.name.partition(" ")[0].rstrip(",").lower()


def chosen(judges: Sequence[Judge[Shown]], names: Sequence[str], refuse: Callable[[str], object]) -> list[Judge[Shown]]:
    """The judges of these names, all when there are none; `refuse` is told of a name that nobody has."""
    known = dict.fromkeys(called(judge) for judge in judges)
    if unknown := [name for name in names if name not in known]:
        refuse(f"no judge is called {', '.join(unknown)}; there are {', '.join(known)}")
    return [judge for judge in judges if not names or called(judge) in names]


def heard(judge: Judge[Shown], samples: Sequence[Shown]) -> Row[Shown]:
    """What a judge says; where it breaks down, a failure with its words, so that the others are still heard."""
    try:
        return _heard(judge, samples)
    except Exception as error:  # noqa: BLE001  # programs of others fail in ways that nobody can list
        said = " ".join(f"{type(error).__name__}: {error}".split())
        return Row(judge, "", "it broke down", "FAIL", (said,))


def _heard(judge: Judge[Shown], samples: Sequence[Shown]) -> Row[Shown]:
    """The ruling of a judge, after it has rejected what it must reject."""
    if lack := judge.lack():
        return Row(judge, "", lack, "not run")
    let_pass = [ruling for ruling in judge.judge_bad() if ruling.passed]
    if let_pass:
        said = tuple(f"lets {ruling.sample} pass ({ruling.figure})" for ruling in let_pass)
        return Row(judge, judge.version(), "it lets a bad sample pass", "FAIL", said)
    rulings = judge.judge(samples)
    against = tuple(f"{ruling.sample}: {ruling.figure}" for ruling in rulings if not ruling.passed)
    return Row(judge, judge.version(), _figure(rulings), "FAIL" if against or not rulings else "pass", against)


def _figure(rulings: Sequence[Ruling]) -> str:
    if not rulings:
        return "it judged nothing"
    worst = max(rulings, key=lambda ruling: (not ruling.passed, ruling.worst))
    return worst.figure if len(rulings) == 1 else f"{worst.figure} (worst of {len(rulings)}, {worst.sample})"


def _table(rows: Sequence[Row[Shown]]) -> Table:
    table = Table("judge", "version", "figure", "bar", "verdict")
    for row in rows:
        state = Text(row.state, style=_STYLES[row.state])
        table.add_row(row.judge.name, row.version, row.figure, row.judge.bar, state)
    return table


def markdown(rows: Sequence[Row[Shown]]) -> str:
    """The table for a page of the documentation."""
    head = "| judge | version | figure | bar | verdict |\n| --- | --- | --- | --- | --- |\n"
    cells = [(row.judge.name, row.version, row.figure, row.judge.bar, row.state) for row in rows]
    return head + "".join(f"| {' | '.join(line)} |\n" for line in cells)
