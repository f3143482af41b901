"""One page from a selection of stories: Jinja2 writes MJML and text, MJML and premailer make the mail of it.

Compiling an issue and rendering a single edition both come through here, with marks between the parts; they differ in
the stories they select and in what stands in the slots.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

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
from newsletter.render.theme import MAIL, STYLE, TEXT, Theme, ThemeError
from subscribers.topics import Catalogue


@dataclass(frozen=True, slots=True)
class Filling:
    """What depends on the edition or the reader: values, or slots where they come later. `number` gives a story's."""

    preheader: str
    count: str
    reason: str
    unsubscribe: str
    number: Callable[[int], str]


@dataclass(frozen=True, slots=True)
class GroupView:
    """Stories under one heading; `index` is the heading's place in `Sheet.headings`."""

    index: int
    name: str
    stories: tuple[StoryView, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that an issue brings to its page, whoever reads it; `lang` is the language of its title."""

    title: str
    lang: str
    date: date | None
    stories: tuple[StoryView, ...]
    headings: tuple[str, ...]
    names: Mapping[str, str]
    labels: Labels
    postal_address: str
    theme: Theme

    def group(self, topic: str, stories: Sequence[int]) -> GroupView:
        """The stories of these indexes under the heading of a topic's slug or of `FOLLOWED`."""
        chosen = tuple(self.stories[index] for index in stories)
        return GroupView(self.headings.index(topic), self.names[topic], chosen)


def sheet(issue: Issue, theme: Theme, language: str, topics: Catalogue, publication: Publication) -> Sheet:
    """Prepare an issue for its theme and language; raises ThemeError when the theme does not speak it."""
    labels = theme.language(language)
    stories = tuple(story_view(index, story) for index, story in enumerate(issue.stories))
    names = {topic.slug: clean(topic.name(language)) for topic in topics.topics}
    for section in issue.sections:
        names.setdefault(section.topic, clean(plain(section.title)))
    used = dict.fromkeys(topic for story in stories for topic in story.topics)
    names = {slug: slug for slug in used} | names | {FOLLOWED: labels.gettext("Keywords you follow")}
    title = clean(plain(issue.title))
    address = clean(publication.postal_address)
    return Sheet(title, language_of(title), issue.date, stories, (FOLLOWED, *used), names, labels, address, theme)


def html_page(sheet: Sheet, groups: Sequence[GroupView], filling: Filling, marks: Marks) -> str:
    """The mail's HTML with the marks that the template sets; raises ThemeError naming file and line."""
    mjml, css = (_rendered(sheet, name, groups, filling, marks.mark) for name in (MAIL, STYLE))
    return mail_html(mjml, css)


def text_page(sheet: Sheet, groups: Sequence[GroupView], filling: Filling, marks: Marks) -> str:
    """The mail's text with the marks that the template sets; raises ThemeError naming file and line."""
    return _rendered(sheet, TEXT, groups, filling, marks.text_mark)


def _rendered(
    sheet: Sheet, name: str, groups: Sequence[GroupView], filling: Filling, mark: Callable[[str], str]
) -> str:
    stories = [story for group in groups for story in group.stories]
    try:
        template = sheet.theme.environment.get_template(name)
        return template.render(
            sheet=sheet,
            labels=sheet.labels,
            _=sheet.labels.gettext,
            groups=groups,
            stories=stories,
            filling=filling,
            mark=mark,
        )
    except TemplateError as error:
        file, line = _place(error, name)
        raise ThemeError(str(error), sheet.theme.name, file, line) from error


def _place(error: TemplateError, name: str) -> tuple[str, int]:
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
