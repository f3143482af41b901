"""The audit log: who changed, approved, sent or exported what, in the transaction of the deed itself."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlmodel import Session, col, select

from newsletter.staff.models import AuditEntry
from newsletter.staff.rights import Actor


class Action(StrEnum):
    """What is written down."""

    SIGNED_IN = "signed in"
    SIGNED_OUT = "signed out"
    SESSION_ENDED = "session ended"
    PASSWORD_SET = "password set"  # noqa: S105 - what was done, no password
    TOTP_ON = "second factor on"
    TOTP_OFF = "second factor off"
    STAFF_INVITED = "staff invited"
    STAFF_CHANGED = "staff changed"
    STAFF_REMOVED = "staff removed"
    ISSUE_CREATED = "issue created"
    ISSUE_SAVED = "issue saved"
    ISSUE_APPROVED = "issue approved"
    APPROVAL_ASKED = "approval asked for"
    APPROVAL_VOIDED = "approval voided"
    TEST_SENT = "test sent"
    TEST_LIST_CHANGED = "test list changed"
    LINK_SHARED = "link shared"
    LINKS_TAKEN_BACK = "links taken back"
    IMAGE_ADDED = "picture added"
    SEND_BEGUN = "send begun"
    SEND_SCHEDULED = "send scheduled"
    SEND_UNSCHEDULED = "schedule withdrawn"
    NOT_SENT = "not sent in time"
    SEND_PAUSED = "send paused"
    SEND_RESUMED = "send resumed"
    SEND_CANCELLED = "send cancelled"
    SENT_AGAIN = "sent again"
    WENT_ON = "went on after a restore"
    UNKNOWN_SETTLED = "unknown settled"
    READERS_IMPORTED = "readers imported"
    READERS_EXPORTED = "readers exported"
    READER_CHANGED = "reader changed"
    SUPPRESSED = "address suppressed"
    UNSUPPRESSED = "suppression lifted"
    TOPIC_CHANGED = "topic changed"
    SETTING_CHANGED = "setting changed"


def record(session: Session, actor: Actor, action: Action, subject: str, now: datetime, **details: Any) -> None:
    """Write down what an actor does; the caller commits it together with the deed."""
    session.add(AuditEntry(at=now, staff_id=actor.id, who=actor.name, action=action, subject=subject, details=details))


def entries(
    session: Session,
    *,
    subject: str = "",
    action: str = "",
    staff_id: int | None = None,
    of_command_line: bool = False,
    before: int | None = None,
    most: int = 100,
) -> Sequence[AuditEntry]:
    """The newest entries first; `before` is the id of an entry, to read on from."""
    query = select(AuditEntry).order_by(col(AuditEntry.id).desc()).limit(most)
    if subject:
        query = query.where(AuditEntry.subject == subject)
    if action:
        query = query.where(AuditEntry.action == action)
    if staff_id is not None:
        query = query.where(AuditEntry.staff_id == staff_id)
    if of_command_line:
        query = query.where(col(AuditEntry.staff_id).is_(None))
    if before is not None:
        query = query.where(col(AuditEntry.id) < before)
    return session.exec(query).all()
