"""What came with a request: its body, read at once and only up to a size, and the fields of a form."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from starlette.datastructures import QueryParams

from newsletter.web.pages import words_for

MOST_BODY_BYTES = 64_000
"""Every keyword that may be kept, percent-encoded, and then some: no page reads more."""


@dataclass(frozen=True, slots=True)
class Body:
    """What was sent, whatever it claims to be: all of it when it is `whole`, else its beginning."""

    data: bytes
    whole: bool


def body_of(most_bytes: int) -> Callable[[Request], Awaitable[Body]]:
    """What reads a body, at most so many bytes of it; for `Depends`."""

    async def read(request: Request) -> Body:
        data = bytearray()
        async for chunk in request.stream():
            data += chunk
            if len(data) > most_bytes:
                return Body(bytes(data[:most_bytes]), whole=False)
        return Body(bytes(data), whole=True)

    return read


def read_posted(request: Request, body: Annotated[Body, Depends(body_of(MOST_BODY_BYTES))]) -> QueryParams:
    """The fields of a form as browsers send it without files (`application/x-www-form-urlencoded`).

    Bytes that are no UTF-8 become replacement characters. Ends in 413 when there is more than any form of ours holds.
    """
    if not body.whole:
        raise HTTPException(413, words_for(request)["form_too_long"].format(n=MOST_BODY_BYTES))
    return QueryParams(body.data.decode("utf-8", "replace"))


Posted = Annotated[QueryParams, Depends(read_posted)]
"""The fields of the form that came with a request."""
