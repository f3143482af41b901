"""Unsubscribe links: looking changes nothing, posting acts, whoever posts."""

import pytest
from reader_samples import consents, everything, find, letters
from sqlmodel import select
from web_samples import SCRIPT, add_reader, far, state_of

from newsletter.app import Newsletter
from newsletter.readers.models import LetterKind
from newsletter.render.recipient import INERT_TOKEN
from subscribers.models import Consent, State
from subscribers.tokens import Purpose

ADDRESS = "wen@example.com"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def sources(newsletter: Newsletter) -> list[str]:
    with newsletter.session() as session:
        return [row.source for row in session.exec(select(Consent).where(Consent.kind == "unsubscribe"))]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_safe_methods_change_nothing(newsletter: Newsletter, method: str) -> None:
    token = add_reader(newsletter, ADDRESS)
    far(newsletter).request(method, f"/unsubscribe/{token}", headers={"sec-purpose": "prefetch"})
    assert state_of(newsletter, ADDRESS) is State.ACTIVE
    assert sources(newsletter) == []


def test_the_page_has_one_button_no_script_and_the_address_masked(newsletter: Newsletter) -> None:
    page = far(newsletter).get(f"/unsubscribe/{add_reader(newsletter, ADDRESS)}").text
    assert page.count("<button") == page.count("<form") == 1
    assert "<script" not in page
    assert "w***@example.com" in page
    assert ADDRESS not in page


@pytest.mark.parametrize("kind", ["urlencoded", "multipart"])
def test_one_click_from_anywhere_unsubscribes_and_answers_plainly(newsletter: Newsletter, kind: str) -> None:
    token = add_reader(newsletter, ADDRESS)
    body = {"data": ONE_CLICK} if kind == "urlencoded" else {"files": {"List-Unsubscribe": (None, "One-Click")}}
    headers = {"origin": "https://mail.example.net", "sec-fetch-site": "cross-site", "accept": "*/*"}
    answer = far(newsletter).post(f"/unsubscribe/{token}", headers=headers, follow_redirects=False, **body)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert state_of(newsletter, ADDRESS) is State.UNSUBSCRIBED
    assert sources(newsletter) == ["one-click"]


def test_repeating_it_changes_nothing_more(newsletter: Newsletter) -> None:
    token = add_reader(newsletter, ADDRESS)
    client = far(newsletter)
    answers = [client.post(f"/unsubscribe/{token}", data=ONE_CLICK).status_code for _ in range(3)]
    assert answers == [200, 200, 200]
    assert sources(newsletter) == ["one-click"]


def test_the_pages_own_button_gets_a_page(newsletter: Newsletter) -> None:
    token = add_reader(newsletter, ADDRESS)
    answer = far(newsletter).post(f"/unsubscribe/{token}")
    assert answer.status_code == 200
    assert "你已退订" in answer.text
    assert "w***@example.com" in answer.text
    assert sources(newsletter) == ["page"]


@pytest.mark.parametrize("body", [b"", b"--broken", b"x" * 1_000_000, b"\xff\xfe"])
def test_any_body_posted_to_a_true_link_unsubscribes(newsletter: Newsletter, body: bytes) -> None:
    token = add_reader(newsletter, ADDRESS)
    headers = {"content-type": "multipart/form-data; boundary=nowhere"}
    assert far(newsletter).post(f"/unsubscribe/{token}", content=body, headers=headers).status_code == 200
    assert state_of(newsletter, ADDRESS) is State.UNSUBSCRIBED


def test_a_forged_link_is_a_polite_404_that_changes_nothing(newsletter: Newsletter) -> None:
    token = add_reader(newsletter, ADDRESS)
    client = far(newsletter)
    for forged in (token[:-1], token + "0", token[:4] + "A" * 22 + token[26:], "x", "%00", "a" * 5000):
        for answer in (client.get(f"/unsubscribe/{forged}"), client.post(f"/unsubscribe/{forged}", data=ONE_CLICK)):
            assert answer.status_code == 404
            assert "链接无效" in answer.text
    assert state_of(newsletter, ADDRESS) is State.ACTIVE


