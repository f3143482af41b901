"""`newsletter log`."""

from dataclasses import asdict
from datetime import date
from typing import Annotated, Any

import typer

from newsletter.app import Newsletter
from newsletter.cli.answer_words import Sayer
from newsletter.cli.answer_words import as_json as answer_as_json
from newsletter.cli.output import (
    AsJson,
    console,
    find_person,
    open_newsletter,
    print_json,
    print_table,
    printable,
)
from newsletter.delivery.history import Entry, entries
from newsletter.delivery.outcome import State
from newsletter.editorial.answers import answer, day_from


def command(
    issue: Annotated[str, typer.Option(help="Only this issue.")] = "",
    address: Annotated[str, typer.Option(help="Only this reader.")] = "",
    day: Annotated[
        str, typer.Option("--day", help="With --address: what they got on that date and why, such as 2026-03-09.")
    ] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many entries, the newest first.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what was sent to whom, when, with which reply; and for whom there was nothing, with the reason."""
    if day:
        _answer(issue, address, limit, _date(day), machine=as_json)
        return
    newsletter = open_newsletter()
    with newsletter.reading() as session:
        if issue:
            newsletter.issues(session).find(issue)
        reader = find_person(newsletter.people(session), address).id if address else None
        found = list(entries(session, slug=issue, subscriber_id=reader, limit=limit))
    if as_json:
        print_json([_as_json(entry) for entry in found])
        return
    rows = [
        (
            entry.issue,
            entry.address or "(forgotten)",
            entry.state,
            len(_stories(entry)),
            len(entry.tries),
            entry.settled_at and entry.settled_at.astimezone(newsletter.settings.time_zone),
            _said(newsletter, entry),
        )
        for entry in found
    ]
    columns = ("issue", "address", "state", "# stories", "# tries", "settled", "reply or reason")
    empty = "Nothing for this." if issue or address else "Nothing was sent yet; `newsletter issue send SLUG` does."
    print_table(columns, rows, empty)


def _answer(issue: str, address: str, limit: int | None, day: date, *, machine: bool) -> None:
    """What one reader got on a day, and why."""
    if not address or issue or limit:
        raise typer.BadParameter("--day goes with --address alone.")
    newsletter = open_newsletter()
    with newsletter.reading() as session:
        reader = find_person(newsletter.people(session), address)
    found = answer(newsletter, reader.id or 0, day)
    if machine:
        print_json(answer_as_json(reader.address or "", found))
        return
    for line in Sayer(newsletter.settings.time_zone).lines(reader.address or "", found):
        console().print(printable(line))


def _date(text: str) -> date:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"--day {printable(text)!r} is no date; write it such as 2026-03-09.") from None
    try:
        return day_from(text)
    except ValueError as reason:
        raise typer.BadParameter(f"--day {text} is too far away: {reason}.") from None


def _said(newsletter: Newsletter, entry: Entry) -> str:
    """The server's reply or the reason; of who still waits for their hour until when."""
    if entry.code is not None:
        return f"{entry.code} {entry.reply}"
    if entry.state == State.QUEUED and entry.next_at > newsletter.clock():
        return f"waits until {entry.next_at.astimezone(newsletter.settings.time_zone):%Y-%m-%d %H:%M}"
    return entry.reason or ""


def _stories(entry: Entry) -> list[Any]:
    return [story for _, stories in entry.edition if isinstance(stories, list) for story in stories]


def _as_json(entry: Entry) -> dict[str, Any]:
    groups = [{"topic": topic, "stories": stories} for topic, stories in entry.edition]
    return asdict(entry) | {"edition": groups}
