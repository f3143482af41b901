"""Turning refusals into one line on standard error and an exit code, for every command."""

import sqlite3
import sys

import typer
from sqlalchemy.exc import DBAPIError

from newsletter.delivery.transport import ServerRefused
from newsletter.render.headers import MessageRefused
from newsletter.render.theme import ThemeError
from newsletter.settings import SettingsRefused
from newsletter.storage.engine import DatabaseRefused
from newsletter.storage.issues import IssueRefused
from newsletter.storage.lock import SenderRunning
from subscribers.addresses import AddressRefused, NameRefused
from subscribers.csv_file import CsvRefused
from subscribers.people import SubscriberRefused
from subscribers.preferences import PreferencesRefused
from subscribers.suppression import SuppressionRefused
from subscribers.topic_store import TopicRefused

REFUSALS = (
    AddressRefused,
    CsvRefused,
    DatabaseRefused,
    IssueRefused,
    MessageRefused,
    NameRefused,
    PreferencesRefused,
    SenderRunning,
    ServerRefused,
    SettingsRefused,
    SubscriberRefused,
    SuppressionRefused,
    ThemeError,
    TopicRefused,
)


def run_safely(app: typer.Typer) -> None:
    """Run a command; what it refuses, and what the machine refuses it, is said in words with exit code 1."""
    try:
        app()
    except REFUSALS as refusal:
        fail(str(refusal))
    except DBAPIError as trouble:
        fail(_database(trouble))
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone, and wants no complaint either
        raise SystemExit(1) from None
    except OSError as trouble:
        fail(f"{trouble.filename or 'the system'}: {trouble.strerror or trouble}.")


def fail(message: str) -> None:
    """Say what was refused and end with exit code 1."""
    typer.echo(f"newsletter: {message}", err=True)
    raise SystemExit(1)


def _database(trouble: DBAPIError) -> str:
    reason = trouble.orig
    if isinstance(reason, sqlite3.OperationalError):
        advice = {
            "database or disk is full": "make room and run it again; nothing was half-written",
            "disk I/O error": "look at the disk (full, failing or read-only), then run it again",
            "database is locked": "another process is writing; run it again in a moment",
            "attempt to write a readonly database": "this user may not write the file or its folder",
            "unable to open database file": "this user may not open the file or its folder",
        }
        return f"the database says {reason}: {advice.get(str(reason), 'nothing was half-written')}."
    return f"the database refused: {reason}."
