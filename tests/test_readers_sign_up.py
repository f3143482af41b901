"""Signing up: the same answer to everybody, few letters, and nothing happens before the owner of an address says so."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from command import Command
from sending import Clock
from sqlmodel import col, select

from newsletter.app import Newsletter
from newsletter.readers.forgetting import forget
from newsletter.readers.models import Letter, LetterKind, LetterState
from newsletter.readers.sign_up import Asked, Standing, ask, confirm, look, way_on
from subscribers.addresses import AddressRefused, parse_address
from subscribers.models import SignUp, State
from subscribers.people import FORGOTTEN
from subscribers.preference_columns import preferences_of
from subscribers.preferences import Preferences, PreferencesRefused
from subscribers.sign_ups import SignUpStore
from subscribers.tokens import Purpose

pytestmark = pytest.mark.both_databases

POLICY = Preferences(("policy",))
WISHED = Preferences(("models", "funding"), language="en")
ASKED = Asked("An@example.org", WISHED, "page", "我想收到示例日报。", "192.0.2.1")


@pytest.fixture
def clock(newsletter: Newsletter) -> Clock:
    """The newsletter's clock from now on."""
    clock = newsletter.clock = Clock()
    return clock


def letters(newsletter: Newsletter) -> list[Letter]:
    with newsletter.reading() as session:
        return [*session.exec(select(Letter).order_by(col(Letter.id)))]


def kinds(newsletter: Newsletter) -> list[str]:
    return [letter.kind for letter in letters(newsletter)]


def rows(newsletter: Newsletter) -> list[SignUp]:
    with newsletter.reading() as session:
        return [*session.exec(select(SignUp).order_by(col(SignUp.id)))]


def token_of(newsletter: Newsletter) -> str:
    """The link of the latest request."""
    return newsletter.tokens.make(Purpose.CONFIRM, rows(newsletter)[-1].public_id)


def add(newsletter: Newsletter, state: State = State.ACTIVE, address: str = "an@example.org") -> str:
    with newsletter.session() as session:
        return newsletter.people(session).add(address, POLICY, state=state).public_id


def suppress(newsletter: Newsletter, reason: str) -> None:
    with newsletter.session() as session:
        newsletter.suppression(session).add("an@example.org", reason)


def state_of(newsletter: Newsletter) -> tuple[State, Preferences] | None:
    with newsletter.reading() as session:
        person = newsletter.people(session).get("an@example.org")
        return (person.state, preferences_of(person)) if person else None


@pytest.mark.usefixtures("clock")
def test_a_stranger_gets_one_letter_to_confirm_and_is_no_reader_yet(newsletter: Newsletter) -> None:
    ask(newsletter, ASKED)
    (letter,), (row,) = letters(newsletter), rows(newsletter)
    assert (letter.kind, letter.address, letter.language, letter.sign_up_id) == (
        LetterKind.CONFIRM,
        "An@example.org",
        "en",
        row.id,
    )
    assert (row.source, row.wording, row.origin) == ("page", "我想收到示例日报。", "192.0.2.1")
    assert state_of(newsletter) is None


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("state", [State.ACTIVE, State.PAUSED])
def test_a_reader_is_told_in_their_own_language_that_they_are_one_and_nothing_changes(
    newsletter: Newsletter, state: State
) -> None:
    add(newsletter, state)
    ask(newsletter, ASKED)
    (letter,) = letters(newsletter)
    assert (letter.kind, letter.language, letter.sign_up_id) == (LetterKind.ALREADY, "zh", None)
    assert letter.subscriber_id is not None
    assert state_of(newsletter) == (state, POLICY)


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("state", [State.PENDING, State.UNSUBSCRIBED])
def test_who_left_or_never_confirmed_may_confirm_and_until_then_nothing_changes(
    newsletter: Newsletter, state: State
) -> None:
    add(newsletter, state)
    ask(newsletter, ASKED)
    assert (kinds(newsletter), state_of(newsletter)) == ([LetterKind.CONFIRM], (state, POLICY))
    confirm(newsletter, token_of(newsletter), "")
    assert state_of(newsletter) == (State.ACTIVE, WISHED)


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("reason", ["bounce", FORGOTTEN])
@pytest.mark.parametrize("known", [True, False])
def test_whose_mail_came_back_or_who_was_forgotten_can_confirm(
    newsletter: Newsletter, reason: str, known: bool
) -> None:
    if known:
        add(newsletter)
    suppress(newsletter, reason)
    ask(newsletter, ASKED)
    assert kinds(newsletter) == [LetterKind.CONFIRM]
    confirm(newsletter, token_of(newsletter), "")
    with newsletter.reading() as session:
        assert not newsletter.suppression(session).is_suppressed("an@example.org")
    assert state_of(newsletter) == (State.ACTIVE, WISHED)


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("reason", ["manual", "complaint"])
@pytest.mark.parametrize("known", [True, False])
def test_nothing_is_ever_sent_to_whom_the_operator_keeps_out(newsletter: Newsletter, reason: str, known: bool) -> None:
    if known:
        add(newsletter)
    suppress(newsletter, reason)
    ask(newsletter, ASKED)
    (letter,) = letters(newsletter)
    assert (letter.state, letter.address, letter.reply) == (LetterState.FAILED, "", "not sent: suppressed")


