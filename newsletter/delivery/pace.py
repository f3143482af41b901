"""How fast a server may be used, and how fast the readers of one provider: token buckets and back-off, as values."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

_WINDOW = 10
_TOO_MANY = 5
"""So many "later"s among the last ten replies of a domain are a burst: the provider wants us to slow down."""
_FIRST_PAUSE = timedelta(minutes=2)
_LONGEST_PAUSE = timedelta(minutes=30)
"""NetEase asks for about two minutes; half an hour is what RFC 5321 §4.5.4.1 has in mind."""

_SKEW_SECONDS = 10
"""So far the clocks of two workers may be apart."""


@dataclass(frozen=True, slots=True)
class Level:
    """What a token bucket holds, and when that was."""

    tokens: float
    filled_at: datetime

    def filled(self, per_second: float, now: datetime) -> "Level":
        """The bucket now: it holds at most what runs in within a second, and at least one token.

        A clock that was set back adds nothing, and the time until then is forgotten; unless that is so little that it
        is another worker's clock, by which the bucket was filled already.
        """
        seconds = (now - self.filled_at).total_seconds()
        if -_SKEW_SECONDS <= seconds < 0:
            return self
        return Level(min(self.tokens + max(seconds, 0) * per_second, max(per_second, 1)), now)

    def drawn(self, tokens: int) -> "Level":
        """The bucket after so many were taken."""
        return Level(self.tokens - tokens, self.filled_at)


@dataclass(frozen=True, slots=True)
class DomainRule:
    """A limit on the readers of one provider, known by the domains of their addresses; None is no limit.

    `connections` bounds how many messages of theirs are in hand at once in this process, `messages_per_connection`
    after how many the line is made anew.
    """

    names: tuple[str, ...]
    messages_per_second: float | None = None
    connections: int | None = None
    messages_per_connection: int | None = None

    @property
    def key(self) -> str:
        """What its bucket is called."""
        return f"domain {self.names[0]}"


@dataclass(slots=True)
class _Temper:
    replies: deque[bool] = field(default_factory=lambda: deque(maxlen=_WINDOW))
    pause: timedelta = _FIRST_PAUSE
    until: datetime | None = None


class BackOff:
    """Which domains are left alone for a while because they ask for it; one process's own observation."""

    def __init__(self) -> None:
        self._tempers: dict[str, _Temper] = {}

    def note(self, domain: str, later: bool, now: datetime) -> None:
        """Take in one reply: whether it said "later". After a burst of those the domain rests, each time longer."""
        if not later and domain not in self._tempers:
            return  # nearly every domain, nearly always
        temper = self._tempers.setdefault(domain, _Temper())
        if not later and temper.until is None and not any(temper.replies):
            del self._tempers[domain]
            return
        temper.replies.append(later)
        if sum(temper.replies) >= _TOO_MANY:
            temper.until = now + temper.pause
            temper.pause = min(temper.pause * 2, _LONGEST_PAUSE)
            temper.replies.clear()

    def resting(self, now: datetime) -> dict[str, datetime]:
        """The domains that rest now, and until when."""
        return {name: temper.until for name, temper in self._tempers.items() if temper.until and temper.until > now}


def rule_of(domain: str, rules: Iterable[DomainRule]) -> DomainRule | None:
    """The first rule that names a domain."""
    return next((rule for rule in rules if domain in rule.names), None)


def domain_of(address: str) -> str:
    """The domain of an address, in lower case."""
    return address.rpartition("@")[2].lower()
