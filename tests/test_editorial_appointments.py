"""Issues that are sent by themselves: once, on time, and with a word to the staff where they are not."""

from collections.abc import Iterator
from datetime import datetime
from email import message_from_bytes, policy
from threading import Barrier, Thread

import pytest
from mail_servers import aiosmtpd_server
from moments import Mailbox, at, begun, change, clock, states
from pydantic import SecretStr
from sending import SLUG, Clock, add_readers, take_in_issue
from sqlalchemy.exc import SQLAlchemyError

from newsletter.app import Newsletter
from newsletter.editorial.appointments import appoint, call_off, keep_appointments
from newsletter.editorial.approval import approve
from newsletter.editorial.dispatch import begin
from newsletter.editorial.timetable import appointed_for, goes_out_at
from newsletter.staff.audit import Action, entries
from newsletter.storage.issues import IssueRefused
from newsletter.storage.models import WitnessRow
from newsletter.storage.witness import Why


@pytest.fixture
def mailbox(ready: Newsletter) -> Iterator[Mailbox]:
    mailbox = Mailbox()
    with aiosmtpd_server(mailbox) as server:
        ready.settings.smtp_url = SecretStr(f"smtp://127.0.0.1:{server.port}?starttls=never")
        yield mailbox


@pytest.fixture
def ready(newsletter: Newsletter) -> Newsletter:
    """It is eight in the morning of the issue's day; staff are set."""
    newsletter.clock = Clock()
    newsletter.settings.staff = ("editor@example.org",)
    add_readers(newsletter, 2)
    take_in_issue(newsletter)
    return newsletter


# at a time


def test_an_issue_is_begun_at_its_time_and_not_before(ready: Newsletter) -> None:
    appoint(ready, SLUG, at(9))
    clock(ready).move(minutes=59)
    keep_appointments(ready)
    assert begun(ready) == 0
    clock(ready).move(minutes=1)
    keep_appointments(ready)
    assert (begun(ready), states(ready)) == (1, ["started"])


