"""What the theme makes: tags, colours, hosts, languages, and errors that name their place."""

import re
import socket
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from render_samples import EDITION, EVERYTHING, ISSUE, OCEAN, PUBLICATION, READER, THEME, TOPICS, compiled

from newsletter.compose.edition import Edition, Group
from newsletter.render.assemble import assemble
from newsletter.render.compile import compile_issue
from newsletter.render.inline_css import mail_html
from newsletter.render.message import html_of, text_of
from newsletter.render.size import full_edition
from newsletter.render.theme import Theme, ThemeError, load_theme, templates_dir

MJML_TAGS = {
    *("mjml", "mj-head", "mj-title", "mj-attributes", "mj-all", "mj-raw", "mj-style"),
    *("mj-body", "mj-section", "mj-column", "mj-text"),
}
COMPILED = compiled()
HTML = html_of(assemble(COMPILED, EVERYTHING), READER)


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def broken(theme: Theme, name: str, text: str) -> Theme:
    """The daily theme with one file in another wording, read as from disk."""
    sources = dict(theme.sources) | {name: text}
    template = theme.environment.overlay()
    template.loader = type(theme.environment.loader)(lambda wanted: (sources[wanted], wanted, None))
    template.cache = {}
    return replace(theme, sources=sources, environment=template)


def test_templates_use_only_mjml_tags_that_are_known_to_work() -> None:
    used = {tag for source in THEME.sources.values() for tag in re.findall(r"</?(mj[a-z-]*)", source)}
    assert used <= MJML_TAGS


def test_no_mjml_tag_template_code_or_mark_is_left_in_the_output() -> None:
    text = text_of(assemble(COMPILED, EVERYTHING), READER)
    for page in (HTML, text):
        assert not re.search(r"<mj|\{\{|\{%|n[0-9a-f]{24}", page)


def test_the_title_carries_the_headline_style_to_the_letter() -> None:
    assert 'style="color:#1677ff;font-size:18px;font-weight:bold">AI 行业动态<' in HTML


def test_only_our_own_host_and_the_editors_links_are_named() -> None:
    hosts = set(re.findall(r"https?://([^/\"'<> ]+)", HTML))
    schemas = {"www.w3.org"}  # the xmlns attributes that MJML writes, never fetched
    editors = {"ocean.example.org", "echo.example.org", "tidewater.example.com", "pictures.example.net"}
    assert hosts <= {"news.example.org"} | editors | schemas
    assert {urlsplit(address).hostname for address in re.findall(r'<img src="([^"]*)"', HTML)} == {"news.example.org"}
    assert HTML.count("<img") == HTML.count('<img src="')
    assert not re.search(r"@import|url\(|<link", HTML)


