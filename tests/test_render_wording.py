"""Subjects, preheaders, counts and reasons."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from render_samples import THEME

from newsletter.render.spans import language_of, web_url
from newsletter.render.widths import columns, cut_to_characters, cut_to_columns
from newsletter.render.wording import count_line, listed, masked, preheader_line, reason_line, subject_line

ZH, EN = THEME.labels["zh"], THEME.labels["en"]
title = st.text(st.sampled_from("汉字ab c，é👩"), max_size=80).map(lambda text: text.strip() or "题")
titles = st.lists(title, min_size=1)


def test_the_subject_names_the_first_story_and_how_many_there_are() -> None:
    assert subject_line(ZH, "", ["海洋预报模型公开训练数据", "乙", "丙"]) == "海洋预报模型公开训练数据等 3 条"
    assert subject_line(EN, "", ["Tidewater opens a benchmark", "b", "c"]) == "Tidewater opens a benchmark (and 2 more)"
    assert subject_line(ZH, "", ["只有一条"]) == "只有一条"


@pytest.mark.parametrize(
    ("title", "subject"),
    [
        ("语音模型 Echo-2", "语音模型 Echo-2 等 2 条"),
        ("公开《海洋》", "公开《海洋》等 2 条"),
        ("公开“海洋”", "公开“海洋”等 2 条"),
        ("The “sea”", "The “sea” 等 2 条"),
        ("甲 乙", "甲 乙等 2 条"),
        ("很长的题目" * 9, "很长的题目" * 5 + "…等 2 条"),
    ],
)
def test_a_blank_parts_a_subject_from_its_count_only_where_letters_meet_characters(title: str, subject: str) -> None:
    assert subject_line(ZH, "", [title, "乙"]) == subject


def test_front_matter_fixes_the_subject() -> None:
    assert subject_line(ZH, "本周特刊", ["甲", "乙"]) == "本周特刊"


@given(titles, st.sampled_from([ZH, EN]))
def test_a_subject_is_narrower_than_sixty_columns(names: list[str], labels) -> None:
    assert columns(subject_line(labels, "", names)) < 60


def test_a_text_is_cut_after_a_word_and_chinese_anywhere() -> None:
    assert cut_to_columns("Tidewater Labs opens a benchmark", 20) == "Tidewater Labs…"
    assert cut_to_columns("Tidewater’s café opens, at last", 20) == "Tidewater’s café…"
    assert cut_to_columns("示例团队开源语音模型 Echo-2", 25) == "示例团队开源语音模型…"
    assert cut_to_columns("示例团队开源语音模型", 12) == "示例团队开…"
    assert cut_to_characters("Forty bakeries let a model decide", 18) == "Forty bakeries…"


@given(st.text(), st.integers(min_value=2, max_value=40))
def test_a_cut_text_fits_and_is_cut_only_when_it_must_be(text: str, most: int) -> None:
    for cut, size in ((cut_to_columns, columns), (cut_to_characters, len)):
        assert size(cut(text, most)) <= most or not text
        assert cut(text, most) == text or (size(text) > most and cut(text, most).endswith("…"))


CLUSTERS = ["🇨🇳", "🇩🇪", "👩\u200d🚀", "👍🏽", "❤\ufe0f", "e\u0301", "a", "b", " ", "汉", "🏴\U000e0067\U000e007f"]


@given(st.lists(st.sampled_from(CLUSTERS), max_size=30), st.integers(min_value=8, max_value=40))
def test_a_cut_never_takes_apart_what_is_shown_as_one_character(clusters: list[str], most: int) -> None:
    text = "".join(clusters)
    beginnings = {"".join(clusters[:number]).rstrip() for number in range(len(clusters) + 1)}
    for cut in (cut_to_columns(text, most), cut_to_characters(text, most)):
        assert cut == text or cut.removesuffix("…") in beginnings


def test_a_word_with_marks_upon_its_letters_is_not_cut() -> None:
    assert cut_to_characters("un re\u0301sume\u0301 long", 10) == "un…"
    assert cut_to_columns("un re\u0301sume\u0301 long", 8) == "un…"


def test_a_character_that_is_longer_than_all_the_room_is_cut() -> None:
    assert cut_to_characters("e" + "\u0301" * 50, 10) == "e" + "\u0301" * 8 + "…"


@given(titles, st.text(max_size=200), st.sampled_from([ZH, EN]))
def test_a_preheader_is_there_short_and_not_the_subject(names: list[str], teaser: str, labels) -> None:
    subject = subject_line(labels, "", names)
    line = preheader_line(labels, "", subject, names, teaser)
    assert line
    assert len(line) <= 90
    assert line not in subject


def test_the_preheader_tells_what_comes_next() -> None:
    assert preheader_line(ZH, "", "甲等 3 条", ["甲", "乙的题", "丙的题"], "") == "乙的题；丙的题"
    assert preheader_line(ZH, "编辑写的", "甲", ["甲"], "") == "编辑写的"
    assert preheader_line(ZH, "", "甲", ["甲"], "甲的说明") == "甲的说明"


def test_counts_agree_in_number() -> None:
    assert count_line(EN, 1, False, 1) == "1 story from one of your topics"
    assert count_line(EN, 0, True, 2) == "2 stories matching your keywords"
    assert count_line(EN, 2, True, 3) == "3 stories from 2 of your topics and the keywords you follow"
    assert count_line(ZH, 1, False, 1) == "你订阅的 1 个主题，共 1 条"
    assert count_line(ZH, 0, True, 1) == "来自你关注的关键词，共 1 条"
    assert count_line(ZH, 2, True, 3) == "来自你订阅的 2 个主题和关注的关键词，共 3 条"


def test_names_in_a_sentence_are_joined_as_the_language_does() -> None:
    assert listed(EN, ["Models", "Policy", "Funding"]) == "Models, Policy and Funding"
    assert listed(EN, ["Models", "Policy"]) == "Models and Policy"
    assert listed(ZH, ["模型与技术进展", "政策与监管", "投融资与并购"]) == "模型与技术进展、政策与监管、投融资与并购"
    assert listed(ZH, ["政策与监管"]) == "政策与监管"


@pytest.mark.parametrize("name", ["Models & Research", "Models and Research", "Models, Research"])
def test_names_that_hold_an_and_themselves_are_parted_by_more_than_that(name: str) -> None:
    assert listed(EN, [name, "Policy", "Funding"]) == f"{name}; Policy; Funding"
    assert listed(ZH, ["模型、研究", "政策"]) == "模型、研究；政策"


def test_the_reader_is_told_why_the_mail_came() -> None:
    told = reason_line(EN, "ada@example.org", ["Models & Research"])
    assert told == "You are receiving this because a***@example.org is subscribed to Models & Research."
    told = reason_line(ZH, "ada@example.org", ["政策与监管", "AI Safety"])
    assert told == "你收到这封邮件，是因为 a***@example.org 订阅了以下主题：政策与监管、AI Safety。"


def test_an_address_is_masked() -> None:
    assert masked("chen@example.com") == "c***@example.com"
    assert "chen" not in reason_line(ZH, "chen@example.com", [])


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("示例团队开源语音模型 Echo-2", "zh-CN"),
        ("OpenTide 发布 Echo-2 Turbo", "zh-CN"),
        ("The Tidewater team (潮水) names its new speech model 望舒", "en"),
        ("Tidewater Labs opens a benchmark", "en"),
        ("2026", "en"),
    ],
)
def test_a_text_is_in_the_language_of_most_of_it(text: str, language: str) -> None:
    assert language_of(text) == language


def test_addresses_become_ascii_and_only_http_passes() -> None:
    assert web_url("http://例子.example.org/路?词=值") == "http://xn--fsqu00a.example.org/%E8%B7%AF?%E8%AF%8D=%E5%80%BC"
    assert web_url('https://a.example.org/"><b>') == "https://a.example.org/%22%3E%3Cb%3E"
    assert web_url("https://a.example.org/%20?a=1&b=2#c") == "https://a.example.org/%20?a=1&b=2#c"
    assert web_url("javascript:alert(1)") == ""
