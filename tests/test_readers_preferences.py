"""A reader's own choices, kept behind the link in every mail."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from reader_samples import CHOICES, WEN, add, consents, everything, find, letters, link, meanwhile
from sending import Clock

from newsletter.app import Newsletter
from newsletter.readers import persons
from newsletter.readers.leaving import ONE_CLICK, leave
from newsletter.readers.models import LetterKind, LetterState
from newsletter.readers.preferences import KEYWORDS, LONGEST_PAUSE, ask_link, look, resume, save
from subscribers.addresses import AddressRefused
from subscribers.models import State
from subscribers.preference_columns import preferences_of
from subscribers.preferences import Frequency, MailFormat, Preferences, PreferencesRefused
from subscribers.tokens import Purpose

pytestmark = pytest.mark.both_databases

TODAY = date(2026, 3, 9)
OTHERS = Preferences(
    topics=("funding", "models"), follow=("芯片",), mute=(), most=None, format=MailFormat.TEXT, language="en"
)


@pytest.fixture
def clock(newsletter: Newsletter) -> Clock:
    """The newsletter's clock from now on."""
    clock = newsletter.clock = Clock()
    return clock


@pytest.fixture
def token(newsletter: Newsletter, clock: Clock) -> str:
    """A reader's preferences link."""
    return link(newsletter, Purpose.PREFERENCES, add(newsletter))


def test_choices_are_kept_and_recorded_with_where_they_came_from(newsletter: Newsletter, token: str) -> None:
    save(newsletter, token, OTHERS, None, "192.0.2.1")
    assert preferences_of(find(newsletter)) == OTHERS
    last = consents(newsletter, find(newsletter))[-1]
    assert (last.kind, last.source, last.origin) == ("preferences", "preferences page", "192.0.2.1")


def test_saving_what_is_kept_already_changes_nothing(newsletter: Newsletter, token: str) -> None:
    before = everything(newsletter)
    save(newsletter, token, CHOICES, None)
    assert everything(newsletter) == before


def test_a_pause_ends_at_the_beginning_of_its_day_in_the_newsletters_zone(newsletter: Newsletter, token: str) -> None:
    held = save(newsletter, token, CHOICES, date(2026, 4, 1))
    assert held is not None
    assert (held.paused, held.until) == (True, date(2026, 4, 1))
    assert find(newsletter).paused_until == datetime(2026, 3, 31, 16, tzinfo=UTC)  # midnight in Shanghai


def test_clearing_the_date_ends_a_pause(newsletter: Newsletter, token: str) -> None:
    save(newsletter, token, CHOICES, date(2026, 4, 1))
    save(newsletter, token, CHOICES, None)
    assert find(newsletter).state is State.ACTIVE


def test_a_pause_that_is_over_is_no_pause(newsletter: Newsletter, clock: Clock, token: str) -> None:
    save(newsletter, token, CHOICES, date(2026, 3, 10))
    clock.move(days=2)
    held = look(newsletter, token)
    assert held is not None
    assert (held.paused, held.until) == (False, None)


def test_a_pause_without_an_end_outlives_saving_and_ends_by_its_button(newsletter: Newsletter, token: str) -> None:
    with newsletter.session() as session:
        people = newsletter.people(session)
        person = people.get(WEN)
        assert person is not None
        people.pause(person)
    save(newsletter, token, OTHERS, None)
    assert find(newsletter).state is State.PAUSED
    resume(newsletter, token)
    assert find(newsletter).state is State.ACTIVE


@pytest.mark.parametrize(
    ("choices", "until"),
    [
        (replace(CHOICES, topics=("no such topic",)), None),
        (Preferences(topics=()), None),
        (replace(CHOICES, follow=tuple(map(str, range(KEYWORDS + 1)))), None),
        (replace(CHOICES, mute=("a\nb",)), None),
        (replace(CHOICES, most=0), None),
        (OTHERS, TODAY),
        (OTHERS, TODAY + LONGEST_PAUSE + timedelta(days=1)),
    ],
)
def test_what_cannot_be_kept_is_refused_whole(
    newsletter: Newsletter, token: str, choices: Preferences, until: date | None
) -> None:
    before = everything(newsletter)
    with pytest.raises(PreferencesRefused):
        save(newsletter, token, choices, until)
    assert everything(newsletter) == before


