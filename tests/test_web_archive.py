"""The archive's pages: what they show, what is not there, and that no text of an issue becomes markup."""

import re
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from archive_samples import DAY, issue_text, publish_days, publish_text, story_text
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as trees
from web_samples import SCRIPT, far, near

from newsletter.app import Newsletter
from newsletter.archive.publishing import publish
from newsletter.archive.reading import PAGE
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
from newsletter.content.reading import Reading
from newsletter.storage.models import IssueRow
from newsletter.web.archive_view import Sheet, marked, sheet_of

SLUG = DAY.isoformat()
HEADLINE = "岬角市发布公共数据细则"
ENGLISH = {"accept-language": "en"}


def publish_issue(newsletter: Newsletter, *sections: Section, title: str = "岬角日报", on: date = DAY) -> Issue:
    """Publish an issue made of values, which no reading has cleaned."""
    now = datetime(2026, 3, 9, 12, tzinfo=UTC)
    with newsletter.session() as session:
        saved, _ = newsletter.issues(session).save(Reading(Issue(title, on, sections)), b"", now)
        session.get_one(IssueRow, saved.issue_id).approved_revision_id = saved.revision_id
        session.flush()
        publish(session, saved.issue_id, now)
    return saved.issue


@pytest.fixture
def published(newsletter: Newsletter) -> Newsletter:
    """An issue of two stories."""
    stories = story_text(HEADLINE, "细则写明哪些数据可以授权。") + story_text(
        "群岛实验室公开潮汐模型", "训练数据一并公开。"
    )
    publish_text(newsletter, issue_text(DAY, stories))
    return newsletter


def stories_of(newsletter: Newsletter, slug: str = SLUG) -> list[str]:
    """The addresses of an issue's stories, as its page links to them."""
    page = far(newsletter).get(f"/archive/{slug}").text
    return list(dict.fromkeys(re.findall(rf'href="(/archive/{slug}/[^"]+)"', page)))


def test_an_empty_archive_says_so(newsletter: Newsletter) -> None:
    page = far(newsletter).get("/archive")
    assert page.status_code == 200
    assert "还没有往期" in page.text


def test_issues_stand_under_their_months_the_newest_first(newsletter: Newsletter) -> None:
    publish_days(newsletter, 12)
    page = far(newsletter).get("/archive").text
    assert re.findall(r'class="month"[^>]*>([^<]+)<', page) == ["2026 年 3 月", "2026 年 2 月"]
    slugs = re.findall(r'href="/archive/([\d-]+)"', page)
    assert slugs == [(DAY - timedelta(days=back)).isoformat() for back in range(12)]


def test_pages_lead_on_and_back_and_beyond_the_last_there_is_none(newsletter: Newsletter) -> None:
    publish_days(newsletter, PAGE + 1)
    client = far(newsletter)
    assert 'href="/archive?page=2"' in client.get("/archive").text
    second = client.get("/archive?page=2")
    assert 'rel="next"' not in second.text
    assert 'rel="prev" href="/archive"' in second.text
    assert client.get("/archive?page=3").status_code == 404


@pytest.mark.parametrize("page", ["0", "-1", "x", "９", "1" * 400, "1.5", "%00"])
@pytest.mark.parametrize("path", ["/archive?", "/archive?q=a&", "/topic/models?"])
def test_what_is_no_page_number_is_no_page(published: Newsletter, path: str, page: str) -> None:
    answer = far(published).get(f"{path}page={page}")
    assert (answer.status_code, "内容没有这么多页" in answer.text) == (404, True)


def test_a_page_that_is_not_named_is_the_first(published: Newsletter) -> None:
    assert HEADLINE in far(published).get("/archive?page=").text


def test_a_search_finds_stories_and_marks_the_word(published: Newsletter) -> None:
    page = far(published).get("/archive", params={"q": "细则"}).text
    assert "找到 1 条" in page
    assert "岬角市发布公共数据<mark>细则</mark>" in page
    assert "<mark>细则</mark>写明哪些数据可以授权。" in page
    assert 'name="robots" content="noindex"' in page


