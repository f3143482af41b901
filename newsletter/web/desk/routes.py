"""All pages of the desk, and what it answers to those who may not see them."""

from urllib.parse import quote

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from newsletter.staff.rights import Right
from newsletter.web.desk import (
    account,
    approval,
    audit,
    checks,
    editor,
    editor_mail,
    events,
    history,
    issues,
    log,
    login,
    look,
    overview,
    pictures,
    preview,
    reader,
    reader_import,
    readers,
    restored,
    sending,
    settings,
    staff,
    suppression,
    topics,
    trial,
)
from newsletter.web.desk.seat import NotAllowed, NotSignedIn, desk_page
from newsletter.web.pages import words_for
from newsletter.web.security import SAFE_METHODS

ROUTERS: tuple[APIRouter, ...] = (
    issues.router,
    history.router,
    pictures.router,
    pictures.public,
    editor.router,  # after every page with a name of its own below /desk/issues
    editor_mail.router,
    approval.router,
    checks.router,
    events.router,
    sending.router,
    trial.router,
    overview.router,
    restored.router,
    settings.router,
    preview.router,
    look.router,
    login.router,
    account.router,
    staff.router,
    audit.router,
    log.router,
    readers.router,
    reader_import.router,
    reader.router,
    suppression.router,
    topics.router,
)


def add_handlers(application: FastAPI) -> None:
    """Send those who are not signed in to the login, and tell the others what they lack."""
    application.add_exception_handler(NotSignedIn, _not_signed_in)
    application.add_exception_handler(NotAllowed, _not_allowed)


def _not_signed_in(request: Request, _error: Exception) -> Response:
    """The login for whoever opens a page; a form is told to stay where it is, so that what was typed is not lost."""
    if request.method in SAFE_METHODS and "text/html" in request.headers.get("accept", ""):
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"/desk/login?next={quote(request.url.path + query, safe='')}", 303)
    return PlainTextResponse(words_for(request)["desk_signed_out"] + "\n", 401)


def _not_allowed(request: Request, error: Exception) -> Response:
    right: Right = error.args[0]
    words = words_for(request)
    detail = words[f"desk_not_allowed_{right}"]
    if "text/html" not in request.headers.get("accept", ""):
        return PlainTextResponse(detail + "\n", 403)
    return desk_page(
        request, "problem.html.j2", place="", status=403, number=403, title=words["desk_not_allowed"], detail=detail
    )
