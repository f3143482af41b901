"""Planning: freeze the audience and write one row per candidate, due or excluded with the reason."""

import hmac
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache

from sqlalchemy import Engine, insert, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select

from newsletter.compose.choose import Chooser
from newsletter.compose.edition import Edition
from newsletter.delivery.control import MailingState, set_canary
from newsletter.delivery.local_hour import due_for
from newsletter.delivery.models import Delivery, Mailing, MailingStory
from newsletter.delivery.outcome import Reason, State
from newsletter.storage.models import IssueRow, StoryRow
from newsletter.storage.prepared import Prepared
from newsletter.storage.turn import share_turn, take_turn
from subscribers.audience import AudienceMember, audience_page
from subscribers.models import Subscriber
from subscribers.preferences import Frequency, Preferences
from subscribers.tokens import Purpose, Tokens

ROWS_PER_COMMIT = 1000
_PLANNING, _ROWS = "planning", "rows"
_KEPT_EDITIONS = 4096
_FILLED = (
    "mailing_id", "subscriber_id", "address", "state", "reason", "due", "next_at", "language", "edition", "slots",
    "attempts", "deferrals", "server",
)  # fmt: skip
_INSERT = Prepared(insert(Delivery), _FILLED)


@dataclass(frozen=True, slots=True)
class Approved:
    """What a mailing is made of: an approved revision, its stories, and what was compiled of it by language.

    `mailing_key` is the key of the mailing that sends it, unless there is one. `days` are those of a digest, None for
    any other issue (see `Mailing`).
    """

    issue_id: int
    mailing_key: str
    revision_id: int
    theme: str
    compiled_hashes: Mapping[str, str]
    story_ids: tuple[str, ...]
    days: tuple[int | None, ...] | None = None


def find_mailing(session: Session, issue_id: int) -> Mailing | None:
    """The mailing of an issue, once there is one."""
    return session.exec(select(Mailing).where(Mailing.issue_id == issue_id)).first()


def mailing_key(session: Session, issue_id: int, secret: bytes) -> str:
    """The key of an issue's mailing, which a preview knows before there is one; nobody guesses it without `secret`.

    It rests on the moment the issue was made, so that a database begun anew with the same secret has other ones: mail
    programs drop a message whose Message-ID they know.
    """
    made_at = session.get_one(IssueRow, issue_id).created_at.astimezone(UTC)
    return hmac.digest(secret, f"mailing\0{issue_id}\0{made_at.isoformat()}".encode(), "sha256").hex()[:16]


def view_subject(issue_id: int, public_id: str) -> str:
    """The subject of the token that opens a reader's own mail of an issue."""
    return f"{issue_id}-{public_id}"


def open_mailing(
    session: Session, approved: Approved, now: datetime, due: datetime, at_once: bool = False
) -> tuple[Mailing, bool]:
    """The mailing of an issue and whether it is new: made once, found again ever after, whatever was approved since.

    `due`, in whole seconds, is the release; `at_once` sends to everybody then, whatever their own hour.
    """
    known = find_mailing(session, approved.issue_id)
    if known:
        return known, False
    mailing = Mailing(
        key=approved.mailing_key,
        issue_id=approved.issue_id,
        revision_id=approved.revision_id,
        theme=approved.theme,
        compiled_hashes=dict(approved.compiled_hashes),
        days=None if approved.days is None else list(approved.days),
        due=due,
        at_once=at_once,
        audience_through=session.exec(select(func.max(Subscriber.id))).one() or 0,
        created_at=now,
        state=MailingState.RUNNING,
    )
    try:
        with session.begin_nested():
            session.add(mailing)
    except IntegrityError:  # somebody else began it since we looked
        return open_mailing(session, approved, now, due, at_once)
    roots = roots_of(session, approved.issue_id, approved.story_ids)
    stories = [{"mailing_id": mailing.id, "story_id": story, "root": root} for story, root in roots.items()]
    session.execute(insert(MailingStory), stories)
    return mailing, True


