"""The fields for how often and when mail comes, and the zones that they offer."""

import re
import tomllib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.render.theme import templates_dir
from newsletter.web.rhythm_form import When
from newsletter.web.zones import zone_options
from subscribers.preferences import DAYS, Frequency, Preferences, is_zone, of_topics

HOME = "Asia/Shanghai"
WORDS = tomllib.loads((templates_dir() / "web/words/rhythm.toml").read_text("utf-8"))
BEFORE = Preferences(
    ("policy", "models"),
    frequency=Frequency.WEEKLY,
    zone="Europe/Berlin",
    hour=7,
    day=2,
    frequencies=(("models", Frequency.DAILY),),
)
topics = st.lists(st.sampled_from(["policy", "models", "funding"]), unique=True).map(tuple)
choices = st.builds(
    lambda topics, own, zone_and_hour, **rest: Preferences(
        topics, frequencies=of_topics(own.items(), topics), zone=zone_and_hour[0], hour=zone_and_hour[1], **rest
    ),
    topics=topics,
    own=st.dictionaries(st.sampled_from(["policy", "models", "funding"]), st.sampled_from(Frequency)),
    zone_and_hour=st.sampled_from([(None, None), ("Europe/Berlin", 0), (HOME, 23)]),
    frequency=st.sampled_from(Frequency),
    day=st.none() | st.integers(0, 6),
)


def options(language: str, chosen: str = "", day: date = date(2026, 7, 1)) -> str:
    return str(zone_options(WORDS[language], language, day, chosen))


@given(choices)
def test_fields_filled_by_choices_mean_these_choices(chosen: Preferences) -> None:
    assert When.chosen(chosen).applied(Preferences(chosen.topics), HOME) == chosen


@given(choices)
def test_fields_may_travel_in_an_address(chosen: Preferences) -> None:
    query = [("own", f"{topic}={own}") for topic, own in chosen.frequencies]
    query += [("frequency", chosen.frequency), ("day", "" if chosen.day is None else DAYS[chosen.day])]
    query += [("hour", str(chosen.hour) if chosen.hour is not None else ""), ("zone", chosen.zone or "")]
    assert When.of(query).applied(Preferences(chosen.topics), HOME) == chosen


def test_an_hour_without_a_zone_is_one_of_the_newsletters_zone() -> None:
    chosen = When.of([("hour", "7"), ("zone", "")]).applied(Preferences(("policy",)), HOME)
    assert (chosen.hour, chosen.zone) == (7, HOME)


def test_a_zone_without_an_hour_says_nothing() -> None:
    chosen = When.of([("hour", ""), ("zone", "Europe/Paris")]).applied(Preferences(("policy",)), HOME)
    assert (chosen.hour, chosen.zone) == (None, None)


def test_who_gives_up_their_hour_keeps_their_zone() -> None:
    chosen = When.of([("hour", ""), ("zone", "")]).applied(BEFORE, HOME)
    assert (chosen.hour, chosen.zone) == (None, "Europe/Berlin")


def test_fields_that_a_form_has_not_leave_everything_as_it_was() -> None:
    assert When.of([("most", "5")]).applied(BEFORE, HOME) == BEFORE


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        ("hour", "24", "rhythm_wrong_hour"),
        ("hour", "7:30", "rhythm_wrong_hour"),
        ("hour", "٧", "rhythm_wrong_hour"),
        ("zone", "Mars/Olympus", "rhythm_wrong_zone"),
        ("zone", "../etc", "rhythm_wrong_zone"),
        ("zone", "a\0b", "rhythm_wrong_zone"),
    ],
)
def test_a_wrong_hour_or_zone_is_named_and_changes_neither(field: str, value: str, word: str) -> None:
    when = When.of([("hour", "9"), ("zone", HOME), (field, value)][::-1])
    assert when.mistakes() == {field: word}
    assert when.applied(BEFORE, HOME) == BEFORE


@pytest.mark.parametrize("value", ["07:00", "7:00", "07"])
def test_an_hour_may_be_written_as_a_clock_shows_it(value: str) -> None:
    assert When(hour=value).applied(BEFORE, HOME).hour == 7


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_zone_that_is_offered_exists_and_stands_there_once(language: str) -> None:
    zones = re.findall(r'<option value="([^"]+)"', options(language))
    assert len(zones) == len(set(zones)) > 400
    assert all(map(is_zone, zones))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_two_zones_of_a_part_of_the_world_are_called_the_same(language: str) -> None:
    for part in options(language).split("<optgroup")[1:]:
        names = re.findall(r">([^<]+)</option>", part)
        assert len(names) == len(set(names))


@pytest.mark.parametrize(("day", "summer"), [(date(2026, 7, 1), "柏林（UTC+2）"), (date(2026, 1, 5), "柏林（UTC+1）")])
def test_a_zone_shows_what_its_clocks_show_on_that_day(day: date, summer: str) -> None:
    assert f'value="Europe/Berlin">{summer}<' in options("zh", day=day)


def test_half_hours_are_shown() -> None:
    assert ">Kolkata (UTC+5:30)<" in options("en")


def test_the_chosen_zone_is_selected_and_no_other() -> None:
    assert re.findall(r'value="([^"]+)" selected', options("en", "Europe/Berlin")) == ["Europe/Berlin"]


@pytest.mark.parametrize("chosen", ["Asia/Calcutta", "UTC", '"><script>'])
def test_a_zone_that_the_list_has_not_stays_chosen_and_is_no_markup(chosen: str) -> None:
    text = options("en", chosen)
    assert text.count(" selected") == 1
    assert "<script" not in text
