"""Pages behind a data link: looking changes nothing, and each opens for an hour."""

import json

import pytest
from reader_samples import WEN, add, address_link, data_link, everything, find, letters, link
from sending import Clock
from web_samples import SCRIPT, far

from newsletter.app import Newsletter
from newsletter.readers.models import LetterKind
from newsletter.render.recipient import INERT_TOKEN
from subscribers.models import State
from subscribers.tokens import Purpose

NEW = "wen.new@example.net"


@pytest.fixture
def clock(newsletter: Newsletter) -> Clock:
    """The newsletter's clock from now on."""
    clock = newsletter.clock = Clock()
    return clock


@pytest.fixture
def page(newsletter: Newsletter, clock: Clock) -> str:
    """The address of a data link's page."""
    return f"/data/{data_link(newsletter, add(newsletter, name='文心'))}"


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_safe_methods_change_nothing(newsletter: Newsletter, page: str, method: str) -> None:
    far(newsletter).post(f"{page}/address", data={"address": NEW})
    before = everything(newsletter)
    for path in (
        page,
        f"{page}/erase",
        f"{page}/export.json",
        f"{page}/address",
        f"/address/{address_link(newsletter)}",
    ):
        far(newsletter).request(method, path, headers={"sec-purpose": "prefetch"})
    assert everything(newsletter) == before


def test_asking_mails_the_link_and_says_so_however_often(newsletter: Newsletter, clock: Clock) -> None:
    preferences = f"/preferences/{link(newsletter, Purpose.PREFERENCES, add(newsletter))}"
    for _ in range(2):
        answer = far(newsletter).post(f"{preferences}/data")
        assert (answer.status_code, "链接已寄到你的邮箱" in answer.text) == (200, True)
    assert [one.address for one in letters(newsletter, LetterKind.DATA)] == [WEN]


def test_the_page_masks_the_address(newsletter: Newsletter, page: str) -> None:
    text = far(newsletter).get(page).text
    assert "w***@example.com" in text
    assert WEN not in text
    assert "文心" not in text


def test_the_export_is_readable_json_to_download(newsletter: Newsletter, page: str) -> None:
    answer = far(newsletter).get(f"{page}/export.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"] == 'attachment; filename="newsletter-2026-03-09.json"'
    assert answer.headers["cache-control"] == "no-store"
    assert "文心" in answer.content.decode()
    assert json.loads(answer.content)["person"]["address"] == WEN


def test_erasing_takes_a_second_page_and_a_button(newsletter: Newsletter, page: str) -> None:
    client = far(newsletter)
    asked = client.get(f"{page}/erase").text
    assert "会留下" in asked
    assert find(newsletter).state is State.ACTIVE
    assert "已经删除" in client.post(f"{page}/erase").text
    assert WEN not in everything(newsletter)
    assert client.get(page).status_code == 404
    assert client.post(f"{page}/erase").status_code == 404


def test_a_new_address_is_confirmed_by_a_button(newsletter: Newsletter, page: str) -> None:
    client = far(newsletter)
    assert "确认信正在路上" in client.post(f"{page}/address", data={"address": f" {NEW} "}).text
    move = f"/address/{address_link(newsletter)}"
    asked = client.get(move).text
    assert "w***@example.net" in asked
    assert NEW not in asked
    assert "地址已更换" in client.post(move).text
    assert "地址已更换" in client.post(move).text
    assert find(newsletter, NEW).name == "文心"


def test_a_taken_address_is_told_at_confirming_alone(newsletter: Newsletter, page: str) -> None:
    add(newsletter, NEW)
    client = far(newsletter)
    assert "确认信正在路上" in client.post(f"{page}/address", data={"address": NEW}).text
    answer = client.post(f"/address/{address_link(newsletter)}")
    assert (answer.status_code, "不能换到这个地址" in answer.text) == (409, True)
    assert find(newsletter).state is State.ACTIVE


def test_a_wrong_address_is_said_and_kept_in_the_field(newsletter: Newsletter, page: str) -> None:
    before = everything(newsletter)
    answer = far(newsletter).post(f"{page}/address", data={"address": f"a@{SCRIPT}"})
    assert answer.status_code == 422
    assert "写得不对" in answer.text
    assert "a@&lt;script&gt;" in answer.text
    assert SCRIPT not in answer.text
    assert everything(newsletter) == before


def test_after_an_hour_every_page_says_so_and_offers_a_new_link(
    newsletter: Newsletter, clock: Clock, page: str
) -> None:
    clock.move(hours=1)
    client, before = far(newsletter), everything(newsletter)
    answers = [client.get(f"{page}{part}") for part in ("", "/erase", "/export.json")]
    answers += [client.post(f"{page}/erase"), client.post(f"{page}/address", data={"address": NEW})]
    for answer in answers:
        assert answer.status_code == 410
        assert "再寄一个链接" in answer.text
    assert everything(newsletter) == before


def test_a_change_of_address_that_is_over_says_so(newsletter: Newsletter, clock: Clock, page: str) -> None:
    far(newsletter).post(f"{page}/address", data={"address": NEW})
    clock.move(days=1)
    assert far(newsletter).get(f"/address/{address_link(newsletter)}").status_code == 410
    assert far(newsletter).post(f"/address/{address_link(newsletter)}").status_code == 410


def test_forged_and_foreign_links_are_a_polite_404(newsletter: Newsletter, page: str) -> None:
    client, before = far(newsletter), everything(newsletter)
    foreign = link(newsletter, Purpose.PREFERENCES, find(newsletter))
    for wrong in (foreign, page[-30:], "x", "%00", "a" * 3000):
        answers = [client.get(f"/data/{wrong}{part}") for part in ("", "/erase", "/export.json")]
        answers += [client.post(f"/data/{wrong}/erase"), client.post(f"/data/{wrong}/address", data={"address": NEW})]
        answers += [client.get(f"/address/{wrong}"), client.post(f"/address/{wrong}")]
        assert {answer.status_code for answer in answers} == {404}
        assert all("链接无效" in answer.text for answer in answers)
    assert everything(newsletter) == before


def test_the_link_of_a_test_mail_says_so(newsletter: Newsletter) -> None:
    assert "测试邮件" in far(newsletter).get(f"/data/{INERT_TOKEN}").text


def test_another_site_cannot_erase(newsletter: Newsletter, page: str) -> None:
    headers = {"origin": "https://evil.example.net", "sec-fetch-site": "cross-site"}
    assert far(newsletter).post(f"{page}/erase", headers=headers).status_code == 403
    assert find(newsletter).state is State.ACTIVE
