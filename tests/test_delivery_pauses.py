"""What a mailing was paused for: a code with numbers, said in English and in the words of the desk."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.pauses import Cause, Pause, in_english, read_pause
from newsletter.render.theme import templates_dir
from newsletter.web.desk.sending_view import why_words

WORDS = tomllib.loads((templates_dir() / "web" / "words" / "desk_sending.toml").read_text("utf-8"))


@given(st.sampled_from(Cause), st.integers(0), st.integers(1))
def test_what_is_kept_is_read_again(cause: Cause, wrong: int, of: int) -> None:
    assert read_pause(str(Pause(cause, wrong, of))) == Pause(cause, wrong, of)


def test_a_pause_by_hand_has_no_numbers() -> None:
    assert (str(Pause(Cause.HAND)), in_english("hand")) == ("hand", "by hand")


@pytest.mark.parametrize("why", ["by hand", "3 of the first 25 readers were not reached", "cancelled", "", "first x y"])
def test_text_without_a_code_is_shown_as_it_is(why: str) -> None:
    assert read_pause(why) is None
    assert in_english(why) == why == why_words(WORDS["zh"], why)


@pytest.mark.parametrize("cause", [Cause.FIRST, Cause.SHARE, Cause.STRANGE])
def test_every_cause_says_its_numbers_in_both_languages(cause: Cause) -> None:
    why = str(Pause(cause, 17, 1234))
    assert {"17", "1234"} <= set(in_english(why).split())
    for language in ("zh", "en"):
        said = why_words(WORDS[language], why)
        assert "17" in said and "1,234" in said
        assert "{" not in said


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_cause_has_words(language: str) -> None:
    assert [cause for cause in Cause if f"sending_why_{cause}" not in WORDS[language]] == []
