"""One reader: who they are, what they chose and said, what they got; changed by the staff with care, or forgotten."""

from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType

from fastapi import APIRouter, HTTPException, Request
from starlette.datastructures import QueryParams
from starlette.responses import RedirectResponse, Response

from newsletter.app import Newsletter
from newsletter.readers import staff_changes
from newsletter.readers.preferences import check_pause
from newsletter.staff.rights import Actor, Right
from newsletter.web.desk.moments import moment
from newsletter.web.desk.reader_days import days_of
from newsletter.web.desk.reader_form import Filled, filled, sheet_of
from newsletter.web.desk.seat import actor_of, desk_page, needs
from newsletter.web.pages import newsletter_of, topics_of, words_for
from newsletter.web.posted import Posted
from newsletter.web.rhythm_view import clock_for, sentence_for
from subscribers.addresses import NameRefused
from subscribers.people import LIFTED_BY_CONSENT, SubscriberRefused
from subscribers.preference_columns import preferences_of
from subscribers.preferences import LANGUAGES, MailFormat, PreferencesRefused
from subscribers.suppression import SuppressionRefused

router = APIRouter(prefix="/desk/readers", dependencies=[needs(Right.READERS)])

_DONE = ("added", "saved", "same", "paused", "resumed", "unsubscribed", "suppressed")
Mistakes = Mapping[str, str]
_NONE: Mistakes = MappingProxyType({})


@router.api_route("/{public_id}", methods=["GET", "HEAD"])
def show(request: Request, public_id: str, done: str = "") -> Response:
    """All there is about a reader."""
    return _page(request, public_id, done=done if done in _DONE else "")


@router.post("/{public_id}")
def act(request: Request, public_id: str, posted: Posted) -> Response:
    """Keep what was filled in, or do what the pressed button says: `deed` names it."""
    deed = _DEEDS.get(posted.get("deed", ""))
    if deed is None:
        return _save(request, public_id, posted)
    found = _found(request, public_id)
    try:
        done = deed(newsletter_of(request), actor_of(request), found.person.public_id, posted)
    except PreferencesRefused:
        return _page(request, public_id, mistakes={"until": "pref_wrong_until"})
    except SuppressionRefused:
        return _page(request, public_id, mistakes={"note": "readers_wrong_note"})
    except SubscriberRefused:  # the person moved on since the page was made
        return _page(request, public_id, mistakes={"deed": "readers_refused"})
    return RedirectResponse(f"/desk/readers/{public_id}?done={done}", 303)


@router.api_route("/{public_id}/forget", methods=["GET", "HEAD"])
def ask_to_forget(request: Request, public_id: str) -> Response:
    """What forgetting takes away and what it leaves, with the button that does it."""
    return desk_page(request, "reader_forget.html.j2", place="readers", sheet=_found(request, public_id))


@router.post("/{public_id}/forget")
def forget(request: Request, public_id: str) -> Response:
    """Erase who a reader was."""
    _found(request, public_id)
    staff_changes.forget(newsletter_of(request), actor_of(request), public_id)
    return RedirectResponse("/desk/readers?done=forgotten", 303)


def _save(request: Request, public_id: str, posted: QueryParams) -> Response:
    newsletter, found = newsletter_of(request), _found(request, public_id)
    current = preferences_of(found.person)
    known = tuple(topics_of(request).by_slug)
    read = filled(posted, current, known, newsletter.today(), newsletter.settings.zone)
    if read.moved or read.mistakes:
        return _page(request, public_id, read=read, mistakes=read.mistakes)
    try:
        changed = staff_changes.change(newsletter, actor_of(request), public_id, read.sheet.name, read.preferences)
    except NameRefused:
        return _page(request, public_id, read=read, mistakes={"name": "readers_wrong_name"})
    return RedirectResponse(f"/desk/readers/{public_id}?done={'saved' if changed else 'same'}", 303)


def _pause(newsletter: Newsletter, actor: Actor, public_id: str, posted: QueryParams) -> str:
    text = posted.get("until", "").strip()
    try:
        until = date.fromisoformat(text) if text else None
    except ValueError:
        raise PreferencesRefused(text) from None
    check_pause(until, newsletter.today())
    staff_changes.pause(newsletter, actor, public_id, until)
    return "paused"


def _resume(newsletter: Newsletter, actor: Actor, public_id: str, _posted: QueryParams) -> str:
    staff_changes.resume(newsletter, actor, public_id)
    return "resumed"


def _unsubscribe(newsletter: Newsletter, actor: Actor, public_id: str, _posted: QueryParams) -> str:
    staff_changes.unsubscribe(newsletter, actor, public_id)
    return "unsubscribed"


def _suppress(newsletter: Newsletter, actor: Actor, public_id: str, posted: QueryParams) -> str:
    staff_changes.suppress(newsletter, actor, public_id, posted.get("note", ""))
    return "suppressed"


_DEEDS: Mapping[str, Callable[[Newsletter, Actor, str, QueryParams], str]] = {
    "pause": _pause,
    "resume": _resume,
    "unsubscribe": _unsubscribe,
    "suppress": _suppress,
}


def _found(request: Request, public_id: str) -> staff_changes.Sheet:
    """The reader of an address; ends in 404 for one who is not there or was forgotten."""
    found = staff_changes.look(newsletter_of(request), public_id) if public_id.isalnum() else None
    if found is None:
        raise HTTPException(404, words_for(request)["readers_gone"])
    return found


def _page(
    request: Request, public_id: str, *, read: Filled | None = None, mistakes: Mistakes = _NONE, done: str = ""
) -> Response:
    newsletter, found = newsletter_of(request), _found(request, public_id)
    topics = topics_of(request).by_slug
    person = found.person
    sheet = read.sheet if read else sheet_of(person.name, preferences_of(person), tuple(topics))
    return desk_page(
        request,
        "reader.html.j2",
        status=422 if mistakes else 200,
        place="readers",
        reader=found,
        days=days_of(request, person),
        zone=newsletter.settings.zone,
        person=person,
        sheet=sheet,
        unsaved=read is not None,
        mistakes=mistakes,
        done=done,
        topics=topics,
        clock=clock_for(request, sheet.choices.when),
        sentence=sentence_for(request, preferences_of(person)),
        languages=LANGUAGES,
        formats=tuple(MailFormat),
        pause_is_over=person.paused_until is not None and person.paused_until <= newsletter.clock(),
        lifted_by_consent=LIFTED_BY_CONSENT,
        moment=lambda at: moment(request, at),
    )
