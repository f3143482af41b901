"""What a second worker brings on PostgreSQL: nothing where the machine is busy, double where the server is slow."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.measure import Result, paired
from benchmarks.newsroom import Newsroom, open_newsroom
from benchmarks.sending import READERS, seconds_each, url_of
from benchmarks.servers import missing, new_database, smtp_sink
from newsletter.delivery.control import cancel
from newsletter.storage.seat import count_seats
from tests.postgres import running_server

SLOW_POOL = 50
"""Connections of one worker to the slow server: so many messages a second, since it takes a second for each."""
WARM_SECONDS, WATCHED_SECONDS = 3, 8


def two_workers() -> Result:
    """Messages per second of two workers over those of one; they share two cores with the sink and the database."""
    name, bar = "two workers on PostgreSQL, a fast server", "at least 0.9 times one worker"
    if lack := missing(postgres=True):
        return Result(name, None, bar, None, lack)
    with smtp_sink() as port, _on_postgresql(READERS, smtp_url=url_of(port)) as newsroom, newsroom.worker():
        newsroom.send_next()

        def both() -> float:
            with _second_worker(newsroom):
                return seconds_each(newsroom)

        ratio, our, their = paired(both, lambda: seconds_each(newsroom))
    detail = f"{1 / our:,.0f} messages a second against {1 / their:,.0f}; ten connections each"
    return Result(name, ratio, bar, ratio >= 0.9, detail)


def two_workers_slow_server() -> Result:
    """The same into a server that takes a second for each message and lets twice one worker's pool in."""
    name, bar = "two workers on PostgreSQL, a slow server", "at least 1.8 times one worker"
    if lack := missing(postgres=True):
        return Result(name, None, bar, None, lack)
    with smtp_sink("-w", "1") as port:
        server = {"url": url_of(port), "connections": 2 * SLOW_POOL}
        with _on_postgresql(READERS, servers=[server], connections=SLOW_POOL) as newsroom, newsroom.worker():
            _watched(newsroom)

            def both() -> float:
                with _second_worker(newsroom):
                    return _watched(newsroom)

            ratio, our, their = paired(both, lambda: _watched(newsroom))
    detail = (
        f"{1 / our:,.0f} messages a second against {1 / their:,.0f}, over {WATCHED_SECONDS} s in the middle of a "
        f"mailing; {SLOW_POOL} connections each, smtp-sink -w 1"
    )
    return Result(name, ratio, bar, ratio >= 1.8, detail)


@contextmanager
def _on_postgresql(readers: int, **settings: object) -> Iterator[Newsroom]:
    with (
        running_server(durable=True) as server,
        open_newsroom(readers, database_url=new_database(server), **settings) as newsroom,
    ):
        yield newsroom


@contextmanager
def _second_worker(newsroom: Newsroom) -> Iterator[None]:
    """One more worker for the length of a block, which begins when it has its seat."""
    with newsroom.worker():
        while True:
            with newsroom.newsletter.reading() as session:
                if count_seats(session) >= 2:
                    break
            time.sleep(0.1)
        yield


def _watched(newsroom: Newsroom) -> float:
    """Seconds per message in the middle of a mailing, which is then cancelled."""
    mailing_id = newsroom.begin_next()
    while not newsroom.sent(mailing_id).messages:
        time.sleep(0.2)
    time.sleep(WARM_SECONDS)
    since = newsroom.newsletter.clock()
    time.sleep(WATCHED_SECONDS)
    until = newsroom.newsletter.clock()
    with newsroom.newsletter.session() as session:
        cancel(session, mailing_id, until)
    newsroom.wait_until_sent(mailing_id)
    return 1 / newsroom.sent(mailing_id, since, until).per_second