def test_nothing_is_fetched_while_rendering(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def refuse(*where: object, **_: object) -> None:
        asked.append(where)
        raise OSError("there is no network here")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    compiled()
    assert asked == []


def test_page_has_doctype_charset_viewport_title_languages_and_dark_mode() -> None:
    assert HTML.startswith("<!DOCTYPE html>")
    assert 'charset=UTF-8"' in HTML
    assert 'name="viewport"' in HTML
    assert "<title>AI 行业动态</title>" in HTML
    assert '<html lang="zh-CN"' in HTML
    assert 'role="article" lang="zh-CN"' in HTML
    assert 'name="color-scheme" content="light dark"' in HTML
    assert "@media (prefers-color-scheme:dark)" in HTML
    assert "[data-ogsc]" in HTML
    assert '<!--[if mso]><style>*{font-family:"Microsoft YaHei"' in HTML


def test_a_story_in_another_language_says_so() -> None:
    assert re.search(r'<td class="pad" lang="en"[^>]*><h3[^>]*>(<a[^>]*>)?Tidewater', HTML)
    assert not re.search(r'lang="[^>]*><h3[^>]*>(<a[^>]*>)?示例', HTML)


def test_a_title_in_another_language_says_so() -> None:
    english = assemble(compiled(ISSUE, "en"), EVERYTHING)
    assert re.search(r'<h1 lang="zh-CN"[^>]*><span[^>]*>AI 行业动态', html_of(english, READER))
    assert "<h1 lang" not in HTML


def test_one_h1_then_h2_for_topics_and_h3_for_stories() -> None:
    assert re.findall(r"<h([1-6])", HTML)[:3] == ["1", "2", "3"]
    assert HTML.count("<h1") == 1
    assert HTML.count("<h2") == 3
    assert HTML.count("<h3") == 4


def test_labels_stand_in_the_order_of_the_seeds() -> None:
    html = html_of(assemble(COMPILED, Edition((Group("models", ("ocean",)),))), READER)
    assert sorted(html.rindex(f">{label}<") for label in ("说明", "背景", "要点")) == [
        html.rindex(f">{label}<") for label in ("说明", "背景", "要点")
    ]
    assert html.rindex(">要点<") < html.rindex("来源出处")


def test_english_labels_and_dates() -> None:
    text = text_of(assemble(compiled(language="en"), EDITION), READER)
    for words in ("Monday, 9 March 2026", "3 stories from 2 of your topics", "In this issue", "Summary: ", "Source: "):
        assert words in text
    assert "== Models & Research ==" in text


def test_chinese_dates_and_counts() -> None:
    text = text_of(assemble(COMPILED, EDITION), READER)
    assert "2026 年 3 月 9 日 · 星期一" in text
    assert "你订阅的 2 个主题，共 3 条" in text


def test_preheader_is_hidden_without_tricks_that_cost_spam_points() -> None:
    assert '<div lang="zh-CN" style="display:none;max-height:0;mso-hide:all">' in HTML


def test_every_kind_of_block_is_shown_in_both_parts() -> None:
    text = text_of(assemble(COMPILED, EVERYTHING), READER)
    for shown in ("What is in it", "Two hundred tasks", "Install it", "We wanted to hear", "tide bench", "0.41"):
        assert shown in text
        assert shown in HTML
    assert "A chart of scores <https://pictures.example.net/chart.png>" in text
    assert '<a href="https://pictures.example.net/chart.png"' in HTML


@pytest.mark.parametrize("ink", ["#1f2329", "#646a73", "#0958d9"])
@pytest.mark.parametrize("ground", ["#ffffff", "#f6f7f9", "#f0f6ff"])
def test_light_colours_are_readable(ink: str, ground: str) -> None:
    assert contrast(ink, ground) >= 4.5


@pytest.mark.parametrize("ink", ["#e6e8eb", "#a8b0ba", "#69b1ff", "#4096ff"])
@pytest.mark.parametrize("ground", ["#111418", "#1b1f24", "#15263d"])
def test_dark_colours_are_readable(ink: str, ground: str) -> None:
    assert contrast(ink, ground) >= 4.5


def test_the_theme_uses_the_colours_that_were_checked() -> None:
    known = {"#1f2329", "#646a73", "#e5e8ec", "#f6f7f9", "#0958d9", "#1677ff", "#f0f6ff", "#ffffff"}
    known |= {"#111418", "#1b1f24", "#e6e8eb", "#a8b0ba", "#69b1ff", "#4096ff", "#15263d", "#2c3239"}
    assert set(re.findall(r"#[0-9a-f]{6}\b", HTML)) <= known


def test_an_unknown_theme_or_language_is_said() -> None:
    with pytest.raises(ThemeError, match="nowhere"):
        load_theme("nowhere")
    with pytest.raises(ThemeError, match="'fr'"):
        compiled(language="fr")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("story.html.j2", "{% macro lang(s) %}\n\n{{ s.nothing }}{% endmacro %}", "story.html.j2:3"),
        ("mail.txt.j2", "one\n{% if %}", "mail.txt.j2:2"),
        ("mail.mjml.j2", "<mjml><mj-body>", "MJML"),
        ("mail.txt.j2", "only words", "no mark for"),
        ("mail.css", "@import url(x.css);", "@import"),
    ],
)
def test_a_fault_in_a_theme_names_its_place(name: str, text: str, said: str) -> None:
    theme = broken(THEME, name, text)
    with pytest.raises(ThemeError, match=re.escape(said)):
        compile_issue(ISSUE, theme=theme, language="zh", topics=TOPICS, publication=PUBLICATION)


def test_media_queries_and_important_survive_the_inliner() -> None:
    html = mail_html(
        "<mjml><mj-head><mj-style>@media (max-width:9px){.x{color:red!important}}</mj-style></mj-head>"
        '<mj-body><mj-section><mj-column><mj-text css-class="x">a</mj-text></mj-column></mj-section></mj-body></mjml>',
        ".x { padding: 0; }",
    )
    assert "@media (max-width:9px){.x{color:red!important}}" in html
    assert "data-premailer" not in html


def test_an_issue_without_date_or_with_a_story_without_topic_is_rendered() -> None:
    issue = replace(ISSUE, date=None, sections=(replace(ISSUE.sections[0], stories=(replace(OCEAN, topics=()),)),))
    made = compiled(issue)
    assert OCEAN.title in text_of(assemble(made, full_edition(made)), READER)


def test_templates_are_found_beside_the_packages() -> None:
    assert (templates_dir() / "email" / "daily" / "mail.mjml.j2").is_file()
