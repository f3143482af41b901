"""`newsletter theme …`, and which theme an issue is set in."""

import json
from pathlib import Path

import pytest
from command import Command

from newsletter.settings import PREFIX

EXAMPLES = Path(__file__).resolve().parents[1] / "examples" / "issues"
ABOUT = 'extends = "letter"\nname = { zh = "甲", en = "A" }\ndescription = { zh = "乙", en = "Our own" }\n'


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """A folder without settings or database, with a theme in `ours/own`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ours" / "own").mkdir(parents=True)
    (tmp_path / "ours" / "own" / "theme.toml").write_text(ABOUT, "utf-8")
    return Command(monkeypatch, capsys)


def test_a_theme_is_tried_without_settings_or_database(command: Command, tmp_path: Path) -> None:
    said = command("theme", "check", "letter")
    assert (said.code, said.err) == (0, "")
    assert "0 error(s), 0 warning(s)" in said.out
    assert not list(tmp_path.glob("*.db"))


@pytest.mark.parametrize("folder", ["ours/own", "./ours/own/"])
def test_a_folder_is_tried_too(command: Command, folder: str) -> None:
    assert command("theme", "check", folder).code == 0


def test_a_folder_with_a_name_that_is_none_is_told_what_a_name_may_be(command: Command, tmp_path: Path) -> None:
    (tmp_path / "ours" / "own").rename(tmp_path / "ours" / "My_Own")
    said = command("theme", "check", "./ours/My_Own")
    assert said.code == 1
    assert "'My_Own' is no name for a theme" in said.err
    assert "small letters, digits, - and _" in said.err.replace("\n", " ")


def test_what_is_wrong_is_said_with_file_and_line_and_exit_code_1(command: Command, tmp_path: Path) -> None:
    about = tmp_path / "ours" / "own" / "theme.toml"
    about.write_text(ABOUT + 'colour = "red"\n', "utf-8")
    said = command("theme", "check", "ours/own")
    assert said.code == 1
    assert f"{about}:4: error: there is no 'colour'" in said.err
    shown = json.loads(command("theme", "check", "ours/own", "--json").out)
    assert (shown["faults"][0]["file"], shown["faults"][0]["line"]) == (str(about), 4)


def test_the_list_has_the_operators_own_themes(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [theme["theme"] for theme in json.loads(command("theme", "list", "--json").out)] == [
        *("daily", "digest", "letter", "weekly"),
    ]
    monkeypatch.setenv(f"{PREFIX}THEMES", "ours")
    said = command("theme", "list")
    assert said.code == 0
    assert "Our own" in said.out
    assert command("theme", "check", "own").code == 0


def test_a_broken_theme_is_in_the_list_with_the_reason(command: Command, tmp_path: Path) -> None:
    (tmp_path / "ours" / "own" / "theme.toml").write_text("colour", "utf-8")
    (tmp_path / "newsletter.toml").write_text('themes = "ours"\n', "utf-8")
    said = command("theme", "list")
    assert said.code == 0
    assert "cannot be used" in said.out


def test_a_report_is_set_as_a_digest_and_other_issues_in_the_theme_of_the_settings(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command("init").code == 0
    assert command("issue", "import", EXAMPLES / "2026-03-08-report.txt", EXAMPLES / "2026-03-12-daily.md").code == 0
    monkeypatch.setenv(f"{PREFIX}THEME", "letter")
    assert "<dl" in command("issue", "preview", "2026-03-08", "--format", "html").out
    daily = command("issue", "preview", "2026-03-12", "--format", "html").out
    assert "<dl" not in daily
    assert "max-width:600px" in daily
    monkeypatch.setenv(f"{PREFIX}REPORT_THEME", "letter")
    assert "<dl" not in command("issue", "preview", "2026-03-08", "--format", "html").out


@pytest.mark.parametrize("setting", ["THEME", "REPORT_THEME"])
def test_a_theme_that_is_not_there_is_refused_with_the_settings_name(
    command: Command, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    assert command("init").code == 0
    assert command("issue", "import", EXAMPLES / "2026-03-08-report.txt", EXAMPLES / "2026-03-12-daily.md").code == 0
    monkeypatch.setenv(PREFIX + setting, "nowhere")
    said = command("issue", "preview", "2026-03-12" if setting == "THEME" else "2026-03-08", "--format", "html")
    assert said.code == 1
    assert f"setting {setting.lower()}" in said.err
    assert "there is no theme 'nowhere'" in said.err
    assert "daily, digest, letter" in said.err
