"""What visitors see when a page cannot be had: a page in words, or one line for programs."""

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import Scope

from newsletter.web.pages import render, words_for
from newsletter.web.security import COME_BACK, CORS, SAFE_METHODS, complete
from newsletter.web.visitor import NotLocal

_LOG = logging.getLogger(__name__)
_KNOWN = (400, 403, 404, 405, 413, 422, 500, 503)


def add_handlers(application: FastAPI) -> None:
    """Let every refusal and failure of an application end in a decent answer."""
    application.add_exception_handler(HTTPException, _refused)
    application.add_exception_handler(RequestValidationError, _not_understood)
    application.add_exception_handler(NotLocal, _not_local)
    application.add_exception_handler(DBAPIError, _busy)
    application.add_exception_handler(PoolTimeout, _busy)
    application.add_exception_handler(ClientDisconnect, _gone)
    application.add_exception_handler(Exception, _failed)


def problem(request: Request, status: int, detail: str = "", *, template: str = "problem.html.j2") -> Response:
    """A page about a problem for browsers, one line of plain text for programs; `detail` says more than the status."""
    words = words_for(request)
    number = status if status in _KNOWN else 400 if status < 500 else 500
    title = words[f"problem_{number}"]
    detail = detail or words[f"problem_{number}_detail"]
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": f"{title} {detail}"}, status_code=status, headers=CORS)
    if "text/html" not in request.headers.get("accept", ""):
        return PlainTextResponse(f"{title} {detail}\n", status_code=status)
    return render(request, template, status=status, number=status, title=title, detail=detail)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
    path = request.url.path
    if error.status_code == 404 and len(path) > 1 and path.endswith("/") and request.method in SAFE_METHODS:
        # without the host, which a proxy may have changed, and never with two slashes, which would begin another one
        return RedirectResponse(f"/{path.strip('/')}" + (f"?{request.url.query}" if request.url.query else ""))
    if error.status_code == 405 and path.startswith("/desk/") and request.method in SAFE_METHODS:
        # it takes a form and nothing else; whoever opens it, perhaps for the other language, wants the form's page
        return RedirectResponse(path.rpartition("/")[0] + (f"?{request.url.query}" if request.url.query else ""), 303)
    # A detail that somebody wrote says more than the status' own phrase, which is all that the framework puts there.
    written = error.detail if error.status_code in (404, 413) and error.detail != "Not Found" else ""
    response = problem(request, error.status_code, written)
    response.headers.update(error.headers or {})
    return response


def _not_understood(request: Request, _error: Exception) -> Response:
    return problem(request, 422)


def _not_local(request: Request, _error: Exception) -> Response:
    return problem(request, 403, words_for(request)["not_local"], template="not_local.html.j2")


def from_elsewhere(scope: Scope) -> Response:
    """The answer to a form of another site."""
    request = Request(scope)
    return problem(request, 403, words_for(request)["from_elsewhere"])


def crowded(scope: Scope) -> Response:
    """The answer to a form that had no turn, because others wait for the database."""
    return _come_back(Request(scope))


def _gone(_request: Request, _error: Exception) -> Response:
    """Whoever sent a form left before its end: no fault of ours, and nobody reads this."""
    return Response(status_code=400)


def _busy(request: Request, error: Exception) -> Response:
    _LOG.error("the database refused: %s", getattr(error, "orig", error) or error)
    return _come_back(request)


def _come_back(request: Request) -> Response:
    response = problem(request, 503)
    response.headers.update(COME_BACK)
    return response


def _failed(request: Request, _error: Exception) -> Response:
    # This answer is made outside all middleware, and the server logs the error itself.
    response = problem(request, 500)
    complete(response.headers)
    return response
