"""Leaving: at once, everything or a topic, by whatever door; and the way back for a day."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reader_samples import CHOICES, WEN, add, consents, everything, find, letters, link
from sending import SLUG, Clock, Hand, plan, take_in_issue

from newsletter.app import Newsletter
from newsletter.readers.forgetting import forget
from newsletter.readers.leaving import (
    MAIL,
    ONE_CLICK,
    PAGE,
    REASON_CHARACTERS,
    WAY_BACK,
    come_back,
    explain,
    leave,
    one_line,
)
from newsletter.readers.leaving import look as stands
from newsletter.readers.models import LetterKind
from subscribers.models import State
from subscribers.preferences import Preferences
from subscribers.tokens import Purpose

pytestmark = pytest.mark.both_databases

NO_KEYWORDS = Preferences(topics=("models", "policy"))


@pytest.fixture
def clock(newsletter: Newsletter) -> Clock:
    """The newsletter's clock from now on."""
    clock = newsletter.clock = Clock()
    return clock


def token(newsletter: Newsletter, preferences: Preferences = NO_KEYWORDS) -> str:
    return link(newsletter, Purpose.UNSUBSCRIBE, add(newsletter, WEN, preferences))


def kinds(newsletter: Newsletter) -> list[str]:
    return [row.kind for row in consents(newsletter, find(newsletter))]


@pytest.mark.parametrize(
    ("source", "letter"), [(ONE_CLICK, []), (PAGE, [LetterKind.GOODBYE]), (MAIL, [LetterKind.GOODBYE])]
)
def test_leaving_is_answered_by_a_letter_unless_a_mail_service_asked(
    newsletter: Newsletter, source: str, letter: list[str]
) -> None:
    mine = token(newsletter)
    for _ in range(3):
        left = leave(newsletter, mine, source, origin="192.0.2.1")
        assert left is not None and left.out
    assert [one.kind for one in letters(newsletter)] == letter
    last = consents(newsletter, find(newsletter))[-1]
    assert (last.kind, last.source, last.origin) == ("unsubscribe", source, "192.0.2.1")


def test_leaving_during_a_send_excludes_the_reader(newsletter: Newsletter) -> None:
    take_in_issue(newsletter)
    mine = token(newsletter)
    add(newsletter, "li@example.com", NO_KEYWORDS)
    dispatch = plan(newsletter, SLUG)
    leave(newsletter, mine, PAGE)
    assert [row.address for row in Hand(newsletter).take(10)] == ["li@example.com"]
    assert (dispatch.counts().candidates, dispatch.counts().excluded) == (2, 1)


def test_leaving_one_topic_keeps_the_others_in_their_order(newsletter: Newsletter) -> None:
    mine = token(newsletter, Preferences(topics=("funding", "models", "policy")))
    left = leave(newsletter, mine, PAGE, topics=["models", "products"])
    assert left is not None
    assert (left.out, left.gone, left.topics) == (False, ("models",), ("funding", "policy"))
    assert find(newsletter).topics == ["funding", "policy"]
    assert letters(newsletter) == []


def test_leaving_the_last_topic_is_leaving(newsletter: Newsletter) -> None:
    mine = token(newsletter)
    leave(newsletter, mine, PAGE, topics=["models"])
    leave(newsletter, mine, PAGE, topics=["policy"])
    assert find(newsletter).state is State.UNSUBSCRIBED


def test_who_follows_a_keyword_may_leave_every_topic_and_stay(newsletter: Newsletter) -> None:
    leave(newsletter, token(newsletter, CHOICES), PAGE, topics=["models", "policy"])
    assert (find(newsletter).state, find(newsletter).topics) == (State.ACTIVE, [])


@pytest.mark.parametrize("preferences", [NO_KEYWORDS, Preferences(topics=())])
def test_leaving_topics_that_one_does_not_have_changes_nothing(
    newsletter: Newsletter, preferences: Preferences
) -> None:
    mine = token(newsletter, preferences)
    before = everything(newsletter)
    leave(newsletter, mine, PAGE, topics=["funding", "no such topic"])
    assert everything(newsletter) == before


def test_the_reason_stands_in_the_record_once(newsletter: Newsletter) -> None:
    mine = token(newsletter)
    leave(newsletter, mine, PAGE, reason="太\n频繁 ")
    leave(newsletter, mine, PAGE, reason="again")
    explain(newsletter, mine, "太 频繁")
    explain(newsletter, mine, "也太长")
    assert [row.detail for row in consents(newsletter, find(newsletter)) if row.kind == "reason"] == [
        "太 频繁",
        "也太长",
    ]


def test_the_words_of_a_reason_go_when_the_reader_is_forgotten(newsletter: Newsletter) -> None:
    mine = token(newsletter)
    leave(newsletter, mine, PAGE, reason="因为我叫温静")
    person = find(newsletter)
    forget(newsletter, person.public_id, "page")
    assert [row.detail for row in consents(newsletter, person) if row.kind == "reason"] == [""]


def test_a_reason_keeps_no_address() -> None:
    assert one_line("write to wen@example.com，or 文＠示例.中国 please") == "write to … … please"


@pytest.mark.both_databases(False)
@given(st.text())
def test_a_reason_is_one_printable_line_of_limited_length(text: str) -> None:
    kept = one_line(text)
    assert len(kept) <= REASON_CHARACTERS
    assert kept.isprintable()


def test_the_way_back_is_open_for_a_day(newsletter: Newsletter, clock: Clock) -> None:
    mine = token(newsletter)
    leave(newsletter, mine, ONE_CLICK)
    clock.now += WAY_BACK - timedelta(seconds=1)
    back = come_back(newsletter, mine, "192.0.2.1")
    assert back is not None and not back.out
    assert (find(newsletter).state, find(newsletter).topics) == (State.ACTIVE, ["models", "policy"])
    assert kinds(newsletter)[-1] == "return"


def test_after_a_day_nothing_leads_back(newsletter: Newsletter, clock: Clock) -> None:
    mine = token(newsletter)
    leave(newsletter, mine, PAGE)
    clock.now += WAY_BACK
    before = everything(newsletter)
    back = come_back(newsletter, mine)
    assert back is not None and back.out and not back.may_return
    assert everything(newsletter) == before


def test_whom_the_operator_unsubscribed_cannot_come_back_by_a_link(newsletter: Newsletter) -> None:
    mine = token(newsletter)
    with newsletter.session() as session:
        people = newsletter.people(session)
        person = people.get(WEN)
        assert person is not None
        people.unsubscribe(person, "command")
    come_back(newsletter, mine)
    assert find(newsletter).state is State.UNSUBSCRIBED


def test_who_complained_cannot_come_back_and_gets_no_letter(newsletter: Newsletter) -> None:
    mine = token(newsletter)
    with newsletter.session() as session:
        newsletter.suppression(session).add(WEN, "complaint")
    leave(newsletter, mine, MAIL)
    come_back(newsletter, mine)
    assert find(newsletter).state is State.UNSUBSCRIBED
    assert letters(newsletter) == []


def test_a_forged_or_foreign_link_changes_nothing(newsletter: Newsletter) -> None:
    person = add(newsletter)
    before = everything(newsletter)
    for wrong in (
        "",
        "x",
        link(newsletter, Purpose.PREFERENCES, person),
        newsletter.tokens.make(Purpose.UNSUBSCRIBE, "nobody"),
    ):
        assert stands(newsletter, wrong) is None
        assert leave(newsletter, wrong, PAGE) is None
        assert explain(newsletter, wrong, "why") is None
        assert come_back(newsletter, wrong) is None
    assert everything(newsletter) == before
