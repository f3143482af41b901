"""The distinct editions of an issue: which there are, for how many, and whose mail each of them is."""

import pytest
from sending import ISSUE, SLUG, plan, take_in_issue

from newsletter.app import Newsletter
from newsletter.editorial.preview import coverage, editions, preview_for
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
