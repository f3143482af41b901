"""How far a mailing is, cheap enough to be asked every second: counts, rate, what is left, what went wrong and where.

| what | asked at most | by |
|---|---|---|
| state and counts | every second | one pass over the index of mailing and state, 0.1 to 0.4 s for a million rows |
| reasons, domains | every 10 s, up to a minute where it takes long | a pass over the rows, seconds for a million |
| who waits for an hour | with these, and when the next one has come | a look into the index at those rows alone |
| rate | never | the difference of counts that this process saw within the last minute |

While all that are left wait for an hour to come, the state and the counts are asked for every 10 s only.

However many look on, one of them asks and the others are told the same. The domains are exact and some seconds old: a
sample would be cheaper, and wrong about the small domains, which are those that have trouble.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlmodel import select

from newsletter.app import Newsletter
from newsletter.delivery.control import MailingState
from newsletter.delivery.counts import NOTHING, Counts
from newsletter.delivery.outcome import State
from newsletter.delivery.plan import find_mailing
from newsletter.editorial.dispatch import standing
from newsletter.editorial.outcomes import Details, details_of
from newsletter.storage.models import RevisionRow
from newsletter.storage.seat import is_anybody_there

LOOK_SECONDS = 1.0
_QUIET_SECONDS = 10.0
"""Until somebody's hour comes nothing happens, unless a person does something: nobody has to look so often."""
_SLOW_SECONDS, _SLOWEST_SECONDS = 10.0, 60.0
_SLOW_SHARE = 20
"""The details are asked for after 20 times as long as they took, so that they are a twentieth of the work at most."""
_NO_DETAILS = Details()
_RATE_SECONDS = 60.0
_RATE_SURE_SECONDS = 3.0
"""A shorter time says nothing about a rate."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How an issue's mailing stands.

    `state` is draft, approved, sending, paused, cancelled or sent, `why` what it was paused for. `planned` says that
    every candidate has a row, `revision` which one is sent, `first_only` that only the first few go until they were
    looked at. `rate` is in messages a second over the last minute, `seconds_left` what is due now takes at that
    rate; both are None while nobody can tell.
    """

    slug: str
    state: str
    why: str = ""
    counts: Counts = NOTHING
    planned: bool = True
    first_only: bool = False
    revision: int = 0
    begun_at: datetime | None = None
    rate: float | None = None
    seconds_left: float | None = None
    details: Details = _NO_DETAILS

    @property
    def is_begun(self) -> bool:
        """Whether there is a mailing."""
        return self.begun_at is not None

    @property
    def is_over(self) -> bool:
        """Whether nothing will happen by itself any more."""
        return self.state in ("sent", "cancelled") and not self.counts.queued + self.counts.deferred

    @property
    def due_now(self) -> int:
        """How many of the queued ones do not wait for an hour to come."""
        return max(self.counts.queued - self.details.ahead.readers, 0)

    @property
    def settled(self) -> int:
        """How many readers nothing is left to do for, but for those who never were to get it."""
        return self.counts.accepted + self.counts.failed + self.counts.unknown


def progress(newsletter: Newsletter, slug: str) -> Progress:
    """How a mailing stands now, without a rate; raises `IssueRefused` for an unknown slug."""
    return replace(_look(newsletter, slug), details=_details(newsletter, slug))


