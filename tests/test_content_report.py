"""Reading weekly reports: what is a heading, what is running text, and where everything lands."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.content.issue import Paragraph
from newsletter.content.report import looks_like_report, read_report
from subscribers.topics import Catalogue

SEED = Path(__file__).parents[2] / "shared" / "seeds" / "003_edba38192ed2e8b7.txt"
resolve = Catalogue().resolve

LONG = "星河实验室表示，这套调度系统已经在三座数据中心里连续运行了九十天，平均每天处理的请求数量"

REPORT = f"""示例智能产业周报（2026年1月5日—1月11日）

目 录

一、软件产业\t2
(一) 技术产品\t2
1. 云帆科技发布“远山 2”推理引擎\t2
2. 星河实验室开源调度系统......\t3
(二) 开源生态......\t4
1.社区公布 2026 年路线图......\t4
二、国际事件\t5
1. 海湾三国签署算力互认协议\t5

一、软件产业

（一）技术产品

1. 云帆科技发布 “远山2” 推理引擎

标签：推理 引擎

云帆科技周一发布了新的推理引擎。

2. 星河实验室开源调度系统

标签：调度、开源，数据中心

{LONG}

超过四千万次。

2.5%；其余请求由备用节点承担，这一比例低于去年同期。

(二) 开源生态

1.社区公布 2026 年路线图

标签：社区

路线图包括三个部分。

二、国际事件

1. 海湾三国签署算力互认协议

标签：算力

