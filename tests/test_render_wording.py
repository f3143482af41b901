"""Subjects, preheaders, counts and reasons."""

from hypothesis import given
from hypothesis import strategies as st
from render_samples import THEME

from newsletter.render.spans import web_url
from newsletter.render.widths import columns, cut_to_characters, cut_to_columns
from newsletter.render.wording import count_line, listed, masked, preheader_line, reason_line, subject_line

ZH, EN = THEME.labels["zh"], THEME.labels["en"]
title = st.text(st.sampled_from("汉字ab c，é👩"), max_size=80).map(lambda text: text.strip() or "题")
titles = st.lists(title, min_size=1)


def test_the_subject_names_the_first_story_and_how_many_there_are() -> None:
    assert subject_line(ZH, "", ["海洋预报模型公开训练数据", "乙", "丙"]) == "海洋预报模型公开训练数据 等 3 条"
    assert subject_line(EN, "", ["Tidewater opens a benchmark", "b", "c"]) == "Tidewater opens a benchmark (and 2 more)"
    assert subject_line(ZH, "", ["只有一条"]) == "只有一条"


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
    assert count_line(EN, 1, False, 1) == "1 story from one of your topics"
    assert count_line(EN, 0, True, 2) == "2 stories from your keywords"
    assert count_line(EN, 2, True, 3) == "3 stories from 2 of your topics and your keywords"
    assert count_line(ZH, 0, True, 1) == "你关注的内容，1 条"
    assert count_line(ZH, 2, True, 3) == "你订阅的 2 个主题与你关注的内容，3 条"


def test_names_in_a_sentence_are_joined_as_the_language_does() -> None:
    names = ["Models & Research", "Policy & Regulation", "Funding & Acquisitions"]
    assert listed(EN, names) == "Models & Research, Policy & Regulation and Funding & Acquisitions"
    assert listed(EN, names[:2]) == "Models & Research and Policy & Regulation"
    assert listed(ZH, ["模型与技术进展", "政策与监管", "投融资与并购"]) == "模型与技术进展、政策与监管、投融资与并购"
    assert listed(ZH, ["政策与监管"]) == "政策与监管"


def test_the_reader_is_told_why_the_mail_came() -> None:
    told = reason_line(EN, "ada@example.org", ["Models & Research"])
    assert told == "You are receiving this because a***@example.org is subscribed to Models & Research."
    told = reason_line(ZH, "ada@example.org", ["政策与监管", "AI Safety"])
    assert told == "你收到这封邮件，是因为 a***@example.org 订阅了以下主题：政策与监管、AI Safety。"


def test_an_address_is_masked() -> None:
    assert masked("chen@example.com") == "c***@example.com"
    assert "chen" not in reason_line(ZH, "chen@example.com", [])


def test_addresses_become_ascii_and_only_http_passes() -> None:
    assert web_url("http://例子.example.org/路?词=值") == "http://xn--fsqu00a.example.org/%E8%B7%AF?%E8%AF%8D=%E5%80%BC"
    assert web_url('https://a.example.org/"><b>') == "https://a.example.org/%22%3E%3Cb%3E"
    assert web_url("https://a.example.org/%20?a=1&b=2#c") == "https://a.example.org/%20?a=1&b=2#c"
    assert web_url("javascript:alert(1)") == ""
