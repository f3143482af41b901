"""Readers: all of them, searched and filtered a page at a time; how many come and go; a copy as a file; one more."""

from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from types import MappingProxyType
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from sqlmodel import Session
from starlette.datastructures import QueryParams
from starlette.responses import RedirectResponse, Response, StreamingResponse

from newsletter.readers import staff_changes
from newsletter.staff.rights import Right
from newsletter.web.archive_view import labels
from newsletter.web.desk.reader_form import NOBODY, Sheet, filled, sheet_of
from newsletter.web.desk.seat import actor_of, desk_page, needs
from newsletter.web.pages import newsletter_of, topics_of
from newsletter.web.posted import Posted
from newsletter.web.rhythm_view import clock_for
from newsletter.web.visitor import language_of
from subscribers import growth, search
from subscribers.addresses import AddressRefused, NameRefused, clean_name, parse_address
from subscribers.csv_export import csv_pages
from subscribers.models import SignUp, State, Subscriber, Suppression
from subscribers.people import SubscriberRefused
from subscribers.preferences import LANGUAGES, Frequency, MailFormat
from subscribers.search import Wanted
from subscribers.sign_ups import SignUpStore

router = APIRouter(prefix="/desk/readers", dependencies=[needs(Right.READERS)])

PAGE = 50
COUNTED = 10_000
"""Further than that nobody needs to know how many were found, and the database need not count."""
_DAYS, _WEEKS = 90, 13
_TEXT_CHARACTERS = 320
_FILTERS = ("q", "state", "topic", "reads", "format", "often")


@router.api_route("", methods=["GET", "HEAD"])
def show(request: Request) -> Response:
    """Some readers, the newest first; and how many there are in each state."""
    newsletter, fields = newsletter_of(request), request.query_params
    wanted = _wanted(fields)
    with newsletter.reading() as session:
        found = search.find(session, wanted, PAGE, before=_number(fields, "before"), after=_number(fields, "after"))
        alone = found.newer is None and found.older is None
        first = found.newer is None and not wanted.everybody
        number = len(found.people) if alone else search.count(session, wanted, COUNTED) if first else None
        waiting = _waiting(session, wanted.text) if not found.people else ()
        return desk_page(
            request,
            "readers.html.j2",
            place="readers",
            tab="list",
            counts=newsletter.people(session).count_by_state(),
            topics=newsletter.topics(session).catalogue(),
            suppressed=sum(newsletter.suppression(session).count_by_reason().values()),
            wanted=wanted,
            found=found,
            number=number,
            most=COUNTED,
            waiting=waiting,
            address_of=_pages_of(fields),
            states=tuple(State),
            languages=LANGUAGES,
            formats=tuple(MailFormat),
            frequencies=tuple(Frequency),
            day_of=_days(request),
            done=fields.get("done", "") == "forgotten",
        )


@router.api_route("/growth", methods=["GET", "HEAD"])
def grow(request: Request, by: str = "week") -> Response:
    """How many joined and left, by day or by week, over the last quarter."""
    newsletter = newsletter_of(request)
    by = "day" if by == "day" else "week"
    zone, step = newsletter.settings.time_zone, timedelta(days=1 if by == "day" else 7)
    tomorrow = newsletter.today() + timedelta(days=1)
    days = [tomorrow - step * back for back in range(_DAYS if by == "day" else _WEEKS, -1, -1)]
    with newsletter.reading() as session:
        found = growth.changes(session, [datetime.combine(day, time(), zone) for day in days])
    rows = [
        (labels(language_of(request)).short_date(day, tomorrow), row) for day, row in zip(days, found, strict=False)
    ]
    totals = sum(row.joined for _, row in rows), sum(row.left for _, row in rows)
    return desk_page(request, "readers_growth.html.j2", place="readers", tab="growth", rows=rows, by=by, totals=totals)


@router.post("/export")
def export(request: Request) -> Response:
    """Every reader as a CSV file; that it was taken is written down."""
    newsletter = newsletter_of(request)
    staff_changes.note_export(newsletter, actor_of(request))
    headers = {"content-disposition": f'attachment; filename="readers-{newsletter.today()}.csv"'}
    pages = _encoded(csv_pages(newsletter.reading))
    return StreamingResponse(pages, media_type="text/csv; charset=utf-8", headers=headers)


@router.api_route("/add", methods=["GET", "HEAD"])
def ask(request: Request) -> Response:
    """The form for one more reader."""
    known = tuple(topics_of(request).by_slug)
    return _adding(request, Adding(sheet_of("", NOBODY, known)))


