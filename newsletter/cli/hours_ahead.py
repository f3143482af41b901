"""Who of a mailing waits for an hour to come, in English."""

from datetime import datetime, tzinfo

from newsletter.delivery.counts import Ahead


def in_words(later: Ahead, zone: tzinfo) -> str:
    """How many wait for their own hour, when the next ones are due, and the last."""
    wait = "reader waits" if later.readers == 1 else "readers wait"
    said = f"{later.readers:,} {wait} for their own hour"
    if later.at_next == later.readers:
        return f"{said}, {_at(later.next_at, zone)} ({zone})."
    return (
        f"{said}: the next {later.at_next:,} {_at(later.next_at, zone)}, the last {_at(later.last_at, zone)} ({zone})."
    )


def _at(at: datetime | None, zone: tzinfo) -> str:
    return f"at {at.astimezone(zone):%Y-%m-%d %H:%M}" if at else ""
