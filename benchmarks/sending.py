"""Messages per second, from choosing to the durable log, beside smtp-source and beside the usual loop."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from email.message import EmailMessage

from aiosmtplib import SMTP

from benchmarks.measure import Result, paired
from benchmarks.messages import plain_message
from benchmarks.newsroom import STORIES, Newsroom, open_newsroom
from benchmarks.sample import markdown, readers
from benchmarks.servers import HOST, missing, new_database, smtp_sink, smtp_source
from newsletter.compose.choose import Chooser
from newsletter.content.document import read_issue
from newsletter.render.theme import load_theme
from subscribers.preferences import Preferences
from subscribers.topics import SHIPPED, Catalogue
from tests.postgres import running_server

READERS = 10_000
PEER_HEADER_BYTES = 150
"""What smtp-source sends before the bytes that it is asked for."""
LOOPED = 60
"""So many messages of the usual loop take as long as thousands of ours."""
LOOP_CONNECTIONS = 10


def sending_with_10() -> Result:
    """The share of smtp-source's messages per second over ten connections."""
    return _beside_smtp_source(10)


def sending_with_20() -> Result:
    """The same over twenty."""
    return _beside_smtp_source(20)


def _beside_smtp_source(connections: int) -> Result:
    name, bar = f"sending over {connections} connections", "at least 0.8 times smtp-source"
    if lack := missing():
        return Result(name, None, bar, None, lack)
    with (
        smtp_sink() as port,
        open_newsroom(READERS, smtp_url=url_of(port), connections=connections) as newsroom,
        newsroom.worker(),
    ):
        size_bytes = newsroom.send_next().size_bytes  # the first one warms up
        asked = size_bytes - PEER_HEADER_BYTES

        def theirs() -> float:
            return 1 / smtp_source(port, messages=READERS, connections=connections, size_bytes=asked)

        ratio, our, their = paired(lambda: seconds_each(newsroom), theirs)
    detail = (
        f"{1 / our:,.0f} messages a second, first to last accepted, against {1 / their:,.0f}; {READERS:,} messages of "
        f"{size_bytes / 1000:.1f} kB, SQLite, one `newsletter worker`"
    )
    return Result(name, ratio, bar, ratio >= 0.8, detail)


def sending_beside_loop() -> Result:
    """How many times the messages per second of a loop that renders and sends each mail on its own."""
    name, bar = "sending, beside Jinja2 + MJML + premailer + send_message in a loop", "at least 20 times"
    if lack := missing():
        return Result(name, None, bar, None, lack)
    with smtp_sink() as port, open_newsroom(READERS, smtp_url=url_of(port)) as newsroom, newsroom.worker():
        newsroom.send_next()
        one_by_one, at_once = (lambda: loop_seconds(port, _in_turn)), (lambda: loop_seconds(port, _at_once))
        faster = min((one_by_one, at_once), key=lambda run: run())
        ratio, our, their = paired(lambda: seconds_each(newsroom), faster)
    how = "one connection" if faster is one_by_one else f"{LOOP_CONNECTIONS} connections"
    detail = f"{1 / our:,.0f} messages a second against {1 / their:,.0f} over {how}, which is the faster for it"
    return Result(name, ratio, bar, ratio >= 20, detail)


def sending_on_postgresql() -> Result:
    """The share of SQLite's messages per second that PostgreSQL gives one worker, both with fsync."""
    name, bar = "sending on PostgreSQL, one worker", "at least 0.5 times SQLite"
    if lack := missing(postgres=True):
        return Result(name, None, bar, None, lack)
    with (
        smtp_sink() as port,
        running_server(durable=True) as server,
        open_newsroom(READERS, smtp_url=url_of(port)) as on_sqlite,
        open_newsroom(READERS, smtp_url=url_of(port), database_url=new_database(server)) as on_postgresql,
        on_sqlite.worker(),
        on_postgresql.worker(),
    ):
        on_sqlite.send_next(), on_postgresql.send_next()
        ratio, our, their = paired(lambda: seconds_each(on_postgresql), lambda: seconds_each(on_sqlite))
    detail = f"{1 / our:,.0f} messages a second against {1 / their:,.0f}; ten connections"
    return Result(name, ratio, bar, ratio >= 0.5, detail)


def url_of(port: int) -> str:
    """The setting for a sink on this machine."""
    return f"smtp://{HOST}:{port}?starttls=never"


def seconds_each(newsroom: Newsroom) -> float:
    """Send the next issue; seconds per message, first to last accepted."""
    return 1 / newsroom.send_next().per_second


def loop_seconds(
    port: int, send: Callable[[Sequence[SMTP], Sequence[Callable[[], EmailMessage]]], Awaitable[None]]
) -> float:
    """Seconds per message of the usual loop."""
    issue = read_issue(markdown(STORIES), resolve=Catalogue().resolve).issue
    theme, chooser = load_theme(), Chooser(issue)
    preferences = Preferences(topics=tuple(topic.slug for topic in SHIPPED))
    makers = [
        lambda recipient=recipient: plain_message(issue, theme, chooser.choose(preferences), preferences, recipient)
        for _, recipient in readers(LOOPED)
    ]

    async def run() -> float:
        clients = [SMTP(hostname=HOST, port=port, start_tls=False) for _ in range(LOOP_CONNECTIONS)]
        for client in clients:
            await client.connect()
        began = time.perf_counter()
        await send(clients, makers)
        spent = time.perf_counter() - began
        for client in clients:
            await client.quit()
        return spent / len(makers)

    return asyncio.run(run())


async def _in_turn(clients: Sequence[SMTP], makers: Sequence[Callable[[], EmailMessage]]) -> None:
    for make in makers:
        await clients[0].send_message(make())


async def _at_once(clients: Sequence[SMTP], makers: Sequence[Callable[[], EmailMessage]]) -> None:
    async def one(place: int) -> None:
        for make in makers[place :: len(clients)]:
            await clients[place].send_message(make())

    await asyncio.gather(*(one(place) for place in range(len(clients))))
