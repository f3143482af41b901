"""Links for colleagues: made at the desk, good for some days, with nothing of any reader behind them."""

import re
from datetime import timedelta
from html import unescape

import pytest
from desk_samples import at_desk
from sending import Clock
from web_samples import SCRIPT, SLUG, add_issue, add_reader, far, near

from newsletter.app import Newsletter
from newsletter.editorial.look import LookOver, look, share
from newsletter.editorial.preview import preview_topics
from newsletter.render.recipient import INERT_TOKEN
from newsletter.staff.audit import Action, entries
from newsletter.staff.rights import COMMAND_LINE, Role
from newsletter.storage.issues import IssueRefused
from subscribers.tokens import Purpose

pytestmark = pytest.mark.both_databases


@pytest.fixture
def ready(newsletter: Newsletter) -> Newsletter:
    """An issue with two topics, a reader, and a clock to move."""
    newsletter.clock = Clock()
    add_issue(newsletter)
    add_reader(newsletter, "bo@example.com", "models", name="柏")
    return newsletter


def token_of(newsletter: Newsletter, *topics: str, language: str = "zh", days: int = 7) -> str:
    return share(newsletter, COMMAND_LINE, SLUG, topics, language, days)[0]


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
        assert "这个链接已经过期" in answer.text


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


@pytest.mark.parametrize("subject", ["1", "-", "1-2", "99-9999999999-zh-", "1-9999999999-fr-", "x-9999999999-zh-"])
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


def test_more_topics_than_a_link_holds_are_refused(ready: Newsletter) -> None:
    slugs = [f"{letter * 38}-x" for letter in "abcd"]
    with ready.session() as session:
        for slug in slugs:
            ready.topics(session).add(slug, slug[:8], slug[:8].upper() + "s")
    with pytest.raises(IssueRefused, match="cannot hold 5 topics"):
        share(ready, COMMAND_LINE, SLUG, ("models", *slugs), "zh", 7)


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
