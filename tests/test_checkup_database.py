"""What the check-up says of databases that are missing, broken, locked, read-only, strange or sound."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from postgres import Server
from pydantic import SecretStr
from sqlalchemy import Engine

from newsletter.app import Newsletter
from newsletter.checkup import sqlite_file
from newsletter.checkup.database import Database, look_at_database
from newsletter.checkup.findings import Finding, Verdict
from newsletter.checkup.postgresql import commits
from newsletter.checkup.sqlite_file import file_system, integrity
from newsletter.settings import Settings
from newsletter.storage.witness_file import Mark, witness_file, write_mark

NOBODY = 65_534


def look(settings: Settings) -> dict[str, Finding]:
    seen = Database()
    found = {finding.name: finding for finding in look_at_database(settings, seen)}
    if seen.newsletter:
        seen.newsletter.engine.dispose()
    return found


def wrong(found: dict[str, Finding]) -> list[str]:
    assert all(finding.advice for finding in found.values() if finding.verdict is Verdict.WRONG)
    return [finding.name for finding in found.values() if finding.verdict is Verdict.WRONG]


def at(file: Path) -> Settings:
    return Settings(database_url=f"sqlite:///{file}", secret_key=SecretStr("a key that is only used in these tests"))


@contextmanager
def somebody_else() -> Iterator[None]:
    """Root may write everything, so act as nobody for a while."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)


def test_a_sound_database_is_well_and_opens(newsletter: Newsletter) -> None:
    seen = Database()
    found = list(look_at_database(newsletter.settings, seen))
    names = ["file", "file system", "writing", "integrity", "journal", "synchronous", "schema", "key", "witness"]
    assert [(one.name, one.verdict) for one in found] == [(name, Verdict.OK) for name in names]
    assert seen.newsletter is not None
    seen.newsletter.engine.dispose()


def test_a_database_that_was_restored_is_wrong_and_the_advice_names_the_command(newsletter: Newsletter) -> None:
    assert newsletter.database_file is not None
    write_mark(witness_file(newsletter.database_file), Mark("another", 1))
    found = look(newsletter.settings)
    assert wrong(found) == ["witness"]
    assert "newsletter schedule resume" in found["witness"].advice


def test_looking_changes_no_byte_of_the_file(newsletter: Newsletter) -> None:
    newsletter.engine.dispose()
    assert newsletter.database_file is not None
    before = newsletter.database_file.read_bytes()
    look(newsletter.settings)
    assert newsletter.database_file.read_bytes() == before


def test_a_missing_file_is_wrong_and_is_not_made(tmp_path: Path) -> None:
    assert wrong(look(at(tmp_path / "none.db"))) == ["file"]
    assert list(tmp_path.iterdir()) == []


def test_a_file_without_tables_asks_for_init(tmp_path: Path) -> None:
    (tmp_path / "new.db").touch()
    found = look(at(tmp_path / "new.db"))
    assert wrong(found) == ["schema"]
    assert "newsletter init" in found["schema"].advice


def test_a_file_that_is_no_database_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("not a database at all " * 100)
    assert wrong(look(at(tmp_path / "text.db"))) == ["writing", "integrity"]


def test_a_damaged_file_is_found_out(tmp_path: Path, sqlite_template: Path) -> None:
    file = tmp_path / "damaged.db"
    content = bytearray(sqlite_template.read_bytes())
    content[8192 : 8192 + 4096] = b"\xff" * 4096  # a page in the middle
    file.write_bytes(content)
    assert "integrity" in wrong(look(at(file)))


