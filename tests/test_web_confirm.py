"""Links that confirm: opening them changes nothing, the button confirms, and what is no link gets a polite page."""

import re

import pytest
from reader_samples import consents, find
from sign_up_samples import Clock, confirm_link, dump, filled, post, publish_issue, stop_clock
from web_samples import SCRIPT, far, state_of

from newsletter.app import Newsletter
from subscribers.models import State
from subscribers.tokens import Purpose

ADDRESS = "wen@example.com"


@pytest.fixture
def clock(newsletter: Newsletter) -> Clock:
    return stop_clock(newsletter)


@pytest.fixture
def link(newsletter: Newsletter, clock: Clock) -> str:
    post(far(newsletter), filled(newsletter, clock, topics=["models", "policy"]))
    return confirm_link(newsletter)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_looking_changes_nothing(newsletter: Newsletter, link: str, method: str) -> None:
    before = dump(newsletter)
    far(newsletter).request(method, link, headers={"sec-purpose": "prefetch"})
    assert dump(newsletter) == before


def test_the_page_shows_the_address_masked_the_topics_and_one_button(newsletter: Newsletter, link: str) -> None:
    page = far(newsletter).get(link).text
    assert page.count("<button") == page.count("<form") == 1
    assert "<script" not in page
    assert "w***@example.com" in page
    assert ADDRESS not in page
    assert "模型与技术进展" in page
    assert "投融资" not in page


WHEN: dict[str, str | list[str]] = {"own": "models=weekly", "hour": "7", "zone": "Europe/Berlin"}


def test_before_and_after_the_button_stands_when_mail_comes(newsletter: Newsletter, clock: Clock) -> None:
    post(far(newsletter), filled(newsletter, clock, topics=["models", "policy"], **WHEN))
    asked, sentence = confirm_link(newsletter), "每天 07:00（柏林）收到日报；模型与技术进展每周五汇总。"
    assert sentence in far(newsletter).get(asked).text
    assert sentence in far(newsletter).post(asked).text


def test_a_link_that_is_over_offers_the_same_choices_of_time_again(newsletter: Newsletter, clock: Clock) -> None:
    post(far(newsletter), filled(newsletter, clock, **WHEN))
    clock.wait(days=8)
    page = far(newsletter).get(confirm_link(newsletter)).text
    assert 'href="/?topics=models&amp;own=models%3Dweekly&amp;hour=7&amp;zone=Europe%2FBerlin"' in page


def test_the_button_confirms_and_leads_to_preferences_and_the_newest_issue(newsletter: Newsletter, link: str) -> None:
    publish_issue(newsletter)
    page = far(newsletter).post(link)
    assert page.status_code == 200
    assert state_of(newsletter, ADDRESS) is State.ACTIVE
    with newsletter.reading() as session:
        person = newsletter.people(session).get(ADDRESS)
    assert person is not None
    assert f'href="/preferences/{newsletter.tokens.make(Purpose.PREFERENCES, person.public_id)}"' in page.text
    assert 'href="/archive/2026-03-09"' in page.text
    assert "<button" not in page.text


def test_confirming_again_changes_nothing_more(newsletter: Newsletter, link: str) -> None:
    client = far(newsletter)
    client.post(link)
    before = dump(newsletter)
    assert "订阅成功" in client.post(link).text
    assert "订阅成功" in client.get(link).text
    assert dump(newsletter) == before


def test_a_link_that_is_over_offers_to_sign_up_again_with_the_same_topics(
    newsletter: Newsletter, clock: Clock, link: str
) -> None:
    clock.wait(days=8)
    before = dump(newsletter)
    for page in (far(newsletter).get(link), far(newsletter).post(link)):
        assert page.status_code == 410
        assert "已经过期" in page.text
        assert 'href="/?topics=policy&amp;topics=models"' in page.text
    assert dump(newsletter) == before


def test_a_forged_or_foreign_link_is_a_polite_404_that_changes_nothing(newsletter: Newsletter, link: str) -> None:
    token = link.removeprefix("/confirm/")
    foreign = newsletter.tokens.make(Purpose.ADDRESS, token[26:])
    stranger = newsletter.tokens.make(Purpose.CONFIRM, "0" * 24)
    before = dump(newsletter)
    client = far(newsletter)
    for wrong in (token[:-1], token + "0", foreign, stranger, "x", "%00", "a" * 5000):
        for page in (client.get(f"/confirm/{wrong}"), client.post(f"/confirm/{wrong}")):
            assert page.status_code == 404
            assert "确认链接无效" in page.text
    assert dump(newsletter) == before


def test_another_site_cannot_confirm(newsletter: Newsletter, link: str) -> None:
    before = dump(newsletter)
    assert far(newsletter).post(link, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert dump(newsletter) == before


def test_the_page_speaks_english(newsletter: Newsletter, link: str) -> None:
    page = far(newsletter).get(link, headers={"accept-language": "en"}).text
    assert "Confirm your subscription?" in page
    assert "Models &amp; Research" in page


def test_what_a_program_asked_for_beside_topics_is_seen_before_it_is_confirmed(newsletter: Newsletter) -> None:
    wish = {"address": ADDRESS, "topics": ["models"], "follow": ["潮汐", SCRIPT], "mute": ["裁员"], "most": 7}
    far(newsletter).post("/api/subscribe", json={**wish, "format": "text", "wording": "同意"})
    page = far(newsletter).get(confirm_link(newsletter)).text
    shown = re.findall(r"<dt>(.*?)</dt> <dd>(.*?)</dd>", page)
    assert [value for _, value in shown] == ["潮汐 · &lt;script&gt;alert(1)&lt;/script&gt;", "裁员", "7", "纯文本"]
    assert [label[:2] for label, _ in shown] == ["关注", "屏蔽", "每封", "格式"]


def test_whoever_asked_for_topics_alone_sees_topics_alone(newsletter: Newsletter, link: str) -> None:
    assert "<dl" not in far(newsletter).get(link).text


def test_the_record_has_the_words_above_the_button_and_no_address(newsletter: Newsletter, link: str) -> None:
    far(newsletter).post(link, headers={"accept-language": "en"})
    wording = consents(newsletter, find(newsletter, ADDRESS))[-1].wording
    assert wording.startswith("Confirm your subscription? Press the button")
    assert wording.endswith("Confirm")
    assert "w***" not in wording


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_used_link_of_somebody_who_left_says_so_and_leads_to_signing_up(
    newsletter: Newsletter, link: str, language: str
) -> None:
    client = far(newsletter)
    client.post(link)
    with newsletter.session() as session:
        people = newsletter.people(session)
        person = people.get(ADDRESS)
        assert person is not None
        people.unsubscribe(person, "one-click")
    before = dump(newsletter)
    for page in (client.get(link, headers={"accept-language": language}), client.post(link)):
        assert page.status_code == 200
        assert 'href="/?topics=policy&amp;topics=models"' in page.text
        assert "订阅成功" not in page.text
    assert {"zh": "你已退订", "en": "You are unsubscribed"}[language] in client.get(
        link, headers={"accept-language": language}
    ).text
    assert dump(newsletter) == before
