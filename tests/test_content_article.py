"""Reading articles: where points end and headings begin, and what the closing lines say."""

from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.content.article import looks_like_article, read_article
from newsletter.content.issue import Paragraph, Points
from subscribers.topics import Catalogue

SEED = Path(__file__).parents[2] / "shared" / "seeds" / "004_ecd3baafe90c2da5.txt"
resolve = Catalogue().resolve

ONE_LINE = (
    "要点速览 - 北岸市发布算力券实施细则,首批额度三亿元 [1][3] 申领条件:面向中小企业 - 注册满一年的企业可以申领 [2] "
    "- 3-5家服务商入选首批名录,覆盖云-边-端三类 [2][4] 监督 - 每季度公布使用情况 [5]"
)
ARTICLE = f"{ONE_LINE}\n北岸算力券开始发放\n示例财经报·2026-01-07 20:28"


def read(text):
    return read_article(text.split("\n"), resolve)


def story(text):
    [only] = read(text).issue.stories
    return only


def headings(text):
    return [block.heading for block in story(text).body if isinstance(block, Points)]


def test_headings_stand_between_the_last_reference_of_a_point_and_the_next_separator():
    assert headings(ARTICLE) == ["要点速览", "申领条件:面向中小企业", "监督"]


def test_points_keep_their_references_as_visible_text():
    assert story(ARTICLE).body[1] == Points(
        "申领条件:面向中小企业", ("注册满一年的企业可以申领 [2]", "3-5家服务商入选首批名录,覆盖云-边-端三类 [2][4]")
    )


def test_the_closing_lines_give_title_source_and_time():
    found = story(ARTICLE)
    assert found.title == "北岸算力券开始发放"
    assert (found.source.name, found.source.url) == ("示例财经报", "")
    assert found.published == datetime(2026, 1, 7, 20, 28)


def test_the_issue_and_its_one_section_are_named_after_the_article_and_dated_by_it():
    issue = read(ARTICLE).issue
    assert (issue.title, issue.date, issue.format) == ("北岸算力券开始发放", date(2026, 1, 7), "article")
    assert [(section.title, section.path, section.topic) for section in issue.sections] == [
        ("北岸算力券开始发放", (), "")
    ]


@pytest.mark.parametrize(
    "byline",
    [
        "示例财经报 2026-01-07 20:28",
        "示例财经报：2026-01-07 20：28",
        "来源：示例财经报 2026年1月7日 20:28:00",
        "示例财经报 | 2026/01/07 20:28",
        "示例财经报·2026-01-07T20:28",
    ],
)
def test_the_line_of_source_and_time_may_be_written_in_other_ways(byline):
    found = story(f"{ONE_LINE}\n北岸算力券开始发放\n{byline}")
    assert (found.source.name, found.published) == ("示例财经报", datetime(2026, 1, 7, 20, 28))


def test_a_source_whose_name_has_digits_keeps_them():
    assert story(f"{ONE_LINE}\n北岸算力券开始发放\n88氪·2026-01-07 20:28").source.name == "88氪"


def test_title_and_source_may_stand_above_the_text():
    assert headings(f"北岸算力券开始发放\n示例财经报·2026-01-07 20:28\n\n{ONE_LINE}") == headings(ARTICLE)


def test_points_may_stand_on_lines_of_their_own():
    split = (
        "要点速览\n- 北岸市发布算力券实施细则 [1][3]\n\n申领条件\n- 注册满一年的企业可以申领 [2]\n"
        "- 三家服务商入选 [4]\n\n北岸算力券开始发放\n示例财经报·2026-01-07 20:28"
    )
    assert looks_like_article(split.split("\n"))
    assert headings(split) == ["要点速览", "申领条件"]


def test_a_sentence_that_goes_on_after_a_reference_is_no_heading():
    text = ARTICLE.replace("[1][3] 申领", "[1] 额度以后每年增加一次。 [3] 申领")
    assert headings(text) == headings(ARTICLE)
    assert headings(ARTICLE.replace("[1][3]", "[1] 此后每年增加一次。")) == headings(ARTICLE)


def test_points_without_references_end_at_a_full_stop():
    text = "要点速览 - 额度三亿元。 - 每年增加。 申领条件 - 注册满一年。\n北岸算力券开始发放\n示例财经报·2026-01-07"
    assert headings(text) == ["要点速览", "申领条件"]


def test_text_before_the_first_heading_is_a_paragraph():
    blocks = story(f"本文由编辑部整理,数据截至去年年底。 {ARTICLE}").body
    assert blocks[0] == Paragraph("本文由编辑部整理,数据截至去年年底。")


def test_an_article_without_source_line_is_read_and_says_so():
    reading = read(ONE_LINE)
    assert looks_like_article([ONE_LINE])
    assert [finding.code for finding in reading.diagnostics] == ["byline-missing"]
    assert reading.issue.stories[0].title == "要点速览"
    assert (reading.issue.title, reading.issue.date) == ("", None)


def test_a_day_that_does_not_exist_is_an_error_in_its_line():
    reading = read(ARTICLE.replace("2026-01-07", "2026-13-07"))
    assert [(finding.line, finding.code) for finding in reading.errors] == [(3, "date-impossible")]


def test_text_below_the_source_line_is_reported():
    reading = read(f"{ARTICLE}\n责任编辑:某某")
    assert [(finding.line, finding.code) for finding in reading.diagnostics] == [(4, "unplaced")]


def test_characters_of_markdown_stay_visible():
    assert (
        story(ARTICLE.replace("首批额度", "*首批*额度"))
        .body[0]
        .points[0]
        .startswith(r"北岸市发布算力券实施细则,\*首批\*额度")
    )


def test_lines_point_at_the_title():
    reading = read(ARTICLE)
    assert (reading.section_lines, reading.story_lines) == ((2,), (2,))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "一句话 - 又一句话。",
        "# 日报 (2026-02-04)\n\n- **标题**\n  说明：一 [1] - 二 [2] - 三 [3]",
        "- [甲](https://example.org/1) - 一 - 二\n- [乙](https://example.org/2) - 三 - 四",
    ],
)
def test_other_texts_do_not_look_like_an_article(text):
    assert not looks_like_article(text.split("\n"))


PIECES = st.sampled_from(
    [" - ", "[1]", "[2][3] ", "。 ", "标题", "很长的一段话，", "\n", "·2026-01-07 20:28", "- ", " "]
)


@given(st.lists(PIECES, max_size=40))
def test_no_text_is_ever_lost(pieces):
    marks = [f"m{place}m" for place in range(len(pieces))]
    reading = read("".join(piece + mark for piece, mark in zip(pieces, marks, strict=True)))
    shown = [finding.message for finding in reading.diagnostics]
    for found in reading.issue.stories:
        shown += [found.title, found.source.name if found.source else ""]
        for block in found.body:
            shown += [block.text] if isinstance(block, Paragraph) else [block.heading, *block.points]
    assert [mark for mark in marks if mark not in "\n".join(shown)] == []


@pytest.mark.skipif(not SEED.exists(), reason="the sample documents lie beside the project, not in it")
def test_the_sample_article_has_nine_headings_and_every_point_its_reference():
    lines = SEED.read_text("utf-8").split("\n")
    assert looks_like_article(lines)
    reading = read_article(lines, resolve)
    blocks = reading.issue.stories[0].body
    assert [len(block.points) for block in blocks] == [1, 4, 3, 4, 3, 3, 3, 2, 4]
    assert all(point.endswith("]") for block in blocks for point in block.points)
    assert reading.diagnostics == ()
