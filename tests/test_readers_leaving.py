"""Leaving: at once, everything or a topic, by whatever door; and the way back for a day."""

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reader_samples import CHOICES, WEN, add, consents, everything, find, letters, link, meanwhile
from sending import SLUG, Clock, Hand, plan, take_in_issue

from newsletter.app import Newsletter
from newsletter.readers import leaving
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
from subscribers.csv_import import import_csv
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


def reasons(newsletter: Newsletter) -> list[str]:
    return [row.detail for row in consents(newsletter, find(newsletter)) if row.kind == "reason"]


def test_a_reason_is_kept_once_for_having_left_once(newsletter: Newsletter, clock: Clock) -> None:
    mine = token(newsletter)
    leave(newsletter, mine, PAGE, reason="太\n频繁 ")
    leave(newsletter, mine, PAGE, reason="again")
    for again in ("太 频繁", "也太长"):
        told = explain(newsletter, mine, again)
        assert told is not None and told.explained and not told.may_explain
    assert reasons(newsletter) == ["太 频繁"]
    come_back(newsletter, mine)
    leave(newsletter, mine, ONE_CLICK)
    explain(newsletter, mine, "太 频繁")
    assert reasons(newsletter) == ["太 频繁", "太 频繁"]


def test_reasons_sent_at_once_are_one(newsletter: Newsletter) -> None:
    mine = token(newsletter)
    leave(newsletter, mine, PAGE)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: explain(newsletter, mine, f"reason {number}"), range(16)))
    assert len(reasons(newsletter)) == 1


@pytest.mark.parametrize("gone", ["nothing", "a topic", "a day ago"])
def test_a_reason_of_who_has_not_just_left_is_not_kept(newsletter: Newsletter, clock: Clock, gone: str) -> None:
    mine = token(newsletter)
    if gone != "nothing":
        leave(newsletter, mine, PAGE, topics=["models"] if gone == "a topic" else ())
    clock.now += WAY_BACK
    before = everything(newsletter)
    told = explain(newsletter, mine, "太频繁")
    assert told is not None and not told.explained and not told.may_explain
    assert everything(newsletter) == before


def test_a_reason_given_while_one_is_forgotten_does_not_outlive_it(
    newsletter: Newsletter, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = token(newsletter)
    leave(newsletter, mine, PAGE)
    person = find(newsletter)
    with meanwhile(lambda: forget(newsletter, person.public_id, "page")) as begin:
        real = leaving._keep_reason
        monkeypatch.setattr(leaving, "_keep_reason", lambda *of: (begin(), real(*of)))
        explain(newsletter, mine, "因为我叫温静")
    assert "温静" not in everything(newsletter)


def test_the_words_of_a_reason_go_when_the_reader_is_forgotten(newsletter: Newsletter) -> None:
    mine = token(newsletter)
    leave(newsletter, mine, PAGE, reason="因为我叫温静")
    person = find(newsletter)
    forget(newsletter, person.public_id, "page")
    assert [row.detail for row in consents(newsletter, person) if row.kind == "reason"] == [""]


def test_a_reason_keeps_no_address() -> None:
    assert one_line("write to wen@example.com，or 文＠示例.中国 please") == "write to …，or … please"


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


def test_a_pause_goes_on_after_the_way_back(newsletter: Newsletter, clock: Clock) -> None:
    mine = token(newsletter)
    until = clock.now + timedelta(days=60)
    with newsletter.session() as session:
        people = newsletter.people(session)
        person = people.get(WEN)
        assert person is not None
        people.pause(person, until, "page")
    leave(newsletter, mine, ONE_CLICK)
    come_back(newsletter, mine)
    assert (find(newsletter).state, find(newsletter).paused_until) == (State.PAUSED, until)


@pytest.mark.parametrize("by", ["command", "import"])
def test_whom_the_operator_took_off_after_they_came_back_cannot_come_back(newsletter: Newsletter, by: str) -> None:
    mine = token(newsletter)
    leave(newsletter, mine, PAGE)
    come_back(newsletter, mine)
    with newsletter.session() as session:
        people = newsletter.people(session)
        if by == "command":
            person = people.get(WEN)
            assert person is not None
            people.unsubscribe(person, by)
        else:
            lines = io.BytesIO(f"address,state\n{WEN},unsubscribed\n".encode())
            topics = newsletter.topics(session).catalogue()
            import_csv(session, lines, key=newsletter.address_key, topics=topics, now=newsletter.clock())
    assert find(newsletter).state is State.UNSUBSCRIBED
    back = come_back(newsletter, mine)
    assert back is not None and back.out and not back.may_return


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
    left = leave(newsletter, mine, MAIL)
    assert left is not None and left.kept_out and not left.may_return
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
