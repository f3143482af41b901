"""Preferences: which can be kept, and how lists of them are written."""

from dataclasses import replace

import pytest

from subscribers.preferences import Frequency, Preferences, PreferencesRefused, check_preferences, of_topics, split_list

PLAIN = Preferences(("policy",))


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({"language": "fr"}, "zh, en"),
        ({"zone": "Asia"}, "Asia/Shanghai"),
        ({"zone": "../../etc/passwd"}, "Asia/Shanghai"),
        ({"zone": "Z" * 10_000}, "Asia/Shanghai"),
        ({"zone": "a\0b"}, "Asia/Shanghai"),
        ({"hour": 24, "zone": "Asia/Shanghai"}, "0 to 23"),
        ({"hour": 8}, "needs a zone"),
        ({"day": 7}, "mon, tue"),
        ({"frequencies": (("models", Frequency.WEEKLY),)}, "add it to them"),
        ({"most": 0}, "1 to 1000"),
        ({"follow": ("",)}, "1 to 80"),
        ({"follow": (" GPU",)}, "no blanks around"),
        ({"mute": ("x" * 81,)}, "1 to 80"),
        ({"mute": ("a;b",)}, "semicolon"),
        ({"mute": ("a\nb",)}, "control"),
    ],
)
def test_preferences_that_serve_nobody_are_refused_with_advice(change: dict[str, object], advice: str) -> None:
    with pytest.raises(PreferencesRefused, match=advice):
        check_preferences(replace(PLAIN, **change))


def test_a_zone_may_stand_without_an_hour() -> None:
    chosen = replace(PLAIN, zone="Europe/Berlin")
    assert check_preferences(chosen) == chosen


def test_frequencies_stand_in_the_order_of_the_topics_that_are_left() -> None:
    own = (("policy", Frequency.WEEKLY), ("gone", Frequency.DAILY), ("models", Frequency.IMPORTANT))
    kept = (("models", Frequency.IMPORTANT), ("policy", Frequency.WEEKLY))
    assert of_topics(own, ("models", "funding", "policy")) == kept


def test_a_list_has_its_items_once_in_order_without_blanks() -> None:
    assert split_list(" b ;; a；b;　c ") == ("b", "a", "c")
