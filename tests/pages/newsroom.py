"""A newsletter as its staff have it on a busy day: issues in every state, readers, mails sent, lost and refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

import pyotp
from desk_samples import add_staff
from PIL import Image
from sending import Hand
from sqlmodel import col, delete, select

from newsletter.app import Newsletter
from newsletter.delivery.models import Delivery
from newsletter.delivery.outcome import Outcome, Stage, Verdict
from newsletter.editorial import appointments, approval, dispatch, look, pictures, sending, test_lists, writing
from newsletter.editorial.intake import read, take_in
from newsletter.readers import reader_lists, suppressing, topic_changes
from newsletter.staff import accounts, invitations, own_account, second_factor, sessions
from newsletter.staff.logins import Visitor
from newsletter.staff.models import FailedLogin
from newsletter.staff.rights import Actor, Role
from newsletter.storage.seat import take_seat
from subscribers.models import State, Subscriber
from subscribers.preferences import Preferences

_EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PASSWORD = "海图上的每一座灯塔都有名字"
"""Of the member of the staff who has a second factor."""
FIRST, SENT, RUNNING, HELD, APPROVED, ASKED, TIMED, WORK = (f"2026-03-{day:02}" for day in range(6, 14))
_BROWSERS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
)
_TAKEN = Outcome(Verdict.ACCEPTED, Stage.DONE, 250, "2.0.0 queued as 4F1B2")
_GONE = Outcome(Verdict.REFUSED, Stage.RCPT, 550, "5.1.1 no such mailbox here")
_FULL = Outcome(Verdict.LATER, Stage.RCPT, 452, "4.2.2 mailbox full")
_BROKEN = Outcome(Verdict.UNKNOWN, Stage.DOT, 0, "the line broke after the message")
_TEXT = """# AI 行业动态 (2026-03-13)

**模型与技术进展**

- **群岛实验室公开潮汐预报模型**
  说明：实验室公布了训练所用的观测数据。
  来源出处：[群岛实验室](lab.example.org/tides)

- **山谷团队开源语音模型 Echo-2**
  说明：模型能在手机上运行，词错率比上一版低三成。

**海洋与天气**

