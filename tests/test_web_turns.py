"""While the database is locked: forms wait in turns and end in words, pages to read are answered at once."""

import asyncio
import json
import socket
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import httpx2
import pytest
from desk_samples import at_desk
from pages.site import served
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from newsletter.app import Newsletter
from newsletter.web.posted import MOST_BODY_BYTES
from newsletter.web.turns import WRITERS, WritesInTurn

FORMS = 3 * WRITERS


@contextmanager
def locked(newsletter: Newsletter) -> Iterator[None]:
    """Another program writes into the database, and does not end."""
    holder = sqlite3.connect(str(newsletter.database_file), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        holder.execute("ROLLBACK")
        holder.close()


def test_pages_are_read_while_more_forms_wait_than_there_are_connections(newsletter: Newsletter) -> None:
    wish = {"address": "wen@example.com", "topics": ["policy"]}
    with newsletter.session() as session:
        newsletter.topics(session).seed()
    with served(newsletter) as address, ThreadPoolExecutor(FORMS) as clients:
        with locked(newsletter):
            posts = [
                clients.submit(httpx2.post, f"{address}/api/subscribe", json=wish, timeout=90) for _ in range(FORMS)
            ]
            seen = [
                httpx2.get(f"{address}{path}", timeout=20).status_code for path in ("/archive", "/healthz", "/") * 3
            ]
            assert not all(post.done() for post in posts)
        answers = [post.result() for post in posts]
    assert set(seen) == {200}
    assert {answer.status_code for answer in answers} <= {202, 503}
    assert all(json.loads(answer.text) for answer in answers)


def _waiting(writers: int, patience_seconds: float) -> tuple[WritesInTurn, asyncio.Event]:
    gate = asyncio.Event()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await gate.wait()
        await PlainTextResponse("done")(scope, receive, send)

    refuse = lambda scope: PlainTextResponse("later", 503)  # noqa: E731 - a name for it would say no more
    return WritesInTurn(application, refuse, writers, patience_seconds), gate


async def _status(application: WritesInTurn, method: str, read: asyncio.Event | None = None) -> int:
    """The status of an answer, of which more is taken once it was `read`."""
    said: list[int] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            said.append(message["status"])
            if read:
                await read.wait()

    await application({"type": "http", "method": method, "path": "/"}, receive, send)
    return said[0]


def test_a_form_without_a_turn_is_told_to_come_back_and_the_others_end() -> None:
    async def three_forms() -> list[int]:
        application, gate = _waiting(writers=2, patience_seconds=0.01)
        first = [asyncio.create_task(_status(application, "POST")) for _ in range(2)]
        await asyncio.sleep(0)
        third = await _status(application, "POST")
        gate.set()
        return [*await asyncio.gather(*first), third]

    assert asyncio.run(three_forms()) == [200, 200, 503]


def test_forms_whose_end_never_comes_hold_nobody_up(newsletter: Newsletter) -> None:
    with newsletter.session() as session:
        newsletter.topics(session).seed()
    wish = {"address": "wen@example.com", "topics": ["policy"]}
    with served(newsletter) as address, ExitStack() as open_lines:
        host, _, port = address.removeprefix("http://").partition(":")
        for _ in range(FORMS):
            line = open_lines.enter_context(socket.create_connection((host, int(port))))
            line.sendall(b"POST /subscribe HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\naddress=")
        assert httpx2.post(f"{address}/api/subscribe", json=wish, timeout=20).status_code == 202


def test_a_turn_ends_with_the_answer_and_not_when_it_was_read() -> None:
    async def two_forms() -> list[int]:
        read = asyncio.Event()
        application = WritesInTurn(PlainTextResponse("done"), lambda _: PlainTextResponse("later", 503), 1, 0.01)
        slow = asyncio.create_task(_status(application, "POST", read))
        await asyncio.sleep(0.001)
        quick = await _status(application, "POST")
        read.set()
        return [await slow, quick]

    assert asyncio.run(two_forms()) == [200, 200]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_who_only_reads_waits_for_nobody(method: str) -> None:
    async def while_one_writes() -> int:
        application, gate = _waiting(writers=1, patience_seconds=60)
        writing = asyncio.create_task(_status(application, "POST"))
        reading = asyncio.create_task(_status(application, method))
        await asyncio.sleep(0)
        gate.set()
        await writing
        return await reading

    assert asyncio.run(while_one_writes()) == 200


def test_large_files_whose_end_never_comes_hold_nobody_up(newsletter: Newsletter) -> None:
    cookie = at_desk(newsletter).cookies["desk"]
    with newsletter.session() as session:
        newsletter.topics(session).seed()
    wish = {"address": "wen@example.com", "topics": ["policy"]}
    begun = (
        "POST /desk/images HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Cookie: desk={cookie}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000000\r\n\r\n"
    ).encode()
    with served(newsletter) as address, ExitStack() as open_lines:
        host, _, port = address.removeprefix("http://").partition(":")
        for _ in range(FORMS):
            line = open_lines.enter_context(socket.create_connection((host, int(port))))
            line.sendall(begun + bytes(2 * MOST_BODY_BYTES))
        answers = [httpx2.post(f"{address}/api/subscribe", json=wish, timeout=20).status_code for _ in range(3)]
    assert answers == [202] * 3


def test_a_large_file_whose_end_has_come_waits_for_a_turn_again() -> None:
    async def file_and_form() -> tuple[int, int]:
        gate, forms = asyncio.Event(), list[asyncio.Task[int]]()

        async def application(scope: Scope, receive: Receive, send: Send) -> None:
            if forms:
                await gate.wait()
            while (await receive())["more_body"]:
                pass
            await PlainTextResponse("done")(scope, receive, send)

        turns = WritesInTurn(application, lambda _: PlainTextResponse("later", 503), 1, 0.01)
        pieces = [bytes(MOST_BODY_BYTES + 1), b"the end"]

        async def receive() -> Message:
            body = pieces.pop(0)
            if not pieces:  # while the file was on its way, a form has begun
                forms.append(asyncio.create_task(_status(turns, "POST")))
                await asyncio.sleep(0.001)
            return {"type": "http.request", "body": body, "more_body": bool(pieces)}

        with pytest.raises(HTTPException) as refusal:
            await turns({"type": "http", "method": "POST", "path": "/"}, receive, _to_nobody)
        gate.set()
        return refusal.value.status_code, await forms[0]

    assert asyncio.run(file_and_form()) == (503, 200)


async def _to_nobody(message: Message) -> None:
    assert not message
