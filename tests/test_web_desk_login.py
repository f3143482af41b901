"""The pages by which one gets in and out: login, code, invitation, sign-out, and one's own account."""

import re
from datetime import timedelta

import pytest
from desk_samples import at_desk
from hypothesis import given
from hypothesis import strategies as st
from reader_samples import everything
from sending import Clock
from staff_samples import CHEN, HERE, PASSWORD, code, invited, join, turn_on_codes
from starlette.testclient import TestClient
from web_samples import far, near

from newsletter.app import Newsletter
from newsletter.staff import sessions, throttle
from newsletter.staff.logins import sign_in
from newsletter.web.desk.login import is_of_the_desk
from newsletter.web.desk.seat import COOKIES

RIGHT = {"address": CHEN, "password": PASSWORD}
OUTSIDE = (
    "//evil.example",
    "\\\\evil.example",
    "/\\evil.example",
    "https:evil.example",
    "https://evil.example/desk",
    "javascript:alert(1)",
    "/deskevil",
    "/desk//evil",
    "/desk/../preferences",
    "/desk/%2e%2e/preferences",
    "/desk/..\\x",
    "/desk\t/x",
    "/desk/x\r\nset-cookie: a=b",
    "desk",
    "/",
    "",
    "/desk/login?next=/desk/login",
    "/desk/logout",
)


@pytest.fixture
def house(newsletter: Newsletter) -> Newsletter:
    """Chen works here; the clock stands."""
    newsletter.clock = Clock()
    join(newsletter)
    return newsletter


@pytest.fixture
def browser(house: Newsletter) -> TestClient:
    """A browser that nobody is signed in with."""
    client = near(house)
    client.follow_redirects = False
    return client


@pytest.fixture
def signed_in(house: Newsletter) -> TestClient:
    """A browser that Chen is signed in with, beside the first one."""
    client = at_desk(house)
    client.follow_redirects = False
    return client


def field(page: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, page
    return found[1]


def test_the_login_leads_to_the_page_that_was_wanted(browser: TestClient) -> None:
    sent_away = browser.get("/desk/account?done=on")
    form = browser.get(sent_away.headers["location"])
    action = re.search(r'<form method="post" action="([^"]+)"', form.text)
    assert action
    answer = browser.post(action[1].replace("&amp;", "&"), data=RIGHT)
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk/account?done=on")
    assert browser.get(answer.headers["location"]).status_code == 200


def test_no_address_given_to_the_login_leads_out_of_the_desk(browser: TestClient, signed_in: TestClient) -> None:
    for wished in OUTSIDE:
        assert 'action="/desk/login"' in browser.get("/desk/login", params={"next": wished}).text
        answer = signed_in.get("/desk/login", params={"next": wished})
        assert (answer.status_code, answer.headers["location"]) == (303, "/desk"), wished


def test_the_form_itself_leads_nowhere_else_either(browser: TestClient) -> None:
    answer = browser.post("/desk/login", params={"next": "//evil.example"}, data=RIGHT)
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk")


@pytest.mark.parametrize(
    "wished", ["/desk", "/desk?x=1", "/desk/issues/2026-03-09", "/desk/audit?who=1&before=7", "/desk/log?q=a/../b"]
)
def test_pages_of_the_desk_are_led_to(wished: str) -> None:
    assert is_of_the_desk(wished)


@given(st.text(max_size=30).map(lambda tail: "/desk" + tail))
def test_whatever_is_led_to_begins_with_the_desk_and_has_no_other_reading(address: str) -> None:
    if is_of_the_desk(address):
        assert re.match(r"/desk(?:[/?#]|$)", address)
        assert not {"\\", "\n", "\t", " "} & {*address}


@pytest.mark.parametrize("address", [CHEN, "nobody@example.org"])
def test_a_wrong_login_gets_the_same_page_whether_or_not_the_name_exists(browser: TestClient, address: str) -> None:
    answer = browser.post("/desk/login", data={"address": address, "password": "<wrong> one"})
    assert answer.status_code == 422
    assert "set-cookie" not in answer.headers
    assert "地址或密码不对" in answer.text
    assert "wrong" not in answer.text
    assert answer.text.replace(address, "") == browser.post(
        "/desk/login", data={"address": "third@example.org", "password": "x"}
    ).text.replace("third@example.org", "")


def test_who_tried_too_often_is_told_when_to_come_back_and_a_signed_in_browser_works_on(
    house: Newsletter, signed_in: TestClient
) -> None:
    for _ in range(throttle.PER_NAME):
        throttle.count(house, CHEN, "")
    answer = near(house).post("/desk/login", data=RIGHT, follow_redirects=False)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "901")
    assert "16 分钟" in answer.text
    assert signed_in.get("/desk/account").status_code == 200


def test_the_failures_of_a_place_are_counted_by_the_address_it_comes_from(house: Newsletter) -> None:
    for number in range(throttle.PER_ORIGIN):
        throttle.count(house, f"name{number}@example.org", "203.0.113.7")
    assert far(house).post("/desk/login", data=RIGHT).status_code == 429
    assert near(house).post("/desk/login", data=RIGHT, follow_redirects=False).status_code == 303


