"""When an issue comes into the archive, and which revision of it everybody sees."""

from datetime import timedelta
from pathlib import Path

import pytest
from sending import ISSUE, SLUG, Clock, add_readers, take_in_issue
from sqlmodel import col, func, select

from newsletter.app import Newsletter
from newsletter.archive.models import ArchivedStory, ArchivedTopic
from newsletter.archive.reading import Archive
from newsletter.delivery.models import Mailing
from newsletter.editorial import opening
from newsletter.editorial.appointments import appoint, keep_appointments
from newsletter.editorial.approval import approve
from newsletter.editorial.dispatch import begin
from newsletter.editorial.intake import read, take_in
from newsletter.editorial.opening import publish_missing
from newsletter.editorial.rehearsal import rehearse
from newsletter.storage.models import IssueRow

pytestmark = pytest.mark.both_databases
REVISED = ISSUE.replace("细则写明", "细则没有写明")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ready(newsletter: Newsletter, clock: Clock) -> Newsletter:
    """One reader, and an approved issue that nobody has sent."""
    newsletter.clock = clock
    add_readers(newsletter, 1)
    take_in_issue(newsletter)
    return newsletter


def revise(newsletter: Newsletter) -> None:
    """Import another revision; nobody approves it."""
    take_in(newsletter, read(newsletter, REVISED.encode()), REVISED.encode())


def summaries(newsletter: Newsletter) -> list[str]:
    return [line.summary for issue in Archive(newsletter).newest(9) for line in issue.lines]


def test_an_approved_issue_that_was_not_sent_is_not_in_the_archive(ready: Newsletter) -> None:
    assert Archive(ready).issues(1).total == 0
    assert Archive(ready).issue(SLUG) is None
    assert Archive(ready).latest() is None
    assert Archive(ready).search("细则", 1).total == Archive(ready).stories("policy", 1).total == 0


def test_it_is_there_from_the_moment_its_mailing_begins(ready: Newsletter, clock: Clock) -> None:
    begin(ready, SLUG)
    shown = Archive(ready).issue(SLUG)
    assert shown is not None
    assert (shown.title, shown.published_at, shown.updated_at) == ("示例日报", clock.now, clock.now)
    assert Archive(ready).search("细则", 1).total == Archive(ready).stories("policy", 1).total == 1


def test_it_is_there_too_when_it_is_sent_by_itself(ready: Newsletter, clock: Clock) -> None:
    appoint(ready, SLUG, clock.now + timedelta(minutes=5))
    clock.move(minutes=5)
    keep_appointments(ready)
    assert Archive(ready).issues(1).total == 1


def test_mailing_and_archive_begin_together_or_not_at_all(ready: Newsletter, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(opening, "publish", fail)
    with pytest.raises(OSError, match="full"):
        begin(ready, SLUG)
    with ready.reading() as session:
        assert session.exec(select(Mailing)).all() == []


def test_a_rehearsal_publishes_nothing(ready: Newsletter, tmp_path: Path) -> None:
    rehearse(ready, SLUG, tmp_path / "out")
    assert Archive(ready).issues(1).total == 0


def test_a_revision_is_seen_once_it_is_approved_and_the_mailing_keeps_its_own(ready: Newsletter, clock: Clock) -> None:
    begin(ready, SLUG)
    began = clock.now
    clock.move(hours=1)
    revise(ready)
    assert summaries(ready) == ["细则写明哪些数据可以授权。"]
    approve(ready, SLUG)
    assert summaries(ready) == ["细则没有写明哪些数据可以授权。"]
    shown = Archive(ready).issue(SLUG)
    assert shown is not None
    assert (shown.published_at, shown.updated_at) == (began, clock.now)
    with ready.reading() as session:
        assert (
            session.exec(select(Mailing.revision_id)).one()
            != session.exec(select(IssueRow.published_revision_id)).one()
        )


def test_what_a_revision_no_longer_says_is_not_found_any_more(ready: Newsletter) -> None:
    begin(ready, SLUG)
    revise(ready)
    approve(ready, SLUG)
    archive = Archive(ready)
    assert (archive.search("则写", 1).total, archive.search("没有", 1).total) == (0, 1)
    assert archive.stories("policy", 1).total == 1
    with ready.reading() as session:
        assert session.exec(select(func.count()).select_from(ArchivedStory)).one() == 1
        assert session.exec(select(func.count()).select_from(ArchivedTopic)).one() == 1


def test_stories_keep_their_addresses_when_they_are_revised(ready: Newsletter) -> None:
    begin(ready, SLUG)
    before = [line.path for line in Archive(ready).search("数据", 1).items]
    revise(ready)
    approve(ready, SLUG)
    assert [line.path for line in Archive(ready).search("数据", 1).items] == before


def test_approving_before_it_is_sent_publishes_nothing(ready: Newsletter) -> None:
    revise(ready)
    approve(ready, SLUG)
    assert Archive(ready).issues(1).total == 0


def test_what_was_sent_before_there_was_an_archive_is_published_once(
    ready: Newsletter, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr(opening, "publish", lambda *_: None)
        begin(ready, SLUG)
    began = clock.now
    clock.move(hours=9)
    for _ in range(2):
        publish_missing(ready)
    assert [(line.slug, line.published_at) for line in Archive(ready).issues(1).items] == [(SLUG, began)]
    assert Archive(ready).search("细则", 1).total == 1


def test_a_draft_is_not_published_with_what_was_missing(newsletter: Newsletter) -> None:
    data = ISSUE.encode()
    take_in(newsletter, read(newsletter, data), data, draft=True)
    publish_missing(newsletter)
    with newsletter.reading() as session:
        assert session.exec(select(IssueRow.id).where(col(IssueRow.published_at).is_not(None))).all() == []