@pytest.mark.usefixtures("clock")
def test_who_complained_since_they_asked_cannot_confirm_any_more(newsletter: Newsletter) -> None:
    ask(newsletter, ASKED)
    suppress(newsletter, "complaint")
    assert confirm(newsletter, token_of(newsletter), "") is None
    assert state_of(newsletter) is None
    assert rows(newsletter)[0].confirmed_at is None


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    ("asked", "refusal"),
    [
        (replace(ASKED, address="nobody"), AddressRefused),
        (replace(ASKED, address="an@example.org\r\nBcc: all@example.org"), AddressRefused),
        (replace(ASKED, preferences=Preferences(())), PreferencesRefused),
        (replace(ASKED, preferences=Preferences((), follow=("芯片",))), PreferencesRefused),
        (replace(ASKED, preferences=Preferences(("policy", "nonsense"))), PreferencesRefused),
        (replace(ASKED, preferences=Preferences(("policy",), language="xx")), PreferencesRefused),
        (replace(ASKED, preferences=Preferences(("policy",), mute=("a\0b",))), PreferencesRefused),
    ],
)
def test_what_cannot_be_kept_is_refused_and_leaves_nothing(
    newsletter: Newsletter, asked: Asked, refusal: type[ValueError]
) -> None:
    with pytest.raises(refusal):
        ask(newsletter, asked)
    assert (rows(newsletter), letters(newsletter)) == ([], [])


@pytest.mark.usefixtures("clock")
def test_a_topic_named_twice_is_one(newsletter: Newsletter) -> None:
    ask(newsletter, replace(ASKED, preferences=Preferences(("models", "policy", "models"))))
    assert rows(newsletter)[0].preferences["topics"] == ["models", "policy"]


def test_looking_shows_what_was_asked_with_the_address_masked_and_changes_nothing(
    newsletter: Newsletter, clock: Clock
) -> None:
    ask(newsletter, ASKED)
    before = rows(newsletter)
    for _ in range(2):
        waiting = look(newsletter, token_of(newsletter))
        assert waiting is not None
        assert (waiting.address, waiting.preferences, waiting.state) == ("A***@example.org", WISHED, "open")
    assert (rows(newsletter), kinds(newsletter), state_of(newsletter)) == (before, [LetterKind.CONFIRM], None)


def test_confirming_makes_a_reader_and_welcomes_them_once_however_often_it_is_said(
    newsletter: Newsletter, clock: Clock
) -> None:
    ask(newsletter, ASKED)
    for _ in range(3):
        waiting = confirm(newsletter, token_of(newsletter), "192.0.2.2")
        assert waiting is not None
        assert waiting.state is Standing.DONE
        clock.move(days=3)
    assert state_of(newsletter) == (State.ACTIVE, WISHED)
    assert kinds(newsletter) == [LetterKind.CONFIRM, LetterKind.WELCOME]
    welcome = letters(newsletter)[1]
    with newsletter.reading() as session:
        people = newsletter.people(session)
        person = people.get("an@example.org")
        assert person is not None
        assert (welcome.subscriber_id, welcome.address, welcome.language) == (person.id, "An@example.org", "en")
        assert [(one.kind, one.origin) for one in people.consents(person)] == [
            ("sign-up", "192.0.2.1"),
            ("confirm", "192.0.2.2"),
        ]


def test_confirming_again_brings_nobody_back_who_has_left_since(newsletter: Newsletter, clock: Clock) -> None:
    ask(newsletter, ASKED)
    token = token_of(newsletter)
    confirm(newsletter, token, "")
    with newsletter.session() as session:
        people = newsletter.people(session)
        people.unsubscribe(people.list()[0], "page")
    confirm(newsletter, token, "")
    assert state_of(newsletter) == (State.UNSUBSCRIBED, WISHED)


