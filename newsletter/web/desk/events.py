"""A send as it goes on, told to whoever watches by server-sent events.

A stream ends after some seconds and the browser asks again by itself: so nobody watches longer than their session
lasts, and a server that is told to stop does not wait for those who look on. However many watch, the database is asked
once a second by one of them (`newsletter.editorial.progress`).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import EventSourceResponse, ServerSentEvent

from newsletter.staff.rights import Right
from newsletter.web.desk.issue_bar import issue_bar
from newsletter.web.desk.seat import actor_of, needs
from newsletter.web.desk.sending_view import progress_context
from newsletter.web.pages import Pages, watch_of
from newsletter.web.visitor import language_of

LASTS_SECONDS = 10.0
RUNNING_SECONDS, IDLE_SECONDS = 1.0, 3.0
AGAIN_MILLISECONDS = 500
router = APIRouter(prefix="/desk/issues/{slug}/sending", dependencies=[needs(Right.LOOK)])


@dataclass(frozen=True, slots=True)
class Shown:
    """What a watcher sees of a send at a moment, as pieces of their page."""

    state: str
    figures: str
    controls: str
    over: bool


def known(request: Request, slug: str) -> str:
    """The slug of an issue that there is; ends in 404 for another."""
    return issue_bar(request, slug).slug


@router.get("/events", response_class=EventSourceResponse)
async def events(request: Request, slug: str = Depends(known)) -> AsyncIterator[ServerSentEvent]:
    """The state of a send, whenever it may have changed."""
    async for event in follow(lambda: run_in_threadpool(_shown, request, slug), asyncio.sleep):
        yield event


async def follow(
    look: Callable[[], Awaitable[Shown]], wait: Callable[[float], Awaitable[None]]
) -> AsyncIterator[ServerSentEvent]:
    """One stream: what is seen, as often as it is worth it, until it is over or the stream has lasted long enough."""
    lasted, seen = 0.0, None
    while True:
        shown = await look()
        if shown != seen:
            yield ServerSentEvent(event="state", raw_data=shown.state, retry=AGAIN_MILLISECONDS)
            yield ServerSentEvent(event="figures", raw_data=shown.figures)
            yield ServerSentEvent(event="controls", raw_data=shown.controls)
            seen = shown
        if shown.over:
            yield ServerSentEvent(event="end", raw_data=shown.state)
            return
        seconds = RUNNING_SECONDS if shown.state == "sending" else IDLE_SECONDS
        if lasted + seconds > LASTS_SECONDS:
            return
        await wait(seconds)
        lasted += seconds


def _shown(request: Request, slug: str) -> Shown:
    """What this watcher sees now; a thread of its own does this, because it may ask the database."""
    pages: Pages = request.app.state.pages
    found, me, language = watch_of(request).look(slug), actor_of(request), language_of(request)
    if not found.is_begun:
        return Shown(found.state, "", "", over=False)
    context = {
        **progress_context(request, found),
        "slug": slug,
        "may": {right.value for right in Right if me.may(right)},
    }
    return Shown(
        found.state,
        pages.render("desk/sending_figures.html.j2", language, context),
        pages.render("desk/sending_controls.html.j2", language, context),
        over=found.is_over,
    )
