"""A reader's change of address during a mailing: what is not under way yet goes to the new one."""

from sqlalchemy import update
from sqlmodel import Session, col

from newsletter.delivery.control import WAITING
from newsletter.delivery.models import Delivery


def redirect(session: Session, subscriber_id: int, address: str) -> None:
    """Send what waits for a reader to another ASCII address; what was sent, or is in hand, keeps the one it went to.

    The caller has called `wait_for_planners` before the person was changed: a planner waits for a person whose address
    is changing, so that nobody may wait for a planner who is changing it.
    """
    waiting = col(Delivery.subscriber_id) == subscriber_id, col(Delivery.state).in_(WAITING)
    session.execute(update(Delivery).where(*waiting).values(address=address))
