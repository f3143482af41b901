"""What a mail server can do wrong, played by a scripted one: each reader has the right outcome, and the run ends."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from pydantic import SecretStr
from sending import add_readers, hand_over, take_in_issue

from newsletter.app import Newsletter
from newsletter.delivery.counts import Counts
from newsletter.delivery.history import entries
from newsletter.delivery.models import Delivery
from newsletter.delivery.outcome import Outcome, Reason, Stage, State
from newsletter.delivery.sender import Worked, _end
from newsletter.editorial.dispatch import Dispatch
from newsletter.editorial.outbox import Outbox

SLUG = "2026-03-09"
READERS = 6
ISSUE = """# 示例日报 (2026-03-09)

**政策与监管**

- **示例市公布数据细则**
  说明：细则写明哪些数据可以授权。
"""

Say = Callable[[str, str], bytes | None]
"""What to answer to a step for a recipient: bytes, or None to cut the line. Steps: mail, rcpt, data, dot."""

USUAL = {"mail": b"250 ok\r\n", "rcpt": b"250 ok\r\n", "data": b"354 go on\r\n", "dot": b"250 taken\r\n"}


@dataclass
class ScriptedServer:
    """An SMTP server that says what a test wants, and remembers whose message it had in full."""

    say: Say
    taken: Counter[str] = field(default_factory=Counter)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 scripted\r\n")
        rcpt = ""
        try:
            while line := (await reader.readline()).decode():
                verb = line[:4].upper()
                if verb == "RCPT":
                    rcpt = line.partition("<")[2].partition(">")[0]
                if verb in ("EHLO", "RSET", "NOOP"):
                    writer.write(b"250 scripted\r\n")
                    continue
                if verb == "QUIT":
                    writer.write(b"221 bye\r\n")
                    break
                answer = self.say(verb.lower(), rcpt)
                if answer is None:
                    break
                writer.write(answer)
                if verb == "DATA" and answer.startswith(b"354"):
                    await reader.readuntil(b"\r\n.\r\n")
                    answer = self.say("dot", rcpt)
                    if answer is None:
                        break
                    if answer.startswith(b"250"):
                        self.taken[rcpt] += 1
                    if answer == b"never":
                        await asyncio.sleep(3600)
                    writer.write(answer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@contextmanager
def serving(server: ScriptedServer) -> Iterator[ScriptedServer]:
    loop = asyncio.new_event_loop()

    async def start() -> asyncio.Server:
        return await asyncio.start_server(server.serve, "127.0.0.1", 0, limit=1 << 20)

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    listening = asyncio.run_coroutine_threadsafe(start(), loop).result()
    server.port = listening.sockets[0].getsockname()[1]
    yield server

    async def end() -> None:
        listening.close()
        waiting = asyncio.all_tasks() - {asyncio.current_task()}
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    asyncio.run_coroutine_threadsafe(end(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def ready(newsletter: Newsletter) -> Newsletter:
    """An approved issue, readers of it, two connections."""
    take_in_issue(newsletter, ISSUE)
    add_readers(newsletter, READERS)
    newsletter.settings.connections = 2
    newsletter.settings.drain_seconds = 0.2
    return newsletter


def send(newsletter: Newsletter, say: Say, stop_after: int = 0) -> tuple[Worked, Counts, ScriptedServer]:
    """Send; stop after so many outcomes, where a row would be waited for."""
    seen: list[Outcome] = []

    def count(outcome: Outcome, outbox: Outbox) -> None:
        seen.append(outcome)
        if len(seen) == stop_after:
            outbox.stop()

    with serving(ScriptedServer(say)) as server:
        newsletter.settings.smtp_url = SecretStr(f"smtp://127.0.0.1:{server.port}?starttls=never")
        ended, counts = hand_over(newsletter, SLUG, count)
    parts = counts.accepted + counts.queued + counts.deferred + counts.failed + counts.unknown + counts.excluded
    assert counts.candidates == parts == READERS
    return ended, counts, server


def once(step: str, address: str, answer: bytes | None) -> Say:
    """Answer as usual but for one step of one reader, and that only the first time."""
    left = [True]

    def say(asked: str, rcpt: str) -> bytes | None:
        if asked == step and rcpt == address and left:
            left.clear()
            return answer
        return USUAL[asked]

    return say


def always(step: str, address: str, answer: bytes | None) -> Say:
    return lambda asked, rcpt: answer if (asked, rcpt) == (step, address) else USUAL[asked]


def row(newsletter: Newsletter, number: int) -> Delivery:
    with newsletter.reading() as session:
        return session.get_one(Delivery, number + 1)


@pytest.mark.parametrize("step", ["rcpt", "data", "dot"])
def test_a_4xx_reply_defers_its_reader_alone(ready: Newsletter, step: str) -> None:
    _, counts, _ = send(ready, always(step, "reader2@example.org", b"451 4.7.1 later\r\n"))
    assert (counts.accepted, counts.deferred) == (5, 1)
    assert row(ready, 2).deferrals == 1


@pytest.mark.parametrize("step", ["rcpt", "data", "dot"])
def test_a_5xx_reply_fails_its_reader_alone(ready: Newsletter, step: str) -> None:
    _, counts, _ = send(ready, always(step, "reader2@example.org", b"550 5.1.1 no such user\r\n"))
    assert (counts.accepted, counts.failed) == (5, 1)


@pytest.mark.parametrize("step", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("answer", [None, b"421 4.3.2 closing\r\n", b"503 5.5.1 out of step\r\n"])
def test_what_is_the_servers_fault_is_not_charged_to_the_reader(
    ready: Newsletter, step: str, answer: bytes | None
) -> None:
    asked: list[str] = []

    def say(now: str, rcpt: str) -> bytes | None:
        asked.append(now)
        return answer if now == step and asked.count(step) == 3 else USUAL[now]

    _, counts, _ = send(ready, say, stop_after=READERS)
    assert (counts.accepted, counts.queued) == (READERS - 1, 1)
    with ready.reading() as session:
        (entry,) = entries(session, state=State.QUEUED)
        found = session.get_one(Delivery, entry.delivery_id)
    assert (found.deferrals, found.reason) == (0, None)
    assert found.next_at > found.due


def test_a_message_that_its_server_cannot_take_twice_is_charged(ready: Newsletter) -> None:
    say = always("data", "reader2@example.org", None)
    send(ready, say, stop_after=READERS)
    with ready.session() as session:
        session.get_one(Delivery, 3).next_at = ready.clock()
    _, counts, _ = send(ready, say, stop_after=1)
    assert (counts.accepted, counts.deferred) == (READERS - 1, 1)


def test_a_line_that_breaks_after_the_dot_leaves_its_reader_unknown(ready: Newsletter) -> None:
    _, counts, server = send(ready, always("dot", "reader2@example.org", None))
    assert (counts.accepted, counts.unknown) == (READERS - 1, 1)
    assert max(server.taken.values()) == 1


def test_a_stop_while_the_server_keeps_its_answer_ends_with_the_reader_unknown(ready: Newsletter) -> None:
    ended, counts, _ = send(ready, always("dot", "reader2@example.org", b"never"), stop_after=READERS - 1)
    assert ended.stopped
    assert (counts.accepted, counts.unknown) == (READERS - 1, 1)
    assert row(ready, 2).stage == Stage.DOT


def test_a_reply_in_another_encoding_is_kept_as_far_as_it_can_be(ready: Newsletter) -> None:
    reply = "550 用户不存在\r\n".encode("gb18030")
    _, counts, _ = send(ready, always("rcpt", "reader2@example.org", reply))
    assert (counts.accepted, counts.failed) == (READERS - 1, 1)
    assert row(ready, 2).code == 550


def test_a_reply_that_is_no_smtp_breaks_the_line_and_charges_nobody(ready: Newsletter) -> None:
    _, counts, _ = send(ready, once("rcpt", "reader2@example.org", b"garbage\r\n"), stop_after=READERS)
    assert (counts.accepted, counts.queued) == (READERS - 1, 1)


@pytest.mark.parametrize(
    ("step", "setting", "state"),
    [
        ("rcpt", "command_timeout_seconds", State.QUEUED),
        ("data", "data_timeout_seconds", State.QUEUED),
        ("dot", "final_dot_timeout_seconds", State.UNKNOWN),
    ],
)
def test_half_a_reply_is_none_when_the_time_is_over(ready: Newsletter, step: str, setting: str, state: State) -> None:
    setattr(ready.settings, setting, 0.2)
    _, counts, _ = send(ready, once(step, "reader2@example.org", b"250 o"), stop_after=READERS)
    assert counts.accepted == READERS - 1
    assert row(ready, 2).state == state


def test_a_goodbye_right_behind_the_consent_charges_nobody(ready: Newsletter) -> None:
    goodbye = b"250 taken\r\n421 4.3.2 that was enough\r\n"
    _, counts, server = send(ready, lambda step, rcpt: goodbye if step == "dot" else USUAL[step])
    assert counts.accepted == READERS
    assert max(server.taken.values()) == 1


def test_a_stop_ends_a_run_whose_server_turns_everyone_away(ready: Newsletter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsletter.delivery.route._PAUSES", (0.001,))
    ready.settings.connections = READERS
    closing = b"421 4.3.2 closing\r\n"
    ended, counts, _ = send(ready, lambda step, rcpt: closing if step == "mail" else USUAL[step], stop_after=READERS)
    assert ended.stopped or "421" in ended.trouble
    assert counts.queued == READERS


def test_a_task_that_misses_its_cancel_is_cancelled_again() -> None:
    async def misses_one() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:  # as `wait_for` does when its result comes at that moment
            await asyncio.Event().wait()

    async def scene() -> list[BaseException | None]:
        task = asyncio.create_task(misses_one())
        await asyncio.sleep(0)
        return await asyncio.wait_for(_end([task]), 5)

    (ending,) = asyncio.run(scene())
    assert isinstance(ending, asyncio.CancelledError)


def test_a_server_that_refuses_everybody_ends_the_run_with_its_words(ready: Newsletter) -> None:
    ready.settings.connections = 1
    ended, counts, _ = send(ready, lambda step, rcpt: b"530 5.7.0 log in first\r\n" if step == "mail" else USUAL[step])
    assert "530 5.7.0 log in first" in ended.trouble
    assert counts.queued == READERS


def test_a_message_that_a_fault_of_ours_does_not_let_be_made_keeps_nobody_else_waiting(
    ready: Newsletter, caplog: pytest.LogCaptureFixture
) -> None:
    dispatch = Dispatch.of(ready, SLUG)
    list(dispatch.plan())
    with ready.session() as session:
        session.get_one(Delivery, 3).edition = [["no such topic", ["no such story"]]]
    ended, counts, _ = send(ready, lambda step, rcpt: USUAL[step])
    assert (ended.trouble, counts.accepted, counts.failed) == ("", READERS - 1, 1)
    assert (row(ready, 2).reason, row(ready, 2).stage) == (Reason.NOT_MADE, Stage.WRITE)
    assert "delivery 3 could not be made" in caplog.text


def test_who_was_paused_or_suppressed_after_the_plan_is_excluded_with_that_reason(ready: Newsletter) -> None:
    list(Dispatch.of(ready, SLUG).plan())
    with ready.session() as session:
        people = ready.people(session)
        paused = people.get("reader1@example.org")
        assert paused
        people.pause(paused)
        ready.suppression(session).add("reader2@example.org", "command")
    _, counts, _ = send(ready, lambda step, rcpt: USUAL[step])
    assert (counts.accepted, counts.excluded) == (READERS - 2, 2)
    assert (row(ready, 1).reason, row(ready, 2).reason) == (Reason.PAUSED, Reason.SUPPRESSED)


def test_a_deferred_message_is_given_up_after_its_time(ready: Newsletter) -> None:
    ready.settings.give_up_hours = 0.01
    _, counts, _ = send(ready, always("rcpt", "reader2@example.org", b"451 4.7.1 later\r\n"))
    assert (counts.accepted, counts.failed) == (READERS - 1, 1)
    assert row(ready, 2).reason == Reason.GAVE_UP
