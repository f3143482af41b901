"""Links for colleagues: made at the desk, good for some days, with nothing of any reader behind them."""

import re
from datetime import timedelta
from html import unescape

import pytest
from desk_samples import at_desk
from sending import Clock
from web_samples import ISSUE, SCRIPT, SLUG, add_issue, add_reader, far, near

from newsletter.app import Newsletter
from newsletter.editorial.intake import read, take_in
from newsletter.editorial.look import LookOver, NoLink, good_links, look, share, take_back
from newsletter.editorial.preview import preview_topics
from newsletter.render.recipient import INERT_TOKEN
from newsletter.staff.audit import Action, entries
from newsletter.staff.rights import COMMAND_LINE, Role
from subscribers.tokens import Purpose
from subscribers.topic_store import TopicRefused

pytestmark = pytest.mark.both_databases
LONG_SLUGS = ["models", *(f"{letter * 38}-x" for letter in "abcd")]
"""More than a link holds."""


@pytest.fixture
def ready(newsletter: Newsletter) -> Newsletter:
    """An issue with two topics, a reader, and a clock to move."""
    newsletter.clock = Clock()
    add_issue(newsletter)
    add_reader(newsletter, "bo@example.com", "models", name="柏")
    return newsletter


def token_of(newsletter: Newsletter, *topics: str, language: str = "zh", days: int = 7) -> str:
    return share(newsletter, COMMAND_LINE, SLUG, topics, language, days)[0]


def add_topics(newsletter: Newsletter, *slugs: str) -> None:
    with newsletter.session() as session:
        for slug in slugs:
            newsletter.topics(session).add(slug, f"主题 {slug}", f"Topic {slug}")


def move(newsletter: Newsletter, **by: float) -> None:
    assert isinstance(newsletter.clock, Clock)
    newsletter.clock.move(**by)


def test_the_desk_makes_a_link_that_anybody_can_open(ready: Newsletter) -> None:
    answer = at_desk(ready).post(f"/desk/issues/{SLUG}/share", data={"days": "7", "topics": "policy", "labels": "en"})
    link = re.search(r'value="https://news\.example\.org(/look/[^"]+)"', answer.text)
    assert link
    page = far(ready).get(link[1])
    assert page.status_code == 200
    frame = re.search(r'<iframe[^>]* src="([^"]+)"', page.text)
    assert frame
    mail = far(ready).get(unescape(frame[1])).text
    assert ("岬角市" in mail, "群岛实验室" in mail) == (True, False)
    assert "Policy &amp; Regulation" in mail


def test_making_a_link_is_written_down(ready: Newsletter) -> None:
    at_desk(ready).post(f"/desk/issues/{SLUG}/share", data={"days": "30"})
    with ready.reading() as session:
        (entry,) = entries(session, action=Action.LINK_SHARED)
    assert (entry.subject, entry.who, entry.details["topics"]) == (SLUG, "chen", [])
    assert entry.details["until"].startswith("2026-04-08")


def test_the_mail_behind_a_link_has_inert_links_and_no_reader(ready: Newsletter) -> None:
    html = far(ready).get(f"/look/{token_of(ready)}/mail?alone=1").text
    assert html == preview_topics(ready, SLUG).html
    links = re.findall(r"https://news\.example\.org/(?:unsubscribe|preferences|view)/([^\"?<]+)", html)
    assert set(links) == {INERT_TOKEN}
    assert "bo@example.com" not in html
    assert "b***" not in html


@pytest.mark.parametrize("days", [1, 7, 30])
def test_a_link_is_good_until_its_last_second_and_then_a_polite_410(ready: Newsletter, days: int) -> None:
    path = f"/look/{token_of(ready, days=days)}"
    move(ready, days=days, seconds=-1)
    assert far(ready).get(path).status_code == 200
    move(ready, seconds=1)
    for one in (path, f"{path}/mail"):
        answer = far(ready).get(one, headers={"accept-language": "zh"})
        assert answer.status_code == 410
        assert "这个链接已经失效" in answer.text


def test_a_link_shows_the_newest_revision(ready: Newsletter) -> None:
    path = f"/look/{token_of(ready)}/mail"
    add_issue(ready, title="河口团队开源语音模型 Echo-3")
    mail = far(ready).get(path).text
    assert ("Echo-3" in mail, "Echo-2" in mail) == (True, False)


@pytest.mark.parametrize("view", ["desktop", "phone", "dark", "text"])
def test_the_page_has_four_views_in_either_language(ready: Newsletter, view: str) -> None:
    path = f"/look/{token_of(ready)}?view={view}"
    for language, word in (("zh", "样稿"), ("en", "Sample")):
        answer = far(ready).get(path, headers={"accept-language": language})
        assert answer.status_code == 200
        assert word in answer.text
        assert f'class="stage {view}"' in answer.text


