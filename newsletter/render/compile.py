"""Compile an issue once per theme and language: one run of the whole page, cut into fragments."""

from newsletter.content.issue import Issue
from newsletter.content.spans import plain
from newsletter.render.compiled import LINKS, PERSONAL, CompiledIssue, StoryEntry
from newsletter.render.fragment import Fragment
from newsletter.render.marks import Marks
from newsletter.render.outline import required, shows_topics_in_contents
from newsletter.render.page import Filling, Sheet, html_page, sheet, text_page
from newsletter.render.publication import Publication
from newsletter.render.spans import clean
from newsletter.render.story_view import StoryView
from newsletter.render.theme import MAIL, TEXT, Theme, ThemeError
from newsletter.render.wording import subject_prefix
from subscribers.topics import Catalogue


def compile_issue(
    issue: Issue,
    *,
    theme: Theme,
    language: str,
    topics: Catalogue,
    publication: Publication,
    slug: str = "",
    with_text: bool = True,
) -> CompiledIssue:
    """Run Jinja2, MJML and premailer over the whole issue and cut the result.

    The issue's stories have their ids; `slug` is what the archive keeps it under (empty: no archive has it), where
    bodies go on that are cut. Without its text an issue can only be looked at, and takes less time. Raises ThemeError
    when the theme has no labels for `language`, or when one of its files is wrong (with file and line).
    """
    prepared = sheet(issue, theme, language, topics, publication, slug)
    marks = Marks.of(issue, theme.digest, language, publication, topics.topics, slug)
    html, text = _fragments(theme, prepared, marks, with_text)
    return CompiledIssue(
        theme=theme.name,
        language=language,
        publication=publication,
        subject=clean(issue.subject).strip(),
        preheader=clean(issue.preheader).strip(),
        labels=prepared.labels,
        names=prepared.names,
        headings=prepared.headings,
        stories=tuple(entry(story) for story in prepared.stories),
        html=html,
        text=text,
        prefix=subject_prefix(prepared.labels, issue.is_digest),
    )


def _fragments(
    theme: Theme, prepared: Sheet, marks: Marks, with_text: bool
) -> tuple[dict[str, Fragment], dict[str, Fragment]]:
    """Both parts of the mail, cut: all stories under the first heading, then the other headings bare.

    The text is empty where it is not wanted.
    """
    groups = [
        prepared.group(topic, range(len(prepared.stories)) if place == 0 else ())
        for place, topic in enumerate(prepared.headings)
    ]
    slots = Filling(
        preheader=marks.slot("preheader"),
        lang=marks.slot("lang"),
        count=marks.slot("count"),
        reason=marks.slot("reason"),
        **{name: marks.slot(name) for name in LINKS},
        number=lambda _: marks.slot("number"),
    )
    pages = {MAIL: html_page(theme, prepared, groups, slots, marks)}
    if with_text:
        pages[TEXT] = text_page(theme, prepared, groups, slots, marks)
    cut = {name: _cut(theme, marks, name, page) for name, page in pages.items()}
    with_topics = any(shows_topics_in_contents(fragments) for fragments in cut.values())
    wanted = required(len(prepared.stories), len(prepared.headings), with_topics)
    for name, fragments in cut.items():
        if missing := sorted(wanted - fragments.keys()):
            raise ThemeError(f"no mark for {', '.join(missing)}", theme.name, name)
        for slot in _misplaced(fragments):
            said = f"{{{{ filling.{slot} }}}} is each reader's own: it may stand behind the mark 'personal' alone"
            raise ThemeError(said, theme.name, name)
    return cut[MAIL], cut.get(TEXT, {})


def _misplaced(fragments: dict[str, Fragment]) -> set[str]:
    """The personal slots that stand where many readers share what is encoded."""
    return {slot for name, part in fragments.items() if name != PERSONAL for slot in part.slots} & {"reason", *LINKS}


def _cut(theme: Theme, marks: Marks, name: str, page: str) -> dict[str, Fragment]:
    try:
        return marks.cut(page)
    except ValueError as error:
        raise ThemeError(str(error), theme.name, name) from error


def entry(story: StoryView) -> StoryEntry:
    """What later steps need of a story."""
    return StoryEntry(story.id, story.name, clean(plain(story.teaser)), story.topics)