def plan(engine: Engine, mailing_id: int, chooser: Chooser, tokens: Tokens, canary: int = 0) -> Iterator[int]:
    """Write the rows that are missing, a thousand a commit, yielding how many candidates each commit covered.

    Every commit moves the mailing's own mark along with its rows, so that a killed plan goes on where it stopped and
    planning again adds nobody twice. `canary` is how many readers go first (0: nobody waits); the others are held back
    from the commit on that makes their rows, because sending may begin before planning ends.
    """
    while True:
        with Session(engine) as session:
            share_turn(session, _PLANNING)
            take_turn(session, _ROWS)  # what another mailing brings a reader is to be seen before this one brings it
            mailing = session.get_one(Mailing, mailing_id, with_for_update=True)  # one planner at a time
            through, days = mailing.audience_through, mailing.days
            members = audience_page(session, mailing.planned_through, through, ROWS_PER_COMMIT, days)
            if not members:  # the last ones may have left: the plan is complete all the same
                mailing.planned_through = mailing.audience_through
                session.commit()
                return
            # a person who resumed it meanwhile has let the rest go
            held_back = canary and (mailing.canary_through is not None or not mailing.planned_through)
            chosen = decide(session, members, chooser, mailing.issue_id, mailing.due, at_once=mailing.at_once)
            if mailing.state == MailingState.CANCELLED:  # meanwhile: nobody is to wait for what never comes
                chosen = [(member, reason or Reason.CANCELLED, edition) for member, reason, edition in chosen]
            issue_id, release, at_once = mailing.issue_id, mailing.due, mailing.at_once
            rows = [
                _row(
                    mailing_id, _due(one[0], release, at_once), *one, {} if one[1] else _slots(one[0], issue_id, tokens)
                )
                for one in chosen
            ]
            _INSERT.run(session.connection(), rows)
            session.execute(update(Mailing).where(col(Mailing.id) == mailing_id).values(planned_through=members[-1].id))
            if held_back:
                set_canary(session, mailing_id, canary)
            session.commit()
        yield len(members)


def wait_for_planners(session: Session) -> None:
    """Wait until planners have written down whom they have read, and keep them from reading until we have committed.

    Whoever takes a person's address away or changes it does this before they touch the person, and looks for rows that
    have it afterwards. A planner holds nobody, because that would cost a lock for every reader of a mailing.
    """
    take_turn(session, _PLANNING)


def decide(
    session: Session,
    members: Sequence[AudienceMember],
    chooser: Chooser,
    issue_id: int,
    release: datetime,
    *,
    at_once: bool = False,
) -> list[tuple[AudienceMember, Reason | None, Edition]]:
    """What each candidate gets of an issue released then, or the reason why nothing (with an empty edition)."""
    had = _stories_had(session, issue_id, chooser, [member.id for member in members])
    return [
        (member, *_decide(member, chooser, _due(member, release, at_once), had.get(member.id, frozenset())))
        for member in members
    ]


def roots_of(session: Session, issue_id: int, story_ids: Collection[str]) -> dict[str, str]:
    """The root of each of an issue's stories (see `StoryRow`): as its own issue has it, else as the newest one does."""
    rows = session.exec(
        select(StoryRow.story_id, StoryRow.root)
        .where(col(StoryRow.story_id).in_(story_ids))
        .order_by(col(StoryRow.issue_id) == issue_id, col(StoryRow.id))
    ).all()
    return {story: story for story in story_ids} | {story: root or story for story, root in rows}


@lru_cache(_KEPT_EDITIONS)
def edition_to_json(edition: Edition) -> list[list[object]]:
    """An edition as a delivery row keeps it, made once for all who get it: nobody may change it."""
    return [[group.topic, list(group.stories)] for group in edition.groups]


def _due(member: AudienceMember, release: datetime, at_once: bool) -> datetime:
    preferences = member.preferences
    return release if at_once or preferences.hour is None else due_for(release, preferences.zone, preferences.hour)


