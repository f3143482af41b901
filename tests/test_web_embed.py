"""Signing up from other sites: the form in a frame, and the call in JSON."""

import json

import pytest
from httpx2 import Response
from sign_up_samples import (
    ADDRESS,
    LIMIT_OF_A_VISITOR,
    Clock,
    asked,
    dump,
    filled,
    letters,
    post,
    stop_clock,
    token_in,
)
from starlette.testclient import TestClient
from web_samples import add_reader, far

from newsletter.app import Newsletter
from newsletter.web.sign_up_call import _TAKES, Wish
from subscribers.preferences import Frequency, Preferences
from subscribers.sign_ups import preferences_asked

WISH = {"address": ADDRESS, "topics": ["models"]}
ELSEWHERE = {"origin": "https://blog.example", "sec-fetch-site": "cross-site"}


@pytest.fixture
def clock(newsletter: Newsletter) -> Clock:
    return stop_clock(newsletter)


def call(newsletter: Newsletter, **changes: object) -> Response:
    return far(newsletter).post("/api/subscribe", content=json.dumps({**WISH, **changes}), headers=ELSEWHERE)


def test_the_form_may_stand_in_a_frame_anywhere_and_has_no_script(newsletter: Newsletter) -> None:
    page = far(newsletter).get("/embed?topics=models,policy&language=en")
    assert "frame-ancestors *" in page.headers["content-security-policy"]
    assert "x-frame-options" not in page.headers
    assert "<script" not in page.text
    assert page.text.count(" checked>") == 2
    assert "Models &amp; Research" in page.text
    assert 'action="/embed?language=en"' in page.text
    assert '<input type="hidden" name="mails" value="en">' in page.text


def test_no_other_page_may_stand_in_a_foreign_frame(newsletter: Newsletter) -> None:
    for path in ("/", "/subscribe/sent"):
        assert far(newsletter).get(path).headers["x-frame-options"] == "DENY"


def test_the_form_in_the_frame_asks_for_a_letter_and_says_so_there(newsletter: Newsletter, clock: Clock) -> None:
    answer = post(far(newsletter), filled(newsletter, clock), "/embed?language=zh")
    assert answer.status_code == 200
    assert "一封确认信正在路上" in answer.text
    assert "frame-ancestors *" in answer.headers["content-security-policy"]
    assert [row.source for row in asked(newsletter)] == ["embed"]


def test_mistakes_are_shown_in_the_frame(newsletter: Newsletter, clock: Clock) -> None:
    answer = post(far(newsletter), filled(newsletter, clock, address="wen@"), "/embed")
    assert answer.status_code == 422
    assert "frame-ancestors *" in answer.headers["content-security-policy"]
    assert 'value="wen@" aria-invalid="true"' in answer.text
    assert letters(newsletter) == []


def test_the_frame_has_the_same_traps_for_programs(newsletter: Newsletter, clock: Clock) -> None:
    trapped = post(far(newsletter), filled(newsletter, clock, website="x"), "/embed")
    assert "一封确认信正在路上" in trapped.text
    hasty = {"form": token_in(far(newsletter).get("/embed").text), "address": ADDRESS, "topics": ["models"]}
    assert post(far(newsletter), hasty, "/embed").status_code == 422
    assert letters(newsletter) == []


def test_the_call_asks_for_a_letter_from_any_site(newsletter: Newsletter) -> None:
    answer = call(newsletter, language="en", most=5, follow=["芯片"], format="text", wording="Yes, write to me.")
    assert answer.status_code == 202
    assert answer.headers["access-control-allow-origin"] == "*"
    assert letters(newsletter) == [("confirm", ADDRESS)]
    (row,) = asked(newsletter)
    assert (row.source, row.origin, row.wording) == ("api", "203.0.113.7", "Yes, write to me.")
    kept = {name: row.preferences[name] for name in ("topics", "language", "most", "follow", "format")}
    assert kept == {"topics": ["models"], "language": "en", "most": 5, "follow": ["芯片"], "format": "text"}


def test_the_call_takes_how_often_and_when(newsletter: Newsletter) -> None:
    wish = {"topics": ["models", "policy"], "frequency": "weekly", "day": "mon", "hour": 7, "zone": "Europe/Berlin"}
    assert call(newsletter, **wish, frequencies={"policy": "important"}).status_code == 202
    (row,) = asked(newsletter)
    assert preferences_asked(row) == Preferences(
        ("models", "policy"),
        frequency=Frequency.WEEKLY,
        day=0,
        hour=7,
        zone="Europe/Berlin",
        frequencies=(("policy", Frequency.IMPORTANT),),
    )


