"""The daily theme: what its HTML promises to readers and to mail programs."""

import re
from dataclasses import replace

import pytest
from render_samples import (
    EDITION,
    EVERYTHING,
    ISSUE,
    OCEAN,
    PUBLICATION,
    QUIET,
    READER,
    TOPICS,
    compiled,
    ten_stories,
)

from newsletter.compose.edition import Edition, Group
from newsletter.content.issue import Code, Issue, Section
from newsletter.render.assemble import assemble
from newsletter.render.compile import compile_issue
from newsletter.render.compiled import LINKS, PERSONAL, CompiledIssue
from newsletter.render.inline_css import mail_html
from newsletter.render.message import html_of
from newsletter.render.size import full_edition, largest_html_bytes
from newsletter.render.theme import load_theme

HTML = html_of(assemble(compiled(), EDITION), READER)
HEAD, _, BODY = HTML.partition("</head>")
_LISTED = re.findall(r"<li[^>]*>(.*?)</li>", BODY.partition("<ol")[2].partition("</ol>")[0])


def tripled(issue: Issue) -> Issue:
    """The issue with each of its stories three times."""
    return replace(
        issue,
        sections=tuple(
            replace(
                section,
                stories=tuple(replace(story, id=f"{story.id}-{copy}") for story in section.stories for copy in "abc"),
            )
            for section in issue.sections
        ),
    )


def in_theme(theme: str, language: str, issue: Issue = ISSUE) -> CompiledIssue:
    return compile_issue(issue, theme=load_theme(theme), language=language, topics=TOPICS, publication=PUBLICATION)


def test_the_contents_name_exactly_the_readers_stories_in_their_order() -> None:
    titles = re.findall(r"<h3[^>]*>(?:<a [^>]*>)?(.*?)(?:</a>)?</h3>", BODY)
    assert [re.sub("<[^>]*>", "", title) for title in titles] == _LISTED
    assert len(_LISTED) == 3


def test_nothing_links_to_a_place_inside_the_mail() -> None:
    assert 'href="#' not in HTML  # the programs of Gmail and Outlook on phones do not follow such links


def test_the_footer_says_why_which_topics_where_to_go_and_who_sends() -> None:
    foot = BODY[BODY.rindex("c***@example.com") :]
    assert "模型与技术进展、政策与监管" in foot
    assert f'href="https://news.example.org/unsubscribe/{READER.unsubscribe_token}"' in foot
    assert f'href="https://news.example.org/preferences/{READER.preferences_token}"' in foot
    assert f'href="https://news.example.org/view/{READER.view_token}"' in foot
    assert PUBLICATION.postal_address in foot


@pytest.mark.parametrize("theme", ["daily", "digest", "letter", "weekly"])
def test_nothing_personal_stands_before_the_personal_end(theme: str) -> None:
    """What is before it is encoded once for many readers."""
    made = in_theme(theme, "zh")
    for fragments in (made.html, made.text):
        slots = {slot for name, fragment in fragments.items() for slot in fragment.slots if name != PERSONAL}
        assert slots <= {"preheader", "lang", "count", "number"}
        assert set(fragments[PERSONAL].slots) == {"reason", *LINKS}


@pytest.mark.parametrize("theme", ["daily", "digest", "letter", "weekly"])
def test_what_is_not_in_the_language_of_the_mail_says_its_own(theme: str) -> None:
    """A topic without an English name, an address and a preview in Chinese; the words of the mail itself do not."""
    story = replace(OCEAN, topics=("astronomy",))
    issue = replace(ISSUE, sections=(Section("天文", (story,), topic="astronomy"), *ISSUE.sections[1:]))
    html = html_of(assemble(in_theme(theme, "en", issue), full_edition(in_theme(theme, "en", issue))), READER)
    assert re.search(r'lang="zh-CN"[^>]*>(<h2[^>]*>)?天文<', html)
    assert re.search(r'<p[^>]* lang="zh-CN"[^>]*>示例新闻社', html)
    assert re.search(r'<div lang="zh-CN" style="display:none[^>]*>示例市', html)
    assert re.search(r"<td(?![^>]*lang)[^>]*><h2[^>]*>Policy &amp; Regulation", html)
    assert re.search(r"<p(?![^>]*lang)[^>]*>You are receiving", html)


