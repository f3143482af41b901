"""`newsletter issue send` and `issue status`."""

import logging
from collections import Counter
from dataclasses import asdict
from typing import Annotated

import typer

from newsletter.cli.output import AsJson, console, error_console, open_newsletter, print_json, print_table, progress_bar
from newsletter.delivery.history import entries
from newsletter.delivery.ledger import Counts
from newsletter.delivery.outcome import Outcome, State
from newsletter.editorial.dispatch import Dispatch, standing

Slug = Annotated[str, typer.Argument(help="The issue's name, such as 2026-03-09.")]


def send(slug: Slug, as_json: AsJson = False) -> None:
    """Send an approved issue to its readers now, or go on with a send that was stopped."""
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # a broken line is an outcome here, not a log entry
    newsletter = open_newsletter()
    dispatch = Dispatch.of(newsletter, slug)
    with progress_bar("Planning") as bar:
        planned = 0
        for rows in dispatch.plan():
            planned += rows
            bar(planned, None)
    before = dispatch.counts()
    total = before.queued + before.deferred
    verdicts: Counter[str] = Counter()
    with progress_bar("Sending") as bar:

        def count(outcome: Outcome) -> None:
            verdicts[outcome.verdict] += 0 if outcome.blames_server else 1
            bar(verdicts.total(), total)

        ended = dispatch.send(count)
    counts = dispatch.counts()
    if as_json:
        print_json(
            {
                "slug": slug,
                **asdict(counts),
                "stopped": ended.stopped,
                "trouble": ended.trouble,
            }
        )
    else:
        _say(slug, total, counts)
    if ended.trouble:
        error_console().print(
            f"newsletter: the mail server could not be used: {ended.trouble}. Nothing is lost; mend it and run again."
        )
    if ended.stopped:
        error_console().print(f"newsletter: stopped; `newsletter issue send {slug}` goes on.")
    if ended.trouble or ended.stopped:
        raise SystemExit(1)


def status(slug: Slug, as_json: AsJson = False) -> None:
    """Show how a send stands; the counts always add up to the candidates."""
    newsletter = open_newsletter()
    with newsletter.reading() as session:
        stands = standing(newsletter, newsletter.issues(session).find(slug))
        unknown = list(entries(session, slug=slug, state=State.UNKNOWN))
    if as_json:
        print_json({"slug": slug, "state": stands.state, **asdict(stands.counts)})
        return
    console().print(f"{slug}: {stands.state}")
    print_table([f"# {name}" for name in asdict(stands.counts)], [tuple(asdict(stands.counts).values())], "")
    if unknown:
        console().print("\nUnknown: the server may or may not have these; they are not sent again by themselves.")
        print_table(("address", "why"), [(entry.address, entry.reason) for entry in unknown], "")


def _say(slug: str, total: int, counts: Counts) -> None:
    left = counts.queued + counts.deferred
    console().print(f"{slug}: {'nothing was left to send' if not total else 'not all sent yet' if left else 'sent'}.")
    print_table([f"# {name}" for name in asdict(counts)], [tuple(asdict(counts).values())], "")
    if counts.deferred:
        console().print(f"{counts.deferred} deferred by the server; run `newsletter issue send {slug}` again later.")
    if counts.failed:
        console().print(f"{counts.failed} failed; `newsletter log --issue {slug}` shows the server's replies.")
    if counts.unknown:
        console().print(f"{counts.unknown} unknown; `newsletter issue status {slug}` lists them.")
