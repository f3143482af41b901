"""Daily digests: the three ways they are published, and what editors type by hand."""

import re

import pytest
from digest_lines import DAILY_LINES, numbered
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.content.daily import looks_like_daily, read_daily
from newsletter.content.issue import Code, Paragraph, Source, Story
from newsletter.content.lines import split_lines
from newsletter.content.reading import Reading
from subscribers.topics import Catalogue

resolve = Catalogue().resolve
STORY = Story(
    "北辰实验室发布“星河”模型",
    "北辰实验室发布了新模型。",
    "此举意在降低推理成本。",
    ("参数规模为 35 亿。", "权重已经公开。"),
    Source("北辰实验室", "https://lab.example.org/a"),
    ("models",),
)
INDENTED = """\
<span style="color:#1677ff;">AI 行业早报 (2026-02-04)</span>

**模型与技术进展**

-   **北辰实验室发布“星河”模型**
    说明：北辰实验室发布了新模型。
    背景：此举意在降低推理成本。
    要点：
    -   参数规模为 35 亿。
    -   权重已经公开。
    来源出处：[北辰实验室](https://lab.example.org/a)
"""
BOLD_LABELS = """\
# AI 行业早报 (2026-02-04)

<span style="color:#1677ff;">AI 行业早报</span>

**模型与技术进展**

- **北辰实验室发布“星河”模型**
  **说明**：北辰实验室发布了新模型。
  **背景**：此举意在降低推理成本。
  **要点**：
    - 参数规模为 35 亿。
    - 权重已经公开。
  **来源出处**：[北辰实验室](https://lab.example.org/a)
"""
BOLD_LINES = """\
# AI 行业早报 (2026-02-04)

**模型与技术进展**

**北辰实验室发布“星河”模型**
说明：北辰实验室发布了新模型。
背景：此举意在降低推理成本。
要点：
- 参数规模为 35 亿。
- 权重已经公开。
来源出处：[北辰实验室](https://lab.example.org/a)
"""
HEADINGS = """\
＃ AI 行业早报 2026年2月4日

##模型与技术进展

### 北辰实验室发布“星河”模型

**来源出处：** 北辰实验室 https://lab.example.org/a
**背景:** 此举意在降低推理成本。
**要点:**
1、参数规模为 35 亿。
2、权重已经公开。

**说明:** 北辰实验室发布了新模型。
"""
NUMBERED = """\
# AI 行业早报 (2026/02/04)

## 模型与技术进展

1. 北辰实验室发布“星河”模型
   说明：北辰实验室发布了新模型。
   背景：此举意在降低推理成本。
   要点：
   - 参数规模为 35 亿。
   - 权重已经公开。
   来源出处：<https://lab.example.org/a> 北辰实验室
"""
ENGLISH = """\
# AI 行业早报, February 4, 2026

**Models**

- **北辰实验室发布“星河”模型**
\tSummary: 北辰实验室发布了新模型。
\tBackground: 此举意在降低推理成本。
\tKey points:
\t\t- 参数规模为 35 亿。
\t\t- 权重已经公开。
\tSource: [北辰实验室](https://lab.example.org/a)
"""
LABELS_AS_ITEMS = """\
# AI 行业早报 (2026.2.4)

**一、模型与技术进展**

**北辰实验室发布“星河”模型**

- 说明：北辰实验室发布了新模型。
- 背景：此举意在降低推理成本。
- 要点：
  - 参数规模为 35 亿。
  - 权重已经公开。
- 来源：[北辰实验室](https://lab.example.org/a)
"""
FORMS = [INDENTED, BOLD_LABELS, BOLD_LINES, HEADINGS, NUMBERED, ENGLISH, LABELS_AS_ITEMS]


def read(text: str) -> Reading:
    return read_daily(split_lines(text), resolve)


def stories(text: str) -> tuple[Story, ...]:
    issue = read(text).issue
    assert issue
    return issue.stories


@pytest.mark.parametrize("text", FORMS)
def test_each_form_gives_the_same_story(text: str) -> None:
    assert stories(text) == (STORY,)


@pytest.mark.parametrize("text", FORMS)
def test_each_form_gives_title_and_date_and_no_diagnostic(text: str) -> None:
    reading = read(text)
    assert reading.issue
    assert (reading.issue.title, str(reading.issue.date)) == ("AI 行业早报", "2026-02-04")
    assert reading.diagnostics == ()


@pytest.mark.parametrize("text", FORMS)
def test_each_form_is_recognised(text: str) -> None:
    assert looks_like_daily(split_lines(text), resolve)


@pytest.mark.parametrize("text", FORMS)
@pytest.mark.parametrize(
    "change",
    [lambda t: t.replace("\n", "\r\n"), lambda t: t.replace("\n", "\n\n"), lambda t: t.replace("    ", "　　")],
)
def test_line_ends_blank_lines_and_full_width_spaces_do_not_matter(text: str, change: object) -> None:
    assert callable(change)
    assert stories(str(change(text))) == (STORY,)


def test_lines_are_counted_as_in_the_file() -> None:
    reading = read(BOLD_LABELS.replace("\n", "\r\n"))
    assert (reading.section_lines, reading.story_lines) == ((5,), (7,))


