"""Themes as untrusted data: what a template reaches, what a mistake in it makes, and that nothing is fetched."""

import inspect
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path, PurePath
from types import FunctionType, ModuleType
from typing import Any

import pytest
from jinja2 import Environment, pass_context
from jinja2.runtime import Context
from render_samples import ISSUE, PUBLICATION, TOPICS

from newsletter.render import page
from newsletter.render.compile import compile_issue
from newsletter.render.compiled import CompiledIssue
from newsletter.render.inline_css import mail_html
from newsletter.render.theme import Theme, ThemeError, load_theme

ABOUT = 'extends = "letter"\nname = { zh = "甲", en = "A" }\ndescription = { zh = "乙", en = "B" }\n'
PAGE = load_theme("letter").sources["mail.mjml.j2"]
DOCUMENT = (
    "<mjml><mj-head><mj-raw>{}</mj-raw></mj-head><mj-body><mj-section><mj-column>"
    "<mj-text>a</mj-text></mj-column></mj-section></mj-body></mjml>"
)


def own(folder: Path, **files: str) -> Path:
    theme = folder / "ours"
    theme.mkdir()
    (theme / "theme.toml").write_text(ABOUT, "utf-8")
    for name, text in files.items():
        (theme / name.replace("_", ".")).write_text(text, "utf-8")
    return theme


def made(theme: Theme) -> CompiledIssue:
    return compile_issue(ISSUE, theme=theme, language="zh", topics=TOPICS, publication=PUBLICATION)


def with_words(folder: Path, words: str) -> Theme:
    own(folder, mail_mjml_j2=PAGE.replace("<h2>", f"<h2>{words}", 1))
    return load_theme("ours", folder)


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """The address of a server on loopback, and what it was asked for."""
    heard: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"p { color: red; }")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Listener)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/x.css", heard
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("path", ["sheet.theme.folders[0]", "sheet.theme.paths['mail.css']", "labels.folder"])
@pytest.mark.parametrize("deed", ["joinpath('{}').read_text()", "joinpath('{}').write_text('taken')"])
def test_a_template_neither_reads_nor_writes_a_file(path: str, deed: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("kept", "utf-8")
    with pytest.raises(ThemeError, match="no attribute"):
        made(with_words(tmp_path, f"{{{{ {path}.{deed.format(secret)} }}}}"))
    assert secret.read_text("utf-8") == "kept"


@pytest.mark.parametrize(
    "change",
    ['labels.forms.update({"Unsubscribe": ("X",)})', "sheet.names.clear()", "groups.append(1)", "light.clear()"],
)
def test_a_template_changes_nothing_that_it_is_given(change: str, tmp_path: Path) -> None:
    theme = with_words(tmp_path, f"{{{{ {change} }}}}")
    words = dict(theme.labels["zh"].forms)
    with pytest.raises(ThemeError, match=r"unsafe|no attribute"):
        made(theme)
    assert theme.labels["zh"].forms == words
    assert theme.about.light


def handed_to(theme: Theme) -> dict[str, Any]:
    """Everything that a template of a theme has by name."""
    seen: dict[str, Any] = {}

    @pass_context
    def look(context: Context) -> str:
        seen.update(context.get_all())
        return ""

    theme.environment.globals["look"] = look
    made(theme)
    return {name: value for name, value in seen.items() if name not in {"look", *Environment().globals}}


def reached(value: object, theme: Theme, at: str, known: dict[int, object]) -> Iterator[tuple[str, object]]:
    """A value and all that a template can get from it by attribute or item, where the sandbox lets it."""
    if id(value) in known:
        return
    known[id(value)] = value  # kept alive, for another would get its id
    yield at, value
    if isinstance(value, str | bytes | int | float | type(None)) or inspect.isroutine(value):
        return
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from reached(item, theme, f"{at}[{key!r}]", known)
    elif isinstance(value, tuple | list | set | frozenset):
        for item in value:
            yield from reached(item, theme, f"{at}[…]", known)
    for name in dir(value):
        if not name.startswith("_") and theme.environment.is_safe_attribute(value, name, getattr(value, name, None)):
            yield from reached(getattr(value, name, None), theme, f"{at}.{name}", known)


def test_all_that_a_template_reaches_is_a_plain_value(tmp_path: Path) -> None:
    theme = with_words(tmp_path, "{{ look() }}")
    given = handed_to(theme)
    assert given.keys() >= {"sheet", "groups", "stories", "filling", "mark", "labels", "_", "light", "dark"}
    known: dict[int, object] = {}
    for name, value in given.items():
        for at, found in reached(value, theme, name, known):
            assert not isinstance(found, PurePath | Environment | ModuleType | Theme | type), at
            assert not isinstance(found, FunctionType) or at == "filling.number", at


def test_a_link_out_of_a_themes_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("kept", "utf-8")
    (own(tmp_path) / "x.css").symlink_to(tmp_path / "secret")
    with pytest.raises(ThemeError, match=r"x\.css: it is a link out"):
        load_theme("ours", tmp_path)


def test_a_link_inside_a_themes_folder_is_followed(tmp_path: Path) -> None:
    (own(tmp_path, one_css="p {}") / "two.css").symlink_to("one.css")
    assert load_theme("ours", tmp_path).sources["two.css"] == "p {}"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ('{{ 1 + "a" }}', "TypeError"),
        ('{{ labels.short_date("x") }}', "the template fails"),
        ("{{ 1 | html }}", "TypeError"),
        ("{{ range(999999) }}", "Range too big"),
        ("{{ cycler() }}", "at least one item"),
        ('{{ "%d" | format("x") }}', "TypeError"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "recursion"),
    ],
)
def test_a_mistake_in_a_template_is_said_with_its_line(words: str, said: str, tmp_path: Path) -> None:
    line = PAGE[: PAGE.index("<h2>")].count("\n") + 1
    with pytest.raises(ThemeError, match=said) as refused:
        made(with_words(tmp_path, words))
    assert (refused.value.file, refused.value.line) == ("mail.mjml.j2", line)


