"""What a form posted, read at once and only up to a size."""

from typing import Annotated

from fastapi import Depends, HTTPException, Request
from starlette.datastructures import QueryParams

_BODY_BYTES = 64_000
"""Every keyword that may be kept, percent-encoded, and then some."""


async def read_posted(request: Request) -> QueryParams:
    """The fields of a form as browsers send it without files (`application/x-www-form-urlencoded`).

    Bytes that are no UTF-8 become replacement characters. Ends in 413 when there is more than any form of ours holds.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _BODY_BYTES:
            raise HTTPException(413)
    return QueryParams(body.decode("utf-8", "replace"))


Posted = Annotated[QueryParams, Depends(read_posted)]
"""The fields of the form that came with a request."""
