"""Moving a story: every story is there once, wherever it went, and the text says the same."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_content_export import issue as issues

from newsletter.content.document import read_issue
from newsletter.content.export import to_markdown
from newsletter.content.issue import Issue, Section, Story
from newsletter.content.moving import move_story


def unplaced(issue: Issue) -> list[Story]:
    """The stories without what their place gives them, in an order of their own."""
    return sorted((replace(story, topics=()) for story in issue.stories), key=repr)


@given(issues, st.data())
def test_every_story_is_there_once_and_the_text_reads_back(issue: Issue, data: st.DataObject) -> None:
    if not issue.stories:
        return
    story = data.draw(st.integers(0, len(issue.stories) - 1))
    section = data.draw(st.integers(0, len(issue.sections) - 1))
    place = data.draw(st.integers(0, 9))
    moved = move_story(issue, story, section, place)
    assert unplaced(moved) == unplaced(issue)
    assert replace(moved, sections=()) == replace(issue, sections=())
    bare = [replace(one, stories=()) for one in moved.sections]
    assert bare == [replace(one, stories=()) for one in issue.sections]
    assert replace(issue.stories[story], topics=()) in [
        replace(one, topics=()) for one in moved.sections[section].stories
    ]
    assert read_issue(to_markdown(moved).encode(), resolve=lambda _: None).issue == moved


ISSUE = Issue(
    "日报",
    None,
    (
        Section("甲", (Story("一", topics=("models",)), Story("二", topics=("models", "chips"))), ("甲",), "models"),
        Section("乙", (Story("三", topics=("policy",)),), ("乙",), "policy"),
        Section("丙", (), ("丙",)),
    ),
)


@pytest.mark.parametrize(
    ("move", "titles"),
    [
        ((0, 0, 1), [["二", "一"], ["三"], []]),
        ((0, 1, 0), [["二"], ["一", "三"], []]),
        ((0, 1, 1), [["二"], ["三", "一"], []]),
        ((1, 1, 99), [["一"], ["三", "二"], []]),
        ((2, 2, 0), [["一", "二"], [], ["三"]]),
        ((1, 0, 1), [["一", "二"], ["三"], []]),
    ],
)
def test_a_story_goes_where_it_was_sent(move: tuple[int, int, int], titles: list[list[str]]) -> None:
    moved = move_story(ISSUE, *move)
    assert [[story.title for story in section.stories] for section in moved.sections] == titles


def test_under_another_topic_it_belongs_to_that_one_first() -> None:
    assert move_story(ISSUE, 1, 1, 0).sections[1].stories[0].topics == ("policy", "chips")
    assert move_story(ISSUE, 1, 2, 0).sections[2].stories[0].topics == ("chips",)
    assert move_story(ISSUE, 1, 0, 0).sections[0].stories[0].topics == ("models", "chips")


@pytest.mark.parametrize("move", [(3, 0, 0), (-1, 0, 0), (0, 3, 0), (0, -1, 0)])
def test_what_is_not_there_is_not_moved(move: tuple[int, int, int]) -> None:
    with pytest.raises(IndexError):
        move_story(ISSUE, *move)
