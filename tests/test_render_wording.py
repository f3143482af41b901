"""Subjects, preheaders, counts and reasons."""

from hypothesis import given
from hypothesis import strategies as st
from render_samples import THEME

from newsletter.render.spans import web_url
from newsletter.render.wording import (
    columns,
    count_line,
    cut_to_columns,
    masked,
    preheader_line,
    reason_line,
    subject_line,
)

ZH, EN = THEME.labels["zh"], THEME.labels["en"]
title = st.text(st.sampled_from("汉字ab c，é👩"), max_size=80).map(lambda text: text.strip() or "题")
titles = st.lists(title, min_size=1)


def test_the_subject_names_the_first_story_and_how_many_there_are() -> None:
    assert subject_line(ZH, "", ["海洋预报模型公开训练数据", "乙", "丙"]) == "海洋预报模型公开训练数据 等 3 条"
    assert subject_line(EN, "", ["Tidewater opens a benchmark", "b", "c"]) == "Tidewater opens a benchmark and 2 more"
    assert subject_line(ZH, "", ["只有一条"]) == "只有一条"


def test_front_matter_fixes_the_subject() -> None:
    assert subject_line(ZH, "本周特刊", ["甲", "乙"]) == "本周特刊"


@given(titles, st.sampled_from([ZH, EN]))
def test_a_subject_is_narrower_than_sixty_columns(names: list[str], labels) -> None:
    assert columns(subject_line(labels, "", names)) < 60


def test_english_is_cut_after_a_word() -> None:
    assert cut_to_columns("Tidewater Labs opens a benchmark", 20) == "Tidewater Labs…"


@given(titles, st.text(max_size=200), st.sampled_from([ZH, EN]))
def test_a_preheader_is_there_short_and_not_the_subject(names: list[str], teaser: str, labels) -> None:
    subject = subject_line(labels, "", names)
    line = preheader_line(labels, "", subject, names, teaser)
    assert line
    assert len(line) <= 90
    assert line not in subject


def test_the_preheader_tells_what_comes_next() -> None:
    assert preheader_line(ZH, "", "甲 等 3 条", ["甲", "乙的题", "丙的题"], "") == "乙的题；丙的题"
    assert preheader_line(ZH, "编辑写的", "甲", ["甲"], "") == "编辑写的"
    assert preheader_line(ZH, "", "甲", ["甲"], "甲的说明") == "甲的说明"


def test_counts_agree_in_number() -> None:
    assert count_line(EN, 1, False, 1) == "1 story from 1 of your topics"
    assert count_line(EN, 2, True, 3) == "3 stories from 2 of your topics and your keywords"
    assert count_line(ZH, 0, True, 1) == "你关注的内容，1 条"


def test_an_address_is_masked() -> None:
    assert masked("chen@example.com") == "c***@example.com"
    assert "chen" not in reason_line(ZH, "chen@example.com", [])


def test_addresses_become_ascii_and_only_http_passes() -> None:
    assert web_url("http://例子.example.org/路?词=值") == "http://xn--fsqu00a.example.org/%E8%B7%AF?%E8%AF%8D=%E5%80%BC"
    assert web_url('https://a.example.org/"><b>') == "https://a.example.org/%22%3E%3Cb%3E"
    assert web_url("https://a.example.org/%20?a=1&b=2#c") == "https://a.example.org/%20?a=1&b=2#c"
    assert web_url("javascript:alert(1)") == ""
