"""The sentence that says when mail comes, in both languages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from render_samples import THEME

from newsletter.render.rhythm_words import Rhythm
from subscribers.preferences import Frequency, Preferences, of_topics
from subscribers.topics import SHIPPED, Catalogue

FRIDAY = 4
CATALOGUE = Catalogue()
DAILY, WEEKLY, IMPORTANT = Frequency
BERLIN = {"zone": "Europe/Berlin", "hour": 7}
THREE = ("policy", "models", "funding")


def said(language: str, preferences: Preferences) -> str:
    def name(slug: str) -> str | None:
        topic = CATALOGUE.get(slug)
        return topic.name(language) if topic else None

    return Rhythm(THEME.labels[language], name, FRIDAY).sentence(preferences)


@pytest.mark.parametrize(
    ("choices", "zh", "en"),
    [
        ({}, "日报一发布就收到。", "You get the daily mail as soon as it is out."),
        (BERLIN, "每天 07:00（柏林）收到日报。", "Every day at 07:00 (Berlin) you get the daily mail."),
        ({"frequency": WEEKLY}, "每周五收到一周汇总。", "Every Friday you get a digest of the week."),
        (
            {"frequency": WEEKLY, "day": 6, **BERLIN},
            "每周日 07:00（柏林）收到一周汇总。",
            "Every Sunday at 07:00 (Berlin) you get a digest of the week.",
        ),
        (
            {"frequency": IMPORTANT},
            "有重要内容时，一发布就收到。",
            "When there is something important, you get it as soon as it is out.",
        ),
        (
            {"frequency": IMPORTANT, **BERLIN},
            "有重要内容时，07:00（柏林）收到。",
            "When there is something important, you get it at 07:00 (Berlin).",
        ),
        (
            {"frequencies": (("models", WEEKLY),), **BERLIN},
            "每天 07:00（柏林）收到日报；模型与技术进展每周五汇总。",
            "Every day at 07:00 (Berlin) you get the daily mail; Models & Research in a digest every Friday.",
        ),
        (
            {"frequency": WEEKLY, "frequencies": (("policy", IMPORTANT), ("models", DAILY))},
            "每周五收到一周汇总；模型与技术进展每天都收；政策与监管只收重要的。",
            "Every Friday you get a digest of the week; Models & Research every day; "
            "Policy & Regulation only when important.",
        ),
    ],
)
def test_what_was_chosen_is_said_in_a_sentence(choices: dict[str, object], zh: str, en: str) -> None:
    preferences = Preferences(THREE, **choices)  # type: ignore[arg-type]  # what the table says
    assert (said("zh", preferences), said("en", preferences)) == (zh, en)


def test_where_every_topic_comes_otherwise_the_sentence_begins_with_how_most_of_them_come() -> None:
    own = (("policy", IMPORTANT), ("models", WEEKLY), ("funding", WEEKLY))
    assert said("zh", Preferences(THREE, frequencies=own)) == "每周五收到一周汇总；政策与监管只收重要的。"


def test_followed_keywords_come_as_often_as_is_chosen_for_everything() -> None:
    own = tuple((slug, WEEKLY) for slug in THREE)
    sentence = said("zh", Preferences(THREE, frequencies=own, follow=("潮汐",)))
    assert sentence == "日报一发布就收到；政策与监管、模型与技术进展、投融资与并购每周五汇总。"


def test_a_topic_that_is_no_more_is_not_named() -> None:
    own = (("gone", WEEKLY),)
    assert said("zh", Preferences(("gone", "policy"), frequencies=own)) == "日报一发布就收到。"


@pytest.mark.parametrize(
    ("zone", "zh", "en"),
    [
        ("Asia/Kolkata", "加尔各答", "Kolkata"),
        ("Asia/Calcutta", "加尔各答", "Kolkata"),
        ("America/New_York", "纽约", "New York"),
        ("Europe/Kyiv", "基辅", "Kyiv"),
        ("Etc/GMT+5", "GMT+5", "GMT+5"),
        ("America/Coyhaique", "Coyhaique", "Coyhaique"),
    ],
)
def test_a_zone_is_called_by_its_city(zone: str, zh: str, en: str) -> None:
    assert (THEME.labels["zh"].zone_city(zone), THEME.labels["en"].zone_city(zone)) == (zh, en)


@given(
    topics=st.lists(st.sampled_from([topic.slug for topic in SHIPPED]), unique=True, min_size=1).map(tuple),
    frequency=st.sampled_from(Frequency),
    own=st.dictionaries(st.sampled_from([topic.slug for topic in SHIPPED]), st.sampled_from(Frequency)),
    language=st.sampled_from(["zh", "en"]),
)
def test_every_topic_that_comes_otherwise_than_the_main_part_is_named_once(
    topics: tuple[str, ...], frequency: Frequency, own: dict[str, Frequency], language: str
) -> None:
    preferences = Preferences(topics, frequency, frequencies=of_topics(own.items(), topics))
    sentence = said(language, preferences)
    named = [slug for slug in topics if SHIPPED[[t.slug for t in SHIPPED].index(slug)].name(language) in sentence]
    kinds = {one for one in Frequency if preferences.topics_at(one)}
    together = [one for one in kinds if not set(preferences.topics_at(one)) & set(named)]
    assert len(together) == 1
    assert set(named) == set(topics) - set(preferences.topics_at(*together))
