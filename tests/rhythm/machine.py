"""The month acted out: the doors that people use, the rounds that the engine makes, and a real SMTP server.

Nothing is faked but the clock. Time stands still in a round: what the server took in it, it took then. An outage is the
end of the process: its sender, its seat and all that it kept in memory are gone, and another one begins.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from heapq import merge
from pathlib import Path
from typing import Any

from mail_servers import CountingSink, counting_sink
from pydantic import SecretStr
from sqlmodel import col, select

from newsletter.app import Newsletter
from newsletter.delivery.engine import Due
from newsletter.delivery.models import Appointment, Delivery, Mailing
from newsletter.editorial.appointments import appoint
from newsletter.editorial.approval import approve
from newsletter.editorial.dispatch import begin
from newsletter.editorial.intake import read, take_in
from newsletter.editorial.outbox import open_outbox
from newsletter.editorial.rounds import Rounds
from newsletter.readers import leaving, preferences
from newsletter.settings import Settings
from newsletter.storage.engine import open_engine
from newsletter.storage.migrate import migrate
from newsletter.storage.models import IssueRow
from rhythm.script import DAYS_OFF, SLOT, TOPICS, ZONE, Change, Day, Kind, Month, News, Reader, local
from subscribers.models import Subscriber
from subscribers.tokens import Purpose

STAFF = "editor@example.org"
_CONNECTIONS = 40
_DAY_BEFORE = 17
"""The hour at which an issue is taken in, on the day before its date."""


class Clock:
    """The month's clock."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


class Machine:
    """One machine with one process that sends, for as long as it is up, and the doors beside it, which are always open.

    `received` are the moments at which the server got a mailing's message for an address, by mailing and address;
    `messages` counts them, `letters` what the staff were told.
    """

    def __init__(self, month: Month, settings: Settings, sink: CountingSink) -> None:
        self._month = month
        self._sink = sink
        self._settings = settings
        self._clock = Clock(month.begin)
        self._read_bytes = 0
        self.newsletter = Newsletter(settings, self._clock)
        self.received: dict[tuple[str, str], list[datetime]] = defaultdict(list)
        self.letters = self.messages = 0
        self.rounds = 0

    def run(self, said: Callable[[datetime], None] = lambda at: None) -> None:
        """Act the month out; `said` is called with the moment of each round."""
        self._begin()
        ends = {end for _, end in self._month.outages}
        happenings = sorted(self._happenings(), key=lambda one: one[0])
        rounds = ((at, None) for at in self._month.rounds)
        process = ExitStack()
        with process:
            working: tuple[Rounds, ...] = ()
            for at, happen in merge(happenings, rounds, key=lambda one: one[0]):
                self._clock.now = at
                if happen is not None:
                    happen()
                    continue
                if not working or at in ends:
                    process.close()
                    working = (process.enter_context(self._process()),)
                self._make_round(*working)
                said(at)

    @contextmanager
    def _process(self) -> Iterator[Rounds]:
        newsletter = Newsletter(self._settings, self._clock)
        try:
            with open_outbox(newsletter, patient=True) as outbox:
                yield Rounds(newsletter, outbox)
        finally:
            newsletter.engine.dispose()

    def _make_round(self, rounds: Rounds) -> None:
        """What the engine does every three seconds, until there is nothing more to do."""
        self.rounds += 1
        due = rounds.make_round()
        while due.unplanned or due.parts:
            for mailing_id in due.unplanned:
                rounds.plan(mailing_id)
            for part in due.parts:
                rounds.send(part)
            due = Due(rounds.unplanned(), rounds.due())
        self._take_note()

    def _take_note(self) -> None:
        """Read what the server wrote down since the last time."""
        if not self._sink.record.exists():
            return
        with self._sink.record.open("rb") as record:
            record.seek(self._read_bytes)
            lines = record.read()
        self._read_bytes += len(lines)
        for line in lines.decode().splitlines():
            address, message_id, *_ = line.split("\t")
            if address == STAFF:
                self.letters += 1
            else:
                self.messages += 1
                self.received[message_id.removeprefix("<").partition(".")[0], address].append(self._clock.now)

    # what people do

    def _begin(self) -> None:
        with self.newsletter.session() as session:
            self.newsletter.topics(session).seed()
            people = self.newsletter.people(session)
            for reader in self._month.readers:
                if reader.joins is None:
                    person = people.add(reader.address, reader.preferences)
                    if reader.is_paused:
                        people.pause(person)

    def _happenings(self) -> Iterator[tuple[datetime, Callable[[], None]]]:
        for day in self._month.days:
            yield local(day.on - timedelta(days=1), _DAY_BEFORE, 30, 5), partial(self._take_in, day)
            if day.approved:
                yield day.approved, partial(self._approve, day)
            if day.by_hand:
                yield day.by_hand, partial(self._send_by_hand, day)
        for reader in self._month.readers:
            for change in reader.changes:
                yield change.at, partial(self._change, reader, change)

    def _take_in(self, day: Day) -> None:
        text = markdown(day).encode()
        take_in(self.newsletter, read(self.newsletter, text), text)

    def _approve(self, day: Day) -> None:
        approve(self.newsletter, str(day.on))
        if day.own_time:
            appoint(self.newsletter, str(day.on), day.own_time)

    def _send_by_hand(self, day: Day) -> None:
        begin(self.newsletter, str(day.on))

    def _change(self, reader: Reader, change: Change) -> None:
        newsletter = self.newsletter
        if change.kind is Kind.JOIN:
            with newsletter.session() as session:
                newsletter.people(session).add(reader.address, reader.preferences)
            return
        if change.kind is Kind.SUPPRESS:
            with newsletter.session() as session:
                newsletter.suppression(session).add(reader.address)
            return
        with newsletter.reading() as session:
            person = newsletter.people(session).get(reader.address)
        assert person
        assert change.preferences
        leave = newsletter.tokens.make(Purpose.UNSUBSCRIBE, person.public_id)
        choose = newsletter.tokens.make(Purpose.PREFERENCES, person.public_id)
        if change.kind is Kind.LEAVE:
            leaving.leave(newsletter, leave, leaving.ONE_CLICK)
        elif change.kind is Kind.RETURN:
            leaving.come_back(newsletter, leave)
        elif change.kind is Kind.DROP:
            leaving.leave(newsletter, leave, leaving.ONE_CLICK, topics=(change.topic,))
        elif change.kind is Kind.RESUME:
            preferences.resume(newsletter, choose)
        else:
            preferences.save(newsletter, choose, change.preferences, change.until)

    # what came of it

    def mailings(self) -> list[tuple[Mailing, str, dict[str, str]]]:
        """Every mailing, the slug of its issue, and the texts of its stories by id."""
        with self.newsletter.reading() as session:
            found = []
            rows = session.exec(select(Mailing, IssueRow.slug).join(IssueRow, col(IssueRow.id) == Mailing.issue_id))
            for mailing, slug in rows.all():
                issue = self.newsletter.issues(session).revision(mailing.revision_id).issue
                found.append((mailing, slug, {story.id: story.summary.removesuffix("。") for story in issue.stories}))
            return found

    def deliveries(self) -> Iterator[Any]:
        """Every delivery, with its reader's address."""
        columns = (
            Delivery.mailing_id,
            Delivery.state,
            Delivery.reason,
            Delivery.due,
            Delivery.edition,
            Delivery.settled_at,
        )
        with self.newsletter.reading() as session:
            query = select(Subscriber.address, *columns).join(Subscriber, col(Subscriber.id) == Delivery.subscriber_id)
            yield from session.exec(query)

    def appointments(self) -> list[Appointment]:
        """Every appointment."""
        with self.newsletter.reading() as session:
            return list(session.exec(select(Appointment)).all())


