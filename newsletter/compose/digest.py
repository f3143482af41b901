"""A week's issues as one: which of their stories a digest is made of, and in which order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from newsletter.content.inline import escape
from newsletter.content.issue import DIGEST, Issue, Mark, Origin, Section, Story
from subscribers.topics import Topic


@dataclass(frozen=True, slots=True)
class Past:
    """An issue that went out: its slug, its date, and the root of each of its stories by story id.

    Stories of one root tell the same; one that is missing in `roots` is its own.
    """

    slug: str
    date: date
    issue: Issue
    roots: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Told:
    """A story and where it stood."""

    story: Story
    heading: str
    origin: Origin


def digest(on: date, past: Sequence[Past], topics: Sequence[Topic]) -> Issue:
    """The digest of a date, of issues that are given the newest first; there must be one.

    It has the title of the newest. Of stories that tell the same, and of stories with one id, which come under the same
    title or link, the newest stands in it. A section for each topic
    holds the stories whose first topic it is, the important ones first, then the newest; stories without a topic that
    there is stand at the end, under their own headings. Stories keep their ids.
    """
    told = list(_told(past))
    known = {topic.slug for topic in topics}
    sections = [
        Section(escape(topic.zh), _in_order(one for one in told if _first(one, known) == topic.slug), topic=topic.slug)
        for topic in topics
    ]
    loose = [one for one in told if not _first(one, known)]
    for heading in dict.fromkeys(one.heading for one in loose):
        sections.append(Section(heading, _in_order(one for one in loose if one.heading == heading)))
    return Issue(
        title=past[0].issue.title,
        date=on,
        sections=tuple(section for section in sections if section.stories),
        format=DIGEST,
        origins=tuple((one.story.id, one.origin) for one in told),
    )


def _told(past: Iterable[Past]) -> Iterable[_Told]:
    """The stories of these issues, the newest issue's first, one for each root and each id."""
    seen: set[str] = set()
    for one in past:
        origin = Origin(one.slug, one.date)
        for section in one.issue.sections:
            for story in section.stories:
                told = {one.roots.get(story.id) or story.id, story.id}
                if not told & seen:
                    yield _Told(story, section.title, origin)
                seen |= told


def _first(told: _Told, known: set[str]) -> str:
    """The first of a story's topics that there is; empty for none."""
    return next((topic for topic in told.story.topics if topic in known), "")


def _in_order(told: Iterable[_Told]) -> tuple[Story, ...]:
    stories = [one.story for one in told]
    return tuple(sorted(stories, key=lambda story: Mark.IMPORTANT not in story.marks))
