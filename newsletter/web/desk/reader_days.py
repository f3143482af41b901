"""A reader's days in the words of the desk: what they got, at which hour and why, or why nothing."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from fastapi import Request

from newsletter.delivery.outcome import Reason, State
from newsletter.editorial.answers import Answer, Part, answer, answers, day_from
from newsletter.editorial.arrival import Arrival, Hour
from newsletter.editorial.silence import Silence, Silent, What
from newsletter.web.archive_view import labels
from newsletter.web.desk.moments import moment
from newsletter.web.pages import newsletter_of, words_for
from newsletter.web.visitor import language_of
from subscribers.models import Subscriber

SHOWN = 14
"""So many days are shown unless one is asked for."""
_LOCAL = (Hour.OWN, Hour.WITHIN, Hour.CAPPED)
_DATED = (Reason.UNSUBSCRIBED, Reason.CANCELLED)


@dataclass(frozen=True, slots=True)
class Line:
    """One mail, or the lack of one: its issue, the delivery's state (empty without one), and what is said of it."""

    day: str
    issue: str = ""
    link: str = ""
    state: str = ""
    said: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Days:
    """Lines by day, the newest first; `asked` is the one day that was asked for (ISO 8601), else empty.

    `wrong` says that what was asked for is no day, and `changed` when the reader chose otherwise since.
    """

    lines: tuple[Line, ...]
    asked: str = ""
    wrong: bool = False
    changed: str = ""
    shown: int = SHOWN


def days_of(request: Request, reader: Subscriber) -> Days:
    """The last days of a reader, or the one that the query's `day` names."""
    newsletter, asked = newsletter_of(request), request.query_params.get("day", "").strip()
    today = newsletter.today()
    try:
        day = day_from(asked) if asked else None
    except ValueError:
        return Days((), asked=asked, wrong=True)
    if day:
        one = answer(newsletter, reader.id or 0, day)
        changed = moment(request, one.changed_at)
        return Days(tuple(_lines(request, one)), asked=day.isoformat(), changed=changed)
    joined = reader.created_at.astimezone(newsletter.settings.time_zone).date()
    first = max(today - timedelta(days=SHOWN - 1), min(joined, today))
    found = answers(newsletter, reader.id or 0, first, today)
    return Days(tuple(line for one in found for line in _lines(request, one)))


def hour_words(request: Request, arrival: Arrival) -> str:
    """Why a message is due when it is, and what held it up."""
    words, city = words_for(request), ""
    if arrival.zone and arrival.hour in _LOCAL:
        local = arrival.due.astimezone(ZoneInfo(arrival.zone))
        city = f"{labels(language_of(request)).zone_city(arrival.zone)} {local:%H:%M}"
    said = words[f"days_hour_{arrival.hour.replace(' ', '_')}"].format(local=city)
    return said + (words[f"days_late_{arrival.late}"] if arrival.late else "")


def _lines(request: Request, found: Answer) -> list[Line]:
    language, today = language_of(request), newsletter_of(request).today()
    dated = labels(language).short_date(found.day, today)
    day = f"{dated} {labels(language).week_day(found.day.weekday(), 'EEE')}"
    lines = [_line(request, part, found) for part in found.parts]
    lines += [Line("", said=_silent(request, silent, found)) for silent in found.silent]
    released = words_for(request)["days_earlier"]
    for part in found.earlier:
        line = _line(request, part, found)
        lines.append(replace(line, why=f"{released.format(at=moment(request, part.release))}{line.why}"))
    return [replace(line, day="" if index else day) for index, line in enumerate(lines)]


def _line(request: Request, part: Part, found: Answer) -> Line:
    link = f"/desk/log/{part.delivery_id}" if part.delivery_id else ""
    if part.arrival is None:
        return Line("", part.slug, link, part.state, why=_nothing(request, part, found))
    said, why = _came(request, part.state, part.arrival), hour_words(request, part.arrival)
    return Line("", part.slug, link, part.state, said, why)


def _came(request: Request, state: str, arrival: Arrival) -> str:
    """When it came or comes."""
    words, at = words_for(request), moment(request, arrival.at)
    if state in (State.QUEUED, State.DEFERRED):
        return words["days_until"].format(at=at) if at else words["days_due_now"]
    return at


def _nothing(request: Request, part: Part, found: Answer) -> str:
    """Why somebody got nothing of an issue."""
    words = words_for(request)
    said = words[f"{'log_reason' if part.state else 'days_absent'}_{part.reason.replace(' ', '_')}"]
    if part.since and (not part.state or part.reason in _DATED):
        said += words["days_since"].format(at=moment(request, part.since))
    if part.digest_on and found.weekly_day is not None:
        own = labels(language_of(request))
        on = own.short_date(part.digest_on, newsletter_of(request).today())
        said += words["days_digest"].format(day=own.week_day(found.weekly_day, "EEEE"), on=on)
    return said


def _silent(request: Request, silent: Silent, found: Answer) -> str:
    """Why nothing went out."""
    words = words_for(request)
    what = silent.slug or words[f"days_what_{silent.what}"]
    skipped_digest = silent.what is What.DIGEST and silent.why is Silence.SKIPPED
    key = "no_digest" if skipped_digest else silent.why.replace(" ", "_")
    said = words[f"days_silent_{key}"].format(what=what, at=_at(request, silent.at), until=_at(request, silent.until))
    if silent.why is Silence.TO_COME and found.expected_at and found.expected_at != silent.at:
        said += words["days_expected"].format(at=_at(request, found.expected_at))
    return said


def _at(request: Request, at: datetime | None) -> str:
    return moment(request, at) or "–"
