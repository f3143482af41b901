"""Checks before approval: what would go wrong with an issue, where, and how to mend it; who would get what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from newsletter.compose.edition import FOLLOWED
from newsletter.editorial.approval import MOST_HTML_BYTES, WARN_HTML_BYTES
from newsletter.review.mail_checks import most_read, sizes
from newsletter.review.readership import followed, topics_reached
from newsletter.review.report import Review, review
from newsletter.review.specimen import Specimen
from newsletter.review.verdicts import Check, Place, Verdict
from newsletter.staff.rights import Right
from newsletter.web.desk.finding_words import said_of
from newsletter.web.desk.issue_bar import issue_bar
from newsletter.web.desk.moments import moment
from newsletter.web.desk.seat import desk_page, needs
from newsletter.web.desk.slow_checks import PAUSE_SECONDS, slow_checks_of
from newsletter.web.pages import back_to, newsletter_of, words_for
from newsletter.web.posted import Posted
from newsletter.web.visitor import language_of

router = APIRouter(prefix="/desk/issues/{slug}/checks", dependencies=[needs(Right.LOOK)])

_MOST_BARS = 8
"""Rows for readers by their number of stories; those who get more are counted together."""


@dataclass(frozen=True, slots=True)
class Line:
    """A place as the page shows it; `in_english` says that the note is not in the page's language."""

    what: str
    note: str
    line: int
    story: str
    in_english: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A check as the page shows it; `more` counts the places left out."""

    name: str
    verdict: str
    title: str
    detail: str
    mend: str
    lines: tuple[Line, ...]
    more: int
    at: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure beside others: `part` of `whole`."""

    label: str
    part: int
    whole: int
    kind: str = ""
    stories: int = 0


@router.api_route("", methods=["GET", "HEAD"])
def checks(request: Request, slug: str) -> Response:
    """The checks of the newest revision: the quick ones made now, the slow ones as they were made last."""
    return _page(request, slug)


@router.post("")
def run_slow_checks(request: Request, slug: str, posted: Posted) -> Response:
    """Make the slow checks too, and show them, on the page about sending when the button stood there."""
    issue_bar(request, slug)
    if not slow_checks_of(request).make(lambda: review(newsletter_of(request), slug, slow=True)):
        return _page(request, slug, 429)
    if posted.get("back") == "sending":
        return back_to(request, "desk", "issues", slug, "sending")
    return RedirectResponse(request.url.path, 303)


def _page(request: Request, slug: str, status: int = 200) -> Response:
    bar = issue_bar(request, slug)
    made = review(newsletter_of(request), slug)
    shown = _shown(request, made.with_earlier(slow_checks_of(request).of(made.saved)))
    response = desk_page(
        request,
        "checks.html.j2",
        place="issues",
        status=status,
        tab="checks",
        issue_bar=bar,
        crowded=status == 429,
        **shown,
    )
    if status == 429:
        response.headers["retry-after"] = f"{PAUSE_SECONDS:g}"
    return response


def _shown(request: Request, made: Review) -> dict[str, Any]:
    """What the page shows of a review."""
    words, specimen = words_for(request), made.specimen
    names = {topic.slug: topic.name(language_of(request)) for topic in specimen.topics.topics}
    entries = [_entry(request, check, words, names) for check in made.checks]
    left = specimen.reach.left_out
    return {
        "summary": made.summary,
        "attend": [one for one in entries if one.verdict in (Verdict.ERROR, Verdict.WARNING)],
        "unchecked": [one for one in entries if one.verdict == Verdict.NOT_CHECKED],
        "passed": [one for one in entries if one.verdict == Verdict.OK],
        "slow_made": any(check.at for check in made.checks),
        "only_first": specimen.reach.only_first,
        "readers": specimen.reach.coverage.readers,
        "reached": specimen.reach.coverage.readers - specimen.reach.coverage.by_stories.get(0, 0),
        "left_out": [(words[f"checks_left_out_{reason.replace(' ', '_')}"], n) for reason, n in sorted(left.items())],
        "by_stories": _by_stories(specimen, words),
        "by_topic": _by_topic(specimen, words, names),
        "sizes": _sizes(specimen, words),
        "limits": {"warn": WARN_HTML_BYTES // 1000, "most": MOST_HTML_BYTES // 1000},
    }


def _entry(request: Request, check: Check, words: Mapping[str, str], names: Mapping[str, str]) -> Entry:
    key = f"checks_{check.name.replace('-', '_')}"
    found = check.values.get("n", 0)
    counted = found if isinstance(found, int) and check.verdict is not Verdict.OK else 0
    return Entry(
        name=check.name,
        verdict=check.verdict,
        title=words[key],
        detail=words[f"{key}_{check.sentence}"].format(**check.values),
        mend=words[f"{key}_mend"] if check.verdict in (Verdict.ERROR, Verdict.WARNING) else "",
        lines=tuple(_line(place, key, words, names) for place in check.places),
        more=max(counted - len(check.places), 0),
        at=moment(request, check.at),
    )


def _line(place: Place, key: str, words: Mapping[str, str], names: Mapping[str, str]) -> Line:
    """A place, its note in the page's words where there are any: for this note, for this thing, or for the check."""
    if place.finding:
        sentence = said_of(place.finding, words)
        return Line("", sentence.text, place.line, place.story, in_english=sentence.in_english)
    known = (f"{key}_note_{place.note}", f"{key}_note_{place.what}", f"{key}_note")
    said = next((words[name] for name in known if name in words), "")
    note = said.format(note=place.note) if said else place.note
    what = names.get(place.what, place.what) if key == "checks_topics_without_story" else place.what
    prose = not said and " " in place.note and not place.note.replace(",", "").replace(".", "")[:1].isdigit()
    return Line(what, note, place.line, place.story, in_english=prose)


def _by_stories(specimen: Specimen, words: Mapping[str, str]) -> Sequence[Bar]:
    counts, readers = specimen.reach.coverage.by_stories, specimen.reach.coverage.readers
    shown = list(counts.items())
    rest = shown[_MOST_BARS:]
    bars = [
        Bar(
            words["checks_stories"].format(n=n) if n else words["checks_stories_none"],
            people,
            readers,
            "" if n else "without",
        )
        for n, people in (shown[:_MOST_BARS])
    ]
    if rest:
        bars.append(
            Bar(words["checks_stories"].format(n=f"≥ {rest[0][0]}"), sum(people for _, people in rest), readers)
        )
    return bars


def _by_topic(specimen: Specimen, words: Mapping[str, str], names: Mapping[str, str]) -> Sequence[Bar]:
    bars = [
        Bar(names[topic.slug], topic.reached, topic.subscribed, "" if topic.stories else "without", topic.stories)
        for topic in topics_reached(specimen)
    ]
    by_keyword = followed(specimen)
    return [*bars, Bar(words["checks_followed"], by_keyword, by_keyword, FOLLOWED)] if by_keyword else bars


def _sizes(specimen: Specimen, words: Mapping[str, str]) -> Sequence[Bar]:
    bars = [
        Bar(words[f"checks_size_full_{language}"], size, MOST_HTML_BYTES, _judged(size))
        for language, size in sizes(specimen).items()
    ]
    people, size = most_read(specimen)
    common = words["checks_size_common"].format(n=f"{people:,}")
    return [*bars, Bar(common, size, MOST_HTML_BYTES, _judged(size))] if people else bars


def _judged(size_bytes: int) -> str:
    return "bad" if size_bytes > MOST_HTML_BYTES else "warn" if size_bytes > WARN_HTML_BYTES else ""
