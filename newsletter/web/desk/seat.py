"""Who sits at the desk: the session in a request's cookie, and what each page asks of its owner."""

from typing import Any

from fastapi import Depends, Request
from starlette.responses import HTMLResponse, Response

from newsletter.staff import sessions
from newsletter.staff.logins import Visitor
from newsletter.staff.rights import Actor, Right
from newsletter.web.pages import newsletter_of, render
from newsletter.web.visitor import client_of, is_local

COOKIES = ("__Host-desk", "desk")
"""The first one over https; a browser takes it from nobody else."""


class NotSignedIn(Exception):
    """A page of the desk was asked for by nobody we know."""


class NotAllowed(Exception):
    """Somebody asked for what their roles do not give; the argument is the right they lack."""


def actor_of(request: Request) -> Actor:
    """Who asks; raises `NotSignedIn`."""
    if not hasattr(request.state, "actor"):
        newsletter = newsletter_of(request)
        token = token_of(request)
        with newsletter.reading() as session:
            request.state.actor = sessions.who(session, token, newsletter.clock()) if token else None
    found: Actor | None = request.state.actor
    if found is None:
        raise NotSignedIn
    return found


def needs(right: Right) -> Any:
    """The dependency of a router or a route whose pages are for those who have a right."""

    def check(request: Request) -> None:
        if not actor_of(request).may(right):
            raise NotAllowed(right)

    check.right = right  # type: ignore[attr-defined]  # read where the rights of all routes are listed
    return Depends(check)


def token_of(request: Request) -> str:
    """The session's token in the cookie, or nothing."""
    names = COOKIES[:1] if _over_https(request) else COOKIES
    return next((request.cookies[name] for name in names if name in request.cookies), "")


def session_of(request: Request) -> int | None:
    """The id of the session that a request belongs to."""
    newsletter = newsletter_of(request)
    with newsletter.reading() as session:
        found = sessions.find(session, token_of(request), newsletter.clock())
    return found[0].id if found else None


def visitor_of(request: Request) -> Visitor:
    """From where a request comes and with which browser."""
    trusted = newsletter_of(request).settings.trusted_proxies
    return Visitor(client_of(request, trusted), request.headers.get("user-agent", ""))


def keep(request: Request, response: Response, token: str) -> None:
    """Let the browser keep a session's token: out of reach of scripts, sent to us alone."""
    https = _over_https(request)
    seconds = int(sessions.LONGEST.total_seconds())
    name = COOKIES[0 if https else 1]
    response.set_cookie(name, token, max_age=seconds, path="/", secure=https, httponly=True, samesite="lax")


def forget(request: Request, response: Response) -> None:
    """Take the token out of the browser."""
    https = _over_https(request)
    response.delete_cookie(COOKIES[0 if https else 1], path="/", secure=https, httponly=True, samesite="lax")


def _over_https(request: Request) -> bool:
    """Whether the browser came by https: by the newsletter's address, or past it, at this machine, without."""
    return newsletter_of(request).settings.base_url.startswith("https:") and not is_local(request)


def desk_page(request: Request, name: str, *, place: str, status: int = 200, **context: Any) -> HTMLResponse:
    """A page of the desk, from the template `desk/<name>`.

    `place` is the part of the desk that it belongs to, for the navigation: overview, issues, readers, topics, log,
    settings or account. Templates may also use `me`, the `Actor`, and `may`, a set of the rights they have.
    """
    me = actor_of(request)
    rights = {right.value for right in Right if me.may(right)}
    return render(request, f"desk/{name}", status=status, me=me, may=rights, place=place, **context)