@router.post("/add")
def add(request: Request, posted: Posted) -> Response:
    """Add a reader, who agreed to it; or show the form again with what is wrong."""
    newsletter = newsletter_of(request)
    known = tuple(topics_of(request).by_slug)
    read = filled(posted, NOBODY, known, newsletter.today(), newsletter.settings.zone)
    state = State.PENDING if posted.get("state") == State.PENDING else State.ACTIVE
    typed = Adding(read.sheet, posted.get("address", ""), posted.get("agreed", ""), state)
    if read.moved:
        return _adding(request, typed)
    mistakes = dict(read.mistakes)
    if not typed.agreed.strip():
        mistakes["agreed"] = "readers_wrong_agreed"
    there: tuple[Subscriber | None, Suppression | None] = None, None
    try:
        there = staff_changes.kept_out(newsletter, typed.address)
        mistakes |= {"address": "readers_wrong_known" if there[0] else "readers_wrong_suppressed"} if any(there) else {}
        clean_name(typed.sheet.name)
    except AddressRefused:
        mistakes["address"] = "readers_wrong_address"
    except NameRefused:
        mistakes["name"] = "readers_wrong_name"
    if mistakes:
        return _adding(request, typed, mistakes, there[0])
    try:
        public_id = staff_changes.add(
            newsletter,
            actor_of(request),
            typed.address,
            read.preferences,
            name=typed.sheet.name,
            state=state,
            agreed=typed.agreed,
        )
    except SubscriberRefused:  # somebody else added or suppressed them since we looked
        return _adding(request, typed, {"address": "readers_wrong_known"})
    return RedirectResponse(f"/desk/readers/{public_id}?done=added", 303)


def _adding(
    request: Request,
    typed: "Adding",
    mistakes: Mapping[str, str] = MappingProxyType({}),
    known: Subscriber | None = None,
) -> Response:
    return desk_page(
        request,
        "reader_add.html.j2",
        status=422 if mistakes else 200,
        place="readers",
        tab="list",
        typed=typed,
        mistakes=mistakes,
        known=known,
        topics=topics_of(request).by_slug,
        clock=clock_for(request, typed.sheet.choices.when),
        languages=LANGUAGES,
        formats=tuple(MailFormat),
    )


@dataclass(frozen=True, slots=True)
class Adding:
    """The form for one more reader as it stands in the page."""

    sheet: Sheet
    address: str = ""
    agreed: str = ""
    state: State = State.ACTIVE


def _wanted(fields: QueryParams) -> Wanted:
    state, form = fields.get("state", ""), fields.get("format", "")
    language, topic, often = fields.get("reads", ""), fields.get("topic", ""), fields.get("often", "")
    return Wanted(
        text=fields.get("q", "").strip()[:_TEXT_CHARACTERS],
        state=State(state) if state in tuple(State) else None,
        topic=topic if topic.isprintable() else "",
        language=language if language in LANGUAGES else "",
        format=MailFormat(form) if form in tuple(MailFormat) else None,
        frequency=Frequency(often) if often in tuple(Frequency) else None,
    )


def _number(fields: QueryParams, name: str) -> int | None:
    """A row's id in an address; whatever else stands there counts as not said."""
    text = fields.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _pages_of(fields: QueryParams) -> Callable[..., str]:
    """What makes the address of this list with other values: a filter that is empty stands in none."""
    here = {name: fields[name] for name in _FILTERS if fields.get(name)}

    def address(**others: object) -> str:
        query = urlencode({name: value for name, value in (here | others).items() if value not in (None, "")})
        return f"/desk/readers?{query}" if query else "/desk/readers"

    return address


def _days(request: Request) -> Callable[[datetime], str]:
    """What says a day in the page's language, in the newsletter's zone."""
    said, newsletter = labels(language_of(request)), newsletter_of(request)
    zone, today = newsletter.settings.time_zone, newsletter.today()
    return lambda at: said.short_date(at.astimezone(zone).date(), today)


def _waiting(session: Session, text: str) -> tuple[SignUp, ...]:
    """What was asked for in the name of an address, and not confirmed."""
    try:
        return SignUpStore(session).waiting(parse_address(text))
    except AddressRefused:
        return ()


def _encoded(pages: Iterator[str]) -> Iterator[bytes]:
    yield BOM_UTF8  # lets Excel read Chinese
    for page in pages:
        yield page.encode()
