"""What comes with an issue, what once a week, and what only when it matters."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from newsletter.compose.choose import MOST_IN_DIGEST, Chooser
from newsletter.content.issue import Issue, Mark, Section, Story
from subscribers.preferences import Frequency, Preferences

TOPICS = ("policy", "models", "chips")
STORIES = tuple(
    Story(f"{topic} {number}", topics=(topic,), id=f"{topic}{number}", marks=(Mark.IMPORTANT,) if number == 0 else ())
    for topic in TOPICS
    for number in range(3)
)
ISSUE = Issue("AI", date(2026, 3, 9), (Section("", STORIES),))
DAILY, DIGEST = Chooser(ISSUE), Chooser(ISSUE, is_digest=True)
FREQUENCIES = st.sampled_from(Frequency)
READERS = st.builds(
    Preferences,
    topics=st.lists(st.sampled_from(TOPICS), unique=True).map(tuple),
    frequency=FREQUENCIES,
    follow=st.sampled_from([(), ("chips 1",)]),
    frequencies=st.dictionaries(st.sampled_from(TOPICS), FREQUENCIES).map(lambda own: tuple(own.items())),
)


def got(chooser: Chooser, preferences: Preferences) -> tuple[str, ...]:
    return chooser.choose(preferences).stories


@given(READERS)
def test_no_story_comes_both_with_the_issue_and_in_the_digest(reader: Preferences) -> None:
    followed = {story.id for story in STORIES if DAILY.mentioned(story.id, reader.follow)}
    assert not (set(got(DAILY, reader)) & set(got(DIGEST, reader))) - followed


@given(READERS)
def test_every_story_of_a_daily_or_weekly_topic_comes_the_one_way_or_the_other(reader: Preferences) -> None:
    wanted = reader.topics_at(Frequency.DAILY, Frequency.WEEKLY)
    both = set(got(DAILY, reader)) | set(got(DIGEST, reader))
    assert both >= {story.id for story in STORIES if story.topics[0] in wanted}


@given(READERS)
def test_of_a_topic_wanted_only_when_it_matters_nothing_else_comes(reader: Preferences) -> None:
    sparing = reader.topics_at(Frequency.IMPORTANT)
    for group in DAILY.choose(reader).groups:
        if group.topic in sparing:
            assert group.stories == (f"{group.topic}0",)


def test_a_topic_has_a_frequency_of_its_own() -> None:
    reader = Preferences(topics=TOPICS, frequencies=(("models", Frequency.WEEKLY), ("chips", Frequency.IMPORTANT)))
    assert got(DAILY, reader) == ("policy0", "policy1", "policy2", "chips0")
    assert got(DIGEST, reader) == ("models0", "models1", "models2")


def test_what_is_followed_comes_as_often_as_the_rest() -> None:
    weekly = Preferences(topics=("policy",), frequency=Frequency.WEEKLY, follow=("chips 1",))
    assert "chips1" in got(DIGEST, weekly)
    assert DAILY.wants_nothing(weekly)
    sparing = Preferences(topics=("policy",), frequency=Frequency.IMPORTANT, follow=("chips 1",))
    assert got(DAILY, sparing) == ("chips1", "policy0")


def test_a_digest_has_an_end() -> None:
    many = tuple(Story(f"{number}", topics=("policy",), id=f"s{number}") for number in range(60))
    chooser = Chooser(Issue("AI", date(2026, 3, 9), (Section("", many),)), is_digest=True)
    weekly = Preferences(topics=("policy",), frequency=Frequency.WEEKLY)
    assert len(got(chooser, weekly)) == MOST_IN_DIGEST
    assert len(got(chooser, Preferences(topics=("policy",), frequency=Frequency.WEEKLY, most=5))) == 5
