"""The `newsletter` command: finds the module of the command that was called and loads nothing else."""

import sys
from importlib import import_module
from importlib.metadata import version
from typing import Annotated

import typer

COMMANDS = {
    "doctor": "Check settings, database, mail server, DNS records, clock and disk.",
    "inbound": "Unsubscribe by mail: read one message on standard input, from a mail server's pipe.",
    "init": "Create the database and the settings file, or bring them up to date.",
    "log": "What was sent to whom, when, with which reply.",
    "serve": "Serve the pages for readers and the previews of issues, and send what is due.",
    "worker": "Send what is due; any number of workers share a PostgreSQL database.",
}
GROUPS = {
    "topic": "Topics that readers subscribe to.",
    "subscriber": "Readers and what they asked for.",
    "suppression": "Addresses that are not written to.",
    "issue": "Read, preview, approve and send issues.",
    "schedule": "When issues go out by themselves: the daily slot and its days off.",
    "staff": "The people who work at the desk: accounts and roles.",
    "theme": "What a mail looks like: which themes there are, and whether one can be used.",
}


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"newsletter {version('newsletter')}")
        raise typer.Exit


def _root(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Compose one structured issue, send every reader the stories of their topics, account for every message."""


def build(called: str | None) -> typer.Typer:
    """The command line with the module of `called` loaded and the others known by name and help alone.

    `None` loads them all.
    """
    root = typer.Typer(name="newsletter", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    root.callback()(_root)
    for name, about in COMMANDS.items():
        body = import_module(f"newsletter.cli.{name}").command if called in (name, None) else _absent
        root.command(name, help=about)(body)
    for name, about in GROUPS.items():
        if called in (name, None):
            root.add_typer(import_module(f"newsletter.cli.{name}").app, name=name, help=about, no_args_is_help=True)
        else:
            group = typer.Typer()
            group.callback()(_absent)
            root.add_typer(group, name=name, help=about)
    return root


def run() -> None:
    """Run the command that the arguments name; exit code 0 done, 1 refused, 2 wrong usage."""
    called = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    if called in COMMANDS or called in GROUPS:
        import_module("newsletter.cli.errors").run_safely(build(called))
    else:
        build("")()


def _absent() -> None:
    """Stand in for a command whose module is not loaded, in the list of commands."""
