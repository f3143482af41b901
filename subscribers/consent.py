"""The record of what was said about being written to: rows that are only ever added, and that name nobody."""

from collections.abc import Collection
from datetime import datetime

from sqlmodel import Session, col, select

from subscribers.addresses import without_addresses
from subscribers.models import Consent


def record(
    session: Session,
    subscriber_id: int,
    kind: str,
    source: str,
    at: datetime,
    *,
    detail: str = "",
    wording: str = "",
    origin: str = "",
) -> None:
    """Add a row. `wording` comes from pages and from other sites, so an e-mail address in it is taken out."""
    session.add(
        Consent(
            subscriber_id=subscriber_id,
            at=at,
            kind=kind,
            detail=detail,
            source=source,
            wording=without_addresses(wording),
            origin=origin,
        )
    )
    session.flush()


def consents_of(session: Session, subscriber_id: int) -> tuple[Consent, ...]:
    """What was said about writing to a person, oldest first."""
    query = select(Consent).where(Consent.subscriber_id == subscriber_id).order_by(col(Consent.id))
    return tuple(session.exec(query))


def last_of(session: Session, subscriber_id: int, kinds: Collection[str]) -> Consent | None:
    """The newest row of any of these kinds about a person."""
    query = select(Consent).where(Consent.subscriber_id == subscriber_id, col(Consent.kind).in_(kinds))
    return session.exec(query.order_by(col(Consent.id).desc())).first()


def forget_words(session: Session, subscriber_id: int) -> None:
    """Empty what a person said in words of their own, and from which network address they said anything."""
    for consent in consents_of(session, subscriber_id):
        consent.origin = ""
        if consent.kind == "reason":
            consent.detail = ""
        session.add(consent)
