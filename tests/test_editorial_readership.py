"""Who would get what of an issue: the distinct editions, whose mail each of them is, and how many readers are read."""

import json
from typing import Any

import pytest
from sending import ISSUE, SLUG, plan, take_in_issue
from sqlalchemy import String, cast
from sqlalchemy import text as sql_text
from sqlmodel import col, select

from newsletter.app import Newsletter
from newsletter.delivery.models import Delivery
from newsletter.editorial import readership
from newsletter.editorial.expected import expect
from newsletter.editorial.preview import preview_for
from newsletter.editorial.readership import count_candidates, coverage, editions, page_bound
from newsletter.storage.issues import IssueRefused
from subscribers.preferences import Frequency, Preferences

pytestmark = pytest.mark.both_databases
MODELS = """
**模型与技术进展**

- **群岛实验室公开潮汐预报模型**
  说明：实验室公布了训练所用的观测数据。
"""


@pytest.fixture
def ready(newsletter: Newsletter) -> Newsletter:
    """Three readers of one topic, two of both, one of them in English; a weekly one, and one for whom there is none."""
    take_in_issue(newsletter, ISSUE + MODELS)
    wishes = {
        "policy0": Preferences(("policy",)),
        "policy1": Preferences(("policy", "funding")),
        "policy2": Preferences(("policy",)),
        "both0": Preferences(("policy", "models")),
        "both1": Preferences(("policy", "models"), language="en"),
        "weekly": Preferences(("models",), frequency=Frequency.WEEKLY),
        "funding": Preferences(("funding",)),
    }
    with newsletter.session() as session:
        for name, choices in wishes.items():
            newsletter.people(session).add(f"{name}@example.org", choices)
    return newsletter


def seen(newsletter: Newsletter) -> list[tuple[int, str, str, tuple[str, ...]]]:
    """How many, in which language, whose for example, under which headings."""
    found = editions(newsletter, SLUG)
    return [(one.readers, one.language, one.address, tuple(g.topic for g in one.edition.groups)) for one in found]


def test_readers_who_get_the_same_stories_in_the_same_language_share_an_edition(ready: Newsletter) -> None:
    first, *others = seen(ready)
    assert first == (3, "zh", "policy0@example.org", ("policy",))
    assert sorted(others) == [
        (1, "en", "both1@example.org", ("policy", "models")),
        (1, "zh", "both0@example.org", ("policy", "models")),
    ]


def test_planning_changes_neither_the_editions_nor_their_keys(ready: Newsletter) -> None:
    before = editions(ready, SLUG)
    plan(ready, SLUG)
    assert editions(ready, SLUG) == before


def test_an_edition_that_is_written_in_two_ways_is_one(ready: Newsletter) -> None:
    plan(ready, SLUG)
    before = seen(ready)
    with ready.session() as session:
        for number, text in session.execute(select(Delivery.id, cast(col(Delivery.edition), String))).all()[::2]:
            spaced = "UPDATE delivery SET edition = CAST(:text AS JSON) WHERE id = :number"
            written = "UPDATE delivery SET edition = :text WHERE id = :number"
            sql = spaced if ready.engine.dialect.name == "postgresql" else written
            session.execute(sql_text(sql), {"text": json.dumps(json.loads(text), indent=1), "number": number})
    assert seen(ready) == before


def test_the_example_gets_that_very_edition(ready: Newsletter) -> None:
    for one in editions(ready, SLUG):
        assert preview_for(ready, SLUG, one.address).edition == one.edition


def test_the_readers_of_all_editions_are_those_whom_coverage_counts_as_getting_something(ready: Newsletter) -> None:
    covered, _left_out, _largest = coverage(ready, SLUG)
    assert sum(one.readers for one in editions(ready, SLUG)) == covered.readers - covered.by_stories[0] == 5
    assert {one.edition for one in editions(ready, SLUG)} == {edition for edition in covered.editions if edition}


def test_keys_tell_editions_and_languages_apart(ready: Newsletter) -> None:
    found = editions(ready, SLUG)
    assert len({one.key for one in found}) == len(found) == 3


def test_after_planning_somebody_new_is_in_no_edition(ready: Newsletter) -> None:
    plan(ready, SLUG)
    before = seen(ready)
    with ready.session() as session:
        ready.people(session).add("late@example.org", Preferences(("models",)))
    assert seen(ready) == before


def test_without_readers_there_is_no_edition(newsletter: Newsletter) -> None:
    take_in_issue(newsletter)
    assert editions(newsletter, SLUG) == []


def test_an_unknown_issue_is_refused(newsletter: Newsletter) -> None:
    with pytest.raises(IssueRefused):
        editions(newsletter, "2020-01-01")


def looked_at(newsletter: Newsletter, most: int | None) -> int:
    covered, left_out, _ = coverage(newsletter, SLUG, most)
    return covered.readers + sum(left_out.values())


@pytest.mark.parametrize(
    ("most", "pages"), [(0, []), (1, [1]), (2, [2]), (3, [2, 1]), (8, [2, 2, 2, 1]), (None, [2, 2, 2, 1])]
)
def test_no_more_readers_are_read_than_the_bound(
    ready: Newsletter, monkeypatch: pytest.MonkeyPatch, most: int | None, pages: list[int]
) -> None:
    read: list[int] = []
    audience_page = readership.audience_page

    def counted(*asked: Any) -> Any:
        page = audience_page(*asked)
        read.append(len(page))
        return page

    monkeypatch.setattr(readership, "audience_page", counted)
    monkeypatch.setattr(readership, "ROWS_PER_COMMIT", 2)
    assert looked_at(ready, most) == sum(pages)
    assert read == [*pages, 0]


def test_the_editions_of_the_first_readers_are_those_that_these_get(ready: Newsletter) -> None:
    assert [(one.readers, one.address) for one in editions(ready, SLUG, 2)] == [(2, "policy0@example.org")]


def test_the_editions_of_a_mailing_are_all_of_them_whatever_the_bound(ready: Newsletter) -> None:
    everything = editions(ready, SLUG)
    plan(ready, SLUG)
    assert editions(ready, SLUG, 2) == everything


def test_who_is_paused_is_a_candidate_and_who_left_is_none(ready: Newsletter) -> None:
    with ready.session() as session:
        people = ready.people(session)
        people.pause(people.add("paused@example.org", Preferences(("policy",))))
        people.unsubscribe(people.add("gone@example.org", Preferences(("policy",))), "command")
    assert count_candidates(ready) == looked_at(ready, None) == 8


def test_a_page_has_a_bound_only_where_there_are_more_readers(
    ready: Newsletter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readership, "MOST_COUNTED", 7)
    assert page_bound(ready) is None
    monkeypatch.setattr(readership, "MOST_COUNTED", 6)
    assert page_bound(ready) == 6


def test_before_sending_all_who_get_something_are_counted_or_nobody(
    ready: Newsletter, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (expect(ready, SLUG).candidates, expect(ready, SLUG).readers) == (7, 5)
    monkeypatch.setattr(readership, "MOST_COUNTED", 6)
    assert (expect(ready, SLUG).candidates, expect(ready, SLUG).readers, expect(ready, SLUG).left_out) == (7, None, {})