@dataclass
class _Seen:
    """What was seen of one mailing, and when by the clock of the process."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    latest: Progress | None = None
    at: float = 0
    details: Details = _NO_DETAILS
    details_of: str = ""
    details_until: float = 0
    settled: deque[tuple[float, int]] = field(default_factory=deque)


class Watch:
    """Looks at mailings for everybody of one process; safe from several threads. `clock` gives seconds."""

    def __init__(self, newsletter: Newsletter, clock: Callable[[], float] = time.monotonic) -> None:
        self._newsletter = newsletter
        self._clock = clock
        self._seen: dict[str, _Seen] = {}
        self._lock = threading.Lock()

    def look(self, slug: str, *, fresh: bool = False) -> Progress:
        """How a mailing stands, as it was seen at most a second ago, or now when it is to be `fresh`.

        Raises `IssueRefused` for an unknown slug.
        """
        with self._lock:
            seen = self._seen.setdefault(slug, _Seen())
        latest = seen.latest
        if not seen.lock.acquire(blocking=fresh or latest is None) and latest:
            return latest  # somebody is asking: nobody else's thread waits for that, which may take seconds
        try:
            now = self._clock()
            if fresh:
                seen.details_until = 0
            if fresh or seen.latest is None or now - seen.at >= self._seconds(seen.latest):
                seen.latest, seen.at = self._see(seen, slug, now), now
            return seen.latest
        finally:
            seen.lock.release()
            if seen.latest is None:  # a slug that there is not is not kept
                with self._lock:
                    self._seen.pop(slug, None)

    def _seconds(self, latest: Progress) -> float:
        """How long what was seen last may be told."""
        next_at, waiting = latest.details.next_at, latest.counts.queued + latest.counts.deferred
        is_quiet = latest.state == "sending" and latest.planned and latest.details.ahead.readers == waiting
        return _QUIET_SECONDS if is_quiet and next_at and next_at > self._newsletter.clock() else LOOK_SECONDS

    def _see(self, seen: _Seen, slug: str, now: float) -> Progress:
        found = _look(self._newsletter, slug)
        if not found.is_begun:
            return replace(found, details=_details(self._newsletter, slug))
        hour = seen.details.ahead.next_at
        has_come = hour is not None and hour <= self._newsletter.clock()
        stage = f"{found.state} {found.planned}"
        if now >= seen.details_until or stage != seen.details_of or has_come or _differ(found, seen.details):
            seen.details, seen.details_of = _details(self._newsletter, slug), stage
            took = self._clock() - now
            seen.details_until = now + min(max(_SLOW_SECONDS, _SLOW_SHARE * took), _SLOWEST_SECONDS)
        return _timed(seen, replace(found, details=seen.details), now)


def _differ(found: Progress, details: Details) -> bool:
    """Whether a message became unknown, or is no longer: somebody has to decide, so it is not told late."""
    return found.counts.unknown != sum(number for state, _, number in details.reasons if state == State.UNKNOWN)


def _timed(seen: _Seen, found: Progress, now: float) -> Progress:
    """The same with its rate and what is left at that rate, from what was seen within the last minute."""
    if found.state != "sending" or (seen.settled and found.settled < seen.settled[-1][1]):
        seen.settled.clear()  # it stands still, or something is sent again
    seen.settled.append((now, found.settled))
    while now - seen.settled[0][0] > _RATE_SECONDS:
        seen.settled.popleft()
    began, before = seen.settled[0]
    if now - began < _RATE_SURE_SECONDS:
        return found
    rate = (found.settled - before) / (now - began)
    may_tell = rate > 0 and found.planned and not found.first_only and found.due_now > 0
    return replace(found, rate=rate, seconds_left=found.due_now / rate if may_tell else None)


def _look(newsletter: Newsletter, slug: str) -> Progress:
    with newsletter.reading() as session:
        saved = newsletter.issues(session).find(slug)
        mailing = find_mailing(session, saved.issue_id)
        which = select(RevisionRow.number).where(RevisionRow.id == (mailing and mailing.revision_id))
        revision = session.exec(which).first()
    stands = standing(newsletter, saved)
    if mailing is None:
        return Progress(slug, stands.state)
    return Progress(
        slug,
        stands.state,
        stands.why,
        stands.counts,
        planned=mailing.planned_through >= mailing.audience_through,
        first_only=mailing.canary_through is not None and mailing.state == MailingState.RUNNING,
        revision=revision or 0,
        begun_at=mailing.created_at,
    )


def _details(newsletter: Newsletter, slug: str) -> Details:
    with newsletter.reading() as session:
        there = is_anybody_there(session, newsletter.database_file)
        mailing = find_mailing(session, newsletter.issues(session).find(slug).issue_id)
        if mailing is None or mailing.id is None:
            return Details(is_anybody_there=there)
        return details_of(session, mailing, mailing.id, newsletter.clock(), is_anybody_there=there)
