"""Forgetting: no trace of who it was in any table, and nothing is written to them any more."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from reader_samples import meanwhile
from sending import ISSUE, SLUG, Clock, Hand, plan, take_in_issue
from sqlalchemy import text
from sqlmodel import Session, SQLModel, select

from newsletter.app import Newsletter
from newsletter.delivery import plan as planning
from newsletter.delivery.models import Delivery
from newsletter.delivery.outcome import Outcome, Stage, Verdict
from newsletter.readers import forgetting
from newsletter.readers.forgetting import forget
from newsletter.readers.letters import write
from newsletter.readers.models import Letter, LetterKind, LetterState
from newsletter.readers.persons import write_to
from newsletter.readers.sign_up import Asked, ask, confirm
from newsletter.storage.turn import share_turn
from subscribers.addresses import parse_address
from subscribers.models import SignUp, State, Subscriber
from subscribers.preferences import Preferences
from subscribers.sign_ups import SignUpStore
from subscribers.tokens import Purpose

pytestmark = pytest.mark.both_databases

WISHED = Preferences(("policy",), follow=("Quux",), mute=("Corge",))
TRACES = ("old.li", "an.li", "new.li", "Quux", "Corge", "192.0.2.", "example.org unknown")


@pytest.fixture
def ready(newsletter: Newsletter) -> Newsletter:
    """A newsletter whose clock stands still."""
    newsletter.clock = Clock()
    return newsletter


def ask_and_confirm(newsletter: Newsletter, address: str = "old.li@example.org") -> Subscriber:
    ask(newsletter, Asked(address, WISHED, "page", "我想收到示例日报。", "192.0.2.1"))
    with newsletter.reading() as session:
        (row,) = SignUpStore(session).waiting(parse_address(address))
    confirm(newsletter, newsletter.tokens.make(Purpose.CONFIRM, row.public_id), "192.0.2.2")
    with newsletter.reading() as session:
        person = newsletter.people(session).get(address)
    assert person is not None
    return person


def letter(newsletter: Newsletter, session: Session, kind: LetterKind, person: Subscriber, **ids: int | None) -> Letter:
    address = parse_address(person.ascii_address or "")
    written = write(newsletter, session, kind, address, "zh", **ids)
    assert written is not None
    written.details, written.origin = {"name": address.ascii}, "192.0.2.9"
    return written


def contents(newsletter: Newsletter) -> str:
    """Every row of every table, as text."""
    with newsletter.reading() as session:
        return "\n".join(
            f"{name}: {session.execute(one.select()).all()}" for name, one in SQLModel.metadata.tables.items()
        )


def test_forgetting_leaves_no_trace_of_who_it_was_in_the_whole_database(ready: Newsletter) -> None:
    """Somebody who signed up, got mail that bounced, moved, asked for letters, and wants to move again."""
    public_id = ask_and_confirm(ready).public_id
    take_in_issue(ready, ISSUE)
    plan(ready, SLUG)
    hand = Hand(ready)
    (row,) = hand.take(1)
    reply = "550 5.1.1 old.li@example.org unknown"
    hand.settle(row, Outcome(Verdict.REFUSED, Stage.RCPT, 550, reply))
    hand.seat.leave()
    with ready.session() as session:
        ready.suppression(session).add("old.li@example.org", "bounce", reply)
        people, sign_ups = ready.people(session), SignUpStore(session, ready.clock)
        person = people.by_public_id(public_id)
        assert person is not None
        for number, address in enumerate(("an.li@example.org", "new.li@example.org")):
            wish = sign_ups.add(
                parse_address(address), WISHED, source="page", wording="", origin="192.0.2.3", subscriber_id=person.id
            )
            letter(
                ready,
                session,
                LetterKind.ADDRESS,
                Subscriber(ascii_address=address, address_hash=f"{number}"),
                sign_up_id=wish.id,
            )
            if number == 0:
                people.move(person, wish, source="page", origin="192.0.2.4")
        for kind in (LetterKind.DATA, LetterKind.GOODBYE, LetterKind.PREFERENCES):
            letter(ready, session, kind, person, subscriber_id=person.id).reply = reply
    before = contents(ready)
    assert all(trace in before for trace in TRACES)
    assert forget(ready, public_id, "page") is True
    after = contents(ready)
    assert [trace for trace in TRACES if trace in after] == []


def test_what_became_of_their_mail_and_when_they_said_what_stays_under_an_opaque_id(ready: Newsletter) -> None:
    person = ask_and_confirm(ready)
    take_in_issue(ready, ISSUE)
    plan(ready, SLUG)
    forget(ready, person.public_id, "page")
    with ready.reading() as session:
        people = ready.people(session)
        kept = people.by_public_id(person.public_id)
        assert kept is not None
        assert [one.kind for one in people.consents(kept)] == ["sign-up", "confirm", "forget"]
        assert people.consents(kept)[0].wording == "我想收到示例日报。"
        (delivery,) = session.exec(select(Delivery))
        assert (delivery.subscriber_id, delivery.address, delivery.slots) == (person.id, None, {})
        assert ready.suppression(session).is_suppressed("old.li@example.org")


def test_a_letter_that_waits_is_not_sent_any_more_and_one_that_was_sent_stays_so(ready: Newsletter) -> None:
    person = ask_and_confirm(ready)
    with ready.session() as session:
        session.exec(select(Letter).where(Letter.kind == LetterKind.CONFIRM)).one().state = LetterState.ACCEPTED
    forget(ready, person.public_id, "page")
    with ready.reading() as session:
        states = {one.kind: (one.state, one.address) for one in session.exec(select(Letter))}
    assert states == {
        LetterKind.CONFIRM: (LetterState.ACCEPTED, ""),
        LetterKind.WELCOME: (LetterState.FAILED, ""),
    }


def test_what_others_have_stays(ready: Newsletter) -> None:
    person = ask_and_confirm(ready)
    other = ask_and_confirm(ready, "bo@example.org")
    with ready.session() as session:
        ready.suppression(session).add("cy@example.org", "bounce", "550")
    forget(ready, person.public_id, "page")
    with ready.reading() as session:
        assert [one.address for one in session.exec(select(Letter).order_by(Letter.id))][2:] == ["bo@example.org"] * 2  # type: ignore[arg-type]  # SQLModel says int
        assert [one.address for one in session.exec(select(SignUp))] == ["bo@example.org"]
        assert [one.address for one in ready.suppression(session).list()] == ["cy@example.org", None]
        assert ready.people(session).list() == (other,)


def test_who_is_forgotten_already_or_was_never_there_cannot_be_forgotten(ready: Newsletter) -> None:
    person = ask_and_confirm(ready)
    assert forget(ready, person.public_id, "page") is True
    before = contents(ready)
    assert forget(ready, person.public_id, "page") is False
    assert forget(ready, "0" * 24, "page") is False
    assert contents(ready) == before


def test_who_was_forgotten_may_sign_up_anew_as_somebody_else(ready: Newsletter) -> None:
    person = ask_and_confirm(ready)
    forget(ready, person.public_id, "page")
    anew = ask_and_confirm(ready)
    assert (anew.id != person.id, anew.state) == (True, State.ACTIVE)


def test_who_asks_while_they_are_forgotten_gets_no_letter_that_outlives_it(ready: Newsletter) -> None:
    """Either the request came first and is forgotten with all else, or it is that of a stranger, who may confirm."""
    with ready.session() as session:
        readers = [ready.people(session).add(f"reader{number}@example.org", WISHED) for number in range(8)]

    def go(number: int) -> None:
        person = readers[number // 2]
        if number % 2:
            forget(ready, person.public_id, "page")
        else:
            ask(ready, Asked(f"reader{number // 2}@example.org", WISHED, "page", "", ""))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(go, range(16)))
    with ready.reading() as session:
        to_readers = select(Letter.address).where(Letter.kind == LetterKind.ALREADY)
        assert set(session.exec(to_readers)) <= {""}


def everything_of_mailings(newsletter: Newsletter) -> list[tuple[str | None, bool]]:
    """Address and whether there are personal values, of every delivery."""
    with newsletter.reading() as session:
        return [(one.address, bool(one.slots)) for one in session.exec(select(Delivery))]


def test_who_is_forgotten_while_a_mailing_is_planned_leaves_no_trace_in_it(
    ready: Newsletter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The planner has read who is to get it, and has not written it down yet."""
    person = ask_and_confirm(ready)
    take_in_issue(ready, ISSUE)
    with meanwhile(lambda: forget(ready, person.public_id, "page")) as begin:
        real = planning._row
        monkeypatch.setattr(planning, "_row", lambda *of: (begin(), real(*of))[1])
        plan(ready, SLUG)
    assert everything_of_mailings(ready) == [(None, False)]


