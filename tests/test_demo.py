"""The samples are read as what they are, and a demo run ends with one sound mail for everybody who was due one."""

import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import date
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import cache
from html import unescape
from pathlib import Path
from typing import cast

import pytest

from newsletter.content.document import read_issue
from newsletter.content.inline import plain
from newsletter.content.judge import judge, with_topic
from newsletter.content.reading import Reading
from newsletter.web.server import listen
from subscribers.topics import Catalogue

ROOT = Path(__file__).parent.parent
ISSUES = ROOT / "examples" / "issues"
NEWEST = "2026-03-12"
DUE = {
    "lin.xiaolan": 10,
    "wang.jianguo": 5,
    "emma.clarke": 5,
    "chen.siyuan": 3,
    "zhao.ming": 3,
    "he.yutong": 5,
    "lucas.meyer": 2,
}
"""How many stories of the newest issue each sample reader has asked for; the others are to get no mail."""


def run_demo(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "examples" / "demo.py"],
        env={**os.environ, "SERVE": "0", "DEMO_FOLDER": str(folder), **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one whole run."""
    folder = tmp_path_factory.mktemp("demo") / "here"
    done = run_demo(folder, NEWSLETTER_DATABASE_URL="sqlite:////nowhere/somebody-elses.db")
    assert done.returncode == 0, done.stderr + done.stdout
    assert "7 messages arrived" in done.stdout
    return folder


@pytest.fixture(scope="module")
def messages(demo: Path) -> list[EmailMessage]:
    files = sorted((demo / "mailbox").glob("*.eml"))
    return [cast(EmailMessage, message_from_bytes(file.read_bytes(), policy=default)) for file in files]


def reader_of(message: EmailMessage) -> str:
    return str(message["To"].addresses[0].username)


def said(message: EmailMessage, subtype: str) -> str:
    """What a part says, without tags and blanks."""
    body = message.get_body((subtype,))
    text = str(body.get_content()) if body else ""
    return "".join(unescape(re.sub(r"<[^>]*>", "", text) if subtype == "html" else text).split())


def check(name: str) -> Reading:
    """Read and judge a sample on the day of the newest one; sections whose heading means no topic are policy."""
    catalogue = Catalogue()
    reading = with_topic(read_issue((ISSUES / name).read_bytes(), resolve=catalogue.resolve), "policy")
    known = {topic.slug for topic in catalogue.topics}
    return replace(reading, diagnostics=judge(reading, today=date.fromisoformat(NEWEST), topics_known=known))


@cache
def titles() -> list[str]:
    return ["".join(plain(story.title).split()) for story in check(f"{NEWEST}-daily.md").issue.stories]


def titles_in(message: EmailMessage, subtype: str) -> set[str]:
    text = said(message, subtype)
    return {title for title in titles() if title in text}


def test_there_is_a_sample_of_every_dialect() -> None:
    assert {check(file.name).issue.format for file in ISSUES.iterdir()} == {"daily", "report", "article", "general"}


@pytest.mark.parametrize(
    ("name", "form", "stories"),
    [
        ("2026-03-06-typed.md", "daily", 5),
        ("2026-03-07-digest.md", "general", 10),
        ("2026-03-08-report.txt", "report", 8),
        ("2026-03-09-article.txt", "article", 1),
        ("2026-03-10-daily.md", "daily", 9),
        ("2026-03-11-daily.md", "daily", 10),
        ("2026-03-12-daily.md", "daily", 10),
    ],
)
def test_a_sample_is_read_whole_in_its_dialect(name: str, form: str, stories: int) -> None:
    reading = check(name)
    assert (reading.issue.format, len(reading.issue.stories)) == (form, stories)
    assert reading.issue.title
    assert str(reading.issue.date) == name[:10]
    assert not reading.errors
    assert "unplaced" not in {finding.code for finding in reading.diagnostics}


def test_the_newest_sample_has_all_five_topics_and_nothing_to_mend() -> None:
    reading = check(f"{NEWEST}-daily.md")
    assert reading.diagnostics == ()
    assert {section.topic for section in reading.issue.sections} == {topic.slug for topic in Catalogue().topics}
    assert max(len(story.topics) for story in reading.issue.stories) == 2


def test_everybody_who_was_due_a_mail_got_exactly_one_and_nobody_else_did(messages: list[EmailMessage]) -> None:
    assert Counter(map(reader_of, messages)) == Counter(list(DUE))


def test_every_reader_got_as_many_stories_as_they_asked_for(messages: list[EmailMessage]) -> None:
    assert {reader_of(message): len(titles_in(message, "plain")) for message in messages} == DUE


def test_text_and_html_of_a_message_have_the_same_stories(messages: list[EmailMessage]) -> None:
    both = [message for message in messages if message.is_multipart()]
    assert len(both) == len(DUE) - 1
    for message in both:
        assert titles_in(message, "plain") == titles_in(message, "html")


def test_the_reader_who_wants_text_alone_gets_one_part(messages: list[EmailMessage]) -> None:
    assert [reader_of(one) for one in messages if one.get_content_type() == "text/plain"] == ["zhao.ming"]


def test_messages_parse_without_defects(messages: list[EmailMessage]) -> None:
    for message in messages:
        for part in message.walk():
            if not part.is_multipart():
                part.get_payload(decode=True)
            assert not part.defects
            assert not [defect for value in part.values() for defect in value.defects]


@pytest.mark.parametrize(
    "name", ["From", "To", "Subject", "Date", "Message-ID", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post"]
)
def test_messages_have_the_header_once(messages: list[EmailMessage], name: str) -> None:
    assert all(len(message.get_all(name, [])) == 1 for message in messages)


def test_no_list_header_is_an_encoded_word(demo: Path) -> None:
    for file in (demo / "mailbox").glob("*.eml"):
        head = file.read_bytes().partition(b"\r\n\r\n")[0]
        lists = re.findall(rb"(?mi)^List-[^\r\n]*(?:\r\n[ \t][^\r\n]*)*", head)
        assert len(lists) == 4
        assert not any(b"=?" in header for header in lists)


def test_message_ids_differ(messages: list[EmailMessage]) -> None:
    assert len({str(message["Message-ID"]) for message in messages}) == len(messages)


def test_a_folder_that_no_demo_made_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("dear to somebody")
    done = run_demo(tmp_path)
    assert done.returncode == 1
    assert "was not made by the demo" in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["letters.txt"]


def test_a_taken_port_is_said_before_any_work(tmp_path: Path) -> None:
    with listen("127.0.0.1", 0) as taken:
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run_demo(tmp_path / "here", SERVE="1", PORT=port)
    assert done.returncode == 1
    assert port in done.stderr
    assert "make demo PORT=8080" in done.stderr
    assert not (tmp_path / "here").exists()
