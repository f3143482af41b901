"""Reader lists: who is added, changed, left alone or refused, and that a broken file changes nothing."""

import io
import os
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from subscribers.csv_file import LIMIT_BYTES, CsvRefused
from subscribers.csv_import import import_csv
from subscribers.csv_report import ImportReport
from subscribers.models import State, Subscriber
from subscribers.people import SubscriberStore
from subscribers.preference_columns import preferences_of
from subscribers.preferences import Frequency, MailFormat, Preferences
from subscribers.suppression import SuppressionStore
from subscribers.topics import Catalogue

pytestmark = pytest.mark.both_databases

KEY = b"a key of the tests, long enough."
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def _import(session: Session, file: str | bytes, **options: Any) -> ImportReport:
    stream = io.BytesIO(file if isinstance(file, bytes) else file.encode())
    return import_csv(session, stream, key=KEY, topics=Catalogue(), now=NOON, **options)


def _people(session: Session) -> SubscriberStore:
    return SubscriberStore(session, KEY)


def _one(session: Session, address: str = "an@example.org") -> Subscriber:
    person = _people(session).get(address)
    assert person is not None
    return person


def test_every_column_is_read(session: Session) -> None:
    report = _import(
        session,
        "address,name,topics,state,frequency,language,zone,hour,most,follow,mute,format,day,frequencies\n"
        "An@example.org,安,models;policy,paused,weekly,en,Asia/Shanghai,0,5,GPU;芯片,广告,text,Sun,"
        "policy=important; models = daily\n",
    )
    person = _one(session)
    assert (report.added, person.address, person.name, person.state) == (1, "An@example.org", "安", State.PAUSED)
    assert preferences_of(person) == Preferences(
        topics=("models", "policy"),
        frequency=Frequency.WEEKLY,
        language="en",
        zone="Asia/Shanghai",
        hour=0,
        most=5,
        follow=("GPU", "芯片"),
        mute=("广告",),
        format=MailFormat.TEXT,
        day=6,
        frequencies=(("models", Frequency.DAILY), ("policy", Frequency.IMPORTANT)),
    )


@pytest.mark.parametrize("hour", ["7", "07", "7:00", "07:00", "07：00"])
def test_an_hour_without_a_zone_is_one_of_the_newsletter_s(session: Session, hour: str) -> None:
    _import(session, f"address,hour\nan@example.org,{hour}\n", zone="Asia/Shanghai")
    person = _one(session)
    assert (person.zone, person.hour) == ("Asia/Shanghai", 7)


def test_an_hour_of_somebody_whose_zone_is_known_is_one_of_theirs(session: Session) -> None:
    _import(session, "address,zone\nan@example.org,Europe/Berlin\n")
    _import(session, "address,hour\nan@example.org,7\n", zone="Asia/Shanghai")
    assert _one(session).zone == "Europe/Berlin"


def test_who_drops_a_topic_by_a_list_drops_how_often_it_comes(session: Session) -> None:
    _import(session, "address,topics,frequencies\nan@example.org,policy;models,models=weekly\n")
    _import(session, "address,topics\nan@example.org,policy\n")
    assert preferences_of(_one(session)).frequencies == ()


@pytest.mark.parametrize(
    ("cells", "code", "why"),
    [
        ("policy,fri,models=weekly", "frequencies", "models has a frequency and is none of the topics"),
        ("policy,fri,policy", "frequencies", "frequencies are like policy=weekly"),
        ("policy,fri,policy=hourly", "frequency", "frequency is one of daily, weekly, important"),
        ("policy,fri,weather=weekly", "topics", "unknown topic weather"),
        ("policy,friday,", "day", "day is one of mon, tue"),
    ],
)
def test_a_day_or_a_frequency_that_is_none_is_refused(session: Session, cells: str, code: str, why: str) -> None:
    report = _import(session, f"address,topics,day,frequencies\nan@example.org,{cells}\n")
    (line,) = report.lines
    assert line.why
    assert (line.why.code, why in line.reason) == (code, True)
    assert _people(session).get("an@example.org") is None


