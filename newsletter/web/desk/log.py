"""The log at the desk: what was sent to whom, when, with which reply, and why nothing."""

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import Response

from newsletter.delivery.history import page
from newsletter.delivery.outcome import State
from newsletter.editorial.arrival import arrival_at
from newsletter.editorial.log_entry import readers_like, tell
from newsletter.editorial.preview import Preview, message_of
from newsletter.render.headers import MessageRefused
from newsletter.staff.rights import Right
from newsletter.web.desk.log_view import Sought, number
from newsletter.web.desk.reader_days import hour_words
from newsletter.web.desk.seat import desk_page, needs
from newsletter.web.pages import newsletter_of
from newsletter.web.preview_choice import VIEWS, Choice
from newsletter.web.preview_mail import mail_part, message_file
from newsletter.web.preview_view import shown_of

router = APIRouter(prefix="/desk/log", dependencies=[needs(Right.LOOK)])

ENTRIES = 50
"""Entries on a page."""
MOST_READERS = 100
"""So many readers at most may fit what was typed; more is no search."""


@router.api_route("", methods=["GET", "HEAD"])
def log(request: Request) -> Response:
    """The newest entries, narrowed by an address or a part of one, an issue and a state."""
    newsletter, sought = newsletter_of(request), Sought.of(request.query_params)
    readers = readers_like(newsletter, sought.address, MOST_READERS + 1) if sought.address else None
    with newsletter.reading() as session:
        found = page(
            session,
            slug=sought.issue,
            readers=readers and readers[:MOST_READERS],
            state=sought.state,
            before=sought.before,
            after=sought.after,
            most=ENTRIES,
        )
        slugs = [saved.slug for saved in newsletter.issues(session).all()]
    return desk_page(
        request,
        "log.html.j2",
        place="log",
        sought=sought,
        page=found,
        slugs=slugs,
        states=[str(state) for state in State],
        zone=newsletter.settings.time_zone,
        too_many=len(readers or ()) > MOST_READERS,
        most_readers=MOST_READERS,
    )


@router.api_route("/{entry}", methods=["GET", "HEAD"])
def one(request: Request, entry: str) -> Response:
    """One entry: what the reader got and why, every attempt, and the message as it was sent."""
    newsletter = newsletter_of(request)
    told = tell(newsletter, number(entry) or 0)
    if told is None:
        raise HTTPException(404)
    view = Choice.of("", request.query_params).view
    choice = Choice(told.entry.issue, view=view, at=f"/desk/log/{told.entry.delivery_id}")
    try:
        made = message_of(newsletter, told.entry.delivery_id)
        shown = made and shown_of(made, newsletter.name, choice.view)
    except MessageRefused:
        shown = None
    arrival = arrival_at(newsletter, told.entry.delivery_id)
    with newsletter.reading() as session:
        topics = newsletter.topics(session).all()
    return desk_page(
        request,
        "log_entry.html.j2",
        place="log",
        told=told,
        hour=arrival and hour_words(request, arrival),
        topic_names={topic.slug: topic for topic in topics},
        zone=newsletter.settings.time_zone,
        choice=choice,
        views=VIEWS,
        shown=shown,
        unknown_wait_minutes=round(newsletter.settings.unknown_wait.total_seconds() / 60),
    )


@router.api_route("/{entry}/mail", methods=["GET", "HEAD"])
def mail(request: Request, entry: str) -> Response:
    """One part of the message, for the frame of that page; see `mail_part`."""
    return mail_part(_message(request, entry), request.query_params)


@router.api_route("/{entry}/message.eml", methods=["GET", "HEAD"])
def message(request: Request, entry: str) -> Response:
    """The whole message as it was sent, byte for byte, to be kept as a file."""
    return message_file(_message(request, entry), f"delivery-{number(entry)}")


def _message(request: Request, entry: str) -> Preview:
    """The message of a delivery; ends in 404 where there is none, or none any more."""
    try:
        made = message_of(newsletter_of(request), number(entry) or 0)
    except MessageRefused:
        made = None
    if made is None:
        raise HTTPException(404)
    return made
