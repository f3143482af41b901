"""Reader lists at the desk: looked through first, with nothing written; then taken in just as it was said."""

import csv
import io
from datetime import timedelta

import pytest
from desk_samples import at_desk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sending import Clock
from sqlmodel import Session, select
from starlette.testclient import TestClient
from web_samples import SCRIPT, add_reader

from newsletter.app import Newsletter
from newsletter.readers import reader_lists
from newsletter.readers.models import ReaderList, ReaderListPiece
from newsletter.readers.purge import purge
from newsletter.staff import audit
from newsletter.staff.rights import Actor, Role
from newsletter.web.desk import reader_import
from subscribers.csv_import import import_csv, try_csv
from subscribers.models import State, Subscriber, utc_now
from subscribers.people import SubscriberStore
from subscribers.preferences import Preferences
from subscribers.suppression import SuppressionStore
from subscribers.topics import Catalogue

LIST = "address,name,topics,鞋码\nan@example.org,安娜,policy;models,42\nbo@example.org,=cmd(),models,\nno address,,,\n"
HERE = "/desk/readers/import"
KEY = b"a key of the tests, long enough."


@pytest.fixture
def desk(newsletter: Newsletter) -> TestClient:
    """The browser of somebody who may change readers."""
    return at_desk(newsletter, Role.ADMIN)


def bring(desk: TestClient, text: str | bytes = LIST, name: str = "三月.csv", **fields: str) -> str:
    """Upload a list and give the address of what is said about it."""
    data = text.encode() if isinstance(text, str) else text
    answer = desk.post(HERE, files={"file": (name, data)}, data={"state": "active"} | fields, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def everybody(newsletter: Newsletter) -> list[tuple[str | None, str, State, list[str]]]:
    """All readers."""
    with newsletter.reading() as session:
        return [(one.address, one.name, one.state, one.topics) for one in newsletter.people(session).list()]


@pytest.mark.both_databases
def test_looking_through_says_everything_and_writes_nobody(newsletter: Newsletter, desk: TestClient) -> None:
    text = desk.get(bring(desk)).text
    assert everybody(newsletter) == []
    assert "导入：改动 2 行" in text
    assert "no address" in text
    assert "这个地址写得不对，寄不到。" in text
    assert "没有读取的列：鞋码" in text
    assert "安娜" in text


@pytest.mark.both_databases
def test_taking_in_does_what_was_said_and_is_in_the_log(newsletter: Newsletter, desk: TestClient) -> None:
    here = bring(desk)
    assert "导入完成" in desk.post(here).text
    assert [one[0] for one in everybody(newsletter)] == ["an@example.org", "bo@example.org"]
    with newsletter.reading() as session:
        ((entry, *_), pieces) = audit.entries(session), session.exec(select(ReaderListPiece)).all()
        said = newsletter.people(session).consents(newsletter.people(session).list()[0])
    assert (entry.action, entry.subject) == ("readers imported", "三月.csv")
    counts = {"added": 2, "updated": 0, "unchanged": 0, "kept": 0, "refused": 1, "state": "active"}
    assert entry.details == counts
    assert pieces == []
    assert [(one.kind, one.source) for one in said] == [("import", "三月.csv")]


def test_a_list_is_taken_in_once(newsletter: Newsletter, desk: TestClient) -> None:
    here = bring(desk)
    first = desk.post(here).text
    assert desk.post(here).text == first
    with newsletter.reading() as session:
        assert len(audit.entries(session)) == 1


def test_nobody_who_left_or_is_suppressed_comes_back(newsletter: Newsletter, desk: TestClient) -> None:
    add_reader(newsletter, "an@example.org")
    with newsletter.session() as session:
        people = newsletter.people(session)
        people.unsubscribe(people.list()[0], "page")
        newsletter.suppression(session).add("bo@example.org", "complaint")
    here = bring(desk)
    assert "这份名单不会改动任何人" in desk.get(here).text
    desk.post(here)
    assert [one[2] for one in everybody(newsletter)] == [State.UNSUBSCRIBED]


def test_readers_may_come_in_pending(newsletter: Newsletter, desk: TestClient) -> None:
    desk.post(bring(desk, state="pending"))
    assert {one[2] for one in everybody(newsletter)} == {State.PENDING}


def test_a_list_in_gb18030_is_read(newsletter: Newsletter, desk: TestClient) -> None:
    desk.post(bring(desk, LIST.encode("gb18030")))
    assert everybody(newsletter)[0][1] == "安娜"


def test_the_lines_to_look_at_are_a_file_without_formulas(desk: TestClient) -> None:
    answer = desk.get(bring(desk, "address\n=cmd@x\nan@example.org\n") + "/lines.csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0] == ["line", "address", "outcome", "reason"]
    assert rows[1][:3] == ["2", "'=cmd@x", "refused"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "请选择一个有内容的 CSV 文件"),
        ({"file": ("a.csv", b"")}, "请选择一个有内容的 CSV 文件"),
        ({"file": ("a.csv", b"name\nan\n")}, "no column is called address"),
        ({"file": ("a.csv", b"address\n\0\n")}, "NUL"),
        ({"file": ("a.csv", b'address\n"an\n')}, "not CSV"),
        ({"file": ("a.csv", b"\xff\xfea\0")}, "UTF-16"),
    ],
)
def test_a_file_that_cannot_be_read_is_said_with_the_form(
    newsletter: Newsletter, desk: TestClient, files: dict[str, tuple[str, bytes]], said: str
) -> None:
    answer = desk.post(HERE, files=files, data={"state": "pending"})
    assert (answer.status_code, said in answer.text) == (422, True)
    assert everybody(newsletter) == []