def test_only_those_are_told_of_whose_mail_is_to_come_at_other_times(session: Session) -> None:
    _import(session, "address,topics,most\nan@example.org,policy,5\nbo@example.org,policy,5\nci@example.org,policy,5\n")
    told: list[int] = []
    file = "address,topics,most,zone,hour,day\n"
    file += "an@example.org,policy,9,,,\nbo@example.org,policy,5,Asia/Tokyo,7,\nci@example.org,policy,5,,,mon\n"
    _import(session, file + "new@example.org,policy,5,Asia/Tokyo,7,mon\n", on_rhythm=told.append)
    assert told == [_one(session, "bo@example.org").id, _one(session, "ci@example.org").id]


def test_an_address_alone_is_enough_and_those_without_topics_are_counted(session: Session) -> None:
    report = _import(session, "address\nan@example.org\nbo@example.org\n")
    assert (report.added, report.without_topics) == (2, 2)


def test_a_person_may_be_suppressed_as_soon_as_they_are_imported(session: Session) -> None:
    _import(session, "address\nan@例子.中国\n")
    SuppressionStore(session, KEY).add("AN@例子.中国")
    assert [member.suppressed for member in _people(session).audience()] == [True]


def test_unknown_columns_are_reported_and_headers_may_be_written_loosely(session: Session) -> None:
    report = _import(session, "\ufeff Address ,Shoe Size,TOPICS\nan@example.org,42,policy\n")
    assert report.ignored_columns == ("shoe size",)
    assert _one(session).topics == ["policy"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_utf_8_and_gb18030_are_told_apart(session: Session, encoding: str) -> None:
    _import(session, "address,name\r\nan@example.org,一丁\r\nbo@example.org,联通\r\n".encode(encoding))
    assert [person.name for person in _people(session).list()] == ["一丁", "联通"]


def test_the_encoding_is_judged_by_the_whole_file_not_by_its_first_words(session: Session) -> None:
    assert "一".encode("gb18030").decode("utf-8")  # valid in both, and another word in the other
    head = "address,name\n" + "".join(f"reader{number}@example.org,一\n" for number in range(2000))
    _import(session, (head + "an@example.org,联通\n").encode("gb18030"))
    assert _one(session, "reader0@example.org").name == "一"


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_any_line_end_will_do_and_empty_lines_count_for_nothing(session: Session, line_end: str) -> None:
    report = _import(session, line_end.join(["", "address,name", "", "an@example.org,安", ",", ""]))
    assert (report.added, report.refused) == (1, 0)


def test_a_stream_that_cannot_rewind_is_read_as_well(session: Session) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"address\nan@example.org\n")
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        report = import_csv(session, stream, key=KEY, topics=Catalogue(), now=NOON)
    assert report.added == 1


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ("an.example.org,,,,", "@-sign"),
        ("张@example.org,,,,", "SMTPUTF8"),
        ('"an@example.org\nBcc: bo@example.org",,,,', "line break"),
        (",安,,,", "empty"),
        ('an@example.org,"安\n娜",,,', "line break"),
        ("an@example.org,,chips,,", "there are policy, models"),
        ("an@example.org,,政策,,", "did you mean policy"),
        ("an@example.org,,,asleep,", "active, paused, pending, unsubscribed"),
        ("an@example.org,,,,eight", "whole number"),
        ("an@example.org,,,,07:30", "whole number"),
        ("an@example.org,,,,8", "needs a zone"),
    ],
)
def test_a_line_that_cannot_be_taken_is_refused_with_number_and_reason(
    session: Session, cells: str, reason: str
) -> None:
    report = _import(session, f"address,name,topics,state,hour\nbo@example.org,,,,\n{cells}\ncy@example.org,,,,\n")
    (line,) = report.lines
    assert (report.added, report.refused, line.line, line.outcome) == (2, 1, 3, "refused")
    assert reason in line.reason
    assert "\n" not in line.address


def test_lines_are_numbered_as_an_editor_shows_them(session: Session) -> None:
    report = _import(session, 'address,note\n\nan@example.org,"two\nlines"\nnobody,\n')
    assert [line.line for line in report.lines] == [5]


