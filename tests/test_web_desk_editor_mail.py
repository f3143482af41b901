"""The mail beside the text where there is none yet: the page says why and what to do, and asks for no frame."""

import re

import pytest
from desk_samples import at_desk
from starlette.testclient import TestClient
from test_web_desk_editor import AT, NOW, TEXT, typed
from web_samples import add_issue, add_reader

from newsletter.app import Newsletter
from newsletter.staff.rights import Role

pytestmark = pytest.mark.both_databases

EMPTY = "# AI 行业动态 (2026-03-09)\n\n**模型与技术进展**\n\n**政策与监管**\n"
LOOSE = TEXT.replace("**模型与技术进展**", "**航天**").replace("**政策与监管**", "**生物**")


@pytest.fixture
def desk(newsletter: Newsletter) -> TestClient:
    newsletter.clock = lambda: NOW
    add_issue(newsletter)
    add_reader(newsletter, "bo@example.com", "policy")
    return at_desk(newsletter, Role.EDITOR)


def empty(page: str) -> str:
    found = re.search(r'<div class="nothing-yet" data-part="empty">(.*?)</div>', page, re.DOTALL)
    return found[1] if found else ""


@pytest.mark.parametrize(("text", "said"), [(EMPTY, "还没有条目"), ("", "还没有条目"), (LOOSE, "3 条还没有主题")])
def test_without_a_mail_the_page_asks_for_no_frame_and_says_what_to_do(desk: TestClient, text: str, said: str) -> None:
    assert said in typed(desk, text, line="1").json()["parts"]["empty"]
    page = desk.get(AT).text
    assert said in empty(page)
    assert not re.search(r"<iframe[^>]*\ssrc=", page)


def test_the_sections_without_a_topic_are_named_with_their_stories(desk: TestClient) -> None:
    typed(desk, LOOSE)
    assert re.findall(r"<b>(.*?)</b> (\d) 条", empty(desk.get(AT).text)) == [("航天", "2"), ("生物", "1")]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"topics": "funding"}, "没有所选主题的条目"),
        ({"reader": "nobody@example.com"}, "没有这位读者"),
        ({"reader": "di@example.com"}, "这位读者不会收到这一期"),
    ],
)
def test_a_choice_without_a_mail_says_which_to_make(
    desk: TestClient, newsletter: Newsletter, query: dict[str, str], said: str
) -> None:
    add_reader(newsletter, "di@example.com", "funding")
    assert said in empty(desk.get(AT, params=query).text)


def test_with_a_mail_nothing_stands_in_its_place(desk: TestClient) -> None:
    page = desk.get(AT).text
    assert f'src="{AT}/frame"' in page
    assert empty(page) == ""
    assert typed(desk, TEXT, line="1").json()["parts"]["empty"].strip() == ""


@pytest.mark.parametrize("looks", [{}, {"format": "text"}, {"format": "source"}])
def test_a_frame_that_finds_no_mail_tells_the_page_so(desk: TestClient, looks: dict[str, str]) -> None:
    typed(desk, EMPTY)
    frame = desk.get(f"{AT}/frame", params=looks)
    assert frame.status_code == 200
    assert '<meta name="no-mail" content="story">' in frame.text
    assert "还没有条目" in frame.text
    assert "frame-ancestors 'self'" in frame.headers["content-security-policy"]


def test_the_frame_shows_no_picture_where_none_are_wanted(desk: TestClient) -> None:
    policy = desk.get(f"{AT}/frame", params={"images": "off"}).headers["content-security-policy"]
    assert "img-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy


@pytest.mark.parametrize("text", [EMPTY, LOOSE])
def test_without_a_mail_the_figures_have_no_size_and_no_readers(desk: TestClient, text: str) -> None:
    typed(desk, text)
    page = desk.get(f"{AT}/figures", params={"part": "reach"}).text
    assert "kB" not in page
    assert "位读者" not in page
    assert "条目有了主题，就会算出来" in page


def test_an_issue_without_a_story_has_one_finding(desk: TestClient) -> None:
    typed(desk, EMPTY)
    assert desk.get(AT).text.count('<li class="error">') == 1
    assert '<li class="warning">' not in desk.get(AT).text


def test_the_mail_of_a_long_issue_waits_until_somebody_asks(desk: TestClient) -> None:
    story = "- **消息第 {n} 号**\n  说明：第 {n} 段。\n  来源出处：[实验室](https://lab.example.org/{n})\n\n"
    head = "# AI 行业动态 (2026-03-09)\n\n**模型与技术进展**\n\n"
    text = head + "".join(story.format(n=n) for n in range(290)) + "**政策与监管**\n\n"
    text += "".join(story.format(n=n) for n in range(290, 302))
    typed(desk, text)
    page = desk.get(AT).text
    assert "这一期有 302 条" in empty(page)
    assert "data-ask-mail" in empty(page)
    assert "识别出 2 个主题、302 条" in page
    assert page.count('class="story"') == 300
    assert "列出前 300 条，共 302 条" in page
    assert f'src="{AT}/frame"' in desk.get(AT, params={"mail": "1"}).text
