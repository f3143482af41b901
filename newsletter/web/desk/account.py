"""One's own account: password, second factor, and the browsers that one is signed in with."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from newsletter.staff import own_account, passwords, second_factor, sessions
from newsletter.staff.logins import LoginRefused
from newsletter.staff.models import Staff
from newsletter.staff.own_account import CodeRefused
from newsletter.staff.passwords import PasswordRefused
from newsletter.staff.rights import Right, Role
from newsletter.staff.throttle import TooManyTries
from newsletter.web.desk.seat import actor_of, desk_page, needs, session_of, visitor_of
from newsletter.web.desk.session_list import lines
from newsletter.web.pages import newsletter_of
from newsletter.web.posted import Posted

router = APIRouter(prefix="/desk/account", dependencies=[needs(Right.LOOK)])

_DONE = ("password", "on", "off", "ended")


@router.api_route("", methods=["GET", "HEAD"])
def page(request: Request, done: str = "") -> Response:
    """The account; `done` is what was done with it just now."""
    return _page(request, done=done if done in _DONE else "")


@router.post("/password")
def change_password(request: Request, posted: Posted) -> Response:
    """Set another password; every other browser is signed out."""
    try:
        own_account.change_password(
            newsletter_of(request),
            actor_of(request),
            posted.get("old", ""),
            posted.get("password", ""),
            posted.get("again", ""),
            origin=visitor_of(request).origin,
            here=session_of(request),
        )
    except PasswordRefused as error:
        return _page(request, 422, mistakes={"password": error.why})
    except LoginRefused:
        return _page(request, 422, mistakes={"old": "wrong"})
    except TooManyTries as error:
        return _too_many(request, error, "old")
    return _back("password")


@router.api_route("/second-factor", methods=["GET", "HEAD"])
def offer_second_factor(request: Request) -> Response:
    """A new secret for the app; it holds for nothing before a code of it has come."""
    return _second_factor(request, second_factor.new_secret())


@router.post("/second-factor")
def turn_on(request: Request, posted: Posted) -> Response:
    """Ask for codes from now on, if the app shows the right one."""
    secret = posted.get("secret", "")
    try:
        own_account.turn_on(newsletter_of(request), actor_of(request), secret, posted.get("code", ""))
    except CodeRefused:
        known = second_factor.is_secret(secret)
        return _second_factor(request, secret if known else second_factor.new_secret(), mistake=True)
    return _back("on")


@router.post("/second-factor/off")
def turn_off(request: Request, posted: Posted) -> Response:
    """Ask for no codes any more."""
    newsletter, me, origin = newsletter_of(request), actor_of(request), visitor_of(request).origin
    try:
        own_account.turn_off(newsletter, me, posted.get("password", ""), origin=origin)
    except LoginRefused:
        return _page(request, 422, mistakes={"off": "wrong"})
    except TooManyTries as error:
        return _too_many(request, error, "off")
    return _back("off")


@router.post("/sessions")
def end_sessions(request: Request, posted: Posted) -> Response:
    """Sign another browser out, or all the others."""
    newsletter, me, which = newsletter_of(request), actor_of(request), posted.get("end", "")
    if which == "others":
        own_account.end_other_sessions(newsletter, me, session_of(request))
    elif which.isascii() and which.isdecimal() and len(which) < 10:
        own_account.end_session(newsletter, me, int(which))
    return _back("ended")


def _page(request: Request, status: int = 200, *, mistakes: dict[str, str] | None = None, **context: Any) -> Response:
    newsletter, me = newsletter_of(request), actor_of(request)
    with newsletter.reading() as session:
        staff = session.get(Staff, me.id)
        theirs = sessions.of(session, me.id, newsletter.clock())
    return desk_page(
        request,
        "account.html.j2",
        place="account",
        status=status,
        roles=list(Role),
        has_second_factor=bool(staff and staff.totp_secret),
        sessions=lines(request, theirs, session_of(request)),
        least=passwords.LEAST_CHARACTERS,
        most=passwords.MOST_CHARACTERS,
        **{"done": "", "wait_minutes": 0, "mistakes": mistakes or {}, **context},
    )


def _second_factor(request: Request, secret: str, *, mistake: bool = False) -> Response:
    picture = second_factor.square(secret, actor_of(request).address, newsletter_of(request).name)
    status = 422 if mistake else 200
    context = {"secret": secret, "picture": picture, "mistake": mistake}
    return desk_page(request, "second_factor.html.j2", place="account", status=status, **context)


def _too_many(request: Request, error: TooManyTries, field: str) -> Response:
    response = _page(request, 429, mistakes={field: "too_many"}, wait_minutes=-(-error.seconds // 60))
    response.headers["retry-after"] = str(error.seconds)
    return response


def _back(done: str) -> Response:
    return RedirectResponse(f"/desk/account?done={done}", 303)
