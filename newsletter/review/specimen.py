"""What the checks look at, gathered once: the issue with its lines, its mails in every language, and who gets what."""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from sqlmodel import Session

from newsletter.app import Newsletter
from newsletter.compose.coverage import Coverage, cover
from newsletter.compose.edition import FOLLOWED, Edition, Group
from newsletter.content.document import read_issue
from newsletter.content.encoding import decode
from newsletter.content.inline import plain
from newsletter.content.issue import Story
from newsletter.editorial.approval import compile_now
from newsletter.editorial.readership import chosen_now, page_bound
from newsletter.render.assemble import assemble
from newsletter.render.compiled import CompiledIssue
from newsletter.render.headers import MessageRefused
from newsletter.render.message import fill, html_of
from newsletter.render.recipient import Message, Recipient
from newsletter.render.size import full_edition
from newsletter.render.theme import ThemeError
from newsletter.storage.issues import IssueRefused, Saved
from subscribers.preferences import LANGUAGES
from subscribers.topics import Catalogue

_TAG = re.compile(r"<[a-z][^<>]*>", re.IGNORECASE)
_OWN = re.compile(r"\s(?:href|src|width|id|title|aria-label|alt|lang)=\"[^\"]*\"")
READER = Recipient(
    key="check.1",
    address="reader@example.org",
    date=datetime(2000, 1, 1, tzinfo=UTC),
    topics=(),
)
"""Nobody in particular; the links of their mail do nothing."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Who would get what of an issue now: `left_out` by reason, `subscribed` how many want each topic.

    `only_first` is how many readers were looked at where these are not all.
    """

    coverage: Coverage
    left_out: Mapping[str, int]
    subscribed: Mapping[str, int]
    only_first: int | None


@dataclass(frozen=True)
class Specimen:
    """An issue as the checks see it.

    `text` is what the editor wrote, `lines` where each story's title stands in it, by story id. `mails` are empty when
    none can be made, and `trouble` says why.
    """

    newsletter: Newsletter
    saved: Saved
    text: str
    lines: Mapping[str, int]
    topics: Catalogue
    mails: Mapping[str, CompiledIssue]
    trouble: str
    reach: Reach

    @property
    def stories(self) -> tuple[Story, ...]:
        """The stories of the issue."""
        return self.saved.issue.stories

    @cached_property
    def pages(self) -> tuple[str, ...]:
        """The HTML of a mail in each language, of as many stories as it takes to show every element there is."""
        return tuple(html_of(assemble(mail, _telling(mail)), READER) for mail in self.mails.values())

    @cached_property
    def message(self) -> Message | None:
        """The message of the fullest edition, in the first language; None when none can be made."""
        mail = next(iter(self.mails.values()), None)
        return fill(assemble(mail, full_edition(mail)), READER) if mail else None

    def line_of(self, story: Story, words: str = "") -> int:
        """The line of a story, or that line of it where these words stand."""
        start = self.lines.get(story.id, 0)
        if not words or not start:
            return start
        next_story = bisect_right(self._starts, start)
        end = self._starts[next_story] if next_story < len(self._starts) else len(self._rows) + 1
        there = self._rows[start - 1 : end - 1]
        return next((start + place for place, row in enumerate(there) if words in row), start)

    @cached_property
    def _starts(self) -> list[int]:
        return sorted(self.lines.values())

    @cached_property
    def _rows(self) -> list[str]:
        return self.text.split("\n")


def title_of(story: Story) -> str:
    """A story's title as readers see it."""
    return plain(story.title)


def gather(newsletter: Newsletter, slug: str) -> Specimen:
    """Everything to look at of an issue's newest revision; raises `IssueRefused` for an unknown slug."""
    most = page_bound(newsletter)
    with newsletter.reading() as session:
        saved = newsletter.issues(session).find(slug)
        source = newsletter.issues(session).source(saved.revision_id)
        topics = newsletter.topics(session).catalogue()
        reach = _reach(newsletter, session, saved, most)
    mails, trouble = _mails(newsletter, saved)
    text = (decode(source) or "").replace("\r\n", "\n").replace("\r", "\n")
    return Specimen(newsletter, saved, text, _lines(source, saved, topics), topics, mails, trouble, reach)


def _mails(newsletter: Newsletter, saved: Saved) -> tuple[dict[str, CompiledIssue], str]:
    if not saved.issue.stories:
        return {}, ""
    try:
        mails = compile_now(newsletter, saved, LANGUAGES)
        for mail in mails.values():
            fill(assemble(mail, full_edition(mail)), READER)
    except (IssueRefused, ThemeError, MessageRefused) as refused:
        return {}, str(refused)
    return mails, ""


def _lines(source: bytes, saved: Saved, topics: Catalogue) -> dict[str, int]:
    """The line of each story's title, by its id; none when the text is read otherwise today."""
    reading = read_issue(source, resolve=topics.resolve)
    stories = saved.issue.stories
    if reading.issue is None or [one.title for one in reading.issue.stories] != [one.title for one in stories]:
        return {}
    return {story.id: line for story, line in zip(stories, reading.story_lines, strict=False)}


def _reach(newsletter: Newsletter, session: Session, saved: Saved, most: int | None) -> Reach:
    left_out: Counter[str] = Counter()
    subscribed: Counter[str] = Counter()

    def chosen() -> Iterator[Edition]:
        for member, edition in chosen_now(newsletter, session, saved, left_out, most):
            subscribed.update(member.preferences.topics)
            yield edition

    return Reach(cover(chosen()), left_out, subscribed, most)


def _telling(mail: CompiledIssue) -> Edition:
    """The stories of a mail that bring an element, with its style, that no story before them has."""
    seen: set[str] = set()
    groups: dict[str, list[str]] = {}
    for place, story in enumerate(mail.stories):
        tags = set(_TAG.findall(_OWN.sub("", "".join(mail.html[f"story.{place}"].literals))))
        if tags - seen or not groups:
            groups.setdefault(story.topics[0] if story.topics else FOLLOWED, []).append(story.id)
        seen |= tags
    return Edition(tuple(Group(topic, tuple(stories)) for topic, stories in groups.items()))
