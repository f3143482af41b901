"""`newsletter issue digest`: building the weekly digest of a day, to look at or to approve it before it goes out."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

import typer

from newsletter.app import Newsletter
from newsletter.cli.output import AsJson, console, numbered, open_newsletter, print_json, print_table, printable
from newsletter.editorial.digest import Built, build
from subscribers.preferences import DAYS


def digest(
    on: Annotated[str, typer.Argument(metavar="[DATE]", help="Its date, such as 2026-03-13; else today.")] = "",
    as_json: AsJson = False,
) -> None:
    """Build the weekly digest of a day: for its preview, and to approve it before it goes out by itself."""
    newsletter = open_newsletter()
    built = build(newsletter, _date(on) if on else newsletter.today())
    if as_json:
        print_json(_told(newsletter, built))
    else:
        _print(newsletter, built)


def _told(newsletter: Newsletter, built: Built) -> dict[str, object]:
    return {
        "slug": built.saved.slug,
        "title": built.saved.issue.title,
        "date": built.saved.issue.date,
        "since": built.week.since.astimezone(newsletter.settings.time_zone),
        "covers": list(built.week.covered),
        "days": ["none" if day is None else DAYS[day] for day in built.days],
        "stories": built.topics,
        "readers": built.readers,
    }


def _print(newsletter: Newsletter, built: Built) -> None:
    slug, since = built.saved.slug, built.week.since.astimezone(newsletter.settings.time_zone)
    stories = numbered(len(built.saved.issue.stories), "story", "stories")
    issues = numbered(len({origin.issue for _, origin in built.saved.issue.origins}), "issue")
    console().print(f"{slug}: {stories} of {issues} that went out since {since:%Y-%m-%d %H:%M}.")
    rows = [(printable(topic) or "no topic", many) for topic, many in built.topics.items()]
    print_table(("topic", "# stories"), rows, "No stories.")
    readers = f"{numbered(built.readers, 'weekly reader')}{_whose_day(built.days)}"
    console().print(f"For {readers}. Who had a story, or one that tells the same, does not get it again.")
    if built.saved.approved_hash:
        console().print("It is approved as it is.")
    ways = (f"newsletter issue {deed} {slug}" for deed in ("preview", "approve", "send"))
    console().print("Go on with " + ", ".join(f"`{way}`" for way in ways) + ".")


def _whose_day(days: Sequence[int | None]) -> str:
    names = [DAYS[day] for day in days if day is not None]
    if len(names) == len(DAYS):
        return ""
    return f" whose day is {' or '.join(names)}{', or who chose none' if None in days else ''}"


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("should be a date such as 2026-03-13", param_hint="DATE") from None
