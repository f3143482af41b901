"""`newsletter staff`: the first account, links, roles, and a warning where no admin is left."""

import json
from pathlib import Path

import pytest
from command import Command
from staff_samples import HERE, PASSWORD

from newsletter.app import Newsletter
from newsletter.settings import load
from newsletter.staff import invitations


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    monkeypatch.chdir(tmp_path)
    made = Command(monkeypatch, capsys)
    assert made("init").code == 0
    return made


def staff(command: Command) -> dict[str, dict[str, object]]:
    return {one["address"]: one for one in json.loads(command("staff", "list", "--json").out)}


def come(link: str) -> None:
    """Set a password by a link."""
    invitations.accept(Newsletter(load()), link.strip().rpartition("/")[2], PASSWORD, PASSWORD, HERE)


def test_the_first_account_has_every_role_and_its_link_is_all_that_goes_to_standard_output(command: Command) -> None:
    said = command("staff", "add", "chen@example.org", "--name", "陈编辑")
    assert said.code == 0
    assert said.out.startswith("http://127.0.0.1:8000/desk/welcome/")
    assert said.out.count("\n") == 1
    come(said.out)
    found = staff(command)["chen@example.org"]
    assert (found["name"], found["roles"], found["state"]) == ("陈编辑", ["admin", "editor", "sender"], "active")
    assert "陈编辑" in command("staff", "list").out


def test_whoever_comes_after_the_first_needs_a_role(command: Command) -> None:
    command("staff", "add", "chen@example.org")
    assert command("staff", "add", "li@example.org").code == 2
    assert command("staff", "add", "li@example.org", "--role", "owner").code == 2
    assert command("staff", "add", "li@example.org", "--role", "sender", "--role", "editor").code == 0
    assert staff(command)["li@example.org"]["roles"] == ["editor", "sender"]


def test_roles_are_given_by_name(command: Command) -> None:
    come(command("staff", "add", "chen@example.org").out)
    command("staff", "add", "li@example.org", "--role", "editor")
    assert command("staff", "role", "Li@example.org", "--role", "sender").err == ""
    assert staff(command)["li@example.org"]["roles"] == ["sender"]
    assert command("staff", "role", "li@example.org").code == 2


def test_a_new_link_takes_the_place_of_the_password(command: Command) -> None:
    come(command("staff", "add", "chen@example.org").out)
    said = command("staff", "link", "chen@example.org")
    assert staff(command)["chen@example.org"]["state"] == "invited"
    come(said.out)
    assert staff(command)["chen@example.org"]["state"] == "active"


@pytest.mark.parametrize("words", [("remove",), ("role", "--role", "editor")])
def test_the_last_admin_can_go_here_but_not_silently(command: Command, words: tuple[str, ...]) -> None:
    come(command("staff", "add", "chen@example.org").out)
    said = command("staff", words[0], "chen@example.org", *words[1:])
    assert said.code == 0
    assert "no admin" in said.err


@pytest.mark.parametrize(
    "words",
    [("add", "no address", "--role", "editor"), ("remove", "nobody@example.org"), ("link", "nobody@example.org")],
)
def test_what_cannot_be_done_is_said_in_one_line(command: Command, words: tuple[str, ...]) -> None:
    said = command("staff", *words)
    assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)


def test_with_nobody_there_it_says_how_to_begin(command: Command) -> None:
    assert "newsletter staff add" in command("staff", "list").out
    assert json.loads(command("staff", "list", "--json").out) == []