def settings_for(database_url: str, port: int, connections: int) -> Settings:
    """The settings of a newsletter whose month it is."""
    return Settings(
        database_url=database_url,
        secret_key=SecretStr("a key that is only used in these tests"),
        sender="AI 行业动态 <daily@example.org>",
        postal_address="示例新闻社 · 北京市海淀区示例路 1 号",
        base_url="https://news.example.org",
        smtp_url=SecretStr(f"smtp://127.0.0.1:{port}?starttls=never"),
        connections=connections,
        zone=ZONE.key,
        slot=f"{SLOT:%H:%M}",
        days_off=tuple(map(str, DAYS_OFF)),
        staff=(STAFF,),
    )


def make_database(url: str) -> None:
    """A database as `newsletter init` makes it."""
    engine = open_engine(url)
    migrate(engine)
    engine.dispose()


@contextmanager
def machine_for(month: Month, folder: Path) -> Iterator[Machine]:
    """A machine for the month, with its database and its server's record in a folder."""
    url = f"sqlite:///{folder / 'newsletter.db'}"
    make_database(url)
    with counting_sink(folder / "received") as sink:
        machine = Machine(month, settings_for(url, sink.port, _CONNECTIONS), sink)
        try:
            yield machine
        finally:
            machine.newsletter.engine.dispose()


def markdown(day: Day) -> str:
    """The text of an issue."""
    parts = [f"# {day.title} ({day.on})\n"]
    for topic, heading in TOPICS.items():
        parts += [f"\n**{heading}**\n\n", *(_story(one) for one in day.news if one.topic == topic)]
    return "".join(parts)


def _story(news: News) -> str:
    marks = f"  标记：{'、'.join(news.marks)}\n" if news.marks else ""
    link = sha256(news.text.encode()).hexdigest()[:12]
    return (
        f"- **{news.title}**\n  说明：{news.text}。\n{marks}  来源出处：[示例新闻](https://news.example.org/{link})\n"
    )
