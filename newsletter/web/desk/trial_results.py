"""What became of test sends: kept for a while in memory, so that a reload shows it again and sends nothing."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

from newsletter.delivery.outcome import Outcome

_MOST_KEPT = 50


@dataclass(frozen=True, slots=True)
class TrialResult:
    """A test that was sent: the list and the addresses as they were typed, and what became of each address."""

    list_id: int | None
    typed: str
    outcomes: Sequence[tuple[str, Outcome]]


class TrialResults:
    """The last test of each person and issue, for as long as this process runs; the oldest go first.

    Addresses of tests are written down nowhere else; another process of the same desk knows nothing of them.
    """

    def __init__(self) -> None:
        self._kept = OrderedDict[tuple[int, str], TrialResult]()
        self._lock = Lock()

    def keep(self, staff_id: int | None, slug: str, result: TrialResult) -> None:
        """Remember what came of a test."""
        with self._lock:
            self._kept[(staff_id or 0, slug)] = result
            self._kept.move_to_end((staff_id or 0, slug))
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)

    def of(self, staff_id: int | None, slug: str) -> TrialResult | None:
        """What came of the last test that somebody sent of an issue; None when it is not known, or not any more."""
        with self._lock:
            return self._kept.get((staff_id or 0, slug))
