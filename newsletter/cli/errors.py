"""Turning refusals into one line on standard error and an exit code, for every command."""

import sys

import typer
from sqlalchemy.exc import DBAPIError

from newsletter.delivery.control import ControlRefused
from newsletter.delivery.transport import ServerRefused
from newsletter.render.headers import MessageRefused
from newsletter.render.theme import ThemeError
from newsletter.settings import SettingsRefused
from newsletter.staff.accounts import StaffRefused
from newsletter.storage.engine import DatabaseRefused
from newsletter.storage.issues import IssueRefused
from newsletter.storage.seat import SeatLost, SenderRunning
from newsletter.storage.trouble import say
from newsletter.storage.witness import Held
from newsletter.storage.witness_file import WitnessTrouble
from subscribers.addresses import AddressRefused, NameRefused
from subscribers.csv_file import CsvRefused
from subscribers.people import SubscriberRefused
from subscribers.preferences import PreferencesRefused
from subscribers.suppression import SuppressionRefused
from subscribers.topic_store import TopicRefused

REFUSALS = (
    AddressRefused,
    ControlRefused,
    CsvRefused,
    DatabaseRefused,
    Held,
    IssueRefused,
    MessageRefused,
    NameRefused,
    PreferencesRefused,
    SeatLost,
    SenderRunning,
    ServerRefused,
    SettingsRefused,
    StaffRefused,
    SubscriberRefused,
    SuppressionRefused,
    ThemeError,
    TopicRefused,
    WitnessTrouble,
)


def run_safely(app: typer.Typer) -> None:
    """Run a command; what it refuses, and what the machine refuses it, is said in words with exit code 1."""
    try:
        app()
    except REFUSALS as refusal:
        fail(str(refusal))
    except DBAPIError as trouble:
        fail(say(trouble))
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone, and wants no complaint either
        raise SystemExit(1) from None
    except OSError as trouble:
        fail(f"{trouble.filename or 'the system'}: {trouble.strerror or trouble}.")


def fail(message: str) -> None:
    """Say what was refused and end with exit code 1."""
    typer.echo(f"newsletter: {message}", err=True)
    raise SystemExit(1)