@pytest.mark.both_databases
def test_it_is_begun_once_though_two_processes_look_at_the_same_moment_and_often(ready: Newsletter) -> None:
    appoint(ready, SLUG, at(9))
    clock(ready).move(hours=1)
    together, faults = Barrier(2), []

    def look() -> None:
        process = Newsletter(ready.settings, ready.clock)
        together.wait()
        for _ in range(10):
            try:
                keep_appointments(process)
            except SQLAlchemyError as fault:
                faults.append(fault)
        process.engine.dispose()

    threads = [Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert (begun(ready), states(ready)) == (1, ["started"])


def test_an_appointment_outlives_the_process_that_made_it(ready: Newsletter) -> None:
    appoint(ready, SLUG, at(9))
    clock(ready).move(hours=1)
    later = Newsletter(ready.settings, ready.clock)
    keep_appointments(later)
    later.engine.dispose()
    assert begun(ready) == 1


def test_a_time_missed_by_less_than_the_limit_is_made_up_for(ready: Newsletter) -> None:
    appoint(ready, SLUG, at(9))
    clock(ready).move(hours=3)
    keep_appointments(ready)
    assert begun(ready) == 1


def test_a_time_missed_by_more_is_not_and_the_staff_are_told_once(ready: Newsletter, mailbox: Mailbox) -> None:
    appoint(ready, SLUG, at(9))
    clock(ready).move(hours=3, seconds=1)
    for _ in range(3):
        keep_appointments(ready)
    assert (begun(ready), states(ready)) == (0, ["missed"])
    said = mailbox.only()
    assert said["Subject"] == f"[AI 行业动态] {SLUG} was not sent"
    assert "At 09:00 on 2026-03-09 no sender was running" in said.get_content()
    assert f"newsletter issue send {SLUG}" in said.get_content()


def test_a_time_that_comes_while_the_database_is_held_is_not_settled_and_is_kept_after_the_word(
    ready: Newsletter, mailbox: Mailbox
) -> None:
    appoint(ready, SLUG, at(9))
    with ready.session() as session:
        session.add(WitnessRow(id=1, name="this one", sequence=0, held=Why.AHEAD))
    clock(ready).move(hours=1)
    keep_appointments(ready)
    assert (begun(ready), states(ready), mailbox.taken) == (0, ["waiting"], [])
    with ready.session() as session:
        session.get_one(WitnessRow, 1).held = ""
    keep_appointments(ready)
    assert (begun(ready), states(ready)) == (1, ["started"])


def test_what_was_changed_after_the_time_was_set_is_not_sent_and_the_staff_are_told(
    ready: Newsletter, mailbox: Mailbox
) -> None:
    appoint(ready, SLUG, at(9))
    change(ready)
    clock(ready).move(hours=1)
    keep_appointments(ready)
    assert (begun(ready), states(ready)) == (0, ["refused"])
    assert "changed" in mailbox.only().get_content()


@pytest.mark.both_databases
def test_what_was_changed_and_approved_again_keeps_its_time_and_the_approval_says_so(ready: Newsletter) -> None:
    appoint(ready, SLUG, at(9))
    change(ready)
    with ready.reading() as session:
        assert goes_out_at(ready, session, ready.issues(session).find(SLUG)) is None
    approve(ready, SLUG)
    with ready.reading() as session:
        assert goes_out_at(ready, session, ready.issues(session).find(SLUG)) == at(9)
        newest, *_ = entries(session, subject=SLUG, action=Action.ISSUE_APPROVED)
    assert datetime.fromisoformat(newest.details["at"]) == at(9)
    clock(ready).move(hours=1)
    keep_appointments(ready)
    assert (begun(ready), states(ready)) == (1, ["started"])


@pytest.mark.both_databases
def test_what_is_approved_again_after_its_time_does_not_go_out_at_once(ready: Newsletter, mailbox: Mailbox) -> None:
    appoint(ready, SLUG, at(9))
    change(ready)
    clock(ready).move(hours=1)
    approve(ready, SLUG)
    keep_appointments(ready)
    assert (begun(ready), states(ready)) == (0, ["refused"])


@pytest.mark.parametrize(("hours", "reason"), [(1, "changed"), (5, "missed")])
@pytest.mark.both_databases
def test_the_audit_log_says_what_was_not_sent_in_time_and_why(
    ready: Newsletter, mailbox: Mailbox, hours: int, reason: str
) -> None:
    appoint(ready, SLUG, at(9))
    change(ready)
    clock(ready).move(hours=hours)
    keep_appointments(ready)
    with ready.reading() as session:
        (entry,) = entries(session, action=Action.NOT_SENT)
    assert (entry.who, entry.subject, entry.details["reason"]) == ("calendar", SLUG, reason)
    assert datetime.fromisoformat(entry.details["at"]) == at(9)


def test_what_is_not_approved_or_whose_time_is_past_gets_no_appointment(ready: Newsletter) -> None:
    with pytest.raises(IssueRefused, match="past"):
        appoint(ready, SLUG, at(8))
    change(ready)
    with pytest.raises(IssueRefused, match="not approved"):
        appoint(ready, SLUG, at(9))
    assert states(ready) == []


def test_what_was_begun_already_gets_no_appointment(ready: Newsletter) -> None:
    begin(ready, SLUG)
    with pytest.raises(IssueRefused, match="begun already"):
        appoint(ready, SLUG, at(9))


def test_what_was_called_off_is_not_sent(ready: Newsletter) -> None:
    appoint(ready, SLUG, at(9))
    assert call_off(ready, SLUG)
    assert not call_off(ready, SLUG)
    clock(ready).move(hours=1)
    keep_appointments(ready)
    assert (begun(ready), states(ready)) == (0, ["cancelled"])


def test_a_new_time_takes_the_place_of_the_old_one(ready: Newsletter) -> None:
    appoint(ready, SLUG, at(9))
    appoint(ready, SLUG, at(10))
    with ready.reading() as session:
        assert appointed_for(session, 1) == at(10)
    clock(ready).move(hours=1)
    keep_appointments(ready)
    assert begun(ready) == 0


def test_who_sends_it_by_hand_before_its_time_is_not_disturbed(ready: Newsletter, mailbox: Mailbox) -> None:
    appoint(ready, SLUG, at(9))
    begin(ready, SLUG)
    change(ready)
    clock(ready).move(days=1)
    keep_appointments(ready)
    assert (states(ready), mailbox.taken) == (["started"], [])


# the word itself


def test_the_word_to_the_staff_is_a_valid_message_that_no_machine_answers(ready: Newsletter, mailbox: Mailbox) -> None:
    ready.settings.slot = "08:00"
    ready.settings.staff = ("editor@example.org", "boss@example.org")
    change(ready)
    keep_appointments(ready)
    assert [address for address, _ in mailbox.taken] == ["editor@example.org", "boss@example.org"]
    for address, data in mailbox.taken:
        said = message_from_bytes(data, policy=policy.default)
        assert said.defects == []
        assert (said["To"], said["Auto-Submitted"]) == (address, "auto-generated")
        assert said["From"] == "AI 行业动态 <daily@example.org>"
        assert all(len(line) <= 78 for line in data.splitlines())
        assert b"\n" not in data.replace(b"\r\n", b"")
    assert len({message_from_bytes(data)["Message-ID"] for _, data in mailbox.taken}) == 2


def test_where_no_server_is_there_the_word_stands_in_the_log(
    ready: Newsletter, caplog: pytest.LogCaptureFixture
) -> None:
    ready.settings.slot = "08:00"
    ready.settings.smtp_url = SecretStr("smtp://127.0.0.1:1?starttls=never")
    change(ready)
    keep_appointments(ready)
    assert f"{SLUG} is not approved" in caplog.text
