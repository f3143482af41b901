"""Deleting what was kept for a while only: sign-ups, letters with the addresses they went to, lists not taken in."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, update
from sqlmodel import col

from newsletter.app import Newsletter
from newsletter.readers.letters import purge_letters
from newsletter.readers.models import Letter
from newsletter.readers.reader_lists import purge_lists
from subscribers.models import SignUp
from subscribers.sign_ups import SignUpStore

KEEP = timedelta(days=30)
"""So long after it was asked for a sign-up is kept, and so long a letter after it was written.

Long enough to answer "I never got it" and "I never asked for it"; a link to confirm holds for seven days of it.
"""


@dataclass(frozen=True, slots=True)
class Purged:
    """How many rows are gone."""

    sign_ups: int
    letters: int


def purge(newsletter: Newsletter) -> Purged:
    """Delete sign-ups and letters that are older than `KEEP`; what was confirmed stands in the consent record.

    The engine calls it once an hour, in whichever process sends.
    """
    before = newsletter.clock() - KEEP
    with newsletter.session() as session:
        letters = purge_letters(session, before)
        old = select(col(SignUp.id)).where(col(SignUp.created_at) < before)
        purge_lists(session, newsletter.clock())
        session.execute(update(Letter).where(col(Letter.sign_up_id).in_(old)).values(sign_up_id=None))
        return Purged(SignUpStore(session, newsletter.clock).purge(before), letters)
