"""Sending an issue and watching it: begin now, at a time or in the slot; pause, resume, cancel, settle, send again."""

from collections.abc import Callable
from datetime import UTC, timedelta
from functools import partial
from typing import TypeVar

from fastapi import APIRouter, Request
from starlette.datastructures import QueryParams
from starlette.responses import Response

from newsletter.app import Newsletter
from newsletter.delivery.control import ControlRefused
from newsletter.editorial import sending
from newsletter.editorial.appointments import appoint, call_off
from newsletter.editorial.approval import NotReady, approved, unfit_for_real_mail
from newsletter.editorial.expected import expect
from newsletter.editorial.progress import progress
from newsletter.editorial.release import release
from newsletter.editorial.timetable import MAY_BEGIN_LATE, moment_from
from newsletter.staff.rights import Actor, Right
from newsletter.storage.issues import IssueRefused
from newsletter.web.desk.issue_bar import issue_bar
from newsletter.web.desk.log_view import number
from newsletter.web.desk.moments import moment
from newsletter.web.desk.seat import actor_of, desk_page, needs
from newsletter.web.desk.sending_view import Remark, go_back, refused, sending_page, unmade_checks
from newsletter.web.pages import back_to, newsletter_of, watch_of, words_for
from newsletter.web.posted import Posted
from newsletter.web.preview_choice import stamp
from subscribers.hours import hours_spread

MOST_CANARY = 1_000_000
router = APIRouter(prefix="/desk/issues/{slug}/sending")
_looks = needs(Right.LOOK)
_sends = needs(Right.SEND)
_NOTHING = QueryParams()
_Came = TypeVar("_Came")


@router.api_route("", methods=["GET", "HEAD"], dependencies=[_looks])
def page(request: Request, slug: str) -> Response:
    """How an issue stands between its approval and its last message."""
    return sending_page(request, slug)


@router.api_route("/start", methods=["GET", "HEAD"], dependencies=[_sends])
def ask_start(request: Request, slug: str) -> Response:
    """The page before a send begins: to how many, which revision, what stands in their inbox."""
    return _start_page(request, slug)


@router.post("/start", dependencies=[_sends])
def start(request: Request, slug: str, posted: Posted) -> Response:
    """Begin the send; whoever sends for this database takes it up."""
    issue_bar(request, slug)
    try:
        canary = _canary(posted.get("canary", ""))
    except ValueError:
        return _start_page(request, slug, 422, posted)
    newsletter, actor = newsletter_of(request), actor_of(request)
    try:
        at = moment_from(posted["at"], UTC) if "at" in posted else None
        seen, at_once = posted.get("seen", ""), _is_at_once(posted)
        sending.start(newsletter, slug, actor, canary=canary, seen=seen, at=at, at_once=at_once)
    except ValueError:
        return _start_page(request, slug, 409, posted)
    except NotReady as refusal:
        if refusal.code == "late":
            return _start_page(request, slug, 409, posted)
        return go_back(slug, "begun") if refusal.code == "begun" else refused(request, slug, refusal)
    except IssueRefused as refusal:
        return refused(request, slug, refusal)
    return go_back(slug, "started")


@router.post("/schedule", dependencies=[_sends])
def schedule(request: Request, slug: str, posted: Posted) -> Response:
    """Have it sent at a time, which is meant in the newsletter's own zone."""
    issue_bar(request, slug)
    newsletter = newsletter_of(request)
    try:
        at = moment_from(posted.get("at", ""), newsletter.settings.time_zone)
    except ValueError:
        remark = Remark("bad", words_for(request)["sending_no_time"])
        return sending_page(request, slug, status=422, remark=remark)
    return _do(
        request, slug, lambda *_: appoint(newsletter, slug, at, actor_of(request)), lambda _: ("scheduled", None)
    )


@router.post("/unschedule", dependencies=[_sends])
def unschedule(request: Request, slug: str) -> Response:
    """Call off the time it was to be sent at."""
    newsletter = newsletter_of(request)
    issue_bar(request, slug)
    called_off = call_off(newsletter, slug, actor_of(request))
    return go_back(slug, "unscheduled" if called_off else "not-scheduled")


@router.post("/pause", dependencies=[_sends])
def pause(request: Request, slug: str) -> Response:
    """Hand nothing more over until it is resumed."""
    return _do(request, slug, sending.pause, lambda changed: ("paused" if changed else "was-paused", None))


@router.post("/resume", dependencies=[_sends])
def resume(request: Request, slug: str) -> Response:
    """Go on with a paused send."""
    return _do(request, slug, sending.resume, lambda changed: ("resumed" if changed else "was-running", None))


@router.api_route("/cancel", methods=["GET", "HEAD"], dependencies=[_sends])
def ask_cancel(request: Request, slug: str) -> Response:
    """The page before a send is cancelled: how many would get nothing."""
    bar = issue_bar(request, slug)
    found = watch_of(request).look(slug, fresh=True)
    if not found.is_begun or found.state in ("cancelled", "sent"):
        return back_to(request, "desk", "issues", slug, "sending")
    left = found.counts.queued + found.counts.deferred
    return desk_page(
        request, "sending_cancel.html.j2", place="issues", tab="send", issue_bar=bar, found=found, left=left
    )


