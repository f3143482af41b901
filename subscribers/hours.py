"""At which hours readers want their mail, in figures."""

from sqlmodel import Session, col, func, select

from subscribers.models import State, Subscriber


def hours_spread(session: Session) -> tuple[int, int]:
    """How many active readers get their mail at the newsletter's own hour, and how many at an hour of their own."""
    own = col(Subscriber.hour).is_not(None)
    active = select(func.count(), func.count().filter(own)).where(Subscriber.state == State.ACTIVE)
    everybody, at_own = session.exec(active).one()
    return everybody - at_own, at_own