def test_what_the_page_does_not_ask_for_can_be_carried_along(newsletter: Newsletter, token: str) -> None:
    weekly = replace(CHOICES, frequency=Frequency.WEEKLY, zone="Europe/Berlin", hour=7)
    save(newsletter, token, weekly, None)
    assert preferences_of(find(newsletter)) == weekly


@pytest.mark.parametrize("state", ["pending", "forgotten", "unsubscribed"])
def test_nobodys_choices_are_changed_who_is_no_reader(newsletter: Newsletter, clock: Clock, state: str) -> None:
    with newsletter.session() as session:
        people = newsletter.people(session)
        person = people.add(WEN, CHOICES, state=State.PENDING if state == "pending" else State.ACTIVE)
        if state == "forgotten":
            people.forget(person)
        if state == "unsubscribed":
            people.unsubscribe(person, "page")
    before = everything(newsletter)
    mine = link(newsletter, Purpose.PREFERENCES, person)
    held = look(newsletter, mine)
    assert (held is not None and held.left) == (state == "unsubscribed")
    assert save(newsletter, mine, OTHERS, None) is None
    assert resume(newsletter, mine) is None
    assert everything(newsletter) == before


def test_a_forged_or_foreign_link_opens_nothing(newsletter: Newsletter, token: str) -> None:
    before = everything(newsletter)
    for wrong in ("", "preview", token[:-1], link(newsletter, Purpose.UNSUBSCRIBE, find(newsletter))):
        assert look(newsletter, wrong) is None
        assert save(newsletter, wrong, OTHERS, None) is None
    assert everything(newsletter) == before


def test_the_link_is_mailed_to_readers_and_to_those_who_left_once_an_hour(
    newsletter: Newsletter, clock: Clock, token: str
) -> None:
    with newsletter.session() as session:
        people = newsletter.people(session)
        people.unsubscribe(people.add("gone@example.com", CHOICES), "page")
        people.add("pending@example.com", CHOICES, state=State.PENDING)
        people.add("complained@example.com", CHOICES)
        newsletter.suppression(session).add("complained@example.com", "complaint")
    for address in ("WEN@example.com", WEN, "gone@", "pending@", "complained@", "nobody@"):
        ask_link(newsletter, address if "example" in address else f"{address}example.com")
    sent = [(one.kind, one.address) for one in letters(newsletter) if one.state == LetterState.QUEUED]
    assert sent == [(LetterKind.PREFERENCES, WEN), (LetterKind.PREFERENCES, "gone@example.com")]
    for _ in range(30):
        clock.move(minutes=30)
        ask_link(newsletter, WEN)
    assert len([one for one in letters(newsletter) if one.address == WEN]) == 3  # within a day


def test_asking_for_what_is_no_address_is_refused(newsletter: Newsletter) -> None:
    with pytest.raises(AddressRefused):
        ask_link(newsletter, "wen@example.com\r\nBcc: li@example.com")


@pytest.mark.parametrize("what", ["save", "resume"])
def test_who_leaves_while_their_choices_are_saved_has_left(
    newsletter: Newsletter, clock: Clock, token: str, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    save(newsletter, token, CHOICES, TODAY + timedelta(days=9))
    left = link(newsletter, Purpose.UNSUBSCRIBE, find(newsletter))
    with meanwhile(lambda: leave(newsletter, left, ONE_CLICK)) as begin:
        real = persons.person_of
        monkeypatch.setattr(persons, "person_of", lambda *of: (real(*of), begin())[0])
        if what == "save":
            found = save(newsletter, token, OTHERS, TODAY + timedelta(days=3))
        else:
            found = resume(newsletter, token)
    on_postgresql = newsletter.engine.dialect.name == "postgresql"  # elsewhere whoever saves is alone, and first
    assert (found is None) == on_postgresql
    assert find(newsletter).state is State.UNSUBSCRIBED


@pytest.mark.parametrize(("reason", "kept_out"), [("bounce", False), ("complaint", True), ("manual", True)])
def test_what_signing_up_again_would_not_end_is_told_apart(
    newsletter: Newsletter, token: str, reason: str, kept_out: bool
) -> None:
    with newsletter.session() as session:
        newsletter.suppression(session).add(WEN, reason)
    held = look(newsletter, token)
    assert held is not None
    assert (held.suppressed, held.kept_out) == (True, kept_out)
