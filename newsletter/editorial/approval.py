"""Approval: an issue is released as it would be sent now, and any change to that voids it."""

import hashlib
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from newsletter.app import Newsletter
from newsletter.archive.publishing import republish
from newsletter.content.diagnostics import Severity
from newsletter.delivery.plan import Approved
from newsletter.render.compile import compile_issue
from newsletter.render.compiled import CompiledIssue
from newsletter.render.letterhead import letterhead
from newsletter.render.size import largest_html_bytes
from newsletter.setting_values import is_loopback
from newsletter.storage.issues import IssueRefused, Saved
from subscribers.preferences import LANGUAGES

WARN_HTML_BYTES = 80_000
MOST_HTML_BYTES = 100_000
"""Gmail cuts a mail off at 102 kB of HTML, and the unsubscribe link with it (1 kB = 1,000 bytes)."""


def compile_now(newsletter: Newsletter, saved: Saved, languages: Iterable[str] = LANGUAGES) -> dict[str, CompiledIssue]:
    """A revision compiled with its theme and the present topics and settings, by language."""
    with newsletter.reading() as session:
        topics = newsletter.topics(session).catalogue()
    publication, theme = newsletter.settings.publication, newsletter.theme_for(saved.issue)
    return {
        language: compile_issue(
            saved.issue, theme=theme, language=language, topics=topics, publication=publication, slug=saved.slug
        )
        for language in languages
    }


def approve(newsletter: Newsletter, slug: str) -> tuple[Saved, int]:
    """Approve the newest revision as it would be sent now; gives it and the HTML bytes of its fullest edition.

    An issue that was sent shows it in the archive from then on; a mailing that runs keeps its own revision.
    Raises `IssueRefused` while there are errors in it, or when mail clients would cut its fullest edition.
    """
    with newsletter.reading() as session:
        saved = newsletter.issues(session).find(slug)
    errors = [finding for finding in saved.diagnostics if finding.severity is Severity.ERROR]
    if errors:
        raise IssueRefused(
            f"{slug} has {len(errors)} error(s), the first: line {errors[0].line}, {errors[0].message}. "
            "Mend the text and import it again."
        )
    letterhead(newsletter.settings.publication)  # a publication that no message can be made for is refused here
    compiled = compile_now(newsletter, saved)
    largest = max(largest_html_bytes(one) for one in compiled.values())
    if largest > MOST_HTML_BYTES:
        raise IssueRefused(
            f"the fullest edition of {slug} has {largest:,} bytes of HTML; above {MOST_HTML_BYTES:,} Gmail cuts it "
            "off. Shorten stories or take some out."
        )
    with newsletter.session() as session:
        now = newsletter.clock()
        newsletter.issues(session).approve(saved, tuple(compiled.values()), _digest(compiled), now)
        republish(session, saved.issue_id, now)
    return saved, largest


def approved(newsletter: Newsletter, slug: str) -> Approved:
    """What may be sent of an issue; raises `IssueRefused` when its approval is missing or void."""
    with newsletter.reading() as session:
        saved = newsletter.issues(session).find(slug)
    if not saved.approved_hash:
        raise IssueRefused(f"revision {saved.number} of {slug} is not approved: run `newsletter issue approve {slug}`.")
    compiled = compile_now(newsletter, saved)
    if _digest(compiled) != saved.approved_hash:
        raise IssueRefused(
            f"the theme, the topics or the settings have changed since {slug} was approved, and with them the mail: "
            f"look at `newsletter issue preview {slug}` and run `newsletter issue approve {slug}` again."
        )
    return Approved(
        issue_id=saved.issue_id,
        revision_id=saved.revision_id,
        theme=newsletter.theme_for(saved.issue).name,
        compiled_hashes={language: one.content_hash for language, one in compiled.items()},
        story_ids=tuple(story.id for story in saved.issue.stories),
    )


def unfit_for_real_mail(newsletter: Newsletter) -> list[str]:
    """What in the settings is unfit for mail to real readers, in words."""
    settings = newsletter.settings
    checks = (
        ("sender" not in settings.model_fields_set, "SENDER is not set, so the mail says it comes from example.org"),
        (not settings.postal_address, "POSTAL_ADDRESS is empty; the law of many countries asks for it in the footer"),
        (
            not all(server.smtp.is_loopback for server in settings.smtp_servers)
            and is_loopback(urlsplit(settings.base_url).hostname or ""),
            "BASE_URL leads to this machine, so readers could not unsubscribe",
        ),
    )
    return [words for wrong, words in checks if wrong]


def _digest(compiled: Mapping[str, CompiledIssue]) -> str:
    """What approval is bound to: everything compiled, in every language."""
    lines = "\n".join(f"{language} {compiled[language].content_hash}" for language in sorted(compiled))
    return hashlib.sha256(lines.encode()).hexdigest()
