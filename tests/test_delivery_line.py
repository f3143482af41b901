"""A line tells replies apart however they come, and knows what has left: on either loop, over TCP and TLS."""

import asyncio
import os
import re
import socket
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest
from certificates import Certificate, make_certificate
from hypothesis import given
from hypothesis import strategies as st
from smtp_peers import LOOPS, Peer, joined, run

from newsletter.delivery.line import Line, LineBroke, Reply

MUCH = b"x" * (1 << 20) + b"\r\n"
"""More than the buffers of the system take while nobody reads."""
MANY = 16
END = b"the last words\r\n"
SOON = 0.15
"""A time-out, in seconds, where it has to pass."""

Play = Callable[[Line, Peer], Awaitable[None]]
On = Callable[[Play], None]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(params=LOOPS)
def loop(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["tcp", "tls"])
def over(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def on(loop: str, over: str, certificate: Certificate) -> On:
    """Plays a scene between a line and its other end."""

    async def play_it(play: Play) -> None:
        async with joined(certificate if over == "tls" else None) as (line, peer):
            await play(line, peer)

    return lambda play: run(loop, lambda: play_it(play))


def test_several_replies_in_one_piece_are_told_apart(on: On) -> None:
    async def play(line: Line, peer: Peer) -> None:
        line.send(b"MAIL\r\nRCPT\r\n", 2)
        await peer.says(b"250 first\r\n550-5.1.1 no\r\n550 such user\r\n")
        assert await line.reply(9) == Reply(250, "first")
        assert await line.reply(9) == Reply(550, "5.1.1 no such user")

    on(play)


def test_no_reply_is_a_timeout(on: On) -> None:
    async def play(line: Line, peer: Peer) -> None:
        line.send(b"MAIL\r\n", 1)
        with pytest.raises(TimeoutError, match="did not answer in time"):
            await line.reply(SOON)

    on(play)


def test_a_reply_that_drips_has_no_longer_than_any_other(on: On) -> None:
    async def drip(peer: Peer) -> None:
        while True:
            await peer.says(b"2")
            await asyncio.sleep(SOON / 10)

    async def play(line: Line, peer: Peer) -> None:
        line.send(b"MAIL\r\n", 1)
        dripping = asyncio.create_task(drip(peer))
        with pytest.raises(TimeoutError):
            await line.reply(SOON)
        dripping.cancel()

    on(play)


@pytest.mark.parametrize("said", [b"garbage\r\n", b"\r\n", b"2500 ok\r\n", b"<html>\r\n", b"\xff\xfe\r\n", b"250_ok\n"])
def test_what_is_no_smtp_breaks_the_line(on: On, said: bytes) -> None:
    async def play(line: Line, peer: Peer) -> None:
        line.send(b"MAIL\r\n", 1)
        await peer.says(said)
        with pytest.raises(LineBroke, match="no SMTP"):
            await line.reply(9)
        assert not line.is_open
        assert await peer.hears_the_end() == b"MAIL\r\n"

    on(play)


@pytest.mark.parametrize("said", [b"2", b"250-\r\n", b"250-more\r\n"])
def test_a_reply_without_end_breaks_the_line(on: On, said: bytes) -> None:
    async def talk(peer: Peer) -> None:
        while not peer.writer.is_closing():
            await peer.says(said * 1000)

    async def play(line: Line, peer: Peer) -> None:
        line.send(b"MAIL\r\n", 1)
        talking = asyncio.create_task(talk(peer))
        with pytest.raises(LineBroke, match="no end"):
            await line.reply(9)
        await asyncio.wait([talking])
        talking.exception()

    on(play)


def test_an_unasked_reply_closes_the_line_and_is_nobodys(on: On) -> None:
    async def play(line: Line, peer: Peer) -> None:
        line.send(b"MAIL\r\n", 1)
        await peer.says(b"250 asked\r\n250 unasked\r\n250 more\r\n")
        assert await line.reply(9) == Reply(250, "asked")
        with pytest.raises(LineBroke, match="unasked: 250 unasked"):
            await line.reply(9)
        with pytest.raises(LineBroke, match="unasked: 250 unasked"):
            line.send(b"RCPT\r\n", 1)

    on(play)


def test_what_is_said_to_a_silent_client_closes_the_line(on: On) -> None:
    async def play(line: Line, peer: Peer) -> None:
        await peer.says(b"421 4.4.2 idle\r\n")
        assert await peer.hears_the_end() == b""
        with pytest.raises(LineBroke, match="unasked: 421"):
            line.send(b"MAIL\r\n", 1)

    on(play)


def test_replies_that_came_before_the_server_hung_up_can_still_be_read(on: On) -> None:
    async def play(line: Line, peer: Peer) -> None:
        line.send(b"MAIL\r\nRCPT\r\n", 2)
        await peer.says(b"250 ok\r\n")
        peer.hangs_up()
        assert await line.reply(9) == Reply(250, "ok")
        with pytest.raises(LineBroke):
            await line.reply(9)
        assert not line.is_open

    on(play)


def test_half_a_reply_and_a_hang_up_are_no_reply(on: On) -> None:
    async def play(line: Line, peer: Peer) -> None:
        line.send(b"MAIL\r\n", 1)
        await peer.says(b"250 o")
        peer.hangs_up()
        with pytest.raises(LineBroke):
            await line.reply(9)

    on(play)


def test_what_left_is_known_at_once_however_many_pieces_came_before(on: On) -> None:
    async def play(line: Line, peer: Peer) -> None:
        for pieces in (0, 1, 0, 2, 1, 3, 2, 2, 1):
            line.send(b"MAIL\r\n", 1)
            await line.left(SOON)
            await peer.hears()
            for _ in range(pieces):
                await peer.says(b"250-more\r\n")
                await asyncio.sleep(0)
            await peer.says(b"250 ok\r\n")
            assert (await line.reply(9)).code == 250

    on(play)


def test_a_server_that_stops_reading_is_noticed_and_never_gets_the_end(on: On, over: str) -> None:
    async def play(line: Line, peer: Peer) -> None:
        line.send(MUCH * MANY + END, 1)
        if over == "tcp":  # TLS takes it all
            with pytest.raises(TimeoutError, match="stopped reading"):
                await line.left(SOON)
        line.close()
        assert END not in await peer.hears_the_end()

    on(play)


def test_a_server_that_reads_slowly_gets_all_of_it(on: On) -> None:
    async def play(line: Line, peer: Peer) -> None:
        line.send(MUCH * MANY + END, 1)
        leaving = asyncio.create_task(line.left(9))
        for _ in range(MANY):
            assert await peer.reader.readexactly(len(MUCH)) == MUCH
        assert await peer.hears() == END[:-2]
        await leaving

    on(play)


def test_a_line_that_breaks_with_bytes_not_left_says_so(on: On, over: str) -> None:
    async def play(line: Line, peer: Peer) -> None:
        line.send(MUCH * MANY + END, 1)
        peer.resets()
        with pytest.raises(LineBroke):
            await line.left(9)
            assert over == "tls"  # which took it all
            await line.reply(9)

    on(play)


def test_a_server_that_hangs_up_after_it_heard_all_does_not_undo_that_it_left(on: On) -> None:
    async def play(line: Line, peer: Peer) -> None:
        line.send(b"body\r\n", 1)
        await peer.hears()
        peer.hangs_up()
        await line.left(9)
        with pytest.raises(LineBroke):
            await line.reply(9)

    on(play)


def test_nothing_can_be_sent_over_a_closed_line(on: On) -> None:
    async def play(line: Line, peer: Peer) -> None:
        line.close()
        with pytest.raises(LineBroke, match="was closed"):
            line.send(END, 1)
        with pytest.raises(LineBroke, match="was closed"):
            await line.reply(9)
        assert await peer.hears_the_end() == b""

    on(play)


def test_bytes_that_could_not_even_begin_to_leave_are_told_apart(loop: str) -> None:
    async def play() -> None:
        async with joined() as (line, _):
            with socket.socket(fileno=os.dup(line._transport.get_extra_info("socket").fileno())) as same:
                same.shutdown(socket.SHUT_WR)  # the loop has not heard of it when the line sends
            with pytest.raises(LineBroke):
                line.send(END, 1)

    run(loop, play)


def test_a_wait_that_is_cancelled_leaves_the_line_as_it_was(on: On) -> None:
    async def play(line: Line, peer: Peer) -> None:
        line.send(b"MAIL\r\n", 1)
        waiting = asyncio.create_task(line.reply(9))
        await peer.hears()
        waiting.cancel()
        await asyncio.wait([waiting])
        await peer.says(b"250 late\r\n")
        assert (await line.reply(9)).text == "late"

    on(play)


# the law: how the bytes are cut says nothing


REPLY_LINE = st.builds(
    lambda code, mark, text: b"%d%c%s\r\n" % (code, mark, text),
    st.integers(200, 599),
    st.sampled_from(b" -"),
    st.text("ab5 -", max_size=6).map(str.encode),
)
TALK = st.lists(REPLY_LINE | st.binary(max_size=4) | st.sampled_from([b"\r", b"\n", b"250"]), max_size=8).map(b"".join)


def heard(pieces: list[bytes], expected: int) -> list[str]:
    """What a line makes of bytes that come in these pieces: its replies, and what it broke with."""

    async def listen() -> list[str]:
        ours, theirs = socket.socketpair()
        with theirs:
            transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)
            line = Line(transport)
            line.send(b"x", expected)
            for piece in pieces:
                line.data_received(piece)
            said = []
            try:
                while True:
                    said.append(str(await line.reply(0)))
            except (LineBroke, TimeoutError) as end:
                said.append(str(end))
            line.close()
        return said

    with asyncio.Runner() as runner:
        return list(runner.run(listen()))


@given(TALK, st.lists(st.integers(0, 60), max_size=6), st.integers(0, 5))
def test_however_the_bytes_are_cut_the_replies_are_the_same(talk: bytes, cuts: list[int], expected: int) -> None:
    ends = sorted({0, len(talk), *(cut for cut in cuts if cut < len(talk))})
    pieces = [talk[begin:end] for begin, end in pairwise(ends)]
    assert heard(pieces, expected) == heard([talk], expected)


@given(st.lists(st.lists(REPLY_LINE, max_size=3), max_size=4), st.integers(1, 20))
def test_well_formed_replies_all_arrive(replies: list[list[bytes]], size: int) -> None:
    whole = [re.sub(rb"^(...)-", rb"\1 ", b"".join(lines[-1:])) for lines in replies if lines]
    more = [[re.sub(rb"^(...) ", rb"\1-", line) for line in lines[:-1]] for lines in replies if lines]
    talk = b"".join(b"".join(before) + last for before, last in zip(more, whole, strict=True))
    pieces = [talk[at : at + size] for at in range(0, len(talk), size)]
    codes = [said.partition("code=")[2][:3] for said in heard(pieces, len(whole))[:-1]]
    assert codes == [last[:3].decode() for last in whole]
