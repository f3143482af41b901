"""The door: any bytes in, a reading out."""

import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.content.document import MAX_BYTES, read_issue
from newsletter.content.export import to_markdown
from newsletter.content.issue import Source
from newsletter.content.reading import Reading
from subscribers.topics import Catalogue

DAILY = """\
# AI 早报 (2026-02-04)

**政策与监管**

- **某市发布算力券**
  说明：企业可以申领。
  来源出处：[某报](https://a.example/x)
"""


def read(data: bytes | str, title: str = "", day: date | None = None) -> Reading:
    raw = data.encode() if isinstance(data, str) else data
    return read_issue(raw, resolve=Catalogue().resolve, title=title, date=day)


def codes(reading: Reading) -> list[str]:
    return [found.code for found in reading.errors]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \r\n\t\n", "empty"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)), "encoding"),
        ("déjà vu à la carte".encode("latin-1"), "encoding"),
        (b"a" * (MAX_BYTES + 1), "too-large"),
        (b"a" * 50_000_000, "too-large"),
    ],
    ids=["empty", "blank", "binary", "latin-1", "over size", "50 MB"],
)
def test_what_cannot_be_read_is_an_error_and_no_issue(data: bytes, code: str) -> None:
    reading = read(data)
    assert reading.issue is None
    assert codes(reading) == [code]


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        (DAILY.replace("https://a.example/x", "javascript:alert(1)"), "link-scheme", 7),
        (DAILY.replace("2026-02-04", "20260-02-04"), "date-impossible", 1),
        ("---\ndate: 2026-02-31\n---\n" + DAILY, "date-impossible", 2),
        ("---\ntitle: a: b\n---\n" + DAILY, "front-matter", 2),
        ("---\ntopics: 天气\n---\n" + DAILY, "topic-unknown", 2),
        (DAILY + "\n" + "> " * 1000 + "x", "too-deep", 9),
    ],
)
def test_a_fault_is_an_error_with_its_line_in_the_file(text: str, code: str, line: int) -> None:
    assert [(found.code, found.line) for found in read(text).errors] == [(code, line)]


def test_an_unclosed_span_is_read_for_its_text_and_named_at_its_line() -> None:
    reading = read(DAILY.replace("# ", '<span style="color:#1677ff;"># ', 1))
    assert reading.issue
    assert reading.issue.title == "AI 早报"
    assert [(found.code, found.line) for found in reading.diagnostics] == [("span-unclosed", 1)]


def test_a_span_in_code_is_no_tag() -> None:
    assert read(DAILY + "\nUse `<span>` so.\n\n```html\n<span>\n```\n").errors == ()


def test_a_heading_alone_is_an_issue_without_stories() -> None:
    issue = read("# AI 早报 (2026-02-04)\n").issue
    assert issue
    assert (issue.title, issue.date, issue.sections) == ("AI 早报", date(2026, 2, 4), ())


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (DAILY, "daily"),
        ("# Digest\n\n## Models\n\n- [A](https://a.example)\n", "general"),
        ("---\ncanonical: report\n---\n# 周报\n\n## 甲\n", "report"),
    ],
)
def test_the_dialect_is_found(text: str, name: str) -> None:
    issue = read(text).issue
    assert issue
    assert issue.format == name


@pytest.mark.parametrize("name", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gb18030"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encoding_and_line_ends_make_no_difference(name: str, end: str) -> None:
    assert read(DAILY.replace("\n", end).encode(name)) == read(DAILY)


def test_front_matter_goes_before_the_text_and_arguments_before_both() -> None:
    front = "---\ntitle: 晚报\ndate: 2026-02-05\nsubject: 今日\npreheader: 先睹\n---\n"
    first, second = read(front + DAILY).issue, read(front + DAILY, "号外", date(2026, 2, 6)).issue
    assert first
    assert second
    assert (first.title, first.date, first.subject, first.preheader) == ("晚报", date(2026, 2, 5), "今日", "先睹")
    assert (second.title, second.date) == ("号外", date(2026, 2, 6))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (DAILY, 4),
        ("# Digest\n\n## Models\n\n- [A](https://a.example)\n", 4),
        ("\n<span>AI 日报</span>\n" + DAILY.partition("\n")[2], 5),
        ("星河周报\n\n一、软件产业\n1. 星河模型开放权重\n标签：模型\n北辰实验室开放了权重。\n", 4),
    ],
    ids=["daily", "general", "styled", "report"],
)
def test_a_heading_that_the_front_matter_replaces_is_quoted_with_its_line(text: str, line: int) -> None:
    heading = text.lstrip().partition("\n")[0]
    (found,) = read("---\ntitle: 晚报\n---\n" + text).diagnostics
    assert (found.code, found.line, found.severity) == ("unplaced", line, "warning")
    assert "“晚报”, is used" in found.message and heading in found.message


