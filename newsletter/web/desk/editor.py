"""The editor: an issue's text, what is wrong with it and how to mend that, its structure, and the mail it makes."""

from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, HTTPException, Request
from starlette.datastructures import QueryParams
from starlette.responses import JSONResponse, RedirectResponse, Response

from newsletter.compose.choose import MOST_IN_DIGEST
from newsletter.content.document import MAX_BYTES
from newsletter.content.inline import plain
from newsletter.content.mends import mended
from newsletter.delivery.plan import find_mailing
from newsletter.editorial import writing
from newsletter.editorial.writing import Conflict, text_of
from newsletter.staff.rights import Right
from newsletter.storage.issues import IssueRefused, Saved
from newsletter.web.archive_view import labels
from newsletter.web.desk.editor_figures import figures
from newsletter.web.desk.editor_mail import inbox_line
from newsletter.web.desk.editor_pieces import choice_of, home_of, piece
from newsletter.web.desk.editor_view import CARDS_MOVED, CARDS_SHOWN, Look, look_over, mend_of
from newsletter.web.desk.finding_words import said_of
from newsletter.web.desk.issue_bar import IssueBar, issue_bar
from newsletter.web.desk.moments import moment
from newsletter.web.desk.seat import actor_of, desk_page, needs
from newsletter.web.pages import newsletter_of, words_for
from newsletter.web.posted import Body, Posted, body_of
from newsletter.web.preview_choice import Choice
from newsletter.web.visitor import language_of
from subscribers.addresses import AddressRefused

router = APIRouter(prefix="/desk/issues/{slug}")

VIEWS = ("desktop", "phone", "dark", "images", "text", "source")
READERS_OFFERED = 20

_FORM_BYTES = 3 * MAX_BYTES + 64_000
"""A form writes each byte of Chinese text as three."""

Text = Annotated[Body, Depends(body_of(MAX_BYTES + 1))]
Form = Annotated[Body, Depends(body_of(_FORM_BYTES))]


@router.api_route("", methods=["GET", "HEAD"], dependencies=[needs(Right.LOOK)])
def editor(request: Request, slug: str) -> Response:
    """The page: the text beside the mail that it makes."""
    bar = issue_bar(request, slug)
    if bar.saved.issue.is_digest:
        return _digest(request, bar)
    return _page(request, bar.saved.slug, text_of(newsletter_of(request), slug)[1])


@router.post("", dependencies=[needs(Right.WRITE)])
def save(request: Request, slug: str, form: Form) -> Response:
    """Save without script; the button of a mend mends first."""
    bar = issue_bar(request, slug)
    if bar.saved.issue.is_digest:
        return _digest(request, bar, status=409)
    fields = _fields(request, form)
    text = fields.get("text", "").replace("\r\n", "\n")
    newsletter = newsletter_of(request)
    mend = mend_of(newsletter, bar.saved, text, fields.get("mend", ""))
    text = (mend and mended(text, mend)) or text
    try:
        writing.save(newsletter, actor_of(request), slug, text, _number(fields, "base"), fields.get("seen", ""))
    except Conflict as conflict:
        return _page(request, slug, text, conflict=conflict.newest, status=409)
    except IssueRefused as refusal:
        return _page(request, slug, text, refusal=str(refusal), status=400)
    return RedirectResponse(home_of(slug), 303)


@router.post("/text", dependencies=[needs(Right.WRITE)])
def keep(request: Request, slug: str, body: Text) -> Response:
    """Save what was typed, and answer with everything on the page that depends on it.

    The body is the text in UTF-8; the query has `base`, the revision it was written on, `seen`, that one's fingerprint,
    and, where the frame does not tell, with `line` whose mail's line in an inbox is wanted.
    """
    if not body.whole:
        return JSONResponse({"why": words_for(request)["editor_too_long"].format(n=f"{MAX_BYTES:,}")}, 413)
    text = body.data.decode("utf-8", "replace")
    return _kept(request, slug, text, request.query_params)