协议自三月起生效。
"""


def read(text):
    return read_report(text.split("\n") if isinstance(text, str) else text, resolve)


def titles(reading):
    return [story.title for story in reading.issue.stories]


def codes(reading):
    return [(finding.line, finding.code) for finding in reading.diagnostics]


def paragraphs(story):
    return [block.text for block in story.body]


def test_titles_are_those_of_the_text_without_their_numbers():
    assert titles(read(REPORT)) == [
        "云帆科技发布 “远山2” 推理引擎",
        "星河实验室开源调度系统",
        "社区公布 2026 年路线图",
        "海湾三国签署算力互认协议",
    ]


def test_a_section_holds_its_headings_from_the_outermost_and_is_called_by_the_last():
    sections = read(REPORT).issue.sections
    assert [section.path for section in sections] == [("软件产业", "技术产品"), ("软件产业", "开源生态"), ("国际事件",)]
    assert [section.title for section in sections] == ["技术产品", "开源生态", "国际事件"]


def test_the_innermost_heading_decides_the_topic_of_a_section_and_its_stories():
    reading = read(REPORT)
    assert [section.topic for section in reading.issue.sections] == ["models", "models", "policy"]
    assert reading.issue.stories[-1].topics == ("policy",)


def test_the_outermost_heading_decides_the_topic_when_the_innermost_means_none():
    reading = read("一、国际事件\n\n（一）海外速递\n\n1. 北岸国会通过算法透明法\n\n标签：法案\n\n法案将于七月生效。")
    assert [section.topic for section in reading.issue.sections] == ["policy"]


def test_tags_are_split_at_blanks_and_commas():
    assert [story.tags for story in read(REPORT).issue.stories][:2] == [("推理", "引擎"), ("调度", "开源", "数据中心")]


def test_a_sentence_broken_by_a_page_end_is_joined_without_a_blank_between_chinese_characters():
    assert paragraphs(read(REPORT).issue.stories[1])[0] == LONG + "超过四千万次。"


def test_words_broken_apart_by_a_page_end_are_joined_with_a_blank():
    left = "The scheduler has been running in three data centres for ninety days and handles more"
    story = read(
        f"1. 星河实验室开源调度系统\n标签：开源\n\n{left}\n\nthan forty million requests a day."
    ).issue.stories[0]
    assert paragraphs(story) == [f"{left} than forty million requests a day."]


def test_a_short_line_without_a_full_stop_stays_a_paragraph_of_its_own():
    story = read("1. 三个趋势\n标签：趋势\n\n第一，成本下降\n\n推理的单价一年里降了一半。").issue.stories[0]
    assert paragraphs(story) == ["第一，成本下降", "推理的单价一年里降了一半。"]


def test_a_paragraph_that_begins_like_a_numbered_title_is_no_title():
    assert paragraphs(read(REPORT).issue.stories[1])[1].startswith("2.5%；其余请求")


def test_the_title_and_the_last_day_of_the_span_stand_before_the_contents():
    issue = read(REPORT).issue
    assert (issue.title, issue.date, issue.format) == ("示例智能产业周报", date(2026, 1, 11), "report")


def test_a_span_that_ends_in_the_next_year_does_so():
    assert read(REPORT.replace("2026年1月5日—1月11日", "2025年12月29日—1月4日")).issue.date == date(2026, 1, 4)


def test_a_day_that_does_not_exist_is_an_error_in_its_line():
    assert (1, "date-impossible") in codes(read(REPORT.replace("2026年1月5日—1月11日", "2026年2月31日")))


def test_lines_of_sections_and_stories_count_from_one_in_the_text():
    lines = REPORT.split("\n")
    reading = read(REPORT)
    assert [lines[line - 1] for line in reading.section_lines] == ["（一）技术产品", "(二) 开源生态", "二、国际事件"]
    assert [lines[line - 1].endswith(title) for line, title in zip(reading.story_lines, titles(reading), strict=True)]


def test_a_whole_report_leaves_nothing_to_say():
    assert codes(read(REPORT)) == []


def test_a_report_without_contents_is_read_by_its_tag_lines():
    body = REPORT[REPORT.index("一、软件产业\n\n") :]
    assert titles(read(body)) == titles(read(REPORT))
    assert [section.path for section in read(body).issue.sections] == [s.path for s in read(REPORT).issue.sections]


def test_a_report_without_contents_and_tags_is_read_by_its_numbers():
    body = "\n".join(line for line in REPORT[REPORT.index("一、软件产业\n\n") :].split("\n") if "标签" not in line)
    assert looks_like_report(body.split("\n"))
    assert titles(read(body)) == titles(read(REPORT))


def test_contents_without_page_numbers_end_where_the_first_heading_comes_again():
    bare = "\n".join(line.split("\t")[0].rstrip(".") for line in REPORT.split("\n"))
    assert titles(read(bare)) == titles(read(REPORT))
    assert codes(read(bare)) == []


def test_a_numbered_list_in_a_story_makes_no_stories():
    body = "一、软件产业\n\n1. 三点建议\n\n标签：建议\n\n建议如下。\n\n1. 统一接口\n2. 公开数据\n3. 定期复核\n\n以上。"
    assert titles(read(body)) == ["三点建议"]
    assert len(paragraphs(read(body).issue.stories[0])) == 5


def test_a_title_that_the_text_never_has_is_reported_in_the_line_of_the_contents():
    without = REPORT.replace("1. 海湾三国签署算力互认协议\n\n标签：算力\n\n协议自三月起生效。\n", "")
    assert codes(read(without)) == [(12, "missing-story")]


def test_a_lost_section_heading_does_not_move_its_stories():
    without = REPORT.replace("(二) 开源生态\n\n", "")
    assert [section.path for section in read(without).issue.sections] == [
        ("软件产业", "技术产品"),
        ("软件产业", "开源生态"),
        ("国际事件",),
    ]


def test_a_title_that_differs_a_little_from_the_contents_is_still_the_title():
    changed = REPORT.replace("2. 星河实验室开源调度系统\n", "2. 星河实验室开源其调度系统\n").replace(
        "标签：调度、开源，数据中心", ""
    )
    assert "星河实验室开源其调度系统" in titles(read(changed))
    assert codes(read(changed)) == []


def test_a_title_on_two_lines_is_put_together():
    wrapped = REPORT.replace("2. 星河实验室开源调度系统\n", "2. 星河实验室\n开源调度系统\n")
    assert codes(read(wrapped)) == []
    assert "星河实验室 开源调度系统" in titles(read(wrapped))


def test_an_entry_of_the_contents_on_two_lines_is_put_together():
    assert codes(read(REPORT.replace("2. 星河实验室开源调度系统......", "2. 星河实验室\n开源调度系统......"))) == []


def test_text_before_the_first_title_is_reported_and_not_lost():
    extra = REPORT.replace("一、软件产业\n\n", "一、软件产业\n\n本周要闻共四条。\n\n", 1)
    [finding] = read(extra).diagnostics
    assert finding.code == "unplaced"
    assert "本周要闻共四条" in finding.message


def test_a_page_number_between_two_halves_of_a_sentence_is_taken_out_and_reported():
    reading = read(REPORT.replace(LONG, f"{LONG}\n\n- 3 -"))
    assert paragraphs(reading.issue.stories[1])[0] == LONG + "超过四千万次。"
    assert [finding.code for finding in reading.diagnostics] == ["unplaced"]


def test_a_chapter_without_stories_is_kept_as_an_empty_section():
    sections = read(
        REPORT + "\n三、国家视点\n\n四、企业大事记\n\n1. 远航公司迁址\n\n标签：迁址\n\n公司迁往南岸。"
    ).issue.sections
    assert [(section.title, len(section.stories)) for section in sections][-2:] == [("国家视点", 0), ("企业大事记", 1)]


def test_characters_of_markdown_in_a_report_stay_visible():
    story = read(
        "1. 型号 X*2* 上市\n标签：芯片\n\n价格为 3 * 4 * 5 元，见 [附表](https://example.org)。"
    ).issue.stories[0]
    assert story.title == r"型号 X\*2\* 上市"
    assert story.body == (Paragraph(r"价格为 3 \* 4 \* 5 元，见 [附表\](https://example.org)。"),)


@pytest.mark.parametrize(
    "text", ["", "# 日报 (2026-02-04)\n\n**政策与监管**\n\n- **标题**", "只有一段话。", "1. 买菜\n2. 做饭"]
)
def test_other_texts_do_not_look_like_a_report(text):
    assert not looks_like_report(text.split("\n"))


WORDS = st.text(alphabet="一二、(（)）1.2 \t标签：。，…\u3000目录%3", max_size=12)


@given(st.lists(st.tuples(WORDS, WORDS), max_size=30))
def test_no_text_is_ever_lost(around):
    marks = [f"m{place}m" for place in range(len(around))]
    reading = read([before + mark + after for (before, after), mark in zip(around, marks, strict=True)])
    messages = [finding.message for finding in reading.diagnostics]
    paths = [heading for section in reading.issue.sections for heading in section.path]
    stories = [text for story in reading.issue.stories for text in (story.title, *story.tags, *paragraphs(story))]
    shown = "\n".join([reading.issue.title, *messages, *paths, *stories])
    assert [mark for mark in marks if mark not in shown] == []


@pytest.mark.skipif(not SEED.exists(), reason="the sample documents lie beside the project, not in it")
def test_the_sample_report_has_every_title_of_its_contents():
    reading = read(SEED.read_text("utf-8"))
    assert len(reading.issue.stories) == 39
    assert len(reading.issue.sections) == 10
    assert reading.diagnostics == ()
    assert all(section.topic for section in reading.issue.sections)
    assert all(story.tags and story.body for story in reading.issue.stories)