def test_nobody_should_find_it(ready: Newsletter) -> None:
    path = f"/look/{token_of(ready)}"
    for one in (path, f"{path}/mail", "/look/nothing"):
        answer = far(ready).get(one)
        assert "noindex" in answer.headers["x-robots-tag"]
        assert answer.headers["cache-control"] == "no-store"


def test_the_frame_of_a_link_runs_nothing(ready: Newsletter) -> None:
    policy = far(ready).get(f"/look/{token_of(ready)}/mail").headers["content-security-policy"]
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert "default-src 'none'" in policy


@pytest.mark.parametrize("purpose", [purpose for purpose in Purpose if purpose is not Purpose.LOOK])
def test_a_token_for_another_purpose_shows_nothing(ready: Newsletter, purpose: Purpose) -> None:
    subject = ready.tokens.read(Purpose.LOOK, token_of(ready))
    assert subject
    assert look(ready, ready.tokens.make(purpose, subject)) is None


@pytest.mark.parametrize(
    "subject", ["1", "-", "1-2", "99-9999999999-0-zh-", "1-9999999999-0-fr-", "x-9999999999-0-zh-", "1-9999999999-zh-"]
)
def test_a_subject_that_is_no_look_shows_nothing(ready: Newsletter, subject: str) -> None:
    assert look(ready, ready.tokens.make(Purpose.LOOK, subject)) is None


def test_forged_links_get_a_polite_404(ready: Newsletter) -> None:
    token = token_of(ready)
    for forged in (token[:-1], token + "0", token[:4] + "A" * 22 + token[26:], "a" * 5000, INERT_TOKEN, SCRIPT):
        answer = far(ready).get(f"/look/{forged}", headers={"accept-language": "en"})
        assert answer.status_code == 404
        assert SCRIPT not in answer.text


@pytest.mark.parametrize(
    "fields",
    [
        {"days": "8"},
        {"days": "-1"},
        {"days": "9" * 400},
        {"days": "²"},
        {"labels": "fr"},
        {"topics": "funding"},
        {"topics": "nowhere"},
        {"topics": SCRIPT},
    ],
)
def test_what_cannot_be_shared_is_refused_and_not_written_down(ready: Newsletter, fields: dict[str, str]) -> None:
    answer = at_desk(ready).post(f"/desk/issues/{SLUG}/share", data=fields)
    assert answer.status_code == 422
    assert "/look/" not in answer.text
    assert SCRIPT not in answer.text
    with ready.reading() as session:
        assert not entries(session, action=Action.LINK_SHARED)


@pytest.mark.parametrize(
    ("fields", "zh", "en"),
    [
        ({"days": "8"}, "请从列表里选有效期和标签语言。", "Choose from the lists how long it is good"),
        ({"topics": "nowhere"}, "没有代号为“nowhere”的主题。", "There is no topic “nowhere”."),
        (
            {"topics": "funding"},
            "没有归入这些主题的条目： 投融资与并购",
            "has one of these topics: Funding &amp; Acquisitions",
        ),
        ({"topics": LONG_SLUGS}, "一个链接装不下 5 个主题。", "A link cannot hold 5 topics."),
    ],
)
def test_why_there_is_no_link_is_said_in_the_language_of_the_page(
    ready: Newsletter, fields: dict[str, str | list[str]], zh: str, en: str
) -> None:
    add_topics(ready, *LONG_SLUGS[1:])
    for language, said in (("zh", zh), ("en", en)):
        path = f"/desk/issues/{SLUG}/share"
        answer = at_desk(ready).post(path, data=fields, headers={"accept-language": language})
        assert answer.status_code == 422
        assert said in answer.text
        assert 'lang="en"' not in answer.text.partition("<main")[2]


def test_what_has_no_words_of_its_own_is_said_to_be_english(ready: Newsletter) -> None:
    ready.settings.theme = "nowhere"
    answer = at_desk(ready).post(f"/desk/issues/{SLUG}/share", data={"days": "7"})
    assert "现在做不出这封邮件。" in answer.text
    assert '<span lang="en">the theme of the setting' in answer.text


def test_more_topics_than_a_link_holds_are_refused(ready: Newsletter) -> None:
    add_topics(ready, *LONG_SLUGS[1:])
    with pytest.raises(NoLink, match="cannot hold 5 topics"):
        token_of(ready, *LONG_SLUGS)


