"""A connection hands one message over after the other, and whatever the server says, each has its own outcome."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smtp_peers import LOOPS, Peer, joined, run

from newsletter.delivery.connection import Connection, Timeouts
from newsletter.delivery.outcome import Outcome, Stage, Verdict
from newsletter.render.recipient import Message

STEPS = ("mail", "rcpt", "data", "dot")
STAGES = dict(zip(STEPS, (Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.DOT), strict=True))
USUAL = {"mail": b"250 ok\r\n", "rcpt": b"250 ok\r\n", "data": b"354 go on\r\n", "dot": b"250 taken\r\n"}
USUAL |= {"rset": b"250 ok\r\n", "quit": b"221 bye\r\n"}
PATIENT = Timeouts(9, 9, 9, 9, 9)
SOON = 0.1
HANG_UP, SILENCE = "hang up", "silence"

Script = dict[tuple[str, int], bytes | str]
"""What the server says instead of the usual to a step of the first, second … message, or does."""


def message(number: int, data: bytes = b"Subject: x\r\n\r\nbody\r\n") -> Message:
    return Message("bounce@example.org", f"reader{number}@example.org", data)


@dataclass
class Server:
    """Plays a server by a script, and keeps what it took: who got which body."""

    peer: Peer
    script: Script = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    taken: list[tuple[str, bytes]] = field(default_factory=list)
    unfinished: asyncio.Future[bytes] = field(default_factory=asyncio.Future)
    silent: asyncio.Event = field(default_factory=asyncio.Event)
    _message: int = 0

    async def serve(self) -> None:
        try:
            await self._talk()
        except asyncio.IncompleteReadError as cut:
            self.unfinished.set_result(cut.partial)

    async def _talk(self) -> None:
        reader = recipient = sender = ""
        while command := (await self.peer.hears()).decode():
            step = command[:4].lower()
            self.heard.append(step)
            self._message += step == "mail"
            reader = command.partition("<")[2].partition(">")[0] if step == "rcpt" else reader
            odd = (step == "rcpt" and not sender) or (step == "data" and not recipient)
            answer = await self._says(step, b"503 5.5.1 out of order\r\n" if odd else USUAL[step])
            if step == "mail":
                sender, recipient = "somebody" if answer.startswith(b"25") else "", ""
            if step == "rcpt":
                recipient = reader if answer.startswith(b"25") else ""
            if step == "data" and answer.startswith(b"354"):
                body = await self.peer.hears_body()
                answer = await self._says("dot", USUAL["dot"] if recipient else b"554 5.5.1 for nobody\r\n")
                if answer.startswith(b"250"):
                    self.taken.append((recipient, body))

    async def _says(self, step: str, usual: bytes) -> bytes:
        answer = self.script.get((step, self._message), usual)
        if answer == HANG_UP:
            self.peer.hangs_up()
        elif answer == SILENCE:
            self.silent.set()
            await asyncio.Event().wait()
        else:
            assert isinstance(answer, bytes)
            await self.peer.says(answer)
            return answer
        return b""


Play = Callable[[Connection, Server], Awaitable[None]]
Scene = Callable[..., None]


@pytest.fixture(params=LOOPS)
def loop(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[False, True], ids=["one by one", "pipelined"])
def pipelining(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def act(loop: str, play: Play, script: Script, timeouts: Timeouts, *, pipelining: bool) -> None:
    """Play a scene between a connection and a scripted server."""

    async def scene() -> None:
        async with joined() as (line, peer):
            server = Server(peer, script)
            serving = asyncio.create_task(server.serve())
            try:
                await play(Connection(line, timeouts, pipelining=pipelining), server)
            finally:
                serving.cancel()
                await asyncio.wait([serving])
            if not serving.cancelled() and isinstance(fault := serving.exception(), AssertionError):
                raise fault

    run(loop, scene)


@pytest.fixture
def on(loop: str, pipelining: bool) -> Scene:
    def play_it(play: Play, script: Script, timeouts: Timeouts = PATIENT) -> None:
        act(loop, play, script, timeouts, pipelining=pipelining)

    return play_it


def test_one_message_after_the_other_goes_over_the_same_line(on: Scene) -> None:
    async def play(connection: Connection, server: Server) -> None:
        for number in (1, 2, 3):
            assert await connection.hand_over(message(number)) == Outcome(Verdict.ACCEPTED, Stage.DONE, 250, "taken")
        assert [reader for reader, _ in server.taken] == [f"reader{number}@example.org" for number in (1, 2, 3)]
        assert connection.handed_over == 3

    on(play, {})


@pytest.mark.parametrize("code", [451, 550])
@pytest.mark.parametrize("step", STEPS)
def test_a_refusal_is_its_readers_own_and_the_next_message_goes_out(on: Scene, step: str, code: int) -> None:
    async def play(connection: Connection, server: Server) -> None:
        first = await connection.hand_over(message(1))
        assert (first.stage, first.code, first.reply) == (STAGES[step], code, "5.0.0 no")
        assert first.verdict == (Verdict.LATER if code < 500 else Verdict.REFUSED)
        assert (await connection.hand_over(message(2))).verdict == Verdict.ACCEPTED
        assert [reader for reader, _ in server.taken] == ["reader2@example.org"]

    on(play, {(step, 1): b"%d 5.0.0 no\r\n" % code})


@pytest.mark.parametrize("step", STEPS)
def test_refusals_in_a_row_are_each_charged_once(on: Scene, step: str) -> None:
    async def play(connection: Connection, server: Server) -> None:
        outcomes = [await connection.hand_over(message(number)) for number in range(1, 6)]
        assert [outcome.code for outcome in outcomes] == [550, 552, 250, 553, 250]
        assert connection.is_open

    script: Script = {(step, number): b"%d no\r\n" % code for number, code in ((1, 550), (2, 552), (4, 553))}
    on(play, script)


def test_a_server_that_wants_data_though_it_refused_the_recipient_stays_in_step(loop: str) -> None:
    async def play(connection: Connection, server: Server) -> None:
        first = await connection.hand_over(message(1))
        assert (first.verdict, first.stage, first.code) == (Verdict.REFUSED, Stage.RCPT, 550)
        assert (await connection.hand_over(message(2))).verdict == Verdict.ACCEPTED
        assert [reader for reader, _ in server.taken] == ["reader2@example.org"]

    act(loop, play, {("rcpt", 1): b"550 no\r\n", ("data", 1): USUAL["data"]}, PATIENT, pipelining=True)


def test_a_server_that_takes_a_recipient_without_a_sender_gets_no_empty_message(loop: str) -> None:
    async def play(connection: Connection, server: Server) -> None:
        first = await connection.hand_over(message(1))
        assert (first.stage, first.code) == (Stage.MAIL, 451)
        assert not connection.is_open
        assert server.taken == []

    script: Script = {("mail", 1): b"451 no\r\n", ("rcpt", 1): USUAL["rcpt"], ("data", 1): USUAL["data"]}
    act(loop, play, script, PATIENT, pipelining=True)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("rset", [b"502 no\r\n", HANG_UP, b"garbage\r\n"])
def test_a_line_that_cannot_be_made_ready_again_is_closed_and_the_refusal_stands(
    on: Scene, step: str, rset: bytes | str
) -> None:
    async def play(connection: Connection, server: Server) -> None:
        first = await connection.hand_over(message(1))
        assert (first.verdict, first.stage, first.code) == (Verdict.REFUSED, STAGES[step], 550)
        assert not connection.is_open

    on(play, {(step, 1): b"550 no\r\n", ("rset", 1): rset})


@pytest.mark.parametrize("step", STEPS)
def test_a_server_that_closes_with_421_is_to_blame_and_the_line_is_closed(on: Scene, step: str) -> None:
    async def play(connection: Connection, server: Server) -> None:
        outcome = await connection.hand_over(message(1))
        assert (outcome.verdict, outcome.stage, outcome.code) == (Verdict.LATER, STAGES[step], 421)
        assert outcome.blames_server
        assert not connection.is_open

    on(play, {(step, 1): b"421 4.3.2 closing\r\n"})


def broke_at(step: str) -> tuple[Verdict, Stage, int]:
    """What a line that broke at a step comes to: only after the dot the server may have the message."""
    return (Verdict.UNKNOWN if step == "dot" else Verdict.LATER), STAGES[step], 0


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("answer", [HANG_UP, b"garbage\r\n", b"199 odd\r\n", b"650 odd\r\n", b"334 odd\r\n"])
def test_a_broken_line_and_an_odd_reply_leave_only_what_was_completed_unknown(
    on: Scene, step: str, answer: bytes | str
) -> None:
    async def play(connection: Connection, server: Server) -> None:
        outcome = await connection.hand_over(message(1))
        assert (outcome.verdict, outcome.stage, outcome.code) == broke_at(step)
        assert not connection.is_open
        assert (await connection.hand_over(message(2))).blames_server

    on(play, {(step, 1): answer})


def test_a_consent_where_data_should_begin_is_no_consent_to_send_it(on: Scene) -> None:
    async def play(connection: Connection, server: Server) -> None:
        outcome = await connection.hand_over(message(1))
        assert (outcome.verdict, outcome.stage, outcome.code) == (Verdict.LATER, Stage.DATA, 0)
        assert not connection.is_open
        assert server.taken == []

    on(play, {("data", 1): b"250 ok\r\n"})


def test_a_goodbye_right_behind_the_consent_does_not_undo_it(on: Scene) -> None:
    async def play(connection: Connection, server: Server) -> None:
        assert (await connection.hand_over(message(1))).verdict == Verdict.ACCEPTED
        assert not connection.is_open

    on(play, {("dot", 1): b"250 taken\r\n421 4.3.2 closing\r\n"})


@pytest.mark.parametrize(
    ("step", "setting"),
    [
        ("mail", "command_seconds"),
        ("rcpt", "command_seconds"),
        ("data", "data_seconds"),
        ("dot", "final_dot_seconds"),
    ],
)
def test_each_step_has_a_time_out_of_its_own(on: Scene, step: str, setting: str) -> None:
    async def play(connection: Connection, server: Server) -> None:
        outcome = await connection.hand_over(message(1))
        assert (outcome.verdict, outcome.stage, outcome.code) == broke_at(step)
        assert "in time" in outcome.reply
        assert not connection.is_open

    on(play, {(step, 1): SILENCE}, replace(PATIENT, **{setting: SOON}))


def test_a_server_that_stops_reading_the_body_has_no_message(loop: str) -> None:
    async def scene() -> None:
        async with joined() as (line, peer):
            connection = Connection(line, replace(PATIENT, block_seconds=SOON), pipelining=True)
            await peer.says(b"")
            handing = asyncio.create_task(connection.hand_over(message(1, b"x" * (16 << 20) + b"\r\n")))
            for step in ("mail", "rcpt", "data"):
                await peer.hears()
                await peer.says(USUAL[step])
            outcome = await handing
            assert (outcome.verdict, outcome.stage) == (Verdict.LATER, Stage.DATA)
            assert "stopped reading" in outcome.reply
            assert not (await peer.hears_the_end()).endswith(b"\r\n.\r\n")

    run(loop, scene)


@pytest.mark.parametrize("step", STEPS)
def test_a_cancel_closes_the_line_and_only_after_the_dot_there_is_an_outcome(on: Scene, step: str) -> None:
    async def play(connection: Connection, server: Server) -> None:
        handing = asyncio.create_task(connection.hand_over(message(1)))
        await server.silent.wait()
        handing.cancel()
        await asyncio.wait([handing])
        assert not connection.is_open
        if step == "dot":
            assert (handing.result().verdict, handing.result().stage) == (Verdict.UNKNOWN, Stage.DOT)
        else:
            assert handing.cancelled()

    on(play, {(step, 1): SILENCE})


@pytest.mark.parametrize("step", STEPS)
def test_a_cancel_behind_a_refusal_does_not_undo_it(on: Scene, step: str) -> None:
    async def play(connection: Connection, server: Server) -> None:
        handing = asyncio.create_task(connection.hand_over(message(1)))
        await server.silent.wait()
        handing.cancel()
        outcome = await handing
        assert (outcome.verdict, outcome.stage, outcome.code) == (Verdict.REFUSED, STAGES[step], 550)
        assert not connection.is_open

    on(play, {(step, 1): b"550 no\r\n", ("rset", 1): SILENCE})


def test_no_body_is_sent_after_the_latest_moment(on: Scene) -> None:
    async def play(connection: Connection, server: Server) -> None:
        outcome = await connection.hand_over(message(1), latest=asyncio.get_running_loop().time() - 1)
        assert (outcome.verdict, outcome.stage, outcome.blames_server) == (Verdict.LATER, Stage.DATA, True)
        assert not connection.is_open
        assert await server.unfinished == b""

    on(play, {})


@pytest.mark.parametrize(
    "address",
    [
        "a@example.org\r\nDATA",
        "a@example.org>\r\nRCPT TO:<b@example.org",
        "a@example.org> NOTIFY=SUCCESS",
        "<a@example.org>",
        "a@example.org\n",
        "a@example.org\x00",
        "a b@example.org",
        "a@exämple.org",
        "a@example.org\x85",
        "a",
        "",
    ],
)
def test_an_address_that_could_be_a_command_never_reaches_the_wire(on: Scene, address: str) -> None:
    async def play(connection: Connection, server: Server) -> None:
        for bad in (replace(message(1), envelope_to=address), replace(message(1), envelope_from=address)):
            outcome = await connection.hand_over(bad)
            assert (outcome.verdict, outcome.stage) == (Verdict.REFUSED, Stage.WRITE)
            assert outcome.reply.isprintable()
        assert (await connection.hand_over(message(2))).verdict == Verdict.ACCEPTED
        assert server.heard == ["mail", "rcpt", "data"]

    on(play, {})


def test_quit_says_goodbye_and_closes(on: Scene) -> None:
    async def play(connection: Connection, server: Server) -> None:
        await connection.hand_over(message(1))
        await connection.quit()
        assert server.heard[-1] == "quit"
        assert not connection.is_open
        await connection.quit()

    on(play, {})


def test_quit_needs_no_server(on: Scene) -> None:
    async def play(connection: Connection, server: Server) -> None:
        await connection.quit()
        assert not connection.is_open

    on(play, {("quit", 0): HANG_UP})


BODIES = st.lists(st.sampled_from([b"", b".", b"..", b".x", b"x.", b"text", b"\xe4\xb8\xad"]), min_size=1, max_size=9)


@given(BODIES.map(lambda lines: b"".join(line + b"\r\n" for line in lines)))
def test_lines_that_begin_with_dots_arrive_as_they_were_sent(data: bytes) -> None:
    async def play(connection: Connection, server: Server) -> None:
        assert (await connection.hand_over(message(1, data))).verdict == Verdict.ACCEPTED
        ((_, body),) = server.taken
        assert b"".join(line.removeprefix(b".") for line in body.splitlines(keepends=True)) == data
        assert (await connection.hand_over(message(2))).verdict == Verdict.ACCEPTED

    act("uvloop", play, {}, PATIENT, pipelining=True)