def test_the_headline_repeats_the_beginning_alone_of_a_long_search(published: Newsletter) -> None:
    page = far(published).get("/archive", params={"q": "潮" * 90}).text
    assert re.findall(r"<h1[^>]*>(.*)</h1>", page) == [f"搜索“{'潮' * 39}…”"]
    assert f'value="{"潮" * 90}"' in page


def test_a_topic_stands_below_the_archive_in_the_navigation(published: Newsletter) -> None:
    assert '<a href="/archive" aria-current="true">' in far(published).get("/topic/models").text


def test_a_search_without_result_says_what_to_try(published: Newsletter) -> None:
    page = far(published).get("/archive", params={"q": "量子引力"})
    assert page.status_code == 200
    assert "没有找到和“量子引力”有关的内容" in page.text
    assert "试试更短的词" in page.text
    assert 'href="/topic/policy"' in page.text


@pytest.mark.parametrize(
    "q", [SCRIPT, '"><svg onload=alert(1)>', "'; DROP TABLE issue", "NEAR(", "*", "\x00", "a" * 5000]
)
def test_whatever_is_searched_for_is_only_text(published: Newsletter, q: str) -> None:
    page = far(published).get("/archive", params={"q": q})
    assert page.status_code == 200
    assert "<script>" not in page.text
    assert "<svg" not in page.text


@given(text=st.text(max_size=80), search=st.text(max_size=10))
def test_marking_changes_no_character_of_a_text(text: str, search: str) -> None:
    assert marked(text, search).replace("<mark>", "").replace("</mark>", "") == str(marked(text, ""))


def test_an_excerpt_shows_the_word_however_late_it_comes() -> None:
    assert "<mark>融资</mark>" in marked("很长的开头" * 100 + "融资" + "很长的结尾" * 100, "融资", 180)


def test_a_word_in_latin_letters_is_marked_as_a_whole_only() -> None:
    assert marked("AI 公司的 AIR，用 ai 做", "ai") == "<mark>AI</mark> 公司的 AIR，用 <mark>ai</mark> 做"


def test_an_issue_has_its_date_in_words_its_labels_and_its_contents(published: Newsletter) -> None:
    page = far(published).get(f"/archive/{SLUG}").text
    assert "2026 年 3 月 9 日 · 星期一" in page
    assert "岬角日报</h1>" in page
    for label in ("本期内容", "说明", "来源出处"):
        assert label in page
    anchors = re.findall(r'href="#(s-[^"]+)"', page)
    assert len(anchors) == 2
    assert all(f'id="{anchor}"' in page for anchor in anchors)


def test_a_page_speaks_the_browsers_language_and_says_where_a_story_is_in_another(published: Newsletter) -> None:
    page = far(published).get(f"/archive/{SLUG}", headers=ENGLISH).text
    assert '<html lang="en">' in page
    assert "Monday, 9 March 2026" in page
    assert '<b class="label" lang="en">Summary</b>' in page
    assert re.search(r'<section class="story" id="[^"]+" lang="zh-CN">', page)


def test_a_story_has_a_page_of_its_own_with_the_others_of_its_issue(published: Newsletter) -> None:
    first, second = stories_of(published)
    page = far(published).get(first).text
    assert f"<h1>{HEADLINE}</h1>" in page
    assert f'href="{second}"' in page
    assert 'href="/topic/policy"' in page
    assert 'href="/?topics=policy"' in page


def test_a_story_keeps_its_address_when_its_text_is_revised_and_a_dropped_one_is_gone(published: Newsletter) -> None:
    first, second = stories_of(published)
    publish_text(published, issue_text(DAY, story_text(HEADLINE, "细则改了一处。")))
    client = far(published)
    assert "细则改了一处。" in client.get(first).text
    assert client.get(second).status_code == 404
    assert "这一条" in client.get(second).text


