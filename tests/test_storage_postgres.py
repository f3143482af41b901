"""What is different on PostgreSQL: reaching it, what its sessions promise, and many who write at once."""

import io
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from alembic import command
from archive_samples import issue_text, publish_text, story_text
from command import Command
from postgres import Server, running_server
from psycopg import sql
from sqlalchemy import Engine, inspect, select, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel

from newsletter.app import Newsletter
from newsletter.archive.reading import Archive
from newsletter.editorial.intake import read, take_in
from newsletter.settings import PREFIX
from newsletter.storage.engine import DatabaseRefused, open_engine, set_up_alone
from newsletter.storage.key import remember_key
from newsletter.storage.migrate import migrate, migration_config
from newsletter.storage.schema import present_schema
from newsletter.storage.trouble import say
from subscribers.csv_export import export_csv
from subscribers.csv_import import import_csv
from subscribers.models import State
from subscribers.people import SubscriberRefused, SubscriberStore
from subscribers.preferences import Preferences
from subscribers.suppression import SuppressionStore
from subscribers.topic_store import TopicRefused, TopicStore
from subscribers.topics import SHIPPED, Catalogue

KEY = b"a key of the tests, long enough."
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def database(postgres_url: str) -> str:
    """Every test here is about PostgreSQL."""
    return postgres_url


@pytest.fixture
def other(engine: Engine) -> Iterator[Session]:
    """A second session beside `session`, as another process would have."""
    with Session(engine) as session:
        yield session


@pytest.fixture
def meanwhile(engine: Engine) -> Iterator[Callable[[Callable[[], object]], Future[object]]]:
    """Start a step on a thread and come back when the database keeps it waiting for another transaction."""
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    with ThreadPoolExecutor(1) as pool:

        def begin(step: Callable[[], object]) -> Future[object]:
            future = pool.submit(step)
            while not future.done():
                with engine.connect() as connection:
                    if connection.execute(waiting).scalar():
                        break
                threading.Event().wait(0.01)
            return future

        yield begin


def _add(session: Session, address: str, state: State = State.ACTIVE) -> None:
    SubscriberStore(session, KEY).add(address, Preferences(()), state=state)


def _import(session: Session, file: str) -> tuple[int, int, int]:
    report = import_csv(session, io.BytesIO(file.encode()), key=KEY, topics=Catalogue(), now=NOON)
    return report.added, report.unchanged, report.kept


# reaching it


def test_a_url_may_name_postgresql_with_or_without_a_driver() -> None:
    for scheme in ("postgresql", "postgres", "postgresql+psycopg"):
        assert open_engine(f"{scheme}://host/news").url.drivername == "postgresql+psycopg"


REFUSED = {
    "wrong-password": (lambda server, url: url.replace("a%20password", "my%20password"), "mend user and password"),
    "no-such-database": (lambda server, url: server.url("elsewhere"), "create it"),
    "nobody-listens": (lambda server, url: url.replace(str(server.port), "1"), "start the server"),
    "no-such-host": (lambda server, url: url.replace("127.0.0.1", "nowhere.invalid"), "mend the host"),
    "no-tls-there": (lambda server, url: f"{url}?sslmode=require", "mend sslmode"),
    "no-such-option": (lambda server, url: f"{url}?colour=red", "mend what stands behind"),
}


@pytest.mark.parametrize("how", REFUSED)
def test_a_server_that_lets_nobody_in_is_refused_in_words(how: str, postgres: Server, database: str) -> None:
    change, advice = REFUSED[how]
    with pytest.raises(DatabaseRefused, match=advice) as refused:
        present_schema(open_engine(change(postgres, database)))
    said = str(refused.value)
    assert "password%" not in said
    assert "password with" not in said
    assert "newsletter" in said
    assert "\n" not in said


def test_a_password_behind_the_question_mark_is_not_shown_either(database: str) -> None:
    engine = open_engine("postgresql://127.0.0.1:1/news?user=news&password=geheim")
    with pytest.raises(DatabaseRefused) as refused:
        present_schema(engine)
    assert "geheim" not in str(refused.value) + repr(engine)


