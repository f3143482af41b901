"""Approval: an issue is released as it would be sent now, and any change to that voids it."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlmodel import Session

from newsletter.app import Newsletter
from newsletter.archive.publishing import republish
from newsletter.compose.choose import most_in_mail
from newsletter.content.diagnostics import Diagnostic, Severity
from newsletter.delivery.plan import Approved, mailing_key
from newsletter.editorial.timetable import keep_time
from newsletter.editorial.week import days_for
from newsletter.render.compiled import CompiledIssue
from newsletter.render.headers import MessageRefused
from newsletter.render.letterhead import letterhead
from newsletter.render.size import largest_html_bytes
from newsletter.setting_values import is_loopback
from newsletter.staff.audit import Action, record
from newsletter.staff.rights import COMMAND_LINE, Actor
from newsletter.storage.issues import IssueRefused, Saved
from newsletter.storage.models import IssueRow, RevisionRow
from subscribers.preferences import LANGUAGES

WARN_HTML_BYTES = 80_000
MOST_HTML_BYTES = 100_000
"""Gmail cuts a mail off at 102 kB of HTML, and the unsubscribe link with it (1 kB = 1,000 bytes)."""


def compile_now(
    newsletter: Newsletter, saved: Saved, languages: Iterable[str] = LANGUAGES, *, with_text: bool = True
) -> dict[str, CompiledIssue]:
    """A revision compiled with its theme and the present topics and settings, by language."""
    with newsletter.reading() as session:
        topics = newsletter.topics(session).catalogue()
    publication, theme = newsletter.settings.publication, newsletter.theme_for(saved.issue)
    return {
        language: newsletter.compilations.compile(
            saved.issue,
            theme=theme,
            language=language,
            topics=topics,
            publication=publication,
            slug=saved.slug,
            with_text=with_text,
        )
        for language in languages
    }


class NotReady(IssueRefused):
    """What keeps an issue from being approved or sent.

    `code` names it for pages that say it in words of their own, which `facts` fill:

    | code | facts | what is wrong |
    |---|---|---|
    | errors | number, line, finding (the first) | the text has errors |
    | unusable | detail | its theme, or the settings of the sender, make no mail |
    | size | bytes, most | mail clients would cut its fullest edition |
    | own-text | | somebody else than who wrote it has to approve it |
    | changed | | it is not what was looked at any more |
    | not-approved | revision | nobody approved its newest revision |
    | void | | theme, topics or settings have changed since |
    | no-readers | | there is no reader |
    | nobody-now | | everybody has paused, or is suppressed |
    | past | | the time for it is over |
    | late | | the moment that its Date was said to be is not now |
    | begun | | its mailing was begun already |
    | not-begun | | there is no mailing of it yet |
    | held | | the database was restored from a copy, and nothing is sent |
    """

    def __init__(self, code: str, message: str, **facts: object) -> None:
        super().__init__(message)
        self.code = code
        self.facts = facts


@dataclass(frozen=True, slots=True)
class Judged:
    """A revision as it would be sent now: its digest and the HTML bytes of its fullest edition, or what stands against.

    With something in `blocks` it cannot be approved; where it was not even compiled, the digest is empty.
    """

    digest: str
    largest_html_bytes: int
    compiled: Mapping[str, CompiledIssue]
    blocks: tuple[NotReady, ...]


def judge(newsletter: Newsletter, saved: Saved) -> Judged:
    """Compile a revision and say what keeps it from being approved."""
    errors = [finding for finding in saved.diagnostics if finding.severity is Severity.ERROR]
    if errors:
        return Judged("", 0, {}, (_of_errors(saved.slug, errors),))
    try:
        letterhead(newsletter.settings.publication)  # one that no message can be made for is refused here
        compiled = compile_now(newsletter, saved)
    except (IssueRefused, MessageRefused) as refusal:
        return Judged("", 0, {}, (NotReady("unusable", str(refusal), detail=str(refusal)),))
    largest = max(largest_html_bytes(one, most_in_mail(saved.issue)) for one in compiled.values())
    blocks = (_of_size(saved.slug, largest),) if largest > MOST_HTML_BYTES else ()
    return Judged(_digest(compiled), largest, compiled, blocks)


def approve(newsletter: Newsletter, slug: str, actor: Actor = COMMAND_LINE, seen: str = "") -> tuple[Saved, int]:
    """Approve the newest revision as it would be sent now; gives it and the HTML bytes of its fullest edition.

    An issue that was sent shows it in the archive from then on; a mailing that runs keeps its own revision. One that
    waits for a time of its own goes out then as it is approved now. `seen` is the digest of what the approver looked
    at, where that is known. Raises `NotReady` while there are errors in it, when mail clients would cut its fullest
    edition, when it has changed since, or when the setting APPROVAL asks for somebody else than who wrote it.
    """
    with newsletter.reading() as session:
        saved = newsletter.issues(session).find(slug)
    judged = judge(newsletter, saved)
    for block in judged.blocks:
        raise block
    if seen and seen != judged.digest:
        raise _changed(slug)
    with newsletter.session() as session:
        now, issues = newsletter.clock(), newsletter.issues(session)
        session.get_one(IssueRow, saved.issue_id, with_for_update={"key_share": True})
        if issues.find(slug).issue != saved.issue:  # somebody saved it while it was compiled, maybe over this revision
            raise _changed(slug)
        if newsletter.settings.approval == "second" and not saved.issue.is_digest:  # its stories were approved so
            _require_other(session, saved, actor)
        issues.approve(saved, tuple(judged.compiled.values()), judged.digest, now, actor.id)
        republish(session, saved.issue_id, now)
        kept = keep_time(session, saved.issue_id, judged.digest, now)
        time = {"at": kept.isoformat()} if kept else {}
        record(
            session, actor, Action.ISSUE_APPROVED, slug, now, revision=saved.number, digest=judged.digest[:12], **time
        )
    return saved, judged.largest_html_bytes


def ask(newsletter: Newsletter, slug: str, actor: Actor) -> Saved:
    """Remember who wants the newest revision approved; gives it. An edit voids it. Raises `IssueRefused`."""
    with newsletter.session() as session:
        now = newsletter.clock()
        saved = newsletter.issues(session).find(slug)
        if not saved.approved_hash:
            issue = session.get_one(IssueRow, saved.issue_id)
            issue.asked_revision_id, issue.asked_by, issue.asked_at = saved.revision_id, actor.id, now
            record(session, actor, Action.APPROVAL_ASKED, slug, now, revision=saved.number)
    return saved


def approved(newsletter: Newsletter, slug: str) -> Approved:
    """What may be sent of an issue; raises `NotReady` when its approval is missing or void."""
    with newsletter.reading() as session:
        saved = newsletter.issues(session).find(slug)
        key = mailing_key(session, saved.issue_id, newsletter.address_key)
        days = days_for(newsletter, session, saved.issue)
    if not saved.approved_hash:
        raise NotReady(
            "not-approved",
            f"revision {saved.number} of {slug} is not approved: run `newsletter issue approve {slug}`.",
            revision=saved.number,
        )
    compiled = compile_now(newsletter, saved)
    if not is_approved(saved, compiled):
        raise NotReady(
            "void",
            f"the theme, the topics or the settings have changed since {slug} was approved, and with them the mail: "
            f"look at `newsletter issue preview {slug}` and run `newsletter issue approve {slug}` again.",
        )
    return Approved(
        issue_id=saved.issue_id,
        mailing_key=key,
        revision_id=saved.revision_id,
        theme=newsletter.theme_for(saved.issue).name,
        compiled_hashes={language: one.content_hash for language, one in compiled.items()},
        story_ids=tuple(story.id for story in saved.issue.stories),
        days=days,
    )


def is_approved(saved: Saved, compiled: Mapping[str, CompiledIssue]) -> bool:
    """Whether a revision is approved just as it was compiled, in every language."""
    return bool(saved.approved_hash) and _digest(compiled) == saved.approved_hash


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


def _of_errors(slug: str, errors: Sequence[Diagnostic]) -> NotReady:
    first = errors[0]
    return NotReady(
        "errors",
        f"{slug} has {len(errors)} error(s), the first: line {first.line}, {first.message}. "
        "Mend the text and import it again.",
        number=len(errors),
        line=first.line,
        finding=first,
    )


def _of_size(slug: str, largest: int) -> NotReady:
    return NotReady(
        "size",
        f"the fullest edition of {slug} has {largest:,} bytes of HTML; above {MOST_HTML_BYTES:,} Gmail cuts it "
        "off. Shorten stories or take some out.",
        bytes=largest,
        most=MOST_HTML_BYTES,
    )


def _changed(slug: str) -> NotReady:
    return NotReady("changed", f"{slug} has changed since you looked at it: look again, and approve it then.")


def _require_other(session: Session, saved: Saved, actor: Actor) -> None:
    """Raise `NotReady` when an actor wrote what they approve; whoever has the command line is one person of its own."""
    if session.get_one(RevisionRow, saved.revision_id).saved_by == actor.id:
        raise NotReady(
            "own-text",
            f"revision {saved.number} of {saved.slug} was saved by {actor.name}, and APPROVAL is set to second: "
            f"somebody else has to approve it, at the desk or by `newsletter issue approve {saved.slug} --as ADDRESS`.",
        )
