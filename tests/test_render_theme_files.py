"""Themes as data: what a theme.toml says, what a theme takes from another one, and where they are looked for."""

from pathlib import Path

import pytest

from newsletter.render.theme import ThemeError, load_theme, theme_names
from newsletter.render.theme_file import ThemeFileError, read_theme_file

WORDS = 'name = { zh = "甲", en = "A" }\ndescription = { zh = "乙", en = "B" }\n'


def own(folder: Path, name: str, extends: str = "", more: str = "", **files: str) -> Path:
    theme = folder / name
    theme.mkdir()
    line = f'extends = "{extends}"\n' if extends else ""
    (theme / "theme.toml").write_text(f"{line}{WORDS}{more}", "utf-8")
    for file, text in files.items():
        (theme / file.replace("_", ".")).write_text(text, "utf-8")
    return theme


def test_a_theme_takes_what_it_lacks_from_the_one_it_extends(tmp_path: Path) -> None:
    own(tmp_path, "ours", "letter", mail_css="p { margin: 1px; }")
    theme, letter = load_theme("ours", tmp_path), load_theme("letter")
    assert theme.sources["mail.css"] == "p { margin: 1px; }"
    assert theme.sources["mail.mjml.j2"] == letter.sources["mail.mjml.j2"]
    assert theme.sources["story.txt.j2"] == load_theme("daily").sources["story.txt.j2"]


def test_a_theme_of_a_few_lines_can_be_other_colours(tmp_path: Path) -> None:
    own(tmp_path, "ours", "digest", '[light]\nlink = "#874d00"\n')
    theme = load_theme("ours", tmp_path)
    assert "color: #874d00" in theme.environment.get_template("mail.css").render(labels=theme.language("zh"))
    assert theme.about.light["ink"] == load_theme("daily").about.light["ink"]
    assert theme.digest != load_theme("digest").digest


def test_own_themes_go_before_those_that_ship(tmp_path: Path) -> None:
    folder = own(tmp_path, "letter", "daily")
    assert load_theme("letter", tmp_path).folders[0] == folder
    assert theme_names(tmp_path) == ["daily", "digest", "letter", "weekly"]


def test_themes_that_extend_each_other_in_a_circle_are_refused(tmp_path: Path) -> None:
    own(tmp_path, "one", "two")
    own(tmp_path, "two", "one")
    with pytest.raises(ThemeError, match="circle: one → two → one"):
        load_theme("one", tmp_path)


def test_a_tower_of_themes_is_refused(tmp_path: Path) -> None:
    for number in range(6):
        own(tmp_path, f"t{number}", f"t{number + 1}" if number < 5 else "")
    with pytest.raises(ThemeError, match="more than 4"):
        load_theme("t0", tmp_path)


@pytest.mark.parametrize("name", ["../daily", "..", "Daily", "da/ily", ".", ""])
def test_a_name_that_is_no_name_is_refused_with_what_a_name_may_be(name: str, tmp_path: Path) -> None:
    with pytest.raises(ThemeError, match=r"is no name for a theme: .* small letters, digits, - and _"):
        load_theme(name, tmp_path)


def test_a_folder_whose_name_is_no_name_is_not_among_the_themes(tmp_path: Path) -> None:
    own(tmp_path, "My_Theme", "letter")
    own(tmp_path, "my_theme", "letter")
    assert theme_names(tmp_path) == ["daily", "digest", "letter", "my_theme", "weekly"]


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ThemeError, match="THEMES"):
        load_theme("daily", tmp_path / "nowhere")


def test_a_theme_that_lacks_a_file_says_which(tmp_path: Path) -> None:
    own(tmp_path, "bare")
    with pytest.raises(ThemeError, match=r"mail\.mjml\.j2, mail\.txt\.j2, mail\.css"):
        load_theme("bare", tmp_path)


def test_a_theme_cannot_reach_into_the_program(tmp_path: Path) -> None:
    own(tmp_path, "spy", "letter", mail_css="{{ ''.__class__.__mro__ }}")
    theme = load_theme("spy", tmp_path)
    with pytest.raises(Exception, match="unsafe"):
        theme.environment.get_template("mail.css").render(labels=theme.language("zh"))


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("name = [", 1, "not TOML"),
        (f'{WORDS}title = "x"\n', 3, "there is no 'title'"),
        ('description = { zh = "乙", en = "B" }\nname = "x"\n', 2, "name should be written"),
        (f'{WORDS}extends = "../daily"\n', 3, "the name of a theme"),
        (f'{WORDS}[light]\nink = "#1f2329"\n[dark]\nink = "white"\n', 6, "the colour ink"),
        (f'{WORDS}[light]\nInk-1 = "#1f2329"\n', 4, "small letters"),
        (f"{WORDS}dark = 1\n", 3, "table of colours"),
        ('name = { zh = "甲", en = "A\\nB" }\ndescription = { zh = "乙", en = "B" }\n', 1, "a line of words"),
    ],
)
def test_what_is_wrong_in_a_theme_toml_is_said_with_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(ThemeFileError, match=said) as refused:
        read_theme_file(text)
    assert refused.value.line == line
