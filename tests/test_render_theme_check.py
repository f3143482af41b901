"""The trial of a theme finds what is wrong with it, with file and line."""

from pathlib import Path

import pytest

from newsletter.content.diagnostics import Severity
from newsletter.render.columns import beside_each_other
from newsletter.render.contrast import HEADLINE, contrast, faint_texts
from newsletter.render.theme import load_theme, theme_names
from newsletter.render.theme_check import Verdict, check_theme

ABOUT = 'extends = "letter"\nname = { zh = "甲", en = "A" }\ndescription = { zh = "乙", en = "B" }\n'
MAIL = load_theme("letter").sources["mail.mjml.j2"]
TEXT = load_theme("letter").sources["mail.txt.j2"]
STYLE = load_theme("letter").sources["mail.css"]
DARK = load_theme("letter").sources["clients.css"]


def tried(folder: Path, more: str = "", **files: str) -> Verdict:
    theme = folder / "ours"
    theme.mkdir()
    (theme / "theme.toml").write_text(ABOUT + more, "utf-8")
    for name, text in files.items():
        (theme / name.replace("_", ".")).write_text(text, "utf-8")
    return check_theme("ours", folder)


def line_of(text: str, words: str) -> int:
    return text[: text.index(words)].count("\n") + 1


@pytest.mark.parametrize("name", theme_names())
def test_a_theme_that_ships_passes(name: str) -> None:
    verdict = check_theme(name)
    assert verdict.faults == ()
    assert verdict.html_bytes[10] <= 30_000
    assert verdict.html_bytes[30] <= 80_000


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("<mj-column>", "<mj-colunm>", "<mj-colunm> is no tag"),
        ("</mj-column>", "</mj-section>", "</mj-section> closes nothing"),
        ("{% endif %}", "{% endfor %}", "cannot be read"),
        ("<h2>", '<img src="https://a.example.org/b.png" /><h2>', "<img would fetch"),
        ("<mj-raw>", '<mj-font name="x" href="y" /><mj-raw>', "<mj-font would fetch"),
        ("{{ group.name }}", "{{ group.nmae }}", "nmae"),
        ("<h2>", "<h2><i>", "</h2> closes nothing"),
    ],
)
def test_a_fault_in_a_template_is_said_with_its_line(old: str, new: str, said: str, tmp_path: Path) -> None:
    verdict = tried(tmp_path, mail_mjml_j2=MAIL.replace(old, new, 1))
    places = {(fault.file, fault.line) for fault in verdict.faults if said in fault.message}
    assert not verdict.is_usable
    assert (str(tmp_path / "ours" / "mail.mjml.j2"), line_of(MAIL, old)) in places


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('{{ mark("count") }}', "", "no mark for count"),
        ("{{ filling.unsubscribe }}", "https://a.example.org", "the link to unsubscribe"),
        ("{{ filling.preferences }}", "https://a.example.org", "the link to change topics"),
        ("{{ filling.reason }}", "", "the reason why it came"),
        ("{{ sheet.title }}</span>", "{{ filling.view }}</span>", "it may stand behind the mark 'personal'"),
        ("{{ sheet.postal_address }}", "", "the postal address"),
        ("{{ group.name }}", "", "the topic"),
        ("font-weight:bold", "font-weight:700", "the title has to stand in an element with style"),
        ("<h2>", "<h2>{{ ns.left }}", "depends on what stands beside it"),
        ("<h2>", '<h2 style="float:left">', "not a single column: float:left"),
        ("<h2>", '<h2 style="width:500px">', "does not fit a screen"),
        ("<h2>", '<h2 style="color:#999999">', "#999999 on #ffffff has a contrast of 2.8"),
        ("<h2>", '<h2 style="color:gray">', "should be written like #1f2329"),
    ],
)
def test_a_fault_in_the_finished_mail_is_said(old: str, new: str, said: str, tmp_path: Path) -> None:
    verdict = tried(tmp_path, mail_mjml_j2=MAIL.replace(old, new))
    assert not verdict.is_usable
    assert any(said in fault.message and "mail.mjml.j2" in fault.file for fault in verdict.faults)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ('<p background="https://a.example.org/b.png">x</p>', "background= is nothing that <p> may have"),
        ('{{ "<im" | safe }}g {{ "sr" | safe }}c="https://a.example.org/b.png" />', "<img> is nothing that a mail may"),
        ('<meta http-equiv="refresh" content="0;url=https://a.example.org" />', '<meta http-equiv="refresh">'),
        ('<p onclick="alert(1)">x</p>', "onclick= is nothing"),
        ('<a href="javascript:alert(1)">x</a>', "a link leads to 'javascript:alert(1)'"),
        ('<a href="//a.example.org/">x</a>', "a link leads to"),
        ('<a href="https://a.example.org/" ping="https://a.example.org/">x</a>', "ping= is nothing"),
        ('<svg width="1"></svg>', "<svg> is nothing"),
        ("""<p style="background-image:image-set('https://a.example.org/b.png' 1x)">x</p>""", "image-set() in a style"),
        ('<i style="background:u\\72l(https://a.example.org/b.png)">x</i>', "a backslash"),
        ("<style>@font-face{}</style>", "@font-face in a style"),
        ("<!--[if mso]><v:rect></v:rect><![endif]-->", "<v:rect> is nothing that a comment for Outlook"),
        ("<!--[if mso]><td>Buy</td><![endif]-->", "'Buy' stands in a comment"),
        ("<!-- <b>a</b> -->", "could hide something"),
    ],
)
def test_what_a_mail_may_not_hold_is_found_when_it_is_finished(harm: str, said: str, tmp_path: Path) -> None:
    verdict = tried(tmp_path, mail_mjml_j2=MAIL.replace("<h2>", f"{harm}<h2>"))
    assert not verdict.is_usable
    assert any(said in fault.message for fault in verdict.faults), verdict.faults