def test_a_token_for_another_purpose_does_not_unsubscribe(newsletter: Newsletter) -> None:
    add_reader(newsletter, ADDRESS)
    with newsletter.session() as session:
        person = newsletter.people(session).get(ADDRESS)
        assert person is not None
    token = newsletter.tokens.make(Purpose.PREFERENCES, person.public_id)
    assert far(newsletter).post(f"/unsubscribe/{token}", data=ONE_CLICK).status_code == 404
    assert state_of(newsletter, ADDRESS) is State.ACTIVE


def test_the_link_of_a_test_mail_says_that_nothing_happens(newsletter: Newsletter) -> None:
    add_reader(newsletter, ADDRESS)
    client = far(newsletter)
    for answer in (client.get(f"/unsubscribe/{INERT_TOKEN}"), client.post(f"/unsubscribe/{INERT_TOKEN}")):
        assert answer.status_code == 200
        assert "测试邮件" in answer.text
    assert state_of(newsletter, ADDRESS) is State.ACTIVE


def test_somebody_forgotten_can_still_follow_their_link(newsletter: Newsletter) -> None:
    token = add_reader(newsletter, ADDRESS)
    with newsletter.session() as session:
        people = newsletter.people(session)
        person = people.get(ADDRESS)
        assert person is not None
        people.forget(person)
    assert "你已退订" in far(newsletter).get(f"/unsubscribe/{token}").text
    assert far(newsletter).post(f"/unsubscribe/{token}", data=ONE_CLICK).status_code == 200


@pytest.mark.parametrize(
    ("wish", "word"),
    [
        ("en-GB,en;q=0.9,zh;q=0.1", "Unsubscribe"),
        ("zh-TW", "确认退订"),
        ("fr", "确认退订"),
        ("en;q=oops,*", "确认退订"),
    ],
)
def test_the_page_speaks_the_language_the_browser_asks_for(newsletter: Newsletter, wish: str, word: str) -> None:
    token = add_reader(newsletter, ADDRESS)
    page = far(newsletter).get(f"/unsubscribe/{token}", headers={"accept-language": wish}).text
    assert f">{word}</button>" in page


def leaving(newsletter: Newsletter) -> str:
    """The unsubscribe link of a reader of two topics."""
    return f"/unsubscribe/{add_reader(newsletter, ADDRESS, 'models', 'policy')}"


def topics_of(newsletter: Newsletter) -> list[str]:
    return find(newsletter, ADDRESS).topics


def test_the_page_offers_to_leave_a_topic_only(newsletter: Newsletter) -> None:
    link = leaving(newsletter)
    page = far(newsletter).get(link).text
    assert page.index("确认退订") < page.index("只退订某个主题")
    answer = far(newsletter).post(link, data={"do": "topics", "topics": "models"})
    assert "已退订所选主题" in answer.text
    assert (state_of(newsletter, ADDRESS), topics_of(newsletter)) == (State.ACTIVE, ["policy"])


@pytest.mark.parametrize("topics", [[], ["funding"], [SCRIPT]])
def test_ticking_no_topic_of_ones_own_leaves_nothing(newsletter: Newsletter, topics: list[str]) -> None:
    link = leaving(newsletter)
    before = everything(newsletter)
    answer = far(newsletter).post(link, data={"do": "topics", "topics": topics})
    assert (answer.status_code, "请先勾选" in answer.text, SCRIPT in answer.text) == (422, True, False)
    assert everything(newsletter) == before


def test_one_click_leaves_everything_whatever_else_stands_in_its_body(newsletter: Newsletter) -> None:
    link = leaving(newsletter)
    far(newsletter).post(link, data={**ONE_CLICK, "do": "topics", "topics": "models"})
    assert state_of(newsletter, ADDRESS) is State.UNSUBSCRIBED


def test_one_click_sets_no_cookie_and_writes_no_letter(newsletter: Newsletter) -> None:
    answer = far(newsletter).post(leaving(newsletter), data=ONE_CLICK)
    assert "set-cookie" not in answer.headers
    assert letters(newsletter) == []


