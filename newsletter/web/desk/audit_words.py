"""The audit log in words: what was done to what, and the details of it as people read them."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime
from typing import Any

from fastapi import Request

from newsletter.staff.audit import Action
from newsletter.staff.models import AuditEntry
from newsletter.web.archive_view import labels
from newsletter.web.desk.moments import moment
from newsletter.web.pages import newsletter_of, topics_of, words_for
from newsletter.web.visitor import language_of

INTERNAL = frozenset({"digest"})
"""Details that are there for a later question to the database, and say nothing to people."""
_VALUES = {
    "roles": "staff_role_{}",
    "state": "readers_state_{}",
    "reason": "suppressed_reason_{}",
    "what": "audit_done_{}",
    "fields": "audit_field_{}",
}
"""Details that are one of a few words, or a list of such, and the key that each has in the page's words."""
_SUBJECTS = ("suppression list", "suppression", "reader", "readers")


def deed(words: Mapping[str, str], entry: AuditEntry) -> str:
    """What was done."""
    names = {one.value: one.name.lower() for one in Action}
    return words[f"audit_{names[entry.action]}"] if entry.action in names else entry.action


def subject(words: Mapping[str, str], entry: AuditEntry) -> str:
    """To what: a picture by the name of its file, a reader and the suppression list by words."""
    if entry.action == Action.IMAGE_ADDED:
        return str(entry.details.get("name") or entry.subject)
    kind, _, number = (entry.subject, "", "") if entry.subject in _SUBJECTS else entry.subject.partition(" ")
    known = {Action.READER_CHANGED, Action.READERS_EXPORTED, Action.SUPPRESSED, Action.UNSUPPRESSED}
    if entry.action not in known or kind not in _SUBJECTS:
        return entry.subject
    return words[f"audit_subject_{kind.replace(' ', '_')}"].format(n=number)


def details(request: Request, entry: AuditEntry) -> tuple[tuple[str, str], ...]:
    """The rest of it: name and value of each detail in the page's language, without what says nothing to people."""
    words, known = words_for(request), entry.details
    if entry.action == Action.NOT_SENT:
        known = {"at": known.get("at"), "reason": why_unsent(words, known)}
    left_out = INTERNAL | ({"name"} if entry.action == Action.IMAGE_ADDED else set())
    return tuple(
        (words.get(f"audit_detail_{key}", key), _said(request, entry, key, value))
        for key, value in known.items()
        if key not in left_out
    )


def why_unsent(words: Mapping[str, str], known: Mapping[str, Any]) -> str:
    """Why an issue did not go out by itself when it was to, by the details of the entry that says so."""
    code = known.get("reason", "")
    return words.get(f"sending_unsent_{code}") or words.get(f"sending_refused_{code}", "").format_map(known)


def _said(request: Request, entry: AuditEntry, key: str, value: object) -> str:
    words = words_for(request)
    if isinstance(value, bool):
        return words["audit_yes" if value else "audit_no"]
    if value in ("", [], None):
        return words["audit_nothing"]
    if isinstance(value, int):
        return f"{value / 1000:,.1f} kB" if key == "bytes" else f"{value:,}"
    if key in ("at", "until"):
        return _when(request, str(value))
    # roles and the values of settings both have what they were `before`
    pattern = _VALUES.get("roles" if key == "before" and entry.action == Action.STAFF_CHANGED else key, "{}")
    values = [str(one) for one in (value if isinstance(value, list) else [value])]
    if key == "topics":
        topics, language = topics_of(request).by_slug, language_of(request)
        values = [topics[slug].name(language) if slug in topics else slug for slug in values]
    return words["audit_between"].join(words.get(pattern.format(one.replace(" ", "_")), one) for one in values)


def _when(request: Request, text: str) -> str:
    """A day or a moment that was written down by ISO 8601; what is neither stays as it is."""
    with suppress(ValueError):
        if len(text) == len("2026-03-09"):
            return labels(language_of(request)).short_date(date.fromisoformat(text), newsletter_of(request).today())
        return moment(request, datetime.fromisoformat(text))
    return text