- **岬角市发布公共数据细则**
  说明：细则写明哪些数据可以授权，哪些不可以。
  来源出处：[岬角市](https://city.example.org/data)
"""


class Provider:
    """A mail server that knows everybody but `gone`."""

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        """Take a recipient or not."""
        if address.startswith("gone"):
            return "550 5.1.1 no such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"


class Newsroom:
    """Fills a newsletter, and hands out what its pages are reached by: sessions, keys, links."""

    def __init__(self, newsletter: Newsletter) -> None:
        self._newsletter = newsletter
        self._numbers = count(1)
        self.editor = add_staff(newsletter, "chen@example.org", name="陈编辑")
        self._sender = add_staff(newsletter, "zhou@example.org", Role.SENDER, name="周发行")
        self._member = add_staff(newsletter, "he@example.org", Role.EDITOR, name="何编辑")
        self._add_readers()
        self._write_issues()
        self._send_issues()
        self._add_the_rest()

    def session(self, actor: Actor | None = None, browser: str = _BROWSERS[0]) -> str:
        """The token of a new session of the editor, or of somebody else."""
        with self._newsletter.session() as session:
            row = accounts.find(session, (actor or self.editor).address)
            return sessions.begin(session, row, self._newsletter.clock(), origin="192.0.2.7", browser=browser)

    def session_without(self, role: Role) -> str:
        """The same of somebody who may only send, or only write, but not what `role` may."""
        others = {Role.ADMIN: self._sender}
        return self.session(others[role])

    def somebody_new(self) -> str:
        """An address that nobody has yet."""
        return f"new{next(self._numbers)}@example.net"

    def member(self) -> str:
        """The public id of a member of the staff, whose sessions may end: nobody visits pages in their name."""
        with self._newsletter.reading() as session:
            return accounts.find(session, self._member.address).public_id

    def reader(self, state: State = State.ACTIVE) -> str:
        """The public id of a reader in that state."""
        with self._newsletter.reading() as session:
            row = session.exec(select(Subscriber).where(Subscriber.state == state)).first()
        assert row
        return row.public_id

    def entry(self, state: str) -> int:
        """The number of an entry of the log in that state."""
        with self._newsletter.reading() as session:
            row = session.exec(select(Delivery).where(Delivery.state == state).order_by(col(Delivery.id))).first()
        assert row
        assert row.id
        return row.id

    def import_list(self, *, done: bool = False) -> str:
        """The key of a reader list that was looked through; taken in when it is `done`."""
        lines = (
            "address,name,topics,city",
            f"{self.somebody_new()},秦月,models,云州",
            "nobody,无名,models,",
            "lin.xiaolan@example.org,林晓岚,models;policy,",
            "guo.ning@example.org,郭宁,policy,",
        )
        file = BytesIO("\n".join(lines).encode())
        key = reader_lists.keep(self._newsletter, self.editor, "登记表.csv", file, State.ACTIVE)
        if done:
            reader_lists.take_in(self._newsletter, self.editor, key)
        return key

    def invitation(self, *, used: bool = False) -> str:
        """The token of a link to a first password."""
        invited = invitations.invite(self._newsletter, self.editor, self.somebody_new(), "新同事", [Role.EDITOR])
        token = invited.link.rpartition("/")[2]
        if used:
            invitations.accept(self._newsletter, token, PASSWORD, PASSWORD, Visitor("192.0.2.7", ""))
        return token

    def address_with_second_factor(self) -> str:
        """Of a member of the staff with the password `PASSWORD`."""
        address = self.somebody_new()
        link = invitations.invite(self._newsletter, self.editor, address, "", [Role.EDITOR]).link
        invitations.accept(
            self._newsletter, link.rpartition("/")[2], PASSWORD, PASSWORD, Visitor("192.0.2.7", _BROWSERS[1])
        )
        with self._newsletter.reading() as session:
            actor = accounts.actor_of(accounts.find(session, address))
        secret = second_factor.new_secret()
        code = pyotp.TOTP(secret).at(self._newsletter.clock())
        own_account.turn_on(self._newsletter, actor, secret, code)
        return address

    @contextmanager
    def with_a_sender(self) -> Iterator[None]:
        """A process sits ready to send for the length of a block, and sends nothing."""
        with take_seat(self._newsletter.engine, self._newsletter.database_file):
            yield

    def let_time_pass(self) -> None:
        """Forget who mistyped a password, as time does."""
        with self._newsletter.session() as session:
            session.exec(delete(FailedLogin))

    def look(self, *, over: bool = False) -> str:
        """The token of a link for colleagues."""
        clock = self._newsletter.clock
        self._newsletter.clock = lambda: clock() - timedelta(days=90 if over else 0)
        try:
            return look.share(self._newsletter, self.editor, WORK, (), "zh", look.DAYS[0])[0]
        finally:
            self._newsletter.clock = clock

    def suppressed(self) -> int:
        """The number of a row of the suppression list."""
        with self._newsletter.reading() as session:
            (row,) = self._newsletter.suppression(session).newest(1)
        assert row.id
        return row.id

    def _add_readers(self) -> None:
        file = BytesIO((_EXAMPLES / "readers.csv").read_bytes())
        key = reader_lists.keep(self._newsletter, self.editor, "readers.csv", file, State.ACTIVE)
        reader_lists.take_in(self._newsletter, self.editor, key)
        with self._newsletter.session() as session:
            people = self._newsletter.people(session)
            for number in range(24):
                topics = ("models", "industry", "policy", "products")[: number % 4 + 1]
                people.add(f"reader{number}@example.{('com', 'net', 'org')[number % 3]}", Preferences(topics=topics))

    def _write_issues(self) -> None:
        files = sorted((_EXAMPLES / "issues").iterdir())
        assert len(files) == len((FIRST, SENT, RUNNING, HELD, APPROVED, ASKED, TIMED))
        for path in files:
            day, text = date.fromisoformat(path.name[:10]), path.read_bytes()
            reading = read(self._newsletter, text, on=day)
            if reading.errors:  # an article, whose one heading is no topic
                reading = read(self._newsletter, text, on=day, topic="industry")
            take_in(self._newsletter, reading, text)
        earlier = _TEXT.replace("三成", "一成")
        work = writing.create(self._newsletter, self.editor, date.fromisoformat(WORK), earlier)
        writing.save(self._newsletter, self._sender, work.slug, _TEXT, work.number)

    def _send_issues(self) -> None:
        for slug in (FIRST, SENT, RUNNING, HELD, APPROVED, TIMED):
            approval.approve(self._newsletter, slug, self.editor)
        approval.ask(self._newsletter, ASKED, self.editor)
        for slug, outcomes in self._fates():
            mailing = dispatch.begin(self._newsletter, slug, self._sender)
            list(dispatch.plan_mailing(self._newsletter, mailing))
            hand = Hand(self._newsletter, mailing)
            for row, outcome in zip(hand.take(len(outcomes)), outcomes, strict=False):
                hand.settle(row, outcome)
            hand.seat.leave()
        sending.pause(self._newsletter, HELD, self._sender)
        later = self._newsletter.clock() + timedelta(days=2)
        appointments.appoint(self._newsletter, TIMED, later, self._sender)

    def _fates(self) -> Iterator[tuple[str, list[Outcome]]]:
        """What became of the mails of each issue that was begun, in the order in which they were handed over."""
        yield FIRST, [_TAKEN] * 200
        yield SENT, [_TAKEN, _GONE, *[_TAKEN] * 198]
        yield RUNNING, [*[_TAKEN] * 20, _FULL, _BROKEN, _BROKEN, _GONE]
        yield HELD, [*[_TAKEN] * 5, _FULL]

    def _add_the_rest(self) -> None:
        newsletter, editor = self._newsletter, self.editor
        suppressing.suppress_all(newsletter, editor, "old@example.net, angry@example.net", "来信要求不再写信")
        topic_changes.add_alias(newsletter, editor, "policy", "法规动态")
        test_lists.keep(newsletter, editor, "编辑部", "chen@example.org li@example.org")
        test_lists.keep(newsletter, editor, "各家邮箱", "seed1@example.net seed2@example.org")
        drawn = BytesIO()
        Image.new("RGB", (640, 360), "#1677ff").save(drawn, "PNG")
        pictures.keep_picture(newsletter, editor, "潮汐.png", drawn.getvalue(), "潮位随时间变化的曲线")
        self.session(browser=_BROWSERS[1])
