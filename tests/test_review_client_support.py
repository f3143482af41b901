"""What mail clients lack: found in a mail by the data that ship, and not found where it is only an addition."""

import hashlib
import json
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inbox.judges.clients import CLIENTS

from newsletter.compose.edition import Edition
from newsletter.content.issue import Issue
from newsletter.render.assemble import assemble
from newsletter.render.compile import compile_issue
from newsletter.render.message import html_of
from newsletter.render.size import full_edition
from newsletter.render.theme import load_theme, theme_names
from newsletter.render.theme_sample import PUBLICATION, READER, sample_issue
from newsletter.review.client_support import support, unsupported
from newsletter.review.features import used
from newsletter.review.style_rules import Rule, declarations, rules
from subscribers.topics import Catalogue

DATA = Path(str(files("newsletter.review"))) / "data"


def mail(theme: str, issue: Issue) -> str:
    compiled = compile_issue(issue, theme=load_theme(theme), language="zh", topics=Catalogue(), publication=PUBLICATION)
    edition: Edition = full_edition(compiled)
    return html_of(assemble(compiled, edition), READER)


def lacking(html: str) -> dict[str, tuple[str, ...]]:
    return {one.slug: one.clients for one in unsupported(f"<html><body>{html}</body></html>")}


@pytest.mark.parametrize("theme", theme_names())
def test_a_theme_that_ships_uses_nothing_that_a_client_lacks(theme: str) -> None:
    assert unsupported(mail(theme, sample_issue(10, bodies=True))) == []


@pytest.mark.parametrize(
    ("html", "slug", "client"),
    [
        ('<p style="position:absolute">x</p>', "css-position", "Gmail (web)"),
        ('<video src="https://a.example.org/b.mp4"></video>', "html-video", "Outlook (Windows)"),
        ('<div style="DISPLAY : FLEX ; gap:4px">x</div>', "css-display-flex", "Outlook (Windows)"),
        ('<table style="table-layout:fixed"></table>', "css-table-layout", "Outlook (Windows)"),
        ("<style>@media (max-width:480px){.a{display:grid}}</style>", "css-display-grid", "Gmail (web)"),
        ('<form action="https://a.example.org/"><input name="a"></form>', "html-form", "Outlook (Windows)"),
        ("<style>.a:hover{color:#000000}</style>", "css-pseudo-class-hover", "Gmail (iOS)"),
        ("<style>.a::before{color:#000000}</style>", "css-pseudo-element-before", "Gmail (web)"),
        ("<style>@import 'a.css';</style>", "css-at-import", "Gmail (web)"),
        ("<style>@font-face{font-family:a}</style>", "css-at-font-face", "Gmail (web)"),
        ('<p style="width:calc(100% - 4px)">x</p>', "css-unit-calc", "Yahoo! Mail (web)"),
        ('<p style="font-size:1.2rem">x</p>', "css-unit-rem", "Outlook (Windows)"),
        ('<p style="--a:1">x</p>', "css-variables", "Gmail (web)"),
        ('<img src="https://a.example.org/b.webp" alt="">', "image-webp", "Outlook (Windows)"),
        ('<details><summary>x</summary></details>', "html-semantics", "Outlook (Windows)"),
        ('<a href="#there">x</a>', "html-anchor-links", "Gmail (iOS)"),
        ('<p style="margin-inline-start:4px">x</p>', "css-margin-inline-start-end", "Gmail (web)"),
    ],
)  # fmt: skip
def test_what_a_client_lacks_is_found_with_the_client(html: str, slug: str, client: str) -> None:
    assert client in lacking(html)[slug]


@pytest.mark.parametrize(
    "html",
    [
        '<p style="color:#1f2329;font-size:16px;margin:0 0 8px">x</p>',
        "<style>@media (prefers-color-scheme:dark){.a{box-shadow:0 0 1px #000000}}</style>",
        "<style>[data-ogsc] .a{box-shadow:0 0 1px #000000}</style>",
        '<div style="display:none;max-height:0;overflow:hidden">x</div>',
        '<!--[if mso]><table style="position:absolute"><tr><td></td></tr></table><![endif]-->',
        "<style>/* .a{position:absolute} */</style>",
        "<p style=\"font-family:'rem 4rem'\">x</p>",
    ],
)
def test_what_everybody_knows_or_nobody_misses_is_no_finding(html: str) -> None:
    assert lacking(html) == {}


def test_the_clients_are_those_that_the_inbox_judges_by() -> None:
    read = json.loads((DATA / "caniemail" / "caniemail.json").read_text("utf-8"))
    assert tuple(read["clients"]) == CLIENTS
    assert all(len(feature["support"]) == len(CLIENTS) for feature in read["features"].values())


def test_the_data_are_those_of_their_lock_and_their_licence_lies_beside_them() -> None:
    [package] = json.loads((DATA / "vendor.lock.json").read_text("utf-8"))
    there = {str(file.relative_to(DATA)) for file in (DATA / "caniemail").rglob("*")}
    assert (package["name"], package["licence"], there) == ("caniemail", "MIT", set(package["files"]))
    for path, digest in package["files"].items():
        assert hashlib.sha512((DATA / path).read_bytes()).hexdigest() == digest
    assert support().updated in (DATA / "caniemail" / "caniemail.json").read_text("utf-8")


def test_rules_in_a_query_are_found_with_it() -> None:
    assert list(rules("@media screen { .a, .b { color : Red ; } } .c{}")) == [
        Rule(".a, .b", (("color", "red"),), ("@media screen",)),
        Rule("@media screen", ()),
        Rule(".c", ()),
    ]


def test_a_rule_inside_another_is_nesting() -> None:
    assert "css-nesting" in used("<style>.a{color:#000000;.b{color:#ffffff}}</style>")


@given(st.text(alphabet="{};:@./*abc \"'\n", max_size=80))
def test_any_style_sheet_is_read_to_its_end(css: str) -> None:
    assert all(isinstance(rule, Rule) for rule in rules(css))
    assert all(name for name, _ in declarations(css))


@given(st.text(alphabet="<>/=\"' abpstyle-!{}:;", max_size=80))
def test_any_page_is_looked_at(html: str) -> None:
    assert isinstance(used(html), dict)
