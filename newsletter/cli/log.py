"""`newsletter log`."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from newsletter.cli.output import AsJson, find_person, open_newsletter, print_json, print_table
from newsletter.delivery.history import Entry, entries


def command(
    issue: Annotated[str, typer.Option(help="Only this issue.")] = "",
    address: Annotated[str, typer.Option(help="Only this reader.")] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many entries, the newest first.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what was sent to whom, when, with which reply; and for whom there was nothing, with the reason."""
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
            entry.reason if entry.code is None else f"{entry.code} {entry.reply}",
        )
        for entry in found
    ]
    columns = ("issue", "address", "state", "# stories", "# tries", "settled", "reply or reason")
    empty = "Nothing for this." if issue or address else "Nothing was sent yet; `newsletter issue send SLUG` does."
    print_table(columns, rows, empty)


def _stories(entry: Entry) -> list[Any]:
    return [story for _, stories in entry.edition if isinstance(stories, list) for story in stories]


def _as_json(entry: Entry) -> dict[str, Any]:
    groups = [{"topic": topic, "stories": stories} for topic, stories in entry.edition]
    return asdict(entry) | {"edition": groups}
