"""Issues that are sent by themselves: once, on time, and with a word to the staff where they are not."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from threading import Barrier, Thread
from typing import Any

import pytest
from mail_servers import aiosmtpd_server
from pydantic import SecretStr
from sending import ISSUE, SLUG, Clock, add_readers, take_in_issue
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from newsletter.app import Newsletter
from newsletter.delivery.models import Appointment, Mailing
from newsletter.editorial import appointments
from newsletter.editorial.appointments import appoint, call_off, keep_appointments
from newsletter.editorial.approval import approve
from newsletter.editorial.dispatch import begin
from newsletter.editorial.intake import read, take_in
from newsletter.editorial.timetable import appointed_for, goes_out_at
from newsletter.staff.audit import Action, entries
from newsletter.storage.issues import IssueRefused


class Mailbox:
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, bytes]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.taken += [(address, envelope.original_content) for address in envelope.rcpt_tos]
        return "250 taken"

    def only(self) -> EmailMessage:
        """The one message there is, read as a mail reader would."""
        ((_, data),) = self.taken
        return message_from_bytes(data, policy=policy.default)  # type: ignore[return-value]  # by that policy it is


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


def clock(newsletter: Newsletter) -> Clock:
    assert isinstance(newsletter.clock, Clock)
    return newsletter.clock


def at(hour: float, day: int = 9) -> datetime:
    """An hour of a day of March 2026 in Shanghai."""
    return Clock().now + timedelta(days=day - 9, hours=hour - 8)


def begun(newsletter: Newsletter) -> int:
    with newsletter.reading() as session:
        return len(session.exec(select(Mailing)).all())


def states(newsletter: Newsletter) -> list[str]:
    with newsletter.reading() as session:
        return list(session.exec(select(Appointment.state).order_by(col(Appointment.id))).all())


def change(newsletter: Newsletter) -> None:
    """Import another revision."""
    data = ISSUE.replace("细则写明", "细则没有写明").encode()
    take_in(newsletter, read(newsletter, data), data)


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


# the daily slot


def test_the_slot_begins_the_approved_issue_of_the_day_once(ready: Newsletter) -> None:
    ready.settings.slot = "mon-fri 08:00"
    for _ in range(10):
        keep_appointments(ready)
        clock(ready).move(minutes=10)
    assert (begun(ready), states(ready)) == (1, ["started"])


@pytest.mark.both_databases
def test_the_slot_begins_one_of_two_issues_of_the_day_however_late_another_round_looks(ready: Newsletter) -> None:
    ready.settings.slot = "08:00"
    take_in_issue(ready, ISSUE.replace("示例日报", "示例晚报"))
    clock(ready).move(minutes=-1)
    with ready.session() as session:
        key = f"slot {at(8).astimezone(ready.settings.time_zone).isoformat()}"
        waiting = Appointment(key=key, at=at(8), state="waiting", made_at=ready.clock())
        session.add(waiting)
    clock(ready).move(minutes=1)
    keep_appointments(ready)
    appointments._keep(ready, waiting)  # as a round does that read it before
    assert (begun(ready), states(ready)) == (1, ["started"])


SLOT_OR_OWN_TIME = {
    # the slot is at 8:30; when it has a time of its own: (what has gone out at 8:31, what at 9:31)
    "none": (None, 1, 1),
    "later": (9.5, 0, 1),
    "earlier": (8.25, 1, 1),
    "the same": (8.5, 1, 1),
    "another day": (24 + 9, 0, 0),
}


@pytest.mark.parametrize("case", SLOT_OR_OWN_TIME)
@pytest.mark.both_databases
def test_of_the_slot_and_a_time_of_its_own_only_the_latter_holds(
    ready: Newsletter, mailbox: Mailbox, case: str
) -> None:
    own, first, second = SLOT_OR_OWN_TIME[case]
    ready.settings.slot = "08:30"
    if own:
        appoint(ready, SLUG, at(own))
    counted = []
    for minutes in (16, 15, 60):
        clock(ready).move(minutes=minutes)
        keep_appointments(ready)
        counted.append(begun(ready))
    assert counted[1:] == [first, second]
    assert counted[0] == (1 if case == "earlier" else 0)
    assert mailbox.taken == []


def test_an_issue_whose_own_time_was_called_off_goes_out_with_the_slot(ready: Newsletter) -> None:
    ready.settings.slot = "08:30"
    appoint(ready, SLUG, at(10))
    call_off(ready, SLUG)
    clock(ready).move(minutes=30)
    keep_appointments(ready)
    assert begun(ready) == 1


def test_the_slot_begins_nothing_before_its_hour(ready: Newsletter) -> None:
    ready.settings.slot = "08:30"
    keep_appointments(ready)
    assert begun(ready) == 0
    clock(ready).move(minutes=30)
    keep_appointments(ready)
    assert begun(ready) == 1


def test_nothing_approved_sends_nothing_and_tells_the_staff_once(ready: Newsletter, mailbox: Mailbox) -> None:
    ready.settings.slot = "08:00"
    change(ready)
    for _ in range(3):
        keep_appointments(ready)
    assert (begun(ready), states(ready)) == (0, ["nothing"])
    said = mailbox.only()
    assert said["Subject"] == "[AI 行业动态] The issue of 2026-03-09 was not sent"
    assert "At 08:00 on 2026-03-09 no approved issue of that day was there." in said.get_content()


def test_an_issue_that_nobody_would_get_is_not_begun_and_the_staff_are_told(
    ready: Newsletter, mailbox: Mailbox
) -> None:
    ready.settings.slot = "08:00"
    with ready.session() as session:
        people = ready.people(session)
        for number in range(2):
            person = people.get(f"reader{number}@example.org")
            assert person
            people.unsubscribe(person, "page")
    keep_appointments(ready)
    assert (begun(ready), states(ready)) == (0, ["refused"])
    assert "there is no reader yet" in mailbox.only().get_content()


def test_the_issue_of_another_day_is_left_alone(ready: Newsletter, mailbox: Mailbox) -> None:
    ready.settings.slot = "08:00"
    clock(ready).move(days=1)
    keep_appointments(ready)
    assert begun(ready) == 0


def test_a_slot_missed_by_more_than_the_limit_is_told_and_not_made_up_for(ready: Newsletter, mailbox: Mailbox) -> None:
    clock(ready).move(hours=-24)
    ready.settings.slot = "08:00"
    keep_appointments(ready)
    mailbox.taken.clear()
    clock(ready).move(hours=24 + 5)
    keep_appointments(ready)
    assert (begun(ready), states(ready)) == (0, ["nothing", "missed"])
    assert f"newsletter issue send {SLUG}" in mailbox.only().get_content()


def test_a_slot_that_was_set_in_the_afternoon_did_not_miss_the_morning(ready: Newsletter, mailbox: Mailbox) -> None:
    ready.settings.slot = "08:00"
    clock(ready).move(hours=5)
    keep_appointments(ready)
    assert (begun(ready), mailbox.taken) == (0, [])


def test_a_day_whose_issue_was_sent_by_hand_needs_no_word(ready: Newsletter, mailbox: Mailbox) -> None:
    ready.settings.slot = "08:30"
    keep_appointments(ready)
    mailbox.taken.clear()
    begin(ready, SLUG)
    clock(ready).move(minutes=30)
    keep_appointments(ready)
    assert mailbox.taken == []


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
    assert "no approved issue of that day" in caplog.text
