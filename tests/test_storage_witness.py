"""The witness beside an SQLite file: what it says of a database, and how it is kept."""

import json
import os
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import Engine

from newsletter.storage.witness import Held, Why, Witness, judge, look, require_not_held
from newsletter.storage.witness_file import Mark, WitnessTrouble, read_mark, witness_file

HERE, ELSEWHERE = "a", "b"


@pytest.fixture
def file(engine: Engine) -> Path:
    """The database's file."""
    return Path(str(engine.url.database))


class Seconds:
    """A clock that counts seconds when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@contextmanager
def sending(engine: Engine, file: Path, seconds: Seconds | None = None) -> Iterator[Witness]:
    """A process that hands mail over."""
    witness = Witness(engine, file, seconds or Seconds())
    witness.open()
    with witness.watching():
        yield witness


def sent(engine: Engine, file: Path) -> None:
    """Something was sent."""
    with sending(engine, file):
        pass


def copy(file: Path, to: Path) -> None:
    """Copy a database, with what is in its write-ahead log still."""
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)


def why(engine: Engine, file: Path) -> str:
    """Why nothing may be sent."""
    with suppress(Held):
        require_not_held(engine, file)
    return look(engine, file)[2]


@pytest.mark.parametrize(
    ("row", "witness", "expected"),
    [
        (None, None, None),
        (Mark(HERE, 0), None, None),
        (Mark(HERE, 1), None, Why.MISSING),
        (Mark(HERE, 3), Mark(HERE, 3), None),
        (Mark(HERE, 4), Mark(HERE, 3), None),
        (Mark(HERE, 3), Mark(HERE, 4), Why.AHEAD),
        (Mark(HERE, 0), Mark(HERE, 4), Why.AHEAD),
        (Mark(HERE, 9), Mark(ELSEWHERE, 3), Why.OTHER),
        (Mark(HERE, 0), Mark(ELSEWHERE, 3), Why.OTHER),
        (None, Mark(ELSEWHERE, 3), Why.OTHER),
        (None, Mark(ELSEWHERE, 0), None),
        (Mark(HERE, 0), Mark(ELSEWHERE, 0), None),
        (Mark(HERE, 1), Mark(ELSEWHERE, 0), Why.MISSING),
    ],
)
def test_what_database_and_witness_say_decides_whether_anything_is_sent(
    row: Mark | None, witness: Mark | None, expected: Why | None
) -> None:
    assert judge(row, witness) == expected


def test_after_every_send_both_have_come_further_and_are_alike(engine: Engine, file: Path) -> None:
    marks = []
    for _ in range(2):
        sent(engine, file)
        row, witness, held = look(engine, file)
        assert (row, held) == (witness, "")
        marks.append(row)
    assert marks[0] and marks[1] and marks[0].sequence < marks[1].sequence


def test_it_is_written_before_the_first_mail_leaves(engine: Engine, file: Path) -> None:
    with sending(engine, file):
        row, witness, _ = look(engine, file)
        assert row == witness
        assert row is not None and row.sequence == 1


def test_of_several_at_once_the_first_moves_it_and_the_last(engine: Engine, file: Path) -> None:
    with sending(engine, file) as witness, witness.watching(), witness.watching():
        pass
    mark = read_mark(witness_file(file))
    assert mark is not None and mark.sequence == 2


def test_a_sender_moves_it_once_a_second_and_not_more_often(engine: Engine, file: Path) -> None:
    seconds, moved = Seconds(), []
    with sending(engine, file, seconds) as witness:
        for seconds.now in (0.5, 1.0, 1.5, 2.0):
            with engine.begin() as connection:
                mark = witness.tick(connection)
            witness.attest(mark)
            moved.append(mark is not None)
    assert moved == [False, True, False, True]
    row, there, _ = look(engine, file)
    assert row == there


def test_it_is_its_owners_alone_and_nothing_else_is_left_beside_it(engine: Engine, file: Path) -> None:
    sent(engine, file)
    kept = witness_file(file)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert sorted(json.loads(kept.read_bytes())) == ["name", "sequence"]
    assert [one.name for one in kept.parent.iterdir() if "witness" in one.name] == [kept.name]


def test_a_link_to_the_database_has_the_same_witness(engine: Engine, file: Path, tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(file)
    assert witness_file(tmp_path / "link.db") == witness_file(file)


@pytest.mark.parametrize("done_since", [1, 3])
def test_a_copy_that_something_was_sent_after_is_held(
    engine: Engine, file: Path, tmp_path: Path, done_since: int
) -> None:
    sent(engine, file)
    copy(file, tmp_path / "copy.db")
    for _ in range(done_since):
        sent(engine, file)
    copy(tmp_path / "copy.db", file)
    assert why(engine, file) == Why.AHEAD


def test_a_copy_that_nothing_was_sent_after_is_not_held(engine: Engine, file: Path, tmp_path: Path) -> None:
    sent(engine, file)
    copy(file, tmp_path / "copy.db")
    copy(tmp_path / "copy.db", file)
    assert why(engine, file) == ""


def test_a_copy_taken_in_the_middle_of_a_send_is_held_once_that_went_on(
    engine: Engine, file: Path, tmp_path: Path
) -> None:
    with sending(engine, file):
        copy(file, tmp_path / "copy.db")
    copy(tmp_path / "copy.db", file)
    assert why(engine, file) == Why.AHEAD


def test_what_was_held_stays_so_when_the_file_is_taken_away(engine: Engine, file: Path, tmp_path: Path) -> None:
    sent(engine, file)
    copy(file, tmp_path / "copy.db")
    sent(engine, file)
    copy(tmp_path / "copy.db", file)
    assert why(engine, file) == Why.AHEAD
    witness_file(file).unlink()
    assert why(engine, file) == Why.AHEAD


def test_a_copy_from_before_the_first_send_is_held_like_that_of_another(
    engine: Engine, file: Path, tmp_path: Path
) -> None:
    copy(file, tmp_path / "copy.db")
    sent(engine, file)
    copy(tmp_path / "copy.db", file)
    assert why(engine, file) == Why.OTHER


@pytest.mark.parametrize("text", [b"", b"{}", b"[1]", b'{"name": 1, "sequence": 1}', b'{"name": "x", "sequence": -1}'])
def test_one_that_cannot_be_understood_holds_like_that_of_another(engine: Engine, file: Path, text: bytes) -> None:
    sent(engine, file)
    witness_file(file).write_bytes(text)
    assert why(engine, file) == Why.OTHER


def test_a_process_that_died_between_commit_and_file_holds_nothing(
    engine: Engine, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent(engine, file)
    with monkeypatch.context() as dying:
        dying.setattr("newsletter.storage.witness_file.os.fsync", _dies)
        with pytest.raises(KeyboardInterrupt), sending(engine, file):
            raise AssertionError("nothing may leave")
    row, witness, held = look(engine, file)
    assert row and witness and (row.sequence, held) == (witness.sequence + 1, "")
    Witness(engine, file).open()
    assert read_mark(witness_file(file)) == row


def _dies(*_: object) -> None:
    raise KeyboardInterrupt


def test_on_a_full_disk_nothing_leaves_and_the_file_stays_as_it_was(engine: Engine, file: Path) -> None:
    sent(engine, file)
    before = read_mark(witness_file(file))
    with _full_disk(), pytest.raises(WitnessTrouble, match="No space left on device"), sending(engine, file):
        raise AssertionError("nothing may leave")
    assert read_mark(witness_file(file)) == before
    assert [one.name for one in file.parent.iterdir() if ".witness." in one.name] == []


def test_what_could_not_be_written_is_written_as_soon_as_there_is_room(engine: Engine, file: Path) -> None:
    seconds = Seconds()
    with sending(engine, file, seconds) as witness:
        seconds.now = 1.0
        with engine.begin() as connection:
            mark = witness.tick(connection)
        with _full_disk(), pytest.raises(WitnessTrouble):
            witness.attest(mark)
        with _full_disk(), pytest.raises(WitnessTrouble):
            witness.attest(None)
        witness.attest(None)
        assert read_mark(witness_file(file)) == mark


def test_a_sender_learns_at_its_next_turn_that_the_disk_is_full_and_goes_on_when_there_is_room(
    engine: Engine, file: Path
) -> None:
    seconds = Seconds()
    with sending(engine, file, seconds) as witness:
        seconds.now = 1.0
        with engine.begin() as connection:
            mark = witness.tick(connection)
        with _full_disk():
            witness.attest_soon(mark)
            for thread in threading.enumerate():
                if thread.name == "witness":
                    thread.join()
            for _ in range(2):
                with pytest.raises(WitnessTrouble):
                    witness.attest_soon(None)
        witness.attest_soon(None)
        assert read_mark(witness_file(file)) == mark


@contextmanager
def _full_disk() -> Iterator[None]:
    def full(_: int) -> None:
        raise OSError(28, os.strerror(28))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("newsletter.storage.witness_file.os.fsync", full)
        yield


def test_a_database_that_is_replaced_while_mail_leaves_is_noticed_at_the_next_move(
    engine: Engine, file: Path, tmp_path: Path
) -> None:
    sent(engine, file)
    copy(file, tmp_path / "copy.db")
    sent(engine, file)
    with pytest.raises(Held), sending(engine, file):
        copy(tmp_path / "copy.db", file)
    assert why(engine, file) == Why.AHEAD


def test_without_a_file_there_is_nothing_to_witness(engine: Engine) -> None:
    witness = Witness(engine, None)
    witness.open()
    require_not_held(engine, None)
    with witness.watching(), engine.begin() as connection:
        assert witness.tick(connection) is None
    witness.attest(None)
