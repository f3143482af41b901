"""Sending to a real SMTP server: every candidate is accounted for, whatever the server says."""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from pydantic import SecretStr
from sending import Hand, hand_over
from sqlmodel import Session, select

from newsletter.app import Newsletter
from newsletter.delivery.history import entries, forget_reader
from newsletter.delivery.models import Attempt, Delivery
from newsletter.delivery.outcome import Outcome, Reason, Stage, State, Verdict
from newsletter.editorial.approval import approve
from newsletter.editorial.dispatch import Dispatch, Standing, standing
from newsletter.editorial.intake import read, take_in
from newsletter.editorial.preview import Exact, preview_for
from newsletter.editorial.readership import coverage
from newsletter.storage.issues import IssueRefused
from newsletter.storage.seat import SenderRunning, take_seat
from subscribers.preferences import Frequency, Preferences

pytestmark = pytest.mark.both_databases

SLUG = "2026-03-09"
TEXT = """# 示例日报 (2026-03-09)

**政策与监管**

- **示例市公布数据细则**
  说明：细则写明哪些数据可以授权。
  来源出处：[示例市数据局](https://data.example.org/rules)

**模型与技术进展**

- **示例团队开源语音模型**
  说明：模型可在手机端离线运行。
  来源出处：[项目主页](https://voice.example.org/)
"""