def test_an_hour_alone_is_one_of_the_newsletters_zone(newsletter: Newsletter) -> None:
    call(newsletter, hour=7)
    (row,) = asked(newsletter)
    assert (row.preferences["hour"], row.preferences["zone"]) == (7, "Asia/Shanghai")


def test_the_call_answers_the_same_whoever_the_address_belongs_to(newsletter: Newsletter) -> None:
    add_reader(newsletter, "reader@example.com")
    addresses = ("new@example.com", "reader@example.com", "new@example.com")
    answers = [call(newsletter, address=address) for address in addresses]
    assert len({(answer.status_code, answer.text) for answer in answers}) == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"address": "wen@"}, "address"),
        ({"address": 5}, "address"),
        ({"address": "a@b.example\r\nBcc: x@example.com"}, "address"),
        ({"topics": []}, "topics"),
        ({"topics": ["weather"]}, "topics"),
        ({"topics": "models"}, "topics"),
        ({"most": 0}, "most"),
        ({"mute": ["a;b"]}, "mute"),
        ({"most": True}, "most"),
        ({"language": "fr"}, "language"),
        ({"follow": [""]}, "follow"),
        ({"format": "pdf"}, "format"),
        ({"wording": "\x00"}, "wording"),
        ({"wording": "\ud800"}, "wording"),
        ({"\ud800": 1}, ""),
        ({"birthday": 8}, "birthday"),
        ({"frequency": "hourly"}, "frequency"),
        ({"frequencies": {"models": "hourly"}}, "frequencies.models"),
        ({"frequencies": {"policy": "weekly"}}, "frequencies"),
        ({"day": "friday"}, "day"),
        ({"hour": 24}, "hour"),
        ({"hour": "7"}, "hour"),
        ({"zone": "Mars/Olympus"}, "zone"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_changes(
    newsletter: Newsletter, changes: dict[str, object], field: str
) -> None:
    before = dump(newsletter)
    answer = call(newsletter, **changes)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert dump(newsletter) == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"topics": "models"}, "it must be a list of 1 to 100 topics, each by its short name"),
        ({"topics": [1]}, "it must be a list of 1 to 100 topics, each by its short name"),
        ({"most": 0}, "it must be a whole number from 1 to 1000, or null for all stories"),
        ({"language": "fr"}, "it must be one of zh, en"),
        ({"birthday": 8}, "there is no such field; there are address, topics, language,"),
        ({"wording": "\x00"}, "it has a control character in it"),
        ({"zone": "Mars/Olympus"}, "it must be the name of a time zone, such as Asia/Shanghai"),
        ({"frequencies": {"policy": "weekly"}}, "policy has a frequency and is none of the topics"),
    ],
)
def test_a_refusal_says_what_the_field_takes(newsletter: Newsletter, changes: dict[str, object], message: str) -> None:
    assert call(newsletter, **changes).json()["error"]["message"].startswith(message)


def test_a_refusal_names_what_is_missing_and_what_a_body_is(newsletter: Newsletter) -> None:
    errors = [far(newsletter).post("/api/subscribe", content=body).json()["error"] for body in (b"{}", b"[]")]
    assert errors[0]["field"] == "address"
    assert errors[0]["message"].startswith("it is missing: an e-mail address")
    assert errors[1]["message"].startswith("the body is no JSON object; its fields are address, topics,")


def test_the_call_says_of_every_field_what_it_takes() -> None:
    assert set(_TAKES) == set(Wish.model_fields)


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"{", 400), (b"\xff", 400), (b"[" * 9000, 400), (b"null", 422), (b"[]", 422), (b" " * 10_001, 413)],
)
def test_a_body_that_is_none_is_refused(newsletter: Newsletter, body: bytes, status: int) -> None:
    answer = far(newsletter).post("/api/subscribe", content=body)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]
    assert answer.headers["access-control-allow-origin"] == "*"


def test_a_site_that_calls_too_often_is_told_when_to_come_back(newsletter: Newsletter) -> None:
    for number in range(LIMIT_OF_A_VISITOR):
        assert call(newsletter, address=f"a{number}@example.com").status_code == 202
    answer = call(newsletter)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3600")
    assert "retry-after" in answer.headers["access-control-expose-headers"]


def test_browsers_are_told_that_any_site_may_call(newsletter: Newsletter) -> None:
    before = dump(newsletter)
    client: TestClient = far(newsletter)
    headers = {**ELSEWHERE, "access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    answer = client.options("/api/subscribe", headers=headers)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-methods"] == "POST"
    assert answer.headers["access-control-allow-headers"] == "content-type"
    assert "access-control-allow-credentials" not in answer.headers
    assert dump(newsletter) == before
