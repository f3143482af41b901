"""Choosing follows its rules, and the same input always gives the same edition."""

from hypothesis import given
from hypothesis import strategies as st

from newsletter.compose.choose import Chooser
from newsletter.compose.coverage import cover
from newsletter.compose.edition import FOLLOWED, Edition
from newsletter.content.issue import Issue, Paragraph, Points, Section, Source, Story, Table
from subscribers.preferences import Preferences

TOPICS = ("policy", "models", "products", "funding")


def story(name: str, *topics: str, **more: object) -> Story:
    return Story(id=name, title=f"标题 {name}", topics=topics, **more)  # type: ignore[arg-type]  # test shorthand


def issue(*stories: Story) -> Issue:
    return Issue(title="示例", date=None, sections=(Section("一节", stories),))


FIVE = issue(
    story("p1", "policy"),
    story("m1", "models"),
    story("m2", "models", "policy"),
    story("p2", "policy", summary="算力网络开工"),
    story("f1", "funding"),
)


def groups(edition: Edition) -> dict[str, tuple[str, ...]]:
    return {group.topic: group.stories for group in edition.groups}


def test_stories_stand_in_the_readers_order_of_topics_and_the_issues_order_of_stories() -> None:
    chosen = Chooser(FIVE).choose(Preferences(topics=("models", "policy")))
    assert groups(chosen) == {"models": ("m1", "m2"), "policy": ("p1", "p2")}
    assert [group.topic for group in chosen.groups] == ["models", "policy"]


def test_a_story_of_two_topics_stands_under_the_readers_first() -> None:
    assert "m2" in groups(Chooser(FIVE).choose(Preferences(topics=("policy", "models"))))["policy"]


def test_a_followed_keyword_adds_a_story_from_outside_and_ranks_it_first() -> None:
    chosen = Chooser(FIVE).choose(Preferences(topics=("models",), follow=("算力",)))
    assert groups(chosen) == {FOLLOWED: ("p2",), "models": ("m1", "m2")}
    assert chosen.stories[0] == "p2"


def test_mute_beats_follow() -> None:
    chosen = Chooser(FIVE).choose(Preferences(topics=("policy",), follow=("算力",), mute=("算力网",)))
    assert "p2" not in chosen.stories


def test_the_cap_takes_one_story_of_each_topic_in_turn() -> None:
    chosen = Chooser(FIVE).choose(Preferences(topics=("policy", "models", "funding"), most=3))
    assert groups(chosen) == {"policy": ("p1",), "models": ("m1",), "funding": ("f1",)}


def test_the_cap_lets_followed_stories_in_first() -> None:
    chosen = Chooser(FIVE).choose(Preferences(topics=("policy",), most=1, follow=("算力",)))
    assert chosen.stories == ("p2",)


def test_a_story_the_reader_had_is_left_out() -> None:
    chosen = Chooser(FIVE).choose(Preferences(topics=("funding",)), had=frozenset({"f1"}))
    assert not chosen


def test_a_reader_without_topics_gets_nothing() -> None:
    assert not Chooser(FIVE).choose(Preferences(topics=()))


def test_a_keyword_is_found_in_every_field_whatever_its_case_and_width() -> None:
    fields = (
        story("title", "policy"),
        story("background", "policy", background="ｃｈｉｐ 供给"),
        story("points", "policy", points=("a **CHIP** maker",)),
        story("tags", "policy", tags=("Chip",)),
        story("source", "policy", source=Source("Chip Daily", "https://example.org")),
        story("body", "policy", body=(Paragraph("x"), Points("", ("chip",)), Table((("chip",),)))),
    )
    chosen = Chooser(issue(*fields)).choose(Preferences(topics=(), follow=("chip",)))
    assert chosen.stories == ("background", "points", "tags", "source", "body")


def test_a_keyword_does_not_match_across_two_fields() -> None:
    split = story("split", "policy", summary="算", background="力")
    assert not Chooser(issue(split)).choose(Preferences(topics=(), follow=("算力",)))


preferences = st.builds(
    Preferences,
    topics=st.lists(st.sampled_from(TOPICS), unique=True).map(tuple),
    most=st.none() | st.integers(1, 6),
    follow=st.lists(st.sampled_from(["算力", "标题 m", "无此词"]), max_size=2).map(tuple),
    mute=st.lists(st.sampled_from(["标题 p1", "开工"]), max_size=2).map(tuple),
)
stories = st.lists(st.lists(st.sampled_from(TOPICS), min_size=1, max_size=3, unique=True), max_size=8).map(
    lambda chosen: tuple(story(f"s{number}", *topics) for number, topics in enumerate(chosen))
)


@given(stories, preferences)
def test_no_story_stands_twice_no_group_is_empty_and_the_cap_holds(
    some: tuple[Story, ...], wanted: Preferences
) -> None:
    chosen = Chooser(issue(*some)).choose(wanted)
    assert len(set(chosen.stories)) == len(chosen.stories)
    assert all(group.stories for group in chosen.groups)
    assert len(chosen.stories) <= (wanted.most or len(some))


@given(stories, preferences)
def test_every_story_is_of_a_topic_the_reader_chose_or_follows(some: tuple[Story, ...], wanted: Preferences) -> None:
    chosen = Chooser(issue(*some)).choose(wanted)
    by_id = {one.id: one for one in some}
    for group in chosen.groups:
        assert all(group.topic == FOLLOWED or group.topic in by_id[name].topics for name in group.stories)


@given(stories, st.lists(preferences, max_size=10))
def test_coverage_counts_every_reader_once(some: tuple[Story, ...], everybody: list[Preferences]) -> None:
    chooser = Chooser(issue(*some))
    covered = cover(chooser.choose(wanted) for wanted in everybody)
    assert covered.readers == len(everybody) == sum(covered.editions.values())
