"""`newsletter inbound`: what a mail server pipes every message for the inbound address into."""

import sys
from typing import BinaryIO, NoReturn

import typer
from sqlalchemy.exc import DBAPIError

from newsletter.cli.output import open_newsletter
from newsletter.readers.inbound import MOST_BYTES, receive
from newsletter.settings import SettingsRefused
from newsletter.storage.engine import DatabaseRefused
from newsletter.storage.trouble import say

_TRY_AGAIN = 75
"""EX_TEMPFAIL of sysexits.h: the mail server keeps the message and tries again."""
_READ_BYTES = 1_000_000


def command() -> None:
    """Read one message from standard input and unsubscribe the reader whose link it holds."""
    try:
        answer = receive(open_newsletter(), _read(sys.stdin.buffer))
    except (SettingsRefused, DatabaseRefused) as refusal:
        _try_again(str(refusal))
    except DBAPIError as trouble:
        _try_again(say(trouble))
    except Exception as fault:  # noqa: BLE001 (a mail server would send the traceback to whoever wrote)
        _try_again(f"{type(fault).__name__}; `newsletter doctor` may tell more")
    typer.echo(f"newsletter: {answer}.")


def _read(stream: BinaryIO) -> bytes:
    """The first bytes of a message; the rest is read too, for a mail server whose pipe breaks counts that a failure."""
    message = stream.read(MOST_BYTES)
    while stream.read(_READ_BYTES):
        pass
    return message


def _try_again(why: str) -> NoReturn:
    typer.echo(f"newsletter: not now: {why}", err=True)
    raise SystemExit(_TRY_AGAIN)