@pytest.mark.parametrize(("title", "language"), [("Echo", "zh-CN"), ("示例团队开源 Echo", "en")])
def test_the_preview_line_has_the_language_of_what_it_says(title: str, language: str) -> None:
    """Of one story alone it is the story's; where there is nothing to say, words of the mail."""
    story = replace(QUIET, title=title, body=(), summary="模型已经开源。" if title == "Echo" else "")
    issue = replace(ISSUE, sections=(Section("产品", (story,), topic="products"),))
    html = html_of(assemble(compiled(issue, "en"), Edition((Group("products", ("quiet",)),))), READER)
    assert f'<div lang="{language}" style="display:none' in html


def test_a_chinese_mail_marks_an_english_address() -> None:
    made = compiled(publication=replace(PUBLICATION, postal_address="Example News, 1 Example Road"))
    assert re.search(r'<p[^>]* lang="en"[^>]*>Example News', html_of(assemble(made, EDITION), READER))


def test_one_chinese_name_does_not_make_an_english_story_chinese() -> None:
    story = replace(QUIET, title="Tidewater Labs names its model 望舒", summary="It is said to see the moon.")
    issue = replace(ISSUE, sections=(Section("产品", (story,), topic="products"),))
    html = html_of(assemble(compiled(issue), Edition((Group("products", ("quiet",)),))), READER)
    assert re.search(r'<td class="pad" lang="en"[^>]*><h3', html)


@pytest.mark.parametrize("theme", ["daily", "digest", "letter", "weekly"])
@pytest.mark.parametrize("link", LINKS)
def test_every_link_of_the_footer_is_44_pixels_high(theme: str, link: str) -> None:
    html = html_of(assemble(in_theme(theme, "zh"), EDITION), READER)
    (style,) = re.findall(rf'<a href="[^"]*/{link}/[^"]*" style="([^"]*)"', html)
    assert {"display:inline-block", "line-height:24px"} <= set(style.split(";"))
    assert "padding:10px " in style


def test_the_button_is_44_pixels_high_also_where_outlook_drops_the_padding_of_links() -> None:
    (cell,) = re.findall(r'<td style="([^"]*)"><a href="[^"]*/preferences/[^"]*" style="([^"]*)"', BODY)
    assert "mso-padding-alt:10px 32px" in cell[0]
    assert {"display:inline-block", "padding:10px 32px", "line-height:24px"} <= set(cell[1].split(";"))


def test_our_words_in_a_story_of_another_language_say_theirs() -> None:
    html = html_of(assemble(compiled(language="en"), EDITION), READER)
    assert re.search(r'<td class="pad" lang="zh-CN"[^>]*><h3', html)
    assert html.count('<b lang="en"') == html.count("<b ")
    assert '<span lang="en">Source</span>' in html


@pytest.mark.parametrize(("issue", "most"), [(ten_stories(), 30_000), (tripled(ten_stories()), 80_000)])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_html_stays_small(issue: Issue, most: int, language: str) -> None:
    assert largest_html_bytes(compiled(issue, language)) <= most


def test_every_class_that_is_left_is_named_by_a_style_block() -> None:
    used = {name for names in re.findall(r'<[a-z][^<>]* class="([^"]*)"', BODY) for name in names.split()}
    assert used
    assert used <= set(re.findall(r"\.([a-zA-Z][\w-]*)", HEAD))


def test_only_classes_of_tags_are_left_out() -> None:
    mjml = (
        "<mjml><mj-body><mj-section><mj-column><mj-text>"
        '<p class="a b">say class="a" aloud &lt;i class="a"></p></mj-text></mj-column></mj-section></mj-body></mjml>'
    )
    html = mail_html(mjml, ".b { margin: 0; }")
    assert '<p style="margin:0">say class="a" aloud &lt;i class="a"' in html


def test_lines_of_code_keep_their_indent_and_may_wrap() -> None:
    story = replace(QUIET, body=(Code("if loud:\n    hush()"),))
    issue = Issue(title="x", date=None, sections=(replace(ten_stories().sections[0], stories=(story,)),))
    made = compiled(issue)
    html = html_of(assemble(made, full_edition(made)), READER)
    assert "if loud:<br>\u00a0 \u00a0 hush()" in html
    assert "<pre" not in html
    assert "white-space" not in html


def test_the_mail_is_legible_without_style_blocks() -> None:
    """Every element that shows text on its own ground, or small or soft text, says so itself."""
    html = html_of(assemble(compiled(), EVERYTHING), READER)
    body = html.partition("</head>")[2]
    for tag in ("h1", "h2", "h3", "h4", "p", "ul", "ol", "li", "a", "b", "blockquote", "td", "th"):
        found = re.findall(rf"<{tag}(?: [^>]*)?>", re.sub(r"<!--.*?-->", "", body))
        assert found
        assert all("style=" in element for element in found), tag
