"""Getting in and out: the login, the code after it, the link of an invitation, and signing out."""

from urllib.parse import unquote

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from newsletter.staff import invitations, logins, passwords
from newsletter.staff.invitations import InvitationOver, InvitationUnknown
from newsletter.staff.logins import LoginRefused, ProofOver
from newsletter.staff.throttle import TooManyTries
from newsletter.web.desk.seat import NotSignedIn, actor_of, forget, keep, token_of, visitor_of
from newsletter.web.pages import newsletter_of, render, words_for
from newsletter.web.posted import Posted

router = APIRouter()

_HOME = "/desk"


@router.api_route("/desk/login", methods=["GET", "HEAD"])
def page(request: Request) -> Response:
    """The form; or, for who is signed in, the page that they were on the way to."""
    try:
        actor_of(request)
    except NotSignedIn:
        return _form(request)
    return RedirectResponse(_way_on(request), 303)


@router.post("/desk/login")
def log_in(request: Request, posted: Posted) -> Response:
    """Try a password, or the code that comes after it; the answer is the same whatever was wrong."""
    newsletter, visitor, proof = newsletter_of(request), visitor_of(request), posted.get("proof", "")
    address = posted.get("address", "")
    try:
        if proof:
            return _let_in(request, logins.bring_code(newsletter, proof, posted.get("code", ""), visitor))
        passed = logins.sign_in(newsletter, address, posted.get("password", ""), visitor)
    except LoginRefused:
        return _form(request, address, proof, "login_code_wrong" if proof else "login_wrong")
    except ProofOver:
        return _form(request, address, remark="login_proof_over")
    except TooManyTries as error:
        return _form(request, address, proof, "login_too_many", wait_seconds=error.seconds)
    if passed.proof:
        return _form(request, address, passed.proof)
    return _let_in(request, passed.session_token)


@router.post("/desk/logout")
def log_out(request: Request) -> Response:
    """End this browser's session."""
    logins.sign_out(newsletter_of(request), token_of(request))
    response = RedirectResponse("/desk/login", 303)
    forget(request, response)
    return response


@router.api_route("/desk/welcome/{token}", methods=["GET", "HEAD"])
def welcome(request: Request, token: str) -> Response:
    """The form for a first or a new password, by the link of an invitation."""
    return _welcome(request, token)


@router.post("/desk/welcome/{token}")
def come_in(request: Request, token: str, posted: Posted) -> Response:
    """Set the password, and let them in."""
    password, again = posted.get("password", ""), posted.get("again", "")
    try:
        session_token = invitations.accept(newsletter_of(request), token, password, again, visitor_of(request))
    except (passwords.PasswordRefused, InvitationUnknown, InvitationOver) as error:
        return _welcome(request, token, getattr(error, "why", ""))
    return _let_in(request, session_token)


def is_of_the_desk(address: str) -> bool:
    """Whether an address leads to a page of the desk and nowhere else, however a browser reads it."""
    path = unquote(address).partition("?")[0].partition("#")[0]
    plain = address.isprintable() and "\\" not in address and " " not in address
    pieces = path.split("/")
    below = pieces[:2] == ["", "desk"] and not {"", ".", ".."} & {*pieces[2:]}
    return plain and below and pieces[2:3] not in (["login"], ["logout"], ["welcome"])


def _way_on(request: Request) -> str:
    wished = request.query_params.get("next", "")
    return wished if is_of_the_desk(wished) else _HOME


def _let_in(request: Request, session_token: str) -> Response:
    """On to the page that was wanted, with a session of its own; the one that the browser had before ends."""
    logins.sign_out(newsletter_of(request), token_of(request))
    response = RedirectResponse(_way_on(request), 303)
    keep(request, response, session_token)
    return response


def _form(request: Request, address: str = "", proof: str = "", remark: str = "", wait_seconds: int = 0) -> Response:
    """The login, or its second step where there is a `proof` of the first."""
    wished = request.query_params.get("next", "")
    return render(
        request,
        "desk/login.html.j2",
        status=429 if wait_seconds else 422 if remark else 200,
        headers={"retry-after": str(wait_seconds)} if wait_seconds else None,
        address=address,
        proof=proof,
        remark=remark,
        wait_minutes=-(-wait_seconds // 60),
        way_on=wished if is_of_the_desk(wished) else "",
    )


def _welcome(request: Request, token: str, mistake: str = "") -> Response:
    newsletter, words = newsletter_of(request), words_for(request)
    try:
        staff = invitations.look(newsletter, token)
    except InvitationUnknown:
        raise HTTPException(404, words["welcome_unknown"]) from None
    except InvitationOver:
        return render(request, "desk/welcome_over.html.j2", status=410)
    return render(
        request,
        "desk/welcome.html.j2",
        status=422 if mistake else 200,
        token=token,
        staff=staff,
        mistake=mistake,
        least=passwords.LEAST_CHARACTERS,
        most=passwords.MOST_CHARACTERS,
    )