@pytest.mark.parametrize("body", [b"", b"--x\r\nbroken", b"a=b"])
def test_what_is_no_such_form_is_refused_politely(desk: TestClient, body: bytes) -> None:
    for kind in ("multipart/form-data; boundary=x", "multipart/form-data", "text/plain", ""):
        assert desk.post(HERE, content=body, headers={"content-type": kind}).status_code == 422


def test_more_than_a_list_may_have_ends_in_413(desk: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_import, "LIMIT_BYTES", 1000)
    answer = desk.post(HERE, files={"file": ("a.csv", b"address\n" + b"x" * 20_000)})
    assert (answer.status_code, "没有改动任何人" in answer.text) == (413, True)


def test_a_list_too_long_for_a_page_is_for_the_command_line(desk: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_lists, "MOST_LINES", 2)
    answer = desk.post(HERE, files={"file": ("a.csv", LIST.encode())})
    assert (answer.status_code, "newsletter subscriber import" in answer.text) == (422, True)


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_a_file_of_empty_lines_is_refused_before_they_are_read(desk: TestClient, end: str) -> None:
    data = (f"address{end}wen@example.com" + end * (reader_lists.MOST_LINE_ENDS + 1)).encode()
    answer = desk.post(HERE, files={"file": ("a.csv", data)}, follow_redirects=False)
    assert (answer.status_code, f"{reader_lists.MOST_LINE_ENDS + 2:,} lines" in answer.text) == (422, True)


def test_a_list_is_its_owners_alone_and_for_an_hour(newsletter: Newsletter, desk: TestClient) -> None:
    clock = newsletter.clock = Clock()
    here = bring(desk)
    other = at_desk(newsletter, Role.ADMIN, address="other@example.org")
    assert (other.get(here).status_code, other.post(here).status_code) == (404, 404)
    clock.move(minutes=61)
    assert (desk.get(here).status_code, desk.post(here).status_code) == (404, 404)
    assert everybody(newsletter) == []


def test_a_new_list_takes_the_place_of_the_former_and_the_hour_takes_all(
    newsletter: Newsletter, desk: TestClient
) -> None:
    clock = newsletter.clock = Clock()
    former, _ = bring(desk), bring(desk)
    assert desk.get(former).status_code == 404
    clock.move(minutes=61)
    purge(newsletter)
    with newsletter.reading() as session:
        assert (session.exec(select(ReaderList)).all(), session.exec(select(ReaderListPiece)).all()) == ([], [])


