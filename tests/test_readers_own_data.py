"""Export, erasure and change of address: behind a link mailed for it, for an hour, about one person alone."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from reader_samples import CHOICES, WEN, add, address_link, consents, data_link, everything, find, letters, link
from sending import ISSUE, SLUG, Clock, plan, take_in_issue

from newsletter.app import Newsletter
from newsletter.readers import new_address
from newsletter.readers.leaving import PAGE, leave
from newsletter.readers.models import LetterKind
from newsletter.readers.new_address import HOLDS_FOR, Standing
from newsletter.readers.own_data import OPENS_FOR, ask, erase, export, look
from newsletter.readers.preferences import ask_link, save
from newsletter.readers.sign_up import Asked
from newsletter.readers.sign_up import ask as sign_up
from subscribers.addresses import AddressRefused, hash_mailbox, parse_address
from subscribers.models import State
from subscribers.preferences import Frequency, Preferences
from subscribers.tokens import Purpose

pytestmark = pytest.mark.both_databases

LI = "li@example.com"
NEW = "wen.new@example.net"


@pytest.fixture
def clock(newsletter: Newsletter) -> Clock:
    """The newsletter's clock from now on."""
    clock = newsletter.clock = Clock()
    return clock


@pytest.fixture
def busy(newsletter: Newsletter, clock: Clock) -> str:
    """A reader whom every table knows, beside another one; the token of a data letter."""
    take_in_issue(newsletter)
    topics = newsletter_topics(newsletter)
    wen = add(newsletter, WEN, Preferences(topics=topics, follow=("潮汐",)), name="文心")
    add(newsletter, LI, Preferences(topics=topics), name="李")
    plan(newsletter, SLUG)
    sign_up(newsletter, Asked(WEN, replace(CHOICES, follow=()), "page", "我想收到。", "192.0.2.77"))
    clock.move(hours=2)
    ask_link(newsletter, WEN)
    mine = link(newsletter, Purpose.PREFERENCES, wen)
    own = (("models", Frequency.WEEKLY),)
    save(newsletter, mine, Preferences(topics=topics, mute=("裁员",), day=0, frequencies=own), None, "192.0.2.77")
    token = data_link(newsletter, wen)
    new_address.ask(newsletter, token, NEW, origin="192.0.2.77")
    return token


def newsletter_topics(newsletter: Newsletter) -> tuple[str, ...]:
    with newsletter.reading() as session:
        return tuple(topic.slug for topic in newsletter.topics(session).all())


def test_the_link_opens_for_an_hour(newsletter: Newsletter, clock: Clock) -> None:
    token = data_link(newsletter, add(newsletter))
    clock.move(seconds=OPENS_FOR.total_seconds() - 1)
    door = look(newsletter, token)
    assert door is not None
    assert (door.address, door.over) == ("w***@example.com", False)
    clock.move(seconds=1)
    before = everything(newsletter)
    door = look(newsletter, token)
    assert door is not None and door.over
    assert export(newsletter, token) is None
    assert not erase(newsletter, token)
    assert not new_address.ask(newsletter, token, NEW)
    assert everything(newsletter) == before


def test_asking_again_within_the_hour_sends_no_second_letter(newsletter: Newsletter, clock: Clock) -> None:
    mine = link(newsletter, Purpose.PREFERENCES, add(newsletter))
    assert [ask(newsletter, mine) for _ in range(3)] == [True] * 3
    assert len(letters(newsletter, LetterKind.DATA)) == 1


def test_who_left_can_still_ask_for_their_data(newsletter: Newsletter) -> None:
    wen = add(newsletter)
    leave(newsletter, link(newsletter, Purpose.UNSUBSCRIBE, wen), PAGE)
    door = look(newsletter, data_link(newsletter, wen))
    assert door is not None and door.left


def test_a_link_of_another_purpose_or_kind_of_letter_opens_nothing(newsletter: Newsletter) -> None:
    wen = add(newsletter)
    ask_link(newsletter, WEN)
    other = newsletter.tokens.make(Purpose.DATA, letters(newsletter, LetterKind.PREFERENCES)[0].public_id)
    for wrong in (
        "",
        "x",
        other,
        newsletter.tokens.make(Purpose.DATA, wen.public_id),
        link(newsletter, Purpose.FEED, wen),
    ):
        assert look(newsletter, wrong) is None
        assert export(newsletter, wrong) is None
        assert not erase(newsletter, wrong)
    assert find(newsletter).state is State.ACTIVE


