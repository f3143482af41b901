"""The trial of a theme in a process of its own: what it says, and that no theme keeps it for ever."""

from pathlib import Path

import pytest

from newsletter.render.theme import load_theme
from newsletter.render.theme_check import check_theme
from newsletter.render.theme_trial import try_theme

ABOUT = 'extends = "letter"\nname = { zh = "甲", en = "A" }\ndescription = { zh = "乙", en = "B" }\n'
MAIL = load_theme("letter").sources["mail.mjml.j2"]


def own(folder: Path, words: str) -> None:
    (folder / "ours").mkdir()
    (folder / "ours" / "theme.toml").write_text(ABOUT, "utf-8")
    (folder / "ours" / "mail.mjml.j2").write_text(MAIL.replace("<h2>", f"<h2>{words}", 1), "utf-8")


def test_a_trial_apart_says_what_the_trial_says(tmp_path: Path) -> None:
    own(tmp_path, "<i>")
    assert try_theme("ours", tmp_path) == check_theme("ours", tmp_path)
    assert try_theme("nowhere") == check_theme("nowhere")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
            "not made after 2 seconds: look for loops",
        ),
        ('{{ ("a" * 4000000000) | length }}', "too much memory"),
        ('{{ ("%999999999d" | format(1)) ~ ("%999999999d" | format(2)) }}', "too much memory"),
    ],
)
def test_what_has_no_end_is_a_fault_with_its_line(words: str, said: str, tmp_path: Path) -> None:
    own(tmp_path, words)
    verdict = try_theme("ours", tmp_path, seconds=2)
    assert not verdict.is_usable
    assert said in verdict.faults[0].message
    line = MAIL[: MAIL.index("<h2>")].count("\n") + 1
    assert (Path(verdict.faults[0].file).name, verdict.faults[0].line) == ("mail.mjml.j2", line)