def test_a_page_without_an_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "_MOST_CHARACTERS", 100_000)
    with pytest.raises(ThemeError, match="more than 100,000 characters"):
        made(with_words(tmp_path, '{% for i in range(99999) %}{{ "x" * 999 }}{% endfor %}'))


@pytest.mark.parametrize("css", ["p:::x { color: red }", "p[ { color: red }", "p > { color: red }", "@page { x"])
def test_a_style_sheet_that_does_not_fit_is_no_traceback(css: str, tmp_path: Path) -> None:
    own(tmp_path, mail_css=css)
    try:
        made(load_theme("ours", tmp_path))
    except ThemeError as refused:
        assert "style sheet" in str(refused)


@pytest.mark.parametrize(
    ("head", "css"),
    [
        ("", "@import url({});"),
        ("", "@IMPORT '{}';"),
        ("", "@\\69mport url({});"),
        ("", "@charset 'utf-8'; @iMpOrT url({}) screen;"),
        ("", "p {{ margin: 0 }} @import url({});"),
        ("<style>@import url({});</style>", ""),
        ("<STYLE>@IMPORT url({});</STYLE>", ""),
        ("<sTyLe type='text/css'>@\\69mport url({});</sTyLe>", ""),
        ('<link rel="stylesheet" href="{}" />', ""),
    ],
)
def test_nothing_is_fetched_however_it_is_written(head: str, css: str, asked: tuple[str, list[str]]) -> None:
    url, heard = asked
    refused = None
    try:
        html = mail_html(DOCUMENT.format(head.format(url)), css.format(url))
    except ThemeError as error:
        refused = error
    else:
        assert not re.search(r"color:\s*red", html)
    assert heard == []
    assert refused is None or "@import" in str(refused)


def test_a_style_block_in_capitals_is_kept_as_it_is() -> None:
    block = "@supports (display:grid){.x{color:#123456}}"
    assert block in mail_html(DOCUMENT.format(f"<STYLE>{block}</STYLE>"), "")


def test_the_page_refuses_any_failure_of_a_filter(tmp_path: Path) -> None:
    theme = with_words(tmp_path, "{{ 1 | broken }}")

    def broken(_: object) -> Callable[[], None]:
        raise KeyError("no such thing")

    theme.environment.filters["broken"] = broken
    with pytest.raises(ThemeError, match="KeyError"):
        made(theme)