def test_the_pages_button_is_answered_by_one_letter(newsletter: Newsletter) -> None:
    link = leaving(newsletter)
    for _ in range(2):
        far(newsletter).post(link)
    assert [letter.kind for letter in letters(newsletter)] == [LetterKind.GOODBYE]


@pytest.mark.parametrize("afterwards", [False, True])
def test_a_reason_is_kept_whether_it_is_given_before_or_after(newsletter: Newsletter, afterwards: bool) -> None:
    link = leaving(newsletter)
    client = far(newsletter)
    client.post(link, data={} if afterwards else {"reason": f"太长\n{SCRIPT}"})
    if afterwards:
        client.post(link.replace("/unsubscribe/", "/goodbye/"), data={"do": "reason", "reason": f"太长\n{SCRIPT}"})
    rows = consents(newsletter, find(newsletter, ADDRESS))
    assert [row.detail for row in rows if row.kind == "reason"] == [f"太长 {SCRIPT}"]


def test_the_way_back_is_a_button_that_other_sites_cannot_press(newsletter: Newsletter) -> None:
    link = leaving(newsletter)
    back = link.replace("/unsubscribe/", "/goodbye/")
    client = far(newsletter)
    assert f'action="{back}"' in client.post(link).text
    elsewhere = {"origin": "https://evil.example.net", "sec-fetch-site": "cross-site"}
    assert client.post(back, data={"do": "back"}, headers=elsewhere).status_code == 403
    assert client.get(back, follow_redirects=False).status_code == 303
    assert state_of(newsletter, ADDRESS) is State.UNSUBSCRIBED
    assert "欢迎回来" in client.post(back, data={"do": "back"}).text
    assert state_of(newsletter, ADDRESS) is State.ACTIVE


def test_a_forged_way_back_is_a_polite_404(newsletter: Newsletter) -> None:
    leaving(newsletter)
    before = everything(newsletter)
    for data in ({"do": "back"}, {"do": "reason", "reason": "x"}, {}):
        assert far(newsletter).post("/goodbye/x", data=data).status_code == 404
    assert everything(newsletter) == before


def test_a_reason_can_be_sent_once_after_leaving_and_not_otherwise(newsletter: Newsletter) -> None:
    link = leaving(newsletter)
    goodbye = link.replace("/unsubscribe/", "/goodbye/")
    client = far(newsletter)
    reason = {"do": "reason", "reason": "太长"}
    assert "确认退订" in client.post(goodbye, data=reason).text  # they have not left: the page that asks
    assert 'value="reason"' not in client.post(link, data={"do": "topics", "topics": "models"}).text
    assert 'value="reason"' in client.post(link).text
    assert 'value="reason"' in client.post(goodbye, data={"do": "reason", "reason": " "}).text
    assert "谢谢，收到了" in client.post(goodbye, data=reason).text
    assert "谢谢，收到了" in client.post(goodbye, data={**reason, "reason": "又来"}).text
    assert 'value="reason"' not in client.get(link).text
    rows = consents(newsletter, find(newsletter, ADDRESS))
    assert [row.detail for row in rows if row.kind == "reason"] == ["太长"]


def test_the_way_back_is_recorded_with_the_words_of_its_button(newsletter: Newsletter) -> None:
    link = leaving(newsletter)
    far(newsletter).post(link)
    far(newsletter).post(link.replace("/unsubscribe/", "/goodbye/"), data={"do": "back"})
    assert consents(newsletter, find(newsletter, ADDRESS))[-1].wording.startswith("按错了，继续订阅 24 小时内")


def test_whom_the_operator_keeps_out_is_offered_no_way_that_leads_nowhere(newsletter: Newsletter) -> None:
    link = leaving(newsletter)
    with newsletter.session() as session:
        newsletter.suppression(session).add(ADDRESS, "complaint")
    page = far(newsletter).post(link).text
    assert "你已退订" in page
    assert "继续订阅" not in page
    assert "重新订阅" not in page
