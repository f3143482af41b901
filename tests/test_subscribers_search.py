"""Finding people a page at a time, counting who comes and goes, and topics changed."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from subscribers.growth import Change, changes, readers_by_topic
from subscribers.models import State, Subscriber
from subscribers.people import SubscriberStore
from subscribers.preferences import Frequency, MailFormat, Preferences
from subscribers.search import Found, Wanted, count, find
from subscribers.topic_store import TopicRefused, TopicStore

pytestmark = pytest.mark.both_databases

KEY = b"a key of the tests, long enough."
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def _people(session: Session, at: datetime = NOON) -> SubscriberStore:
    return SubscriberStore(session, KEY, lambda: at)


def _add(session: Session, address: str, *topics: str, at: datetime = NOON, **more: object) -> Subscriber:
    name, state = str(more.pop("name", "")), State(str(more.pop("state", "active")))
    preferences = Preferences(topics=topics, **more)  # type: ignore[arg-type]  # what the test says
    return _people(session, at).add(address, preferences, name=name, state=state)


def _names(found: Found) -> list[str | None]:
    return [person.address for person in found.people]


@pytest.fixture
def three(session: Session) -> Session:
    """Three people in a database."""
    _add(session, "An@example.org", "policy", name="安娜", frequency=Frequency.WEEKLY)
    _add(
        session,
        "bo@example.org",
        "models",
        "policy",
        name="Bo 欧阳",
        language="en",
        frequencies=(("models", Frequency.WEEKLY),),
    )
    _add(session, "cy@example.net", "models-lite", state="paused", format=MailFormat.TEXT)
    return session


@pytest.mark.parametrize(
    ("wanted", "addresses"),
    [
        (Wanted(), ["cy@example.net", "bo@example.org", "An@example.org"]),
        (Wanted("欧阳"), ["bo@example.org"]),
        (Wanted("EXAMPLE.ORG"), ["bo@example.org", "An@example.org"]),
        (Wanted("bo 欧阳"), ["bo@example.org"]),
        (Wanted("an@EXAMPLE.org"), ["An@example.org"]),
        (Wanted(topic="policy"), ["bo@example.org", "An@example.org"]),
        (Wanted(topic="models"), ["bo@example.org"]),
        (Wanted(state=State.PAUSED), ["cy@example.net"]),
        (Wanted(language="en"), ["bo@example.org"]),
        (Wanted(format=MailFormat.TEXT), ["cy@example.net"]),
        (Wanted(frequency=Frequency.WEEKLY), ["bo@example.org", "An@example.org"]),
        (Wanted(frequency=Frequency.IMPORTANT), []),
        (Wanted("example", topic="policy", language="zh"), ["An@example.org"]),
        (Wanted("%"), []),
        (Wanted("n_@"), []),
        (Wanted("\0"), []),
    ],
)
def test_people_are_found_by_parts_and_by_what_they_chose(three: Session, wanted: Wanted, addresses: list[str]) -> None:
    assert _names(find(three, wanted, 10)) == addresses
    assert count(three, wanted, 10) == len(addresses)


def test_a_whole_address_finds_that_person_alone(session: Session) -> None:
    _add(session, "li@example.org")
    _add(session, "mali@example.org")
    assert _names(find(session, Wanted("LI@example.org"), 10)) == ["li@example.org"]


def test_nobody_forgotten_is_found(three: Session) -> None:
    people = _people(three)
    person = people.get("bo@example.org")
    assert person is not None
    people.forget(person)
    assert _names(find(three, Wanted(), 10)) == ["cy@example.net", "An@example.org"]
    assert sum(people.count_by_state().values()) == 2


def test_counting_stops_one_beyond_the_most(three: Session) -> None:
    assert count(three, Wanted(), 1) == 2


@pytest.mark.both_databases(False)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(number=st.integers(0, 12), limit=st.integers(1, 5))
def test_pages_show_everybody_once_forwards_and_back(session: Session, number: int, limit: int) -> None:
    people = [_add(session, f"r{one}@example.org").id for one in range(number)][::-1]
    page = find(session, Wanted(), limit)
    pages = [page]
    while page.older is not None:
        page = find(session, Wanted(), limit, before=page.older)
        pages.append(page)
    forwards = [person.id for page in pages for person in page.people]
    for later, earlier in pairwise(pages):
        assert find(session, Wanted(), limit, after=earlier.newer).people == later.people
    session.rollback()
    assert forwards == people
    assert pages[0].newer is None


def _by_day(session: Session, days: int = 3) -> list[tuple[int, int]]:
    begin = NOON - timedelta(hours=12)
    found = changes(session, [begin + timedelta(days=day) for day in range(days + 1)])
    assert all(isinstance(one, Change) for one in found)
    return [(one.joined, one.left) for one in found]


def test_who_comes_and_goes_is_counted_on_the_day(session: Session) -> None:
    person = _add(session, "an@example.org")
    _add(session, "bo@example.org", at=NOON + timedelta(days=1))
    _people(session, NOON + timedelta(days=2)).unsubscribe(person, "page")
    assert _by_day(session) == [(1, 0), (1, 0), (0, 1)]


def test_who_never_confirmed_neither_joins_nor_leaves(session: Session) -> None:
    person = _add(session, "an@example.org", state="pending")
    _people(session).unsubscribe(person, "page")
    assert _by_day(session, 1) == [(0, 0)]


def test_who_left_and_is_then_forgotten_leaves_once(session: Session) -> None:
    person = _add(session, "an@example.org")
    people = _people(session)
    people.unsubscribe(person, "page")
    people.forget(person)
    assert _by_day(session, 1) == [(1, 1)]


def test_who_comes_back_joins_again(session: Session) -> None:
    person = _add(session, "an@example.org")
    people = _people(session)
    people.unsubscribe(person, "page")
    people.come_back(person, source="page")
    assert _by_day(session, 1) == [(2, 1)]


def test_readers_are_counted_by_topic_and_only_those_who_read(three: Session) -> None:
    _add(three, "dan@example.org", "policy", state="pending")
    assert readers_by_topic(three) == {"policy": 2, "models": 1, "models-lite": 1}


@pytest.fixture
def topics(session: Session) -> TopicStore:
    """The topics that ship."""
    store = TopicStore(session)
    store.seed()
    return store


def test_a_renamed_topic_is_still_meant_by_its_former_names(topics: TopicStore) -> None:
    topics.rename("policy", "政策", "Rules")
    catalogue = topics.catalogue()
    assert [catalogue.resolve(name) for name in ("政策", "Rules", "政策与监管", "Policy & Regulation")] == [
        "policy"
    ] * 4


def test_a_name_that_means_another_topic_is_refused(topics: TopicStore) -> None:
    with pytest.raises(TopicRefused, match="models"):
        topics.rename("policy", "模型", "Rules")


def test_an_alias_that_was_dropped_means_nothing(topics: TopicStore) -> None:
    topics.drop_alias("policy", " 国家 视点 ")
    assert topics.catalogue().resolve("国家视点") is None


@pytest.mark.parametrize(
    ("steps", "order"),
    [
        (-1, ["models", "policy", "products"]),
        (1, ["policy", "products", "models"]),
        (-9, ["models", "policy", "products"]),
    ],
)
def test_a_topic_is_moved_and_the_ends_hold(topics: TopicStore, steps: int, order: list[str]) -> None:
    topics.move("models", steps)
    assert [topic.slug for topic in topics.all()][:3] == order


def test_an_unknown_topic_can_be_neither_changed_nor_removed(topics: TopicStore) -> None:
    for deed in (lambda: topics.remove("no"), lambda: topics.move("no", 1), lambda: topics.rename("no", "无", "No")):
        with pytest.raises(TopicRefused, match="unknown topic no"):
            deed()
