"""People: states, consent, forgetting, and who may be written to."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, exists, insert, text, update
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from subscribers.addresses import AddressRefused, NameRefused
from subscribers.audience import sendable
from subscribers.models import State, Subscriber
from subscribers.people import SubscriberRefused, SubscriberStore
from subscribers.preference_columns import preferences_of
from subscribers.preferences import Frequency, MailFormat, Preferences, PreferencesRefused
from subscribers.suppression import SuppressionRefused, SuppressionStore

pytestmark = pytest.mark.both_databases

KEY = b"a key of the tests, long enough."
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
POLICY = Preferences(("policy",))


@pytest.fixture
def people(session: Session) -> SubscriberStore:
    return SubscriberStore(session, KEY, clock=lambda: NOON)


@pytest.fixture
def suppression(session: Session) -> SuppressionStore:
    return SuppressionStore(session, KEY, clock=lambda: NOON)


def _sendable(session: Session, now: datetime = NOON) -> list[str]:
    return [
        person.address or ""
        for person in session.exec(select(Subscriber).where(sendable(now)).order_by(col(Subscriber.id)))
    ]


def test_a_person_is_found_whatever_the_case_of_the_address(people: SubscriberStore) -> None:
    person = people.add("An.Li@Example.org", POLICY)
    assert people.get("AN.LI@example.ORG") == person
    assert people.by_public_id(person.public_id) == person


def test_everything_a_person_chose_comes_back_from_the_database(people: SubscriberStore, session: Session) -> None:
    chosen = Preferences(
        topics=("models", "policy"),
        frequency=Frequency.WEEKLY,
        language="en",
        zone="Asia/Shanghai",
        hour=0,
        most=5,
        follow=("GPU", "芯片"),
        mute=("广告",),
        format=MailFormat.TEXT,
    )
    people.add("an@example.org", chosen, name=" 安 ", state=State.PENDING)
    session.commit()
    session.expire_all()
    person = people.get("an@example.org")
    assert person is not None
    assert (person.name, person.state, person.created_at) == ("安", State.PENDING, NOON)
    assert preferences_of(person) == chosen


def test_adding_records_consent_without_the_address(people: SubscriberStore) -> None:
    person = people.add("an@example.org", POLICY, consent="sign-up", source="/subscribe")
    (consent,) = people.consents(person)
    assert (consent.kind, consent.source, consent.detail, consent.at) == ("sign-up", "/subscribe", "active", NOON)


def test_the_same_identity_is_not_added_twice(people: SubscriberStore) -> None:
    people.unsubscribe(people.add("an@example.org", POLICY), "page")
    with pytest.raises(SubscriberRefused, match="already, unsubscribed"):
        people.add("AN@example.org", POLICY)


def test_a_suppressed_address_is_not_added(people: SubscriberStore, suppression: SuppressionStore) -> None:
    suppression.add("an@example.org", "bounce")
    with pytest.raises(SubscriberRefused, match="suppressed \\(bounce\\)"):
        people.add("An@example.org", POLICY)


@pytest.mark.parametrize(
    ("address", "name", "preferences", "refusal"),
    [
        ("an@example.org\r\nBcc: all@example.org", "", POLICY, AddressRefused),
        ("an@example.org", "An\nLi", POLICY, NameRefused),
        ("an@example.org", "", Preferences((), zone="Mars/Olympus"), PreferencesRefused),
    ],
)
def test_what_cannot_be_kept_is_refused_and_leaves_nothing(
    people: SubscriberStore, address: str, name: str, preferences: Preferences, refusal: type[ValueError]
) -> None:
    with pytest.raises(refusal):
        people.add(address, preferences, name=name)
    assert people.list() == ()


def test_unsubscribing_takes_effect_once_and_is_recorded_once(people: SubscriberStore, session: Session) -> None:
    person = people.add("an@example.org", POLICY)
    assert people.unsubscribe(person, "one-click") is True
    assert people.unsubscribe(person, "page") is False
    assert _sendable(session) == []
    assert [(consent.kind, consent.source) for consent in people.consents(person)][1:] == [("unsubscribe", "one-click")]


def test_a_pause_holds_until_its_end_and_no_longer(people: SubscriberStore, session: Session) -> None:
    people.pause(people.add("an@example.org", POLICY), until=NOON + timedelta(days=1))
    (member,) = people.audience()
    assert _sendable(session, NOON) == []
    assert member.is_paused(NOON)
    assert _sendable(session, NOON + timedelta(days=1)) == ["an@example.org"]
    assert not member.is_paused(NOON + timedelta(days=1))


def test_a_pause_without_end_ends_by_resuming(people: SubscriberStore, session: Session) -> None:
    person = people.add("an@example.org", POLICY)
    people.pause(person)
    assert _sendable(session, NOON + timedelta(days=9999)) == []
    people.resume(person)
    assert _sendable(session) == ["an@example.org"]


@pytest.mark.parametrize("state", [State.PENDING, State.UNSUBSCRIBED])
def test_pausing_and_resuming_bring_nobody_in_through_the_back_door(people: SubscriberStore, state: State) -> None:
    person = people.add("an@example.org", POLICY, state=state)
    for step in (people.pause, people.resume):
        with pytest.raises(SubscriberRefused, match=f"an@example.org is {state}"):
            step(person)
    assert person.state is state


def test_lists_are_cut_by_state_topic_and_page(people: SubscriberStore) -> None:
    an = people.add("an@example.org", Preferences(("policy", "models")))
    bo = people.add("bo@example.org", Preferences(("models",)))
    cy = people.add("cy@example.org", Preferences(("model",)), state=State.PENDING)
    assert people.list(topic="models") == (an, bo)
    assert people.list(state=State.PENDING) == (cy,)
    assert people.list(limit=1, offset=1) == (bo,)
    assert people.list(topic="%") == ()


def test_counts_name_every_state(people: SubscriberStore) -> None:
    people.add("an@example.org", POLICY)
    people.add("bo@example.org", POLICY, state=State.PENDING)
    assert people.count_by_state() == {
        State.ACTIVE: 1,
        State.PENDING: 1,
        State.PAUSED: 0,
        State.UNSUBSCRIBED: 0,
    }


def test_the_audience_is_the_active_and_the_paused_whatever_the_chunk(people: SubscriberStore) -> None:
    for number in range(12):
        people.add(f"reader{number}@example.org", POLICY, state=list(State)[number % 4])
    for chunk in (1, 2, 5, 6, 7, 100):
        members = list(people.audience(chunk))
        assert [member.ascii_address for member in members] == [
            f"reader{number}@example.org" for number in range(12) if number % 4 in (0, 1)
        ]


def test_the_audience_says_who_is_suppressed(people: SubscriberStore, suppression: SuppressionStore) -> None:
    people.add("an@example.org", POLICY)
    people.add("bo@例子.中国", POLICY)
    suppression.add("BO@例子.中国", "complaint")
    assert [(member.ascii_address, member.suppressed) for member in people.audience()] == [
        ("an@example.org", False),
        ("bo@xn--fsqu00a.xn--fiqs8s", True),
    ]


def test_rows_may_be_written_while_the_audience_is_read(people: SubscriberStore, session: Session) -> None:
    for number in range(5):
        people.add(f"reader{number}@example.org", POLICY)
    seen = 0
    for member in people.audience(chunk=2):
        person = people.by_public_id(member.public_id)
        assert person is not None
        people.unsubscribe(person, "page")
        session.commit()
        seen += 1
    assert seen == 5


def test_the_condition_works_inside_an_update_of_another_table(
    people: SubscriberStore, suppression: SuppressionStore, session: Session
) -> None:
    for address in ("an@example.org", "bo@example.org", "cy@example.org"):
        people.add(address, POLICY)
    suppression.add("bo@example.org", "bounce")
    people.unsubscribe(people.list()[2], "page")
    errand = Table("errand", MetaData(), Column("subscriber_id", Integer), Column("claims", Integer))
    errand.create(session.connection())
    session.execute(insert(errand), [{"subscriber_id": person.id, "claims": 0} for person in people.list()])
    may_go = exists().where(col(Subscriber.id) == errand.c.subscriber_id, sendable(NOON))
    session.execute(update(errand).where(may_go).values(claims=1))
    assert sorted(session.execute(sql_select(errand)).all()) == [(1, 1), (2, 0), (3, 0)]


def test_forgetting_leaves_no_trace_of_who_it_was_in_the_whole_database(
    people: SubscriberStore, session: Session, tmp_path: Path
) -> None:
    person = people.add("an.li@example.org", Preferences(("policy",), follow=("Quux",)), name="Anna Liszt")
    opaque = person.public_id
    people.forget(person)
    session.commit()
    for table in ("subscriber", "consent", "suppression"):
        rows = str(session.execute(text(f"SELECT * FROM {table}")).all())
        assert not any(trace in rows for trace in ("an.li", "Liszt", "Quux", "policy"))
    kept = people.by_public_id(opaque)
    assert kept is not None
    assert kept.state is State.UNSUBSCRIBED
    assert [consent.kind for consent in people.consents(kept)] == ["command", "forget"]


def test_a_forgotten_address_stays_suppressed_and_cannot_be_added(
    people: SubscriberStore, suppression: SuppressionStore
) -> None:
    person = people.add("an@example.org", POLICY)
    people.forget(person)
    assert people.get("an@example.org") is None
    assert suppression.is_suppressed("AN@example.org")
    with pytest.raises(SubscriberRefused, match="forgotten"):
        people.add("an@example.org", POLICY)


def test_forgetting_takes_the_readable_address_out_of_suppression(
    people: SubscriberStore, suppression: SuppressionStore
) -> None:
    person = people.add("an@example.org", POLICY)
    suppression.add("an@example.org", "bounce", "550 no such user an@example.org")
    people.forget(person)
    (row,) = suppression.list()
    assert (row.address, row.note, row.reason) == (None, "", "bounce")


def test_forgetting_twice_changes_nothing_more(people: SubscriberStore) -> None:
    person = people.add("an@example.org", POLICY)
    people.forget(person)
    people.forget(person)
    assert len(people.consents(person)) == 2


def test_the_forgotten_are_neither_listed_nor_counted_nor_written_to(people: SubscriberStore, session: Session) -> None:
    people.forget(people.add("an@example.org", POLICY))
    assert people.list() == ()
    assert sum(people.count_by_state().values()) == 0
    assert list(people.audience()) == []
    assert _sendable(session) == []


def test_stores_leave_the_commit_to_the_caller(people: SubscriberStore, session: Session) -> None:
    people.add("an@example.org", POLICY)
    session.rollback()
    assert people.list() == ()


def test_suppression_follows_identity_and_keeps_the_first_reason(suppression: SuppressionStore) -> None:
    suppression.add("An@example.org", "bounce", "550")
    suppression.add("an@EXAMPLE.org", "manual")
    assert [(row.address, row.reason, row.note) for row in suppression.list()] == [("An@example.org", "bounce", "550")]


def test_taking_an_address_off_the_list_frees_it(suppression: SuppressionStore) -> None:
    suppression.add("an@example.org")
    assert suppression.remove("AN@example.org") is True
    assert suppression.remove("an@example.org") is False
    assert not suppression.is_suppressed("an@example.org")


@pytest.mark.parametrize("reason", ["", "a\nb", "x" * 33])
def test_a_reason_that_is_no_word_is_refused(suppression: SuppressionStore, reason: str) -> None:
    with pytest.raises(SuppressionRefused):
        suppression.add("an@example.org", reason)


def test_another_key_does_not_know_the_hashes(session: Session, suppression: SuppressionStore) -> None:
    suppression.add("an@example.org")
    assert not SuppressionStore(session, KEY[::-1]).is_suppressed("an@example.org")