def test_the_command_line_says_it_in_one_line(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(f"{PREFIX}DATABASE_URL", database.replace("a%20password", "my%20password"))
    said = Command(monkeypatch, capsys)("init")
    assert (said.code, said.out.count("\n"), said.err.count("\n")) == (1, 1, 1)
    assert "mend user and password" in said.err


def test_a_database_that_cannot_hold_chinese_is_refused_before_anything_is_made(postgres: Server) -> None:
    postgres.execute(sql.SQL("CREATE DATABASE narrow TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'"))
    engine = open_engine(postgres.url("narrow"))
    with pytest.raises(DatabaseRefused, match="SQL_ASCII"):
        migrate(engine)
    assert inspect(engine).get_table_names() == []
    engine.dispose()
    postgres.drop_database("narrow")


def test_a_database_without_tables_is_refused(postgres: Server) -> None:
    name = postgres.create_database()
    engine = open_engine(postgres.url(name))
    assert present_schema(engine) is None
    engine.dispose()
    postgres.drop_database(name)


def test_two_may_migrate_at_once_and_one_does(
    postgres: Server, meanwhile: Callable[[Callable[[], object]], Future[object]]
) -> None:
    name = postgres.create_database()
    engine = open_engine(postgres.url(name))
    with engine.begin() as connection:
        set_up_alone(connection)
        migrated = meanwhile(lambda: migrate(engine))
        command.upgrade(migration_config(connection), "head")
    assert migrated.result() is False
    engine.dispose()
    postgres.drop_database(name)


def test_two_may_write_the_first_rows_at_once(
    session: Session, other: Session, meanwhile: Callable[[Callable[[], object]], Future[object]]
) -> None:
    def write(on: Session) -> int:
        remember_key(on, KEY)
        TopicStore(on).seed()
        on.commit()
        return len(TopicStore(on).all())

    remember_key(session, KEY)
    written = meanwhile(lambda: write(other))
    write(session)
    assert written.result() == len(SHIPPED)


# what its sessions promise


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("synchronous_commit", "on"),  # the tests' server has it off by default
        ("transaction_isolation", "read committed"),
        ("application_name", "newsletter"),
        ("client_encoding", "UTF8"),
        ("TimeZone", "UTC"),
    ],
)
def test_every_session_has_what_the_promises_need(engine: Engine, name: str, value: str) -> None:
    with engine.connect() as connection:
        assert connection.execute(text(f"SHOW {name}")).scalar() == value
        connection.rollback()
        assert connection.execute(text(f"SHOW {name}")).scalar() == value


def test_a_look_sees_one_moment_while_others_write(newsletter: Newsletter, session: Session) -> None:
    with newsletter.reading() as look:
        before = newsletter.people(look).count_by_state()
        _add(session, "an@example.org")
        session.commit()
        assert newsletter.people(look).count_by_state() == before
    with newsletter.reading() as look:
        assert newsletter.people(look).count_by_state() != before


def test_a_look_cannot_write(newsletter: Newsletter) -> None:
    with newsletter.reading() as look, pytest.raises(DBAPIError) as refused:
        newsletter.people(look).add("an@example.org", Preferences(()))
    assert "name the one that writes" in say(refused.value)


@pytest.mark.usefixtures("postgres")
def test_what_was_committed_survives_a_crash_and_the_next_transaction_finds_the_server_again() -> None:
    with running_server(durable=True) as server:
        engine = open_engine(server.url())
        migrate(engine)
        for number in range(3):
            with Session(engine) as session:
                _add(session, f"reader{number}@example.org")
                session.commit()
            server.kill()
            server.start()
            with Session(engine) as session:
                assert SubscriberStore(session, KEY).count_by_state()[State.ACTIVE] == number + 1
        engine.dispose()


def test_a_line_that_breaks_within_a_transaction_is_said_in_words(engine: Engine, other: Session) -> None:
    with pytest.raises(DBAPIError) as broke, engine.connect() as connection:
        number = connection.execute(text("SELECT pg_backend_pid()")).scalar()
        other.execute(text("SELECT pg_terminate_backend(:number)"), {"number": number})
        connection.execute(text("SELECT 1"))
    assert "run it again" in say(broke.value)


# many who write at once


def test_a_pause_does_not_undo_an_unsubscribe_that_came_first(session: Session, other: Session) -> None:
    _add(session, "an@example.org")
    session.commit()
    person = SubscriberStore(session, KEY).get("an@example.org")
    assert person is not None
    theirs = SubscriberStore(other, KEY).get("an@example.org")
    assert theirs is not None
    SubscriberStore(other, KEY).unsubscribe(theirs, "page")
    other.commit()
    with pytest.raises(SubscriberRefused, match="unsubscribed"):
        SubscriberStore(session, KEY).pause(person)


def test_an_import_does_not_undo_an_unsubscribe_in_progress(
    session: Session, other: Session, meanwhile: Callable[[Callable[[], object]], Future[object]]
) -> None:
    _add(session, "an@example.org")
    session.commit()
    person = SubscriberStore(session, KEY).get("an@example.org")
    assert person is not None
    SubscriberStore(session, KEY).unsubscribe(person, "page")
    imported = meanwhile(lambda: _import(other, "address,state\nan@example.org,paused\n"))
    session.commit()
    assert imported.result() == (0, 0, 1)
    session.refresh(person)
    assert person.state is State.UNSUBSCRIBED


def test_two_may_import_the_same_people_at_once(
    session: Session, other: Session, meanwhile: Callable[[Callable[[], object]], Future[object]]
) -> None:
    _add(session, "an@example.org")
    imported = meanwhile(lambda: _import(other, "address\nbo@example.org\nan@example.org\n"))
    session.commit()
    assert imported.result() == (1, 1, 0)


def test_two_may_add_the_same_person_at_once_and_one_is_told(
    session: Session, other: Session, meanwhile: Callable[[Callable[[], object]], Future[object]]
) -> None:
    _add(session, "an@example.org")
    added = meanwhile(lambda: _add(other, "an@example.org"))
    session.commit()
    with pytest.raises(SubscriberRefused, match="already"):
        added.result()


