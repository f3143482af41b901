"""Which letters are sent when their turn comes, and which are not true or not wanted any more."""

from collections.abc import Callable, Iterator
from email import message_from_bytes

import pytest
from post_samples import ADDRESS, Mailbox, confirm, queue, reader, row_of, sending_to, text_of
from reader_samples import address_link, data_link
from sqlmodel import select

from newsletter.app import Newsletter
from newsletter.readers import new_address
from newsletter.readers.models import Letter, LetterKind, LetterState
from newsletter.readers.post import Post
from newsletter.readers.preferences import ask_link
from subscribers.addresses import hash_address, parse_address
from subscribers.models import SignUp
from subscribers.tokens import Purpose


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def sending(newsletter: Newsletter, mailbox: Mailbox) -> Iterator[Newsletter]:
    with sending_to(newsletter, mailbox) as ready:
        yield ready


def leave(newsletter: Newsletter) -> None:
    with newsletter.session() as session:
        people = newsletter.people(session)
        person = people.get(ADDRESS)
        assert person is not None
        people.unsubscribe(person, "page")


def forget(newsletter: Newsletter) -> None:
    with newsletter.session() as session:
        people = newsletter.people(session)
        person = people.get(ADDRESS)
        assert person is not None
        people.forget(person)


def suppress(newsletter: Newsletter, reason: str = "complaint") -> None:
    with newsletter.session() as session:
        newsletter.suppression(session).add(ADDRESS, reason)


@pytest.mark.parametrize(
    ("kind", "happens"),
    [
        (LetterKind.WELCOME, leave),
        (LetterKind.WELCOME, forget),
        (LetterKind.WELCOME, suppress),
        (LetterKind.ALREADY, suppress),
        (LetterKind.DATA, forget),
        (LetterKind.GOODBYE, lambda newsletter: None),
    ],
)
def test_what_is_not_true_any_more_or_not_wanted_is_not_sent(
    sending: Newsletter, mailbox: Mailbox, kind: LetterKind, happens: Callable[[Newsletter], None]
) -> None:
    letter = queue(sending, kind, person=reader(sending).id)
    happens(sending)
    Post(sending).deliver()
    row = row_of(sending, letter)
    assert (row.state, mailbox.heard) == (LetterState.FAILED, [])
    assert row.reply.startswith("not sent: ")


def test_somebody_who_left_gets_goodbye_and_the_link_to_their_data(sending: Newsletter, mailbox: Mailbox) -> None:
    person = reader(sending)
    leave(sending)
    for kind in (LetterKind.GOODBYE, LetterKind.DATA):
        queue(sending, kind, person=person.id)
    Post(sending).deliver()
    assert len(mailbox.taken) == 2
    assert all("List-Unsubscribe" not in message_from_bytes(message) for _, message in mailbox.taken)


@pytest.mark.parametrize("answered", ["gone", "confirmed"])
def test_a_confirmation_with_nothing_left_to_confirm_is_dropped(
    sending: Newsletter, mailbox: Mailbox, answered: str
) -> None:
    letter = confirm(sending)
    with sending.session() as session:
        if answered == "gone":
            session.get_one(Letter, letter).sign_up_id = None
        else:
            session.exec(select(SignUp)).one().confirmed_at = sending.clock()
    Post(sending).deliver()
    assert (row_of(sending, letter).state, mailbox.heard) == (LetterState.FAILED, [])


def test_a_confirmation_goes_to_an_address_that_bounced_once(sending: Newsletter, mailbox: Mailbox) -> None:
    with sending.session() as session:
        sending.suppression(session).add(ADDRESS, "bounce")
    confirm(sending)
    Post(sending).deliver()
    assert len(mailbox.taken) == 1


@pytest.mark.parametrize("reason", ["complaint", "manual"])
def test_a_confirmation_does_not_go_to_an_address_shut_out_since_it_was_asked_for(
    sending: Newsletter, mailbox: Mailbox, reason: str
) -> None:
    letter = confirm(sending)
    suppress(sending, reason)
    Post(sending).deliver()
    assert (row_of(sending, letter).reply, mailbox.heard) == ("not sent: suppressed", [])


@pytest.mark.parametrize(("reason", "goes"), [("bounce", True), ("forgotten", True), ("complaint", False)])
def test_a_new_address_is_written_to_unless_only_the_operator_can_let_it_in(
    sending: Newsletter, mailbox: Mailbox, reason: str, goes: bool
) -> None:
    person = reader(sending, "former@example.com")
    suppress(sending, reason)
    confirm(sending)
    with sending.session() as session:
        letter = session.exec(select(Letter)).one()
        letter.kind, letter.subscriber_id = LetterKind.ADDRESS, person.id
    Post(sending).deliver()
    assert [to for to, _ in mailbox.taken] == [ADDRESS] * goes


