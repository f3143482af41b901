"""The preview at the desk: as anybody's eyes, in every view, and nothing in it ever runs."""

import re
from datetime import timedelta
from email import message_from_bytes, policy
from html import unescape

import pytest
from desk_samples import at_desk
from sending import Clock, plan
from web_samples import SCRIPT, SLUG, add_issue, add_reader, near

from newsletter.app import Newsletter
from newsletter.editorial.appointments import appoint
from newsletter.editorial.approval import approve
from newsletter.editorial.preview import preview_for, preview_topics
from newsletter.editorial.readership import editions
from newsletter.staff.rights import Role
from newsletter.web.preview_choice import VIEWS

PAGE = f"/desk/issues/{SLUG}/preview"


@pytest.fixture
def ready(newsletter: Newsletter) -> Newsletter:
    """An issue of two topics and three readers with two editions."""
    add_issue(newsletter)
    add_reader(newsletter, "bo@example.com", "models", name="柏")
    add_reader(newsletter, "chen@example.com", "models")
    add_reader(newsletter, "wen@example.com", "policy", "models", language="en")
    return newsletter


def frame(page: str) -> str:
    """Where the frame of a page leads to."""
    found = re.search(r'<iframe sandbox="[^"]*" src="([^"]+)"', page)
    assert found, page
    return unescape(found[1])


@pytest.mark.parametrize("role", list(Role))
def test_everybody_of_the_staff_may_look(ready: Newsletter, role: Role) -> None:
    client = at_desk(ready, role, address=f"{role}@example.org")
    for path in (PAGE, f"{PAGE}/mail", f"{PAGE}/message.eml"):
        assert client.get(path).status_code == 200


