"""Feeds, the sitemap and robots.txt: what programs fetch, how often, and what they are never given."""

import json
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from xml.etree import ElementTree as ET

import pytest
from archive_samples import DAY, issue_text, publish_days, publish_text, story_text
from web_samples import SCRIPT, add_reader, far

from newsletter.app import Newsletter
from subscribers.models import Subscriber
from subscribers.preferences import Preferences
from subscribers.tokens import Purpose

ATOM = "{http://www.w3.org/2005/Atom}"
ADDRESS = "wen@example.com"
FEEDS = ("/feed.xml", "/feed.json", "/feed/policy.xml", "/feed/policy.json")


@pytest.fixture
def published(newsletter: Newsletter) -> Newsletter:
    """Three issues of one story each."""
    publish_days(newsletter, 3)
    return newsletter


def person_of(newsletter: Newsletter, *topics: str, language: str = "zh") -> Subscriber:
    """A new reader."""
    add_reader(newsletter, ADDRESS, *topics, language=language)
    with newsletter.session() as session:
        person = newsletter.people(session).get(ADDRESS)
        assert person is not None
        return person


def own_feed(newsletter: Newsletter, person: Subscriber, ending: str = "xml") -> str:
    """The address of a reader's own feed."""
    return f"/feed/my/{newsletter.tokens.make(Purpose.FEED, person.public_id)}.{ending}"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/feed.xml", "application/atom+xml; charset=utf-8"),
        ("/feed.json", "application/feed+json"),
        ("/feed/policy.xml", "application/atom+xml; charset=utf-8"),
        ("/feed/policy.json", "application/feed+json"),
        ("/sitemap.xml", "application/xml; charset=utf-8"),
    ],
)
def test_each_has_its_media_type_and_no_browser_takes_it_for_another(
    published: Newsletter, path: str, kind: str
) -> None:
    answer = far(published).get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "script-src" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/feed.xml", "/feed/policy.xml"])
def test_an_atom_feed_has_the_newest_stories_first_under_their_permanent_addresses(
    published: Newsletter, path: str
) -> None:
    root = ET.fromstring(far(published).get(path).content)
    ids = [entry.findtext(f"{ATOM}id") or "" for entry in root.iter(f"{ATOM}entry")]
    days = [(DAY - timedelta(days=back)).isoformat() for back in range(3)]
    assert [address.split("/")[-2] for address in ids] == days
    assert all(far(published).get(address).status_code == 200 for address in ids)
    links = {link.get("rel"): link.get("href") for link in root.findall(f"{ATOM}link")}
    assert links["self"] == f"https://news.example.org{path}"


def test_a_topics_feed_has_no_other_topics_stories(published: Newsletter) -> None:
    items = json.loads(far(published).get("/feed/models.json").content)["items"]
    assert items == []


@pytest.mark.parametrize("path", FEEDS)
def test_who_has_a_feed_already_is_told_so_in_no_words(published: Newsletter, path: str) -> None:
    client = far(published)
    first = client.get(path)
    tag, changed = first.headers["etag"], first.headers["last-modified"]
    for condition in (
        {"if-none-match": tag},
        {"if-none-match": f'"other", W/{tag}'},
        {"if-none-match": "*"},
        {"if-modified-since": changed},
    ):
        answer = client.get(path, headers=condition)
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == tag


def test_the_tag_decides_before_the_date(published: Newsletter) -> None:
    client = far(published)
    changed = client.get("/feed.xml").headers["last-modified"]
    answer = client.get("/feed.xml", headers={"if-none-match": '"another"', "if-modified-since": changed})
    assert answer.status_code == 200


def test_a_feed_that_is_newer_than_what_a_client_has_comes_whole(published: Newsletter) -> None:
    client = far(published)
    changed = parsedate_to_datetime(client.get("/feed.xml").headers["last-modified"])
    earlier = format_datetime(changed - timedelta(seconds=1), usegmt=True)
    assert client.get("/feed.xml", headers={"if-modified-since": earlier}).status_code == 200


@pytest.mark.parametrize(
    "said",
    [
        *("", "yesterday", "Mon, 99 Foo 2026", "0", "\x7f"),
        "Mon, 09 Mar 99999999999999999999 01:00:00 GMT",
        "Mon, 09 Mar 2026 99999999999999999999:00:00 GMT",
        "Mon, 09 Mar 2026 01:00:00 +99999999999999999999",
    ],
)
def test_a_date_that_is_none_is_not_taken_for_one(published: Newsletter, said: str) -> None:
    assert far(published).get("/feed.xml", headers={"if-modified-since": said}).status_code == 200


def test_a_new_issue_changes_the_tag(published: Newsletter) -> None:
    before = far(published).get("/feed.xml").headers["etag"]
    publish_text(published, issue_text(DAY + timedelta(days=1), story_text("第二天的消息")))
    assert far(published).get("/feed.xml", headers={"if-none-match": before}).status_code == 200