def _decide(
    member: AudienceMember, chooser: Chooser, due: datetime, had: frozenset[str]
) -> tuple[Reason | None, Edition]:
    if member.suppressed:
        return Reason.SUPPRESSED, Edition()
    if member.is_paused(due):
        return Reason.PAUSED, Edition()
    edition = chooser.choose(member.preferences, had)
    return (None if edition else _why_nothing(member.preferences, chooser, had)), edition


def _why_nothing(preferences: Preferences, chooser: Chooser, had: frozenset[str]) -> Reason:
    if chooser.wants_nothing(preferences):
        return Reason.WEEKLY if preferences.is_weekly else Reason.NO_MATCH
    if had and chooser.choose(preferences):
        return Reason.ALREADY_HAD
    if preferences.topics_at(Frequency.IMPORTANT) and chooser.choose(_wanting_all(preferences), had):
        return Reason.NOT_IMPORTANT
    return Reason.NO_MATCH


def _wanting_all(preferences: Preferences) -> Preferences:
    """The same, of a reader who wants unimportant stories as well."""
    daily = tuple((topic, Frequency.DAILY) for topic in preferences.topics_at(Frequency.IMPORTANT))
    weekly = tuple((topic, Frequency.WEEKLY) for topic in preferences.topics_at(Frequency.WEEKLY))
    return replace(preferences, frequencies=daily + weekly)


def _slots(member: AudienceMember, issue_id: int, tokens: Tokens) -> dict[str, object]:
    return {
        "name": member.name,
        "topics": list(member.preferences.topics),
        "unsubscribe_token": tokens.make(Purpose.UNSUBSCRIBE, member.public_id),
        "preferences_token": tokens.make(Purpose.PREFERENCES, member.public_id),
        "view_token": tokens.make(Purpose.VIEW, view_subject(issue_id, member.public_id)),
        "format": str(member.preferences.format),
    }


def _row(
    mailing_id: int,
    due: datetime,
    member: AudienceMember,
    reason: Reason | None,
    edition: Edition,
    slots: dict[str, object],
) -> dict[str, object]:
    return {
        "mailing_id": mailing_id,
        "subscriber_id": member.id,
        "address": member.ascii_address,
        "state": State.EXCLUDED if reason else State.QUEUED,
        "reason": reason,
        "due": due,
        "next_at": due,
        "language": member.preferences.language,
        "edition": edition_to_json(edition),
        "slots": slots,
        "attempts": 0,
        "deferrals": 0,
        "server": "",
    }


def _stories_had(
    session: Session, issue_id: int, chooser: Chooser, readers: Sequence[int]
) -> dict[int, frozenset[str]]:
    """Which of an issue's stories each of these readers had, or is about to get, from mailings of other issues."""
    own: dict[str, set[str]] = defaultdict(set)
    for story, root in roots_of(session, issue_id, chooser.story_ids).items():
        own[root].add(story)
    others = select(MailingStory.mailing_id, MailingStory.story_id, MailingStory.root).join(
        Mailing, col(Mailing.id) == MailingStory.mailing_id
    )
    shared = session.exec(others.where(Mailing.issue_id != issue_id, col(MailingStory.root).in_(own))).all()
    if not shared:
        return {}
    same = {(mailing, story): own[root] for mailing, story, root in shared}
    rows = session.exec(
        select(Delivery.subscriber_id, Delivery.mailing_id, Delivery.edition).where(
            col(Delivery.mailing_id).in_({mailing for mailing, _, _ in shared}),
            col(Delivery.subscriber_id).in_(readers),
            col(Delivery.state).in_((State.ACCEPTED, State.UNKNOWN, State.QUEUED, State.DEFERRED, State.IN_HAND)),
        )
    ).all()
    had: dict[int, set[str]] = defaultdict(set)
    for subscriber, mailing, edition in rows:
        for story in (story for _topic, stories in edition for story in stories):
            had[subscriber] |= same.get((mailing, story), set())
    return {subscriber: frozenset(stories) for subscriber, stories in had.items() if stories}
