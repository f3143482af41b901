"""The post: hands over the letters that are due, each once, whoever else is at it.

A claim is committed before the letter goes anywhere, its outcome right after the server's reply. What a server may or
may not have taken, because the line broke or this process died, goes out again, the same bytes with the same
Message-ID: a letter that comes twice is a lesser evil than one that never comes.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from newsletter.app import Newsletter
from newsletter.delivery.classify import Class, classify
from newsletter.delivery.connection import Connection
from newsletter.delivery.outcome import Outcome, Stage, Verdict
from newsletter.delivery.retry import next_attempt
from newsletter.delivery.route import Route
from newsletter.delivery.transport import ServerRefused
from newsletter.delivery.writer import signed
from newsletter.editorial.outbox import routes
from newsletter.readers.letter_text import facts_of, is_to_its_reader, look_up, why_not
from newsletter.readers.letters import in_hand, is_due, next_due, put_back, settle, take
from newsletter.readers.models import Letter, LetterKind, LetterState
from newsletter.readers.purge import purge
from newsletter.render.letter import Stationery, letter
from newsletter.render.letter_words import Facts
from newsletter.render.recipient import Message
from newsletter.render.theme import FAULTS, ThemeError, load_theme

DATA_HOURS = 1
"""So long the link of a data letter opens: later it would be of no use."""
IN_HAND = timedelta(minutes=15)
"""After so long in hand a letter's process is taken for dead."""
_BEFORE_DOT = timedelta(minutes=5)
"""At least so long a letter may be on its way to the final dot, after which the server has its own time to answer."""
_MARGIN_SECONDS = 60
_LOOK_SECONDS = 0.2
_GRACE_SECONDS = 5
"""How long a server may still answer once this process is told to stop: less than the engine waits for its jobs."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Taken:
    """A letter in hand, as a value."""

    id: int
    attempt: int
    key: str
    created_at: datetime
    language: str
    facts: Facts


class Post:
    """Sends letters; any number of these may be at work, in any number of processes."""

    def __init__(self, newsletter: Newsletter) -> None:
        self._newsletter = newsletter
        self._stationery: Stationery | None = None
        self._final_dot = timedelta(seconds=newsletter.settings.final_dot_timeout_seconds)
        self._in_hand_for = max(IN_HAND, self._final_dot + _BEFORE_DOT)

    def is_due(self) -> bool:
        """Whether there is a letter to hand over."""
        with self._newsletter.reading() as session:
            return is_due(session, self._newsletter.clock())

    def deliver(self, is_stopping: Callable[[], bool] = lambda: False) -> None:
        """Hand over what is due, one letter after the other over one connection; returns when nothing is.

        `is_stopping` is asked between letters, and all the time while a server does not answer.
        """
        asyncio.run(self._deliver(is_stopping))

    def purge(self) -> None:
        """Delete letters and sign-ups that were kept long enough."""
        purge(self._newsletter)

    async def _deliver(self, is_stopping: Callable[[], bool]) -> None:
        way = _Way(routes(self._newsletter))
        work = asyncio.create_task(self._hand_over_all(way, is_stopping))
        clock = asyncio.get_running_loop().time
        stop_at = None
        while not (await asyncio.wait({work}, timeout=_LOOK_SECONDS))[0]:
            if is_stopping():
                stop_at = stop_at or clock() + _GRACE_SECONDS
                if clock() >= stop_at:
                    work.cancel()
        if not work.cancelled():
            work.result()

    async def _hand_over_all(self, way: "_Way", is_stopping: Callable[[], bool]) -> None:
        try:
            while not is_stopping():
                await way.open()
                taken = self._take()
                if taken is None:
                    return
                await self._hand_over(way, taken)
        finally:
            await way.close()

    async def _hand_over(self, way: "_Way", taken: _Taken) -> None:
        try:
            message = self._message(taken)
        except FAULTS as fault:
            _log.exception("letter %d (%s) cannot be made", taken.id, taken.facts.kind)
            self._settle(taken, Outcome(Verdict.FAULT, Stage.WRITE, 0, type(fault).__name__))
            return
        seconds = (self._in_hand_for - self._final_dot).total_seconds() - _MARGIN_SECONDS
        try:
            outcome = await way.hand_over(message, asyncio.get_running_loop().time() + seconds)
        except asyncio.CancelledError:  # the server has not got it all
            self._settle(taken, None)
            raise
        self._settle(taken, outcome)

    def _take(self) -> _Taken | None:
        """Claim the next letter; those that are not to be sent any more are put aside."""
        newsletter = self._newsletter
        while True:
            now = newsletter.clock()
            with newsletter.session() as session:
                row = next_due(session, now)
                if row is None:
                    return None
                if reason := why_not(session, row):
                    settle(row, LetterState.FAILED, now, f"not sent: {reason}")
                    continue
                look_up(newsletter, session, row)
                take(row, now, now + self._in_hand_for)
                return _taken(row, facts_of(newsletter, row))

    def _message(self, taken: _Taken) -> Message:
        publication = self._newsletter.settings.publication
        if self._stationery is None:
            self._stationery = self._new_stationery()
        date = taken.created_at.astimezone(self._newsletter.settings.time_zone)
        written = self._stationery.write(publication, taken.facts, taken.language)
        return signed(letter(publication, written, taken.facts, date, taken.key), self._newsletter.signer, date)

    def _new_stationery(self) -> Stationery:
        settings = self._newsletter.settings
        try:
            return Stationery(load_theme(settings.theme, settings.themes))
        except ThemeError as error:  # whoever signs up shall not wait until it is mended
            _log.warning("letters are set in the colours that ship, because the theme cannot be used: %s", error)
            return Stationery(load_theme())

    def _settle(self, taken: _Taken, outcome: Outcome | None) -> None:
        """Write down what became of a letter, if it is still ours; without an outcome it goes back as it was."""
        newsletter = self._newsletter
        now = newsletter.clock()
        with newsletter.session() as session:
            row = in_hand(session, taken.id, taken.attempt)
            if row is None:
                return
            if outcome is None:
                put_back(row, now)
                return
            reply = f"{outcome.code} {outcome.reply}" if outcome.code else outcome.reply
            again = next_attempt(now, row.attempts, random.random(), self._give_up_at(row))  # noqa: S311 (no secret)
            if outcome.verdict is Verdict.ACCEPTED:
                settle(row, LetterState.ACCEPTED, now, reply)
            elif outcome.verdict in (Verdict.LATER, Verdict.UNKNOWN) and again and row.address:
                put_back(row, again)
                row.reply = reply
            else:
                settle(row, LetterState.FAILED, now, reply)
            if _names_nobody(outcome) and row.address:
                self._list(session, row, reply)

    def _list(self, session: Session, row: Letter, reply: str) -> None:
        """Write to an address no more; of one that is no reader's nothing is kept that says whose it is."""
        suppression = self._newsletter.suppression(session)
        if is_to_its_reader(session, row):
            suppression.add(row.address, "bounce", reply)
        else:
            suppression.add_hash(row.address_hash, "bounce")

    def _give_up_at(self, row: Letter) -> datetime:
        hours = DATA_HOURS if row.kind == LetterKind.DATA else self._newsletter.settings.give_up_hours
        return row.created_at + timedelta(hours=hours)


