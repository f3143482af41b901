"""Between writing and sending: who wrote an issue, who asked for its approval, who gave it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from newsletter.app import Newsletter
from newsletter.editorial.alert import tell_staff
from newsletter.staff.accounts import names
from newsletter.staff.rights import COMMAND_LINE, Actor
from newsletter.storage.issues import Saved
from newsletter.storage.models import IssueRow, RevisionRow


@dataclass(frozen=True, slots=True)
class Voided:
    """An approval of an earlier revision, which an edit voided: of which, whose and when."""

    number: int
    by: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Release:
    """How an issue's newest revision stands: who wrote it, who asked for its approval, who gave it.

    Names are empty for what nobody did; the moment of an approval or a question that an edit voided is None too, and
    `voided` is that approval. `by_other` says that whoever looks wrote it, and the setting APPROVAL asks for
    somebody else.
    """

    saved: Saved
    saved_by: str
    saved_at: datetime
    approved_by: str
    approved_at: datetime | None
    asked_by: str
    asked_at: datetime | None
    by_other: bool
    voided: Voided | None = None


def release(newsletter: Newsletter, slug: str, actor: Actor) -> Release:
    """How an issue stands between its writer and its sending, seen by an actor; raises `IssueRefused`."""
    with newsletter.reading() as session:
        saved = newsletter.issues(session).find(slug)
        issue, revision = session.get_one(IssueRow, saved.issue_id), session.get_one(RevisionRow, saved.revision_id)
        known = names(session)
        voided = None
        if issue.approved_revision_id not in (None, saved.revision_id):
            earlier = session.get_one(RevisionRow, issue.approved_revision_id)
            voided = Voided(earlier.number, _name(known, issue.approved_by), issue.approved_at)
    asked = issue.asked_revision_id == saved.revision_id and not saved.approved_hash
    return Release(
        saved=saved,
        saved_by=_name(known, revision.saved_by),
        saved_at=revision.saved_at or revision.created_at,
        approved_by=_name(known, issue.approved_by) if saved.approved_hash else "",
        approved_at=saved.approved_at,
        asked_by=_name(known, issue.asked_by) if asked else "",
        asked_at=issue.asked_at if asked else None,
        by_other=newsletter.settings.approval == "second" and revision.saved_by == actor.id,
        voided=voided,
    )


def tell_asked(newsletter: Newsletter, saved: Saved, actor: Actor) -> bool:
    """Mail the staff that an issue waits for its approval, with the way there; whether all were reached."""
    page = f"{newsletter.settings.base_url}/desk/issues/{saved.slug}/sending"
    return tell_staff(
        newsletter,
        f"{saved.slug} waits for approval",
        (f"{actor.name} asks for the approval of revision {saved.number} of {saved.slug}, {saved.issue.title}.", page),
    )


def _name(known: Mapping[int, str], staff_id: int | None) -> str:
    """The name of whoever did something; the command line has no id."""
    return COMMAND_LINE.name if staff_id is None else known.get(staff_id, "")
