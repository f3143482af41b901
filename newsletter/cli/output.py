"""What commands print: tables for people, JSON for programs, findings with their place."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from newsletter.app import Newsletter
from newsletter.content.diagnostics import Diagnostic, Severity
from newsletter.settings import load
from subscribers.models import Subscriber
from subscribers.people import SubscriberRefused, SubscriberStore

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of a table.")]


def open_newsletter() -> Newsletter:
    """The newsletter of the present settings."""
    return Newsletter(load())


def find_person(store: SubscriberStore, address: str) -> Subscriber:
    """The subscriber of an address, or `SubscriberRefused` with what to do."""
    person = store.get(address)
    if person is None:
        raise SubscriberRefused(f"{printable(address)} is no subscriber; `newsletter subscriber list` shows who is.")
    return person


def console() -> Console:
    """The terminal on standard output; nothing printed to it is taken for markup or highlighted."""
    return Console(markup=False, highlight=False, emoji=False, soft_wrap=True)


def error_console() -> Console:
    """The terminal on standard error, for progress and findings."""
    return Console(stderr=True, markup=False, highlight=False, emoji=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """One JSON value, readable Chinese, dates as ISO 8601."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=1, default=plain))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """A table, or one line that says that there is nothing and what to do about it."""
    lines = list(rows)
    if not lines:
        console().print(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(
            column, justify="right" if column.startswith("#") else "left", overflow="fold", no_wrap=column == "address"
        )
    for line in lines:
        table.add_row(*(Text(_cell(value)) for value in line))
    Console(markup=False, highlight=False, emoji=False).print(table)


def print_findings(findings: Iterable[Diagnostic], name: str) -> None:
    """Findings as `file:line: severity: message [code]`, errors in red, on standard error."""
    out = error_console()
    for finding in findings:
        place = f"{name}:{finding.line}" if finding.line else name
        style = "red" if finding.severity is Severity.ERROR else "yellow"
        out.print(
            Text.assemble(
                f"{place}: ", (f"{finding.severity}: ", style), printable(finding.message), f" [{finding.code}]"
            )
        )


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int | None], None]]:
    """A bar on standard error that is told how much is done and of how much; nothing where that is no terminal."""
    out = error_console()
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def numbered(number: int, one: str, many: str = "") -> str:
    """A number with its noun: `1 story`, `2 stories`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def drain_notice(newsletter: Newsletter) -> str:
    """What to say to somebody who stopped a send: why it does not end at once."""
    return (
        f"Stopping: what is on the wire may end, for up to {newsletter.settings.drain_seconds:g} s. "
        "Ctrl-C again ends it at once."
    )


def printable(text: str) -> str:
    """Text without the control characters that could steer a terminal."""
    return "".join(character if character.isprintable() or character == "\n" else " " for character in text)


def plain(value: object) -> str:
    """What JSON has no word for, as text."""
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def _cell(value: object) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    return printable(str(value))
