"""A dry run: the whole way into a folder, and the database as it was."""

import sqlite3
from pathlib import Path

import pytest
from sending import SLUG, Clock, add_readers, plan, take_in_issue
from test_editorial_appointments import change
from test_editorial_trial import contents

from newsletter.app import Newsletter
from newsletter.editorial.preview import preview_for
from newsletter.editorial.rehearsal import rehearse
from newsletter.storage.issues import IssueRefused

READERS = 5


@pytest.fixture
def ready(newsletter: Newsletter) -> Newsletter:
    newsletter.clock = Clock()
    add_readers(newsletter, READERS)
    take_in_issue(newsletter)
    return newsletter


@pytest.mark.both_databases
def test_the_database_is_as_it_was_row_for_row(ready: Newsletter, tmp_path: Path) -> None:
    before = contents(ready)
    rehearsal = rehearse(ready, SLUG, tmp_path / "mails")
    assert contents(ready) == before
    assert rehearsal.counts.accepted == READERS


def test_the_file_of_the_database_is_as_it_was(ready: Newsletter, tmp_path: Path) -> None:
    def dump() -> list[str]:
        with sqlite3.connect(tmp_path / "newsletter.db") as file:
            return list(file.iterdump())

    before = dump()
    rehearse(ready, SLUG, tmp_path / "mails")
    assert dump() == before


def test_every_file_is_byte_for_byte_what_the_preview_of_its_reader_shows(ready: Newsletter, tmp_path: Path) -> None:
    plan(ready, SLUG)
    rehearsal = rehearse(ready, SLUG, tmp_path / "mails")
    files = sorted((tmp_path / "mails").iterdir())
    assert {file.suffix for file in files} == {".eml"}
    previews = [preview_for(ready, SLUG, f"reader{number}@example.org").message.data for number in range(READERS)]
    assert sorted(file.read_bytes() for file in files) == sorted(previews)
    assert rehearsal.size_bytes == sum(map(len, previews))


def test_limits_that_are_there_for_real_servers_do_not_slow_it_down(ready: Newsletter, tmp_path: Path) -> None:
    ready.settings.messages_per_second = 0.001
    assert rehearse(ready, SLUG, tmp_path / "mails").counts.accepted == READERS


def test_a_folder_with_something_in_it_is_left_alone(ready: Newsletter, tmp_path: Path) -> None:
    (tmp_path / "mails").mkdir()
    (tmp_path / "mails" / "mine.txt").write_text("keep me")
    with pytest.raises(IssueRefused, match="--to"):
        rehearse(ready, SLUG, tmp_path / "mails")
    assert [file.name for file in (tmp_path / "mails").iterdir()] == ["mine.txt"]


def test_what_is_not_approved_is_refused(ready: Newsletter, tmp_path: Path) -> None:
    change(ready)
    with pytest.raises(IssueRefused, match="not approved"):
        rehearse(ready, SLUG, tmp_path / "mails")
