"""Each reader's own hour: when the mail of a release reaches somebody who chose an hour of their day.

| case | rule |
|---|---|
| no hour chosen | at the release |
| the release falls into the reader's own hour | at the release |
| the zone is known no more | at the release |
| any other | when their hour begins next, at latest a day after the release |
| an hour that daylight saving leaves out | when the clock has jumped over it |
| an hour that comes twice | the first time; the second is that hour all the same |
"""

from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LATEST = timedelta(days=1)
_KEPT = 4096
"""Every zone at every hour, for a release or two."""


@lru_cache(_KEPT)
def due_for(release: datetime, zone: str | None, hour: int | None) -> datetime:
    """The moment at which a reader with this hour (0 to 23) in this IANA zone is due; never before the release.

    Of an hour that comes twice in a night the first is meant, and one that does not come begins when the clock has
    jumped over it (PEP 495, with `fold` 0).
    """
    if zone is None or hour is None:
        return release
    try:
        place = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # it was known when they chose it
        return release
    local = release.astimezone(place)
    if local.hour == hour:
        return release
    days = (local.date() + timedelta(days=distance) for distance in range(3))
    hours = (datetime.combine(day, time(hour), place).astimezone(UTC) for day in days)
    return min(next(moment for moment in hours if moment >= release), release + LATEST)
