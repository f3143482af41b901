"""Bringing in a reader list: look through it first, with nothing written; then take it in, and say what it did."""

import csv
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from io import StringIO
from typing import Annotated, BinaryIO

from fastapi import APIRouter, Depends, HTTPException, Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.responses import RedirectResponse, Response

from newsletter.readers import reader_lists
from newsletter.readers.reader_lists import KeptList, Told
from newsletter.staff.rights import Right
from newsletter.web.desk.seat import actor_of, desk_page, needs
from newsletter.web.pages import newsletter_of, words_for
from newsletter.web.uploads import in_utf8
from subscribers.csv_cells import COLUMNS, defused
from subscribers.csv_file import LIMIT_BYTES, CsvRefused
from subscribers.csv_report import Outcome
from subscribers.models import State

router = APIRouter(prefix="/desk/readers/import", dependencies=[needs(Right.READERS)])

_SHOWN = 100
"""So many of the lines that were kept or refused stand in the page; all that are told are in the file."""
_AROUND_BYTES = 10_000
"""What a form has beside its file."""


class TooLarge(Exception):
    """More came than any list may have."""


@dataclass(frozen=True, slots=True)
class Upload:
    """The form as it came: a file with its name, or none; and the state that readers are to come in with."""

    file: BinaryIO | None
    name: str
    state: State


async def read_upload(request: Request) -> AsyncIterator[Upload | None]:
    """The form with a file; what is large goes to a temporary file, which is gone with the request.

    None for what is no such form. Ends in 413 for more than a list may have.
    """
    try:
        form = await MultiPartParser(in_utf8(request.headers), _limited(request), max_files=1, max_fields=5).parse()
    except TooLarge:
        raise HTTPException(413, words_for(request)["import_too_large"]) from None
    except (MultiPartException, KeyError):  # no boundary, or no header that could have one
        yield None
        return
    file = form.get("file")
    pending = form.get("state") == State.PENDING
    there = file if isinstance(file, UploadFile) and file.size else None
    try:
        yield Upload(
            there.file if there else None,
            (there.filename or "") if there else "",
            State.PENDING if pending else State.ACTIVE,
        )
    finally:
        await form.close()


@router.api_route("", methods=["GET", "HEAD"])
def ask(request: Request) -> Response:
    """The form for a file, and what may stand in it."""
    return _asking(request)


@router.post("")
def look_through(request: Request, upload: Annotated[Upload | None, Depends(read_upload)]) -> Response:
    """Say what a list would do, and keep it for an hour; nobody is added or changed."""
    if upload is None or upload.file is None:
        return _asking(request, mistake=words_for(request)["import_no_file"])
    newsletter, actor = newsletter_of(request), actor_of(request)
    try:
        key = reader_lists.keep(newsletter, actor, upload.name, upload.file, upload.state)
    except CsvRefused as error:
        return _asking(request, refusal=str(error), state=upload.state)
    return RedirectResponse(f"/desk/readers/import/{key}", 303)


@router.api_route("/{key}", methods=["GET", "HEAD"])
def show(request: Request, key: str) -> Response:
    """What a list would do, or once it is taken in, what it did."""
    kept = _kept(request, key)
    return desk_page(
        request,
        "reader_import_report.html.j2",
        place="readers",
        tab="import",
        kept=kept,
        told=[_said(request, line) for line in kept.report.told[:_SHOWN]],
        shown=_SHOWN,
        outcomes=tuple(Outcome),
        known=COLUMNS,
    )


@router.post("/{key}")
def take_in(request: Request, key: str) -> Response:
    """Take a list in, as it was looked through."""
    _kept(request, key)
    reader_lists.take_in(newsletter_of(request), actor_of(request), key)
    return RedirectResponse(f"/desk/readers/import/{key}", 303)


@router.post("/{key}/drop")
def drop(request: Request, key: str) -> Response:
    """Forget a list."""
    reader_lists.drop(newsletter_of(request), actor_of(request), key)
    return RedirectResponse("/desk/readers/import", 303)


@router.api_route("/{key}/lines.csv", methods=["GET", "HEAD"])
def lines(request: Request, key: str) -> Response:
    """The lines that were kept or refused, with the reasons, as a file."""
    text = StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(("line", "address", "outcome", "reason"))
    told = _kept(request, key).report.told
    writer.writerows([defused(str(cell)) for cell in _said(request, line)] for line in told)
    headers = {"content-disposition": 'attachment; filename="lines.csv"'}
    return Response(text.getvalue().encode("utf-8-sig"), media_type="text/csv; charset=utf-8", headers=headers)


def _said(request: Request, told: Told) -> tuple[int | str, ...]:
    """Number, address and outcome of a line, and the reason in the page's language."""
    line, address, outcome, reason, code, value = told
    known = words_for(request).get(f"import_why_{code}")
    return line, address, outcome, known.format(value=value) if known else reason


def _asking(request: Request, *, mistake: str = "", refusal: str = "", state: State = State.ACTIVE) -> Response:
    return desk_page(
        request,
        "reader_import.html.j2",
        status=422 if mistake or refusal else 200,
        place="readers",
        tab="import",
        mistake=mistake or (words_for(request)["import_refused"] if refusal else ""),
        refusal=refusal,
        state=state,
        columns=COLUMNS,
        most=reader_lists.MOST_LINES,
    )


def _kept(request: Request, key: str) -> KeptList:
    """The list of an address; ends in 404 for one that is kept no more, or is somebody else's."""
    found = reader_lists.look(newsletter_of(request), actor_of(request), key)
    if found is None:
        raise HTTPException(404, words_for(request)["import_gone"])
    return found


async def _limited(request: Request) -> AsyncGenerator[bytes, None]:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > LIMIT_BYTES + _AROUND_BYTES:
            raise TooLarge
        yield chunk
