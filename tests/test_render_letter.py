"""Letters to one person, of every kind in every language: well-formed, and the same in either part."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inbox.samples import PUBLICATIONS

from newsletter.readers.models import LetterKind
from newsletter.render.headers import MessageRefused
from newsletter.render.letter import Stationery, Written, letter
from newsletter.render.letter_words import KINDS, Facts, Latest, words_of
from newsletter.render.recipient import Message
from newsletter.render.spans import clean
from newsletter.render.theme import load_theme, templates_dir
from subscribers.preferences import LANGUAGES

BASE = "https://news.example.org"
LATEST = Latest(f"{BASE}/archive/2026-03-09", date(2026, 3, 9), "一周 <要闻>", ("潮汐模型公开", "Echo-2 <open>"))
TO_READERS = ("already", "welcome", "preferences")
DATE = datetime(2026, 3, 9, 8, 30, tzinfo=UTC)
KEY = "letter.0123456789abcdef01234567"
HREF = re.compile(r'href="([^"]+)"')
URL = re.compile(r"https?://\S+")
EVERY = [(kind, language) for kind in KINDS for language in LANGUAGES]


@pytest.fixture(scope="module")
def stationery() -> Stationery:
    return Stationery(load_theme())


def facts(
    kind: str, newsletter: str = "AI 行业动态", topics: tuple[str, ...] = ("模型与技术进展", "政策与监管")
) -> Facts:
    reader = kind in TO_READERS
    return Facts(
        kind=kind,
        newsletter=newsletter,
        address="chen@example.com",
        link=f"{BASE}/link/abcdMAC0123",
        topics=topics,
        other="xiao@example.net" if kind in ("address", "moved") else "",
        preferences=f"{BASE}/preferences/abcdMAC0123" if reader else "",
        unsubscribe=f"{BASE}/unsubscribe/abcdMAC4567" if reader else "",
        latest=LATEST if kind == "welcome" else None,
    )


def written(stationery: Stationery, kind: str, language: str) -> Written:
    return stationery.write(PUBLICATIONS[language], facts(kind), language)


def message(stationery: Stationery, kind: str, language: str = "zh") -> Message:
    return letter(PUBLICATIONS[language], written(stationery, kind, language), facts(kind), DATE, KEY)


def parsed(stationery: Stationery, kind: str, language: str = "zh") -> EmailMessage:
    mail = message_from_bytes(message(stationery, kind, language).data, policy=default)
    assert isinstance(mail, EmailMessage)
    return mail


def test_there_is_a_letter_of_every_kind() -> None:
    assert set(KINDS) == set(LetterKind)


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_a_letter_parses_without_defects_into_what_was_written(
    stationery: Stationery, kind: str, language: str
) -> None:
    mail, meant = parsed(stationery, kind, language), written(stationery, kind, language)
    parts = list(mail.iter_parts())
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    assert not any(thing.defects for thing in (mail, *parts, *mail.values()))
    assert [part.get_content().replace("\r\n", "\n") for part in parts] == [meant.text, meant.html]
    assert mail["Subject"] == meant.subject


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_text_and_html_name_the_same_links(stationery: Stationery, kind: str, language: str) -> None:
    meant = written(stationery, kind, language)
    assert {unescape(url) for url in HREF.findall(meant.html)} == set(URL.findall(meant.text))
    assert f"{BASE}/" in meant.text


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_no_letter_shows_a_whole_address(stationery: Stationery, kind: str, language: str) -> None:
    meant = written(stationery, kind, language)
    for part in (meant.html, meant.text, meant.subject):
        assert "chen@" not in part
        assert "xiao@" not in part
    assert "c***@example.com" in meant.text


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_lines_and_headers_are_fit_for_the_wire(stationery: Stationery, kind: str, language: str) -> None:
    data = message(stationery, kind, language).data
    assert data.isascii()
    assert data.replace(b"\r\n", b"").find(b"\n") == data.replace(b"\r\n", b"").find(b"\r") == -1
    assert all(len(line) <= 98 and not line.startswith(b".") for line in data.split(b"\r\n"))


@pytest.mark.parametrize("kind", KINDS)
def test_nobodys_machine_shall_answer_a_letter(stationery: Stationery, kind: str) -> None:
    mail = parsed(stationery, kind)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["From"].addresses == (Address("AI 行业动态", "daily", "example.org"),)
    assert mail["To"].addresses == (Address("", "chen", "example.com"),)
    assert mail["Reply-To"].addresses == (Address("编辑部", "desk", "example.org"),)
    assert mail["Message-ID"] == f"<{KEY}@example.org>"
    assert mail["Date"].datetime == DATE


@pytest.mark.parametrize("kind", KINDS)
def test_only_readers_have_a_list_to_leave(stationery: Stationery, kind: str) -> None:
    mail = parsed(stationery, kind)
    named = {name for name in mail.keys() if name.startswith("List-")}  # noqa: SIM118 (a message is no mapping)
    if kind not in TO_READERS:
        assert named == set()
        return
    assert {"List-Id", "List-Unsubscribe", "List-Unsubscribe-Post"} <= named
    assert mail["List-Unsubscribe"] == (
        f"<{BASE}/unsubscribe/abcdMAC4567>, <mailto:leave@example.org?subject=unsubscribe%20abcdMAC4567>"
    )
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_letter_is_the_same_bytes_every_time(stationery: Stationery) -> None:
    assert message(stationery, "welcome") == message(Stationery(load_theme()), "welcome")


def test_nothing_that_was_typed_in_becomes_markup(stationery: Stationery) -> None:
    spoilt = facts("confirm", "<script>alert(1)</script> & Co", ("<b>政策</b>", "{{ 7 * 7 }}"))
    meant = stationery.write(PUBLICATIONS["zh"], spoilt, "zh")
    assert "<script>" not in meant.html
    assert "&lt;b&gt;政策&lt;/b&gt;" in meant.html
    assert "- <b>政策</b>\n- {{ 7 * 7 }}" in meant.text


@given(st.sampled_from(LANGUAGES), st.lists(st.text().map(clean).filter(bool), max_size=4))
@settings(max_examples=25)
def test_whatever_a_topic_is_called_a_letter_names_it_and_parses(
    stationery: Stationery, language: str, topics: list[str]
) -> None:
    about = facts("confirm", topics=tuple(topics))
    meant = stationery.write(PUBLICATIONS[language], about, language)
    mail = message_from_bytes(letter(PUBLICATIONS[language], meant, about, DATE, KEY).data, policy=default)
    assert all(f"\n- {topic}\n" in meant.text for topic in topics)
    assert [part.get_content().replace("\r\n", "\n") for part in mail.iter_parts()] == [meant.text, meant.html]


def test_an_address_that_is_none_is_refused() -> None:
    spoilt = replace(facts("confirm"), address="chen@example.com>\r\nBcc: <all@example.com")
    with pytest.raises(MessageRefused, match="the address of the letter"):
        letter(PUBLICATIONS["zh"], Written("s", "<p>", "t"), spoilt, DATE, KEY)


def test_the_headline_is_that_of_the_mails_and_the_button_needs_no_style_block(stationery: Stationery) -> None:
    page = written(stationery, "confirm", "zh").html
    bare = re.sub(r"<style.*?</style>", "", page, flags=re.DOTALL)
    assert 'style="color:#1677ff;font-size:18px;font-weight:bold"' in bare
    button = re.search(rf'<a href="{BASE}/link[^>]*style="([^"]*)"', bare) or re.search(
        rf'<a [^>]*style="([^"]*)"[^>]*href="{BASE}/link', bare
    )
    assert button is not None
    assert "padding:12px 32px" in button[1]
    assert "line-height:24px" in button[1]
    assert "color:#ffffff" in button[1]


def test_letters_take_the_colours_of_the_theme_that_is_set(tmp_path: Path) -> None:
    folder = tmp_path / "autumn"
    folder.mkdir()
    (folder / "theme.toml").write_text(
        'extends = "daily"\nname = { zh = "秋", en = "Autumn" }\ndescription = { zh = "秋", en = "Autumn" }\n'
        '[light]\nlink = "#7a3e00"\n',
        "utf-8",
    )
    page = Stationery(load_theme("autumn", tmp_path)).write(PUBLICATIONS["zh"], facts("confirm"), "zh").html
    assert 'bgcolor="#7a3e00"' in page
    assert "#0958d9" not in page


def test_a_welcome_without_an_issue_leads_to_the_preferences(stationery: Stationery) -> None:
    words = words_of(load_theme().language("en"), replace(facts("welcome"), latest=None))
    assert words.button.url == f"{BASE}/preferences/abcdMAC0123"
    assert [link.label for link in words.links] == ["Unsubscribe"]


def test_the_templates_lie_in_the_designers_room() -> None:
    assert {"letter.mjml.j2", "letter.txt.j2"} <= {path.name for path in (templates_dir() / "letters").iterdir()}
