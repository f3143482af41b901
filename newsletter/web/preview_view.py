"""What the preview pages show of an issue and of a mail, as values for their templates."""

import re
from dataclasses import dataclass

from newsletter.app import Newsletter
from newsletter.content.diagnostics import Severity
from newsletter.content.inline import plain
from newsletter.editorial.dispatch import Standing, standing
from newsletter.editorial.preview import Preview, preview_for, preview_topics
from newsletter.render.headers import MessageRefused
from newsletter.storage.issues import IssueRefused, Saved
from newsletter.web.preview_choice import Choice
from subscribers.addresses import AddressRefused

REFUSALS = (IssueRefused, AddressRefused, MessageRefused)
"""Why there may be no mail to show; each says so in its message."""

_DARK = re.compile(r"@media\s*\(prefers-color-scheme:\s*dark\)")


@dataclass(frozen=True, slots=True)
class Line:
    """One issue in the list, with its first story's title, how its mailing stands and how much its reading found."""

    saved: Saved
    first: str
    standing: Standing
    errors: int
    warnings: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A mail as the preview page shows it; sizes are of the decoded HTML and of the whole message, in bytes.

    `left_out` is why planning now would not send it: paused, pending, unsubscribed, suppressed or weekly, else empty.
    """

    sender: str
    subject: str
    preheader: str
    text: str
    text_only: bool
    planned: bool
    left_out: str
    stories: int
    html_bytes: int
    message_bytes: int


def line_of(newsletter: Newsletter, saved: Saved) -> Line:
    """An issue with its figures."""
    errors = sum(finding.severity is Severity.ERROR for finding in saved.diagnostics)
    stories = saved.issue.stories
    return Line(
        saved=saved,
        first=plain(stories[0].title) if stories else "",
        standing=standing(newsletter, saved),
        errors=errors,
        warnings=len(saved.diagnostics) - errors,
    )


def make(newsletter: Newsletter, choice: Choice) -> Preview:
    """The mail of a choice; raises one of `REFUSALS` when there is none."""
    if choice.by == "reader":
        return preview_for(newsletter, choice.slug, choice.reader)
    return preview_topics(newsletter, choice.slug, choice.topics, choice.language)


def always_dark(html: str) -> str:
    """A mail whose rules for dark screens hold on every screen, for looking at them on a light one."""
    return _DARK.sub("@media all", html)


def show(newsletter: Newsletter, choice: Choice) -> tuple[Shown | None, str]:
    """What there is to show of a choice, or None and the reason why there is nothing."""
    try:
        made = make(newsletter, choice)
        return _shown(made, newsletter.name), ""
    except REFUSALS as refusal:
        return None, str(refusal)


def _shown(made: Preview, sender: str) -> Shown:
    return Shown(
        sender=sender,
        subject=made.subject,
        preheader=made.assembled.preheader,
        text=made.text,
        text_only=made.recipient.format == "text",
        planned=made.planned,
        left_out=made.left_out,
        stories=len(made.edition.stories),
        html_bytes=len(made.html.encode()),
        message_bytes=len(made.message.data),
    )