@pytest.mark.parametrize("text", [INDENTED, BOLD_LABELS, BOLD_LINES, HEADINGS, NUMBERED])
def test_two_stories_in_a_row_are_two(text: str) -> None:
    head, mark, story = text.partition("北辰实验室发布“星河”模型")
    last_line = head.split("\n")[-1]
    assert [s.title for s in stories(head + mark + story + "\n" + last_line + "另一条" + story)] == [
        STORY.title,
        "另一条" + story.split("\n")[0].strip("*"),
    ]


def test_points_may_stand_at_the_indentation_of_the_story() -> None:
    text = "**政策**\n\n- **甲**\n说明：一\n要点：\n- 点一\n- 点二\n\n- **乙**\n说明：二\n"
    assert [(s.title, s.points) for s in stories(text)] == [("甲", ("点一", "点二")), ("乙", ())]


def test_missing_parts_stay_empty() -> None:
    assert stories("**政策**\n\n- **甲**\n  说明：一\n") == (Story("甲", "一", topics=("policy",)),)


def test_text_under_no_label_is_the_body() -> None:
    text = "## 政策\n### 甲\n说明：一\n\n补充一段。\n\n```\n说明：代码\n```\n来源：[某报](https://a.example/)\n\n再补一段。\n"
    (story,) = stories(text)
    assert story.body == (Paragraph("补充一段。"), Code("说明：代码"), Paragraph("再补一段。"))
    assert story.summary == "一"


def test_a_summary_goes_on_over_a_line_break() -> None:
    assert stories("**政策**\n**甲**\n说明：前半句，\n后半句。\n")[0].summary == "前半句，后半句。"


def test_tags_and_more_topics_are_read() -> None:
    (story,) = stories("**政策**\n**甲**\n说明：一\n标签：#芯片 大模型，算力、大模型\n主题：融资\n")
    assert (story.tags, story.topics) == (("芯片", "大模型", "算力"), ("policy", "funding"))


@pytest.mark.parametrize(
    ("written", "source"),
    [
        ("[某报](https://a.example/x)", Source("某报", "https://a.example/x")),
        ("https://www.a.example/x", Source("a.example", "https://www.a.example/x")),
        ("某报 https://a.example/x。", Source("某报", "https://a.example/x")),
        ("某报", Source("某报", "")),
        ("某报 [原文](https://a.example/x)", Source("某报", "https://a.example/x")),
    ],
)
def test_a_source_is_a_link_an_address_or_a_name(written: str, source: Source) -> None:
    assert stories(f"**政策**\n**甲**\n来源出处：{written}\n")[0].source == source


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://a.example/x"])
def test_a_source_that_is_not_http_keeps_its_name_and_is_an_error(url: str) -> None:
    reading = read(f"**政策**\n**甲**\n说明：一\n来源出处：[某报]({url})\n")
    assert reading.issue
    assert reading.issue.stories[0].source == Source("某报", "")
    assert [(found.code, found.line) for found in reading.errors] == [("link-scheme", 4)]


def test_a_title_that_is_a_link_gives_the_source() -> None:
    (story,) = stories("## 政策\n### [甲](https://a.example/x)\n说明：一\n")
    assert (story.title, story.source) == ("甲", Source("a.example", "https://a.example/x"))


def test_text_outside_every_story_is_reported_with_its_line() -> None:
    reading = read("# 早报 (2026-02-04)\n\n编者按。\n\n**政策**\n\n- **甲**\n  说明：一\n")
    assert [(found.code, found.line) for found in reading.diagnostics] == [("unplaced", 3)]
    assert "编者按。" in reading.diagnostics[0].message


def test_a_topic_nobody_knows_is_still_a_section() -> None:
    issue = read("**海外速递**\n\n- **甲**\n  说明：一\n").issue
    assert issue
    assert [(section.title, section.topic, len(section.stories)) for section in issue.sections] == [("海外速递", "", 1)]


@pytest.mark.parametrize("written", ["2026-02-31", "20260-02-04", "2026年13月1日"])
def test_an_impossible_date_is_an_error(written: str) -> None:
    reading = read(f"\n# 早报 ({written})\n\n**政策**\n**甲**\n说明：一\n")
    assert [(found.code, found.line) for found in reading.errors] == [("date-impossible", 2)]
    assert reading.issue
    assert (reading.issue.title, reading.issue.date) == ("早报", None)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(DAILY_LINES), max_size=14))
def test_no_word_is_lost(lines: list[str]) -> None:
    text, words = numbered(lines)
    reading = read(text)
    kept = repr(reading.issue) + "".join(found.message for found in reading.diagnostics)
    assert words <= set(re.findall(r"w\d+z", kept))


def test_an_item_that_begins_with_its_link_parts_title_and_body() -> None:
    (story,) = stories("## Models\n\n- [Orchid](https://a.example/x) - small and fast\n  Background: nobody knows\n")
    assert (story.title, story.background) == ("Orchid", "nobody knows")
    assert (story.source, story.body) == (Source("a.example", "https://a.example/x"), (Paragraph("small and fast"),))


def test_plain_lines_between_blank_lines_may_be_title_and_topics() -> None:
    reading = read("AI 早报 2026-02-04\n\n政策与监管\n\n1. 甲\n说明：一\n\n融资\n\n2. 乙\n说明：二\n")
    assert reading.issue
    assert (reading.issue.title, [section.topic for section in reading.issue.sections]) == (
        "AI 早报",
        ["policy", "funding"],
    )
    assert reading.diagnostics == ()
