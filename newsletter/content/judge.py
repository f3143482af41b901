"""Judging an issue: everything an editor should know before it goes out."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from difflib import get_close_matches
from itertools import chain, repeat

from newsletter.content.diagnostics import Diagnostic
from newsletter.content.findings import error, name_of, named, quoted, warning
from newsletter.content.identity import title_key
from newsletter.content.inline import plain
from newsletter.content.issue import Issue, Section
from newsletter.content.reading import Reading
from newsletter.content.repeats import EarlierStory, in_earlier_issues, repeated
from newsletter.content.story_checks import check_sources, check_story, check_title

__all__ = ["EarlierStory", "judge", "with_topic"]

MOST_STORIES = 2_000
"""Stories in an issue: a hundred times a full day."""

OLD_DAYS = 7
"""An issue dated more days ago than this is probably dated wrongly."""

EARLIEST_YEAR = 2000
FURTHEST_DAYS_AHEAD = 366

# Shorter titles ("GPT-6") stand in many a subject by chance.
_NAMES_A_STORY_CHARACTERS = 6
_COMPARED_CHARACTERS = 40
_ALIAS = "rename it, add the heading with “newsletter topic alias”, or give --topic"


def judge(
    reading: Reading,
    *,
    today: date,
    topics_known: Collection[str],
    earlier: Iterable[EarlierStory] = (),
    own_host: str = "",
) -> tuple[Diagnostic, ...]:
    """Gather all findings about an issue, the reader's own among them, in the order of their lines.

    `topics_known` holds the slugs that sections may have; the names and aliases of topics may be among them, so that
    the nearest can be named. `earlier` holds the stories of earlier issues that these may tell again, the earliest
    first; `own_host` is the host that serves the newsletter's own pictures.
    """
    issue = reading.issue
    if issue is None:
        return reading.diagnostics
    placed = list(zip(chain(reading.story_lines, repeat(0)), issue.stories, strict=False))
    findings = (
        *_whole(issue, today),
        *_sections(reading, issue, topics_known),
        *(finding for line, story in placed for finding in check_story(line, story, own_host)),
        *check_sources(placed, linked=issue.format != "article"),
        *repeated(placed),
        *in_earlier_issues(placed[:MOST_STORIES], earlier),
    )
    new = _unsaid(findings, reading.diagnostics)
    return tuple(sorted((*reading.diagnostics, *new), key=lambda finding: finding.line))


def with_topic(reading: Reading, slug: str) -> Reading:
    """Give the topic of that slug to every section that has none, and to the stories in it."""
    if reading.issue is None:
        return reading
    sections = tuple(section if section.topic else _moved(section, slug) for section in reading.issue.sections)
    return replace(reading, issue=replace(reading.issue, sections=sections))


def _moved(section: Section, slug: str) -> Section:
    stories = (
        replace(story, topics=(slug, *(topic for topic in story.topics if topic != slug))) for story in section.stories
    )
    return replace(section, topic=slug, stories=tuple(stories))


def _unsaid(findings: Iterable[Diagnostic], said: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Leave out what the reader said already: at that place, or, for what concerns the whole file, anywhere."""
    places = {(finding.line, finding.code) for finding in said}
    codes = {code for _, code in places}
    if "date-impossible" in codes:
        codes.add("date-missing")
    return [f for f in findings if (f.line, f.code) not in places and not (f.line == 0 and f.code in codes)]


def _whole(issue: Issue, today: date) -> Iterator[Diagnostic]:
    """Find what concerns the issue as a whole: title, date, size, subject."""
    if not issue.title:
        advice = "the newsletter's own name is used; for another, begin with a heading, set title in the front matter"
        yield warning(0, "title-missing", f"the issue has no title; {advice}, or give --title", case="issue")
    if not issue.stories:
        advice = "a story is a bold, linked or numbered title with its text below, under a section's heading"
        yield error(0, "no-story", f"no story was found; {advice}")
    elif len(issue.stories) > MOST_STORIES:
        message = f"the issue has {len(issue.stories)} stories, the most is {MOST_STORIES}; make several issues of it"
        yield error(0, "issue-too-long", message, n=len(issue.stories), most=MOST_STORIES)
    yield from check_title(0, "the issue's title", issue.title)
    yield from _date(issue.date, today)
    yield from _subject(issue)


def _date(day: date | None, today: date) -> Iterator[Diagnostic]:
    if day is None:
        advice = "write it in the heading, such as (2026-02-04), or in the front matter, or give --date"
        yield error(0, "date-missing", f"the issue has no date; {advice}")
    elif day.year < EARLIEST_YEAR or day > today + timedelta(days=FURTHEST_DAYS_AHEAD):
        limits = f"lies before {EARLIEST_YEAR} or more than a year ahead"
        yield error(0, "date-impossible", f"the issue's date {day} {limits}; correct it", case="far", what=str(day))
    elif day < today - timedelta(days=OLD_DAYS):
        ago = (today - day).days
        message = f"the issue's date {day} was {ago} days ago; correct it if the issue is new"
        yield warning(0, "date-old", message, what=str(day), n=ago)


def _subject(issue: Issue) -> Iterator[Diagnostic]:
    subject = title_key(issue.subject)
    for story in issue.stories if subject else ():
        title = title_key(story.title)
        if min(len(title), len(subject)) >= _NAMES_A_STORY_CHARACTERS and (title in subject or subject in title):
            message = f"the subject in the front matter names {named(story.title)}, which not every reader gets"
            message += "; without it each mail names its own first story"
            yield warning(0, "subject-names-story", message, what=name_of(story.title))
            return


def _sections(reading: Reading, issue: Issue, topics_known: Collection[str]) -> Iterator[Diagnostic]:
    lines = chain(reading.section_lines, repeat(0))
    for line, section in zip(lines, issue.sections, strict=False):
        path = " / ".join(section.path) or section.title
        heading, name = f"the section {named(path)}", name_of(path)
        if not section.stories:
            if not issue.stories:  # one finding says so of all of them
                continue
            yield warning(line, "section-empty", f"{heading} has no story; add one or take its heading out", what=name)
            continue
        if not section.topic:
            near = _nearest(plain(section.title), topics_known)
            message = f"{heading} belongs to no topic{_in_brackets(near)}; {_ALIAS}"
            case = "section" if name else "nameless"
            yield error(line, "topic-unknown", message, case=case, what=name, nearest=near)
        topics = dict.fromkeys((section.topic, *(topic for story in section.stories for topic in story.topics)))
        for topic in topics:
            if topic and topic not in topics_known:
                near = _nearest(topic, topics_known)
                message = f"the topic {quoted(topic)} in {heading} is not known{_in_brackets(near)}"
                message += "; correct it or add it with “newsletter topic add”"
                yield error(line, "topic-unknown", message, case="known", what=topic, of=name, nearest=near)


def _nearest(heading: str, topics_known: Collection[str]) -> str:
    close = get_close_matches(heading[:_COMPARED_CHARACTERS], list(topics_known), n=1, cutoff=0.3)
    return close[0] if close else ""


def _in_brackets(nearest: str) -> str:
    return f" (the nearest is {quoted(nearest)})" if nearest else ""