@pytest.mark.parametrize(
    "path", ["/feed.txt", "/feed.", "/feed/nothing.xml", "/feed/policy.txt", "/feed/%00.xml", "/feed/"]
)
def test_a_feed_that_is_not_there_is_a_polite_404(published: Newsletter, path: str) -> None:
    answer = far(published).get(path)
    assert answer.status_code == 404
    assert "没有这个页面。" in answer.text


@pytest.mark.parametrize("path", FEEDS)
def test_an_empty_archive_has_empty_feeds(newsletter: Newsletter, path: str) -> None:
    answer = far(newsletter).get(path)
    assert answer.status_code == 200
    assert "last-modified" not in answer.headers


def test_scripts_in_a_story_are_text_in_its_feeds(newsletter: Newsletter) -> None:
    publish_text(newsletter, issue_text(DAY, story_text(SCRIPT, SCRIPT, f"[{SCRIPT}](https://x.example.org/)")))
    client = far(newsletter)
    assert SCRIPT.encode() not in client.get("/feed.xml").content
    item = json.loads(client.get("/feed.json").content)["items"][0]
    assert SCRIPT not in item["content_html"]


@pytest.mark.parametrize("ending", ["xml", "json"])
def test_a_personal_feed_has_what_its_readers_mail_brings_and_is_for_no_shared_cache(
    published: Newsletter, ending: str
) -> None:
    publish_text(published, issue_text(DAY + timedelta(days=1), story_text("另一个主题的消息"), "模型与技术进展"))
    answer = far(published).get(own_feed(published, person_of(published, "models"), ending))
    assert answer.status_code == 200
    assert "另一个主题的消息" in answer.text
    assert "天前的消息" not in answer.text
    assert answer.headers["cache-control"].startswith("private")
    assert answer.headers["x-robots-tag"] == "noindex"


@pytest.mark.parametrize("ending", ["xml", "json"])
def test_other_choices_show_in_a_personal_feed_to_a_client_that_only_knows_dates(
    published: Newsletter, ending: str
) -> None:
    person, client = person_of(published, "policy"), far(published)
    path = own_feed(published, person, ending)
    dated = client.get("/feed.xml").headers["last-modified"]
    assert "last-modified" not in client.get(path).headers
    with published.session() as session:
        people = published.people(session)
        people.change(people.list()[0], Preferences(topics=("funding",)), source="page")
    answer = client.get(path, headers={"if-modified-since": dated})
    assert answer.status_code == 200
    assert "天前的消息" not in answer.text


def test_a_personal_feed_holds_no_address(published: Newsletter) -> None:
    assert ADDRESS not in far(published).get(own_feed(published, person_of(published, "policy"))).text


def test_a_personal_feed_is_in_its_readers_language(published: Newsletter) -> None:
    person = person_of(published, "policy", language="en")
    feed = json.loads(far(published).get(own_feed(published, person, "json")).content)
    assert feed["title"].endswith(": my topics")
    assert feed["language"] == "en"


@pytest.mark.parametrize("how", ["unsubscribe", "forget"])
def test_a_personal_feed_ends_when_its_reader_leaves(published: Newsletter, how: str) -> None:
    person = person_of(published, "policy")
    path = own_feed(published, person)
    with published.session() as session:
        people = published.people(session)
        found = people.by_public_id(person.public_id)
        assert found is not None
        people.unsubscribe(found, "page") if how == "unsubscribe" else people.forget(found)
    answer = far(published).get(path)
    assert answer.status_code == 404
    assert "这个订阅源已经停用" in answer.text


@pytest.mark.parametrize("purpose", [Purpose.UNSUBSCRIBE, Purpose.PREFERENCES, Purpose.DATA])
def test_a_token_for_something_else_opens_no_feed(published: Newsletter, purpose: Purpose) -> None:
    token = published.tokens.make(purpose, person_of(published, "policy").public_id)
    assert far(published).get(f"/feed/my/{token}.xml").status_code == 404


@pytest.mark.parametrize("token", ["x", "%00", "a" * 3000, "..%2f..", "a.b"])
def test_a_forged_token_opens_no_feed(published: Newsletter, token: str) -> None:
    assert far(published).get(f"/feed/my/{token}.xml").status_code == 404


def test_the_sitemap_has_every_page_and_each_is_there(published: Newsletter) -> None:
    root = ET.fromstring(far(published).get("/sitemap.xml").content)
    found = [element.text or "" for element in root.iter() if element.tag.endswith("}loc")]
    assert len(found) == len(set(found))
    assert sum("/archive/" in address for address in found) == 6
    assert sum("/topic/" in address for address in found) == 5
    client = far(published)
    assert {client.get(address).status_code for address in found} == {200}


def test_robots_are_kept_from_pages_for_one_person_and_shown_the_sitemap(newsletter: Newsletter) -> None:
    lines = far(newsletter).get("/robots.txt").text.splitlines()
    assert "Sitemap: https://news.example.org/sitemap.xml" in lines
    for path in (
        "/unsubscribe/",
        "/preferences/",
        "/view/",
        "/confirm/",
        "/data/",
        "/address/",
        "/feed/my/",
        "/preview/",
    ):
        assert f"Disallow: {path}" in lines
    assert "Disallow: /archive" not in lines
