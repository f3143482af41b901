"""Sending in a test: plan an issue and hand it over from this process, or work with the ledger alone."""

from collections.abc import Callable
from datetime import timedelta

from newsletter.app import Newsletter
from newsletter.delivery.claims import Claimed, Wanted
from newsletter.delivery.counts import Counts
from newsletter.delivery.ledger import Ledger
from newsletter.delivery.outcome import Outcome
from newsletter.delivery.sender import Worked
from newsletter.delivery.settling import Policy, Result
from newsletter.editorial.dispatch import Dispatch, whole
from newsletter.editorial.outbox import Outbox, open_outbox
from newsletter.storage.seat import Seat


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
        policy = Policy(timedelta(hours=1), lambda session, address, note: None, lambda: 0.0)
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