def test_a_list_that_is_dropped_is_gone(newsletter: Newsletter, desk: TestClient) -> None:
    here = bring(desk)
    desk.post(f"{here}/drop")
    assert desk.get(here).status_code == 404


def test_while_one_takes_it_in_another_looks_on_until_it_must_be_dead(newsletter: Newsletter, desk: TestClient) -> None:
    clock = newsletter.clock = Clock()
    here = bring(desk)
    with newsletter.session() as session:
        session.exec(select(ReaderList)).one().begun_at = clock()
    assert "正在导入" in desk.post(here).text
    assert everybody(newsletter) == []
    clock.move(minutes=11)
    assert "导入完成" in desk.post(here).text


def test_hostile_cells_are_only_text(desk: TestClient) -> None:
    hostile = f'address,"{SCRIPT}"\n{SCRIPT},x\nan@example.org,{SCRIPT}\n'
    assert SCRIPT not in desk.get(bring(desk, hostile, name=f"{SCRIPT}.csv")).text


ADDRESSES = st.sampled_from(["an@example.org", "AN@example.org", "bo@example.org", "cy@example.org", "no address"])
ROWS = st.lists(
    st.tuples(
        ADDRESSES,
        st.sampled_from(["", "安", "Bo"]),
        st.sampled_from(["", "policy", "models;policy", "nonsense"]),
        st.sampled_from(["", "active", "paused", "unsubscribed", "pending"]),
        st.sampled_from(["", "8"]),
    ),
    max_size=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    rows=ROWS,
    before=st.lists(st.tuples(ADDRESSES.filter(lambda one: "@" in one), st.sampled_from(State)), max_size=3),
    suppressed=st.sets(st.sampled_from(["bo@example.org", "cy@example.org"])),
    least=st.sampled_from([State.ACTIVE, State.PENDING]),
    chunk=st.integers(1, 4),
)
def test_the_trial_says_what_the_import_then_does(
    session: Session,
    rows: list[tuple[str, ...]],
    before: list[tuple[str, State]],
    suppressed: set[str],
    least: State,
    chunk: int,
) -> None:
    text = "address,name,topics,state,hour\n" + "".join(",".join(row) + "\n" for row in rows)
    for table in ("consent", "subscriber", "suppression"):
        session.connection().exec_driver_sql(f"DELETE FROM {table}")
    people = SubscriberStore(session, KEY)
    for address, state in {address.lower(): state for address, state in before}.items():
        people.add(address, Preferences(topics=("models",)), state=state)
    for address in suppressed:
        SuppressionStore(session, KEY).add(address)
    session.commit()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("subscribers.csv_import.ROWS_A_COMMIT", chunk)
        rest = {"key": KEY, "topics": Catalogue(), "state": least}
        held = [one.model_dump() for one in session.exec(select(Subscriber))]
        trial = try_csv(session, io.BytesIO(text.encode()), **rest)  # type: ignore[arg-type]  # as named above
        assert [one.model_dump() for one in session.exec(select(Subscriber))] == held
        done = import_csv(session, io.BytesIO(text.encode()), now=utc_now(), **rest)  # type: ignore[arg-type]  # the same
    assert trial == done


def test_the_report_before_is_the_report_after(newsletter: Newsletter, desk: TestClient) -> None:
    actor, lines = (
        Actor(1, "陈"),
        LIST + "".join(f"r{n % 1500}@example.org,{n // 1500},models,\n" for n in range(3000)),
    )
    key = reader_lists.keep(newsletter, actor, "a.csv", io.BytesIO(lines.encode()), State.ACTIVE)
    before = reader_lists.look(newsletter, actor, key)
    after = reader_lists.take_in(newsletter, actor, key)
    assert before is not None
    assert after is not None
    assert after.report == before.report
    assert (after.report.added, after.report.updated) == (1502, 1500)
    assert timedelta(hours=1) == reader_lists.KEPT
