"""Feeds as feed readers see them, and the sitemap: whole, escaped, and the same for whatever a title holds."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

import feedparser
import pytest
from archive_samples import DAY, issue_text, publish_days, publish_text, story_text
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.app import Newsletter
from newsletter.archive.feeds import (
    MOST_ENTRIES,
    Feed,
    all_stories,
    atom,
    json_feed,
    personal_stories,
    topic_stories,
)
from newsletter.archive.lines import StoryLine, archived_issue
from newsletter.archive.reading import Archive
from newsletter.archive.sitemap import sitemap
from newsletter.content.escaping import tidy
from newsletter.content.inline import escape
from newsletter.content.issue import Code, Image, Issue, Listing, Points, Quote, Section, Source, Story, Table
from newsletter.render.spans import clean
from subscribers.preferences import Preferences

BASE = "https://news.example.org"
HOSTILE = (
    "<script>alert(1)</script>",
    "]]> & &amp; <![CDATA[",
    "控\x01制\x00字\x1f符\ufffe",
    "火箭 🚀 👩‍👩‍👧",
    "\u202eעברית\u202c",
    "\ud800 alone",
    "\"quotes\" and 'quotes'",
)


MOMENT = datetime(2026, 3, 9, 0, 30, tzinfo=UTC)


def line_of(title: str, **story: Any) -> StoryLine:
    """A line of an issue with one story; the title is plain text."""
    made = Story(title=escape(title), id="abc", topics=("policy",), **story)
    issue = Issue("日报", DAY, (Section("政策", (made,)),))
    return archived_issue("2026-03-09", DAY, MOMENT, MOMENT, issue).lines[0]


def feed_of(*lines: StoryLine, title: str = "岬角日报") -> Feed:
    return Feed(title, f"{BASE}/feed.xml", f"{BASE}/archive", lines)


def parsed(document: bytes) -> Any:
    """An Atom feed as a strict reader takes it."""
    found = feedparser.parse(document)
    assert not found.bozo, found.bozo_exception
    return found


@pytest.fixture
def told(newsletter: Newsletter) -> Newsletter:
    newsletter.settings.about = "每天早上的 AI 行业动态"
    newsletter.settings.about_en = "The day in AI"
    return newsletter


def test_an_atom_feed_says_whose_it_is_and_where_it_lies(told: Newsletter) -> None:
    found = parsed(atom(told, feed_of(line_of("消息")))).feed
    assert (found.title, found.subtitle, found.author) == ("岬角日报", "每天早上的 AI 行业动态", "AI 行业动态")
    assert {link.rel: link.href for link in found.links} == {"self": f"{BASE}/feed.xml", "alternate": f"{BASE}/archive"}
    assert (found.id, found.updated, found.language) == (f"{BASE}/feed.xml", "2026-03-09T00:30:00+00:00", "zh")


def test_an_entry_is_a_story_under_its_permanent_address(told: Newsletter) -> None:
    line = line_of("消息", summary="说明 **重点**", source=Source("岬角市", "https://city.example.org/a"))
    (entry,) = parsed(atom(told, feed_of(line))).entries
    assert (entry.id, entry.title, entry.summary) == (f"{BASE}/archive/2026-03-09/abc", "消息", "说明 重点")
    assert entry.content[0].value.startswith("<p>说明 <strong>重点</strong></p>")
    assert {link.rel: link.href for link in entry.links} == {
        "alternate": f"{BASE}/archive/2026-03-09/abc",
        "via": "https://city.example.org/a",
    }
    assert [(tag.term, tag.label) for tag in entry.tags] == [("policy", "政策与监管")]
    assert entry.published == entry.updated == "2026-03-09T00:30:00+00:00"


def test_a_json_feed_says_the_same(told: Newsletter) -> None:
    line = line_of("消息", summary="说明", source=Source("岬角市", "https://city.example.org/a"))
    found = json.loads(json_feed(told, Feed("Cape", f"{BASE}/feed.json", f"{BASE}/archive", (line,), "en")))
    (item,) = found.pop("items")
    assert found == {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Cape",
        "description": "The day in AI",
        "home_page_url": f"{BASE}/archive",
        "feed_url": f"{BASE}/feed.json",
        "language": "en",
        "authors": [{"name": "AI 行业动态"}],
    }
    assert item == {
        "id": f"{BASE}/archive/2026-03-09/abc",
        "url": f"{BASE}/archive/2026-03-09/abc",
        "external_url": "https://city.example.org/a",
        "title": "消息",
        "summary": "说明",
        "content_html": '<p>说明</p><p><a href="https://city.example.org/a">岬角市</a></p>',
        "date_published": "2026-03-09T00:30:00+00:00",
        "date_modified": "2026-03-09T00:30:00+00:00",
        "tags": ["Policy & Regulation"],
        "language": "zh-CN",
    }


def test_a_feed_without_stories_is_a_feed(told: Newsletter) -> None:
    assert parsed(atom(told, feed_of())).entries == []
    assert json.loads(json_feed(told, feed_of()))["items"] == []


@pytest.mark.parametrize("title", HOSTILE)
def test_hostile_titles_stay_text_in_both_feeds(told: Newsletter, title: str) -> None:
    line = line_of(title, summary=escape(title), source=Source(title, f"https://x.example.org/?{title}"))
    feed = feed_of(line, title=title)
    root = ET.fromstring(atom(told, feed))
    name = "{http://www.w3.org/2005/Atom}"
    assert root.findtext(f"{name}title") == clean(title)
    assert root.findtext(f"{name}entry/{name}title") == root.findtext(f"{name}entry/{name}summary") == line.title
    assert line.title == clean(tidy(title)).strip()
    found = json.loads(json_feed(told, feed))
    assert (found["title"], found["items"][0]["title"]) == (clean(title), line.title)
    for content in (root.findtext(f"{name}entry/{name}content"), found["items"][0]["content_html"]):
        assert "<script" not in str(content)


@given(st.text(), st.text())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_makes_a_feed_that_can_be_read(told: Newsletter, title: str, text: str) -> None:
    body = (Code(text), Points(text, (text,)), Quote((text,)), Table(((text, text), (text,))), Image(text, text))
    feed = feed_of(line_of(title, summary=text, body=body, source=Source(text, text), tags=(text,)), title=title)
    (entry,) = ET.fromstring(atom(told, feed)).findall("{http://www.w3.org/2005/Atom}entry")
    (item,) = json.loads(json_feed(told, feed))["items"]
    assert entry.findtext("{http://www.w3.org/2005/Atom}content") == item["content_html"]


def test_the_content_is_the_whole_story(told: Newsletter) -> None:
    body = (
        Points("要点", ("甲", "乙")),
        Listing(("一", "二"), ordered=True),
        Quote(("引文",)),
        Code("x < 1\n  y"),
        Table((("名", "数"), ("甲", "1"))),
        Image("https://x.example.org/a.png", "图"),
    )
    line = line_of("消息", background="背景", points=("点",), body=body)
    assert json.loads(json_feed(told, feed_of(line)))["items"][0]["content_html"] == (
        "<p>背景</p><ul><li>点</li></ul>"
        "<p><strong>要点</strong></p><ul><li>甲</li><li>乙</li></ul>"
        "<ol><li>一</li><li>二</li></ol>"
        "<blockquote><p>引文</p></blockquote>"
        "<pre><code>x &lt; 1\n  y</code></pre>"
        "<table><tr><th>名</th><th>数</th></tr><tr><td>甲</td><td>1</td></tr></table>"
        '<p><a href="https://x.example.org/a.png">图</a></p>'
    )


def test_a_feed_of_everything_brings_the_newest_fifty(newsletter: Newsletter) -> None:
    for back in range(3):
        stories = "\n".join(story_text(f"第{back}天的第{number}条") for number in range(20))
        publish_text(newsletter, issue_text(DAY - timedelta(days=back), stories))
    titles = [line.title for line in all_stories(Archive(newsletter))]
    assert len(titles) == MOST_ENTRIES
    assert (titles[0], titles[20], titles[-1]) == ("第0天的第0条", "第1天的第0条", "第2天的第9条")


def test_a_topic_s_feed_brings_its_stories_alone(newsletter: Newsletter) -> None:
    publish_days(newsletter, 2)
    publish_text(newsletter, issue_text(DAY + timedelta(days=1), story_text("融资消息"), "融资"))
    assert [line.title for line in topic_stories(Archive(newsletter), "funding")] == ["融资消息"]
    assert len(topic_stories(Archive(newsletter), "policy")) == 2


def test_a_personal_feed_brings_what_the_reader_s_mail_would(newsletter: Newsletter) -> None:
    publish_days(newsletter, 2)
    stories = "\n".join(story_text(title) for title in ("火星基金", "月球基金", "火星上市"))
    publish_text(newsletter, issue_text(DAY + timedelta(days=1), stories, "融资"))
    archive = Archive(newsletter)

    def titles(**wanted: Any) -> list[str]:
        return [line.title for line in personal_stories(archive, Preferences(**wanted))]

    assert titles(topics=("funding",), most=2) == ["火星基金", "月球基金"]
    assert titles(topics=("funding",), mute=("月球",)) == ["火星基金", "火星上市"]
    assert titles(topics=("policy",), follow=("上市",)) == ["火星上市", "第0天前的消息", "第1天前的消息"]


def test_the_sitemap_names_every_page_of_the_archive(newsletter: Newsletter) -> None:
    publish_days(newsletter, 2)
    lines = [line for issue in Archive(newsletter).newest(2) for line in issue.lines]
    root = ET.fromstring(sitemap(newsletter))
    name = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
    found = [str(url.findtext(f"{name}loc")) for url in root]
    assert found[:3] == [f"{BASE}/", f"{BASE}/archive", f"{BASE}/topic/policy"]
    assert {BASE + line.path for line in lines} <= set(found)
    assert {f"{BASE}/archive/{line.slug}" for line in lines} <= set(found)
    assert len(found) == len(set(found)) == 2 + 5 + 2 + 2
