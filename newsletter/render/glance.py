"""A mail at a glance: its HTML and how it is announced, of an issue that may have been compiled without its text."""

from dataclasses import dataclass

from newsletter.compose.edition import Edition
from newsletter.render.assemble import lines_of, places, shared_values
from newsletter.render.compiled import TAIL, CompiledIssue
from newsletter.render.message import html_end, marked, personal_values
from newsletter.render.outline import outline, shows_topics_in_contents
from newsletter.render.recipient import Recipient
from newsletter.render.transfer import padded


@dataclass(frozen=True, slots=True)
class Glance:
    """What is seen of a mail: the decoded subject line and HTML part, and what an inbox shows beside the subject."""

    subject: str
    preheader: str
    html: str


def glance(compiled: CompiledIssue, edition: Edition, recipient: Recipient) -> Glance:
    """What a reader sees of an edition, letter by letter as in the message, which is not made.

    Raises ValueError when the edition is empty or names a story or heading that the issue does not have.
    """
    groups = places(compiled, edition)
    lines = lines_of(compiled, edition, groups)
    values = shared_values(lines)
    names = outline(groups, shows_topics_in_contents(compiled.html))
    front = "".join([padded(compiled.html[name].fill(values)) for name in names])
    own = personal_values(compiled.publication, compiled.labels, compiled.names, recipient)
    html = front + padded(html_end(compiled, own)) + compiled.html[TAIL].literals[0]
    return Glance(marked(compiled.labels, recipient, lines.subject), lines.preheader, html)