@router.post("/cancel", dependencies=[_sends])
def cancel(request: Request, slug: str) -> Response:
    """Send nothing more of it, ever."""
    return _do(request, slug, sending.cancel, lambda number: ("cancelled", number))


@router.post("/again", dependencies=[_sends])
def again(request: Request, slug: str) -> Response:
    """Try those who were not reached once more."""
    return _do(request, slug, sending.send_again, lambda number: ("again", number) if number else ("none-again", None))


@router.post("/unknown", dependencies=[_sends])
def unknown(request: Request, slug: str, posted: Posted) -> Response:
    """Settle the messages of unknown fate, or the one that `delivery` names: taken for sent, or sent again."""
    issue_bar(request, slug)
    choice, named = posted.get("choice"), posted.get("delivery")
    one = None if named is None else number(named)
    if choice not in ("accepted", "resend") or (named is not None and one is None):
        remark = Remark("bad", words_for(request)["sending_no_choice"])
        return sending_page(request, slug, status=422, remark=remark)
    which = None if one is None else (one,)
    settle = partial(sending.settle_unknown, accepted=choice == "accepted", deliveries=which)
    done = "taken" if choice == "accepted" else "resent"
    answer = _do(request, slug, settle, lambda settled: (done, settled) if settled else ("none-unknown", None))
    if one is not None and posted.get("back") == "log" and answer.status_code == 303:
        return back_to(request, "desk", "log", str(one))
    return answer


@router.api_route("/schedule", methods=["GET", "HEAD"], dependencies=[_sends])
@router.api_route("/unschedule", methods=["GET", "HEAD"], dependencies=[_sends])
@router.api_route("/pause", methods=["GET", "HEAD"], dependencies=[_sends])
@router.api_route("/resume", methods=["GET", "HEAD"], dependencies=[_sends])
@router.api_route("/again", methods=["GET", "HEAD"], dependencies=[_sends])
@router.api_route("/unknown", methods=["GET", "HEAD"], dependencies=[_sends])
def back(request: Request, slug: str) -> Response:
    """The page of these forms, for whoever opens the address that one is sent to."""
    return back_to(request, "desk", "issues", slug, "sending")


def _do(
    request: Request,
    slug: str,
    order: Callable[[Newsletter, str, Actor], _Came],
    done: Callable[[_Came], tuple[str, int | None]],
) -> Response:
    """Carry out what was ordered and go back; a refusal is said on the page itself, and nothing has changed."""
    issue_bar(request, slug)
    try:
        came = order(newsletter_of(request), slug, actor_of(request))
    except (IssueRefused, ControlRefused) as refusal:
        return refused(request, slug, refusal)
    return go_back(slug, *done(came))


def _is_at_once(posted: QueryParams) -> bool:
    return posted.get("hours") == "now"


def _canary(typed: str) -> int | None:
    """How many readers go first; None for an empty field, which leaves it to the settings. Raises ValueError."""
    if not typed.strip():
        return None
    number = int(typed) if typed.strip().isascii() else -1
    if not 0 <= number <= MOST_CANARY:
        raise ValueError
    return number


def _start_page(request: Request, slug: str, status: int = 200, posted: QueryParams = _NOTHING) -> Response:
    """The question before a send begins, and the moment that stands in its Date.

    `posted` is what was asked for: with status 422 its first readers are no number, and with 409 the moment of an
    earlier page is over.
    """
    typed = posted.get("canary")
    bar, newsletter = issue_bar(request, slug), newsletter_of(request)
    if watch_of(request).look(slug, fresh=True).is_begun:
        return go_back(slug, "begun")
    try:
        approved(newsletter, slug)
    except IssueRefused as refusal:
        return refused(request, slug, refusal)
    stands, at = release(newsletter, slug, actor_of(request)), newsletter.now()
    with newsletter.reading() as session:
        _, own_hours = hours_spread(session)
    return desk_page(
        request,
        "sending_start.html.j2",
        place="issues",
        status=status,
        tab="send",
        issue_bar=bar,
        release=stands,
        approved_at=moment(request, stands.approved_at),
        dated=f"{moment(request, at)}:{at:%S}",
        stamp=stamp(at),
        late=status == 409,
        minutes=MAY_BEGIN_LATE // timedelta(minutes=1),
        expected=expect(newsletter, slug),
        unmade=unmade_checks(request, stands.saved),
        canary=newsletter.settings.canary if typed is None else typed,
        wrong=status == 422,
        at_once=_is_at_once(posted),
        own_hours=own_hours,
        error_share=newsletter.settings.canary_error_share,
        unfit=[text.split()[0].lower() for text in unfit_for_real_mail(newsletter)],
        somebody_there=progress(newsletter, slug).details.is_anybody_there,
    )
