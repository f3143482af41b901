"""Writing in turns: however many forms come at once, pages to read are answered meanwhile."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from newsletter.web.posted import MOST_BODY_BYTES
from newsletter.web.security import COME_BACK, SAFE_METHODS, Refusal

WRITERS = 8
"""So many write at once, fewer than the database has connections: while it is locked, all of them wait in theirs."""
READERS = 2
"""So many pages are made at once beside them: more threads would only take the interpreter from each other."""
PATIENCE_SECONDS = 10
"""How long the next one waits for a turn; mail services do not wait much longer for a one-click link."""


@asynccontextmanager
async def few_threads(_application: Starlette) -> AsyncIterator[None]:
    """Let an application make so many answers at a time while it runs; how slowly they are read is no matter."""
    anyio.to_thread.current_default_thread_limiter().total_tokens = WRITERS + READERS
    yield


class WritesInTurn:
    """ASGI middleware that lets a few unsafe requests through at a time, and answers one that waited long itself.

    A turn begins when the body is there, and ends when the answer is made; the page that reads a large file gives its
    turn back until the end of that has come. So whoever sends or reads slowly holds nobody up but themselves.
    """

    def __init__(
        self, app: ASGIApp, refuse: Refusal, writers: int = WRITERS, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        self._app = app
        self._refuse = refuse
        self._turns = asyncio.Semaphore(writers)
        self._patience_seconds = patience_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on when it is its turn, or say that it is none."""
        if scope["type"] != "http" or scope["method"] in SAFE_METHODS:
            await self._app(scope, receive, send)
            return
        messages = await _beginning(receive)
        turn = _Turn(self._turns, self._patience_seconds)
        try:
            await turn.begin()
        except TimeoutError:
            await self._refuse(scope)(scope, receive, send)
            return

        async def send_and_end_turn(message: Message) -> None:
            turn.end()
            await send(message)

        try:
            await self._app(scope, _with_rest(messages, receive, turn), send_and_end_turn)
        finally:
            turn.end()


class _Turn:
    """The turn of one request, which it may give back and wait for again."""

    def __init__(self, turns: asyncio.Semaphore, patience_seconds: float) -> None:
        self._turns = turns
        self._patience_seconds = patience_seconds
        self._begun = False

    async def begin(self) -> None:
        """Wait for it; raises TimeoutError."""
        async with asyncio.timeout(self._patience_seconds):
            await self._turns.acquire()
        self._begun = True

    def end(self) -> None:
        """Let the next one begin; nothing happens the second time."""
        if self._begun:
            self._begun = False
            self._turns.release()


async def _beginning(receive: Receive) -> deque[Message]:
    """The body as it comes, all of it or more than any form without a file has."""
    messages: deque[Message] = deque()
    size = 0
    while size <= MOST_BODY_BYTES:
        message = await receive()
        messages.append(message)
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    return messages


def _with_rest(messages: deque[Message], receive: Receive, turn: _Turn) -> Receive:
    """The messages that have come, then those to come: whoever asks for the rest of a body has no turn meanwhile."""
    is_whole = not messages[-1].get("more_body")

    async def again() -> Message:
        nonlocal is_whole
        if messages:
            return messages.popleft()
        if is_whole:
            return await receive()
        turn.end()
        message = await receive()
        is_whole = not message.get("more_body")
        if is_whole and message["type"] == "http.request":
            try:
                await turn.begin()
            except TimeoutError:  # the page that reads the body ends in the same answer as one that had no turn at all
                raise HTTPException(503, headers=COME_BACK) from None
        return message

    return again
