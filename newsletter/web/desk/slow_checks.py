"""The checks that ask somebody else or take long: made when asked for, one at a time, and remembered for a while."""

import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from threading import Lock

from fastapi import Request

from newsletter.review.report import SLOW, Review
from newsletter.review.verdicts import Check
from newsletter.storage.issues import Saved

PAUSE_SECONDS = 10.0
"""Between the slow checks of one issue and the next: time enough to mend a link."""

_MOST_KEPT = 50


class SlowChecks:
    """The slow checks of the revisions that were looked at last, for as long as this process runs.

    They are made for one at a time, and not at once again: they ask other people's servers, and everybody of the staff
    may press the button. `clock` gives seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._kept = OrderedDict[tuple[int, datetime | None], tuple[Check, ...]]()
        self._lock = Lock()
        self._turn = Lock()
        self._clock = clock
        self._rested_at = clock()

    def make(self, made_by: Callable[[], Review]) -> bool:
        """Make a review with them and remember them, unless others are being made, or were a moment ago."""
        if not self._turn.acquire(blocking=False):
            return False
        try:
            if self._clock() < self._rested_at:
                return False
            self.keep(made_by())
            self._rested_at = self._clock() + PAUSE_SECONDS
            return True
        finally:
            self._turn.release()

    def of(self, saved: Saved) -> tuple[Check, ...]:
        """What was found of a revision as it is now; nothing when it was not asked for, or saved again since."""
        with self._lock:
            return self._kept.get((saved.revision_id, saved.saved_at), ())

    def keep(self, made: Review) -> None:
        """Remember the slow checks of a review."""
        slow = tuple(check for check in made.checks if check.name in SLOW and check.at)
        key = made.saved.revision_id, made.saved.saved_at
        with self._lock:
            self._kept[key] = slow
            self._kept.move_to_end(key)
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)


def slow_checks_of(request: Request) -> SlowChecks:
    """The slow checks that an application remembers."""
    kept: SlowChecks = request.app.state.slow_checks
    return kept