@router.post("/move", dependencies=[needs(Right.WRITE)])
def move(request: Request, slug: str, fields: Posted) -> Response:
    """Put a story elsewhere: `to` holds three numbers, the story's, its new section's and its place there."""
    bar = issue_bar(request, slug)
    if bar.saved.issue.is_digest:
        return _digest(request, bar, status=409)
    newsletter = newsletter_of(request)
    try:
        story, section, place = (int(part) for part in fields.get("to", "").split())
        text = writing.moved(bar.saved, story, section, place)
    except (ValueError, IndexError):
        raise HTTPException(400, words_for(request)["editor_no_story"]) from None
    if "application/json" in request.headers.get("accept", ""):
        return _kept(request, slug, text, fields)
    try:
        writing.save(newsletter, actor_of(request), slug, text, _number(fields, "base"), fields.get("seen", ""))
    except Conflict as conflict:
        return _page(request, slug, text_of(newsletter, slug)[1], conflict=conflict.newest, status=409)
    except IssueRefused as refusal:
        raise HTTPException(400, str(refusal)) from None
    return RedirectResponse(f"/desk/issues/{quote(slug, safe='')}#outline", 303)


@router.api_route("/figures", methods=["GET", "HEAD"], dependencies=[needs(Right.LOOK)])
def numbers(request: Request, slug: str, part: str = "") -> Response:
    """The figures below the text, which take longer than a key: `part=checks` those of the checks alone."""
    bar = issue_bar(request, slug)
    found = figures(newsletter_of(request), bar, part)
    when = _next_words(request, found.next_at)
    return desk_page(request, "editor_figures.html.j2", place="issues", issue_bar=bar, figures=found, next_words=when)


@router.api_route("/readers", methods=["GET", "HEAD"], dependencies=[needs(Right.LOOK)])
def readers(request: Request, slug: str, q: str = "") -> Response:
    """Addresses with these letters in them, for the field that says whose mail is looked at."""
    issue_bar(request, slug)
    return JSONResponse(_addresses(request, q[:320]))


def _page(request: Request, slug: str, text: str, status: int = 200, **said: Any) -> Response:
    newsletter = newsletter_of(request)
    bar = issue_bar(request, slug)
    choice = choice_of(slug, request.query_params)
    found = figures(newsletter, bar, "") if "figures" in request.query_params else None
    return desk_page(
        request,
        "editor.html.j2",
        place="issues",
        status=status,
        issue_bar=bar,
        tab="write",
        text=text,
        look=look_over(newsletter, bar.saved, text),
        inbox=inbox_line(newsletter, bar.saved, request.query_params),
        choice=choice,
        views=VIEWS,
        frame=_frame_of(choice),
        readers=_addresses(request, ""),
        said_of=said_of,
        cards_moved=CARDS_MOVED,
        cards_shown=CARDS_SHOWN,
        home=home_of(slug),
        chosen_topics=_topics_of(request, choice),
        figures=found,
        next_words=_next_words(request, found.next_at if found else None),
        **{"conflict": None, "refusal": "", **said},
    )


def _digest(request: Request, bar: IssueBar, status: int = 200) -> Response:
    """The page of an issue that is made of the stories of others: what is in it, and where each story is written."""
    with newsletter_of(request).reading() as session:
        topics = newsletter_of(request).topics(session).catalogue()
        is_begun = find_mailing(session, bar.saved.issue_id) is not None
    issue, language = bar.saved.issue, language_of(request)
    names = {topic.slug: topic.name(language) for topic in topics.topics}
    parts = [
        (names.get(section.topic) or plain(section.title), [(one, plain(one.title)) for one in section.stories])
        for section in issue.sections
    ]
    return desk_page(
        request,
        "digest.html.j2",
        place="issues",
        status=status,
        issue_bar=bar,
        tab="write",
        parts=parts,
        is_begun=is_begun,
        origins=dict(issue.origins),
        most=MOST_IN_DIGEST,
        short_date=lambda day: labels(language).short_date(day, issue.date),
    )


