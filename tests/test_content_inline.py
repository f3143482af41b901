"""Inline Markdown: emphasis beside Chinese punctuation, the canonical form, links that may stay."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.content.inline import bad_links, bare_links, canonical, escape, host, is_web_address, plain, spans
from newsletter.content.spans import CodeSpan, Emphasis, Link, Strike, Strong, Text

PIECES = [
    *"ab中文，（）*_`[]()<>&;~!\\ \n\t#“",
    *(
        "http://a.example",
        "](",
        "](http://b.example)",
        "](javascript:x)",
        "**",
        "&amp;",
        "![",
        "~~",
        "\u3000",
        '"t"',
        "😀",
    ),
]
nasty = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)


@pytest.mark.parametrize(
    ("text", "bold"),
    [
        ("**重点：**内容", "重点："),
        ("前文**强调（注）**后文", "强调（注）"),
        ("**“你好”**吗", "“你好”"),
        ("说**《书》**好", "《书》"),
    ],
)
def test_emphasis_works_beside_full_width_punctuation(text: str, bold: str) -> None:
    assert Strong((Text(bold),)) in spans(text)


def test_underscores_inside_a_word_are_no_emphasis() -> None:
    assert spans("snake_case_name") == (Text("snake_case_name"),)


def test_every_kind_of_span_is_told_apart() -> None:
    assert spans("a **b** *c* ~~d~~ `e` [f](https://g.example)") == (
        Text("a "),
        Strong((Text("b"),)),
        Text(" "),
        Emphasis((Text("c"),)),
        Text(" "),
        Strike((Text("d"),)),
        Text(" "),
        CodeSpan("e"),
        Text(" "),
        Link("https://g.example", (Text("f"),)),
    )


def test_html_is_text() -> None:
    assert spans("<b>x</b><script>") == (Text("<b>x</b><script>"),)


@pytest.mark.parametrize(
    ("text", "joined"),
    [("模型\n发布", "模型发布"), ("one\ntwo", "one two"), ("模型\nnew", "模型 new"), ("**模型**\n发布", "模型发布")],
)
def test_a_line_break_vanishes_only_between_two_chinese_characters(text: str, joined: str) -> None:
    assert plain(text) == joined


def test_control_characters_are_dropped() -> None:
    assert canonical("a\x00b\x1bc\ud800d\te") == "abcd e"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "ftp://a.example/", "/path", "//a.example", "https:"]
)
def test_a_link_that_is_not_http_leaves_its_label_and_is_reported(url: str) -> None:
    text = f"看[这里]({url})吧"
    assert spans(text) == (Text("看这里吧"),)
    assert bad_links(text) == (url,)


def test_an_image_becomes_a_link_over_its_alt_text() -> None:
    assert spans("![图](https://i.example/x.png)") == (Link("https://i.example/x.png", (Text("图"),)),)


def test_a_picture_inside_a_link_leaves_its_alt_text_there() -> None:
    assert canonical("[![图](https://i.example/x.png)](https://a.example)") == "[图](https://a.example)"


def test_a_mail_address_in_angle_brackets_is_text_and_no_bad_link() -> None:
    assert (plain("<me@a.example>"), bad_links("<me@a.example>")) == ("me@a.example", ())


def test_an_address_with_brackets_survives() -> None:
    assert spans(canonical("[x](<https://a.example/b_(c)>)")) == (Link("https://a.example/b_(c)", (Text("x"),)),)


def test_a_bare_address_ends_where_chinese_text_begins() -> None:
    assert [url for _, _, url in bare_links("见https://a.example/x。谢谢（http://b.example/）")] == [
        "https://a.example/x",
        "http://b.example/",
    ]


def test_only_http_with_a_host_is_a_web_address() -> None:
    assert [
        is_web_address(url) for url in ("http://a.example", "HTTPS://a.example", "http://", "http://[", "mailto:a@b")
    ] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_a_host_is_named_without_www() -> None:
    assert host("https://www.a.example:8080/x") == "a.example"


@settings(max_examples=400, deadline=None)
@given(nasty)
def test_the_canonical_form_changes_nothing_when_read_and_written_again(text: str) -> None:
    once = canonical(text)
    assert canonical(once) == once
    assert spans(once) == spans(text)


@settings(max_examples=300, deadline=None)
@given(nasty.map(lambda text: " ".join(text.split(" "))))
def test_escaped_text_reads_back_as_that_text(text: str) -> None:
    folded = " ".join(part for part in text.replace("\n", " ").replace("\t", " ").split(" ") if part).strip()
    assert plain(escape(text)) == folded


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_any_text_has_a_canonical_form(text: str) -> None:
    assert canonical(canonical(text)) == canonical(text)


@pytest.mark.parametrize(
    ("before", "after"), [("![", "](u)"), ("[", "](http://a.example)"), ("**a ", " b**"), ("*", "*")]
)
def test_nesting_a_thousand_deep_is_read_without_a_recursion_error(before: str, after: str) -> None:
    assert "x" in plain(before * 1000 + "x" + after * 1000)


@pytest.mark.parametrize("piece", ["**a** ", "[b](https://a.example) ", "&lt;\\* ", "` _ "])
def test_a_text_with_more_marks_than_anyone_writes_keeps_its_form_too(piece: str) -> None:
    once = canonical(piece * 6_000)
    assert canonical(once) == once