@pytest.mark.parametrize("title", ["AI 早报", "**AI** 早报", "AI 早报 (2026-02-04)"])
def test_a_heading_that_says_the_same_as_the_front_matter_is_no_finding(title: str) -> None:
    assert read(f'---\ntitle: "{title}"\n---\n' + DAILY).diagnostics == ()


def test_a_title_given_as_an_argument_replaces_the_heading_silently() -> None:
    assert read("---\ntitle: 晚报\n---\n" + DAILY, "号外").diagnostics == ()


def test_a_key_twice_in_the_front_matter_is_an_error_with_its_line() -> None:
    found = read("---\ntitle: 晚报\ntitle: 号外\n---\n" + DAILY).errors
    assert [(fault.code, fault.line) for fault in found] == [("front-matter", 3)]


def test_text_between_two_rules_at_the_top_is_read() -> None:
    reading = read(
        "---\n\n## Models\n\n- [A: one](https://a.example)\n\n---\n\n## Policy\n\n- [B](https://b.example)\n"
    )
    assert reading.issue
    assert [story.title for story in reading.issue.stories] == ["A: one", "B"]
    assert reading.diagnostics == ()


def test_a_source_beside_a_bare_address_has_a_name_without_gaps() -> None:
    issue = read(DAILY.replace("[某报](https://a.example/x)", "新华网 https://a.example/x 记者")).issue
    assert issue
    assert [story.source for story in issue.stories] == [Source("新华网 记者", "https://a.example/x")]


def test_a_date_given_outside_settles_an_impossible_one() -> None:
    assert codes(read(DAILY.replace("02-04", "02-31"), day=date(2026, 2, 4))) == []


def test_lines_count_in_the_file_front_matter_included() -> None:
    reading = read(("---\ntitle: 晚报\n---\n" + DAILY).replace("\n", "\r\n"))
    assert (reading.section_lines, reading.story_lines) == ((6,), (8,))


def test_topics_of_the_front_matter_fill_only_sections_without_one() -> None:
    text = "---\ntopics: 模型、funding\n---\n" + DAILY + "\n**海外速递**\n\n- **乙**\n  说明：二\n"
    issue = read(text).issue
    assert issue
    assert [(s.topic, s.stories[0].topics) for s in issue.sections] == [
        ("policy", ("policy",)),
        ("models", ("models", "funding")),
    ]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_raise(data: bytes) -> None:
    assert read(data).diagnostics or read(data).issue


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300))
def test_no_text_raises(text: str) -> None:
    reading = read(text.encode("utf-8", "surrogatepass"))
    assert reading.diagnostics or reading.issue


FORMAT_PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "issue-format.md"
EXAMPLES = re.findall(r"^````markdown (\w+)\n(.*?)^````$", FORMAT_PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("name", "text"), EXAMPLES)
def test_the_examples_of_the_format_page_read_as_they_say(name: str, text: str) -> None:
    reading = read(text)
    assert reading.issue
    assert reading.issue.format == name
    assert reading.issue.stories
    assert reading.diagnostics == ()


@pytest.mark.parametrize(("_name", "text"), EXAMPLES)
def test_the_examples_survive_export(_name: str, text: str) -> None:
    issue = read(text).issue
    assert issue
    assert read(to_markdown(issue)).issue == issue
