"""What a message costs: choose, fill and MIME, against the whole pipeline for every reader."""

import gc
from email.message import EmailMessage
from email.policy import SMTP

from benchmarks.measure import Result, cpu_seconds, paired
from benchmarks.sample import PUBLICATION, issue, readers
from newsletter.compose.choose import Chooser
from newsletter.compose.edition import Edition
from newsletter.content.issue import Issue
from newsletter.render.assemble import Assembler
from newsletter.render.compile import compile_issue
from newsletter.render.message import fill
from newsletter.render.page import sheet
from newsletter.render.pipeline import render_edition
from newsletter.render.recipient import Recipient
from newsletter.render.size import largest_html_bytes
from newsletter.render.theme import Theme, load_theme
from subscribers.preferences import LANGUAGES, Preferences
from subscribers.topics import Catalogue

READERS = 10_000
SAMPLED = 100
"""The pipeline is run for so many of the readers a pair: for all of them it would take minutes."""
TOPICS = Catalogue()


def per_message() -> Result:
    """The ratio of CPU per message, and both in microseconds."""
    theme, told, everybody = load_theme(), issue(), readers(READERS)
    compiled = {
        language: compile_issue(told, theme=theme, language=language, topics=TOPICS, publication=PUBLICATION)
        for language in LANGUAGES
    }

    gc.freeze()  # as a sender does before it begins

    def ours() -> float:
        assemblers = {language: Assembler(one) for language, one in compiled.items()}
        chooser = Chooser(told)

        def all_messages() -> None:
            for preferences, recipient in everybody:
                fill(assemblers[preferences.language](chooser.choose(preferences)), recipient)

        return cpu_seconds(all_messages) / READERS

    chooser = Chooser(told)
    spread = everybody[:: READERS // SAMPLED]
    sampled = [(chooser.choose(preferences), preferences, recipient) for preferences, recipient in spread]
    # our recipe prepares every story of the issue; one for a single reader would not prepare what they do not get
    share = sum(len(edition.stories) for edition, _, _ in sampled) / len(sampled) / len(told.stories)
    preparing = cpu_seconds(lambda: [sheet(told, theme, "zh", TOPICS, PUBLICATION) for _ in range(20)]) / 20
    unread = preparing * (1 - share)

    def theirs() -> float:
        spent = cpu_seconds(lambda: [whole_pipeline(told, theme, *one) for one in sampled])
        return spent / len(sampled) - unread

    ratio, our, their = paired(ours, theirs)
    detail = f"{our * 1e6:.0f} µs a message against {their * 1e6:,.0f} µs; {READERS:,} readers, ten stories, CPU time"
    return Result("choose, fill and MIME, per message", ratio, "at least 300 times cheaper", ratio >= 300, detail)


def whole_pipeline(
    told: Issue, theme: Theme, edition: Edition, preferences: Preferences, recipient: Recipient
) -> bytes:
    """One reader's mail by Jinja2, MJML, premailer and the standard library's message classes, as bytes."""
    return plain_message(told, theme, edition, preferences, recipient).as_bytes()


def plain_message(
    told: Issue, theme: Theme, edition: Edition, preferences: Preferences, recipient: Recipient
) -> EmailMessage:
    """The same as the standard library's message, as a plain loop would hand it over."""
    html, text, subject = render_edition(
        told,
        edition,
        theme=theme,
        language=preferences.language,
        topics=TOPICS,
        publication=PUBLICATION,
        recipient=recipient,
    )
    message = EmailMessage(policy=SMTP.clone(max_line_length=998))
    message["From"] = PUBLICATION.sender
    message["To"] = recipient.address
    message["Subject"] = subject
    message["List-Unsubscribe"] = f"<{PUBLICATION.base_url}/unsubscribe/{recipient.unsubscribe_token}>"
    message.set_content(text, cte="base64")
    message.add_alternative(html, subtype="html", cte="base64")
    return message


def size() -> Result:
    """The HTML of the fullest ten-story edition, as a share of what is allowed."""
    told = issue()
    compiled = compile_issue(told, theme=load_theme(), language="zh", topics=TOPICS, publication=PUBLICATION)
    size_bytes = largest_html_bytes(compiled)
    detail = f"{size_bytes / 1000:.1f} kB, of 45.0 kB at most"
    return Result(
        "HTML of the fullest ten-story edition", size_bytes / 45_000, "at most 1", size_bytes <= 45_000, detail
    )
