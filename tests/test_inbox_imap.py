"""A mail goes from our sender through Postfix into Dovecot, and IMAP gives out what was written."""

import email
import email.policy
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path

import pytest
from imap_server import dovecot
from postfix_server import postfix
from pydantic import SecretStr
from sending import hand_over

from newsletter.app import Newsletter
from newsletter.editorial.approval import approve
from newsletter.editorial.intake import read, take_in
from newsletter.editorial.preview import Exact, Preview, preview_for
from subscribers.preferences import MailFormat, Preferences

ISSUE = Path(__file__).parents[1] / "examples" / "issues" / "2026-03-12-daily.md"
SLUG = "2026-03-12"
TOPICS = ("models", "policy", "products")
READERS = {
    "chen@example.com": Preferences(topics=TOPICS),
    "smith@example.com": Preferences(topics=TOPICS, language="en"),
    "plain@example.com": Preferences(topics=("policy",), format=MailFormat.TEXT),
}


@contextmanager
def through_the_mail(newsletter: Newsletter) -> Iterator[dict[str, tuple[Preview, bytes]]]:
    """What was meant for each reader, and what lies in their mailbox after the issue has been sent."""
    with dovecot() as mailboxes, postfix(mailboxes.lmtp_port, protocol="lmtp") as relay:
        newsletter.settings.smtp_url = SecretStr(f"smtp://127.0.0.1:{relay.port}?starttls=never")
        _, counts = hand_over(newsletter, SLUG)
        relay.wait_until_empty(20)
        assert counts.accepted == len(READERS)
        received = {}
        for address in READERS:
            (message,) = mailboxes.inbox(address)
            received[address] = preview_for(newsletter, SLUG, address), message
        yield received


@pytest.fixture
def received(newsletter: Newsletter) -> Iterator[dict[str, tuple[Preview, bytes]]]:
    newsletter.settings.reply_to = "编辑部 <desk@example.org>"
    data = ISSUE.read_bytes()
    take_in(newsletter, read(newsletter, data), data)
    approve(newsletter, SLUG)
    with newsletter.session() as session:
        for address, preferences in READERS.items():
            newsletter.people(session).add(address, preferences)
    with through_the_mail(newsletter) as mails:
        yield mails


def parts(message: EmailMessage) -> dict[str, str]:
    """The decoded parts by their type."""
    leaves = [part for part in message.walk() if not part.is_multipart()]
    return {part.get_content_type(): part.get_content().replace("\r\n", "\n") for part in leaves}


def test_a_mail_through_postfix_dovecot_and_imap_keeps_its_content(
    received: dict[str, tuple[Preview, bytes]],
) -> None:
    for address, (meant, data) in received.items():
        message = email.message_from_bytes(data, policy=email.policy.default)
        assert meant.exact is Exact.PLANNED
        assert message["Subject"] == meant.subject
        assert (message["From"], message["Reply-To"]) == (
            "AI 行业动态 <daily@example.org>",
            "编辑部 <desk@example.org>",
        )
        assert message["To"].addresses[0].addr_spec == address
        link = f"https://news.example.org/unsubscribe/{meant.recipient.unsubscribe_token}"
        mail = f"mailto:leave@example.org?subject=unsubscribe%20{meant.recipient.unsubscribe_token}"
        assert message["List-Unsubscribe"].replace("\r\n", "") == f"<{link}>, <{mail}>"
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert message["List-Owner"] == "<mailto:desk@example.org>"
        as_text = meant.recipient.format == "text"
        assert parts(message) == {"text/plain": meant.text} | ({} if as_text else {"text/html": meant.html})


def test_mail_servers_add_lines_before_our_message_and_change_no_byte_of_it(
    received: dict[str, tuple[Preview, bytes]],
) -> None:
    for meant, data in received.values():
        assert data.endswith(meant.message.data)
        added = data.removesuffix(meant.message.data)
        names = {
            line.partition(b":")[0] for line in added.split(b"\r\n") if line and not line.startswith((b" ", b"\t"))
        }
        assert names <= {b"Return-Path", b"Delivered-To", b"Received"}
