"""The whole check-up, one subject after the other; whatever breaks on the way becomes a finding."""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from pathlib import Path

from newsletter.checkup.database import Database, look_at_database
from newsletter.checkup.dns_records import Names
from newsletter.checkup.findings import Finding, Section, not_checked, wrong
from newsletter.checkup.machine import clock, disk, steadiness, zone
from newsletter.checkup.mail_server import mail_server, servers_of
from newsletter.checkup.sending_domain import sending_domains
from newsletter.checkup.settings_check import fitness, read_settings
from newsletter.checkup.templates import templates
from newsletter.settings import Settings


def examine(names: Names, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Iterator[Section]:
    """Check everything in order, a section as soon as it is done; never raises."""
    began = now(), time.monotonic()
    settings, findings = read_settings()
    if settings is None:
        yield Section("Settings", tuple(findings))
        yield Section("All else", (not_checked("everything", "the settings have to be mended first"),))
        return
    database = Database()
    looked = section("Database", lambda: look_at_database(settings, database))
    yield section("Settings", lambda: chain(findings, fitness(database.newsletter)))
    yield looked
    for server in servers_of(settings):
        yield section(f"Mail server {server}", partial(mail_server, server))
    yield section("Sending domain", lambda: sending_domains(settings, names))
    yield section("Templates", lambda: templates(settings, now()))
    yield section("Machine", lambda: _machine(settings, database, now, began))
    if database.newsletter is not None:
        database.newsletter.engine.dispose()


def _machine(
    settings: Settings, database: Database, now: Callable[[], datetime], began: tuple[datetime, float]
) -> Iterator[Finding]:
    file = database.file
    if file is None:
        yield not_checked("disk", "the database has a server of its own; look at its disk there")
    else:
        yield disk(file.resolve().parent, _size(file))
    yield zone(now(), settings.time_zone)
    yield from clock(now(), _written(file), database.time)
    yield from steadiness((now() - began[0]).total_seconds(), time.monotonic() - began[1])


def _written(file: Path | None) -> tuple[datetime, str] | None:
    """When an SQLite file was last written, by the clock as it was then."""
    if file is None or not file.exists():
        return None
    return datetime.fromtimestamp(file.stat().st_mtime, UTC), f"{file.name} was last written"


def _size(file: Path) -> int:
    """The bytes of an SQLite file with its write-ahead log."""
    parts = (file, file.with_name(f"{file.name}-wal"))
    return sum(part.stat().st_size for part in parts if part.exists())


def section(subject: str, look: Callable[[], Iterable[Finding]]) -> Section:
    """What one subject gives; what breaks in it is a finding too."""
    found: list[Finding] = []
    try:
        for finding in look():  # one by one, so that what was found before something breaks is kept
            found.append(finding)
    except OSError as trouble:
        what = f"the system refuses {trouble.filename or 'something'}: {trouble.strerror or trouble}"
        found.append(wrong("check-up", what, "Run it as the user whom the newsletter runs as."))
    except Exception as trouble:  # noqa: BLE001 - a check-up that dies of what it should find helps nobody
        what = f"the check itself failed: {type(trouble).__name__}"
        found.append(wrong("check-up", what, "Please report this, with what `newsletter --version` says."))
    return Section(subject, tuple(found))