def test_a_mailing_that_begins_while_somebody_is_forgotten_does_not_see_them(
    ready: Newsletter, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = ask_and_confirm(ready)
    take_in_issue(ready, ISSUE)
    with meanwhile(lambda: plan(ready, SLUG)) as begin:
        real = forgetting.forget_reader
        monkeypatch.setattr(forgetting, "forget_reader", lambda *of: (real(*of), begin()))
        forget(ready, person.public_id, "page")
    assert everything_of_mailings(ready) == []


def test_planners_do_not_wait_for_each_other(ready: Newsletter) -> None:
    with ready.session() as session:
        share_turn(session, "planning")
        if ready.engine.dialect.name == "postgresql":  # on SQLite one transaction writes at a time
            with ready.session() as other:
                other.execute(text("SET LOCAL lock_timeout = '1s'"))
                share_turn(other, "planning")


@pytest.mark.parametrize("kind", [LetterKind.PREFERENCES, LetterKind.DATA, LetterKind.GOODBYE])
def test_a_letter_is_not_written_to_somebody_who_was_forgotten_meanwhile(ready: Newsletter, kind: LetterKind) -> None:
    person = ask_and_confirm(ready)
    with (
        meanwhile(lambda: forget(ready, person.public_id, "page")) as begin,
        ready.session() as session,
    ):
        found = ready.people(session).by_public_id(person.public_id)
        assert found is not None
        begin()
        write_to(ready, session, kind, found)
    with ready.reading() as session:
        assert {one.address for one in session.exec(select(Letter))} == {""}
