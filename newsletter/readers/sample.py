"""What somebody with certain preferences would have received of the newest issue, and why."""

from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from threading import Lock
from typing import NamedTuple

from newsletter.app import Newsletter
from newsletter.archive.reading import Archive
from newsletter.compose.choose import Chooser
from newsletter.compose.edition import FOLLOWED, Edition
from newsletter.content.issue import Issue
from newsletter.render.assemble import Assembled, Assembler
from newsletter.render.compile import compile_issue
from newsletter.render.compiled import CompiledIssue
from newsletter.render.message import html_of, subject_of, text_of
from newsletter.render.recipient import Recipient
from newsletter.storage.issues import IssueRefused
from subscribers.preferences import Frequency, Preferences
from subscribers.topics import Catalogue, Topic


class SampleStory(NamedTuple):
    """One story of a sample: its title in plain text, and the topic or the followed keyword that brought it in."""

    title: str
    topic: str | None
    keyword: str | None


@dataclass(frozen=True, slots=True)
class Sample:
    """A mail that belongs to nobody: its links that are personal do nothing.

    `slug`, `title` and `date` are the issue's; `stories` stand in the order of the mail.
    """

    slug: str
    title: str
    date: date
    stories: tuple[SampleStory, ...]
    assembled: Assembled
    recipient: Recipient

    @property
    def subject(self) -> str:
        """The decoded subject line."""
        return subject_of(self.assembled, self.recipient)

    @property
    def html(self) -> str:
        """The decoded HTML part."""
        return html_of(self.assembled, self.recipient)

    @property
    def text(self) -> str:
        """The decoded text part."""
        return text_of(self.assembled, self.recipient)


@dataclass(frozen=True, slots=True)
class _Press:
    """An issue made ready: what chooses of it and what joins its fragments."""

    chooser: Chooser
    assembler: Assembler


class Sampler:
    """Makes samples, for any number of threads. It keeps what it has compiled: an application makes one."""

    def __init__(self, newsletter: Newsletter, archive: Archive) -> None:
        self._newsletter = newsletter
        self._archive = archive
        self._press = lru_cache(maxsize=4)(self._compile)  # the newest issue in either language, and its last revision
        self._compiling = Lock()  # who comes while an issue is compiled waits: twenty at once take twenty times as long

    def sample(self, preferences: Preferences, language: str) -> Sample | None:
        """What these preferences would have brought of the newest published issue, in a language of `LANGUAGES`.

        None when nothing was published yet, nothing of it matches, or its theme cannot be used: a page is as good
        without a sample. Costs a join; compiling is done once per issue.
        """
        latest = self._archive.latest()
        if latest is None:
            return None
        with self._newsletter.reading() as session:
            topics = self._newsletter.topics(session).all()
        try:
            with self._compiling:
                press = self._press(latest.issue, language, topics)
        except IssueRefused:
            return None
        edition = press.chooser.choose(in_any_mail(preferences))
        if not edition:
            return None
        return Sample(
            slug=latest.slug,
            title=latest.title,
            date=latest.date,
            stories=_stories(press, edition, preferences),
            assembled=press.assembler(edition),
            recipient=Recipient("sample", "reader@example.org", self._newsletter.now(), preferences.topics),
        )

    def _compile(self, issue: Issue, language: str, topics: tuple[Topic, ...]) -> _Press:
        compiled = compile_issue(
            issue,
            theme=self._newsletter.theme_for(issue),
            language=language,
            topics=Catalogue(topics),
            publication=self._newsletter.settings.publication,
        )
        return _Press(Chooser(issue), Assembler(compiled, capacity=64))


def in_any_mail(preferences: Preferences) -> Preferences:
    """Choices by which a daily issue brings all that they bring of it, at once or with the week's digest."""
    own = tuple((topic, _sooner(frequency)) for topic, frequency in preferences.frequencies)
    return replace(preferences, frequency=_sooner(preferences.frequency), frequencies=own)


def _sooner(frequency: Frequency) -> Frequency:
    return Frequency.DAILY if frequency is Frequency.WEEKLY else frequency


def _stories(press: _Press, edition: Edition, preferences: Preferences) -> tuple[SampleStory, ...]:
    compiled: CompiledIssue = press.assembler.compiled
    titles = {story.id: story.name for story in compiled.stories}
    return tuple(
        SampleStory(titles[story], None, press.chooser.mentioned(story, preferences.follow))
        if group.topic == FOLLOWED
        else SampleStory(titles[story], compiled.names[group.topic], None)
        for group in edition.groups
        for story in group.stories
    )
