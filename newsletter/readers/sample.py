"""What somebody with certain preferences would have received of the newest issue, and why."""

from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from threading import Lock
from typing import NamedTuple

from newsletter.app import Newsletter
from newsletter.archive.lines import ArchivedIssue
from newsletter.archive.reading import Archive
from newsletter.compose.choose import Chooser
from newsletter.compose.digest import Past, digest
from newsletter.compose.edition import FOLLOWED, Edition
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

    `slug`, `title` and `date` are the issue's; `stories` stand in the order of the mail. With `is_digest` nothing of
    the issue comes at once, and this is what a week's digest would hold of it.
    """

    slug: str
    title: str
    date: date
    stories: tuple[SampleStory, ...]
    assembled: Assembled
    recipient: Recipient
    is_digest: bool

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
        # the newest issue and its digest, in either language, and the last revision
        self._press = lru_cache(maxsize=8)(self._compile)
        self._compiling = Lock()  # who comes while an issue is compiled waits: twenty at once take twenty times as long

    def sample(self, preferences: Preferences, language: str) -> Sample | None:
        """What these preferences would have brought of the newest published issue, in a language of `LANGUAGES`.

        That is the mail that comes with the issue; where none does, what the week's digest would hold of the issue.
        None when nothing was published yet, nothing of it matches, or its theme cannot be used: a page is as good
        without a sample. Costs a join; compiling is done once per issue and digest.
        """
        latest = self._archive.latest()
        if latest is None:
            return None
        with self._newsletter.reading() as session:
            topics = self._newsletter.topics(session).all()
        for is_digest in (False, True):
            if is_digest and not preferences.is_weekly:
                break
            try:
                with self._compiling:
                    press = self._press(latest, language, topics, is_digest)
            except IssueRefused:
                continue
            if edition := press.chooser.choose(preferences):
                return self._sample(latest, press, edition, preferences)
        return None

    def _sample(self, latest: ArchivedIssue, press: _Press, edition: Edition, preferences: Preferences) -> Sample:
        return Sample(
            slug=latest.slug,
            title=latest.title,
            date=latest.date,
            stories=_stories(press, edition, preferences),
            assembled=press.assembler(edition),
            recipient=Recipient("sample", "reader@example.org", self._newsletter.now(), preferences.topics),
            is_digest=press.chooser.is_digest,
        )

    def _compile(self, latest: ArchivedIssue, language: str, topics: tuple[Topic, ...], is_digest: bool) -> _Press:
        issue = latest.issue
        if is_digest:
            issue = digest(latest.date, [Past(latest.slug, latest.date, issue, {})], topics)
        compiled = compile_issue(
            issue,
            theme=self._newsletter.theme_for(issue),
            language=language,
            topics=Catalogue(topics),
            publication=self._newsletter.settings.publication,
        )
        return _Press(Chooser(issue, is_digest), Assembler(compiled, capacity=64))


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
