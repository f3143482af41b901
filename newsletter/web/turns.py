"""Writing in turns: however many forms come at once, pages to read are answered meanwhile."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

import anyio.to_thread
from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from newsletter.web.posted import MOST_BODY_BYTES
from newsletter.web.security import SAFE_METHODS, Refusal

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

    A turn begins when the body is there and ends when the answer is made: whoever sends or reads slowly holds nobody
    up but themselves.
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
        receive = await _received(receive)
        try:
            async with asyncio.timeout(self._patience_seconds):
                await self._turns.acquire()
        except TimeoutError:
            await self._refuse(scope)(scope, receive, send)
            return
        with ExitStack() as turn:
            turn.callback(self._turns.release)

            async def send_and_end_turn(message: Message) -> None:
                turn.close()
                await send(message)

            await self._app(scope, receive, send_and_end_turn)


async def _received(receive: Receive) -> Receive:
    """The same messages, after the body has come, or so much of it that no page of ours asks for more."""
    messages: deque[Message] = deque()
    size = 0
    while size <= MOST_BODY_BYTES:
        message = await receive()
        messages.append(message)
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            break

    async def again() -> Message:
        return messages.popleft() if messages else await receive()

    return again
