"""The preview pages show any reader's mail, exactly, and say so when there is none."""

import re
from email import message_from_bytes, policy
from html import unescape

import pytest
from starlette.datastructures import URL, QueryParams
from web_samples import SCRIPT, SLUG, add_issue, add_reader, near

from newsletter.app import Newsletter
from newsletter.editorial.preview import preview_for, preview_topics
from newsletter.web.preview_choice import Choice
from newsletter.web.preview_mail import in_frame
from subscribers.models import State


def frame(page: str) -> str:
    """Where the frame of a page leads to."""
    found = re.search(r'<iframe sandbox="allow-popups allow-popups-to-escape-sandbox" src="([^"]+)"', page)
    assert found, page
    return unescape(found[1])


def test_without_issues_the_list_says_how_one_comes_in(newsletter: Newsletter) -> None:
    assert "newsletter issue import" in near(newsletter).get("/preview/").text


def test_the_list_leads_to_every_issue(newsletter: Newsletter) -> None:
    add_issue(newsletter)
    page = near(newsletter).get("/preview/").text
    assert f'href="/preview/{SLUG}"' in page
    assert "草稿" in page


def test_the_frame_shows_the_html_of_the_topics_exactly(newsletter: Newsletter) -> None:
    add_issue(newsletter)
    client = near(newsletter)
    page = client.get(f"/preview/{SLUG}?topics=policy&language=en").text
    assert client.get(frame(page)).text == in_frame(preview_topics(newsletter, SLUG, ("policy",), "en").html)
    assert "岬角市" in client.get(frame(page)).text
    assert "群岛实验室" not in client.get(frame(page)).text


def test_the_frame_shows_the_html_of_a_reader_exactly(newsletter: Newsletter) -> None:
    add_issue(newsletter)
    add_reader(newsletter, "bo+x&y@example.com", "policy", name="柏")
    client = near(newsletter)
    page = client.get(f"/preview/{SLUG}", params={"reader": "bo+x&y@example.com"}).text
    assert client.get(frame(page)).text == in_frame(preview_for(newsletter, SLUG, "bo+x&y@example.com").html)


def test_alone_the_html_is_exactly_what_is_sent(newsletter: Newsletter) -> None:
    add_issue(newsletter)
    add_reader(newsletter, "bo@example.com", "models")
    client = near(newsletter)
    page = client.get(f"/preview/{SLUG}?reader=bo@example.com").text
    alone = re.search(r'href="([^"]+alone=1)"', page)
    assert alone
    assert client.get(unescape(alone[1])).text == preview_for(newsletter, SLUG, "bo@example.com").html


def test_the_frame_differs_in_where_links_open_and_in_the_rules_for_dark_screens_alone(newsletter: Newsletter) -> None:
    add_issue(newsletter)
    client = near(newsletter)
    light, dark = (client.get(f"/preview/{SLUG}/mail{query}").text for query in ("", "?scheme=dark"))
    sent = preview_topics(newsletter, SLUG).html
    rule = re.compile(r"@media \(prefers-color-scheme:\s*dark\)")
    assert rule.search(sent)
    assert light.replace('<base target="_blank">', "") == rule.sub("@media not all", sent)
    assert dark.replace('<base target="_blank">', "") == rule.sub("@media all", sent)


def test_the_text_view_shows_the_text_part(newsletter: Newsletter) -> None:
    add_issue(newsletter)
    client = near(newsletter)
    text = preview_topics(newsletter, SLUG).text
    assert client.get(f"/preview/{SLUG}/mail?format=text").text == text
    shown = re.search(r"<pre[^>]*>(.*?)</pre>", client.get(f"/preview/{SLUG}?view=text").text, re.DOTALL)
    assert shown
    assert unescape(shown[1]) == text


def test_the_message_is_the_bytes_to_be_sent(newsletter: Newsletter) -> None:
    add_issue(newsletter)
    add_reader(newsletter, "bo@example.com", "models")
    answer = near(newsletter).get(f"/preview/{SLUG}/message.eml?reader=bo@example.com")
    assert answer.headers["content-disposition"] == f'attachment; filename="{SLUG}.eml"'
    message = message_from_bytes(answer.content, policy=policy.default)
    assert message["To"] == "bo@example.com"
    assert not message.defects