@pytest.mark.parametrize(
    "path",
    [
        "/archive/2026-01-01",
        f"/archive/{SLUG}/abcdefghij",
        "/archive/x/y",
        "/topic/nothing",
        "/archive/%00",
        "/topic/%00",
    ],
)
def test_what_is_not_there_is_a_polite_404(published: Newsletter, path: str) -> None:
    page = far(published).get(path)
    assert page.status_code == 404
    assert "<h1>没有这个页面。</h1>" in page.text
    assert "no-store" in page.headers["cache-control"]


def test_a_draft_is_nobodys_to_read(newsletter: Newsletter) -> None:
    with newsletter.session() as session:
        issue = Issue("草稿", DAY, (Section("政策", (Story("还没写完"),)),))
        newsletter.issues(session).save(Reading(issue), b"", datetime(2026, 3, 9, tzinfo=UTC))
    assert far(newsletter).get(f"/archive/{SLUG}").status_code == 404
    assert "草稿" not in far(newsletter).get("/archive").text


def test_an_issue_leads_to_the_one_before_and_the_one_after(newsletter: Newsletter) -> None:
    publish_days(newsletter, 3)
    middle = (DAY - timedelta(days=1)).isoformat()
    page = far(newsletter).get(f"/archive/{middle}").text
    assert f'rel="prev" href="/archive/{(DAY - timedelta(days=2)).isoformat()}"' in page
    assert f'rel="next" href="/archive/{SLUG}"' in page
    assert 'rel="next"' not in far(newsletter).get(f"/archive/{SLUG}").text


def test_a_topic_says_what_it_is_about_and_lists_its_stories_and_feeds(published: Newsletter) -> None:
    page = far(published).get("/topic/policy").text
    assert "法律法规、政府规划、标准与国际规则" in page
    assert HEADLINE in page
    assert 'href="/?topics=policy"' in page
    assert (
        '<link rel="alternate" type="application/atom+xml" title="AI 行业动态：政策与监管" href="/feed/policy.xml">'
        in page
    )


def test_a_topic_without_stories_says_so(published: Newsletter) -> None:
    assert "这个主题还没有内容" in far(published).get("/topic/funding").text


def test_a_page_tells_messengers_and_search_engines_what_it_is(published: Newsletter) -> None:
    path = stories_of(published)[0]
    page = far(published).get(path).text
    for said in (
        f'<meta property="og:title" content="{HEADLINE}">',
        '<meta property="og:description" content="细则写明哪些数据可以授权。">',
        '<meta property="og:type" content="article">',
        f'<meta property="og:url" content="https://news.example.org{path}">',
        '<meta property="og:site_name" content="AI 行业动态">',
        '<meta property="og:locale" content="zh_CN">',
        '<meta property="article:published_time" content="2026-03-09T12:00:00+00:00">',
        f'<link rel="canonical" href="https://news.example.org{path}">',
        '<meta name="twitter:card" content="summary">',
    ):
        assert said in page
    assert 'name="robots"' not in page


def test_caches_may_keep_a_page_but_not_one_made_for_one_visitor(published: Newsletter) -> None:
    shared = far(published).get("/archive").headers
    assert (shared["cache-control"], shared["vary"]) == ("public, max-age=60", "accept-language, cookie")
    switched = far(published).get("/archive?language=en")
    assert "set-cookie" in switched.headers
    assert switched.headers["cache-control"] == "private, no-cache"
    assert near(published).get("/archive").headers["cache-control"] == "private, no-cache"


def test_looking_by_head_answers_like_get(published: Newsletter) -> None:
    for path in ("/archive", f"/archive/{SLUG}", "/topic/policy", stories_of(published)[0]):
        answer = far(published).head(path)
        assert (answer.status_code, answer.content) == (200, b"")


def elements(page: str) -> list[tuple[str, dict[str, str]]]:
    """The elements of a page with their attributes."""
    return [
        (str(element.tag), dict(element.attrib))
        for element in trees.document_fromstring(page).iter(trees.etree.Element)
    ]