def test_the_same_file_again_changes_nothing(session: Session) -> None:
    file = "address,name,topics\nan@example.org,安,policy\n"
    _import(session, file)
    before = _one(session).updated_at
    report = import_csv(session, io.BytesIO(file.encode()), key=KEY, topics=Catalogue(), now=NOON + timedelta(days=1))
    assert (report.added, report.updated, report.unchanged) == (0, 0, 1)
    assert _one(session).updated_at == before


def test_a_filled_cell_changes_and_an_empty_one_leaves_what_is_known(session: Session) -> None:
    _import(session, "address,name,topics,most\nan@example.org,安,policy,5\n")
    report = _import(session, "address,name,topics,most\nAN@example.org,,models,\n")
    person = _one(session)
    assert report.updated == 1
    assert (person.name, person.topics, person.most) == ("安", ["models"], 5)


def test_one_person_twice_in_a_file_is_one_person(session: Session) -> None:
    report = _import(session, "address,name\nan@example.org,安\nAN@EXAMPLE.org,娜\nan@example.org,\n")
    assert (report.added, report.updated, report.unchanged) == (1, 1, 1)
    assert [person.name for person in _people(session).list()] == ["娜"]


@pytest.mark.parametrize("known", [None, *State])
@pytest.mark.parametrize("least", [State.ACTIVE, State.PENDING])
@pytest.mark.parametrize("cell", [None, *State])
def test_the_strictest_state_wins(session: Session, known: State | None, least: State, cell: State | None) -> None:
    if known:
        _people(session).add("an@example.org", Preferences(()), state=known)
    _import(session, f"address,state\nan@example.org,{cell or ''}\n", state=least)
    order = list(State)
    assert _one(session).state is order[max(order.index(state) for state in (known, least, cell) if state)]


def test_the_unsubscribed_are_left_as_they_are_and_named(session: Session) -> None:
    people = _people(session)
    people.unsubscribe(people.add("an@example.org", Preferences(()), name="安"), "page")
    report = _import(session, "address,name,state\nAN@example.org,娜,active\n")
    assert [(line.line, line.outcome) for line in report.lines] == [(2, "kept")]
    assert (_one(session).name, _one(session).state) == ("安", State.UNSUBSCRIBED)


@pytest.mark.parametrize("state", ["", "active", "unsubscribed"])
def test_a_suppressed_or_forgotten_address_is_not_even_stored(session: Session, state: str) -> None:
    people = _people(session)
    people.forget(people.add("an@example.org", Preferences(())))
    SuppressionStore(session, KEY).add("bo@example.org", "bounce")
    report = _import(session, f"address,state\nan@example.org,{state}\nBO@example.org,{state}\n")
    assert (report.added, report.kept) == (0, 2)
    assert people.list() == ()


def test_the_suppressed_are_left_as_they_are_except_that_they_can_be_unsubscribed(session: Session) -> None:
    people = _people(session)
    for address in ("an@example.org", "bo@example.org"):
        people.add(address, Preferences(()), name="安")
        SuppressionStore(session, KEY).add(address, "bounce")
    report = _import(session, "address,name,state\nan@example.org,娜,unsubscribed\nbo@example.org,娜,paused\n")
    assert (report.updated, report.kept) == (1, 1)
    stood = [(person.name, person.state) for person in people.list()]
    assert stood == [("安", State.UNSUBSCRIBED), ("安", State.ACTIVE)]
    consents = people.consents(_one(session))
    assert [consent.detail for consent in consents if consent.kind == "import"] == ["active to unsubscribed"]


def test_a_later_line_cannot_bring_back_whom_an_earlier_one_unsubscribed(session: Session) -> None:
    _import(session, "address,state\nan@example.org,unsubscribed\nan@example.org,active\n")
    assert _one(session).state is State.UNSUBSCRIBED


def test_consent_is_recorded_with_file_and_change_of_state(session: Session) -> None:
    _import(session, "address,topics\nan@example.org,policy\n", source="readers.csv")
    _import(session, "address,topics\nan@example.org,models\n", source="more.csv")
    _import(session, "address,state\nan@example.org,unsubscribed\n", source="gone.csv")
    said = [(consent.kind, consent.detail, consent.source) for consent in _people(session).consents(_one(session))]
    assert said == [("import", "active", "readers.csv"), ("import", "active to unsubscribed", "gone.csv")]


