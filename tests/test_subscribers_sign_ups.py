"""Sign-ups: kept until they are confirmed, counted, and what confirming makes of a person."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, select

from subscribers.addresses import parse_address
from subscribers.models import SignUp, State, Subscriber
from subscribers.people import FORGOTTEN, SubscriberRefused, SubscriberStore
from subscribers.preference_columns import preferences_of
from subscribers.preferences import Frequency, MailFormat, Preferences, PreferencesRefused
from subscribers.sign_ups import SignUpStore, preferences_asked
from subscribers.suppression import SuppressionStore

pytestmark = pytest.mark.both_databases

KEY = b"a key of the tests, long enough."
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ASKED = NOON - timedelta(hours=3)
POLICY = Preferences(("policy",))
WISHED = Preferences(("models", "funding"), language="en", most=5, follow=("芯片",), format=MailFormat.TEXT)
WORDING = "我想收到示例日报。\n寄到 an@… 的每封信里都能退订。"


@pytest.fixture
def people(session: Session) -> SubscriberStore:
    return SubscriberStore(session, KEY, clock=lambda: NOON)


@pytest.fixture
def suppression(session: Session) -> SuppressionStore:
    return SuppressionStore(session, KEY, clock=lambda: NOON)


def asked(
    session: Session, address: str = "An@example.org", *, at: datetime = ASKED, origin: str = "", by: int | None = None
) -> SignUp:
    return SignUpStore(session, lambda: at).add(
        parse_address(address), WISHED, source="embed", wording=WORDING, origin=origin, subscriber_id=by
    )


def join(people: SubscriberStore, sign_up: SignUp) -> Subscriber:
    return people.join(sign_up, source="page", origin="192.0.2.2", wording="确认订阅")


def said(people: SubscriberStore, person: Subscriber) -> list[str]:
    return [consent.kind for consent in people.consents(person)]


words = st.text("芯片GPUü x'\"\\", min_size=1, max_size=8).map(str.strip).filter(bool)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    st.builds(
        Preferences,
        topics=st.lists(st.sampled_from(["policy", "models", "funding"]), unique=True).map(tuple),
        frequency=st.sampled_from(Frequency),
        language=st.sampled_from(["zh", "en"]),
        zone=st.none() | st.just("Asia/Shanghai"),
        most=st.none() | st.integers(1, 1000),
        follow=st.lists(words, max_size=3).map(tuple),
        mute=st.lists(words, max_size=3).map(tuple),
        format=st.sampled_from(MailFormat),
        day=st.none() | st.integers(0, 6),
    )
)
def test_what_was_asked_comes_back_from_the_database_as_it_was(session: Session, wished: Preferences) -> None:
    store = SignUpStore(session, lambda: NOON)
    public_id = store.add(
        parse_address("an@example.org"), wished, source="page", wording=WORDING, origin="192.0.2.1"
    ).public_id
    session.expire_all()
    row = store.by_public_id(public_id)
    assert row is not None
    assert preferences_asked(row) == wished
    assert (row.wording, row.origin, row.created_at, row.confirmed_at) == (WORDING, "192.0.2.1", NOON, None)


def test_a_request_of_before_there_were_days_and_frequencies_has_none(session: Session) -> None:
    row = asked(session)
    row.preferences = {name: kept for name, kept in row.preferences.items() if name not in ("day", "frequencies")}
    assert preferences_asked(row) == replace(WISHED, day=None, frequencies=())


def test_purging_takes_what_is_older_confirmed_or_not_and_nothing_else(
    people: SubscriberStore, session: Session
) -> None:
    join(people, asked(session, at=NOON - timedelta(days=40)))
    asked(session, "bo@example.org", at=NOON - timedelta(days=31))
    young = asked(session, "cy@example.org", at=NOON - timedelta(days=29))
    store = SignUpStore(session)
    assert store.purge(NOON - timedelta(days=30)) == 2
    assert store.waiting(parse_address("cy@example.org")) == (young,)
    assert said(people, people.list()[0]) == ["sign-up", "confirm"]


def test_a_stranger_who_confirms_is_active_with_what_they_asked(people: SubscriberStore, session: Session) -> None:
    person = join(people, asked(session))
    assert (person.address, person.state, preferences_of(person)) == ("An@example.org", State.ACTIVE, WISHED)
    assert people.get("an@example.org") == person


def test_consent_keeps_what_was_read_where_it_was_said_and_when(people: SubscriberStore, session: Session) -> None:
    sign_up = asked(session, origin="192.0.2.1")
    first, second = people.consents(join(people, sign_up))
    assert (first.kind, first.at, first.source, first.wording, first.origin) == (
        "sign-up",
        ASKED,
        "embed",
        WORDING,
        "192.0.2.1",
    )
    assert (second.kind, second.at, second.source, second.wording, second.origin) == (
        "confirm",
        NOON,
        "page",
        "确认订阅",
        "192.0.2.2",
    )
    assert sign_up.confirmed_at == NOON


@pytest.mark.parametrize("state", State)
def test_whoever_is_there_already_is_active_with_what_they_confirmed(
    people: SubscriberStore, session: Session, state: State
) -> None:
    person = people.add("an@example.org", POLICY, name="安", state=state)
    if state is State.PAUSED:
        people.pause(person, NOON + timedelta(days=9))
    assert join(people, asked(session)).id == person.id
    assert (person.state, person.paused_until, person.name) == (State.ACTIVE, None, "安")
    assert preferences_of(person) == WISHED


@pytest.mark.parametrize("reason", ["bounce", FORGOTTEN])
def test_confirming_lifts_a_suppression_that_is_the_persons_own(
    people: SubscriberStore, suppression: SuppressionStore, session: Session, reason: str
) -> None:
    suppression.add("an@example.org", reason)
    join(people, asked(session))
    assert not suppression.is_suppressed("an@example.org")


@pytest.mark.parametrize("reason", ["manual", "complaint", "anything"])
def test_whom_the_operator_keeps_out_cannot_join_come_back_or_move_there(
    people: SubscriberStore, suppression: SuppressionStore, session: Session, reason: str
) -> None:
    left, other = people.add("an@example.org", POLICY), people.add("bo@example.org", POLICY)
    people.unsubscribe(left, "page")
    suppression.add("an@example.org", reason)
    suppression.add("cy@example.org", reason)
    with pytest.raises(SubscriberRefused, match="operator"):
        join(people, asked(session))
    with pytest.raises(SubscriberRefused, match="operator"):
        people.come_back(left, source="page")
    with pytest.raises(SubscriberRefused, match="operator"):
        people.move(other, asked(session, "cy@example.org", by=other.id), source="page", origin="")
    assert (left.state, other.address, suppression.is_suppressed("an@example.org")) == (
        State.UNSUBSCRIBED,
        "bo@example.org",
        True,
    )


def test_changed_preferences_are_kept_and_recorded_once(people: SubscriberStore) -> None:
    person = people.add("an@example.org", POLICY)
    people.change(person, WISHED, source="page", origin="192.0.2.1")
    people.change(person, WISHED, source="page", origin="192.0.2.1")
    assert preferences_of(person) == WISHED
    assert [(one.kind, one.source, one.origin) for one in people.consents(person)][1:] == [
        ("preferences", "page", "192.0.2.1")
    ]


def test_preferences_that_cannot_be_kept_change_nothing(people: SubscriberStore) -> None:
    person = people.add("an@example.org", POLICY)
    with pytest.raises(PreferencesRefused):
        people.change(person, replace(WISHED, most=0), source="page")
    assert preferences_of(person) == POLICY


def test_a_new_address_takes_the_place_of_the_old_one_once(people: SubscriberStore, session: Session) -> None:
    person = people.add("an@example.org", POLICY, state=State.PAUSED)
    sign_up = asked(session, "Li@例子.中国", by=person.id)
    for _ in range(2):
        people.move(person, sign_up, source="page", origin="192.0.2.1")
    assert people.get("an@example.org") is None
    assert people.get("li@例子.中国") == person
    assert (person.address, person.ascii_address) == ("Li@例子.中国", "Li@xn--fsqu00a.xn--fiqs8s")
    assert (person.state, preferences_of(person), said(people, person)) == (
        State.PAUSED,
        POLICY,
        ["command", "address", "confirm"],
    )


def test_consent_keeps_the_request_for_a_new_address_and_its_confirming(
    people: SubscriberStore, session: Session
) -> None:
    person = people.add("an@example.org", POLICY)
    sign_up = asked(session, "li@example.org", origin="192.0.2.1", by=person.id)
    people.move(person, sign_up, source="change of address", origin="192.0.2.2", wording="确认更换")
    assert [(one.kind, one.at, one.source, one.wording, one.origin) for one in people.consents(person)][1:] == [
        ("address", ASKED, "embed", WORDING, "192.0.2.1"),
        ("confirm", NOON, "change of address", "确认更换", "192.0.2.2"),
    ]


def test_a_wording_from_elsewhere_is_kept_without_the_addresses_in_it(
    people: SubscriberStore, session: Session
) -> None:
    wording = "我（jane@corp.example）同意。\nI, jane＠corp.example, agree."
    sign_up = SignUpStore(session, lambda: ASKED).add(
        parse_address("an@example.org"), WISHED, source="api", wording=wording, origin=""
    )
    assert people.consents(join(people, sign_up))[0].wording == "我（…）同意。\nI, … agree."


def test_a_new_address_that_is_anothers_is_refused_and_the_old_one_stays(
    people: SubscriberStore, session: Session
) -> None:
    person, other = people.add("an@example.org", POLICY), people.add("bo@example.org", POLICY)
    sign_up = asked(session, "BO@example.org", by=person.id)
    with pytest.raises(SubscriberRefused, match="twice"):
        people.move(person, sign_up, source="page", origin="")
    assert (person.address, other.address, sign_up.confirmed_at) == ("an@example.org", "bo@example.org", None)


def test_nobody_moves_by_what_another_asked_for(people: SubscriberStore, session: Session) -> None:
    person, other = people.add("an@example.org", POLICY), people.add("bo@example.org", POLICY)
    with pytest.raises(SubscriberRefused, match="somebody else"):
        people.move(other, asked(session, "cy@example.org", by=person.id), source="page", origin="")
    assert other.address == "bo@example.org"


def test_the_way_back_makes_active_and_is_recorded_once(people: SubscriberStore) -> None:
    person = people.add("an@example.org", POLICY)
    people.unsubscribe(person, "page")
    for _ in range(2):
        people.come_back(person, source="page", origin="192.0.2.1")
    assert person.state is State.ACTIVE
    assert said(people, person) == ["command", "unsubscribe", "return"]


def test_the_way_back_is_recorded_with_what_it_said(people: SubscriberStore) -> None:
    person = people.add("an@example.org", POLICY)
    people.unsubscribe(person, "page")
    people.come_back(person, source="page", wording="按错了，继续订阅")
    assert people.consents(person)[-1].wording == "按错了，继续订阅"


@pytest.mark.parametrize(
    ("until", "state"),
    [
        (NOON + timedelta(seconds=1), State.PAUSED),
        (None, State.PAUSED),
        (NOON, State.ACTIVE),
    ],
)
def test_the_way_back_leads_into_a_pause_that_is_not_over(
    people: SubscriberStore, until: datetime | None, state: State
) -> None:
    person = people.add("an@example.org", POLICY)
    people.pause(person, until)
    people.unsubscribe(person, "one-click")
    people.come_back(person, source="page")
    assert (person.state, person.paused_until) == (state, until if state is State.PAUSED else None)


def test_a_pause_that_was_over_before_leaving_does_not_come_back(people: SubscriberStore) -> None:
    person = people.add("an@example.org", POLICY)
    people.pause(person, NOON + timedelta(days=9))
    people.resume(person)
    people.unsubscribe(person, "page")
    people.come_back(person, source="page")
    assert (person.state, person.paused_until) == (State.ACTIVE, None)


def test_who_left_before_confirming_has_no_way_back(people: SubscriberStore) -> None:
    person = people.add("an@example.org", POLICY, state=State.PENDING)
    people.unsubscribe(person, "page")
    with pytest.raises(SubscriberRefused, match="sign up"):
        people.come_back(person, source="page")
    assert person.state is State.UNSUBSCRIBED


def test_the_way_back_is_none_for_who_never_confirmed_and_ends_no_pause(people: SubscriberStore) -> None:
    pending = people.add("an@example.org", POLICY, state=State.PENDING)
    paused = people.add("bo@example.org", POLICY, state=State.PAUSED)
    with pytest.raises(SubscriberRefused, match="sign up"):
        people.come_back(pending, source="page")
    people.come_back(paused, source="page")
    assert (pending.state, paused.state) == (State.PENDING, State.PAUSED)


def test_who_was_forgotten_neither_changes_moves_nor_comes_back(people: SubscriberStore, session: Session) -> None:
    person = people.add("an@example.org", POLICY)
    sign_up = asked(session, "bo@example.org", by=person.id)
    people.forget(person)
    for step in (
        lambda: people.change(person, WISHED, source="page"),
        lambda: people.move(person, sign_up, source="page", origin=""),
        lambda: people.come_back(person, source="page"),
    ):
        with pytest.raises(SubscriberRefused, match="forgotten"):
            step()
    assert (person.address, person.topics, person.state) == (None, [], State.UNSUBSCRIBED)


def test_forgetting_takes_origins_and_every_request_of_this_person(people: SubscriberStore, session: Session) -> None:
    person = join(people, asked(session, "old@example.org", origin="192.0.2.1"))
    people.move(person, asked(session, "an@example.org", by=person.id), source="page", origin="192.0.2.3")
    asked(session, "AN@example.org", at=NOON, origin="192.0.2.4")
    kept = asked(session, "bo@example.org")
    people.forget(person)
    assert {consent.origin for consent in people.consents(person)} == {""}
    assert people.consents(person)[0].wording == WORDING
    assert session.exec(select(SignUp.id)).all() == [kept.id]
    assert SignUpStore(session).by_public_id(kept.public_id) is not None
