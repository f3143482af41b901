"""Sending in a test: plan an issue and hand it over from this process, or work with the ledger alone."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from command import Command
from sqlmodel import Session

from newsletter.app import Newsletter
from newsletter.delivery.claims import Claimed, Wanted
from newsletter.delivery.counts import Counts
from newsletter.delivery.ledger import Ledger
from newsletter.delivery.outcome import Outcome
from newsletter.delivery.sender import Worked
from newsletter.delivery.settling import Policy, Result
from newsletter.editorial.approval import approve
from newsletter.editorial.dispatch import Dispatch, whole
from newsletter.editorial.intake import read, take_in
from newsletter.editorial.outbox import Outbox, open_outbox
from newsletter.storage.seat import Seat
from subscribers.preferences import Preferences

SLUG = "2026-03-09"
ISSUE = """# 示例日报 (2026-03-09)

**政策与监管**

- **示例市公布数据细则**
  说明：细则写明哪些数据可以授权。
  来源出处：[示例市数据局](https://data.example.org/rules)
"""


class Clock:
    """A clock that stands still unless it is moved, at eight in the morning of the issue's day in Shanghai."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        """Move it by what a timedelta is made of, forward or (negative) back."""
        self.now += timedelta(**by)


def take_in_issue(newsletter: Newsletter, text: str = ISSUE) -> None:
    """Keep an issue and approve it."""
    data = text.encode()
    saved, _ = take_in(newsletter, read(newsletter, data), data)
    approve(newsletter, saved.slug)


def add_readers(newsletter: Newsletter, many: int, address: str = "reader{}@example.org") -> None:
    """Add so many readers of its topic."""
    with newsletter.session() as session:
        people = newsletter.people(session)
        for number in range(many):
            people.add(address.format(number), Preferences(topics=("policy",)))


def begin_by_command(command: Command, folder: Path, readers: int, text: str = ISSUE) -> None:
    """Make a newsletter in a folder, with an approved issue and so many readers of it, by the commands alone."""
    (folder / "issue.md").write_text(text, "utf-8")
    lines = "".join(f"reader{number}@example.org,policy\n" for number in range(readers))
    (folder / "readers.csv").write_text("address,topics\n" + lines, "utf-8")
    words = (("init",), ("issue", "import", "issue.md"), ("subscriber", "import", "readers.csv"))
    for one in (*words, ("issue", "approve", SLUG)):
        assert command(*one).code == 0


def plan(newsletter: Newsletter, slug: str) -> Dispatch:
    """Write the rows of an approved issue."""
    dispatch = Dispatch.of(newsletter, slug)
    list(dispatch.plan())
    return dispatch


def hand_over(
    newsletter: Newsletter,
    slug: str,
    on_outcome: Callable[[Outcome, Outbox], None] = lambda outcome, outbox: None,
) -> tuple[Worked, Counts]:
    """Plan and send; `on_outcome` may stop the outbox."""
    dispatch = plan(newsletter, slug)
    with open_outbox(newsletter) as outbox:
        worked = dispatch.send(outbox, lambda outcome: on_outcome(outcome, outbox))
    return worked, dispatch.counts()


class Hand:
    """A sender's hand in the ledger, without a sender: takes rows, says what became of them."""

    def __init__(self, newsletter: Newsletter, mailing_id: int = 1) -> None:
        self._newsletter = newsletter
        self._mailing_id = mailing_id
        self.seat = Seat(newsletter.engine)

        def suppress(session: Session, address: str, note: str) -> None:
            newsletter.suppression(session).add(address, "bounce", note)

        policy = Policy(timedelta(hours=1), suppress, lambda: 0.0)
        self.ledger = Ledger(self.seat, policy, canary_error_share=0.1)

    def take(self, many: int) -> list[Claimed]:
        """Claim so many rows."""
        part = whole(self._newsletter, self._mailing_id)
        wanted = Wanted([part], {"server": many}, {}, {})
        return list(self.ledger.turn([], wanted, self._newsletter.clock()).rows.get("server", ()))

    def settle(self, row: Claimed, outcome: Outcome | None) -> None:
        """Write down what became of a row."""
        now = self._newsletter.clock()
        self.ledger.turn([Result(row, now, outcome, "server")], Wanted((), {}, {}, {}), now)


def settle(newsletter: Newsletter, *outcomes: Outcome) -> None:
    """Take as many rows as there are outcomes, and write these down."""
    hand = Hand(newsletter)
    for row, outcome in zip(hand.take(len(outcomes)), outcomes, strict=True):
        hand.settle(row, outcome)
    hand.seat.leave()