@pytest.mark.parametrize("kind", [LetterKind.DATA, LetterKind.PREFERENCES])
@pytest.mark.parametrize(("reason", "goes"), [("bounce", True), ("complaint", False)])
def test_the_ways_to_ones_own_data_stay_open_to_whose_mail_came_back(
    sending: Newsletter, mailbox: Mailbox, kind: LetterKind, reason: str, goes: bool
) -> None:
    letter = queue(sending, kind, person=reader(sending).id)
    suppress(sending, reason)
    Post(sending).deliver()
    assert row_of(sending, letter).state == (LetterState.ACCEPTED if goes else LetterState.FAILED)


def test_who_left_gets_the_link_that_they_ask_for_and_no_list_to_leave(sending: Newsletter, mailbox: Mailbox) -> None:
    person = reader(sending)
    leave(sending)
    ask_link(sending, ADDRESS)
    Post(sending).deliver()
    ((_, message),) = mailbox.taken
    token = sending.tokens.make(Purpose.PREFERENCES, person.public_id)
    assert f"https://news.example.org/preferences/{token}" in text_of(message)
    assert "已经退订" in text_of(message)
    assert "List-Unsubscribe" not in message_from_bytes(message)


@pytest.mark.both_databases
def test_of_a_stranger_whose_mail_comes_back_only_the_hash_is_kept(sending: Newsletter, mailbox: Mailbox) -> None:
    mover = reader(sending)
    confirm(sending, "nobody@example.com")
    moving = confirm(sending, "nobody.new@example.com")
    known = reader(sending, "nobody.known@example.com")
    queue(sending, LetterKind.WELCOME, "nobody.known@example.com", person=known.id)
    with sending.session() as session:
        letter = session.get_one(Letter, moving)
        letter.kind, letter.subscriber_id = LetterKind.ADDRESS, mover.id
    Post(sending).deliver()
    with sending.reading() as session:
        suppression = sending.suppression(session)
        assert all(suppression.is_suppressed(f"nobody{one}@example.com") for one in ("", ".new", ".known"))
        assert [(row.address, row.note) for row in suppression.list()] == [
            (None, ""),
            (None, ""),
            ("nobody.known@example.com", "550 5.1.1 no such user here"),
        ]


def test_a_bounced_stranger_stays_on_the_list_as_the_operator_put_them_there(
    sending: Newsletter, mailbox: Mailbox
) -> None:
    confirm(sending, "nobody@example.com")
    with sending.session() as session:
        hashed = hash_address(parse_address("nobody@example.com"), sending.address_key)
        sending.suppression(session).add("nobody@example.com", "bounce", "by hand")
        assert sending.suppression(session).add_hash(hashed, "bounce").note == "by hand"
    Post(sending).deliver()
    with sending.reading() as session:
        assert [row.note for row in sending.suppression(session).list()] == ["by hand"]


def test_the_former_address_is_told_where_its_subscription_goes(sending: Newsletter, mailbox: Mailbox) -> None:
    person = reader(sending)
    token = data_link(sending, person)
    new_address.ask(sending, token, "new@example.net")
    new_address.confirm(sending, address_link(sending))
    Post(sending).deliver()
    assert [to for to, _ in mailbox.taken] == [ADDRESS]
    text = text_of(mailbox.taken[0][1])
    assert "n***@example.net" in text
    assert "直接回复这封邮件" in text
    for purpose in (Purpose.PREFERENCES, Purpose.UNSUBSCRIBE):
        assert sending.tokens.make(purpose, person.public_id) not in text


def test_a_letter_for_a_former_address_of_a_reader_is_not_sent(sending: Newsletter, mailbox: Mailbox) -> None:
    """Its link would open what is theirs to whoever has that address now."""
    queue(sending, LetterKind.PREFERENCES, "former@example.com", person=reader(sending).id)
    Post(sending).deliver()
    assert mailbox.heard == []


def test_a_change_of_address_is_confirmed_at_the_new_one_with_the_old_one_masked(
    sending: Newsletter, mailbox: Mailbox
) -> None:
    person = reader(sending)
    confirm(sending, "new@example.net")
    with sending.session() as session:
        letter = session.exec(select(Letter)).one()
        letter.kind, letter.subscriber_id = LetterKind.ADDRESS, person.id
    Post(sending).deliver()
    ((recipient, message),) = mailbox.taken
    text = text_of(message)
    assert recipient == "new@example.net"
    assert "c***@example.com" in text
    assert ADDRESS not in text
    assert "https://news.example.org/address/" in text
