"""Who got what of an issue, and why, as a table."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from newsletter.app import Newsletter
from newsletter.content.inline import plain
from newsletter.delivery.history import Entry, entries
from newsletter.delivery.outcome import State
from subscribers.models import Subscriber
from subscribers.preference_columns import preferences_of
from subscribers.preferences import MailFormat, Preferences

BRAND = "#1677ff"

REASONS = {
    "no match": "no story of this issue has the reader's topic",
    "paused": "paused: wants nothing for now",
    "weekly": "asked for a weekly mail, not this one",
    "suppressed": "on the list of addresses that are not written to",
    "unsubscribed": "has unsubscribed, so is no candidate at all",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one reader: the titles they got in the order of the mail, or the reason why there are none."""

    name: str
    address: str
    wishes: str
    titles: tuple[str, ...]
    reason: str


def outcomes(newsletter: Newsletter, slug: str) -> list[Outcome]:
    """Look up in the log what became of every reader, in the order in which they came."""
    with newsletter.session() as session:
        issue = newsletter.issues(session).find(slug).issue
        written = {entry.address: entry for entry in entries(session, slug=slug)}
        readers = newsletter.people(session).list()
    titles = {story.id: plain(story.title) for story in issue.stories}
    return [_outcome(reader, written.get(reader.ascii_address), titles) for reader in readers]


def print_summary(out: Console, found: Sequence[Outcome]) -> None:
    """Print the table, those who got something first."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style=f"bold {BRAND}")
    table.add_column("reader", no_wrap=True)
    table.add_column("asked for", ratio=3)
    table.add_column("got", justify="right", no_wrap=True)
    table.add_column("first story, or why nothing", ratio=5)
    for one in sorted(found, key=lambda outcome: not outcome.titles):
        got = f"[green]{len(one.titles)}[/]" if one.titles else "[yellow]–[/]"
        told = escape(one.titles[0]) if one.titles else f"[yellow]{escape(one.reason)}[/]"
        table.add_row(escape(one.name), f"[dim]{escape(one.wishes)}[/]", got, told)
    out.print(table)


def _outcome(reader: Subscriber, entry: Entry | None, titles: Mapping[str, str]) -> Outcome:
    sent = entry is not None and entry.state == State.ACCEPTED
    reason = str(reader.state if entry is None else entry.reason)
    return Outcome(
        name=reader.name,
        address=reader.address or "",
        wishes=" · ".join(_wishes(preferences_of(reader))),
        titles=tuple(titles[str(story)] for _, stories in entry.edition for story in stories) if sent else (),
        reason=REASONS.get(reason, reason),
    )


def _wishes(preferences: Preferences) -> Iterator[str]:
    yield ", ".join(preferences.topics)
    if preferences.follow:
        yield f"follows {'、'.join(preferences.follow)}"
    if preferences.mute:
        yield f"mutes {'、'.join(preferences.mute)}"
    if preferences.most:
        yield f"at most {preferences.most}"
    if preferences.format is MailFormat.TEXT:
        yield "text only"
    if preferences.language == "en":
        yield "in English"
