"""The ledger: claim rows before their messages are used, and write outcomes down, in one commit.

A claim is committed before its message goes anywhere, an outcome only where the claim is still ours; so whatever dies
and whenever, every row says truly what is known about it. A row in hand that nobody holds any more is `unknown`.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlmodel import col

from newsletter.delivery.claims import Range, Taken, Wanted, claim, is_any_due, is_of_domain, within
from newsletter.delivery.control import WAITING, in_hand, pause
from newsletter.delivery.models import Delivery
from newsletter.delivery.outcome import State
from newsletter.delivery.settling import Policy, Result, declare_unknown, rejoin, round_up, settle
from newsletter.storage.seat import Seat, count_seats, is_gone
from newsletter.storage.witness import Witness


class Ledger:
    """One sender's view of the rows, through its seat; each method is one transaction.

    `witness` is moved on while there is something to write down.
    """

    def __init__(self, seat: Seat, policy: Policy, canary_error_share: float, witness: Witness | None = None) -> None:
        self._seat = seat
        self._policy = policy
        self._canary_error_share = canary_error_share
        self._witness = witness

    def turn(self, results: Sequence[Result], wanted: Wanted, now: datetime) -> Taken:
        """Write down what became of rows in hand and claim more that are due, in one commit.

        Raises `WitnessTrouble` when that was done, and the witness could not be told before.
        """
        mark = None
        with self._seat.transaction() as connection:
            settle(connection, self._seat.id, results, self._policy)
            taken = claim(connection, self._seat.id, wanted, self._canary_error_share, now)
            if self._witness and (results or any(taken.rows.values())):
                mark = self._witness.tick(connection)
        if self._witness:
            self._witness.attest_soon(mark)
        return taken

    def is_due(self, part: Range, now: datetime) -> bool:
        """Whether something of a part could be claimed now but for the limits."""
        with self._seat.session() as session:
            return is_any_due(session.connection(), part, now)

    def put_off(self, part: Range, domains: Mapping[str, datetime], now: datetime) -> None:
        """Let the rows of a part that are due wait until their domain has rested."""
        for domain, until in domains.items():
            with self._seat.session() as session:
                session.execute(
                    update(Delivery)
                    .where(
                        *within(part),
                        col(Delivery.state).in_(WAITING),
                        col(Delivery.next_at) <= now,
                        is_of_domain(domain),
                    )
                    .values(next_at=round_up(until))
                )

    def release(self, now: datetime, held: Collection[int]) -> int:
        """Rows in hand of dead senders become `unknown`; how many.

        Rows in our own name that we do not hold (`held` are ids) were claimed by a commit whose answer was lost:
        nothing was done with them, so they go back.
        """
        with self._seat.session() as session:
            back = session.execute(
                update(Delivery)
                .where(in_hand(), col(Delivery.claim) == self._seat.id, col(Delivery.id).not_in(held))
                .values(state=State.QUEUED, claim=None, attempts=col(Delivery.attempts) - 1)
                .returning(col(Delivery.id))
            ).scalars()
            if ids := list(back):
                rejoin(session, ids, now)
            others = select(col(Delivery.claim)).where(in_hand(), col(Delivery.claim) != self._seat.id).distinct()
            dead = [seat for seat in session.execute(others).scalars() if seat and is_gone(session, seat)]
            return sum(declare_unknown(session, seat, now) for seat in dead)

    def count_workers(self) -> int:
        """How many senders of this database there are, this one included."""
        with self._seat.session() as session:
            return count_seats(session)

    def pause(self, mailing_id: int, why: str) -> None:
        """Stop claiming rows of a mailing."""
        with self._seat.session() as session:
            pause(session, mailing_id, why)
