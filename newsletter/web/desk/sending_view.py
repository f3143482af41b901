"""What the page about sending one issue shows: first its approval and the ways to send it, then how far it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from newsletter.content.diagnostics import Diagnostic
from newsletter.delivery.control import ControlRefused
from newsletter.delivery.pauses import read_pause
from newsletter.editorial.approval import MOST_HTML_BYTES, WARN_HTML_BYTES, NotReady, judge
from newsletter.editorial.daily_slot import waits_for
from newsletter.editorial.progress import Progress
from newsletter.editorial.release import release
from newsletter.editorial.timetable import appointed_for, sent_instead, slot_of
from newsletter.review.report import SLOW, review
from newsletter.staff.audit import Action, entries
from newsletter.storage.issues import IssueRefused, Saved
from newsletter.web.desk.audit_words import why_unsent
from newsletter.web.desk.finding_words import said_of
from newsletter.web.desk.issue_bar import issue_bar
from newsletter.web.desk.moments import moment
from newsletter.web.desk.seat import actor_of, desk_page
from newsletter.web.desk.slow_checks import slow_checks_of
from newsletter.web.pages import newsletter_of, watch_of, words_for

DONE = (
    "approved", "asked", "asked-untold", "started", "begun", "scheduled", "unscheduled", "not-scheduled", "paused",
    "was-paused", "resumed", "was-running", "cancelled", "again", "none-again", "taken", "resent", "none-unknown",
)  # fmt: skip
"""What a form can have come to; the words are `sending_done_…`."""
_NOT_WELL = (
    "asked-untold", "begun", "not-scheduled", "was-paused", "was-running", "none-again", "none-unknown",
)  # fmt: skip
"""Of these, what changed nothing or leaves something to do."""
_SHOWN_ENTRIES = 12
_DEEDS = {
    action: f"sending_deed_{action.name.lower()}"
    for action in (
        Action.APPROVAL_ASKED, Action.ISSUE_APPROVED, Action.TEST_SENT, Action.SEND_SCHEDULED, Action.SEND_UNSCHEDULED,
        Action.SEND_BEGUN, Action.SEND_PAUSED, Action.SEND_RESUMED, Action.SEND_CANCELLED, Action.SENT_AGAIN,
        Action.UNKNOWN_SETTLED, Action.NOT_SENT, Action.APPROVAL_VOIDED,
    )
}  # fmt: skip
_ABOUT_TIMES = (Action.NOT_SENT, Action.SEND_SCHEDULED, Action.SEND_UNSCHEDULED)
"""The newest of these says whether the issue was to go out by itself and did not."""


@dataclass(frozen=True, slots=True)
class Remark:
    """What a page says above all else; `kind` is good, warn or bad, `link` where more is to be done about it."""

    kind: str
    text: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody did about an issue, in words."""

    at: str
    who: str
    what: str


def go_back(slug: str, done: str, number: int | None = None) -> Response:
    """The page about sending, which says what came of a form."""
    count = "" if number is None else f"&n={number}"
    return RedirectResponse(f"/desk/issues/{slug}/sending?done={done}{count}", 303)


def refused(request: Request, slug: str, refusal: IssueRefused | ControlRefused, status: int = 409) -> Response:
    """The page about sending, with what was refused."""
    return sending_page(request, slug, status=status, remark=Remark("bad", refusal_words(request, refusal)))


def refusal_words(request: Request, refusal: IssueRefused | ControlRefused) -> str:
    """Why something cannot be done, in the visitor's language where it has words of its own."""
    words = words_for(request)
    if isinstance(refusal, ControlRefused):
        return words["sending_over"]
    if isinstance(refusal, NotReady):
        facts = dict(refusal.facts)
        if isinstance(finding := facts.get("finding"), Diagnostic):
            facts["detail"] = said_of(finding, words).text.rstrip("。.")
        return words[f"sending_refused_{refusal.code}"].format_map(facts)
    return str(refusal)