class Mailbox:
    """A server's handler that keeps what it takes and answers as a test says."""

    def __init__(self, answer: Callable[[str], str] = lambda address: "250 2.0.0 taken") -> None:
        self.answer = answer
        self.taken: list[tuple[str, bytes]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        address = envelope.rcpt_tos[0]
        reply = self.answer(address)
        if reply.startswith("250"):
            self.taken.append((address, envelope.original_content))
        if reply == "drop":
            server.transport.abort()
            await asyncio.sleep(0)
        return reply


@contextmanager
def serving(newsletter: Newsletter, mailbox: Mailbox) -> Iterator[None]:
    """Let the newsletter's SMTP setting point at a running server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        newsletter.settings.smtp_url = SecretStr(f"smtp://127.0.0.1:{port}?starttls=never")
        newsletter.settings.connections = 3
        yield
    finally:
        controller.stop()


def add_readers(newsletter: Newsletter, many: int, **preferences: Any) -> None:
    with newsletter.session() as session:
        people = newsletter.people(session)
        for number in range(many):
            people.add(f"reader{number}@example.org", Preferences(topics=("policy", "models"), **preferences))


@pytest.fixture
def ready(newsletter: Newsletter) -> Newsletter:
    """A newsletter with an approved issue of two stories."""
    data = TEXT.encode()
    take_in(newsletter, read(newsletter, data), data)
    approve(newsletter, SLUG)
    return newsletter


def send(newsletter: Newsletter) -> Counter[str]:
    seen: Counter[str] = Counter()
    hand_over(newsletter, SLUG, lambda outcome, outbox: seen.update([outcome.verdict]))
    return seen


def stands(newsletter: Newsletter) -> Standing:
    with newsletter.reading() as session:
        return standing(newsletter, newsletter.issues(session).find(SLUG))


def test_every_reader_gets_one_message_and_the_counts_add_up(ready: Newsletter) -> None:
    add_readers(ready, 25)
    mailbox = Mailbox()
    with serving(ready, mailbox):
        send(ready)
    assert Counter(address for address, _ in mailbox.taken) == {f"reader{n}@example.org": 1 for n in range(25)}
    found = stands(ready)
    assert (found.state, found.counts.accepted, found.counts.candidates) == ("sent", 25, 25)


def test_sending_again_sends_nothing(ready: Newsletter) -> None:
    add_readers(ready, 3)
    mailbox = Mailbox()
    with serving(ready, mailbox):
        send(ready)
        send(ready)
    assert len(mailbox.taken) == 3


def test_the_received_bytes_are_the_previewed_and_the_rebuilt_bytes(ready: Newsletter) -> None:
    add_readers(ready, 1)
    dispatch = Dispatch.of(ready, SLUG)
    list(dispatch.plan())
    planned = preview_for(ready, SLUG, "reader0@example.org")
    mailbox = Mailbox()
    with serving(ready, mailbox):
        hand_over(ready, SLUG)
    assert planned.exact is Exact.PLANNED
    assert mailbox.taken[0][1] == planned.message.data
    assert preview_for(ready, SLUG, "reader0@example.org").message.data == planned.message.data


def test_a_second_attempt_hands_over_the_same_bytes(ready: Newsletter) -> None:
    add_readers(ready, 1)
    seen: list[bytes] = []

    class Forgetful(Mailbox):
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            seen.append(envelope.original_content)
            return "451 4.7.1 try later" if len(seen) == 1 else "250 taken"

    with serving(ready, Forgetful()):
        send(ready)
        with ready.session() as session:
            row = session.get_one(Delivery, 1)
            assert row.state == State.DEFERRED
            row.next_at = ready.clock()
        send(ready)
    assert len(seen) == 2 and seen[0] == seen[1]


def test_a_4xx_reply_defers_and_a_5xx_reply_fails_only_its_reader(ready: Newsletter) -> None:
    add_readers(ready, 6)
    replies = {"reader1@example.org": "450 4.2.1 busy", "reader2@example.org": "550 5.1.1 no such user"}
    mailbox = Mailbox(lambda address: replies.get(address, "250 ok"))
    with serving(ready, mailbox):
        send(ready)
    counts = stands(ready).counts
    assert (counts.accepted, counts.deferred, counts.failed) == (4, 1, 1)


def test_a_line_that_breaks_after_the_dot_leaves_its_reader_unknown_and_nobody_else(ready: Newsletter) -> None:
    add_readers(ready, 6)
    mailbox = Mailbox(lambda address: "drop" if address == "reader3@example.org" else "250 ok")
    with serving(ready, mailbox):
        send(ready)
    counts = stands(ready).counts
    assert (counts.accepted, counts.unknown) == (5, 1)


def test_a_server_that_cannot_be_reached_charges_nobody(ready: Newsletter) -> None:
    add_readers(ready, 2)
    ready.settings.smtp_url = SecretStr("smtp://127.0.0.1:1?starttls=never")
    ready.settings.connections = 1
    ended, _ = hand_over(ready, SLUG)
    assert "127.0.0.1:1" in ended.trouble
    assert stands(ready).counts.queued == 2


def test_every_attempt_is_logged_with_the_servers_reply(ready: Newsletter) -> None:
    add_readers(ready, 1)
    with serving(ready, Mailbox(lambda address: "250 2.0.0 queued as 4F3A")):
        send(ready)
    with ready.session() as session:
        entry = next(entries(session, subscriber_id=1))
    assert [(one.verdict, one.code, one.reply) for one in entry.tries] == [("accepted", 250, "2.0.0 queued as 4F3A")]
    assert entry.tries[0].size_bytes == len(preview_for(ready, SLUG, "reader0@example.org").message.data)


def test_each_exclusion_has_its_reason(ready: Newsletter) -> None:
    with ready.session() as session:
        people = ready.people(session)
        both = Preferences(topics=("policy", "models"))
        people.add("no-match@example.org", Preferences(topics=("funding",)))
        people.add("weekly@example.org", replace(both, frequency=Frequency.WEEKLY))
        people.pause(people.add("paused@example.org", both))
        people.add("suppressed@example.org", both)
        ready.suppression(session).add("suppressed@example.org", "command")
        people.unsubscribe(people.add("gone@example.org", both), "command")
    list(Dispatch.of(ready, SLUG).plan())
    with ready.session() as session:
        reasons = {entry.address: entry.reason for entry in entries(session, slug=SLUG)}
    assert reasons == {
        "no-match@example.org": Reason.NO_MATCH,
        "weekly@example.org": Reason.WEEKLY,
        "paused@example.org": Reason.PAUSED,
        "suppressed@example.org": Reason.SUPPRESSED,
    }


def test_coverage_says_before_what_the_plan_does_then(ready: Newsletter) -> None:
    test_each_exclusion_has_its_reason(ready)
    add_readers(ready, 2)
    covered, left_out, _ = coverage(ready, SLUG)
    assert covered.by_stories == {0: 1, 2: 2}
    assert left_out == {"weekly": 1, "paused": 1, "suppressed": 1}


def test_coverage_leaves_out_who_had_every_story_already(ready: Newsletter) -> None:
    add_readers(ready, 2)
    data = TEXT.replace("2026-03-09", "2026-03-10").encode()
    take_in(ready, read(ready, data), data)
    list(Dispatch.of(ready, SLUG).plan())
    covered, left_out, _ = coverage(ready, "2026-03-10")
    assert (covered.readers, left_out) == (0, {"already had": 2})


def test_a_corrected_issue_does_not_forget_what_it_had_brought(ready: Newsletter) -> None:
    add_readers(ready, 1)
    with serving(ready, Mailbox()):
        send(ready)
    corrected = TEXT.split("**模型与技术进展**")[0].encode()
    take_in(ready, read(ready, corrected), corrected)
    models = "# 示例日报 (2026-03-10)\n\n**模型与技术进展**" + TEXT.split("**模型与技术进展**")[1]
    take_in(ready, read(ready, models.encode()), models.encode())
    _, left_out, _ = coverage(ready, "2026-03-10")
    assert left_out == {"already had": 1}


def test_a_reader_who_joined_after_the_plan_is_shown_so(ready: Newsletter) -> None:
    list(Dispatch.of(ready, SLUG).plan())
    add_readers(ready, 1)
    assert preview_for(ready, SLUG, "reader0@example.org").left_out == "joined later"


def test_the_zone_of_a_planned_mail_is_the_one_it_was_approved_with(ready: Newsletter) -> None:
    add_readers(ready, 1)
    list(Dispatch.of(ready, SLUG).plan())
    before = preview_for(ready, SLUG, "reader0@example.org").message.data
    ready.settings.zone = "Europe/Berlin"
    assert preview_for(ready, SLUG, "reader0@example.org").message.data == before


def test_an_unsubscribe_between_plan_and_send_stops_the_message(ready: Newsletter) -> None:
    add_readers(ready, 3)
    dispatch = Dispatch.of(ready, SLUG)
    list(dispatch.plan())
    with ready.session() as session:
        people = ready.people(session)
        leaving = people.get("reader1@example.org")
        assert leaving
        people.unsubscribe(leaving, "page")
    mailbox = Mailbox()
    with serving(ready, mailbox):
        hand_over(ready, SLUG)
    assert "reader1@example.org" not in dict(mailbox.taken)
    counts = stands(ready).counts
    assert (counts.accepted, counts.excluded, counts.candidates) == (2, 1, 3)


def test_planning_again_adds_nobody(ready: Newsletter) -> None:
    add_readers(ready, 4)
    assert sum(Dispatch.of(ready, SLUG).plan()) == 4
    add_readers_later = Preferences(topics=("policy",))
    with ready.session() as session:
        ready.people(session).add("late@example.org", add_readers_later)
    assert sum(Dispatch.of(ready, SLUG).plan()) == 0


def test_rows_left_in_hand_by_a_dead_sender_become_unknown(ready: Newsletter) -> None:
    add_readers(ready, 3)
    dispatch = Dispatch.of(ready, SLUG)
    list(dispatch.plan())
    dead = Hand(ready)
    assert len(dead.take(2)) == 2
    dead.seat.leave()
    mailbox = Mailbox()
    with serving(ready, mailbox):
        hand_over(ready, SLUG)
    counts = dispatch.counts()
    assert (counts.accepted, counts.unknown, counts.candidates) == (1, 2, 3)


def test_an_outcome_that_arrives_late_turns_unknown_into_the_truth(ready: Newsletter) -> None:
    add_readers(ready, 1)
    list(Dispatch.of(ready, SLUG).plan())
    slow = Hand(ready)
    (row,) = slow.take(1)
    slow.seat.leave()  # on SQLite a seat is given up by whoever ends; on PostgreSQL by losing the connection
    Hand(ready).ledger.release(ready.clock(), [])
    assert stands(ready).counts.unknown == 1
    slow.settle(row, Outcome(Verdict.ACCEPTED, Stage.DONE, 250, "ok"))
    assert stands(ready).counts.accepted == 1


def test_an_outcome_is_not_written_where_the_claim_is_another_senders(ready: Newsletter) -> None:
    add_readers(ready, 1)
    list(Dispatch.of(ready, SLUG).plan())
    (row,) = Hand(ready).take(1)
    Hand(ready).settle(row, Outcome(Verdict.REFUSED, Stage.RCPT, 550, "no"))
    counts = stands(ready).counts
    assert (counts.failed, counts.queued) == (0, 1)


def test_a_row_that_was_never_used_goes_back_without_a_trace(ready: Newsletter) -> None:
    add_readers(ready, 1)
    list(Dispatch.of(ready, SLUG).plan())
    hand = Hand(ready)
    (row,) = hand.take(1)
    hand.settle(row, None)
    with Session(ready.engine) as session:
        delivery = session.get_one(Delivery, 1)
        assert (delivery.state, delivery.attempts) == (State.QUEUED, 0)
        assert not session.exec(select(Attempt)).all()


def test_a_reader_who_asked_to_be_forgotten_leaves_counts_but_no_words(ready: Newsletter) -> None:
    add_readers(ready, 1)
    with serving(ready, Mailbox()):
        send(ready)
    with ready.session() as session:
        people = ready.people(session)
        person = people.get("reader0@example.org")
        assert person and person.id
        people.forget(person)
        forget_reader(session, person.id)
    with ready.session() as session:
        (entry,) = entries(session, slug=SLUG)
    assert (entry.address, entry.state) == (None, State.ACCEPTED)


@pytest.mark.both_databases(False)
def test_a_second_sender_of_the_same_file_is_kept_out(ready: Newsletter) -> None:
    engine, file = ready.engine, ready.database_file
    with take_seat(engine, file), pytest.raises(SenderRunning), take_seat(engine, file):
        pass


def test_an_issue_that_is_not_approved_is_not_sent(newsletter: Newsletter) -> None:
    data = TEXT.encode()
    take_in(newsletter, read(newsletter, data), data)
    with pytest.raises(IssueRefused, match="approve"):
        Dispatch.of(newsletter, SLUG)


def test_an_edit_voids_the_approval(ready: Newsletter) -> None:
    data = TEXT.replace("离线运行", "离线运行且省电").encode()
    take_in(ready, read(ready, data), data)
    with pytest.raises(IssueRefused, match="not approved"):
        Dispatch.of(ready, SLUG)


def test_another_sender_in_the_settings_voids_the_approval(ready: Newsletter) -> None:
    ready.settings.sender = "别人 <other@example.org>"
    with pytest.raises(IssueRefused, match="since"):
        Dispatch.of(ready, SLUG)


def test_a_reader_is_not_sent_a_story_they_had_in_another_issue(ready: Newsletter) -> None:
    add_readers(ready, 1)
    with serving(ready, Mailbox()):
        send(ready)
        data = TEXT.replace("2026-03-09", "2026-03-10").encode()
        take_in(ready, read(ready, data), data)
        approve(ready, "2026-03-10")
        list(Dispatch.of(ready, "2026-03-10").plan())
    with ready.session() as session:
        (entry,) = entries(session, slug="2026-03-10")
    assert entry.reason == Reason.ALREADY_HAD


def test_received_messages_have_no_defects(ready: Newsletter) -> None:
    add_readers(ready, 2)
    mailbox = Mailbox()
    with serving(ready, mailbox):
        send(ready)
    for _, data in mailbox.taken:
        parsed = message_from_bytes(data, policy=default)
        assert not [defect for part in parsed.walk() for defect in part.defects]