def test_what_a_mail_may_not_hold_is_said_with_its_line(tmp_path: Path) -> None:
    verdict = tried(tmp_path, mail_mjml_j2=MAIL.replace("<h2>", '<h2 onclick="x">'))
    assert [fault.line for fault in verdict.faults] == [line_of(MAIL, "<h2>")]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("p { opacity: 0.05; }", "opacity:0.05 hides"),
        ("p { zoom: 0.1; }", "zoom:0.1 hides"),
        ("h3, h3 a { font-size: 0; }", "type of 0 px"),
        ("p { font: 4px serif; }", "type of 4 px"),
        ("p { font-size: 0.5em; }", "px; at least 10 px"),
        ("p { font-size: 1vw; }", "type of 0 px"),
    ],
)
def test_what_can_hardly_be_seen_is_said(rule: str, said: str, tmp_path: Path) -> None:
    for where, sheet in (("mail.css", f"{STYLE}{rule}\n"), ("clients.css", f"{DARK}{rule}\n")):
        folder = tmp_path / where
        folder.mkdir()
        verdict = tried(folder, **{where.replace(".", "_"): sheet})
        assert any(said in fault.message for fault in verdict.faults), (where, verdict.faults)


def test_the_line_of_what_hides_is_named(tmp_path: Path) -> None:
    verdict = tried(tmp_path, mail_css=f"{STYLE}p {{ opacity: 0.05; }}\n")
    place = (str(tmp_path / "ours" / "mail.css"), STYLE.count("\n") + 1)
    assert [(fault.file, fault.line) for fault in verdict.faults] == [place]


def test_brackets_in_brackets_are_no_traceback(tmp_path: Path) -> None:
    verdict = tried(tmp_path, mail_mjml_j2=MAIL.replace("<h2>", "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}<h2>"))
    assert "cannot be read" in verdict.faults[0].message


def test_a_fault_in_the_text_is_said(tmp_path: Path) -> None:
    verdict = tried(tmp_path, mail_txt_j2=TEXT.replace("{{ filling.unsubscribe }}", ""))
    assert [Path(fault.file).name for fault in verdict.faults] == ["mail.txt.j2"]


def test_a_style_sheet_from_elsewhere_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    verdict = tried(tmp_path, mail_css='/* @import */\n@import "https://a.example.org/x.css";\n' + STYLE)
    assert [fault.line for fault in verdict.faults] == [2]
    assert verdict.html_bytes == {}


@pytest.mark.parametrize(("shade", "when"), [("light", "by daylight"), ("dark", "in the dark")])
def test_a_faint_colour_is_found_where_the_theme_names_it(shade: str, when: str, tmp_path: Path) -> None:
    verdict = tried(tmp_path, f'[{shade}]\nsoft = "#808182"\npage = "#777879"\n')
    found = [fault for fault in verdict.faults if when in fault.message and "#808182 on #777879" in fault.message]
    assert [(Path(fault.file).name, fault.line) for fault in found] == [("theme.toml", 5)]


def test_words_without_a_translation_are_a_warning(tmp_path: Path) -> None:
    verdict = tried(tmp_path, mail_mjml_j2=MAIL.replace("<h2>", '<h2>{{ _("Dear reader") }} '))
    assert verdict.is_usable
    assert [(fault.severity, fault.line) for fault in verdict.faults] == [(Severity.WARNING, line_of(MAIL, "<h2>"))]


def test_a_mail_that_is_too_large_is_a_warning(tmp_path: Path) -> None:
    verdict = tried(tmp_path, mail_mjml_j2=MAIL.replace("<h2>", "<h2>" + "long " * 1500))
    assert verdict.is_usable
    assert "10 stories with all four labels and no body make" in verdict.faults[0].message


def test_a_theme_that_is_not_there_is_said_without_a_traceback() -> None:
    assert "there is no theme 'nowhere'" in check_theme("nowhere").faults[0].message


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == 21
    assert round(contrast("#1677ff", "#fff"), 2) == 4.10


def test_large_type_may_be_fainter_and_hidden_text_is_not_read() -> None:
    page = '<body style="background:#ffffff"><p style="{}">a</p></body>'
    assert list(faint_texts(page.format("color:#888888;font-size:24px"))) == []
    assert list(faint_texts(page.format("color:#888888;font-size:23px"))) != []
    assert list(faint_texts(page.format("color:#ffffff;display:none"))) == []
    assert list(faint_texts(page.format(HEADLINE))) == []
    assert list(faint_texts(page.format("color:#1677ff;font-size:18px"))) != []


def test_colours_of_the_dark_go_before_those_of_the_elements() -> None:
    page = (
        "<html><head><style>@media (prefers-color-scheme:dark){body{background:#000000!important}"
        '.a{color:#222222!important}}</style></head><body style="background:#ffffff"><p class="a">x</p></body></html>'
    )
    assert [(faint.ink, faint.ground, faint.dark) for faint in faint_texts(page)] == [("#222222", "#000000", True)]


def test_a_table_for_the_layout_has_one_cell_with_text_in_a_row_and_an_editors_table_as_many_as_it_likes() -> None:
    row = '<body><table role="{}"><tr><td>one</td><td>two</td></tr></table></body>'
    assert list(beside_each_other(row.format("presentation"))) == ["'one' and 'two' stand beside each other in a table"]
    assert list(beside_each_other(row.format("table"))) == []
