"""What a preview and the log show is, byte for byte, what a real mail server received."""

import re
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from desk_samples import at_desk
from mail_servers import aiosmtpd_server
from pydantic import SecretStr
from sending import ISSUE, SLUG, Clock, hand_over, plan, take_in_issue
from sqlmodel import select
from starlette.testclient import TestClient

from newsletter.app import Newsletter
from newsletter.delivery.models import Delivery, Mailing
from newsletter.delivery.plan import mailing_key
from newsletter.editorial.appointments import appoint, keep_appointments
from newsletter.editorial.approval import approve
from newsletter.editorial.dispatch import begin
from newsletter.editorial.intake import read, take_in
from newsletter.editorial.preview import Exact, message_of, preview_for
from newsletter.render.dkim import Signer
from newsletter.staff.rights import Role
from subscribers.preferences import MailFormat, Preferences

pytestmark = pytest.mark.both_databases
MODELS = """
**模型与技术进展**

- **群岛实验室公开潮汐预报模型**
  说明：实验室公布了训练所用的观测数据。
"""
PAGE = f"/desk/issues/{SLUG}"
READERS = {
    f"{language}-{form}-{'follows' if follow else 'reads'}@example.org": Preferences(
        ("models", "policy"), language=language, format=form, follow=follow
    )
    for language in ("zh", "en")
    for form in MailFormat
    for follow in ((), ("潮汐",))
} | {"policy@example.org": Preferences(("policy",))}
NAMES = ("", "王小明", 'O\'Brien, "Pat" <p@example.net>', "=?utf-8?q?a?=", "读者" * 20)


class Mailbox:
    """Keeps the bytes of every message by the address it came for."""

    def __init__(self) -> None:
        self.received: dict[str, bytes] = {}

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        (address,) = envelope.rcpt_tos
        self.received[address] = envelope.content
        return "250 2.0.0 taken"


@pytest.fixture(scope="module")
def signer() -> Signer:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return Signer.load(
        "example.org", "s1", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    )


@pytest.fixture(params=["unsigned", "signed"])
def ready(newsletter: Newsletter, signer: Signer, request: pytest.FixtureRequest) -> Newsletter:
    """An approved issue of two topics, and readers of every kind."""
    newsletter.signer = signer if request.param == "signed" else None
    newsletter.clock = Clock()
    take_in_issue(newsletter, ISSUE + MODELS)
    with newsletter.session() as session:
        for number, (address, choices) in enumerate(READERS.items()):
            newsletter.people(session).add(address, choices, name=NAMES[number % len(NAMES)])
    return newsletter


@pytest.fixture
def mailbox(newsletter: Newsletter) -> Iterator[Mailbox]:
    mailbox = Mailbox()
    with aiosmtpd_server(mailbox) as server:
        newsletter.settings.smtp_url = SecretStr(f"smtp://127.0.0.1:{server.port}?starttls=never")
        yield mailbox


def clock(newsletter: Newsletter) -> Clock:
    assert isinstance(newsletter.clock, Clock)
    return newsletter.clock


def fields(page: str) -> dict[str, str]:
    """What the form that begins a send carries, and what stands in its field."""
    form = page.partition(f'action="{PAGE}/sending/start"')[2].partition("</form>")[0]
    return dict(re.findall(r'name="(\w+)"[^>]* value="([^"]*)"', form))


def fetch(desk: TestClient, **query: str) -> dict[str, bytes]:
    """The file of every reader, as the desk gives it."""
    files = {one: desk.get(f"{PAGE}/preview/message.eml", params={"reader": one, **query}) for one in READERS}
    assert {answer.status_code for answer in files.values()} == {200}
    return {address: answer.content for address, answer in files.items()}


def dates(message: bytes) -> str:
    return str(message_from_bytes(message)["Date"])


def row_of(newsletter: Newsletter, address: str) -> Delivery:
    with newsletter.reading() as session:
        return session.exec(select(Delivery).where(Delivery.address == address)).one()


def test_the_preview_of_a_planned_reader_is_what_is_received(ready: Newsletter, mailbox: Mailbox) -> None:
    plan(ready, SLUG)
    previews = {address: preview_for(ready, SLUG, address) for address in READERS}
    assert {preview.exact for preview in previews.values()} == {Exact.PLANNED}
    hand_over(ready, SLUG)
    assert {address: preview.message.data for address, preview in previews.items()} == mailbox.received


def test_the_log_builds_again_what_was_received(ready: Newsletter, mailbox: Mailbox) -> None:
    hand_over(ready, SLUG)
    clock(ready).move(days=3)
    for address in READERS:
        found = message_of(ready, row_of(ready, address).id or 0)
        assert found is not None
        assert found.message.data == mailbox.received[address]


def test_the_file_for_the_moment_that_the_start_page_names_is_what_is_received(
    ready: Newsletter, mailbox: Mailbox
) -> None:
    desk = at_desk(ready, Role.SENDER)
    clock(ready).move(minutes=5, seconds=6, milliseconds=789)
    form = fields(desk.get(f"{PAGE}/sending/start").text)
    files = fetch(desk, at=form["at"])
    clock(ready).move(minutes=9)
    assert desk.post(f"{PAGE}/sending/start", data=form, follow_redirects=False).headers["location"].endswith("started")
    clock(ready).move(minutes=1)
    hand_over(ready, SLUG)
    assert files == mailbox.received
    assert {dates(data) for data in files.values()} == {"Mon, 09 Mar 2026 08:05:06 +0800"}


