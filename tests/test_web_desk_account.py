"""One's own account in the browser: password, second factor, and the browsers that one is signed in with."""

import re

import pytest
from desk_samples import at_desk
from reader_samples import everything
from sending import Clock
from staff_samples import CHEN, PASSWORD, actor, code, join, row_of, sessions_of, turn_on_codes
from starlette.testclient import TestClient
from web_samples import near

from newsletter.app import Newsletter
from newsletter.staff import second_factor, throttle


@pytest.fixture
def house(newsletter: Newsletter) -> Newsletter:
    """Chen works here; the clock stands."""
    newsletter.clock = Clock()
    join(newsletter)
    return newsletter


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


def test_the_account_lists_ones_browsers_and_ends_one_of_them(house: Newsletter, signed_in: TestClient) -> None:
    page = signed_in.get("/desk/account").text
    assert page.count("当前浏览器") == 1
    assert "Firefox · Linux" in page
    other = sessions_of(house)[0]
    assert f'value="{other}"' in page
    assert signed_in.post("/desk/account/sessions", data={"end": str(other)}).status_code == 303
    assert other not in sessions_of(house)
    assert signed_in.get("/desk/account").status_code == 200


def test_what_names_no_session_ends_none(house: Newsletter, signed_in: TestClient) -> None:
    before = everything(house)
    for end in ("", "x", "-1", "9" * 40, "٣", "1e3"):
        assert signed_in.post("/desk/account/sessions", data={"end": end}).status_code == 303
    assert everything(house) == before


def test_another_password_keeps_this_browser_and_ends_the_others(house: Newsletter, signed_in: TestClient) -> None:
    fields = {"old": PASSWORD, "password": "another long one", "again": "another long one"}
    assert signed_in.post("/desk/account/password", data={**fields, "old": "wrong"}).status_code == 422
    assert len(sessions_of(house)) == 2
    assert signed_in.post("/desk/account/password", data=fields).status_code == 303
    assert len(sessions_of(house)) == 1
    assert signed_in.get("/desk/account").status_code == 200


def test_the_second_factor_is_turned_on_and_off_on_the_account_page(house: Newsletter, signed_in: TestClient) -> None:
    page = signed_in.get("/desk/account/second-factor").text
    secret = field(page, "secret")
    assert 'src="data:image/svg+xml' in page
    assert row_of(house).totp_secret is None
    wrong = signed_in.post("/desk/account/second-factor", data={"secret": secret, "code": "000"})
    assert (wrong.status_code, field(wrong.text, "secret")) == (422, secret)
    fields = {"secret": secret, "code": code(house, secret)}
    assert signed_in.post("/desk/account/second-factor", data=fields).status_code == 303
    assert row_of(house).totp_secret == secret
    assert signed_in.post("/desk/account/second-factor/off", data={"password": "wrong"}).status_code == 422
    assert signed_in.post("/desk/account/second-factor/off", data={"password": PASSWORD}).status_code == 303
    assert row_of(house).totp_secret is None


def test_a_secret_that_is_none_of_ours_is_never_shown_again(signed_in: TestClient) -> None:
    answer = signed_in.post("/desk/account/second-factor", data={"secret": '"><script>', "code": "000000"})
    assert answer.status_code == 422
    assert second_factor.is_secret(field(answer.text, "secret"))


def test_guessing_the_password_on_the_account_page_has_to_wait_too(house: Newsletter, signed_in: TestClient) -> None:
    turn_on_codes(house)
    for _ in range(throttle.PER_NAME):
        throttle.count(house, CHEN, "")
    answer = signed_in.post("/desk/account/second-factor/off", data={"password": PASSWORD})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "901")
    assert row_of(house).totp_secret


@pytest.mark.parametrize("path", ["/desk/login", "/desk/account", "/desk/account/second-factor", "/desk/staff"])
def test_a_page_in_english_has_no_chinese_words(house: Newsletter, signed_in: TestClient, path: str) -> None:
    client = near(house) if path == "/desk/login" else signed_in
    page = client.get(path, params={"language": "en"}).text
    assert '<html lang="en">' in page
    without = page.replace(house.name, "").replace("中文", "")
    assert not re.search(r"[\u4e00-\u9fff]", without)


def test_who_is_who_is_the_person_of_the_session(house: Newsletter, signed_in: TestClient) -> None:
    assert actor(house).name in signed_in.get("/desk/account").text
