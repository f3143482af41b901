"""A flood of sign-ups in the name of one victim brings a real mailbox three letters a day, and tells nothing."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from mail_servers import SlowMailbox, aiosmtpd_server
from pydantic import SecretStr
from sending import Clock
from sqlmodel import select
from starlette.testclient import TestClient

from newsletter.app import Newsletter
from newsletter.readers.models import Letter
from newsletter.readers.post import Post
from newsletter.readers.sign_up import Asked, ask
from newsletter.web.application import build
from subscribers.models import SignUp
from subscribers.preferences import Preferences

VICTIM = "victim@example.org"
SPELLINGS = (VICTIM, "Victim@Example.org", " VICTIM@EXAMPLE.ORG ", "victim＠example.org")
DAY = timedelta(days=1)
TOPICS = ("models", "policy", "funding")


@pytest.fixture
def mailbox() -> SlowMailbox:
    return SlowMailbox()


@pytest.fixture
def sending(newsletter: Newsletter, mailbox: SlowMailbox) -> Iterator[Newsletter]:
    """A newsletter that hands its mail to the mailbox, and whose clock a test moves."""
    newsletter.clock = Clock()
    with aiosmtpd_server(mailbox) as server:
        newsletter.settings.smtp_url = SecretStr(f"smtp://127.0.0.1:{server.port}?starttls=never")
        yield newsletter


def over_a_day(newsletter: Newsletter, many: int) -> Iterator[int]:
    """Numbers whose turns are spread over a day; letters that wait are sent 24 times meanwhile and at the end."""
    clock, post = newsletter.clock, Post(newsletter)
    assert isinstance(clock, Clock)
    start: datetime = clock.now
    for number in range(many):
        clock.now = start + DAY * number / many
        yield number
        if number % (many // 24) == 0 or number == many - 1:
            post.deliver()


def mails(mailbox: SlowMailbox) -> Counter[str]:
    """How many mails each address got, however it is spelt."""
    found: Counter[str] = Counter()
    for address, many in mailbox.taken.items():
        found[address.casefold()] += many
    return found


def kept(newsletter: Newsletter) -> tuple[int, int]:
    """How many requests and letters there are."""
    with newsletter.reading() as session:
        return len(session.exec(select(SignUp)).all()), len(session.exec(select(Letter)).all())


def test_ten_thousand_scripted_sign_ups_in_a_day_are_three_mails_to_the_victim(
    sending: Newsletter, mailbox: SlowMailbox
) -> None:
    asked = Asked(VICTIM, Preferences(("models",)), "api", "", "")
    for number in over_a_day(sending, 10_000):
        spelling, topics = SPELLINGS[number % 4], (TOPICS[number % 3],)
        origin = f"198.51.{number // 250}.{number % 250}"
        ask(sending, replace(asked, address=spelling, preferences=Preferences(topics), origin=origin))
    assert mails(mailbox) == Counter({VICTIM: 3})
    assert kept(sending) == (3, 3)


def test_a_hundred_tags_do_not_bring_a_victim_more_mails(sending: Newsletter, mailbox: SlowMailbox) -> None:
    asked = Asked(VICTIM, Preferences(("models",)), "api", "", "")
    for number in over_a_day(sending, 10_000):
        tagged = f"victim+{number % 100}@example.org"
        ask(sending, replace(asked, address=tagged, origin=f"198.51.{number // 250}.{number % 250}"))
    assert mails(mailbox).total() == 3
    assert kept(sending) == (3, 3)


def test_a_reader_too_gets_three_mails_of_a_flood_and_stays_as_they_are(
    sending: Newsletter, mailbox: SlowMailbox
) -> None:
    choices = Preferences(("policy",), most=5)
    with sending.session() as session:
        sending.people(session).add(VICTIM, choices)
    for number in over_a_day(sending, 2_000):
        ask(sending, Asked(SPELLINGS[number % 4], Preferences(("models",)), "page", "", f"192.0.2.{number % 250}"))
    with sending.reading() as session:
        (person,) = sending.people(session).list()
    assert (person.topics, person.most) == (["policy"], 5)
    assert mails(mailbox) == Counter({VICTIM: 3})


def test_every_call_of_a_flood_has_the_same_answer_whether_or_not_it_brings_a_mail(
    sending: Newsletter, mailbox: SlowMailbox
) -> None:
    sending.settings.trusted_proxies = ("192.0.2.1",)
    client = TestClient(build(sending), base_url="https://news.example.org", client=("192.0.2.1", 50000))
    answers = set()
    for number in over_a_day(sending, 480):
        body = {"address": SPELLINGS[number % 4], "topics": ["models"]}
        came_from = {"x-forwarded-for": f"2001:db8:{number:x}::1"}
        answer = client.post("/api/subscribe", json=body, headers=came_from)
        answers.add((answer.status_code, answer.text, tuple(answer.headers.items())))
    assert {status for status, _, _ in answers} == {202}
    assert len(answers) == 1
    assert mails(mailbox) == Counter({VICTIM: 3})


def test_what_is_wrong_with_a_request_is_said_of_a_flooded_address_as_of_any_other(sending: Newsletter) -> None:
    client = TestClient(build(sending), base_url="https://news.example.org")
    for number in over_a_day(sending, 48):
        ask(sending, Asked(VICTIM, Preferences(("models",)), "page", "", f"192.0.2.{number}"))
    said = [
        client.post("/api/subscribe", json={"address": address, "topics": ["nothing"]})
        for address in (VICTIM, "quiet@example.org")
    ]
    assert [answer.status_code for answer in said] == [422, 422]
    assert said[0].text == said[1].text