def test_two_may_suppress_the_same_address_at_once(
    session: Session, other: Session, meanwhile: Callable[[Callable[[], object]], Future[object]]
) -> None:
    SuppressionStore(session, KEY).add("an@example.org", "bounce")
    added = meanwhile(lambda: SuppressionStore(other, KEY).add("an@example.org", "complaint").reason)
    session.commit()
    assert added.result() == "bounce"


def test_a_heading_comes_to_mean_one_topic_only(
    session: Session, other: Session, meanwhile: Callable[[Callable[[], object]], Future[object]]
) -> None:
    TopicStore(session).seed()
    session.commit()
    TopicStore(session).add_alias("models", "算法")
    added = meanwhile(lambda: TopicStore(other).add_alias("policy", "算法"))
    session.commit()
    with pytest.raises(TopicRefused, match="models"):
        added.result()


def test_two_may_take_in_the_same_issue_at_once(
    newsletter: Newsletter, session: Session, meanwhile: Callable[[Callable[[], object]], Future[object]]
) -> None:
    source = "# 示例日报 (2026-03-09)\n\n**政策与监管**\n\n- **示例市公布数据细则**\n  说明：细则。\n".encode()
    reading = read(newsletter, source)
    newsletter.issues(session).save(reading, source, NOON)
    taken = meanwhile(lambda: take_in(newsletter, reading, source)[1])
    session.commit()
    assert taken.result() is False
    with newsletter.reading() as look:
        assert [saved.number for saved in newsletter.issues(look).all()] == [1]


# what is kept comes back


def test_a_reader_list_goes_out_and_comes_back_the_same(session: Session, other: Session) -> None:
    rows = [
        "address,name,topics,state,frequency,language,zone,hour,most,follow,mute,format,day,frequencies",
        "An@example.org,'=安,models;policy,paused,weekly,en,Asia/Shanghai,0,5,GPU;芯片,广告,text,sun,policy=daily",
        'bo@例子.中国,"O\'Neil, ""B"" 𠮷\\",,active,daily,zh,,,,50%_,,html,,',
    ]
    _import(session, "\n".join(rows))
    out = io.StringIO(newline="")
    export_csv(other, out)
    assert out.getvalue().splitlines() == rows


def test_the_script_of_the_docs_moves_every_row_of_an_sqlite_file(
    postgres: Server, sqlite_template: Path, tmp_path: Path
) -> None:
    old = open_engine(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'old.db')}")
    with Session(old) as session:
        TopicStore(session).seed()
        session.commit()
        _import(session, "address,name,hour\nan@example.org,'=安,0\nbo@example.org,O'Neil,\n")
        SuppressionStore(session, KEY).add("bo@example.org", "bounce", "a \\ and a 𠮷")
        session.commit()
    guide = (Path(__file__).parent.parent / "docs" / "how-to" / "postgresql.md").read_text("utf-8")
    (tmp_path / "move.py").write_text(guide.partition("```python\n")[2].partition("```")[0], "utf-8")
    name = postgres.create_database()
    move = [sys.executable, "move.py", str(old.url), postgres.url(name)]
    assert subprocess.run(move, cwd=tmp_path, capture_output=True, text=True, check=False).stderr == ""
    new = open_engine(postgres.url(name))
    for table in SQLModel.metadata.sorted_tables:
        with old.connect() as before, new.connect() as after:
            by_key = select(table).order_by(*table.primary_key)
            assert after.execute(by_key).all() == before.execute(by_key).all(), table
    with Session(new) as session:
        _add(session, "cy@example.org")
    assert subprocess.run(move, cwd=tmp_path, capture_output=True, check=False).returncode == 1
    new.dispose()
    postgres.drop_database(name)


def test_what_was_moved_is_found_in_the_archive_as_before(
    newsletter: Newsletter, postgres: Server, sqlite_template: Path, tmp_path: Path
) -> None:
    old = f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'old.db')}"
    before = Newsletter(newsletter.settings.model_copy(update={"database_url": old}))
    publish_text(before, issue_text(date(2026, 3, 9), story_text("山谷团队开源语音模型")))
    guide = (Path(__file__).parent.parent / "docs" / "how-to" / "postgresql.md").read_text("utf-8")
    (tmp_path / "move.py").write_text(guide.partition("```python\n")[2].partition("```")[0], "utf-8")
    name = postgres.create_database()
    move = [sys.executable, "move.py", old, postgres.url(name)]
    assert subprocess.run(move, cwd=tmp_path, capture_output=True, text=True, check=False).stderr == ""
    after = Newsletter(newsletter.settings.model_copy(update={"database_url": postgres.url(name)}))
    found = [[line.story_id for line in Archive(one).search("模型", 1).items] for one in (before, after)]
    assert found[0] == found[1] != []
    before.engine.dispose(), after.engine.dispose()
    postgres.drop_database(name)
