"""The staff: who there is, and as what; invited, given roles and new links, signed out and removed."""

from fastapi import APIRouter, HTTPException, Request
from starlette.datastructures import QueryParams
from starlette.responses import RedirectResponse, Response

from newsletter.staff import accounts, invitations, membership, sessions
from newsletter.staff.accounts import StaffRefused
from newsletter.staff.rights import Right, Role
from newsletter.web.desk.moments import moment
from newsletter.web.desk.seat import actor_of, desk_page, needs
from newsletter.web.desk.session_list import lines
from newsletter.web.pages import newsletter_of, words_for
from newsletter.web.posted import Posted
from subscribers.addresses import AddressRefused, NameRefused

router = APIRouter(prefix="/desk/staff", dependencies=[needs(Right.MANAGE)])

_DONE = ("roles", "removed", "ended")


@router.api_route("", methods=["GET", "HEAD"])
def page(request: Request, done: str = "") -> Response:
    """Everybody, and the form to invite one more."""
    return _page(request, done=done if done in _DONE else "")


@router.post("")
def invite(request: Request, posted: Posted) -> Response:
    """Make an account, and show its link this once."""
    try:
        made = invitations.invite(
            newsletter_of(request), actor_of(request), posted.get("address", ""), posted.get("name", ""), _roles(posted)
        )
    except AddressRefused:
        return _page(request, 422, posted=posted, mistake="address")
    except NameRefused:
        return _page(request, 422, posted=posted, mistake="name")
    except StaffRefused as error:
        return _page(request, 422, posted=posted, mistake=error.why)
    return _link(request, made)


@router.api_route("/{public_id}", methods=["GET", "HEAD"])
def one(request: Request, public_id: str, done: str = "") -> Response:
    """One member of the staff: roles, browsers, a new link, removal."""
    return _one(request, public_id, done=done if done in _DONE else "")


@router.post("/{public_id}/roles")
def change_roles(request: Request, public_id: str, posted: Posted) -> Response:
    """Give them these roles and no others."""
    try:
        membership.change_roles(newsletter_of(request), actor_of(request), public_id, _roles(posted))
    except StaffRefused as error:
        return _one(request, public_id, mistake=error.why)
    return RedirectResponse(f"/desk/staff/{public_id}?done=roles", 303)


@router.post("/{public_id}/sessions")
def sign_out(request: Request, public_id: str) -> Response:
    """Sign them out everywhere."""
    try:
        membership.sign_out(newsletter_of(request), actor_of(request), public_id)
    except StaffRefused as error:
        return _one(request, public_id, mistake=error.why)
    return RedirectResponse(f"/desk/staff/{public_id}?done=ended", 303)


@router.post("/{public_id}/link")
def renew(request: Request, public_id: str) -> Response:
    """Take their password and second factor, and show a link to set a new one, this once."""
    try:
        made = invitations.renew(newsletter_of(request), actor_of(request), public_id)
    except StaffRefused as error:
        return _one(request, public_id, mistake=error.why)
    return _link(request, made)


@router.post("/{public_id}/remove")
def remove(request: Request, public_id: str) -> Response:
    """Take them off the staff."""
    try:
        membership.remove(newsletter_of(request), actor_of(request), public_id)
    except StaffRefused as error:
        return _one(request, public_id, mistake=error.why)
    return RedirectResponse("/desk/staff?done=removed", 303)


def _roles(posted: QueryParams) -> list[Role]:
    return [role for role in Role if role.value in posted.getlist("role")]


def _page(
    request: Request, status: int = 200, *, posted: QueryParams | None = None, mistake: str = "", done: str = ""
) -> Response:
    newsletter, posted = newsletter_of(request), posted or QueryParams()
    with newsletter.reading() as session:
        everybody = accounts.everybody(session)
    return desk_page(
        request,
        "staff.html.j2",
        place="settings",
        status=status,
        everybody=everybody,
        roles=list(Role),
        typed={"address": posted.get("address", ""), "name": posted.get("name", ""), "roles": _roles(posted)},
        mistake=mistake,
        done=done,
    )


def _one(request: Request, public_id: str, *, done: str = "", mistake: str = "") -> Response:
    newsletter = newsletter_of(request)
    with newsletter.reading() as session:
        try:
            row = accounts.by_public_id(session, public_id)
        except StaffRefused:
            raise HTTPException(404, words_for(request)["staff_unknown"]) from None
        theirs = sessions.of(session, row.id, newsletter.clock())
    until = row.invited_at + invitations.LASTS if row.invited_at else None
    return desk_page(
        request,
        "staff_member.html.j2",
        place="settings",
        status=422 if mistake else 200,
        row=row,
        link_until=moment(request, until),
        link_open=bool(until and until > newsletter.clock()),
        roles=list(Role),
        sessions=lines(request, theirs, None),
        done=done,
        mistake=mistake,
    )


def _link(request: Request, made: invitations.Invited) -> Response:
    return desk_page(request, "staff_link.html.j2", place="settings", made=made, days=invitations.LASTS.days)
