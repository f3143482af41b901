"""The issues: all of them in a list, and a new one from nothing, from an earlier one, from a text or a file."""

from datetime import date
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from newsletter.content.document import MAX_BYTES
from newsletter.content.encoding import decode
from newsletter.editorial.listing import STATES, issues, to_go_on_with
from newsletter.editorial.writing import create, from_earlier, next_free_date
from newsletter.staff.rights import Right
from newsletter.storage.issues import IssueRefused, Saved
from newsletter.web.archive_view import address, labels
from newsletter.web.desk.seat import actor_of, desk_page, needs
from newsletter.web.pages import newsletter_of, words_for
from newsletter.web.uploads import Upload, upload_of
from newsletter.web.visitor import language_of

router = APIRouter(prefix="/desk/issues")

_FORM_BYTES = 2 * MAX_BYTES + 100_000
"""A text and a file, each as large as an issue may be."""


class _Mistake(Exception):
    """What was typed makes no issue; the argument is the word that says why."""


@router.api_route("", methods=["GET", "HEAD"], dependencies=[needs(Right.LOOK)])
def listing(request: Request, page: str = "", state: str = "", q: str = "") -> Response:
    """A page of issues, the latest first."""
    newsletter = newsletter_of(request)
    state = state if state in STATES else ""
    listed = issues(newsletter, page=int(page) if page.isdecimal() and len(page) < 6 else 1, state=state, search=q)

    def there(number: int) -> str:
        return address("/desk/issues", q=q, state=state, page=number if number > 1 else 0)

    return desk_page(
        request,
        "issues.html.j2",
        place="issues",
        listed=listed,
        states=STATES,
        state=state,
        q=q,
        earlier=there(listed.page - 1) if listed.page > 1 else "",
        further=there(listed.page + 1) if listed.page < listed.pages else "",
        short_date=lambda day: labels(language_of(request)).short_date(day, newsletter.today()),
    )


@router.api_route("/new", methods=["GET", "HEAD"], dependencies=[needs(Right.WRITE)])
def new(request: Request) -> Response:
    """The form for a new issue."""
    return _form(request, next_free_date(newsletter_of(request)).isoformat())


@router.post("", dependencies=[needs(Right.WRITE)])
def make(request: Request, upload: Annotated[Upload, Depends(upload_of(_FORM_BYTES))]) -> Response:
    """Begin an issue: from the file if there is one, else from the text, else as was chosen."""
    on, how, text = (upload.fields.get(name, "") for name in ("date", "how", "text"))
    try:
        saved = _made(request, upload, on, how, text)
    except _Mistake as mistake:
        return _form(request, on, how, text, mistake=str(mistake))
    except IssueRefused as refusal:
        return _form(request, on, how, text, refusal=str(refusal))
    return RedirectResponse(f"/desk/issues/{quote(saved.slug, safe='')}", 303)


def _made(request: Request, upload: Upload, on: str, how: str, text: str) -> Saved:
    newsletter, actor, day = newsletter_of(request), actor_of(request), _day(on)
    if upload.data:
        return create(newsletter, actor, day, _decoded(upload.data))
    if not text.strip() and how == "earlier" and (earlier := to_go_on_with(newsletter)):
        return from_earlier(newsletter, actor, earlier, day)
    return create(newsletter, actor, day, text)


def _day(written: str) -> date:
    try:
        return date.fromisoformat(written.strip())
    except ValueError:
        raise _Mistake("date") from None


def _decoded(data: bytes) -> str:
    """The text of a file in any encoding that issues are read in."""
    if len(data) > MAX_BYTES:
        raise _Mistake("large")
    text = decode(data)
    if text is None:
        raise _Mistake("encoding")
    if not text.strip():
        raise _Mistake("empty")
    return text


def _form(
    request: Request, on: str, how: str = "earlier", text: str = "", *, mistake: str = "", refusal: str = ""
) -> Response:
    """The form with what was typed; `mistake` is the word of what is wrong with it."""
    words = words_for(request)
    return desk_page(
        request,
        "new_issue.html.j2",
        place="issues",
        status=400 if mistake or refusal else 200,
        on=on,
        how=how,
        text=text,
        earlier=to_go_on_with(newsletter_of(request)),
        mistake=mistake,
        refusal=words[f"new_issue_mistake_{mistake}"].format(n=MAX_BYTES // 1_000_000) if mistake else refusal,
    )