class _Way:
    """A connection to the first server that can be reached, kept open from letter to letter."""

    def __init__(self, ways: Sequence[Route]) -> None:
        self._ways = ways
        self._connection: Connection | None = None
        self._most: int | None = None
        self._trouble = ""

    async def hand_over(self, message: Message, latest: float) -> Outcome:
        """Hand a letter over, or say why there is no server to hand it to; `latest` is for the final dot."""
        if self._connection is None:
            return Outcome(Verdict.LATER, Stage.MAIL, 0, self._trouble)
        return await self._connection.hand_over(message, latest)

    async def close(self) -> None:
        """Say goodbye to the server."""
        if self._connection is not None:
            await self._connection.quit()

    async def open(self) -> None:
        """See that there is an open connection; when no server could be reached, that is not tried again."""
        there = self._connection
        if there is not None and there.is_open and (self._most is None or there.handed_over < self._most):
            return
        await self.close()
        self._connection = None
        for way in self._ways if not self._trouble else ():
            try:
                self._connection, self._most = await way.connect(), way.messages_per_connection
            except ServerRefused as refusal:
                self._trouble = str(refusal)
            else:
                self._trouble = ""
                return


def _taken(row: Letter, facts: Facts) -> _Taken:
    created_at = row.created_at.replace(microsecond=0)
    return _Taken(row.id or 0, row.attempts, f"letter.{row.public_id}", created_at, row.language, facts)


def _names_nobody(outcome: Outcome) -> bool:
    """Whether a refusal says that there is no such reader."""
    refused = outcome.verdict in (Verdict.REFUSED, Verdict.LATER) and outcome.code
    return bool(refused) and classify(outcome.code, outcome.reply, outcome.stage) is Class.HARD
