"""`newsletter subscriber …`."""

import sys
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Any

import typer

from newsletter.app import Newsletter
from newsletter.cli.output import (
    AsJson,
    console,
    error_console,
    find_person,
    open_newsletter,
    print_json,
    print_table,
    printable,
    progress_bar,
)
from newsletter.delivery.moving_hours import move_waiting
from newsletter.readers.forgetting import forget as forget_person
from subscribers.addresses import parse_address
from subscribers.csv_export import export_csv
from subscribers.csv_import import import_csv
from subscribers.csv_report import ImportReport, LineReport
from subscribers.models import State, Subscriber
from subscribers.preference_columns import preferences_of
from subscribers.preferences import (
    DAYS,
    Frequency,
    MailFormat,
    Preferences,
    PreferencesRefused,
    check_preferences,
    of_topics,
    split_list,
)
from subscribers.sign_ups import SignUpStore
from subscribers.topic_store import TopicRefused, unknown_topic

app = typer.Typer()
Address = Annotated[str, typer.Argument(help="The e-mail address.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@app.command()
def add(
    address: Address,
    topics: Annotated[str, typer.Option(help="Topic slugs in the reader's order, such as policy,models.")],
    name: Annotated[str, typer.Option(help="What to call them.")] = "",
    language: Annotated[str, typer.Option(help="zh or en, for labels and dates.")] = "zh",
    frequency: Annotated[Frequency, typer.Option(help="How often.")] = Frequency.DAILY,
    frequencies: Annotated[
        str, typer.Option(help="How often single topics, such as policy=weekly;models=important.")
    ] = "",
    day: Annotated[str, typer.Option(help="The day of what comes weekly, mon to sun; else the newsletter's.")] = "",
    hour: Annotated[int | None, typer.Option(min=0, max=23, help="Their own hour; else as soon as it is out.")] = None,
    zone: Annotated[str, typer.Option(help="The time zone of the hour; else the newsletter's.")] = "",
    mail_format: Annotated[MailFormat, typer.Option("--format", help="Both parts, or text alone.")] = MailFormat.HTML,
    most: Annotated[int | None, typer.Option(min=1, help="At most so many stories a mail.")] = None,
    follow: Annotated[str, typer.Option(help="Keywords to follow, separated by ;")] = "",
    mute: Annotated[str, typer.Option(help="Keywords to mute, separated by ;")] = "",
) -> None:
    """Add a reader who agreed to be written to; they are active at once."""
    newsletter = open_newsletter()
    with newsletter.session() as session:
        chosen = _topics(newsletter, topics)
        preferences = Preferences(
            topics=chosen,
            frequency=frequency,
            frequencies=_frequencies(frequencies, chosen),
            day=_day(day),
            hour=hour,
            zone=zone or (None if hour is None else newsletter.settings.zone),
            language=language,
            most=most,
            follow=split_list(follow),
            mute=split_list(mute),
            format=mail_format,
        )
        person = newsletter.people(session).add(address, preferences, name=name)
    told = f"with {', '.join(person.topics)}" if person.topics else "without a topic, so they will get nothing yet"
    console().print(f"{person.address}: added, {person.state}, {told}.")


@app.command("list")
def list_(
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
    topic: Annotated[str | None, typer.Option(help="Only those who chose this topic.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show readers, in the order in which they came."""
    newsletter = open_newsletter()
    with newsletter.reading() as session:
        store = newsletter.people(session)
        people, counts = store.list(state, topic, limit), store.count_by_state()
    if as_json:
        print_json([_as_json(person) for person in people])
        return
    rows = [
        (person.address, person.name, person.state, ", ".join(person.topics), person.frequency, person.language)
        for person in people
    ]
    empty = "No readers yet; `newsletter subscriber add` or `newsletter subscriber import` brings some."
    print_table(("address", "name", "state", "topics", "how often", "language"), rows, empty)
    if sum(counts.values()) > len(people):
        error_console().print(f"Shown: {len(people)} of " + ", ".join(f"{n} {s}" for s, n in counts.items() if n))


@app.command()
def show(address: Address, as_json: AsJson = False) -> None:
    """Show one reader: preferences, consent, whether they are suppressed, and what waits for them to confirm it."""
    newsletter = open_newsletter()
    with newsletter.reading() as session:
        store = newsletter.people(session)
        waiting = SignUpStore(session).waiting(parse_address(address))
        person = store.get(address) if waiting else find_person(store, address)
        consents = store.consents(person) if person else ()
        suppressed = newsletter.suppression(session).is_suppressed(address)
    facts: dict[str, Any] = (
        _as_json(person) if person else {"address": waiting[-1].address, "state": "not confirmed"}
    ) | {
        "suppressed": suppressed,
        "consent": [
            one.model_dump(include={"at", "kind", "detail", "source", "wording", "origin"}) for one in consents
        ],
        "unconfirmed": [one.model_dump(include={"created_at", "source", "wording", "origin"}) for one in waiting],
    }
    if as_json:
        print_json(facts)
        return
    said = "; ".join(_said(one.at, one.kind, one.source, one.origin) for one in consents)
    asked = "; ".join(_said(one.created_at, one.source, one.origin) for one in waiting)
    shown = {name: ", ".join(value) if name in ("topics", "follow", "mute") else value for name, value in facts.items()}
    if person:
        shown["frequencies"] = "; ".join(f"{topic}={own}" for topic, own in person.frequencies.items())
    print_table(("", ""), [*(shown | {"consent": said, "unconfirmed": asked}).items()], "")


@app.command()
def unsubscribe(address: Address) -> None:
    """Write to a reader no more, also in a send that is running."""
    newsletter = open_newsletter()
    with newsletter.session() as session:
        store = newsletter.people(session)
        changed = store.unsubscribe(find_person(store, address), "command")
    console().print(f"{address}: {'unsubscribed' if changed else 'had unsubscribed already'}.")


@app.command()
def pause(
    address: Address,
    until: Annotated[str, typer.Option(help="The first day to be written to again, such as 2026-12-01.")] = "",
) -> None:
    """Write nothing to a reader for a while, or until `resume`."""
    newsletter = open_newsletter()
    with newsletter.session() as session:
        store = newsletter.people(session)
        store.pause(find_person(store, address), _start_of(until, newsletter))
    console().print(f"{address}: paused{f' until {until}' if until else ''}.")


@app.command()
def resume(address: Address) -> None:
    """End a pause."""
    newsletter = open_newsletter()
    with newsletter.session() as session:
        store = newsletter.people(session)
        store.resume(find_person(store, address))
    console().print(f"{address}: active.")


@app.command()
def forget(address: Address, yes: Yes = False) -> None:
    """Erase who a reader was; a keyed hash keeps the address from being written to again."""
    newsletter = open_newsletter()
    if not yes:
        typer.confirm(f"Erase {printable(address)} from readers and the log for good?", abort=True)
    with newsletter.reading() as session:
        person = find_person(newsletter.people(session), address)
    forget_person(newsletter, person.public_id, "command")
    console().print(f"{address}: forgotten.")


@app.command("import")
def import_(
    file: Annotated[
        Path,
        typer.Argument(help="A CSV file; its first line names the columns.", readable=False),
    ],
    state: Annotated[str, typer.Option(help="active, or pending for people who have yet to confirm.")] = "active",
    as_json: AsJson = False,
) -> None:
    """Bring readers in from a CSV file; those who left or are suppressed stay as they are."""
    if state not in (State.ACTIVE, State.PENDING):
        raise typer.BadParameter("is active or pending", param_hint="--state")
    newsletter = open_newsletter()
    with newsletter.session() as session, file.open("rb") as stream, progress_bar("Readers") as bar:
        report = import_csv(
            session,
            stream,
            key=newsletter.address_key,
            topics=newsletter.topics(session).catalogue(),
            zone=newsletter.settings.zone,
            now=newsletter.clock(),
            state=State(state),
            source=file.name,
            on_progress=bar,
            on_line=None if as_json else lambda line: _say_line(file, line),
            on_rhythm=lambda reader: move_waiting(session, reader, newsletter.clock()),
        )
    if as_json:
        print_json(_report_json(report))
    else:
        _say_report(report)
    if report.refused:
        raise SystemExit(1)


@app.command()
def export(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write, else standard output.")
    ] = None,
) -> None:
    """Write all readers as CSV, safe to open in a spreadsheet."""
    newsletter = open_newsletter()
    with newsletter.reading() as session:
        if output is None:
            sys.stdout.reconfigure(newline="")  # type: ignore[union-attr]  # RFC 4180 line ends are written as they are
            export_csv(session, sys.stdout)
            return
        with output.open("w", encoding="utf-8-sig", newline="") as stream:
            count = export_csv(session, stream)
    console().print(f"{output}: {count} readers.")


def _topics(newsletter: Newsletter, text: str) -> tuple[str, ...]:
    with newsletter.reading() as session:
        catalogue = newsletter.topics(session).catalogue()
    slugs = tuple(dict.fromkeys(slug.strip() for slug in text.replace(";", ",").split(",") if slug.strip()))
    for slug in slugs:
        if catalogue.get(slug) is None:
            raise TopicRefused(unknown_topic(slug, catalogue))
    return slugs


def _frequencies(text: str, topics: tuple[str, ...]) -> tuple[tuple[str, Frequency], ...]:
    """Read `policy=weekly;models=important`, the topics in their order."""
    found: dict[str, Frequency] = {}
    for item in split_list(text.replace(",", ";")):
        slug, _, word = (piece.strip() for piece in item.partition("="))
        if word not in tuple(Frequency):
            raise PreferencesRefused(
                f"--frequencies: {printable(item)} is none; write policy=weekly, with one of {', '.join(Frequency)}."
            )
        found[slug] = Frequency(word)
    check_preferences(Preferences(topics, frequencies=tuple(found.items())))
    return of_topics(found.items(), topics)


def _day(word: str) -> int | None:
    if not word:
        return None
    if word.casefold() not in DAYS:
        raise PreferencesRefused(f"--day: {printable(word)} is none; write one of {', '.join(DAYS)}.")
    return DAYS.index(word.casefold())


def _start_of(day: str, newsletter: Newsletter) -> datetime | None:
    if not day:
        return None
    try:
        moment = datetime.combine(date.fromisoformat(day), time(), newsletter.settings.time_zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise PreferencesRefused(f"--until: {printable(day)} is no date; write it like 2026-12-01.") from None
    if moment <= newsletter.clock():
        raise PreferencesRefused(f"--until: {day} is over already; `newsletter subscriber resume` ends a pause.")
    return moment


def _said(at: datetime, *words: str) -> str:
    return " ".join([f"{at:%Y-%m-%d %H:%M}", *filter(None, words)])


def _as_json(person: Subscriber) -> dict[str, Any]:
    preferences = preferences_of(person)
    return {
        "address": person.address,
        "name": person.name,
        "state": str(person.state),
        "paused_until": person.paused_until,
        "topics": list(preferences.topics),
        "frequency": str(preferences.frequency),
        "language": preferences.language,
        "zone": preferences.zone,
        "hour": preferences.hour,
        "most": preferences.most,
        "follow": list(preferences.follow),
        "mute": list(preferences.mute),
        "format": str(preferences.format),
        "day": None if preferences.day is None else DAYS[preferences.day],
        "frequencies": {topic: str(own) for topic, own in preferences.frequencies},
        "created_at": person.created_at,
    }


def _report_json(report: ImportReport) -> dict[str, Any]:
    counts = {name: getattr(report, name) for name in ("added", "updated", "unchanged", "kept", "refused")}
    lines = [
        {"line": one.line, "address": one.address, "outcome": str(one.outcome), "reason": one.reason}
        for one in report.lines
    ]
    return counts | {
        "without_topics": report.without_topics,
        "ignored_columns": list(report.ignored_columns),
        "lines": lines,
    }


def _say_line(file: Path, line: LineReport) -> None:
    error_console().print(
        f"{file}:{line.line}: {line.address or 'no address'}: {line.outcome}, {printable(line.reason)}"
    )


def _say_report(report: ImportReport) -> None:
    counts = (f"{getattr(report, name)} {name}" for name in ("added", "updated", "unchanged", "kept", "refused"))
    console().print(", ".join(counts) + ".")
    if report.ignored_columns:
        console().print(f"Columns that mean nothing here and were not read: {', '.join(report.ignored_columns)}.")
    if report.without_topics:
        console().print(f"{report.without_topics} have no topic and will get nothing until they choose one.")
