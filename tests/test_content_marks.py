"""An editor's marks (标记：重要、后续): read in every dialect, judged, and never taken for what somebody said."""

from pathlib import Path

import pytest

from newsletter.content.document import read_issue
from newsletter.content.fields import LABELS
from newsletter.content.issue import Mark, Story
from newsletter.content.reading import Reading
from newsletter.content.story_marks import WORDS
from subscribers.topics import Catalogue

REFERENCE = (Path(__file__).parents[1] / "docs" / "reference" / "issue-format.md").read_text("utf-8")
DAILY = "# 早报 (2026-02-04)\n\n**政策与监管**\n\n- **甲**\n  说明：一\n"
GENERAL = "# AI Weekly, February 4, 2026\n\n## Policy\n\n### A city\n\nCompanies can apply.\n"
REPORT = "一、软件产业\n\n1. 星河模型开放权重\n标签：模型\n北辰实验室开放了权重。\n"
ARTICLE = "要点 - 公开了数据 [1][3] 范围 - 十二个港口 [2] - 三家机构 [2][4]\n潮汐预报\n示例日报·2026-03-08 20:28\n"
CANONICAL = '---\ncanonical: "daily"\ndate: "2026-02-04"\n---\n# 早报\n\n## 节\n主题：models\n\n### 甲\n说明：一\n'
DIALECTS = {"daily": DAILY, "general": GENERAL, "report": REPORT, "article": ARTICLE, "canonical": CANONICAL}


def read(text: str) -> Reading:
    return read_issue(text.encode(), resolve=Catalogue().resolve)


def stories(text: str) -> tuple[Story, ...]:
    issue = read(text).issue
    assert issue
    return issue.stories


def marks(text: str) -> list[tuple[Mark, ...]]:
    return [story.marks for story in stories(text)]


def said(text: str) -> list[tuple[int, str]]:
    return [(one.line, one.code) for one in read(text).diagnostics if one.code in ("mark-unknown", "mark-contrary")]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_has_marks(dialect: str) -> None:
    assert marks(DIALECTS[dialect]) == [()]
    assert marks(DIALECTS[dialect] + "标记：后续、重要\n") == [(Mark.IMPORTANT, Mark.FOLLOW_UP)]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_line_of_marks_is_no_text_of_its_story(dialect: str) -> None:
    (without,), (marked,) = stories(DIALECTS[dialect]), stories(DIALECTS[dialect] + "Mark: important\n")
    assert (marked.title, marked.summary, marked.body) == (without.title, without.summary, without.body)
    assert read(DIALECTS[dialect] + "Mark: important\n").diagnostics == read(DIALECTS[dialect]).diagnostics


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_word_that_is_no_mark_is_told_with_its_line(dialect: str) -> None:
    text = DIALECTS[dialect] + "标记：重耍、后续\n"
    (found,) = [one for one in read(text).diagnostics if one.code == "mark-unknown"]
    assert (found.line, found.severity, found.facts["what"]) == (text.count("\n"), "warning", "重耍")
    assert all(word in found.message for words in WORDS.values() for word in words)
    assert marks(text) == [(Mark.FOLLOW_UP,)]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_story_both_new_and_a_follow_up_counts_as_a_follow_up(dialect: str) -> None:
    text = DIALECTS[dialect] + "标记：新、后续\n"
    assert marks(text) == [(Mark.FOLLOW_UP,)]
    assert said(text) == [(text.count("\n"), "mark-contrary")]


@pytest.mark.parametrize(
    "line",
    [
        "标记：重要、后续",
        "标记: 重要 后续",
        "**标记**：后续，重要",
        "- 标记：#重要；#后续",
        "Mark: important, follow-up",
        "Marks: Important, Follow-Up",
        "MARK：IMPORTANT、ＦＯＬＬＯＷ－ＵＰ",
        "Mark: follow up, important.",
        "标记：重要\n  标记：后续",
    ],
)
def test_marks_are_parted_as_tags_are_and_known_in_any_writing(line: str) -> None:
    assert marks(f"{DAILY}  {line}\n") == [(Mark.IMPORTANT, Mark.FOLLOW_UP)]


@pytest.mark.parametrize("base", [DAILY, GENERAL])
def test_what_somebody_called_mark_says_stays_text(base: str) -> None:
    sentence = "Mark: this is important, and it is new to all of us."
    (story,) = stories(f"{base}\n{sentence}\n")
    assert story.marks == ()
    assert sentence in repr(story.body)
    assert said(f"{base}\n{sentence}\n") == []


def test_a_label_without_marks_says_nothing_and_takes_no_text() -> None:
    (story,) = stories(f"{DAILY}  标记：\n  这一句是正文，不是标记。\n")
    assert story.marks == ()
    assert "这一句是正文" in repr(story.body)


def test_a_mark_in_code_is_code() -> None:
    (story,) = stories(f"{GENERAL}\n```\nMark: new\n```\n")
    assert story.marks == ()
    assert "Mark: new" in repr(story.body)


def test_marks_belong_to_the_story_they_stand_in() -> None:
    text = (
        "# Weekly, February 4, 2026\n\n## Models\n\n1. [One](https://a.example.org/1) - small\n   Mark: new\n"
        "2. [Two](https://a.example.org/2)\n3. Three is cheap ([Wire](https://b.example.org/3))\n   Mark: follow-up\n"
    )
    assert marks(text) == [(Mark.NEW,), (), (Mark.FOLLOW_UP,)]
    assert [story.source and story.source.url[-1] for story in stories(text)] == ["1", "2", "3"]
    assert marks(REPORT + "标记：新\n2. 云杉科技推出助手\n标签：产品\n推出了代码助手。\n标记：重要\n") == [
        (Mark.NEW,),
        (Mark.IMPORTANT,),
    ]


@pytest.mark.parametrize("base", [DAILY, GENERAL, CANONICAL, REPORT])
def test_a_mark_that_stands_in_no_story_is_told(base: str) -> None:
    heading = {DAILY: "**政策与监管**\n", GENERAL: "## Policy\n", CANONICAL: "## 节\n", REPORT: "一、软件产业\n"}[base]
    found = [
        one for one in read(base.replace(heading, f"{heading}标记：重要\n", 1)).diagnostics if one.code == "unplaced"
    ]
    assert len(found) == 1
    assert "重要" in found[0].message


def test_every_label_and_every_mark_is_documented() -> None:
    rows = [line for line in REFERENCE.splitlines() if line.startswith("| ")]
    labels = {word for words in LABELS.values() for word in words}
    assert [word for word in labels if not any(word in row for row in rows) and f"`{word}`" not in REFERENCE] == []
    assert [word for words in WORDS.values() for word in words if not any(word in row for row in rows)] == []