def test_subject_and_preheader_stand_on_the_page(newsletter: Newsletter) -> None:
    add_issue(newsletter)
    page = unescape(near(newsletter).get(f"/preview/{SLUG}").text)
    assert preview_topics(newsletter, SLUG).subject in page
    assert "— 山谷团队开源语音模型 Echo-2" in page


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("topics=funding", "没有归入这些主题的条目"),
        ("topics=nowhere", "没有代号为“nowhere”的主题"),
        ("reader=nobody@example.com", "nobody@example.com 不是读者"),
        ("reader=not-an-address", "cannot be written to"),
    ],
)
def test_when_there_is_no_mail_the_page_says_why(newsletter: Newsletter, query: str, reason: str) -> None:
    add_issue(newsletter)
    client = near(newsletter)
    answer = client.get(f"/preview/{SLUG}?{query}")
    assert answer.status_code == 200
    assert reason in answer.text
    assert "<iframe" not in answer.text
    for part in ("mail", "message.eml"):
        assert client.get(f"/preview/{SLUG}/{part}?{query}").status_code == 404


def test_a_reader_who_gets_nothing_now_is_shown_with_the_reason(newsletter: Newsletter) -> None:
    add_issue(newsletter)
    add_reader(newsletter, "bo@example.com", "models")
    with newsletter.session() as session:
        person = newsletter.people(session).get("bo@example.com")
        assert person is not None
        person.state = State.PAUSED
        session.add(person)
    assert "现在排定不会发送" in near(newsletter).get(f"/preview/{SLUG}?reader=bo@example.com").text


def test_readers_are_searched_by_a_part_of_their_address_or_name(newsletter: Newsletter) -> None:
    add_issue(newsletter)
    for address, name in (("bo@example.com", "柏"), ("chen_1@example.com", "陈"), ("chenx1@example.com", "")):
        add_reader(newsletter, address, name=name)
    client = near(newsletter)

    def found(search: str) -> list[str]:
        page = client.get(f"/preview/{SLUG}", params={"by": "reader", "q": search}).text
        return re.findall(r"<b>([^<]+@[^<]+)</b>", page)

    assert found("CHEN") == ["chen_1@example.com", "chenx1@example.com"]
    assert found("n_1") == ["chen_1@example.com"]
    assert found("柏") == ["bo@example.com"]
    assert found("%") == []


def test_many_readers_are_not_all_listed(newsletter: Newsletter) -> None:
    add_issue(newsletter)
    for number in range(60):
        add_reader(newsletter, f"reader{number}@example.com")
    page = near(newsletter).get(f"/preview/{SLUG}?by=reader").text
    assert len(re.findall(r"<b>[^<]+@[^<]+</b>", page)) == 50
    assert "只列出前 50 位" in page


def test_markup_in_titles_names_topics_and_searches_is_text(newsletter: Newsletter) -> None:
    add_issue(newsletter, title=SCRIPT)
    add_reader(newsletter, "bo@example.com", name=SCRIPT)
    with newsletter.session() as session:
        newsletter.topics(session).add("markup", SCRIPT, f"English {SCRIPT}")
    client = near(newsletter)
    paths = ("", SLUG, f"{SLUG}?by=reader", f"{SLUG}?by=reader&q={SCRIPT}", f"{SLUG}?view=text", f"{SLUG}/mail")
    for path in (*paths, f"{SLUG}?reader={SCRIPT}", f"{SLUG}?topics={SCRIPT}", SCRIPT):
        assert SCRIPT not in client.get(f"/preview/{path}").text, path


def test_an_unknown_issue_is_a_404_that_names_those_there_are(newsletter: Newsletter) -> None:
    add_issue(newsletter)
    answer = near(newsletter).get("/preview/2020-01-01")
    assert answer.status_code == 404
    assert SLUG in answer.text


@pytest.mark.parametrize(
    "choice",
    [
        Choice(SLUG),
        Choice(SLUG, topics=("models", "policy"), language="en", view="phone"),
        Choice(SLUG, by="reader", reader="a+b&c@example.com", view="dark", search="a b"),
        Choice(SLUG, by="reader", search="100%"),
        Choice(SLUG, by="edition", edition="0123456789ab", view="source"),
    ],
)
def test_a_choice_survives_its_own_link(choice: Choice) -> None:
    assert Choice.of(SLUG, QueryParams(URL(choice.link()).query)) == choice
