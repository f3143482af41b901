"""A reader's own feed: what it follows, by the link that was made for it."""

from newsletter.app import Newsletter
from subscribers.models import State
from subscribers.preference_columns import preferences_of
from subscribers.preferences import Preferences
from subscribers.tokens import Purpose


def followed(newsletter: Newsletter, token: str) -> Preferences | None:
    """The choices of the reader that a link was made for, as long as they get mail or have paused it; else None."""
    public_id = newsletter.tokens.read(Purpose.FEED, token)
    if not public_id:
        return None
    with newsletter.reading() as session:
        person = newsletter.people(session).by_public_id(public_id)
    gets_mail = person and person.address and person.state in (State.ACTIVE, State.PAUSED)
    return preferences_of(person) if person and gets_mail else None
