"""The reference of commands names every command and option there is."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from newsletter.cli.main import build

DOCS = (Path(__file__).resolve().parent.parent / "docs" / "reference" / "commands.md").read_text("utf-8")


def commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Every command below one, with the words that call it."""
    children = getattr(command, "commands", None)
    if children is None:
        yield name, command
        return
    for child, body in children.items():
        yield from commands(body, f"{name} {child}".strip())


ALL = dict(commands(typer.main.get_command(build(None)), ""))


def test_every_command_is_documented_and_no_other() -> None:
    documented = set(re.findall(r"^### `newsletter ([a-z ]+)`", DOCS, re.MULTILINE))
    assert documented == set(ALL)


def test_every_option_is_documented_with_its_command() -> None:
    missing = []
    for name, command in ALL.items():
        part = DOCS.split(f"### `newsletter {name}`")[1].split("\n### ")[0]
        options = [option for parameter in command.params for option in parameter.opts if option.startswith("--")]
        missing += [f"{name} {option}" for option in options if option != "--help" and f"`{option}" not in part]
    assert not missing


def test_no_command_is_a_coroutine_that_would_do_nothing() -> None:

    assert not [name for name, command in ALL.items() if inspect.iscoroutinefunction(command.callback)]
