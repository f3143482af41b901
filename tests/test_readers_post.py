"""The post: letters go out once, the same bytes at every attempt, and to nobody who is not to be written to."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from mail_servers import free_port
from post_samples import (
    ADDRESS,
    Mailbox,
    clock,
    confirm,
    publish,
    queue,
    reader,
    row_of,
    sending_to,
    text_of,
)
from pydantic import SecretStr
from sending import Clock
from sqlmodel import select

from newsletter.app import Newsletter
from newsletter.delivery.connection import Connection
from newsletter.readers import post as posting
from newsletter.readers.letters import purge_letters
from newsletter.readers.limits import LIMITS
from newsletter.readers.models import Letter, LetterKind, LetterState
from newsletter.readers.post import DATA_HOURS, Post
from newsletter.settings import PREFIX
from subscribers.models import SignUp
from subscribers.preferences import Frequency, Preferences
from subscribers.tokens import Purpose


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def sending(newsletter: Newsletter, mailbox: Mailbox) -> Iterator[Newsletter]:
    with sending_to(newsletter, mailbox) as ready:
        yield ready


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
        (Preferences(topics=("models",), frequency=Frequency.WEEKLY), ["峡湾实验室公开 冰川 模型"]),
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


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("zh", "每天 07:00（柏林）收到日报；模型与技术进展每周五汇总。"),
        ("en", "Every day at 07:00 (Berlin) you get the daily mail; Models & Research in a digest every Friday."),
    ],
)
def test_a_welcome_says_when_mail_comes(sending: Newsletter, mailbox: Mailbox, language: str, said: str) -> None:
    choices = Preferences(
        ("policy", "models"),
        language=language,
        zone="Europe/Berlin",
        hour=7,
        frequencies=(("models", Frequency.WEEKLY),),
    )
    with sending.session() as session:
        person = sending.people(session).add(ADDRESS, choices)
    queue(sending, LetterKind.WELCOME, person=person.id, language=language)
    Post(sending).deliver()
    assert said in text_of(mailbox.taken[0][1])


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