def test_the_export_holds_all_about_a_person_and_nothing_about_another(newsletter: Newsletter, busy: str) -> None:
    held = export(newsletter, busy)
    assert held is not None
    text = json.dumps(held, ensure_ascii=False)
    assert held["person"]["address"] == WEN
    assert held["person"]["mute"] == ["裁员"]
    assert (held["person"]["day"], held["person"]["frequencies"]) == (0, {"models": "weekly"})
    assert {row["kind"] for row in held["letters"]} == {"already", "preferences", "data", "address"}
    assert len(held["letters"]) == len(letters(newsletter))
    assert [row["kind"] for row in held["consents"]] == [row.kind for row in consents(newsletter, find(newsletter))]
    assert {row["address"] for row in held["sign_ups"]} == {WEN, NEW}
    (delivery,) = held["deliveries"]
    assert delivery["issue"]["slug"] == SLUG
    assert delivery["state"] == "queued"
    assert all(story["title"] and story["title"] in ISSUE for story in delivery["stories"])
    assert delivery["stories"]
    for theirs in (LI, "李", find(newsletter, LI).public_id):
        assert theirs not in text


def test_the_change_of_address_of_another_is_in_nobodys_export(newsletter: Newsletter) -> None:
    wen, li = add(newsletter, WEN), add(newsletter, LI)
    new_address.ask(newsletter, data_link(newsletter, li), WEN)
    held = export(newsletter, data_link(newsletter, wen))
    assert held is not None
    assert held["sign_ups"] == []
    assert [row["kind"] for row in held["letters"]] == ["data"]


def test_after_erasure_no_table_holds_who_it_was(newsletter: Newsletter, busy: str) -> None:
    mailboxes = [hash_mailbox(parse_address(one), newsletter.address_key) for one in (WEN, NEW)]
    assert erase(newsletter, busy)
    rows = everything(newsletter)
    for trace in (WEN, NEW, "文心", "192.0.2.77", "裁员", *mailboxes):
        assert trace not in rows
    assert LI in rows


def test_an_erased_persons_links_open_nothing(newsletter: Newsletter, busy: str) -> None:
    moving = address_link(newsletter)
    erase(newsletter, busy)
    before = everything(newsletter)
    assert look(newsletter, busy) is None
    assert new_address.confirm(newsletter, moving) is None
    assert not erase(newsletter, busy)
    assert everything(newsletter) == before


def test_a_new_address_counts_from_its_confirmation_and_old_links_keep_working(newsletter: Newsletter) -> None:
    wen = add(newsletter)
    token = data_link(newsletter, wen)
    assert new_address.ask(newsletter, token, NEW)
    assert find(newsletter).public_id == wen.public_id
    moving = address_link(newsletter)
    before = new_address.look(newsletter, moving)
    assert before is not None
    assert (before.former, before.address, before.state) == ("w***@example.com", "w***@example.net", Standing.OPEN)
    done = new_address.confirm(newsletter, moving, "192.0.2.1")
    assert done is not None and done.state is Standing.DONE
    assert find(newsletter, NEW).public_id == wen.public_id
    assert leave(newsletter, link(newsletter, Purpose.UNSUBSCRIBE, wen), PAGE) is not None
    assert look(newsletter, token) is None, "a letter to the former address proves nothing any more"


def test_the_letter_goes_to_the_new_address(newsletter: Newsletter) -> None:
    new_address.ask(newsletter, data_link(newsletter, add(newsletter)), NEW)
    (letter,) = letters(newsletter, LetterKind.ADDRESS)
    assert (letter.address, letter.state) == (NEW, "queued")


def test_a_taken_address_is_refused_when_it_is_confirmed_and_not_before(newsletter: Newsletter) -> None:
    wen, li = add(newsletter, WEN), add(newsletter, LI)
    assert new_address.ask(newsletter, data_link(newsletter, wen), LI)
    before = everything(newsletter)
    refused = new_address.confirm(newsletter, address_link(newsletter))
    assert refused is not None and refused.state is Standing.TAKEN
    assert everything(newsletter) == before
    assert find(newsletter, LI).public_id == li.public_id


def test_an_address_that_the_operator_keeps_out_gets_no_letter(newsletter: Newsletter) -> None:
    token = data_link(newsletter, add(newsletter))
    with newsletter.session() as session:
        newsletter.suppression(session).add(NEW, "complaint")
    assert new_address.ask(newsletter, token, NEW)
    (letter,) = letters(newsletter, LetterKind.ADDRESS)
    assert (letter.state, letter.address) == ("failed", "")


def test_a_change_of_address_holds_for_a_day(newsletter: Newsletter, clock: Clock) -> None:
    new_address.ask(newsletter, data_link(newsletter, add(newsletter)), NEW)
    clock.now += HOLDS_FOR
    late = new_address.confirm(newsletter, address_link(newsletter))
    assert late is not None and late.state is Standing.OVER
    assert find(newsletter).state is State.ACTIVE


def test_many_requests_for_one_victim_send_it_one_letter_an_hour(newsletter: Newsletter, clock: Clock) -> None:
    token = data_link(newsletter, add(newsletter))
    for _ in range(20):
        assert new_address.ask(newsletter, token, NEW)
        clock.now += timedelta(minutes=1)
    assert len(letters(newsletter, LetterKind.ADDRESS)) == 1


def test_what_is_no_address_is_refused(newsletter: Newsletter) -> None:
    token = data_link(newsletter, add(newsletter))
    with pytest.raises(AddressRefused):
        new_address.ask(newsletter, token, "nowhere")