def sending_page(request: Request, slug: str, *, status: int = 200, remark: Remark | None = None) -> Response:
    """The page about sending an issue; ends in 404 when there is none of that name."""
    bar = issue_bar(request, slug)
    fresh = request.method == "POST" or "done" in request.query_params
    found = watch_of(request).look(slug, fresh=fresh)
    context = progress_context(request, found) if found.is_begun else {"found": found, "live": False}
    if not found.is_begun or bar.saved.number != found.revision:
        context |= _approval_context(request, bar.saved)
    if not found.is_begun:
        context |= _start_context(request, bar.saved)
    return desk_page(
        request,
        "sending.html.j2",
        place="issues",
        status=status,
        tab="send",
        issue_bar=bar,
        remark=remark or _said(request),
        deeds=_deeds(request, slug),
        **context,
    )


def progress_context(request: Request, found: Progress) -> dict[str, Any]:
    """What the figures and the controls of a mailing are made of, for the page and for its events."""
    newsletter, counts = newsletter_of(request), found.counts
    readers = counts.candidates - counts.excluded
    left = None if found.seconds_left is None else timedelta(seconds=found.seconds_left)
    ends_at = None if left is None else moment(request, newsletter.clock() + left)
    next_at = found.details.next_at
    late = next_at is not None and next_at > newsletter.clock()
    return {
        "found": found,
        "live": not found.is_over,
        "readers": readers,
        "percent": int(100 * found.settled / readers) if readers else 0,
        "parts": _parts(found),
        "ends_at": ends_at,
        "minutes_left": None if left is None else max(1, round(left.total_seconds() / 60)),
        "begun": moment(request, found.begun_at),
        "next_at": moment(request, next_at) if late else "",
        "ahead": found.details.ahead,
        "next_hour": moment(request, found.details.ahead.next_at),
        "last_hour": moment(request, found.details.ahead.last_at),
        "deferred_until": moment(request, found.details.deferred_until),
        "why": why_words(words_for(request), found.why),
        "since": [(row, moment(request, row.since)) for row in found.details.unknown],
        "unknown_wait_minutes": round(newsletter.settings.unknown_wait.total_seconds() / 60),
    }


def why_words(words: Mapping[str, str], why: str) -> str:
    """What a mailing was paused for, in the language of these words; a text without a code as it is."""
    pause = read_pause(why)
    return words[f"sending_why_{pause.cause}"].format(n=f"{pause.wrong:,}", of=f"{pause.of:,}") if pause else why


def _parts(found: Progress) -> list[tuple[str, int, float, float]]:
    """The counts as parts of a bar that is 1000 wide: name, number, where each begins and its width."""
    counts, parts, at = found.counts, [], 0.0
    for name in ("accepted", "failed", "unknown", "deferred", "queued", "excluded"):
        number = getattr(counts, name)
        width = 1000 * number / counts.candidates if counts.candidates else 0.0
        parts.append((name, number, round(at, 2), round(width, 2)))
        at += width
    return parts


def _approval_context(request: Request, saved: Saved) -> dict[str, Any]:
    """Who wrote the newest revision, who approved it, and what stands against it."""
    newsletter = newsletter_of(request)
    stands, judged = release(newsletter, saved.slug, actor_of(request)), judge(newsletter, saved)
    checked = review(newsletter, saved.slug).with_earlier(slow_checks_of(request).of(saved))
    return {
        "release": stands,
        "judged": judged,
        "void": bool(saved.approved_hash) and judged.digest != saved.approved_hash,
        "blocks": [(block.code, refusal_words(request, block)) for block in judged.blocks],
        "warn_bytes": WARN_HTML_BYTES,
        "most_bytes": MOST_HTML_BYTES,
        "saved_at": moment(request, stands.saved_at),
        "approved_at": moment(request, stands.approved_at),
        "asked_at": moment(request, stands.asked_at),
        "voided_at": moment(request, stands.voided.at) if stands.voided else "",
        "review": checked.summary,
        "only_first": checked.specimen.reach.only_first,
        "unmade": unmade_checks(request, saved),
    }