def test_a_login_never_takes_over_a_token_that_was_there_before(house: Newsletter) -> None:
    planted, tokens = {"cookie": f"{COOKIES[1]}=a token that somebody planted"}, []
    for headers in (planted, {}):
        client = near(house)
        if not headers:
            client.cookies.set(COOKIES[1], tokens[0])
        client.post("/desk/login", data=RIGHT, headers=headers, follow_redirects=False)
        tokens += [cookie.value or "" for cookie in client.cookies.jar if cookie.domain]
    assert len({"a token that somebody planted", *tokens}) == 3
    with house.reading() as session:
        known = [sessions.who(session, token, house.clock()) is not None for token in tokens]
    assert known == [False, True]  # the session that the browser had before has ended


def test_over_https_only_the_cookie_that_no_other_site_can_set_counts(house: Newsletter) -> None:
    token = sign_in(house, CHEN, PASSWORD, HERE).session_token
    answers = {}
    for name in COOKIES:
        client = far(house)
        client.cookies.set(name, token)
        answers[name] = client.get("/desk/account", follow_redirects=False).status_code
    assert answers == {"__Host-desk": 200, "desk": 303}


def test_the_login_with_a_code_takes_two_steps_and_never_shows_the_password(
    house: Newsletter, browser: TestClient
) -> None:
    secret = turn_on_codes(house)
    first = browser.post("/desk/login?next=/desk/account", data=RIGHT)
    assert (first.status_code, PASSWORD in first.text) == (200, False)
    assert "set-cookie" not in first.headers
    assert 'autocomplete="one-time-code"' in first.text
    proof = {"proof": field(first.text, "proof"), "address": CHEN}
    wrong = browser.post("/desk/login?next=/desk/account", data={**proof, "code": code(house, secret)})
    assert wrong.status_code == 422
    assert "set-cookie" not in wrong.headers
    clock = house.clock
    assert isinstance(clock, Clock)
    clock.now += timedelta(seconds=30)
    right = browser.post("/desk/login?next=/desk/account", data={**proof, "code": code(house, secret)})
    assert (right.status_code, right.headers["location"]) == (303, "/desk/account")
    assert browser.get("/desk/account").status_code == 200


def test_a_forged_proof_leads_back_to_the_beginning(browser: TestClient) -> None:
    answer = browser.post("/desk/login", data={"proof": "nonsense", "code": "000000"})
    assert answer.status_code == 422
    assert 'autocomplete="current-password"' in answer.text


def test_who_is_signed_in_is_led_past_the_login(signed_in: TestClient) -> None:
    assert signed_in.get("/desk/login?next=/desk/account").headers["location"] == "/desk/account"


def test_signing_out_ends_the_session_itself_and_takes_a_form(house: Newsletter, signed_in: TestClient) -> None:
    token = signed_in.cookies[COOKIES[1]]
    assert signed_in.get("/desk/logout", follow_redirects=False).headers["location"] == "/desk"
    answer = signed_in.post("/desk/logout")
    assert answer.headers["location"] == "/desk/login"
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert signed_in.cookies[COOKIES[1]] == token  # as if the browser had kept it all the same
    assert signed_in.get("/desk/account").status_code == 303


def test_an_invitation_sets_a_password_and_is_over_then(newsletter: Newsletter) -> None:
    path, client = f"/desk/welcome/{invited(newsletter)}", near(newsletter)
    page = client.get(path)
    assert page.status_code == 200
    assert 'autocomplete="new-password"' in page.text
    assert 'autocomplete="username"' in page.text
    differs = client.post(path, data={"password": PASSWORD, "again": "other"})
    assert differs.status_code == 422
    assert PASSWORD not in differs.text
    assert client.post(path, data={"password": PASSWORD, "again": PASSWORD}, follow_redirects=False).status_code == 303
    assert client.get("/desk/account").status_code == 200
    assert client.get(path).status_code == 410


@pytest.mark.parametrize("token", ["nothing", "%00", "令牌", "x" * 3000])
def test_a_link_that_never_was_changes_nothing(house: Newsletter, browser: TestClient, token: str) -> None:
    before = everything(house)
    path = f"/desk/welcome/{token}"
    answers = browser.get(path), browser.post(path, data={"password": PASSWORD, "again": PASSWORD})
    assert [answer.status_code for answer in answers] == [404, 404]
    assert everything(house) == before


def test_a_name_with_script_in_it_is_text_on_every_page(newsletter: Newsletter) -> None:
    token = invited(newsletter, name="<script>alert(1)</script>")
    client = near(newsletter)
    pages = [client.get(f"/desk/welcome/{token}").text]
    client.post(f"/desk/welcome/{token}", data={"password": PASSWORD, "again": PASSWORD}, follow_redirects=False)
    pages += [client.get(f"/desk/{place}").text for place in ("account", "staff", "audit")]
    assert all("&lt;script&gt;alert(1)" in page and "<script>alert" not in page for page in pages)
