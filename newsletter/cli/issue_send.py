"""`newsletter issue send`: now, at a time, as a test, or as a rehearsal that nobody sees."""

import json
import logging
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from newsletter.app import Newsletter
from newsletter.cli.hours_ahead import in_words
from newsletter.cli.output import (
    AsJson,
    console,
    drain_notice,
    error_console,
    open_newsletter,
    plain,
    print_json,
    print_table,
    printable,
    progress_bar,
)
from newsletter.delivery.control import MailingState
from newsletter.delivery.counts import Ahead, Counts
from newsletter.delivery.outcome import Outcome, Verdict
from newsletter.delivery.pauses import in_english
from newsletter.delivery.plan import find_mailing
from newsletter.delivery.sender import Worked
from newsletter.delivery.transport import ServerRefused
from newsletter.editorial.appointments import appoint
from newsletter.editorial.dispatch import Dispatch, following, require_readers, standing
from newsletter.editorial.outbox import Outbox, open_outbox
from newsletter.editorial.rehearsal import rehearse
from newsletter.editorial.timetable import moment_from
from newsletter.editorial.trial import order_trial
from newsletter.storage.issues import IssueRefused
from newsletter.storage.seat import SenderRunning
from newsletter.storage.witness import require_not_held

Slug = Annotated[str, typer.Argument(help="The issue's name, such as 2026-03-09.")]
_LINE_SECONDS = 1.0


