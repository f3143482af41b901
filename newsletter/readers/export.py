"""All that is held about one person, as plain values for JSON."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import and_, or_
from sqlmodel import Session, SQLModel, col, select

from newsletter.delivery.models import Attempt, Delivery, Mailing
from newsletter.readers.models import Letter
from newsletter.storage.models import IssueRow, StoryRow
from subscribers.models import Consent, SignUp, Subscriber, Suppression

_OURS = frozenset({"id", "subscriber_id", "sign_up_id", "mailing_id", "delivery_id", "edition", "claim"})
"""Numbers by which rows know each other, which say nothing to anybody else; an edition is told as titles."""


def everything_about(session: Session, person: Subscriber, now: datetime) -> dict[str, Any]:
    """Every row about a person, and no row about anybody else; moments are ISO 8601."""
    return {
        "exported_at": now.isoformat(),
        "person": _values(person),
        "consents": [_values(row) for row in session.exec(_of(Consent, person))],
        "sign_ups": [_values(row) for row in _sign_ups(session, person)],
        "deliveries": _deliveries(session, person),
        "letters": [_values(row) for row in _letters(session, person)],
        "suppression": [_values(row) for row in _suppressions(session, person)],
    }


def _of(table: type[Any], person: Subscriber) -> Any:
    return select(table).where(table.subscriber_id == person.id).order_by(table.id)


def _sign_ups(session: Session, person: Subscriber) -> Iterable[SignUp]:
    """What this person confirmed, and what was asked in the name of their address; no other person's new address."""
    unclaimed = and_(col(SignUp.address_key) == person.address_key, col(SignUp.subscriber_id).is_(None))
    mine = or_(col(SignUp.subscriber_id) == person.id, unclaimed)
    return session.exec(select(SignUp).where(mine).order_by(col(SignUp.id)))


def _letters(session: Session, person: Subscriber) -> Iterable[Letter]:
    unclaimed = and_(col(Letter.address_hash) == person.address_hash, col(Letter.subscriber_id).is_(None))
    mine = or_(col(Letter.subscriber_id) == person.id, unclaimed)
    return session.exec(select(Letter).where(mine).order_by(col(Letter.id)))


def _suppressions(session: Session, person: Subscriber) -> Iterable[Suppression]:
    return session.exec(select(Suppression).where(Suppression.address_key_hash == person.address_hash))


def _deliveries(session: Session, person: Subscriber) -> list[dict[str, Any]]:
    """What was chosen for them of which issue, and what became of it, every try included."""
    query = (
        select(Delivery, IssueRow)
        .join(Mailing, col(Delivery.mailing_id) == Mailing.id)
        .join(IssueRow, col(Mailing.issue_id) == IssueRow.id)
        .where(Delivery.subscriber_id == person.id)
        .order_by(col(Delivery.id))
    )
    found = session.exec(query).all()
    tries = _tries(session, person)
    titles = _titles(session, [issue.id for _, issue in found])
    return [
        {
            "issue": {"slug": issue.slug, "title": issue.title, "date": issue.date.isoformat()},
            **_values(row),
            "stories": [
                {"topic": topic, "title": titles.get((issue.id, story), ""), "id": story}
                for topic, stories in row.edition
                for story in stories
            ],
            "earlier_attempts": [_values(one) for one in tries[row.id]],
        }
        for row, issue in found
    ]


def _tries(session: Session, person: Subscriber) -> dict[int | None, list[Attempt]]:
    query = (
        select(Attempt)
        .join(Delivery, col(Attempt.delivery_id) == Delivery.id)
        .where(Delivery.subscriber_id == person.id)
        .order_by(col(Attempt.id))
    )
    found: dict[int | None, list[Attempt]] = defaultdict(list)
    for row in session.exec(query):
        found[row.delivery_id].append(row)
    return found


def _titles(session: Session, issues: Sequence[int | None]) -> dict[tuple[int | None, str], str]:
    query = select(StoryRow).where(col(StoryRow.issue_id).in_(set(issues)))
    return {(row.issue_id, row.story_id): row.title for row in session.exec(query)}


def _values(row: SQLModel) -> dict[str, Any]:
    """The columns of a row that mean something outside the database."""
    return {name: _plain(getattr(row, name)) for name in type(row).model_fields if name not in _OURS}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, StrEnum) else value