def test_nobody_else_may(ready: Newsletter) -> None:
    nobody = near(ready)
    for path in (PAGE, f"{PAGE}/mail", f"{PAGE}/message.eml"):
        answer = nobody.get(path, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/desk/login")


def test_an_unknown_issue_is_a_404(ready: Newsletter) -> None:
    client = at_desk(ready)
    for path in ("", "/mail", "/message.eml"):
        assert client.get(f"/desk/issues/2020-01-01/preview{path}").status_code == 404


@pytest.mark.parametrize("who", ["topics=policy", "by=reader&reader=wen@example.com", "by=edition"])
def test_every_view_is_there_for_every_pair_of_eyes(ready: Newsletter, who: str) -> None:
    client = at_desk(ready)
    for view in (*VIEWS, "decoded"):
        answer = client.get(f"{PAGE}?{who}&view={view}")
        assert answer.status_code == 200
        assert f'class="stage {view}"' in answer.text


def test_the_frame_of_a_reader_shows_their_mail(ready: Newsletter) -> None:
    client = at_desk(ready)
    page = client.get(f"{PAGE}?reader=wen@example.com").text
    html = preview_for(ready, SLUG, "wen@example.com").html
    shown = client.get(frame(page)).text
    assert shown.partition("<body")[2] == html.partition("<body")[2]
    assert client.get(f"{PAGE}/mail?reader=wen@example.com&alone=1").text == html


def test_the_editions_are_paged_through_by_links(ready: Newsletter) -> None:
    client, (first, second) = at_desk(ready), editions(ready, SLUG)
    page = client.get(f"{PAGE}?by=edition").text
    assert "第 1 版，共 2 版" in page
    assert first.address in page
    following = re.search(r'rel="next"[^>]* href="([^"]+)"', page)
    assert following
    page = client.get(unescape(following[1])).text
    assert "第 2 版，共 2 版" in page
    assert second.key in following[1]
    assert (
        client.get(frame(page)).text.partition("<body")[2]
        == preview_for(ready, SLUG, second.address).html.partition("<body")[2]
    )
    assert 'data-key="ArrowRight" class="button" role="link" aria-disabled="true"' in page


def test_without_readers_the_page_says_that_there_is_no_edition(newsletter: Newsletter) -> None:
    add_issue(newsletter)
    answer = at_desk(newsletter).get(f"{PAGE}?by=edition")
    assert answer.status_code == 200
    assert "没有读者会收到这一期" in answer.text


def test_the_page_says_how_far_it_shows_the_very_bytes(ready: Newsletter) -> None:
    client, reader = at_desk(ready), f"{PAGE}?reader=bo@example.com"
    ready.clock = Clock()
    assert "还没有批准" in client.get(reader).text
    approve(ready, SLUG)
    assert "如果在 2026-03-09 08:00:00 发送" in client.get(reader).text
    assert "如果在 2026-03-09 09:30:00 发送" in client.get(f"{reader}&at=2026-03-09T01:30:00Z").text
    appoint(ready, SLUG, ready.clock() + timedelta(hours=3))
    assert "定于 2026-03-09 11:00:00 发送" in client.get(reader).text
    plan(ready, SLUG)
    assert "的字节完全一致" in client.get(reader).text
    assert "样稿" in client.get(PAGE).text


def test_the_file_bears_the_moment_that_the_page_names(ready: Newsletter) -> None:
    ready.clock = clock = Clock()
    approve(ready, SLUG)
    page = at_desk(ready).get(f"{PAGE}?reader=bo@example.com").text
    (link,) = re.findall(r'href="([^"]+message\.eml[^"]*)"', page)
    clock.move(minutes=3)
    message = message_from_bytes(at_desk(ready).get(unescape(link)).content)
    assert message["Date"] == "Mon, 09 Mar 2026 08:00:00 +0800"


@pytest.mark.parametrize("at", ["soon", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-03-09T08:00+99:00"])
def test_a_moment_that_is_none_counts_as_not_said(ready: Newsletter, at: str) -> None:
    ready.clock = Clock()
    query = {"reader": "bo@example.com", "at": at}
    message = message_from_bytes(at_desk(ready).get(f"{PAGE}/message.eml", params=query).content)
    assert message["Date"] == "Mon, 09 Mar 2026 08:00:00 +0800"


@pytest.mark.parametrize("by", ["by=reader&reader=bo@example.com", "by=edition"])
def test_a_moment_that_was_asked_for_stays_when_the_view_changes(ready: Newsletter, by: str) -> None:
    page = at_desk(ready).get(f"{PAGE}?{by}&at=2026-03-09T01:30:00Z").text
    (link,) = re.findall(r'href="([^"]+view=dark)"', page)
    assert "2026-03-09 09:30:00" not in at_desk(ready).get(unescape(link)).text  # a draft names no moment
    approve(ready, SLUG)
    assert "2026-03-09 09:30:00" in at_desk(ready).get(unescape(link)).text


def test_the_file_is_the_message_of_a_planned_reader(ready: Newsletter) -> None:
    approve(ready, SLUG)
    plan(ready, SLUG)
    answer = at_desk(ready).get(f"{PAGE}/message.eml?reader=bo@example.com")
    assert answer.content == preview_for(ready, SLUG, "bo@example.com").message.data
    assert answer.headers["content-disposition"] == f'attachment; filename="{SLUG}.eml"'


def test_the_source_is_the_message_in_its_lines(ready: Newsletter) -> None:
    approve(ready, SLUG)
    plan(ready, SLUG)
    data = preview_for(ready, SLUG, "bo@example.com").message.data
    client = at_desk(ready)
    assert client.get(f"{PAGE}/mail?reader=bo@example.com&format=source").text == data.decode().replace("\r\n", "\n")
    shown = re.search(r"<pre[^>]*>(.*?)</pre>", client.get(f"{PAGE}?reader=bo@example.com&view=source").text, re.DOTALL)
    assert shown
    assert unescape(shown[1]) == data.decode().replace("\r\n", "\n")


def test_the_decoded_source_has_header_and_parts_in_words(ready: Newsletter) -> None:
    page = unescape(at_desk(ready).get(f"{PAGE}?reader=bo@example.com&view=decoded").text)
    message = message_from_bytes(preview_for(ready, SLUG, "bo@example.com").message.data, policy=policy.default)
    assert f"Subject: {message['Subject']}" in page
    assert "── text/html ──" in page
    assert "<!DOCTYPE html" in page.partition("── text/html ──")[2]


def test_no_part_of_a_mail_may_run_or_reach_out(ready: Newsletter) -> None:
    client = at_desk(ready)
    for query in ("", "?scheme=dark", "?images=off", "?style=off", "?format=text", "?format=source", "?alone=1"):
        policy_ = client.get(f"{PAGE}/mail{query}").headers["content-security-policy"]
        rules = dict(rule.strip().partition(" ")[::2] for rule in policy_.split(";"))
        assert rules["default-src"] == "'none'"
        assert "script-src" not in rules
        assert not {"allow-scripts", "allow-same-origin", "allow-forms"} & set(rules["sandbox"].split())
        assert rules["img-src"] == ("'none'" if "images" in query else "'self'")
        assert rules["frame-ancestors"] == "'self'"


def test_without_styles_no_style_block_is_left_and_inline_ones_stay(ready: Newsletter) -> None:
    html = at_desk(ready).get(f"{PAGE}/mail?style=off").text
    assert "<style" in preview_topics(ready, SLUG).html
    assert "<style" not in html
    assert 'style="' in html


def test_the_inbox_shows_the_subject_in_four_lists(ready: Newsletter) -> None:
    made = preview_for(ready, SLUG, "wen@example.com")
    page = unescape(at_desk(ready).get(f"{PAGE}?reader=wen@example.com&view=inbox").text)
    lists = re.findall(r'<figure class="list (\w+) (\w+)">(.*?)</figure>', page, re.DOTALL)
    assert [kind[:2] for kind in lists] == [
        ("light", "wide"), ("dark", "wide"), ("light", "narrow"), ("dark", "narrow"),
    ]  # fmt: skip
    for *_, text in lists:
        assert made.subject in text
        assert made.assembled.preheader in text


def test_labels_are_chosen_apart_from_the_language_of_the_page(ready: Newsletter) -> None:
    page = at_desk(ready).get(f"{PAGE}?topics=policy&labels=en").text
    assert '<html lang="zh-CN">' in page
    assert "Policy &amp; Regulation" in at_desk(ready).get(frame(page)).text


def test_markup_in_titles_names_and_queries_is_text(newsletter: Newsletter) -> None:
    add_issue(newsletter, title=SCRIPT)
    add_reader(newsletter, "bo@example.com", name=SCRIPT)
    with newsletter.session() as session:
        newsletter.topics(session).add("markup", SCRIPT, f"English {SCRIPT}")
    client = at_desk(newsletter)
    views = [f"view={view}&{who}" for view in (*VIEWS, "decoded") for who in ("by=edition", "reader=bo@example.com")]
    for query in (
        *views,
        f"by=reader&q={SCRIPT}",
        f"topics={SCRIPT}",
        f"by=edition&edition={SCRIPT}",
        f"view={SCRIPT}",
    ):
        assert SCRIPT not in client.get(f"{PAGE}?{query}").text, query
    assert SCRIPT not in client.get(f"{PAGE}/mail?reader=bo@example.com").text
