"""Keeping an eye on what comes back: domains that want to be left alone, mailings whose errors are too many."""

from collections import Counter, deque
from collections.abc import Sequence
from datetime import datetime

from newsletter.delivery.claims import Claimed
from newsletter.delivery.classify import Class, classify
from newsletter.delivery.outcome import Outcome, Verdict
from newsletter.delivery.pace import BackOff, DomainRule, domain_of, rule_of
from newsletter.delivery.pauses import Cause, Pause

ENOUGH_TO_JUDGE = 100
"""So many outcomes of a mailing are needed before their share of errors means anything."""
_WINDOW = 20
_IMPLAUSIBLE = 15
"""So many of the last twenty readers cannot all have vanished, nor all their lines be broken: the fault is elsewhere.

Going on would suppress a whole list, or make it unknown, within a minute.
"""


class Watch:
    """What one process has seen of the rows it handed over; `to_pause` are mailings to be paused, with what for.

    `error_share` is the share of readers not reached above which a mailing is paused; 0 is never. What cannot be
    true of so many readers pauses it in any case.
    """

    def __init__(self, rules: Sequence[DomainRule], error_share: float) -> None:
        self.to_pause: dict[int, str] = {}
        self._rules = rules
        self._error_share = error_share
        self._tallies: dict[int, Counter[bool]] = {}
        self._strange: dict[int, deque[bool]] = {}
        self._back_off = BackOff()
        self._load: Counter[str] = Counter()

    def room(self, most: int) -> dict[DomainRule, int]:
        """How many more messages the readers under each rule may get now, of `most`."""
        return {rule: rule.connections - self._load[rule.key] if rule.connections else most for rule in self._rules}

    def resting(self, now: datetime) -> dict[str, datetime]:
        """The domains that are left alone, and until when."""
        return self._back_off.resting(now)

    def taken(self, row: Claimed) -> None:
        """A row was claimed."""
        self._count(row, 1)

    def given_back(self, row: Claimed, outcome: Outcome | None, now: datetime) -> None:
        """A row came back, with what became of it."""
        self._count(row, -1)
        if outcome is not None and not outcome.blames_server:
            self._back_off.note(domain_of(row.address), outcome.verdict is Verdict.LATER, now)
            self._tally(row.part.mailing_id, outcome)
            self._doubt(row.part.mailing_id, outcome)

    def _count(self, row: Claimed, change: int) -> None:
        if self._rules and (rule := rule_of(domain_of(row.address), self._rules)):
            self._load[rule.key] += change

    def _tally(self, mailing_id: int, outcome: Outcome) -> None:
        if not self._error_share:
            return
        tally = self._tallies.setdefault(mailing_id, Counter())
        tally[outcome.verdict is Verdict.ACCEPTED] += 1
        wrong, seen = tally[False], tally.total()
        if seen >= ENOUGH_TO_JUDGE and wrong / seen > self._error_share:
            tally.clear()
            self.to_pause[mailing_id] = str(Pause(Cause.SHARE, wrong, seen))

    def _doubt(self, mailing_id: int, outcome: Outcome) -> None:
        """Pause a mailing when nearly nobody's address exists, nearly every line breaks, or no message can be made."""
        last = self._strange.setdefault(mailing_id, deque(maxlen=_WINDOW))
        last.append(_is_strange(outcome))
        if sum(last) >= _IMPLAUSIBLE:
            self.to_pause[mailing_id] = str(Pause(Cause.STRANGE, sum(last), len(last)))
            last.clear()


def _is_strange(outcome: Outcome) -> bool:
    if outcome.verdict in (Verdict.UNKNOWN, Verdict.FAULT):
        return True
    refused = outcome.verdict is Verdict.REFUSED and outcome.code
    return bool(refused) and classify(outcome.code, outcome.reply, outcome.stage) is Class.HARD
