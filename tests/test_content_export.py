"""Canonical Markdown reads back to the issue that it was written from."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from digest_lines import DAILY_LINES, GENERAL_LINES
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.content.daily import read_daily
from newsletter.content.document import read_issue
from newsletter.content.export import to_markdown
from newsletter.content.general import read_general
from newsletter.content.inline import canonical, escape
from newsletter.content.issue import (
    Code,
    Image,
    Issue,
    Listing,
    Mark,
    Paragraph,
    Points,
    Quote,
    Section,
    Source,
    Story,
    Table,
)
from newsletter.content.lines import split_lines
from subscribers.topics import Catalogue

PIECES = [
    *"ab中文，。（）*_`[]()<>&;~!\\ #：:-+|=.1\"'@{}%$",
    *(
        "说明：",
        "要点：",
        "来源出处：",
        "标记：",
        "Mark: 新",
        "正文：",
        "---",
        "1. ",
        "12) ",
        "## ",
        "http://a.example",
        "](",
        "](http://b.example)",
    ),
    *(
        "**",
        "~~",
        "```",
        "&amp;",
        "![",
        "\u3000",
        "（注）",
        "😀",
        "שלום",
        "ＡＢ",
        "> ",
        "- ",
        "[x]: http://c.example",
        "2026-02-31",
    ),
]
raw = st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map("".join)
maybe = st.lists(st.sampled_from(PIECES), max_size=8).map("".join).map(canonical)
inline = raw.map(canonical).filter(bool)
words = raw.map(lambda text: canonical(escape(text))).filter(bool)
plain_text = st.lists(st.sampled_from([p for p in PIECES if "\\" not in p]), min_size=1, max_size=6).map("".join)
name = plain_text.map(lambda text: " ".join(text.split())).filter(lambda text: text and not text.startswith("http"))
tag = name.filter(lambda text: "、" not in text)
url = st.sampled_from(
    ["https://a.example.org/x_(y)?a=1&amp=2#z", "http://b.example.org/", "https://c.example.org/%E4%B8%AD*_~"]
)
items = st.lists(inline, min_size=1, max_size=3).map(tuple)
tables = st.integers(1, 3).flatmap(
    lambda width: st.lists(st.lists(maybe, min_size=width, max_size=width).map(tuple), min_size=1, max_size=3)
)
block = st.one_of(
    st.builds(Paragraph, inline),
    st.builds(Points, maybe, items),
    st.builds(Listing, items, st.booleans()),
    st.builds(Quote, items),
    st.builds(
        Code, st.lists(st.sampled_from([*PIECES, "\n", "\t"]), max_size=8).map("".join), st.sampled_from(["", "python"])
    ),
    st.builds(Table, tables.map(tuple)),
    st.builds(Image, url, plain_text.map(escape)),
)
story = st.builds(
    Story,
    title=maybe,
    summary=maybe,
    background=maybe,
    points=st.lists(inline, max_size=3).map(tuple),
    source=st.none() | st.builds(Source, name, url | st.just("")),
    topics=st.lists(st.sampled_from(["policy", "models", "x-y"]), max_size=3, unique=True).map(tuple),
    tags=st.lists(tag, max_size=3).map(tuple),
    published=st.none() | st.sampled_from([datetime(2026, 2, 4, 8, 30), datetime(2026, 2, 4, tzinfo=UTC)]),
    body=st.lists(block, max_size=4).map(tuple),
    marks=st.sets(st.sampled_from(Mark))
    .map(lambda marks: tuple(mark for mark in Mark if mark in marks))
    .filter(lambda marks: not {Mark.FOLLOW_UP, Mark.NEW} <= {*marks}),
)
section = st.builds(
    Section,
    title=maybe,
    stories=st.lists(story, max_size=2).map(tuple),
    path=st.lists(inline, max_size=3).map(tuple),
    topic=st.sampled_from(["", "policy", "x-y"]),
)
issue = st.builds(
    Issue,
    title=maybe,
    date=st.none() | st.dates(),
    sections=st.lists(section, max_size=2).map(tuple),
    format=st.sampled_from(["daily", "report", "article", "general"]),
    subject=name | st.just(""),
    preheader=name | st.just(""),
)


def resolve(_: str) -> None:
    return None


@settings(max_examples=250, deadline=None)
@given(issue)
@example(
    Issue("", None, (Section("", (Story("", body=(Paragraph(r"[\[x\]: http://c.example](http://b.example)"),)),)),))
)
def test_reading_what_was_written_gives_the_same_issue(written: Issue) -> None:
    reading = read_issue(to_markdown(written).encode(), resolve=resolve)
    assert reading.issue == written, to_markdown(written)
    assert not reading.diagnostics


SEEDS = Path(__file__).resolve().parents[2] / "shared" / "seeds"


@pytest.mark.skipif(not SEEDS.exists(), reason="the sample documents do not lie at ../shared")
def test_the_sample_documents_survive_export() -> None:
    for path in SEEDS.glob("*.txt"):
        issue = read_issue(path.read_bytes(), resolve=Catalogue().resolve).issue
        assert issue
        assert read_issue(to_markdown(issue).encode(), resolve=Catalogue().resolve).issue == issue


@pytest.mark.parametrize("name", ["daily", "general"])
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_whatever_was_read_survives_export(name: str, data: st.DataObject) -> None:
    pieces, read = {"daily": (DAILY_LINES, read_daily), "general": (GENERAL_LINES, read_general)}[name]
    lines = data.draw(st.lists(st.sampled_from(pieces), max_size=12))
    issue = read(split_lines("\n".join(lines)), resolve).issue
    assert issue
    assert read_issue(to_markdown(issue).encode(), resolve=resolve).issue == issue
