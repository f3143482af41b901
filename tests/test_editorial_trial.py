"""A test send: the real message but for three things, to the addresses named, and nothing written down."""

import re
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from desk_samples import add_staff
from mail_servers import aiosmtpd_server
from pydantic import SecretStr
from sending import SLUG, Clock, add_readers, plan, take_in_issue
from sqlmodel import SQLModel, select
from test_editorial_appointments import Mailbox, change

from newsletter.app import Newsletter
from newsletter.delivery.outcome import Verdict
from newsletter.delivery.transport import ServerRefused
from newsletter.editorial.appointments import appoint
from newsletter.editorial.preview import preview_for
from newsletter.editorial.trial import DAY, MOST_A_DAY, TooManyTests, order_trial, send_trial
from newsletter.render.recipient import INERT_TOKEN
from newsletter.staff.audit import Action, record
from newsletter.staff.rights import Role
from subscribers.addresses import AddressRefused


@pytest.fixture
def ready(newsletter: Newsletter) -> Newsletter:
    newsletter.clock = Clock()
    add_readers(newsletter, 2)
    take_in_issue(newsletter)
    return newsletter


@pytest.fixture
def mailbox(ready: Newsletter) -> Iterator[Mailbox]:
    mailbox = Mailbox()
    with aiosmtpd_server(mailbox) as server:
        ready.settings.smtp_url = SecretStr(f"smtp://127.0.0.1:{server.port}?starttls=never")
        yield mailbox


def contents(newsletter: Newsletter) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with newsletter.reading() as session:
        tables = SQLModel.metadata.sorted_tables
        return {table.name: [tuple(row) for row in session.execute(select(table))] for table in tables}


def words(message: EmailMessage) -> list[str]:
    """The parts of a message; blanks that fill up lines of base64 do not count."""
    return [" ".join(part.get_content().split()) for part in message.iter_parts()]


def test_it_differs_from_the_planned_message_in_exactly_three_things(ready: Newsletter, mailbox: Mailbox) -> None:
    plan(ready, SLUG)
    real = preview_for(ready, SLUG, "reader1@example.org")
    send_trial(ready, SLUG, ["reader1@example.org"])
    sent = mailbox.only()
    ((_, data),) = mailbox.taken
    ours, theirs = real.message.data.split(b"\r\n\r\n")[0], data.split(b"\r\n\r\n")[0]

    def headers(raw: bytes) -> dict[str, str]:
        unfolded = re.sub(r"\r\n[ \t]", " ", raw.decode())
        return dict(line.split(": ", 1) for line in unfolded.split("\r\n"))

    before, after = headers(ours), headers(theirs)
    assert before.keys() == after.keys()
    different = {name for name in before if before[name] != after[name]}
    boundary = {"Content-Type"}  # derives from the Message-ID
    assert different - boundary == {"Message-ID", "Subject", "List-Unsubscribe"}
    assert sent["Subject"] == f"[测试] {real.subject}"
    reader = real.recipient
    links = "|".join([reader.unsubscribe_token, reader.preferences_token, reader.view_token])
    meant = message_from_bytes(real.message.data, policy=policy.default)
    assert words(sent) == [re.sub(links, INERT_TOKEN, part) for part in words(meant)]  # type: ignore[arg-type]  # by that policy it is one
    assert not re.search(links, str(words(sent)))


def test_it_is_written_down_nowhere(ready: Newsletter, mailbox: Mailbox) -> None:
    before = contents(ready)
    send_trial(ready, SLUG, ["reader1@example.org", "somebody@example.net"])
    assert len(mailbox.taken) == 2
    assert contents(ready) == before


def test_it_needs_no_approval(ready: Newsletter, mailbox: Mailbox) -> None:
    change(ready)
    ((_, outcome),) = send_trial(ready, SLUG, ["somebody@example.net"])
    assert outcome.verdict is Verdict.ACCEPTED
    text = mailbox.only().get_body(("plain",))
    assert text is not None
    assert "细则没有写明" in text.get_content()


def test_each_test_send_is_a_message_of_its_own(ready: Newsletter, mailbox: Mailbox) -> None:
    for _ in range(2):
        send_trial(ready, SLUG, ["somebody@example.net"])
    ids = [re.findall(rb"^Message-ID: (.*)\r$", data, re.MULTILINE) for _, data in mailbox.taken]
    assert ids[0] != ids[1]


def test_an_impossible_address_is_refused_before_anything_is_sent(ready: Newsletter, mailbox: Mailbox) -> None:
    with pytest.raises(AddressRefused):
        send_trial(ready, SLUG, ["somebody@example.net", "no address"])
    assert mailbox.taken == []


def test_no_server_is_said(ready: Newsletter) -> None:
    ready.settings.smtp_url = SecretStr("smtp://127.0.0.1:1?starttls=never")
    with pytest.raises(ServerRefused, match=r"127\.0\.0\.1:1"):
        send_trial(ready, SLUG, ["somebody@example.net"])


def test_one_person_sends_so_many_tests_a_day_and_no_more(ready: Newsletter, mailbox: Mailbox) -> None:
    editor, other = (add_staff(ready, address, Role.EDITOR) for address in ("li@example.org", "wen@example.org"))
    with ready.session() as session:
        record(session, editor, Action.TEST_SENT, SLUG, ready.clock(), addresses=MOST_A_DAY - 1, accepted=0)
    order_trial(ready, SLUG, ["a@example.net"], editor)
    with pytest.raises(TooManyTests):
        order_trial(ready, SLUG, ["a@example.net"], editor)
    order_trial(ready, SLUG, ["a@example.net"], other)
    order_trial(ready, SLUG, ["a@example.net"])
    assert len(mailbox.taken) == 3
    tomorrow = ready.clock() + DAY
    ready.clock = lambda: tomorrow
    order_trial(ready, SLUG, ["a@example.net"], editor)
    assert len(mailbox.taken) == 4


def test_no_test_is_dated_in_the_future_though_its_issue_is_appointed(ready: Newsletter, mailbox: Mailbox) -> None:
    appoint(ready, SLUG, ready.clock() + timedelta(hours=2))
    send_trial(ready, SLUG, ["reader1@example.org"])
    assert mailbox.only()["Date"] == "Mon, 09 Mar 2026 08:00:00 +0800"