def _kept(request: Request, slug: str, text: str, said: QueryParams) -> Response:
    """Save for the script, and answer what it puts into the page."""
    base, seen = _number(said, "base"), said.get("seen", "")
    try:
        saved, reading = writing.save_and_read(newsletter_of(request), actor_of(request), slug, text, base, seen)
    except Conflict as conflict:
        return JSONResponse(_conflict(request, conflict.newest, base), 409)
    except IssueRefused as refusal:
        return JSONResponse({"why": str(refusal)}, 400)
    look = look_over(newsletter_of(request), saved, text, reading)
    answer = _answer(request, saved, look)
    if saved.number != base:  # a new revision may stand otherwise: an approval was for the one before
        answer["parts"] |= _bar_parts(request, slug)
    return JSONResponse({"text": text, **answer} if "to" in said else answer)


def _bar_parts(request: Request, slug: str) -> dict[str, str]:
    """The state and the buttons in the head of the page."""
    bar = issue_bar(request, slug)
    return {name: piece(request, f"{name}", issue_bar=bar) for name in ("issue_state", "editor_actions")}


def _answer(request: Request, saved: Saved, look: Look) -> dict[str, Any]:
    newsletter, words = newsletter_of(request), words_for(request)
    shown: dict[str, Any] = {"look": look, "cards_moved": CARDS_MOVED, "cards_shown": CARDS_SHOWN, "said_of": said_of}
    parts = ["counts", "findings", "outline"]
    if "line" in request.query_params:
        inbox = inbox_line(newsletter, saved, request.query_params)
        shown |= {"inbox": inbox, "lack": inbox.lack, "home": home_of(saved.slug)}
        parts += ["inbox", "empty"]
    return {
        "base": saved.number,
        "seen": saved.fingerprint,
        "said": words["editor_saved"].format(n=saved.number),
        "marks": look.marks,
        "headings": look.headings,
        "parts": {name: piece(request, f"editor_{name}", slug=saved.slug, **shown) for name in parts},
    }


def _conflict(request: Request, newest: Saved, base: int) -> dict[str, Any]:
    newsletter = newsletter_of(request)
    html = piece(
        request,
        "editor_conflict",
        newest=newest,
        by=writing.author(newsletter, newest),
        base=base,
        scripted=True,
    )
    return {"base": newest.number, "seen": newest.fingerprint, "parts": {"conflict": html}}


def _frame_of(choice: Choice) -> str:
    """The address of what the frame shows, at this page's own route."""
    link = choice.mail_link if choice.view in ("text", "source") else choice.frame_link
    return link.replace("/preview/mail", "/frame", 1)


def _addresses(request: Request, part: str) -> list[str]:
    newsletter = newsletter_of(request)
    with newsletter.reading() as session:
        return [one.address for one in newsletter.people(session).search(part, READERS_OFFERED) if one.address]


def _topics_of(request: Request, choice: Choice) -> tuple[str, ...]:
    """The topics that stand as chosen: those of the reader whose mail is looked at, else the ones that were picked."""
    if choice.by != "reader" or not choice.reader:
        return choice.topics
    newsletter = newsletter_of(request)
    with newsletter.reading() as session, suppress(AddressRefused):
        person = newsletter.people(session).get(choice.reader)
        return tuple(person.topics) if person else ()
    return ()


def _next_words(request: Request, at: datetime | None) -> str:
    """When it goes out, in the newsletter's own time: today and tomorrow by those words."""
    newsletter, words = newsletter_of(request), words_for(request)
    if at is None:
        return ""
    local = at.astimezone(newsletter.settings.time_zone)
    near = {0: "editor_next_today", 1: "editor_next_tomorrow"}.get((local.date() - newsletter.today()).days)
    return words[near].format(time=f"{local:%H:%M}") if near else moment(request, at)


def _fields(request: Request, form: Body) -> QueryParams:
    if not form.whole:
        raise HTTPException(413, words_for(request)["editor_too_long"].format(n=f"{MAX_BYTES:,}"))
    return QueryParams(form.data.decode("utf-8", "replace"))


def _number(fields: QueryParams, name: str) -> int:
    value = fields.get(name, "")
    return int(value) if value.isdecimal() and len(value) < 10 else 0
