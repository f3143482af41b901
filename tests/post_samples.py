"""What the tests of letters share: a mailbox that answers as a test says, readers, and letters to send."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from queue import Queue
from typing import Any

from mail_servers import aiosmtpd_server
from pydantic import SecretStr
from sending import Clock

from newsletter.app import Newsletter
from newsletter.editorial.intake import read, take_in
from newsletter.readers.letters import write
from newsletter.readers.models import Letter, LetterKind
from newsletter.storage.models import IssueRow
from subscribers.addresses import parse_address
from subscribers.models import SignUp, Subscriber
from subscribers.preference_columns import columns_of
from subscribers.preferences import Preferences

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


@contextmanager
def sending_to(newsletter: Newsletter, mailbox: Mailbox) -> Iterator[Newsletter]:
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