@pytest.mark.parametrize(
    ("file", "advice"),
    [
        (b"", "empty"),
        (b"\n\n \n", "empty"),
        (b"email,name\nan@example.org,An\n", "no column is called address, only: email, name"),
        (b"an@example.org\n", "the first line names the columns"),
        (b"address,name,Name\n", "two columns are called name"),
        (b"address\nan@example.org\nb\0o@example.org\n", "line 3: there is a NUL"),
        ("address\nan@example.org\n".encode("utf-16"), "UTF-16"),
        (b"address,name\nan@example.org,\xff\xff\n", "neither UTF-8 nor GB18030"),
        ("address,name\nan@example.org,安娜".encode()[:-1], "cut off"),
        ("address,name\nan@example.org,安娜".encode("gb18030")[:-1], "cut off"),
        (b'address,name\nbo@example.org,\nan@example.org,"An\n', "line 3: .*quote"),
        (b"address,name\nan@example.org," + b"x" * 140_000, "line 2: .*too long"),
        (b"address,name\nan@example.org," + b"x" * 999_000, "line 2: .*200,000"),
        (b'address\n"' + b"a\n" * 150_000, "line 2: "),
    ],
)
def test_a_broken_file_is_refused_with_advice_and_changes_nothing(session: Session, file: bytes, advice: str) -> None:
    with pytest.raises(CsvRefused, match=advice):
        _import(session, file)
    assert _people(session).list() == ()


def test_a_fault_near_the_end_of_a_long_file_is_found_before_anybody_is_stored(session: Session) -> None:
    rows = "".join(f"reader{number}@example.org,\n" for number in range(2500))
    with pytest.raises(CsvRefused, match="line 2502"):
        _import(session, f'address,name\n{rows}an@example.org,"An\n')
    assert _people(session).list() == ()


def test_a_file_above_the_limit_is_refused(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    with path.open("wb") as stream:
        stream.write(b"address\n")
        for _ in range(LIMIT_BYTES // 1_000_000):
            stream.write(b"an@example.org\n" * 66_667)
    with path.open("rb") as stream, pytest.raises(CsvRefused, match="100 MB"):
        import_csv(session, stream, key=KEY, topics=Catalogue(), now=NOON)


@given(
    st.binary(max_size=200)
    | st.text("address,\n\r\"'=;安", max_size=60).map(lambda text: f"address,name\n{text}".encode())
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_file_whatever_ends_in_a_traceback(session: Session, file: bytes) -> None:
    try:
        _import(session, file)
    except CsvRefused as refused:
        assert str(refused)


def test_progress_is_told_after_each_thousand_with_the_total(session: Session) -> None:
    seen: list[tuple[int, int]] = []
    rows = "".join(f"reader{number}@example.org\n" for number in range(2300))
    _import(session, f"address\n{rows}", on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1000, 2300), (2000, 2300), (2300, 2300)]


def test_a_report_keeps_a_thousand_lines_and_the_listener_hears_of_all(session: Session) -> None:
    heard: list[int] = []
    report = _import(session, "address\n" + "nobody\n" * 1500, on_line=lambda line: heard.append(line.line))
    assert (report.refused, len(report.lines)) == (1500, 1000)
    assert heard == list(range(2, 1502))


@pytest.mark.both_databases(False)  # nine seconds more, and the chunks are the same
def test_memory_does_not_grow_with_the_number_of_rows(session: Session, tmp_path: Path) -> None:
    def peak_bytes(rows: int) -> int:
        path = tmp_path / f"{rows}.csv"
        lines = (f"reader{number}@{rows}.example,读者,policy;models,GPU" for number in range(rows))
        path.write_text("address,name,topics,follow\n" + "\n".join(lines))
        tracemalloc.start()
        with path.open("rb") as stream:
            import_csv(session, stream, key=KEY, topics=Catalogue(), now=NOON)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak_bytes(500)  # fills caches
    assert peak_bytes(5000) < 1.2 * peak_bytes(2000)