@pytest.mark.parametrize(("after", "state"), [(timedelta(days=7, seconds=-1), "done"), (timedelta(days=7), "over")])
def test_a_link_holds_for_seven_days(newsletter: Newsletter, clock: Clock, after: timedelta, state: str) -> None:
    ask(newsletter, ASKED)
    clock.now += after
    waiting = confirm(newsletter, token_of(newsletter), "")
    assert waiting is not None
    assert waiting.state == state
    assert (state_of(newsletter) is not None) == (state == "done")


@pytest.mark.usefixtures("clock")
def test_a_link_that_was_never_made_or_for_something_else_is_none(newsletter: Newsletter) -> None:
    ask(newsletter, ASKED)
    public_id = rows(newsletter)[0].public_id
    others = [newsletter.tokens.make(purpose, public_id) for purpose in Purpose if purpose is not Purpose.CONFIRM]
    for token in (
        "",
        "x" * 60,
        "芯",
        token_of(newsletter) + "0",
        newsletter.tokens.make(Purpose.CONFIRM, "0"),
        *others,
    ):
        assert look(newsletter, token) is None
        assert confirm(newsletter, token, "") is None
    assert state_of(newsletter) is None


@pytest.mark.usefixtures("clock")
def test_who_was_forgotten_since_they_asked_has_no_such_link_any_more(newsletter: Newsletter) -> None:
    public_id = add(newsletter, State.UNSUBSCRIBED)
    ask(newsletter, ASKED)
    token = token_of(newsletter)
    forget(newsletter, public_id, "page")
    assert look(newsletter, token) is None
    assert confirm(newsletter, token, "") is None
    assert state_of(newsletter) is None


@pytest.fixture
def shown(
    newsletter: Newsletter, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[], dict[str, Any]]:
    """What `newsletter subscriber show` says about the address."""
    monkeypatch.setenv("NEWSLETTER_DATABASE_URL", newsletter.settings.database_url)
    monkeypatch.setenv("NEWSLETTER_SECRET_KEY", newsletter.settings.secret_key.get_secret_value())
    command = Command(monkeypatch, capsys)

    def show() -> dict[str, Any]:
        assert "192.0.2.1" in command("subscriber", "show", "an@example.org").out
        facts: dict[str, Any] = json.loads(command("subscriber", "show", "an@example.org", "--json").out)
        return facts

    return show


@pytest.mark.usefixtures("clock")
def test_the_operator_sees_who_has_yet_to_confirm_and_afterwards_where_consent_came_from(
    newsletter: Newsletter, shown: Callable[[], dict[str, Any]]
) -> None:
    ask(newsletter, ASKED)
    facts = shown()
    assert (facts["state"], facts["consent"]) == ("not confirmed", [])
    assert [(one["source"], one["origin"]) for one in facts["unconfirmed"]] == [("page", "192.0.2.1")]
    confirm(newsletter, token_of(newsletter), "192.0.2.2")
    facts = shown()
    assert (facts["state"], facts["unconfirmed"]) == ("active", [])
    assert [(one["kind"], one["origin"], one["wording"]) for one in facts["consent"]] == [
        ("sign-up", "192.0.2.1", "我想收到示例日报。"),
        ("confirm", "192.0.2.2", ""),
    ]


def test_a_used_link_says_when_the_reader_has_left_since(newsletter: Newsletter, clock: Clock) -> None:
    ask(newsletter, ASKED)
    mine = token_of(newsletter)
    confirm(newsletter, mine, "", "确认订阅")
    with newsletter.session() as session:
        people = newsletter.people(session)
        person = people.get(ASKED.address)
        assert person is not None
        assert people.consents(person)[-1].wording == "确认订阅"
        people.unsubscribe(person, "one-click")
    for found in (look(newsletter, mine), confirm(newsletter, mine, "")):
        assert found is not None and found.state is Standing.LEFT
    with newsletter.reading() as session:
        assert newsletter.people(session).list(State.UNSUBSCRIBED)


def test_an_old_link_leads_to_whoever_confirmed_by_it_and_not_to_who_has_their_address_now(
    newsletter: Newsletter, clock: Clock
) -> None:
    ask(newsletter, ASKED)
    link = token_of(newsletter)
    confirm(newsletter, link, "192.0.2.1")
    with newsletter.session() as session:
        people = newsletter.people(session)
        first = people.get("an@example.org")
        assert first
        move = SignUpStore(session, newsletter.clock).add(
            parse_address("moved@example.org"), POLICY, source="page", wording="", origin="", subscriber_id=first.id
        )
        people.move(first, move, source="page", origin="")
        people.add("an@example.org", POLICY)
        public_id = first.public_id
    assert newsletter.tokens.read(Purpose.PREFERENCES, way_on(newsletter, link)) == public_id
