"""What a preview and the log show is, byte for byte, what a real mail server received."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from mail_servers import aiosmtpd_server
from pydantic import SecretStr
from sending import ISSUE, SLUG, Clock, hand_over, plan, take_in_issue
from sqlmodel import select

from newsletter.app import Newsletter
from newsletter.delivery.models import Delivery
from newsletter.editorial.preview import message_of, preview_for
from newsletter.render.dkim import Signer
from subscribers.preferences import MailFormat, Preferences

pytestmark = pytest.mark.both_databases
MODELS = """
**模型与技术进展**

- **群岛实验室公开潮汐预报模型**
  说明：实验室公布了训练所用的观测数据。
"""
READERS = {
    "policy@example.org": Preferences(("policy",)),
    "both@example.org": Preferences(("models", "policy"), language="en"),
    "text@example.org": Preferences(("models",), format=MailFormat.TEXT),
    "follows@example.org": Preferences(("policy",), follow=("潮汐",)),
}


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
            newsletter.people(session).add(address, choices, name="读者" * number)
    return newsletter


@pytest.fixture
def mailbox(newsletter: Newsletter) -> Iterator[Mailbox]:
    mailbox = Mailbox()
    with aiosmtpd_server(mailbox) as server:
        newsletter.settings.smtp_url = SecretStr(f"smtp://127.0.0.1:{server.port}?starttls=never")
        yield mailbox


def row_of(newsletter: Newsletter, address: str) -> Delivery:
    with newsletter.reading() as session:
        return session.exec(select(Delivery).where(Delivery.address == address)).one()


def test_the_preview_of_a_planned_reader_is_what_is_received(ready: Newsletter, mailbox: Mailbox) -> None:
    plan(ready, SLUG)
    previews = {address: preview_for(ready, SLUG, address) for address in READERS}
    assert all(preview.planned for preview in previews.values())
    hand_over(ready, SLUG)
    assert {address: preview.message.data for address, preview in previews.items()} == mailbox.received


def test_the_log_builds_again_what_was_received(ready: Newsletter, mailbox: Mailbox) -> None:
    hand_over(ready, SLUG)
    assert isinstance(ready.clock, Clock)
    ready.clock.move(days=3)
    for address in READERS:
        found = message_of(ready, row_of(ready, address).id or 0)
        assert found is not None
        assert found.message.data == mailbox.received[address]


def test_before_planning_a_preview_lacks_the_key_the_date_and_the_view_link_alone(
    ready: Newsletter, mailbox: Mailbox
) -> None:
    previews = {address: preview_for(ready, SLUG, address) for address in READERS}
    assert not any(preview.planned for preview in previews.values())
    assert isinstance(ready.clock, Clock)
    ready.clock.move(hours=2)
    hand_over(ready, SLUG)
    for address, preview in previews.items():
        sent = message_of(ready, row_of(ready, address).id or 0)
        assert sent is not None
        planned = {name: getattr(sent.recipient, name) for name in ("key", "date", "view_token")}
        assert planned["date"] - preview.recipient.date == timedelta(hours=2)
        given = replace(preview, recipient=replace(preview.recipient, **planned))
        assert given.message.data == mailbox.received[address]
        assert preview.message.data != mailbox.received[address]


def test_nothing_can_be_built_for_who_was_left_out_or_is_unknown(ready: Newsletter) -> None:
    with ready.session() as session:
        ready.people(session).add("funding@example.org", Preferences(("funding",)))
    plan(ready, SLUG)
    assert message_of(ready, row_of(ready, "funding@example.org").id or 0) is None
    assert message_of(ready, 10**9) is None
