"""The whole pipeline on one edition, without any cutting: what an assembled edition must equal.

No reader's mail goes this way; tests and benchmarks measure the short way by it.
"""

from newsletter.compose.edition import FOLLOWED, Edition
from newsletter.content.issue import Issue
from newsletter.render.compile import entry
from newsletter.render.compiled import TAIL
from newsletter.render.marks import Marks
from newsletter.render.message import personal_values
from newsletter.render.page import Filling, GroupView, Sheet, html_page, sheet, text_page
from newsletter.render.publication import Publication
from newsletter.render.recipient import Recipient
from newsletter.render.spans import clean
from newsletter.render.theme import Theme
from newsletter.render.transfer import padded
from newsletter.render.wording import EditionLines, edition_lines, subject_prefix
from subscribers.topics import Catalogue


def render_edition(
    issue: Issue,
    edition: Edition,
    *,
    theme: Theme,
    language: str,
    topics: Catalogue,
    publication: Publication,
    recipient: Recipient,
    slug: str = "",
) -> tuple[str, str, str]:
    """HTML, text and subject of one reader's mail, from Jinja2, MJML and premailer run on their stories alone.

    The marks of the templates stand in this page too; they are taken out, and the HTML before each is padded to whole
    lines of base64, as in an assembled edition.
    """
    prepared = sheet(issue, theme, language, topics, publication, slug)
    groups = _groups(prepared, edition)
    lines = _lines(issue, prepared, groups)
    filling = Filling(
        preheader=lines.preheader,
        lang=lines.lang,
        count=lines.count,
        number=str,
        **personal_values(publication, prepared.labels, prepared.names, recipient),
    )
    marks = Marks.of(issue, edition, recipient, slug)
    html = [
        part if name == TAIL else padded(part)
        for name, part in marks.parts(html_page(theme, prepared, groups, filling, marks))
    ]
    text = [part for _, part in marks.parts(text_page(theme, prepared, groups, filling, marks))]
    return "".join(html), "".join(text), (prepared.labels.gettext("[Test] ") if recipient.test else "") + lines.subject


def _groups(prepared: Sheet, edition: Edition) -> list[GroupView]:
    indexes = {story.id: story.index for story in prepared.stories}
    return [prepared.group(group.topic, [indexes[story] for story in group.stories]) for group in edition.groups]


def _lines(issue: Issue, prepared: Sheet, groups: list[GroupView]) -> EditionLines:
    stories = [entry(story) for group in groups for story in group.stories]
    followed = prepared.headings.index(FOLLOWED) in [group.index for group in groups]
    subject, preheader = clean(issue.subject).strip(), clean(issue.preheader).strip()
    prefix = subject_prefix(prepared.labels, issue.is_digest)
    return edition_lines(prepared.labels, subject, preheader, stories, len(groups) - followed, followed, prefix)