def test_a_file_that_somebody_keeps_locked_is_wrong_and_no_wait(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "locked.db"
    shutil.copyfile(sqlite_template, file)
    monkeypatch.setattr(sqlite_file, "BUSY_SECONDS", 0.1)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        found = look(at(file))
    assert wrong(found) == ["writing"]
    assert "another process" in found["writing"].what


@pytest.mark.parametrize("closed", ["file", "folder"])
def test_a_file_or_folder_that_may_not_be_written_is_wrong(sqlite_template: Path, closed: str) -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders let nobody else in
        folder = Path(name)
        file = folder / "theirs.db"
        shutil.copyfile(sqlite_template, file)
        file.chmod(0o444 if closed == "file" else 0o666)
        folder.chmod(0o555 if closed == "folder" else 0o777)
        with somebody_else():
            found = look(at(file))
        folder.chmod(0o755)
    assert wrong(found) == list(found) == ["file"]
    assert ("folder" in found["file"].what) == (closed == "folder")


def test_another_key_is_wrong_and_neither_key_is_shown(newsletter: Newsletter, engine: Engine) -> None:
    with newsletter.session() as session:
        from_key = "another key that is only used in these tests"
        session.connection().exec_driver_sql("DELETE FROM address_key")
        session.connection().exec_driver_sql("INSERT INTO address_key (id, fingerprint) VALUES (1, '0123456789abcdef')")
    found = look(newsletter.settings.model_copy(update={"secret_key": SecretStr(from_key)}))
    assert wrong(found) == ["key"]
    assert from_key not in str(found)
    assert "FORMER_SECRET_KEYS" in found["key"].advice


def test_a_journal_that_cannot_be_a_write_ahead_log_is_a_warning() -> None:
    found = look(Settings(database_url="sqlite://", secret_key=SecretStr("a key that is only used in these tests")))
    assert found["journal"].verdict is Verdict.WARNING


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [("ext4", Verdict.OK), ("nfs4", Verdict.WRONG), ("cifs", Verdict.WRONG), ("fuse.sshfs", Verdict.WRONG)],
)
def test_a_network_file_system_is_wrong(kind: str, verdict: Verdict) -> None:
    mounts = f"/dev/sda1 / ext4 rw 0 0\nserver:/x /srv/my\\040share {kind} rw 0 0\n"
    assert file_system(Path("/srv/my share/a/newsletter.db"), mounts).verdict is verdict
    assert file_system(Path("/srv/other/newsletter.db"), mounts).verdict is Verdict.OK
    assert file_system(Path("/srv/other/newsletter.db"), "").verdict is Verdict.NOT_CHECKED


def test_a_file_too_large_to_read_in_time_is_not_checked() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE numbers (number, text)")
        connection.executemany("INSERT INTO numbers VALUES (?, ?)", ((number, str(number)) for number in range(99_999)))
        assert integrity(connection, seconds=-1).verdict is Verdict.NOT_CHECKED
        assert integrity(connection, seconds=60).verdict is Verdict.OK


def test_a_url_that_means_nothing_is_wrong() -> None:
    settings = Settings(
        database_url="oracle://x:secret@y/z", secret_key=SecretStr("a key that is only used in these tests")
    )
    found = look(settings)
    assert wrong(found) == ["connection"]
    assert "secret" not in str(found)


def test_a_postgresql_server_that_would_lose_commits_is_wrong(postgres_url: str) -> None:
    # the tests' own server runs with fsync off
    settings = Settings(database_url=postgres_url, secret_key=SecretStr("a key that is only used in these tests"))
    seen = Database()
    found = {finding.name: finding for finding in look_at_database(settings, seen)}
    assert seen.newsletter is not None
    seen.newsletter.engine.dispose()
    assert wrong(found) == ["commits"]
    assert found["version"].verdict is found["writing"].verdict is found["schema"].verdict is Verdict.OK
    assert seen.time is not None
    assert seen.time.tzinfo is not None


def test_a_postgresql_server_that_lets_nobody_in_is_wrong_and_no_password_is_shown(postgres: Server) -> None:
    url = postgres.url("postgres", "a wrong password")
    found = look(Settings(database_url=url, secret_key=SecretStr("a key that is only used in these tests")))
    assert wrong(found) == ["connection"]
    assert "a wrong password" not in str(found)
    assert "a%20wrong" not in str(found)


@pytest.mark.parametrize(
    ("synchronous_commit", "fsync", "verdict"),
    [
        ("on", "on", Verdict.OK),
        ("remote_apply", "on", Verdict.OK),
        ("off", "on", Verdict.WRONG),
        ("on", "off", Verdict.WRONG),
    ],
)
def test_commits_that_do_not_survive_a_power_cut_are_wrong(
    synchronous_commit: str, fsync: str, verdict: Verdict
) -> None:
    assert commits(synchronous_commit, fsync).verdict is verdict
