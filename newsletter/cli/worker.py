"""`newsletter worker`: a process that sends, and does nothing else."""

import logging
import signal
from types import FrameType

from newsletter.cli.output import console, drain_notice, open_newsletter
from newsletter.editorial.station import Station
from newsletter.readers.post import Post


def command() -> None:
    """Send what is due, keep the daily slot and appointments, until Ctrl-C; any number of these share a PostgreSQL."""
    newsletter = open_newsletter()
    station = Station(newsletter, Post(newsletter))

    def stop(_number: int, _frame: FrameType | None) -> None:
        console().print(drain_notice(newsletter))
        station.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # a broken line is an outcome here, not a log entry
    station.run(lambda: console().print("Sending what is due (Ctrl-C ends it; a second one at once)."))
