"""Mends for a story that an earlier issue had: either mark, or the story out, in every way an issue may be written."""

from datetime import date

import pytest

from newsletter.content.diagnostics import Diagnostic
from newsletter.content.export import to_markdown
from newsletter.content.issue import Mark, Story
from newsletter.content.judge import EarlierStory, judge
from newsletter.content.likeness import traits_of
from newsletter.content.mends import Mend, mended, mends
from newsletter.content.reading import Reading
from newsletter.editorial.intake import check
from subscribers.topics import Catalogue

TODAY = date(2026, 3, 9)
CATALOGUE = Catalogue()
HEAD = "# AI 行业动态 (2026-03-09)\n\n**模型与技术进展**\n\n"
TITLE, OTHER_TITLE = "群岛实验室公开潮汐预报模型", "山谷团队开源语音模型"
SOURCE = "来源出处：[群岛实验室](https://lab.example.org/tides)"
STORY = f"- **{TITLE}**\n  说明：实验室公布了观测数据。\n  要点：\n  - 第一点\n  - 第二点\n  {SOURCE}\n"
OTHER = f"- **{OTHER_TITLE}**\n  说明：可以离线识别。\n  来源出处：[项目主页](https://project.example.org/a)\n"
DAILY = HEAD + STORY + "\n" + OTHER
REPORT = (
    f"智能产业周报（2026年3月2日—3月8日）\n\n一、模型与技术进展\n\n1. {TITLE}\n\n标签：潮汐\n\n"
    f"实验室公布了训练所用的观测数据。\n\n2. {OTHER_TITLE}\n\n标签：语音\n\n可以离线识别。\n"
)
GENERAL = (
    f"# 周报 2026-03-09\n\n## 模型与技术进展\n\n### {TITLE}\n\n实验室公布了数据。[出处](https://example.org/b)\n\n"
    f"### {OTHER_TITLE}\n\n可以离线识别。[出处](https://example.org/c)\n"
)
TEXTS = {
    "daily": DAILY,
    "the last of a daily": HEAD + OTHER + "\n" + STORY,
    "without a source": DAILY.replace(f"  {SOURCE}\n", ""),
    "with tags": DAILY.replace(f"  {SOURCE}\n", f"  {SOURCE}\n  标签：潮汐\n"),
    "in English": DAILY.replace("说明：", "Summary: ").replace("要点：", "Points:").replace("来源出处：", "Source: "),
    "labels in a list": HEAD + f"**{TITLE}**\n- 说明：文字\n- 来源出处：[甲](https://a.example.org/1)\n\n" + OTHER,
    "important": DAILY.replace(f"  {SOURCE}", f"  标记：重要\n  {SOURCE}"),
    "report": REPORT,
    "general": GENERAL,
}  # fmt: skip
WHOLE_BY_LOOK = ("daily", "the last of a daily", "without a source", "with tags", "in English", "important", "general")


def canonical() -> str:
    issue = check(DAILY.encode(), TODAY, CATALOGUE).issue
    assert issue is not None
    return to_markdown(issue)


TEXTS["canonical"] = canonical()


def read(text: str) -> Reading:
    return check(text.encode(), TODAY, CATALOGUE)


def repeats(text: str) -> list[Diagnostic]:
    """The findings of a newsletter that had the story with `TITLE` the day before."""
    had = Story(TITLE)
    known = [*(topic.slug for topic in CATALOGUE.topics)]
    earlier = [EarlierStory(had.title, "2026-03-08", traits_of(had))]
    said = judge(read(text), today=TODAY, topics_known=known, earlier=earlier)
    return [one for one in said if one.code == "story-earlier"]


def offers(text: str) -> tuple[Mend, ...]:
    (finding,) = repeats(text)
    return mends(text, finding, CATALOGUE, TODAY)


def stories(text: str) -> dict[str, Story]:
    issue = read(text).issue
    return {story.title: story for story in issue.stories} if issue else {}


def others(text: str) -> list[str]:
    """The codes of all else that is said of a text."""
    return [one.code for one in read(text).diagnostics]


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize(("place", "mark"), [(0, Mark.FOLLOW_UP), (1, Mark.NEW)])
def test_a_mark_is_read_again_and_takes_the_finding_away(name: str, place: int, mark: Mark) -> None:
    text = TEXTS[name]
    after = mended(text, offers(text)[place])
    assert after is not None
    assert mark in stories(after)[TITLE].marks
    assert repeats(after) == []


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("place", [0, 1])
def test_a_mark_changes_nothing_else(name: str, place: int) -> None:
    text = TEXTS[name]
    after = mended(text, offers(text)[place]) or ""
    told = {title: (one.summary, one.points, one.body, one.source, one.tags) for title, one in stories(text).items()}
    assert {t: (one.summary, one.points, one.body, one.source, one.tags) for t, one in stories(after).items()} == told
    assert others(after) == others(text)


@pytest.mark.parametrize("name", WHOLE_BY_LOOK)
def test_the_story_taken_out_leaves_the_others_as_they_were(name: str) -> None:
    text = TEXTS[name]
    after = mended(text, offers(text)[2]) or ""
    assert stories(after) == {OTHER_TITLE: stories(text)[OTHER_TITLE]}


@pytest.mark.parametrize("name", sorted(set(TEXTS) - set(WHOLE_BY_LOOK) - {"canonical"}))
def test_a_story_whose_end_is_not_certain_is_not_offered_to_be_taken_out(name: str) -> None:
    assert [mend.label for mend in offers(TEXTS[name]) if mend.new is None] == []


def test_what_is_important_stays_important() -> None:
    after = mended(TEXTS["important"], offers(TEXTS["important"])[0]) or ""
    assert stories(after)[TITLE].marks == (Mark.IMPORTANT, Mark.FOLLOW_UP)


def test_a_text_in_english_gets_an_english_mark() -> None:
    assert [mend.shown for mend in offers(TEXTS["in English"])[:2]] == ["Mark: follow-up", "Mark: new"]


@pytest.mark.parametrize("mark", ["后续", "新", "重要、后续"])
def test_a_marked_story_is_no_repeat(mark: str) -> None:
    assert repeats(DAILY.replace(f"  {SOURCE}", f"  标记：{mark}\n  {SOURCE}")) == []


def test_an_important_story_may_be_a_repeat() -> None:
    assert len(repeats(TEXTS["important"])) == 1
