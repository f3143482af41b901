"""The post: letters go out once, the same bytes at every attempt, and to nobody who is not to be written to."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from queue import Queue
from typing import Any

import pytest
from mail_servers import aiosmtpd_server, free_port
from pydantic import SecretStr
from reader_samples import address_link, data_link
from sending import Clock
from sqlmodel import select

from newsletter.app import Newsletter
from newsletter.delivery.connection import Connection
from newsletter.editorial.intake import read, take_in
from newsletter.readers import new_address
from newsletter.readers import post as posting
from newsletter.readers.letters import purge_letters, write
from newsletter.readers.limits import LIMITS
from newsletter.readers.models import Letter, LetterKind, LetterState
from newsletter.readers.post import DATA_HOURS, Post
from newsletter.readers.preferences import ask_link
from newsletter.settings import PREFIX
from newsletter.storage.models import IssueRow
from subscribers.addresses import hash_address, parse_address
from subscribers.models import SignUp, Subscriber
from subscribers.preference_columns import columns_of
from subscribers.preferences import Preferences
from subscribers.tokens import Purpose

ADDRESS = "chen@example.com"
CHOSEN = Preferences(topics=("models", "policy"))
ISSUE = """# AI 行业动态 (2026-03-09)

**模型与技术进展**

- **峡湾实验室公开 *冰川* 模型**
  说明：实验室公布了训练所用的观测数据。
  来源出处：[峡湾实验室](https://lab.example.org/ice)
"""


@dataclass
class Mailbox:
    """A server's handler that keeps what it took, and answers what a test says, message by message."""

    answers: list[str] = field(default_factory=list)
    taken: list[tuple[str, bytes]] = field(default_factory=list)
    heard: list[bytes] = field(default_factory=list)
    sessions: set[int] = field(default_factory=set)
    arrivals: "Queue[str]" = field(default_factory=Queue)
    on_message: Callable[[], None] | None = None

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.sessions.add(id(session))
        self.heard.append(envelope.original_content)
        if self.on_message is not None:
            self.on_message()
        answer = self.answers.pop(0) if self.answers else "250 2.0.0 taken"
        if answer.startswith("250"):
            self.taken.append((envelope.rcpt_tos[0], envelope.original_content))
            self.arrivals.put(envelope.rcpt_tos[0])
        return answer

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.startswith("nobody"):
            return "550 5.1.1 no such user here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def sending(newsletter: Newsletter, mailbox: Mailbox) -> Iterator[Newsletter]:
    """A newsletter whose server is the mailbox, and whose clock stands still."""
    newsletter.clock = Clock()
    with aiosmtpd_server(mailbox) as server:
        newsletter.settings.smtp_url = SecretStr(f"smtp://127.0.0.1:{server.port}?starttls=never")
        yield newsletter


def clock(newsletter: Newsletter) -> Clock:
    assert isinstance(newsletter.clock, Clock)
    return newsletter.clock


def queue(
    newsletter: Newsletter,
    kind: LetterKind,
    address: str = ADDRESS,
    *,
    person: int | None = None,
    sign_up: int | None = None,
    language: str = "zh",
) -> int:
    """Write a letter down; its id."""
    with newsletter.session() as session:
        row = write(
            newsletter, session, kind, parse_address(address), language, subscriber_id=person, sign_up_id=sign_up
        )
        assert row is not None
        return row.id or 0


def confirm(newsletter: Newsletter, address: str = ADDRESS) -> int:
    """Ask for a subscription and queue the letter to confirm it; the letter's id."""
    with newsletter.session() as session:
        parsed = parse_address(address)
        row = SignUp(
            address=parsed.display,
            ascii_address=parsed.ascii,
            address_key=parsed.key,
            preferences=columns_of(CHOSEN),
            created_at=newsletter.clock(),
        )
        session.add(row)
        session.flush()
        sign_up = row.id
    return queue(newsletter, LetterKind.CONFIRM, address, sign_up=sign_up)


def reader(newsletter: Newsletter, address: str = ADDRESS) -> Subscriber:
    with newsletter.session() as session:
        return newsletter.people(session).add(address, CHOSEN)


def row_of(newsletter: Newsletter, letter_id: int) -> Letter:
    with newsletter.reading() as session:
        return session.get_one(Letter, letter_id)


def publish(newsletter: Newsletter) -> str:
    """Take an issue in as one that everybody may read; its slug."""
    data = ISSUE.encode()
    saved, _ = take_in(newsletter, read(newsletter, data), data)
    with newsletter.session() as session:
        row = session.get_one(IssueRow, saved.issue_id)
        row.published_revision_id, row.published_at = saved.revision_id, newsletter.clock()
    return saved.slug


def text_of(message: bytes) -> str:
    part = message_from_bytes(message, policy=default).get_body(("plain",))
    assert part is not None
    return str(part.get_content())


@pytest.mark.both_databases
def test_a_confirmation_arrives_with_the_topics_asked_for_and_its_link(sending: Newsletter, mailbox: Mailbox) -> None:
    post = Post(sending)
    assert not post.is_due()
    letter = confirm(sending)
    assert post.is_due()
    post.deliver()
    ((recipient, message),) = mailbox.taken
    with sending.reading() as session:
        token = sending.tokens.make(Purpose.CONFIRM, session.exec(select(SignUp)).one().public_id)
    assert recipient == ADDRESS
    assert f"https://news.example.org/confirm/{token}" in text_of(message)
    assert "模型与技术进展" in text_of(message)
    row = row_of(sending, letter)
    assert (row.state, row.attempts, row.settled_at) == (LetterState.ACCEPTED, 1, sending.clock())
    assert not post.is_due()


def test_its_message_id_and_date_come_from_the_row(sending: Newsletter, mailbox: Mailbox) -> None:
    letter = confirm(sending)
    public_id = row_of(sending, letter).public_id
    clock(sending).move(hours=3)
    Post(sending).deliver()
    parsed = message_from_bytes(mailbox.taken[0][1], policy=default)
    assert parsed["Message-ID"] == f"<letter.{public_id}@example.org>"
    assert parsed["Date"] == "Mon, 09 Mar 2026 08:00:00 +0800"


def test_a_welcome_offers_the_newest_issue_that_everybody_may_read(sending: Newsletter, mailbox: Mailbox) -> None:
    slug, person = publish(sending), reader(sending)
    queue(sending, LetterKind.WELCOME, person=person.id)
    Post(sending).deliver()
    text = text_of(mailbox.taken[0][1])
    assert f"https://news.example.org/archive/{slug}" in text
    assert "1. 峡湾实验室公开 冰川 模型" in text
    for purpose in (Purpose.PREFERENCES, Purpose.UNSUBSCRIBE):
        assert f"https://news.example.org/{purpose}/{sending.tokens.make(purpose, person.public_id)}" in text


@pytest.mark.parametrize(
    ("choices", "offered"),
    [
        (Preferences(topics=("policy",)), []),
        (Preferences(topics=("models",), mute=("峡湾",)), []),
        (Preferences(topics=("policy",), follow=("峡湾",)), ["峡湾实验室公开 冰川 模型"]),
    ],
)
def test_a_welcome_offers_what_the_readers_own_choices_bring_of_the_newest_issue(
    sending: Newsletter, mailbox: Mailbox, choices: Preferences, offered: list[str]
) -> None:
    slug = publish(sending)
    with sending.session() as session:
        person = sending.people(session).add(ADDRESS, choices)
    queue(sending, LetterKind.WELCOME, person=person.id)
    Post(sending).deliver()
    text = text_of(mailbox.taken[0][1])
    assert (f"/archive/{slug}" in text) == bool(offered)
    assert ("峡湾实验室" in text) == bool(offered)
    assert all(f"1. {title}" in text for title in offered)


def test_letters_go_over_one_connection(sending: Newsletter, mailbox: Mailbox) -> None:
    for number in range(5):
        confirm(sending, f"reader{number}@example.com")
    Post(sending).deliver()
    assert len(mailbox.taken) == 5
    assert len(mailbox.sessions) == 1


def test_a_connection_is_left_after_as_many_letters_as_the_server_wants(sending: Newsletter, mailbox: Mailbox) -> None:
    sending.settings.messages_per_connection = 2
    for number in range(5):
        confirm(sending, f"reader{number}@example.com")
    Post(sending).deliver()
    assert (len(mailbox.taken), len(mailbox.sessions)) == (5, 3)


@pytest.mark.both_databases
def test_what_is_deferred_comes_later_with_the_same_bytes(sending: Newsletter, mailbox: Mailbox) -> None:
    mailbox.answers = ["451 4.7.1 come back later"]
    letter, post = confirm(sending), Post(sending)
    post.deliver()
    row = row_of(sending, letter)
    assert (row.state, row.reply, mailbox.taken) == (LetterState.QUEUED, "451 4.7.1 come back later", [])
    assert not post.is_due()
    publish(sending)
    clock(sending).move(minutes=3)
    assert post.is_due()
    post.deliver()
    assert row_of(sending, letter).state == LetterState.ACCEPTED
    assert mailbox.heard[0] == mailbox.heard[1] == mailbox.taken[0][1]


def test_a_welcome_says_the_same_again_whatever_was_published_meanwhile(sending: Newsletter, mailbox: Mailbox) -> None:
    mailbox.answers = ["451 4.7.1 come back later"]
    queue(sending, LetterKind.WELCOME, person=reader(sending).id)
    Post(sending).deliver()
    publish(sending)
    clock(sending).move(minutes=3)
    Post(sending).deliver()
    assert mailbox.heard[0] == mailbox.heard[1]


def test_a_refusal_ends_it_and_no_such_user_suppresses_the_address(sending: Newsletter, mailbox: Mailbox) -> None:
    mailbox.answers = ["554 5.7.1 not from you"]
    letters = [confirm(sending), confirm(sending, "nobody@example.com")]
    Post(sending).deliver()
    assert [row_of(sending, letter).state for letter in letters] == [LetterState.FAILED] * 2
    assert row_of(sending, letters[1]).reply == "550 5.1.1 no such user here"
    with sending.reading() as session:
        suppression = sending.suppression(session)
        assert not suppression.is_suppressed(ADDRESS)
        assert suppression.is_suppressed("nobody@example.com")


def test_a_server_that_is_away_is_waited_for_and_given_up_after_a_day(newsletter: Newsletter) -> None:
    newsletter.clock = Clock()
    newsletter.settings.smtp_url = SecretStr(f"smtp://127.0.0.1:{free_port()}?starttls=never")
    letter, post = confirm(newsletter), Post(newsletter)
    waits = []
    while (row := row_of(newsletter, letter)).state == LetterState.QUEUED:
        waits.append(row.next_at - clock(newsletter).now)
        clock(newsletter).now = row.next_at
        post.deliver()
    assert row.state == LetterState.FAILED
    assert timedelta(minutes=2) <= waits[1] <= timedelta(minutes=3)
    assert timedelta(hours=19) < clock(newsletter).now - row.created_at <= timedelta(hours=24)


def test_a_data_letter_is_given_up_when_its_link_would_not_open_any_more(newsletter: Newsletter) -> None:
    newsletter.clock = Clock()
    newsletter.settings.smtp_url = SecretStr(f"smtp://127.0.0.1:{free_port()}?starttls=never")
    letter, post = queue(newsletter, LetterKind.DATA, person=reader(newsletter).id), Post(newsletter)
    while (row := row_of(newsletter, letter)).state == LetterState.QUEUED:
        clock(newsletter).now = row.next_at
        post.deliver()
    assert clock(newsletter).now - row.created_at <= timedelta(hours=DATA_HOURS)


def test_the_next_server_is_taken_when_the_first_cannot_be_reached(sending: Newsletter, mailbox: Mailbox) -> None:
    away = sending.settings.smtp_servers[0].model_copy(
        update={"url": SecretStr(f"smtp://127.0.0.1:{free_port()}?starttls=never"), "name": "away"}
    )
    there = sending.settings.smtp_servers[0].model_copy(update={"name": "there"})
    sending.settings.servers = (away, there)
    confirm(sending)
    Post(sending).deliver()
    assert len(mailbox.taken) == 1


DELIVER = """
from datetime import UTC, datetime
from newsletter.app import Newsletter
from newsletter.readers.post import Post
from newsletter.settings import load
Post(Newsletter(load(), lambda: datetime(2026, 3, 9, tzinfo=UTC))).deliver()
"""


@pytest.mark.both_databases
def test_what_was_in_hand_when_its_process_was_killed_goes_out_again_with_the_same_bytes(
    sending: Newsletter, mailbox: Mailbox
) -> None:
    """The server takes the whole letter, and whoever brought it is dead before the answer."""
    letter = confirm(sending)
    with subprocess.Popen([sys.executable, "-c", DELIVER], env=environment(sending)) as process:
        mailbox.on_message = process.kill
        assert process.wait(60) == -signal.SIGKILL
    mailbox.on_message = None
    assert row_of(sending, letter).state == LetterState.IN_HAND
    post = Post(sending)
    clock(sending).move(minutes=14)
    assert not post.is_due()
    clock(sending).move(minutes=1)
    assert post.is_due()
    post.deliver()
    assert row_of(sending, letter).state == LetterState.ACCEPTED
    assert len(mailbox.heard) == 2
    assert mailbox.heard[0] == mailbox.heard[1]


def environment(newsletter: Newsletter) -> dict[str, str]:
    """That of a process that works for the test's newsletter."""
    settings = newsletter.settings
    own = {
        "DATABASE_URL": settings.database_url,
        "SECRET_KEY": settings.secret_key.get_secret_value(),
        "SMTP_URL": settings.smtp_url.get_secret_value(),
        "SENDER": settings.sender,
        "BASE_URL": settings.base_url,
        "INBOUND_ADDRESS": settings.inbound_address,
        "POSTAL_ADDRESS": settings.postal_address,
    }
    return {**os.environ, **{PREFIX + name: value for name, value in own.items()}}


def test_an_outcome_that_comes_after_another_took_the_letter_changes_nothing(
    sending: Newsletter, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first post stalls with the letter in hand; the second takes it over and is refused; the first is told 250."""
    letter = confirm(sending)
    hand_over = Connection.hand_over
    mailbox.answers = ["250 2.0.0 taken", "554 5.7.1 not from you"]

    async def slow(self: Connection, *arguments: Any) -> Any:
        monkeypatch.setattr(Connection, "hand_over", hand_over)
        outcome = await hand_over(self, *arguments)
        clock(sending).move(minutes=16)
        with ThreadPoolExecutor(1) as other:
            other.submit(Post(sending).deliver).result()
        return outcome

    monkeypatch.setattr(Connection, "hand_over", slow)
    Post(sending).deliver()
    assert row_of(sending, letter).state == LetterState.FAILED


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_two_posts_at_once_send_each_letter_once(sending: Newsletter, mailbox: Mailbox) -> None:
    letters = [confirm(sending, f"reader{number}@example.com") for number in range(20)]
    posts = [Post(sending), Post(sending)]
    with ThreadPoolExecutor(len(posts)) as threads:
        for ended in [threads.submit(post.deliver) for post in posts]:
            ended.result()
    recipients = sorted(recipient for recipient, _ in mailbox.taken)
    assert recipients == sorted(f"reader{number}@example.com" for number in range(20))
    assert {row_of(sending, letter).attempts for letter in letters} == {1}
    assert len(mailbox.sessions) == 2


def leave(newsletter: Newsletter) -> None:
    with newsletter.session() as session:
        people = newsletter.people(session)
        person = people.get(ADDRESS)
        assert person is not None
        people.unsubscribe(person, "page")


def forget(newsletter: Newsletter) -> None:
    with newsletter.session() as session:
        people = newsletter.people(session)
        person = people.get(ADDRESS)
        assert person is not None
        people.forget(person)


def suppress(newsletter: Newsletter, reason: str = "complaint") -> None:
    with newsletter.session() as session:
        newsletter.suppression(session).add(ADDRESS, reason)


@pytest.mark.parametrize(
    ("kind", "happens"),
    [
        (LetterKind.WELCOME, leave),
        (LetterKind.WELCOME, forget),
        (LetterKind.WELCOME, suppress),
        (LetterKind.ALREADY, suppress),
        (LetterKind.DATA, forget),
        (LetterKind.GOODBYE, lambda newsletter: None),
    ],
)
def test_what_is_not_true_any_more_or_not_wanted_is_not_sent(
    sending: Newsletter, mailbox: Mailbox, kind: LetterKind, happens: Callable[[Newsletter], None]
) -> None:
    letter = queue(sending, kind, person=reader(sending).id)
    happens(sending)
    Post(sending).deliver()
    row = row_of(sending, letter)
    assert (row.state, mailbox.heard) == (LetterState.FAILED, [])
    assert row.reply.startswith("not sent: ")


def test_somebody_who_left_gets_goodbye_and_the_link_to_their_data(sending: Newsletter, mailbox: Mailbox) -> None:
    person = reader(sending)
    leave(sending)
    for kind in (LetterKind.GOODBYE, LetterKind.DATA):
        queue(sending, kind, person=person.id)
    Post(sending).deliver()
    assert len(mailbox.taken) == 2
    assert all("List-Unsubscribe" not in message_from_bytes(message) for _, message in mailbox.taken)


@pytest.mark.parametrize("answered", ["gone", "confirmed"])
def test_a_confirmation_with_nothing_left_to_confirm_is_dropped(
    sending: Newsletter, mailbox: Mailbox, answered: str
) -> None:
    letter = confirm(sending)
    with sending.session() as session:
        if answered == "gone":
            session.get_one(Letter, letter).sign_up_id = None
        else:
            session.exec(select(SignUp)).one().confirmed_at = sending.clock()
    Post(sending).deliver()
    assert (row_of(sending, letter).state, mailbox.heard) == (LetterState.FAILED, [])


def test_a_confirmation_goes_to_an_address_that_bounced_once(sending: Newsletter, mailbox: Mailbox) -> None:
    with sending.session() as session:
        sending.suppression(session).add(ADDRESS, "bounce")
    confirm(sending)
    Post(sending).deliver()
    assert len(mailbox.taken) == 1


@pytest.mark.parametrize("reason", ["complaint", "manual"])
def test_a_confirmation_does_not_go_to_an_address_shut_out_since_it_was_asked_for(
    sending: Newsletter, mailbox: Mailbox, reason: str
) -> None:
    letter = confirm(sending)
    suppress(sending, reason)
    Post(sending).deliver()
    assert (row_of(sending, letter).reply, mailbox.heard) == ("not sent: suppressed", [])


@pytest.mark.parametrize(("reason", "goes"), [("bounce", True), ("forgotten", True), ("complaint", False)])
def test_a_new_address_is_written_to_unless_only_the_operator_can_let_it_in(
    sending: Newsletter, mailbox: Mailbox, reason: str, goes: bool
) -> None:
    person = reader(sending, "former@example.com")
    suppress(sending, reason)
    confirm(sending)
    with sending.session() as session:
        letter = session.exec(select(Letter)).one()
        letter.kind, letter.subscriber_id = LetterKind.ADDRESS, person.id
    Post(sending).deliver()
    assert [to for to, _ in mailbox.taken] == [ADDRESS] * goes


@pytest.mark.parametrize("kind", [LetterKind.DATA, LetterKind.PREFERENCES])
@pytest.mark.parametrize(("reason", "goes"), [("bounce", True), ("complaint", False)])
def test_the_ways_to_ones_own_data_stay_open_to_whose_mail_came_back(
    sending: Newsletter, mailbox: Mailbox, kind: LetterKind, reason: str, goes: bool
) -> None:
    letter = queue(sending, kind, person=reader(sending).id)
    suppress(sending, reason)
    Post(sending).deliver()
    assert row_of(sending, letter).state == (LetterState.ACCEPTED if goes else LetterState.FAILED)


def test_who_left_gets_the_link_that_they_ask_for_and_no_list_to_leave(sending: Newsletter, mailbox: Mailbox) -> None:
    person = reader(sending)
    leave(sending)
    ask_link(sending, ADDRESS)
    Post(sending).deliver()
    ((_, message),) = mailbox.taken
    token = sending.tokens.make(Purpose.PREFERENCES, person.public_id)
    assert f"https://news.example.org/preferences/{token}" in text_of(message)
    assert "已经退订" in text_of(message)
    assert "List-Unsubscribe" not in message_from_bytes(message)


@pytest.mark.both_databases
def test_of_a_stranger_whose_mail_comes_back_only_the_hash_is_kept(sending: Newsletter, mailbox: Mailbox) -> None:
    mover = reader(sending)
    confirm(sending, "nobody@example.com")
    moving = confirm(sending, "nobody.new@example.com")
    known = reader(sending, "nobody.known@example.com")
    queue(sending, LetterKind.WELCOME, "nobody.known@example.com", person=known.id)
    with sending.session() as session:
        letter = session.get_one(Letter, moving)
        letter.kind, letter.subscriber_id = LetterKind.ADDRESS, mover.id
    Post(sending).deliver()
    with sending.reading() as session:
        suppression = sending.suppression(session)
        assert all(suppression.is_suppressed(f"nobody{one}@example.com") for one in ("", ".new", ".known"))
        assert [(row.address, row.note) for row in suppression.list()] == [
            (None, ""),
            (None, ""),
            ("nobody.known@example.com", "550 5.1.1 no such user here"),
        ]


def test_a_bounced_stranger_stays_on_the_list_as_the_operator_put_them_there(
    sending: Newsletter, mailbox: Mailbox
) -> None:
    confirm(sending, "nobody@example.com")
    with sending.session() as session:
        hashed = hash_address(parse_address("nobody@example.com"), sending.address_key)
        sending.suppression(session).add("nobody@example.com", "bounce", "by hand")
        assert sending.suppression(session).add_hash(hashed, "bounce").note == "by hand"
    Post(sending).deliver()
    with sending.reading() as session:
        assert [row.note for row in sending.suppression(session).list()] == ["by hand"]


def test_the_former_address_is_told_where_its_subscription_goes(sending: Newsletter, mailbox: Mailbox) -> None:
    person = reader(sending)
    token = data_link(sending, person)
    new_address.ask(sending, token, "new@example.net")
    new_address.confirm(sending, address_link(sending))
    Post(sending).deliver()
    assert [to for to, _ in mailbox.taken] == [ADDRESS]
    text = text_of(mailbox.taken[0][1])
    assert "n***@example.net" in text
    assert "直接回复这封邮件" in text
    for purpose in (Purpose.PREFERENCES, Purpose.UNSUBSCRIBE):
        assert sending.tokens.make(purpose, person.public_id) not in text


def test_a_letter_for_a_former_address_of_a_reader_is_not_sent(sending: Newsletter, mailbox: Mailbox) -> None:
    """Its link would open what is theirs to whoever has that address now."""
    queue(sending, LetterKind.PREFERENCES, "former@example.com", person=reader(sending).id)
    Post(sending).deliver()
    assert mailbox.heard == []


def test_a_change_of_address_is_confirmed_at_the_new_one_with_the_old_one_masked(
    sending: Newsletter, mailbox: Mailbox
) -> None:
    person = reader(sending)
    confirm(sending, "new@example.net")
    with sending.session() as session:
        letter = session.exec(select(Letter)).one()
        letter.kind, letter.subscriber_id = LetterKind.ADDRESS, person.id
    Post(sending).deliver()
    ((recipient, message),) = mailbox.taken
    text = text_of(message)
    assert recipient == "new@example.net"
    assert "c***@example.com" in text
    assert ADDRESS not in text
    assert "https://news.example.org/address/" in text


def test_a_letter_that_cannot_be_made_fails_alone_and_is_logged(
    sending: Newsletter, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    spoilt, sound = confirm(sending), confirm(sending, "wen@example.com")
    with sending.session() as session:
        session.get_one(Letter, spoilt).language = "xx"
    Post(sending).deliver()
    assert row_of(sending, spoilt).state == LetterState.FAILED
    assert row_of(sending, sound).state == LetterState.ACCEPTED
    assert "cannot be made" in caplog.text
    assert ADDRESS not in caplog.text


def test_letters_are_signed_where_there_is_a_key(sending: Newsletter, mailbox: Mailbox) -> None:
    class Signer:
        def sign(self, data: bytes, at: Any) -> bytes:
            return b"DKIM-Signature: v=1; d=example.org\r\n"

    sending.signer = Signer()  # type: ignore[assignment]  # the real one has tests of its own
    confirm(sending)
    Post(sending).deliver()
    assert mailbox.taken[0][1].startswith(b"DKIM-Signature: v=1")


def test_a_stopping_post_takes_no_more_letters(sending: Newsletter, mailbox: Mailbox) -> None:
    letters = [confirm(sending, f"reader{number}@example.com") for number in range(3)]
    Post(sending).deliver(lambda: len(mailbox.heard) > 0)
    states = [row_of(sending, letter).state for letter in letters]
    assert states == [LetterState.ACCEPTED, LetterState.QUEUED, LetterState.QUEUED]


def test_a_server_that_does_not_answer_holds_a_stopping_post_for_a_moment_only(
    newsletter: Newsletter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The letter that it was offered goes back and waits for the next one."""
    newsletter.clock = Clock()
    monkeypatch.setattr(posting, "_GRACE_SECONDS", 0)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        newsletter.settings.smtp_url = SecretStr(f"smtp://127.0.0.1:{listening.getsockname()[1]}?starttls=never")
        letter = confirm(newsletter)
        with ThreadPoolExecutor(1) as server:
            server.submit(greet_and_say_no_more, listening)
            Post(newsletter).deliver(lambda: row_of(newsletter, letter).state == LetterState.IN_HAND)
    row = row_of(newsletter, letter)
    assert (row.state, row.next_at) == (LetterState.QUEUED, newsletter.clock())


def greet_and_say_no_more(listening: socket.socket) -> None:
    """Be a server that is stuck from MAIL on, until the client goes away."""
    connection, _ = listening.accept()
    with connection:
        connection.sendall(b"220 stuck.example.org\r\n")
        connection.recv(1000)
        connection.sendall(b"250 stuck.example.org\r\n")
        while connection.recv(1000):
            pass


def test_a_theme_that_cannot_be_used_holds_no_letter_up(sending: Newsletter, mailbox: Mailbox) -> None:
    sending.settings.theme = "lost"
    confirm(sending)
    Post(sending).deliver()
    assert len(mailbox.taken) == 1


@pytest.mark.both_databases
def test_old_letters_are_purged_and_the_rows_that_limits_count_stay(sending: Newsletter, mailbox: Mailbox) -> None:
    old = confirm(sending)
    Post(sending).deliver()
    clock(sending).move(days=30, seconds=1)
    young = confirm(sending)
    with sending.session() as session:
        assert purge_letters(session, sending.clock() - timedelta(days=30)) == 1
    with sending.reading() as session:
        assert [row.id for row in session.exec(select(Letter))] == [young]
    assert old != young
    assert max(within for within, _ in LIMITS) < timedelta(days=30)


def test_a_letter_written_while_serve_runs_arrives_by_itself(sending: Newsletter, mailbox: Mailbox) -> None:
    command = [sys.executable, "-u", "-m", "newsletter", "serve", "--port", "0"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, env=environment(sending), **pipes) as serve:
        try:
            assert serve.stdout.readline().startswith("http://")
            for address in (ADDRESS, "wen@example.com"):
                confirm(sending, address)
                assert mailbox.arrivals.get(timeout=60) == address
        finally:
            serve.terminate()
        assert "Traceback" not in serve.stdout.read()
    assert serve.returncode == 0
