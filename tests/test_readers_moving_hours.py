"""Whoever changes when a reader's mail comes, and through which door: what waits for the reader moves with them."""

import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from reader_samples import WEN, add, find, link
from sending import SLUG, Clock, plan, take_in_issue
from sqlmodel import select
from staff_samples import actor, join

from newsletter.app import Newsletter
from newsletter.delivery.models import Delivery
from newsletter.readers import leaving, preferences, reader_lists, sign_up, staff_changes
from newsletter.readers.sign_up import Asked
from subscribers.models import SignUp, State
from subscribers.preference_columns import preferences_of
from subscribers.preferences import Frequency, Preferences
from subscribers.tokens import Purpose

BERLIN_AT_SEVEN = {"zone": "Europe/Berlin", "hour": 7}
BEFORE = Preferences(("policy", "models"), **BERLIN_AT_SEVEN)  # type: ignore[arg-type]  # a zone and an hour
SEVEN_IN_BERLIN = datetime(2026, 3, 9, 6, tzinfo=UTC)
NINE_IN_BERLIN = datetime(2026, 3, 9, 8, tzinfo=UTC)


@pytest.fixture
def ready(newsletter: Newsletter) -> Newsletter:
    """An issue that is under way, at eight in Shanghai, and a reader who waits for seven in Berlin."""
    newsletter.clock = Clock()
    take_in_issue(newsletter)
    add(newsletter, preferences=BEFORE)
    plan(newsletter, SLUG)
    assert due(newsletter) == SEVEN_IN_BERLIN
    return newsletter


def row(newsletter: Newsletter) -> Delivery:
    with newsletter.reading() as session:
        return session.exec(select(Delivery)).one()


def due(newsletter: Newsletter) -> datetime:
    return row(newsletter).due


def nine(newsletter: Newsletter) -> Preferences:
    held = preferences_of(find(newsletter))
    return Preferences(held.topics, zone="Europe/Berlin", hour=9)


def by_the_page(newsletter: Newsletter) -> None:
    token = link(newsletter, Purpose.PREFERENCES, find(newsletter))
    assert preferences.save(newsletter, token, nine(newsletter), None)


def by_the_desk(newsletter: Newsletter) -> None:
    join(newsletter)
    staff_changes.change(newsletter, actor(newsletter), find(newsletter).public_id, "", nine(newsletter))


def by_a_list(newsletter: Newsletter) -> None:
    join(newsletter)
    file = io.BytesIO(f"address,hour\n{WEN},9\n".encode())
    key = reader_lists.keep(newsletter, actor(newsletter), "list.csv", file, State.ACTIVE)
    assert reader_lists.take_in(newsletter, actor(newsletter), key)


def by_confirming(newsletter: Newsletter) -> None:
    """They asked as strangers, and were a reader by the time they confirmed."""
    leaving.leave(newsletter, link(newsletter, Purpose.UNSUBSCRIBE, find(newsletter)), leaving.PAGE)
    sign_up.ask(newsletter, Asked(WEN, nine(newsletter), "page", "", ""))
    with newsletter.reading() as session:
        asked = session.exec(select(SignUp)).one()
    sign_up.confirm(newsletter, newsletter.tokens.make(Purpose.CONFIRM, asked.public_id), "")


@pytest.mark.both_databases
@pytest.mark.parametrize("door", [by_the_page, by_the_desk, by_a_list, by_confirming])
def test_what_waits_moves_to_the_new_hour(ready: Newsletter, door: Callable[[Newsletter], None]) -> None:
    door(ready)
    assert due(ready) == NINE_IN_BERLIN


@pytest.mark.parametrize("changes", [{"most": 3}, {"mute": ("裁员",)}, {"topics": ("policy",)}])
def test_what_has_nothing_to_do_with_time_moves_nothing(
    ready: Newsletter, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    moved: list[object] = []
    monkeypatch.setattr(preferences, "move_waiting", lambda *_: moved.append(1))
    choices = Preferences(**{"topics": BEFORE.topics, **BERLIN_AT_SEVEN, **changes})
    preferences.save(ready, link(ready, Purpose.PREFERENCES, find(ready)), choices, None)
    assert (preferences_of(find(ready)), moved) == (choices, [])


def test_a_refused_change_moves_nothing(ready: Newsletter) -> None:
    join(ready)
    with pytest.raises(ValueError, match="no topic"):
        staff_changes.change(ready, actor(ready), find(ready).public_id, "", Preferences(("none",), hour=9, zone="UTC"))
    assert due(ready) == SEVEN_IN_BERLIN


def test_who_leaves_a_topic_drops_how_often_it_comes(ready: Newsletter) -> None:
    person = find(ready)
    own = Preferences(("policy", "models"), frequencies=(("models", Frequency.WEEKLY), ("policy", Frequency.IMPORTANT)))
    preferences.save(ready, link(ready, Purpose.PREFERENCES, person), own, None)
    leaving.leave(ready, link(ready, Purpose.UNSUBSCRIBE, person), leaving.PAGE, topics=("models",))
    assert preferences_of(find(ready)).frequencies == (("policy", Frequency.IMPORTANT),)
