"""What a new newsletter needs before its first issue goes out, and what of it is done."""

from dataclasses import dataclass

from sqlmodel import col, select

from newsletter.app import Newsletter
from newsletter.staff import accounts
from newsletter.staff.audit import Action
from newsletter.staff.models import AuditEntry
from newsletter.storage.models import IssueRow
from subscribers.models import Subscriber

_MAIL_SERVER = frozenset({"smtp_url", "servers"})


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: `name` is a word that the page explains, `detail` what is known of it."""

    name: str
    is_done: bool
    detail: str = ""


def first_steps(newsletter: Newsletter) -> tuple[Step, ...]:
    """All of them, in the order in which they are best taken."""
    settings = newsletter.settings
    servers = ", ".join(f"{server.smtp.host}:{server.smtp.port}" for server in settings.smtp_servers)
    with newsletter.reading() as session:
        topics = len(newsletter.topics(session).all())
        reader = session.exec(select(Subscriber.id).limit(1)).first()
        issue = session.exec(select(IssueRow.id).limit(1)).first()
        tests = session.exec(select(AuditEntry).where(col(AuditEntry.action) == Action.TEST_SENT)).all()
        staff = len(accounts.everybody(session))
    return (
        Step("server", bool(_MAIL_SERVER & settings.model_fields_set), servers),
        Step("sender", "sender" in settings.model_fields_set, settings.sender),
        Step("topics", topics > 0, str(topics)),
        Step("staff", staff > 1, str(staff)),
        Step("reader", reader is not None),
        Step("issue", issue is not None),
        Step("test", any(entry.details.get("accepted") for entry in tests)),
    )
