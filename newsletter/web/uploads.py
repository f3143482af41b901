"""Forms that bring a file: read at once, only up to a size, and never to a disk."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from newsletter.web.pages import words_for
from newsletter.web.posted import Body, body_of

_MOST_FIELDS = 20


class _InMemory(MultiPartParser):
    """A parser that leaves files in memory, where the whole body is already."""

    spool_max_size = 1 << 40


@dataclass(frozen=True, slots=True)
class Upload:
    """The fields of a form and the file that came with it; without one, its name and its bytes are empty."""

    fields: Mapping[str, str]
    file_name: str = ""
    data: bytes = b""


def upload_of(most_bytes: int) -> Callable[[Request, Body], Awaitable[Upload]]:
    """What reads a form with a file (`multipart/form-data`) of at most so many bytes in all; for `Depends`.

    Ends in 413 when there is more, in 400 when it is no such form.
    """

    async def read(request: Request, body: Annotated[Body, Depends(body_of(most_bytes))]) -> Upload:
        if not body.whole:
            raise HTTPException(413, words_for(request)["upload_too_large"].format(n=f"{most_bytes / 1e6:.0f}"))
        try:
            form = await _InMemory(
                in_utf8(request.headers),
                _at_once(body.data),
                max_files=1,
                max_fields=_MOST_FIELDS,
                max_part_size=most_bytes,
            ).parse()
        except (MultiPartException, KeyError):  # no boundary, or no header that could have one
            raise HTTPException(400) from None
        files = [value for value in form.values() if isinstance(value, UploadFile)]
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        data = await files[0].read() if files else b""
        return Upload(fields, (files[0].filename or "") if files else "", data)

    return read


def in_utf8(headers: Headers) -> Headers:
    """What says how a form is parted, without a charset for its fields: browsers name none, and not every one is text.

    Raises KeyError when nothing says it.
    """
    said = headers["content-type"].split(";")
    return Headers({"content-type": ";".join(part for part in said if not part.strip().lower().startswith("charset"))})


async def _at_once(data: bytes) -> AsyncGenerator[bytes, None]:
    yield data