def send(
    slug: Slug,
    at: Annotated[
        str, typer.Option("--at", help="Send it by itself then, such as '2026-03-09 08:00' in the newsletter's zone.")
    ] = "",
    at_once: Annotated[
        bool, typer.Option("--at-once", help="To everybody now, also to those who chose an hour of their own.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Go the whole way into a local sink; nothing is sent or written down.")
    ] = False,
    to: Annotated[
        Path | None, typer.Option("--to", help="With --dry-run: the folder for the messages, one .eml each.")
    ] = None,
    test: Annotated[
        list[str] | None,
        typer.Option("--test", help="Send to this address only, marked as a test; repeatable."),
    ] = None,
    json_lines: Annotated[
        bool, typer.Option("--json-lines", help="Print progress as JSON, one object a line, the last one the result.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Send an approved issue to its readers now, or go on with a send that was stopped."""
    if sum((bool(at), bool(test), dry_run)) > 1:
        raise typer.BadParameter("say one of --at, --test and --dry-run.")
    if at_once and (at or test or dry_run):
        raise typer.BadParameter("--at-once is for a send to the readers now.")
    if as_json and json_lines:
        raise typer.BadParameter("say one of --json and --json-lines.")
    if to and not dry_run:
        raise typer.BadParameter("--to is for --dry-run alone.")
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # a broken line is an outcome here, not a log entry
    newsletter = open_newsletter()
    if test:
        _test(newsletter, slug, test)
    elif at:
        _appoint(newsletter, slug, at)
    elif dry_run:
        _rehearse(newsletter, slug, to or Path(f"dry-run-{slug}"), as_json)
    else:
        _send(newsletter, slug, _Teller(slug, json_lines=json_lines), as_json, at_once=at_once)


@dataclass
class _Teller:
    """Says how far a send is, as a bar for people or as lines for programs."""

    slug: str
    json_lines: bool
    began: float = field(default_factory=time.monotonic)
    told: float = 0

    @contextmanager
    def bar(self, title: str) -> Iterator[Callable[[int, int | None], None]]:
        if not self.json_lines:
            with progress_bar(title) as bar:
                yield bar
            return

        def tell(done: int, total: int | None) -> None:
            seconds = time.monotonic() - self.began
            if seconds - self.told >= _LINE_SECONDS:
                self.told = seconds
                self.line({"event": title.lower(), "done": done, "total": total, "seconds": round(seconds, 1)})

        yield tell

    def line(self, value: dict[str, object]) -> None:
        if self.json_lines:
            typer.echo(json.dumps({"slug": self.slug, **value}, ensure_ascii=False, default=plain))


def _send(newsletter: Newsletter, slug: str, teller: _Teller, as_json: bool, *, at_once: bool) -> None:
    require_not_held(newsletter.engine, newsletter.database_file)  # before anything is begun
    with newsletter.reading() as session:
        begun = find_mailing(session, newsletter.issues(session).find(slug).issue_id)
    if begun is None:
        require_readers(newsletter)
    dispatch = Dispatch.of(newsletter, slug, at_once=at_once)
    with teller.bar("Planning") as bar:
        planned = 0
        for rows in dispatch.plan():
            planned += rows
            bar(planned, None)
    before = dispatch.counts()
    total = before.queued + before.deferred - dispatch.ahead().readers
    with teller.bar("Sending") as bar:
        worked = _hand_over(newsletter, dispatch, bar, total)
    counts, later, state = dispatch.counts(), dispatch.ahead(), dispatch.state()
    ends = {"stopped": worked.stopped, "trouble": worked.trouble}
    result = {"slug": slug, **asdict(counts), "later": asdict(later), **ends}
    with newsletter.reading() as session:
        saved = newsletter.issues(session).find(slug)
    teller.line({"event": "end", "state": standing(newsletter, saved).state, **result})
    if as_json:
        print_json(result)
    elif not teller.json_lines:
        _say(newsletter, slug, total, counts, later, state[0])
    _complain(slug, worked, state)


def _hand_over(
    newsletter: Newsletter, dispatch: Dispatch, bar: Callable[[int, int | None], None], total: int
) -> Worked:
    """Do the work here, or watch another process of this database do it."""
    verdicts: Counter[str] = Counter()

    def count(outcome: Outcome) -> None:
        verdicts[outcome.verdict] += 0 if outcome.blames_server else 1
        bar(verdicts.total(), total)

    while True:
        if not dispatch.is_watched():
            with suppress(SenderRunning), open_outbox(newsletter) as outbox, _stopped_by_signals(newsletter, outbox):
                return dispatch.send(outbox, count)
        try:
            for counts in following(dispatch):
                bar(total + dispatch.ahead().readers - counts.queued - counts.deferred, total)
        except KeyboardInterrupt:
            error_console().print("newsletter: another process of this database goes on with it.")
            return Worked()
        if dispatch.is_idle():
            return Worked()


@contextmanager
def _stopped_by_signals(newsletter: Newsletter, outbox: Outbox) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM drain, and a second one end at once."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        error_console().print(drain_notice(newsletter))
        outbox.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(newsletter: Newsletter, slug: str, total: int, counts: Counts, later: Ahead, state: str) -> None:
    left = counts.queued + counts.deferred
    over = "stopped for good" if state == MailingState.CANCELLED else "not all sent yet" if left else "sent"
    if left and left == later.readers:
        over = "sent to everybody whose hour has come" if total else "nothing was due"
    console().print(f"{slug}: {over if total or left else 'nothing was left to send'}.")
    print_table([f"# {name}" for name in asdict(counts)], [tuple(asdict(counts).values())], "")
    if later.readers:
        console().print(
            f"{in_words(later, newsletter.settings.time_zone)} Where `newsletter serve` or `newsletter worker` runs it "
            f"goes on by itself; else run `newsletter issue send {slug}` again then."
        )
    if counts.deferred:
        console().print(f"{counts.deferred} deferred by the server; run `newsletter issue send {slug}` again later.")
    if counts.failed:
        console().print(
            f"{counts.failed} failed; `newsletter log --issue {slug}` shows the server's replies. Addresses that do "
            "not exist are suppressed from now on: `newsletter suppression list`."
        )
    if counts.excluded and not counts.accepted:
        console().print(f"{counts.excluded} excluded; `newsletter log --issue {slug}` says why each of them.")
    if counts.unknown:
        console().print(f"{counts.unknown} unknown; `newsletter issue status {slug}` lists them.")


def _complain(slug: str, worked: Worked, state: tuple[str, str]) -> None:
    if worked.trouble:
        error_console().print(
            f"newsletter: no mail server could be used: {worked.trouble}. Nobody is lost; `newsletter doctor` looks "
            f"for the cause, and `newsletter issue send {slug}` goes on."
        )
    if worked.stopped:
        error_console().print(f"newsletter: stopped; `newsletter issue send {slug}` goes on.")
    if state[0] == MailingState.PAUSED:
        error_console().print(f"newsletter: paused ({in_english(state[1])}); `newsletter issue resume {slug}` goes on.")
    if state[0] == MailingState.CANCELLED:
        error_console().print(f"newsletter: {slug} was cancelled.")
    if worked.trouble or worked.stopped or state[0] in (MailingState.PAUSED, MailingState.CANCELLED):
        raise SystemExit(1)


def _test(newsletter: Newsletter, slug: str, addresses: list[str]) -> None:
    refused = False
    try:
        outcomes = order_trial(newsletter, slug, addresses)
    except ServerRefused as refusal:
        raise IssueRefused(
            f"no mail server could be used: {refusal}. `newsletter doctor` looks for the cause."
        ) from None
    for address, outcome in outcomes:
        refused |= outcome.verdict is not Verdict.ACCEPTED
        reply = f"{outcome.code or ''} {outcome.reply}".strip()
        console().print(printable(f"{address}: {outcome.verdict} ({reply})"))
    raise SystemExit(1 if refused else 0)


def _appoint(newsletter: Newsletter, slug: str, at: str) -> None:
    zone = newsletter.settings.time_zone
    try:
        moment = moment_from(at, zone)
    except ValueError:
        raise IssueRefused(f"--at {at!r} is no time; write it such as '2026-03-09 08:00'.") from None
    appoint(newsletter, slug, moment)
    console().print(
        f"{slug} is sent at {moment.astimezone(zone):%Y-%m-%d %H:%M} ({zone}), if `newsletter serve` or "
        f"`newsletter worker` runs then; `newsletter issue cancel {slug}` calls it off."
    )


def _rehearse(newsletter: Newsletter, slug: str, folder: Path, as_json: bool) -> None:
    rehearsal = rehearse(newsletter, slug, folder)
    if as_json:
        print_json(asdict(rehearsal))
        return
    counts = asdict(rehearsal.counts)
    print_table([f"# {name}" for name in counts], [tuple(counts.values())], "")
    rate = rehearsal.counts.accepted / rehearsal.sending_seconds if rehearsal.sending_seconds else 0
    console().print(
        f"Planned in {rehearsal.planning_seconds:.1f} s, sent in {rehearsal.sending_seconds:.1f} s "
        f"({rate:,.0f} messages a second into a sink on this machine), {rehearsal.size_bytes / 1000:,.0f} kB in all."
    )
    console().print(f"The messages lie in {folder}; nobody got one, and nothing was written down.")