@pytest.mark.parametrize("late_minutes", [0, 9])
def test_the_file_of_an_appointed_issue_is_what_is_received(
    ready: Newsletter, mailbox: Mailbox, late_minutes: int
) -> None:
    desk = at_desk(ready, Role.SENDER)
    desk.post(f"{PAGE}/sending/schedule", data={"at": "2026-03-09T18:30"})
    files = fetch(desk)
    assert "2026-03-09 18:30:00" in desk.get(f"{PAGE}/preview?reader={next(iter(READERS))}").text
    clock(ready).move(hours=10, minutes=30 + late_minutes)
    assert fetch(desk) == files  # its time has come, and nobody has begun yet
    keep_appointments(ready)
    hand_over(ready, SLUG)
    assert files == mailbox.received
    assert {dates(data) for data in files.values()} == {"Mon, 09 Mar 2026 18:30:00 +0800"}


def test_the_file_of_an_issue_that_the_slot_sends_is_what_is_received(ready: Newsletter, mailbox: Mailbox) -> None:
    ready.settings.slot = "mon-fri 08:30"
    previews = {address: preview_for(ready, SLUG, address) for address in READERS}
    assert {preview.exact for preview in previews.values()} == {Exact.APPOINTED}
    clock(ready).move(minutes=32)
    keep_appointments(ready)
    hand_over(ready, SLUG)
    assert {address: preview.message.data for address, preview in previews.items()} == mailbox.received


def test_a_send_that_begins_long_after_its_time_bears_the_moment_that_it_begins(
    ready: Newsletter, mailbox: Mailbox
) -> None:
    desk = at_desk(ready, Role.SENDER)
    desk.post(f"{PAGE}/sending/schedule", data={"at": "2026-03-09T18:30"})
    clock(ready).move(hours=10, minutes=41)
    files = fetch(desk)
    keep_appointments(ready)
    hand_over(ready, SLUG)
    assert files == mailbox.received
    assert {dates(data) for data in files.values()} == {"Mon, 09 Mar 2026 18:41:00 +0800"}


def test_while_it_is_being_planned_a_preview_is_that_of_the_mailing_that_was_begun(
    ready: Newsletter, mailbox: Mailbox
) -> None:
    begin(ready, SLUG)
    clock(ready).move(minutes=7)
    previews = {address: preview_for(ready, SLUG, address) for address in READERS}
    assert {preview.left_out for preview in previews.values()} == {""}
    hand_over(ready, SLUG)
    assert {address: preview.message.data for address, preview in previews.items()} == mailbox.received


def test_approving_a_draft_unchanged_changes_no_byte_of_its_preview(ready: Newsletter, mailbox: Mailbox) -> None:
    text = (ISSUE + MODELS).replace("哪些数据", "什么数据").encode()
    take_in(ready, read(ready, text), text)
    drafts = {address: preview_for(ready, SLUG, address) for address in READERS}
    assert {preview.exact for preview in drafts.values()} == {Exact.DRAFT}
    approve(ready, SLUG)
    hand_over(ready, SLUG)
    assert {address: preview.message.data for address, preview in drafts.items()} == mailbox.received


def test_of_an_issue_whose_approval_is_void_no_preview_is_said_to_be_exact(ready: Newsletter) -> None:
    assert preview_for(ready, SLUG, "policy@example.org").exact is Exact.THEN
    ready.settings.postal_address = "示例市另一条路 2 号"
    assert preview_for(ready, SLUG, "policy@example.org").exact is Exact.DRAFT


def test_an_appointment_dates_the_preview_of_a_later_approval_only_while_it_is_to_come(ready: Newsletter) -> None:
    appoint(ready, SLUG, clock(ready).now + timedelta(hours=2))
    assert preview_for(ready, SLUG, "policy@example.org").exact is Exact.APPOINTED
    for words, hours, exact in (("什么数据", 1, Exact.APPOINTED), ("怎样的数据", 1.01, Exact.THEN)):
        clock(ready).move(hours=hours)
        text = (ISSUE + MODELS).replace("哪些数据", words).encode()
        take_in(ready, read(ready, text), text)
        assert preview_for(ready, SLUG, "policy@example.org").exact is Exact.DRAFT
        approve(ready, SLUG)
        assert preview_for(ready, SLUG, "policy@example.org").exact is exact


def test_a_mailing_that_has_another_key_keeps_it(ready: Newsletter, mailbox: Mailbox) -> None:
    plan(ready, SLUG)
    with ready.session() as session:
        session.exec(select(Mailing)).one().key = "0123456789abcdef"
    previews = {address: preview_for(ready, SLUG, address).message.data for address in READERS}
    assert all(b"Message-ID: <0123456789abcdef." in data for data in previews.values())
    hand_over(ready, SLUG)
    assert previews == mailbox.received


def test_mailings_of_two_issues_or_with_two_secrets_share_no_key(ready: Newsletter) -> None:
    take_in_issue(ready, ISSUE.replace("2026-03-09", "2026-03-10"))
    with ready.reading() as session:
        keys = {mailing_key(session, number, secret) for number in (1, 2) for secret in (b"a" * 32, b"b" * 32)}
    assert len(keys) == 4
    assert all(re.fullmatch(r"[0-9a-f]{16}", key) for key in keys)


def test_nothing_can_be_built_for_who_was_left_out_or_is_unknown(ready: Newsletter) -> None:
    with ready.session() as session:
        ready.people(session).add("funding@example.org", Preferences(("funding",)))
    plan(ready, SLUG)
    assert message_of(ready, row_of(ready, "funding@example.org").id or 0) is None
    assert message_of(ready, 10**9) is None
