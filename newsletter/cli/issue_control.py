"""`newsletter issue status`, `pause`, `resume`, `cancel`, `resend` and `unknown`."""

from dataclasses import asdict
from typing import Annotated

import typer

from newsletter.cli.hours_ahead import in_words
from newsletter.cli.output import AsJson, console, numbered, open_newsletter, print_json, print_table
from newsletter.delivery.counts import Ahead, ahead
from newsletter.delivery.history import entries
from newsletter.delivery.outcome import State
from newsletter.delivery.pauses import in_english
from newsletter.delivery.plan import find_mailing
from newsletter.editorial import sending
from newsletter.editorial.appointments import call_off
from newsletter.editorial.dispatch import standing
from newsletter.editorial.timetable import appointed_for

Slug = Annotated[str, typer.Argument(help="The issue's name, such as 2026-03-09.")]
_LISTED = 1000
"""So many unknown rows are listed; `newsletter log` lists any number."""


def status(slug: Slug, as_json: AsJson = False) -> None:
    """Show how a send stands; the counts always add up to the candidates."""
    newsletter = open_newsletter()
    with newsletter.reading() as session:
        saved = newsletter.issues(session).find(slug)
        stands = standing(newsletter, saved)
        at = appointed_for(session, saved.issue_id)
        mailing = find_mailing(session, saved.issue_id)
        later = ahead(session, mailing.id, newsletter.clock()) if mailing and mailing.id else Ahead()
        unknown = list(entries(session, slug=slug, state=State.UNKNOWN, limit=_LISTED))
    why = in_english(stands.why)
    if as_json:
        times = {"at": at} if at else {}
        counts = {**asdict(stands.counts), "later": asdict(later)}
        print_json({"slug": slug, "state": stands.state, "why": why, **times, **counts})
        return
    console().print(f"{slug}: {stands.state}" + (f" ({why})" if why else ""))
    if at and stands.state in ("draft", "approved"):
        zone = newsletter.settings.time_zone
        when = f"at {at.astimezone(zone):%Y-%m-%d %H:%M} ({zone})"
        if stands.state == "approved":
            console().print(f"It is sent by itself {when}.")
        else:
            console().print(
                f"It is not sent {when} unless it is approved again before: `newsletter issue approve {slug}`."
            )
    print_table([f"# {name}" for name in asdict(stands.counts)], [tuple(asdict(stands.counts).values())], "")
    if later.readers:
        console().print(in_words(later, newsletter.settings.time_zone))
    if unknown:
        console().print("\nUnknown: the server may or may not have these.")
        print_table(("address", "why"), [(entry.address, entry.reason) for entry in unknown], "")
        console().print(
            f"`newsletter issue unknown {slug} --accepted` takes them for sent; `--resend` sends them again, "
            "at the risk of a second copy."
        )


def pause(slug: Slug) -> None:
    """Hand nothing more over until it is resumed; what is on the wire ends by itself."""
    newsletter = open_newsletter()
    sending.pause(newsletter, slug)
    console().print(f"{slug} is paused; `newsletter issue resume {slug}` goes on.")


def resume(slug: Slug) -> None:
    """Go on with a paused send."""
    newsletter = open_newsletter()
    sending.resume(newsletter, slug)
    console().print(f"{slug} goes on where `newsletter serve`, `worker` or `issue send {slug}` runs.")


def cancel(slug: Slug) -> None:
    """Send nothing more of an issue, ever, or call off the time it was to be sent at."""
    newsletter = open_newsletter()
    if call_off(newsletter, slug):
        console().print(f"{slug} is not sent by itself any more.")
        return
    excluded = sending.cancel(newsletter, slug)
    console().print(f"{slug} is cancelled. Who had nothing yet gets nothing: {numbered(excluded, 'reader')}.")


def resend(slug: Slug) -> None:
    """Try those who were not reached once more; whoever has it, or may have it, is left alone."""
    newsletter = open_newsletter()
    again = sending.send_again(newsletter, slug)
    if again:
        where = f"where `newsletter serve`, `worker` or `issue send {slug}` runs"
        console().print(f"To be tried again: {numbered(again, 'reader')}, {where}.")
    else:
        console().print(f"{slug}: there are none to try again; addresses that do not exist are left alone.")


def unknown(
    slug: Slug,
    accepted: Annotated[bool, typer.Option("--accepted", help="Take them for sent.")] = False,
    resend: Annotated[bool, typer.Option("--resend", help="Send them again, at the risk of a second copy.")] = False,
) -> None:
    """Settle the messages of which nobody knows whether the server has them."""
    if accepted == resend:
        raise typer.BadParameter("say --accepted or --resend, one of them.")
    newsletter = open_newsletter()
    settled = sending.settle_unknown(newsletter, slug, accepted=accepted)
    minutes = newsletter.settings.unknown_wait.total_seconds() / 60
    what = (
        "taken for sent"
        if accepted
        else f"sent again, each at the earliest {minutes:.0f} min after it was lost sight of"
    )
    console().print(f"Settled: {numbered(settled, 'message')}, {what}.")
