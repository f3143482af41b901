"""Reader lists going out: harmless in a spreadsheet, and coming back as they were."""

import csv
import io
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Session, SQLModel, create_engine

from subscribers.csv_cells import COLUMNS, defused, restored
from subscribers.csv_export import export_csv
from subscribers.csv_import import import_csv
from subscribers.models import SignUp, State, Subscriber
from subscribers.people import SubscriberStore
from subscribers.preference_columns import columns_of, preferences_of
from subscribers.preferences import KEYWORD_CHARACTERS, Frequency, MailFormat, Preferences, of_topics
from subscribers.sign_ups import preferences_asked
from subscribers.topics import SHIPPED, Catalogue

KEY = b"a key of the tests, long enough."
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
Person = tuple[str, str, State, Preferences]

texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=30)
risky = st.one_of(texts, st.builds(lambda head, rest: head + rest, st.text("'=+-@＝\"", max_size=4), texts)).map(
    str.strip
)
keywords = risky.filter(lambda text: text and len(text) <= KEYWORD_CHARACTERS and not set(text) & set(";；"))
keyword_lists = st.lists(keywords, unique=True, max_size=3).map(tuple)


def _chosen(zone_and_hour: tuple[str | None, int | None], own: dict[str, Frequency], **rest: Any) -> Preferences:
    zone, hour = zone_and_hour
    return Preferences(zone=zone, hour=hour, frequencies=of_topics(own.items(), rest["topics"]), **rest)


preferences = st.builds(
    _chosen,
    zone_and_hour=st.sampled_from([(None, None), ("Asia/Shanghai", 0), ("Europe/Berlin", 23), ("UTC", None)]),
    topics=st.lists(st.sampled_from([topic.slug for topic in SHIPPED]), unique=True).map(tuple),
    frequency=st.sampled_from(Frequency),
    language=st.sampled_from(["zh", "en"]),
    most=st.none() | st.integers(1, 1000),
    follow=keyword_lists,
    mute=keyword_lists,
    format=st.sampled_from(MailFormat),
    day=st.none() | st.integers(0, 6),
    own=st.dictionaries(st.sampled_from([topic.slug for topic in SHIPPED]), st.sampled_from(Frequency)),
)
addresses = st.builds(
    lambda local, domain: f"{local}@{domain}",
    st.text("abAB=+-'", min_size=1, max_size=8),
    st.sampled_from(["example.org", "例子.中国", "news.test"]),
)
everybody = st.lists(
    st.tuples(addresses, risky, st.sampled_from(State), preferences),
    max_size=5,
    unique_by=lambda one: one[0].casefold(),
)


@contextmanager
def _database() -> Iterator[Session]:
    with tempfile.TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite:///{folder}/people.db")
        SQLModel.metadata.create_all(engine)
        with Session(engine) as session:
            yield session
        engine.dispose()


def _add(session: Session, people: Sequence[Person]) -> None:
    store = SubscriberStore(session, KEY)
    for address, name, state, chosen in people:
        store.add(address, chosen, name=name, state=state)


def _exported(session: Session) -> str:
    stream = io.StringIO(newline="")
    export_csv(session, stream)
    return stream.getvalue()


def _known(session: Session) -> list[Person]:
    people = SubscriberStore(session, KEY).list()
    return [(person.address or "", person.name, person.state, preferences_of(person)) for person in people]


@given(everybody)
@settings(max_examples=30, deadline=None)
def test_what_goes_out_comes_back_the_same(people: list[Person]) -> None:
    with _database() as here, _database() as there:
        _add(here, people)
        file = io.BytesIO(_exported(here).encode())
        report = import_csv(there, file, key=KEY, topics=Catalogue(), now=NOON)
        assert (report.added, report.refused) == (len(people), 0)
        assert _known(there) == _known(here)
        assert _exported(there) == _exported(here)


@given(preferences)
def test_choices_are_the_same_out_of_the_columns_they_were_put_into(chosen: Preferences) -> None:
    assert preferences_of(Subscriber(**columns_of(chosen))) == chosen


@given(preferences)
def test_choices_are_the_same_out_of_a_request_they_were_put_into(chosen: Preferences) -> None:
    kept = json.loads(json.dumps(columns_of(chosen)))
    assert preferences_asked(SignUp(preferences=kept)) == chosen


@given(st.text() | st.text("'=+-@\t\r\n＝a", max_size=6))
def test_defusing_can_be_undone_for_every_cell(cell: str) -> None:
    assert restored(defused(cell)) == cell


@given(everybody)
@settings(max_examples=20, deadline=None)
def test_no_cell_begins_like_a_formula(people: list[Person]) -> None:
    with _database() as session:
        _add(session, people)
        cells = [cell for row in csv.reader(io.StringIO(_exported(session), newline="")) for cell in row]
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")) for cell in cells)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_formula_gets_an_apostrophe(cell: str) -> None:
    assert defused(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "安", "O'Neil", "'quoted'", "a=b"])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert defused(cell) == cell == restored(cell)


def test_the_header_has_the_columns_that_an_import_reads() -> None:
    with _database() as session:
        assert _exported(session) == ",".join(COLUMNS) + "\r\n"


def test_the_forgotten_do_not_go_out_and_the_others_are_counted() -> None:
    with _database() as session:
        store = SubscriberStore(session, KEY)
        store.forget(store.add("an@example.org", Preferences(())))
        store.add("bo@example.org", Preferences(()), state=State.UNSUBSCRIBED)
        assert export_csv(session, io.StringIO(newline="")) == 1


def test_more_than_one_page_goes_out_whole() -> None:
    with _database() as session:
        rows = "\n".join(f"reader{number}@example.org" for number in range(2500))
        import_csv(session, io.BytesIO(f"address\n{rows}".encode()), key=KEY, topics=Catalogue(), now=NOON)
        assert _exported(session).count("@example.org") == 2500
