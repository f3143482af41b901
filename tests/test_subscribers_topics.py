"""Topics: the five that ship, those added by command, and the headings that mean them."""

import pytest
from sqlmodel import Session

from subscribers.topic_store import TopicRefused, TopicStore
from subscribers.topics import SHIPPED, Catalogue

pytestmark = pytest.mark.both_databases


@pytest.fixture
def store(session: Session) -> TopicStore:
    store = TopicStore(session)
    store.seed()
    return store


def test_an_empty_table_gets_the_five_topics_in_their_order(store: TopicStore) -> None:
    assert store.all() == SHIPPED


def test_seeding_again_changes_nothing(store: TopicStore) -> None:
    store.add_alias("models", "算法")
    before = store.all()
    store.seed()
    assert store.all() == before


def test_an_added_topic_stands_last_and_is_found_by_slug_and_names(store: TopicStore) -> None:
    store.add("chips", "芯片与设备", "Chips & Devices")
    assert store.all()[-1].slug == "chips"
    assert store.catalogue().resolve("三、芯片与设备") == "chips"
    assert store.catalogue().resolve("chips & devices") == "chips"


def test_an_alias_lets_a_heading_mean_the_topic(store: TopicStore) -> None:
    store.add_alias("policy", "法规速递")
    assert store.catalogue().resolve("（一）法规速递") == "policy"


def test_an_alias_that_is_there_already_is_not_kept_twice(store: TopicStore) -> None:
    assert store.add_alias("policy", "政策发布").aliases == SHIPPED[0].aliases


@pytest.mark.parametrize("slug", ["", "a", "Chips", "chips!", "a b", "芯片", "a" * 41, "chips\n"])
def test_a_slug_of_other_characters_is_refused_with_an_example(store: TopicStore, slug: str) -> None:
    with pytest.raises(TopicRefused, match="chips-and-devices"):
        store.add(slug, "芯片", "Chips")


def test_the_slug_of_followed_keywords_is_reserved(store: TopicStore) -> None:
    with pytest.raises(TopicRefused, match="reserved"):
        store.add("followed", "关注", "Followed")


def test_a_slug_that_is_taken_is_refused(store: TopicStore) -> None:
    with pytest.raises(TopicRefused, match="already"):
        store.add("policy", "新政", "New Policy")


@pytest.mark.parametrize(("zh", "en"), [("政策", "Rules"), ("规则", "Policy")])
def test_a_name_that_means_another_topic_is_refused(store: TopicStore, zh: str, en: str) -> None:
    with pytest.raises(TopicRefused, match="already means the topic policy"):
        store.add("rules", zh, en)


def test_an_alias_of_another_topic_is_refused(store: TopicStore) -> None:
    with pytest.raises(TopicRefused, match="already means the topic funding"):
        store.add_alias("policy", "融资")


def test_an_alias_for_an_unknown_topic_names_those_there_are(store: TopicStore) -> None:
    with pytest.raises(TopicRefused, match="policy, models, products, funding, industry"):
        store.add_alias("chips", "半导体")


@pytest.mark.parametrize("heading", ["", "  ", "***", "行\n业", "长" * 81])
def test_a_heading_without_letters_or_with_controls_is_refused(store: TopicStore, heading: str) -> None:
    with pytest.raises(TopicRefused, match="no heading"):
        store.add_alias("policy", heading)


@pytest.mark.parametrize(
    ("heading", "slug"),
    [
        ("政策发布", "policy"),
        ("国家视点", "policy"),
        ("国际事件", "policy"),
        ("技术产品", "models"),
        ("开源生态", "models"),
        ("高校动态", "models"),
        ("互联网大厂动态", "products"),
        ("集成电路和手机", "products"),
        ("市场动向", "industry"),
        ("企业大事记", "industry"),
    ],
)
def test_the_ten_headings_of_weekly_reports_mean_a_shipped_topic(heading: str, slug: str) -> None:
    assert Catalogue().resolve(heading) == slug


@pytest.mark.parametrize(
    "heading", ["一、政策与监管", "（一）政策与监管", "1. 政策与监管", "**政策与监管**", "＃ 政策 与 监管"]
)
def test_numbering_width_and_marks_do_not_change_what_a_heading_means(heading: str) -> None:
    assert Catalogue().resolve(heading) == "policy"
