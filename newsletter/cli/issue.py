"""`newsletter issue …`: reading, keeping and previewing issues; sending them is in `newsletter.cli.issue_send`."""

import sys
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.exc import DBAPIError

from newsletter.app import Newsletter
from newsletter.cli.issue_control import cancel, pause, resend, resume, status, unknown
from newsletter.cli.issue_digest import digest
from newsletter.cli.issue_send import send
from newsletter.cli.output import (
    AsJson,
    console,
    error_console,
    numbered,
    open_newsletter,
    print_findings,
    print_json,
    print_table,
    printable,
)
from newsletter.content.as_json import issue_to_json, reading_to_json
from newsletter.content.diagnostics import Severity
from newsletter.content.export import to_markdown
from newsletter.content.reading import Reading
from newsletter.editorial import approval, intake, preview, readership
from newsletter.editorial.dispatch import standing
from newsletter.editorial.timetable import appointed_for, moment_from
from newsletter.settings import SettingsRefused, load
from newsletter.staff import accounts
from newsletter.staff.rights import COMMAND_LINE, Actor, Right
from newsletter.storage.engine import DatabaseRefused
from newsletter.storage.issues import IssueRefused
from subscribers.topics import Catalogue

app = typer.Typer()
for command in (digest, send, status, pause, resume, cancel, resend, unknown):
    app.command()(command)

Slug = Annotated[str, typer.Argument(help="The issue's name, such as 2026-03-09.")]
OnDate = Annotated[str, typer.Option("--date", help="The issue's date, whatever the text says, such as 2026-03-09.")]
Title = Annotated[str, typer.Option(help="The issue's title, whatever the text says.")]
Topic = Annotated[str, typer.Option(help="The topic of sections whose heading means none.")]


class Format(StrEnum):
    """What a preview can be written as."""

    HTML = "html"
    TEXT = "text"
    EML = "eml"


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="The text of an issue.", readable=False)],
    topic: Topic = "",
    title: Title = "",
    on: OnDate = "",
    as_json: AsJson = False,
) -> None:
    """Read and judge a text without keeping anything; needs no settings and no database."""
    reading = _check(intake.read_file(file), title, _date(on), topic)
    if as_json:
        print_json(reading_to_json(reading))
    else:
        print_findings(reading.diagnostics, str(file))
        console().print(_summary(reading))
    if reading.errors:
        raise SystemExit(1)