@pytest.mark.parametrize(
    "topics", [(), ("policy",), ("policy", "models"), ("models", "ai-2-go", "--", "0-0", "policy")]
)
def test_a_link_holds_its_topics_as_they_are_and_in_their_order(ready: Newsletter, topics: tuple[str, ...]) -> None:
    add_topics(ready, "ai-2-go", "--", "0-0")
    for language in ("zh", "en"):
        found = look(ready, token_of(ready, *topics, language=language))
        assert found
        assert (found.topics, found.language) == (topics, language)


def test_what_stands_between_topics_in_a_link_stands_in_no_slug(ready: Newsletter) -> None:
    with pytest.raises(TopicRefused):
        add_topics(ready, "a_b")


def test_links_are_taken_back_and_later_ones_are_good(ready: Newsletter) -> None:
    former = [token_of(ready), token_of(ready, "policy", days=30)]
    assert (good_links(ready, SLUG), take_back(ready, COMMAND_LINE, SLUG)) == (2, 2)
    later = token_of(ready)
    assert good_links(ready, SLUG) == 1
    for token in former:
        with pytest.raises(LookOver):
            look(ready, token)
    assert look(ready, later)


def test_links_to_another_issue_stay_good(ready: Newsletter) -> None:
    text = ISSUE.format(title="山谷团队开源语音模型 Echo-2").replace("2026-03-09", "2026-03-10").encode()
    other, _ = take_in(ready, read(ready, text), text)
    token, _ = share(ready, COMMAND_LINE, other.slug, (), "zh", 7)
    token_of(ready)
    assert take_back(ready, COMMAND_LINE, SLUG) == 1
    assert look(ready, token)
    assert good_links(ready, other.slug) == 1


def test_only_links_that_are_not_over_are_counted(ready: Newsletter) -> None:
    token_of(ready, days=1)
    token_of(ready, days=30)
    move(ready, days=1)
    assert good_links(ready, SLUG) == 1
    move(ready, days=29)
    assert good_links(ready, SLUG) == 0


def test_where_no_link_is_good_nothing_is_taken_back_nor_written_down(ready: Newsletter) -> None:
    assert take_back(ready, COMMAND_LINE, SLUG) == 0
    with ready.reading() as session:
        assert not entries(session, action=Action.LINKS_TAKEN_BACK)


def test_the_desk_takes_links_back_and_writes_down_who_did(ready: Newsletter) -> None:
    path, desk = f"/look/{token_of(ready)}", at_desk(ready)
    form = f'action="/desk/issues/{SLUG}/share/end"'
    before = desk.get(f"/desk/issues/{SLUG}/preview").text
    assert (form in before, "有效的链接：1 个" in before) == (True, True)
    after = desk.post(f"/desk/issues/{SLUG}/share/end").text
    assert (form in after, "这一期的链接都收回了。" in after) == (False, True)
    for one in (path, f"{path}/mail"):
        answer = far(ready).get(one, headers={"accept-language": "en"})
        assert answer.status_code == 410
        assert "was taken back" in answer.text
    with ready.reading() as session:
        (entry,) = entries(session, action=Action.LINKS_TAKEN_BACK)
    assert (entry.subject, entry.who, entry.details) == (SLUG, "chen", {"links": 1})


def test_links_of_an_unknown_issue_are_not_taken_back(ready: Newsletter) -> None:
    assert at_desk(ready).post("/desk/issues/2026-01-01/share/end").status_code == 404


def test_only_who_writes_may_share(ready: Newsletter) -> None:
    sender = at_desk(ready, Role.SENDER, address="sender@example.org")
    assert sender.post(f"/desk/issues/{SLUG}/share", data={"days": "7"}).status_code == 403
    assert near(ready).post(f"/desk/issues/{SLUG}/share", data={"days": "7"}).status_code == 401
    assert "生成链接" not in sender.get(f"/desk/issues/{SLUG}/preview").text
    with ready.reading() as session:
        assert not entries(session, action=Action.LINK_SHARED)


def test_opening_the_address_of_the_form_leads_to_the_preview(ready: Newsletter) -> None:
    answer = at_desk(ready).get(f"/desk/issues/{SLUG}/share", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/desk/issues/{SLUG}/preview")


def test_the_time_in_a_link_is_that_of_its_making(ready: Newsletter) -> None:
    token, until = share(ready, COMMAND_LINE, SLUG, (), "zh", 1)
    found = look(ready, token)
    assert found
    assert found.until == until == ready.clock() + timedelta(days=1)
    move(ready, days=2)
    with pytest.raises(LookOver):
        look(ready, token)
