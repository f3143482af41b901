"""When a deferred message is tried again: a pure function of how often it was tried.

| after attempt | wait, before jitter |
|---|---|
| 1 | 2 min |
| 2 | 10 min |
| 3 | 30 min |
| 4 | 1 h |
| 5 | 2 h |
| 6 and later | 4 h |

The first wait suits receivers that greylist or ask for "about two minutes"; RFC 5321 §4.5.4.1 asks for 30 minutes as a
rule and allows shorter first tries.
"""

from datetime import datetime, timedelta

_WAITS = tuple(timedelta(minutes=minutes) for minutes in (2, 10, 30, 60, 120, 240))
JITTER = 0.2
"""The share by which a wait is lengthened at most, so that readers deferred together do not come back together."""


def next_attempt(now: datetime, attempts: int, chance: float, give_up_at: datetime) -> datetime | None:
    """When to try again after `attempts` tries (at least 1), or None when that would be past `give_up_at`.

    `chance` is a random number from 0 to 1, handed in so that the answer is a value.
    """
    wait = _WAITS[min(attempts, len(_WAITS)) - 1] * (1 + JITTER * chance)
    return now + wait if now + wait <= give_up_at else None