@app.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(help="Texts of issues.", readable=False)],
    topic: Topic = "",
    title: Title = "",
    on: OnDate = "",
    draft: Annotated[
        bool, typer.Option("--draft", help="Keep it in spite of errors; approval waits for them.")
    ] = False,
) -> None:
    """Keep issues, or new revisions of them: the same date and title again is a revision."""
    newsletter = open_newsletter()
    refused = 0
    for file in files:
        try:
            data = intake.read_file(file)
            reading = intake.read(newsletter, data, title=title, on=_date(on), topic=topic)
            print_findings(reading.diagnostics, str(file))
            saved, new = intake.take_in(newsletter, reading, data, draft=draft)
        except IssueRefused as refusal:
            error_console().print(f"newsletter: {file}: not imported: {refusal}")
            refused += 1
            continue
        what = f"revision {saved.number}" if new else f"unchanged, still revision {saved.number}"
        console().print(f"{saved.slug}: {what}. {_summary(reading)}")
    if refused:
        raise SystemExit(1)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Show the issues, the newest first."""
    newsletter = open_newsletter()
    with newsletter.reading() as session:
        saved = newsletter.issues(session).all()
    rows = [
        {
            "slug": one.slug,
            "title": one.issue.title,
            "date": one.issue.date,
            "state": standing(newsletter, one).state,
            "kind": "digest" if one.issue.is_digest else "issue",
            "revision": one.number,
            "stories": len(one.issue.stories),
        }
        for one in saved
    ]
    if as_json:
        print_json(rows)
        return
    lines = [tuple(row.values()) for row in rows]
    columns = ("slug", "title", "date", "state", "kind", "# revision", "# stories")
    print_table(columns, lines, "No issues yet; `newsletter issue import FILE` brings one in.")


@app.command()
def show(slug: Slug, as_json: AsJson = False) -> None:
    """Show what an issue holds, and what is left to mend in it."""
    newsletter = open_newsletter()
    with newsletter.reading() as session:
        saved = newsletter.issues(session).find(slug)
    state = standing(newsletter, saved).state
    if as_json:
        facts = {"slug": slug, "state": state, "revision": saved.number, "created_at": saved.created_at}
        findings = reading_to_json(Reading(saved.issue, saved.diagnostics))["diagnostics"]
        print_json(facts | issue_to_json(saved.issue) | {"diagnostics": findings})
        return
    issue = saved.issue
    console().print(printable(f"{slug}  {issue.title}  {issue.date}  {state}, revision {saved.number}"))
    for section in issue.sections:
        console().print(printable(f"\n{' / '.join(section.path) or section.title}  [{section.topic or 'no topic'}]"))
        for story in section.stories:
            source = f"  ({story.source.name})" if story.source else ""
            console().print(printable(f"  {story.id}  {story.title}{source}"))
    print_findings(saved.diagnostics, slug)


@app.command()
def export(
    slug: Slug,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write, else standard output.")
    ] = None,
    original: Annotated[bool, typer.Option("--original", help="The text as it was imported, byte for byte.")] = False,
) -> None:
    """Write an issue as canonical Markdown; reading it again gives the same issue."""
    newsletter = open_newsletter()
    with newsletter.reading() as session:
        store = newsletter.issues(session)
        saved = store.find(slug)
        data = store.source(saved.revision_id) if original else to_markdown(saved.issue).encode()
    _write(data, output)


@app.command()
def approve(
    slug: Slug,
    address: Annotated[str, typer.Option("--as", help="As this member of the staff, not as the command line.")] = "",
) -> None:
    """Release an issue for sending as it is now; any change to it voids that."""
    newsletter = open_newsletter()
    saved, largest = approval.approve(newsletter, slug, _approver(newsletter, address) if address else COMMAND_LINE)
    console().print(
        f"{slug}: revision {saved.number} approved; its fullest edition has {largest / 1000:.1f} kB of HTML."
    )
    with newsletter.reading() as session:
        at = appointed_for(session, saved.issue_id)
    if at and at > newsletter.clock():
        zone = newsletter.settings.time_zone
        console().print(f"It keeps its time and is sent by itself at {at.astimezone(zone):%Y-%m-%d %H:%M} ({zone}).")
    for warning in approval.unfit_for_real_mail(newsletter):
        error_console().print(f"warning: {warning}.", style="yellow")
    if largest > approval.WARN_HTML_BYTES:
        error_console().print(f"That is close to where Gmail cuts mails off ({approval.MOST_HTML_BYTES // 1000} kB).")


@app.command("preview")
def preview_(
    slug: Slug,
    address: Annotated[str, typer.Option("--as", help="As this reader gets it.")] = "",
    topics: Annotated[str, typer.Option(help="As somebody with these topics gets it, such as policy,models.")] = "",
    language: Annotated[str, typer.Option(help="zh or en, with --topics.")] = "zh",
    form: Annotated[Format, typer.Option("--format", help="What to write.")] = Format.HTML,
    at: Annotated[
        str, typer.Option("--at", help="With --as: as a send at this time brings it, such as '2026-03-09 08:00'.")
    ] = "",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write, else standard output.")
    ] = None,
) -> None:
    """Write the exact mail of one reader, or of a set of topics, before it is sent."""
    if address and topics:
        raise typer.BadParameter("give --as or --topics, not both", param_hint="--as")
    if at and not address:
        raise typer.BadParameter("only a reader's own mail has a time: give --as too", param_hint="--at")
    newsletter = open_newsletter()
    if address:
        mail = preview.preview_for(newsletter, slug, address, _moment(newsletter, at) if at else None)
        if mail.left_out:
            error_console().print(f"{printable(address)} would not get this mail now: {mail.left_out}.")
    else:
        wanted = tuple(slug.strip() for slug in topics.split(",") if slug.strip())
        mail = preview.preview_topics(newsletter, slug, wanted, language)
    match form:
        case Format.HTML:
            _write(mail.html.encode(), output)
        case Format.TEXT:
            _write(mail.text.encode(), output)
        case Format.EML:
            _write(mail.message.data, output)


@app.command()
def coverage(slug: Slug, as_json: AsJson = False) -> None:
    """Show how many readers would get 0, 1, n stories, and how large the fullest edition is."""
    newsletter = open_newsletter()
    covered, left_out, largest = readership.coverage(newsletter, slug)
    if as_json:
        print_json(
            {
                "readers": covered.readers,
                "by_stories": covered.by_stories,
                "by_topic": covered.by_topic,
                "left_out": left_out,
                "editions": sum(1 for edition in covered.editions if edition),
                "largest_html_bytes": largest,
            }
        )
        return
    share = {stories: f"{readers / covered.readers:.0%}" for stories, readers in covered.by_stories.items()}
    rows = [(stories, readers, share[stories]) for stories, readers in covered.by_stories.items()]
    print_table(("# stories", "# readers", "# share"), rows, "No readers yet.")
    per_topic = [(topic, readers) for topic, readers in sorted(covered.by_topic.items(), key=lambda pair: -pair[1])]
    console().print()
    print_table(("topic", "# readers with a story of it"), per_topic, "Nobody gets anything.")
    editions = sum(1 for edition in covered.editions if edition)
    console().print(f"\n{numbered(editions, 'distinct edition')}; the fullest has {largest / 1000:.1f} kB of HTML.")
    if left_out:
        console().print("Left out: " + ", ".join(f"{readers} {reason}" for reason, readers in left_out.items()) + ".")


def _approver(newsletter: Newsletter, address: str) -> Actor:
    """The member of the staff with that address, who may approve; raises `StaffRefused`."""
    with newsletter.reading() as session:
        actor = accounts.actor_of(accounts.find(session, address))
    if not actor.may(Right.APPROVE):
        raise accounts.StaffRefused(f"{actor.address} may not approve: that takes the role of an editor.")
    return actor


def _check(data: bytes, title: str, on: date | None, topic: str) -> Reading:
    """Judge against the topics of the database in this folder where one can be used, else against those that ship."""
    try:
        return intake.read(Newsletter(load()), data, title=title, on=on, topic=topic)
    except (SettingsRefused, DatabaseRefused, DBAPIError):
        error_console().print("No newsletter can be used here, so this is judged by the topics that ship.", style="dim")
        return intake.check(data, datetime.now(UTC).astimezone().date(), Catalogue(), title=title, on=on, topic=topic)


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise typer.BadParameter("should be a date such as 2026-03-09", param_hint="--date") from None


def _moment(newsletter: Newsletter, text: str) -> datetime:
    try:
        return moment_from(text, newsletter.settings.time_zone)
    except ValueError:
        raise typer.BadParameter("should be a time such as '2026-03-09 08:00'", param_hint="--at") from None


def _summary(reading: Reading) -> str:
    issue = reading.issue
    if issue is None:
        return "Nothing could be read."
    errors = len(reading.errors)
    warnings = sum(finding.severity is Severity.WARNING for finding in reading.diagnostics)
    return printable(
        f"{issue.format}: {issue.title or 'no title'}, {issue.date or 'no date'}: "
        f"{numbered(len(issue.sections), 'section')}, {numbered(len(issue.stories), 'story', 'stories')}, "
        f"{numbered(errors, 'error')}, {numbered(warnings, 'warning')}."
    )


def _write(data: bytes, output: Path | None) -> None:
    if output is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        output.write_bytes(data)
        error_console().print(f"{output}: {len(data):,} bytes.")
