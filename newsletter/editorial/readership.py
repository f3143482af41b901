"""Who would get what of an issue now: how many readers how much of it, and which distinct editions there are."""

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import String, cast
from sqlmodel import Session, col, func, select

from newsletter.app import Newsletter
from newsletter.compose.choose import Chooser, most_in_mail
from newsletter.compose.coverage import Coverage, cover
from newsletter.compose.edition import Edition
from newsletter.delivery.models import Delivery, Mailing
from newsletter.delivery.outcome import Reason
from newsletter.delivery.outcome import State as DeliveryState
from newsletter.delivery.plan import ROWS_PER_COMMIT, decide, edition_to_json, find_mailing
from newsletter.delivery.writer import edition_from_json
from newsletter.editorial.approval import compile_now
from newsletter.editorial.week import days_for, readers_on
from newsletter.render.size import largest_html_bytes
from newsletter.storage.issues import Saved
from subscribers.audience import AudienceMember, audience_page
from subscribers.models import State, Subscriber

MOST_COUNTED = 50_000
"""More candidates are not gone through while somebody waits for a page: choosing for so many takes some seconds."""


@dataclass(frozen=True, slots=True)
class EditionShare:
    """One distinct edition in one language of labels: how many readers get it, and the address of one of them.

    `key` stands for it in links; the address is empty where everybody who got it was forgotten.
    """

    key: str
    edition: Edition
    language: str
    readers: int
    address: str


def count_candidates(newsletter: Newsletter, slug: str = "") -> int:
    """How many readers a mailing begun now would look at; of a digest, by its slug, those whose day it covers."""
    with newsletter.reading() as session:
        days = days_for(newsletter, session, newsletter.issues(session).find(slug).issue) if slug else None
        those = (col(Subscriber.state).in_((State.ACTIVE, State.PAUSED)),) if days is None else readers_on(days)
        return session.exec(select(func.count()).select_from(Subscriber).where(*those)).one()


def page_bound(newsletter: Newsletter) -> int | None:
    """How many candidates a page looks at where there are more; None where it looks at all of them."""
    return MOST_COUNTED if count_candidates(newsletter) > MOST_COUNTED else None


def chosen_now(
    newsletter: Newsletter, session: Session, saved: Saved, left_out: Counter[str], most: int | None = None
) -> Iterator[tuple[AudienceMember, Edition]]:
    """The edition of everybody whom planning now would not leave out, among the first `most` candidates (None: all).

    The others are counted by their reason in `left_out`, on the way.
    """
    chooser, days = Chooser(saved.issue, saved.issue.is_digest), days_for(newsletter, session, saved.issue)
    after, left = 0, sys.maxsize if most is None else most
    while page := audience_page(session, after, None, min(ROWS_PER_COMMIT, left), days):
        for member, reason, edition in decide(session, page, chooser, saved.issue_id, newsletter.clock()):
            if reason in (None, Reason.NO_MATCH):
                yield member, edition
            else:
                left_out[str(reason)] += 1
        after, left = page[-1].id, left - len(page)


def coverage(newsletter: Newsletter, slug: str, most: int | None = None) -> tuple[Coverage, dict[str, int], int]:
    """How many readers would get how much of an issue now, how many are left out and why, and its most HTML bytes.

    Of the readers the first `most` are looked at, None being all. Raises `IssueRefused` for an unknown issue.
    """
    left_out: Counter[str] = Counter()
    with newsletter.reading() as session:
        saved = newsletter.issues(session).find(slug)
        covered = cover(edition for _, edition in chosen_now(newsletter, session, saved, left_out, most))
    compiled, bound = compile_now(newsletter, saved), most_in_mail(saved.issue)
    largest = max(largest_html_bytes(one, bound) for one in compiled.values())
    return covered, dict(left_out), largest


def editions(newsletter: Newsletter, slug: str, most: int | None = None) -> Sequence[EditionShare]:
    """All distinct editions, that of the most readers first: those planned, or what planning now would choose.

    The latter for the first `most` readers, None being all. Memory grows with the editions, not with the readers.
    Raises `IssueRefused` for an unknown issue.
    """
    with newsletter.reading() as session:
        saved = newsletter.issues(session).find(slug)
        mailing = find_mailing(session, saved.issue_id)
        found = _planned_shares(session, mailing) if mailing else _shares_now(newsletter, session, saved, most)
        return sorted(found, key=lambda share: (-share.readers, share.key))


def _planned_shares(session: Session, mailing: Mailing) -> Iterator[EditionShare]:
    edition = cast(col(Delivery.edition), String)  # as text, which every database can group
    query = (
        select(Delivery.language, edition, func.count(), func.min(Delivery.address))
        .where(Delivery.mailing_id == mailing.id, Delivery.state != DeliveryState.EXCLUDED)
        .group_by(col(Delivery.language), edition)
    )
    readers: Counter[tuple[Edition, str]] = Counter()
    first: dict[tuple[Edition, str], str] = {}
    for language, groups, many, address in session.exec(query):  # one edition may be written in two ways
        place = edition_from_json(json.loads(groups)), language
        readers[place] += many
        first[place] = min(filter(None, (first.get(place), address)), default="")
    return _shares(readers, first)


def _shares_now(newsletter: Newsletter, session: Session, saved: Saved, most: int | None) -> Iterator[EditionShare]:
    readers: Counter[tuple[Edition, str]] = Counter()
    first: dict[tuple[Edition, str], str] = {}
    for member, edition in chosen_now(newsletter, session, saved, Counter(), most):
        if edition:
            place = edition, member.preferences.language
            readers[place] += 1
            first[place] = min(first.get(place, member.ascii_address), member.ascii_address)
    return _shares(readers, first)


def _shares(readers: Counter[tuple[Edition, str]], first: dict[tuple[Edition, str], str]) -> Iterator[EditionShare]:
    for (edition, language), many in readers.items():
        yield _share(edition, language, many, first[edition, language])


def _share(edition: Edition, language: str, readers: int, address: str) -> EditionShare:
    named = json.dumps([language, edition_to_json(edition)]).encode()
    return EditionShare(hashlib.sha256(named).hexdigest()[:12], edition, language, readers, address)