def hostile_story(evil: str) -> Story:
    """A story with the same text in every place that has one."""
    return Story(
        title=evil,
        summary=evil,
        background=evil,
        points=(evil, f"[{evil}](javascript:alert(1))"),
        source=Source(evil, "javascript:alert(1)"),
        topics=("policy", evil),
        tags=(evil,),
        body=(
            Paragraph(evil),
            Points(evil, (evil,)),
            Listing((evil,), ordered=True),
            Quote((evil,)),
            Code(evil, evil),
            Table(((evil, evil), (evil, f'<a href="{evil}">'))),
            Image("javascript:alert(1)", evil),
            Image("https://spy.example.net/pixel.gif", evil),
        ),
    )


EVIL = (
    SCRIPT,
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title></script><svg/onload=alert(1)>",
    "[x](javascript:alert(1)) ![y](https://spy.example.net/z.png)",
    "{{ 7 * 7 }}{% raw %}",
    "\u202e\x00\ud800 <!--",
)


@pytest.mark.parametrize("evil", EVIL)
def test_no_text_of_an_issue_becomes_markup_on_any_page(newsletter: Newsletter, evil: str) -> None:
    evil = evil.replace("\ud800", "").replace("\x00", "")  # neither reaches a database
    issue = publish_issue(newsletter, Section(evil, (hostile_story(evil),), (evil, evil), "policy"), title=evil)
    client = far(newsletter)
    story = f"/archive/{SLUG}/{issue.stories[0].id}"
    for path in ("/archive", f"/archive/{SLUG}", story, "/topic/policy", "/archive?q=alert"):
        answer = client.get(path)
        assert answer.status_code == 200
        found = elements(answer.text)
        assert not {"script", "img", "svg", "iframe", "object", "style"} & {tag for tag, _ in found}
        for _, attributes in found:
            assert not any(name.startswith("on") or name == "style" for name in attributes)
            assert urlsplit(attributes.get("href", "")).scheme in ("", "http", "https")


def test_a_page_loads_nothing_from_elsewhere(newsletter: Newsletter) -> None:
    publish_issue(newsletter, Section("政策", (hostile_story("https://spy.example.net/a.png"),), (), "policy"))
    for tag, attributes in elements(far(newsletter).get(f"/archive/{SLUG}").text):
        assert "src" not in attributes
        if tag == "link" and attributes["rel"] in ("stylesheet", "icon"):
            assert attributes["href"].startswith("/static/")


def test_every_kind_of_block_is_shown_whole() -> None:
    long = "很长的一段。" * 500
    story = Story("标题", source=Source("来源", "https://example.org/"), body=(Paragraph(long),))
    sheet = sheet_of(Issue("日报", DAY, (Section("政策", (story,)),)))
    assert sheet.stories[0].body[0].size == len(long)


def test_a_heading_above_several_sections_is_shown_once() -> None:
    story = Story("标题")
    sections = (
        Section("政策发布", (story,), ("产业", "政策发布")),
        Section("技术产品", (story,), ("产业", "技术产品")),
        Section("高校", (story,), ("国际", "高校")),
    )
    sheet: Sheet = sheet_of(Issue("周报", DAY, sections))
    assert [part.above for part in sheet.parts] == [("产业",), (), ("国际",)]


def test_a_mark_stands_before_the_title_on_both_pages_in_the_language_of_the_page(newsletter: Newsletter) -> None:
    marks = (Mark.IMPORTANT, Mark.FOLLOW_UP)
    publish_issue(newsletter, Section("政策", (Story(HEADLINE, marks=marks), Story("另一条", marks=(Mark.NEW,)))))
    site = far(newsletter)
    for path in (f"/archive/{SLUG}", stories_of(newsletter)[0]):
        for headers, words in (({}, ["重要", "后续"]), (ENGLISH, ["Important", "Follow-up"])):
            page = trees.fromstring(site.get(path, headers=headers).text)
            (heading,) = page.xpath(f"//*[self::h1 or self::h2 or self::h3][contains(., '{HEADLINE}')]")
            assert [chip.text for chip in heading.xpath("span")] == words
            assert page.xpath("//h1/span | //h2/span | //h3/span") == heading.xpath("span")
