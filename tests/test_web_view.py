"""The page of a reader's own mail: it is the mail, for nobody's frame, cache or search engine."""

import re

import pytest
from sending import SLUG, add_readers, plan, take_in_issue
from web_samples import far

from newsletter.app import Newsletter
from newsletter.editorial.preview import preview_for
from newsletter.render.recipient import INERT_TOKEN
from subscribers.tokens import Purpose


@pytest.fixture
def token(newsletter: Newsletter) -> str:
    """The link of the one reader of a planned issue."""
    take_in_issue(newsletter)
    add_readers(newsletter, 1)
    plan(newsletter, SLUG)
    return preview_for(newsletter, SLUG, "reader0@example.org").recipient.view_token


def test_the_link_in_the_mail_shows_the_mail_whose_links_lead_on(newsletter: Newsletter, token: str) -> None:
    mail = preview_for(newsletter, SLUG, "reader0@example.org").html
    (link,) = re.findall(r'href="https://news\.example\.org(/view/[^"]+)"', mail)
    answer = far(newsletter).get(link)
    icon = '<link rel="icon" href="/static/icon.svg" type="image/svg+xml">'  # that of the page, else one is looked for
    assert (answer.status_code, answer.text.replace(icon, "")) == (200, mail)
    (leave,) = re.findall(r'href="https://news\.example\.org(/unsubscribe/[^"]+)"', answer.text)
    assert "确认退订" in far(newsletter).get(leave).text


def test_no_frame_no_cache_no_search_engine_and_no_script_gets_it(newsletter: Newsletter, token: str) -> None:
    headers = far(newsletter).get(f"/view/{token}").headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "default-src 'none'" in headers["content-security-policy"]
    assert not re.search("allow-scripts|allow-same-origin|script-src", headers["content-security-policy"])
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == "private, no-store"
    assert headers["x-robots-tag"] == "noindex"
    assert headers["referrer-policy"] == "same-origin"


def test_head_answers_as_get_does(newsletter: Newsletter, token: str) -> None:
    assert far(newsletter).head(f"/view/{token}").status_code == 200
    assert far(newsletter).head("/view/x").status_code == 404


@pytest.mark.parametrize("forged", ["x", "%00", "a" * 5000, "preview2"])
def test_a_link_that_was_never_made_is_a_polite_404(newsletter: Newsletter, forged: str) -> None:
    answer = far(newsletter).get(f"/view/{forged}")
    assert answer.status_code == 404
    assert "没法在这里显示" in answer.text
    assert 'href="/archive"' in answer.text


def test_the_link_of_a_test_mail_says_that_it_is_one(newsletter: Newsletter) -> None:
    answer = far(newsletter).get(f"/view/{INERT_TOKEN}")
    assert answer.status_code == 200
    assert "测试邮件" in answer.text


def test_the_preferences_link_of_a_planned_mail_is_the_readers_own(newsletter: Newsletter, token: str) -> None:
    mail = preview_for(newsletter, SLUG, "reader0@example.org").html
    (found,) = re.findall(r'href="https://news\.example\.org/preferences/([^"]+)"', mail)
    with newsletter.reading() as session:
        person = newsletter.people(session).get("reader0@example.org")
    assert person is not None
    assert newsletter.tokens.read(Purpose.PREFERENCES, found) == person.public_id


def test_before_it_is_planned_there_is_nothing_to_view(newsletter: Newsletter) -> None:
    take_in_issue(newsletter)
    add_readers(newsletter, 1)
    early = preview_for(newsletter, SLUG, "reader0@example.org").recipient.view_token
    assert far(newsletter).get(f"/view/{early}").status_code == 404
    plan(newsletter, SLUG)
    assert far(newsletter).get(f"/view/{early}").status_code == 200
