"""One page from a selection of stories: Jinja2 writes MJML and text, MJML and premailer make the mail of it.

Compiling an issue and rendering a single edition both come through here, with marks between the parts; they differ in
the stories they select and in what stands in the slots.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from jinja2 import TemplateError, TemplateSyntaxError

from newsletter.compose.edition import FOLLOWED
from newsletter.content.inline import plain
from newsletter.content.issue import Issue
from newsletter.render.inline_css import mail_html
from newsletter.render.labels import Labels
from newsletter.render.marks import Marks
from newsletter.render.publication import Publication
from newsletter.render.spans import clean, language_of
from newsletter.render.story_view import StoryView, story_view
from newsletter.render.theme import FAULTS, MAIL, STYLE, TEXT, Theme, ThemeError
from subscribers.topics import Catalogue

_MOST_CHARACTERS = 20_000_000  # of a page before MJML; a hundred times what an issue of fifty stories has


@dataclass(frozen=True, slots=True)
class Filling:
    """What depends on the edition or the reader: values, or slots where they come later.

    `lang` is the language of the preheader; `number` gives a story's.
    """

    preheader: str
    lang: str
    count: str
    reason: str
    unsubscribe: str
    preferences: str
    view: str
    number: Callable[[int], str]


@dataclass(frozen=True, slots=True)
class GroupView:
    """Stories under one heading; `index` is the heading's place in `Sheet.headings`, `lang` its name's language."""

    index: int
    name: str
    lang: str
    stories: tuple[StoryView, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that an issue brings to its page, whoever reads it; `lang` is the language of its title.

    In a digest, `since` and `until` are the dates of the first and the last issue that its stories stood in, else None.
    `marked` says whether any of its stories shows a mark: only then does a mail bring the style for it. Templates get
    this, so it holds nothing but plain values.
    """

    title: str
    lang: str
    since: date | None
    until: date | None
    date: date | None
    stories: tuple[StoryView, ...]
    headings: tuple[str, ...]
    names: Mapping[str, str]
    labels: Labels
    postal_address: str
    address_lang: str
    marked: bool

    def group(self, topic: str, stories: Sequence[int]) -> GroupView:
        """The stories of these indexes under the heading of a topic's slug or of `FOLLOWED`."""
        chosen = tuple(self.stories[index] for index in stories)
        lang = self.labels.lang if topic == FOLLOWED else language_of(self.names[topic])
        return GroupView(self.headings.index(topic), self.names[topic], lang, chosen)


def sheet(
    issue: Issue, theme: Theme, language: str, topics: Catalogue, publication: Publication, slug: str = ""
) -> Sheet:
    """Prepare an issue for its theme and language; raises ThemeError when the theme does not speak it.

    `slug` is what the archive keeps the issue under; empty for one that no archive has.
    """
    labels = theme.language(language)
    pages = f"{publication.base_url}/archive/{slug}" if slug else ""
    origins = dict(issue.origins)
    stories = tuple(
        story_view(index, story, pages, publication.base_url, origins.get(story.id))
        for index, story in enumerate(issue.stories)
    )
    days = [origin.date for origin in origins.values()]
    names = {topic.slug: clean(topic.name(language)) for topic in topics.topics}
    for section in issue.sections:
        names.setdefault(section.topic, clean(plain(section.title)))
    used = dict.fromkeys(topic for story in stories for topic in story.topics)
    names = {slug: slug for slug in used} | names | {FOLLOWED: labels.gettext("Keywords you follow")}
    title = clean(plain(issue.title))
    address = clean(publication.postal_address)
    return Sheet(
        title=title,
        lang=language_of(title),
        date=issue.date,
        stories=stories,
        headings=(FOLLOWED, *used),
        names=names,
        labels=labels,
        postal_address=address,
        address_lang=language_of(address),
        marked=any(story.marks for story in stories),
        since=min(days, default=None),
        until=max(days, default=None),
    )


def html_page(theme: Theme, sheet: Sheet, groups: Sequence[GroupView], filling: Filling, marks: Marks) -> str:
    """The mail's HTML with the marks that the template sets; raises ThemeError naming file and line."""
    given = _given(sheet, groups, filling, marks.mark)
    return mail_html(_rendered(theme, MAIL, given), _rendered(theme, STYLE, given))


def text_page(theme: Theme, sheet: Sheet, groups: Sequence[GroupView], filling: Filling, marks: Marks) -> str:
    """The mail's text with the marks that the template sets; raises ThemeError naming file and line."""
    return _rendered(theme, TEXT, _given(sheet, groups, filling, marks.text_mark))


def _given(
    sheet: Sheet, groups: Sequence[GroupView], filling: Filling, mark: Callable[[str], str]
) -> Mapping[str, Any]:
    """What a template may use; docs/reference/theme-toml.md lists it."""
    return {
        "sheet": sheet,
        "labels": sheet.labels,
        "_": sheet.labels.gettext,
        "groups": tuple(groups),
        "stories": tuple(story for group in groups for story in group.stories),
        "filling": filling,
        "mark": mark,
    }


def _rendered(theme: Theme, name: str, given: Mapping[str, Any]) -> str:
    """What a template makes; raises ThemeError when it fails, whatever way, or finds no end."""
    try:
        page = _joined(theme.environment.get_template(name).generate(given))
    except (TemplateError, *FAULTS) as error:
        file, line = _place(error, name)
        raise ThemeError(_said(error), theme.name, file, line) from error
    if page is None:
        raise ThemeError(f"it makes more than {_MOST_CHARACTERS:,} characters: look for a loop", theme.name, name)
    return page


def _said(error: BaseException) -> str:
    """What is wrong with a template; only Jinja2's own errors, and a limit's, say it in a sentence."""
    if isinstance(error, MemoryError):
        return "it takes too much memory: look for long repetitions"
    if isinstance(error, TemplateError | TimeoutError):
        return str(error)
    return f"the template fails: {type(error).__name__} {error}".rstrip()


def _joined(pieces: Iterable[str]) -> str | None:
    """The pieces of a page in one; None when there are far too many."""
    kept, length = [], 0
    for piece in pieces:
        kept.append(piece)
        length += len(piece)
        if length > _MOST_CHARACTERS:
            return None
    return "".join(kept)


def _place(error: BaseException, name: str) -> tuple[str, int]:
    """File and line of a template error: syntax errors carry them, others happened in the innermost template frame."""
    if isinstance(error, TemplateSyntaxError):
        return error.name or name, error.lineno
    place, frame = (name, 0), error.__traceback__
    while frame is not None:
        file = frame.tb_frame.f_code.co_filename
        if file.endswith((".j2", ".css")):
            place = file, frame.tb_lineno
        frame = frame.tb_next
    return place