def unmade_checks(request: Request, saved: Saved) -> list[str]:
    """The titles of the checks that ask others or take long, unless somebody has had them made for this text."""
    if slow_checks_of(request).of(saved):
        return []
    return [words_for(request)[f"checks_{name.replace('-', '_')}"] for name in SLOW]


def _start_context(request: Request, saved: Saved) -> dict[str, Any]:
    """The ways to send an issue that was not begun."""
    newsletter, schedule = newsletter_of(request), newsletter_of(request).settings.schedule
    with newsletter.reading() as session:
        at, until = appointed_for(session, saved.issue_id), waits_for(newsletter, session, saved)
        slot, instead = slot_of(newsletter, session, saved), sent_instead(newsletter, session, saved)
    return {
        "appointed": moment(request, at),
        "slot": "" if at else moment(request, slot),
        "until": moment(request, until),
        "instead": instead,
        "is_off": bool(schedule and saved.issue.date and schedule.is_off(saved.issue.date)),
        "unsent": None if at else _unsent(request, saved.slug),
        "zone": newsletter.settings.zone,
        "proposed": _proposed(slot, newsletter.now()),
        "live": bool(at or slot or until),
    }


def _unsent(request: Request, slug: str) -> str:
    """Why an issue did not go out by itself when it was to, unless somebody chose another time since."""
    newsletter, words = newsletter_of(request), words_for(request)
    with newsletter.reading() as session:
        newest = next((entry for entry in entries(session, subject=slug) if entry.action in _ABOUT_TIMES), None)
    if newest is None or newest.action != Action.NOT_SENT:
        return ""
    at = moment(request, datetime.fromisoformat(newest.details["at"]))
    return words["sending_unsent"].format(at=at, why=why_unsent(words, newest.details))


def _proposed(slot: datetime | None, now: datetime) -> str:
    """What the field for a time begins with: the slot, else tomorrow morning at eight."""
    at = slot or (now + timedelta(days=1)).replace(hour=8, minute=0)
    return f"{at:%Y-%m-%dT%H:%M}"


def _said(request: Request) -> Remark | None:
    """What came of the form that led here."""
    done, number = request.query_params.get("done", ""), request.query_params.get("n", "")
    if done not in DONE:
        return None
    n = f"{int(number):,}" if number.isascii() and number.isdigit() and len(number) < 10 else "0"
    well = done not in _NOT_WELL
    link = "/desk/settings" if done == "asked-untold" else ""
    return Remark("good" if well else "warn", words_for(request)[f"sending_done_{done}"].format(n=n), link)


def _deeds(request: Request, slug: str) -> list[Deed]:
    """Who did what about approving and sending it, the newest first."""
    newsletter, words = newsletter_of(request), words_for(request)
    with newsletter.reading() as session:
        found = [entry for entry in entries(session, subject=slug) if entry.action in _DEEDS][:_SHOWN_ENTRIES]
    return [
        Deed(
            moment(request, entry.at),
            words.get(f"sending_who_{entry.who.replace(' ', '_')}", entry.who) if entry.staff_id is None else entry.who,
            _what(request, _DEEDS[Action(entry.action)], entry.details),
        )
        for entry in found
    ]


def _what(request: Request, deed: str, details: Mapping[str, Any]) -> str:
    """What was done, with the moment that it was done for, where it was for one."""
    words = words_for(request)
    if "at" not in details:
        return words[deed].format_map(_Facts(details))
    at = moment(request, datetime.fromisoformat(details["at"]))
    return words.get(f"{deed}_timed", words[deed]).format_map(_Facts({**details, "at": at}))


class _Facts(dict[str, Any]):
    """The details of an entry; one that an older entry lacks is left out."""

    def __getitem__(self, name: str) -> str:
        value = self.get(name, "–")
        return f"{value:,}" if isinstance(value, int) else str(value)
