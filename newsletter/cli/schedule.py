"""`newsletter schedule …`."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Annotated, Any

import typer

from newsletter.app import Newsletter
from newsletter.cli.output import AsJson, console, numbered, open_newsletter, print_json, print_table
from newsletter.editorial.going_on import Come, Standstill, go_on, standstill
from newsletter.editorial.outlook import Moment, Outlook, outlook
from newsletter.readers.letters import count_due
from newsletter.setting_values import in_pieces
from newsletter.settings import SettingsRefused, ValueRefused
from newsletter.staff.choosing import choose
from newsletter.staff.rights import COMMAND_LINE

app = typer.Typer()

_MEANINGS = {
    "approved": "approved",
    "draft": "not approved yet",
    "none": "no issue of that day yet",
    "sent": "sent already",
    "own time": "goes out at a time of its own",
}

_TYPED = {
    "slot": "the slot",
    "days_off": "--days-off",
    "weekly_day": "--weekly-day",
    "too_late_minutes": "--limit",
}
"""What each setting is called by whoever types the command."""


@app.command()
def show(as_json: AsJson = False) -> None:
    """Show when issues go out by themselves: slot, days off, limit, and the next moments with their issues."""
    newsletter = open_newsletter()
    seen = outlook(newsletter)
    if as_json:
        print_json(_as_json(newsletter, seen))
        return
    settings, out = newsletter.settings, console()
    if not settings.slot:
        out.print('No slot is set: every issue is sent by hand. `newsletter schedule set "mon-fri 08:00"` sets one.')
    else:
        out.print(f"Slot: {settings.slot} ({settings.zone})")
    off = ", ".join(_span(first, last) for first, last in seen.days_off)
    out.print(f"Days off within a year: {off or 'none'}")
    out.print(f"Weekly digest, for whoever chose no day: {settings.weekly_day}")
    out.print(f"Limit: {settings.too_late_minutes} min after the slot, for an approval or a sender that was away")
    out.print(
        f"Active readers: {seen.at_slot:,} at the slot, {seen.at_own_hour:,} at an hour of their own in their zone"
    )
    if seen.held:
        out.print("Held back: nothing is sent. `newsletter schedule resume --dry-run` says why, and what waits.")
    if seen.waiting and seen.until:
        out.print(
            f"\nThe slot of {seen.waiting.at:%H:%M} waits until {seen.until:%Y-%m-%d %H:%M}: {_say(seen.waiting)}."
        )
    if settings.slot:
        out.print("")
        rows = [(one.at, one.slug, _MEANINGS[one.state], one.title) for one in seen.moments]
        print_table(("next", "issue", "state", "title"), rows, "Nothing goes out within a year: every day is off.")


@app.command("set")
def set_(
    slot: Annotated[
        str | None, typer.Argument(help="Days and an hour such as `mon-fri 08:00`, or an empty text for none.")
    ] = None,
    days_off: Annotated[
        str | None,
        typer.Option(help="2026-10-01, 2026-10-01..2026-10-07 or 12-25 (every year), with commas; empty: none."),
    ] = None,
    weekly_day: Annotated[str | None, typer.Option(help="mon to sun: the day of the weekly digest.")] = None,
    limit: Annotated[
        int | None, typer.Option(help="Minutes that the slot waits, or may be late: 1 to 1440, which is a day.")
    ] = None,
) -> None:
    """Choose when issues go out by themselves; it counts in all processes within seconds."""
    off = None if days_off is None else in_pieces(days_off)
    given = {"slot": slot, "days_off": off, "weekly_day": weekly_day, "too_late_minutes": limit}
    values = {name: value for name, value in given.items() if value is not None}
    if not values:
        raise typer.BadParameter("say what: a slot, --days-off, --weekly-day or --limit")
    newsletter = open_newsletter()
    try:
        choose(newsletter, COMMAND_LINE, values)
    except ValueRefused as refusal:
        raise SettingsRefused(_refused(refusal, values)) from None
    seen = outlook(newsletter)
    console().print("Kept.")
    if seen.waiting and seen.until:
        console().print(
            f"The slot of {seen.waiting.at:%H:%M} has come and waits until {seen.until:%H:%M}: {_say(seen.waiting)}."
        )
    if seen.moments:
        console().print(f"The next one: {seen.moments[0].at:%Y-%m-%d %H:%M}, {_say(seen.moments[0])}.")
    else:
        console().print("Nothing goes out by itself.")


@app.command()
def resume(
    skip_due: Annotated[
        bool, typer.Option("--skip-due", help="What was due before now counts as sent elsewhere, and is not sent.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be sent.")] = False,
) -> None:
    """Send again from a database that was restored from a copy; shows first what it would send now."""
    newsletter = open_newsletter()
    stands, out = standstill(newsletter), console()
    if not stands.why:
        on_postgresql = "" if newsletter.database_file else ": there is no witness of a PostgreSQL database"
        out.print(f"Nothing is held back{on_postgresql}.")
        return
    out.print(f"Held back: {stands.says}\n")
    with newsletter.reading() as session:
        letters = count_due(session, newsletter.clock())
    _print_waiting(newsletter, stands, letters)
    if dry_run:
        return
    skipped = go_on(newsletter, skip_due=skip_due)
    if skipped is None:
        out.print("Somebody else has said go on already.")
    elif skip_due:
        what = f"{numbered(skipped.readers, 'reader')}, {numbered(skipped.moments, 'moment')}"
        out.print(f"Going on. Counted as sent elsewhere: {what}.")
        if skipped.ready:
            slugs = ", ".join(one.slug for one in skipped.ready)
            out.print(f"Not approved any more: {slugs}. What was not sent since: `newsletter issue approve SLUG`.")
    else:
        out.print("Going on: where `newsletter serve` or `worker` runs, what waits is sent.")


def _print_waiting(newsletter: Newsletter, stands: Standstill, letters: int) -> None:
    """What would be sent if it went on now."""
    rows = [
        (one.slug, one.state if one.is_planned else f"{one.state}, not planned to its end", one.due, one.later)
        for one in stands.mailings
    ]
    columns = "mailing", "state", "# their hour has come", "# their hour is to come"
    print_table(columns, rows, "No mailing waits.")
    zone, out = newsletter.settings.time_zone, console()
    for one in stands.moments:
        out.print(f"{one.at.astimezone(zone):%Y-%m-%d %H:%M} has come: {_what(one)}.")
    for ready in stands.ready:
        at = ready.at.astimezone(zone) if ready.at else None
        by_itself = f", would go out by itself at {at:%Y-%m-%d %H:%M}" if at else ""
        out.print(f"{ready.slug} is approved in the copy{by_itself}: was it sent since?")
    if stands.ready:
        out.print("With --skip-due it is not approved any more: approve it again to send it.")
    out.print(f"Letters to single people that wait: {letters:,}\n")


def _what(moment: Come) -> str:
    return moment.slug or ("the weekly digest" if moment.is_digest else "the daily slot, with the issue of that day")


def _say(moment: Moment) -> str:
    """How the issue of a moment stands, in a sentence's end."""
    is_one = moment.state in ("approved", "draft")
    return f"{moment.slug} is {_MEANINGS[moment.state]}" if is_one else _MEANINGS[moment.state]


def _refused(refusal: ValueRefused, values: Mapping[str, Any]) -> str:
    """What cannot be, by the word that was typed for it."""
    typed = repr(refusal.piece or values[refusal.name])
    said = "" if typed in refusal.problem else f" {typed}"
    return f"{_TYPED[refusal.name]}{said}: {refusal.problem}."


def _span(first: date, last: date) -> str:
    return first.isoformat() if first == last else f"{first} to {last}"


def _as_json(newsletter: Newsletter, seen: Outlook) -> dict[str, Any]:
    settings = newsletter.settings
    return {
        "slot": settings.slot,
        "zone": settings.zone,
        "days_off": [{"first": first, "last": last} for first, last in seen.days_off],
        "weekly_day": settings.weekly_day,
        "limit_minutes": settings.too_late_minutes,
        "held": seen.held,
        "waiting": asdict(seen.waiting) | {"until": seen.until} if seen.waiting else None,
        "next": [asdict(moment) for moment in seen.moments],
        "readers": {"at_slot": seen.at_slot, "at_own_hour": seen.at_own_hour},
    }
