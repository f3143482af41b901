"""The page about sending in a real browser: live figures without a reload, the focus stays, all of it by keyboard."""

from collections.abc import Iterator

import pytest
from desk_samples import at_desk
from mail_servers import aiosmtpd_server
from pages.site import served
from playwright.sync_api import Browser, Page, expect
from pydantic import SecretStr
from sending import SLUG, add_readers, plan, settle, take_in_issue
from test_cli_control import Provider

from newsletter.app import Newsletter
from newsletter.delivery.outcome import Outcome, Stage, Verdict
from newsletter.editorial import sending
from newsletter.editorial.station import sending_beside
from newsletter.readers.post import Post

pytestmark = pytest.mark.browser
PAGE = f"/desk/issues/{SLUG}/sending"
READERS = 8
TAKEN = Outcome(Verdict.ACCEPTED, Stage.DONE, 250, "taken")
BROKEN = Outcome(Verdict.UNKNOWN, Stage.DOT, 0, "the line broke")


@pytest.fixture
def ready(newsletter: Newsletter) -> Newsletter:
    add_readers(newsletter, READERS)
    take_in_issue(newsletter)
    return newsletter


@pytest.fixture
def page(ready: Newsletter, browser: Browser) -> Iterator[Page]:
    """A browser whose owner has every role; what its scripts complain about fails the test."""
    token = str(at_desk(ready).cookies.get("desk"))
    with served(ready) as address:
        context = browser.new_context(base_url=address, locale="zh-CN")
        context.add_cookies([{"name": "desk", "value": token, "url": address}])
        opened = context.new_page()
        faults: list[str] = []
        opened.on("pageerror", lambda error: faults.append(str(error)))
        opened.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        yield opened
        context.close()
    assert faults == []


def test_figures_come_by_themselves_and_the_focus_stays(ready: Newsletter, page: Page) -> None:
    plan(ready, SLUG)
    page.goto(PAGE)
    pause = page.get_by_role("button", name="暂停")
    pause.focus()
    settle(ready, TAKEN, TAKEN)
    expect(page.locator(".send-total strong")).to_have_text("25 %")
    expect(pause).to_be_focused()


def test_what_a_colleague_does_shows_in_the_head_and_in_the_buttons(ready: Newsletter, page: Page) -> None:
    plan(ready, SLUG)
    page.goto(PAGE)
    sending.pause(ready, SLUG)
    expect(page.locator(".bar .state")).to_have_text("已暂停")
    expect(page.get_by_role("button", name="继续发送")).to_be_visible()
    settle(ready)
    sending.resume(ready, SLUG)
    settle(ready, BROKEN)
    expect(page.get_by_role("heading", name="去向不明")).to_be_visible()


def test_a_press_and_a_confirmation_send_it_and_it_is_watched_to_its_end(ready: Newsletter, page: Page) -> None:
    provider = Provider()
    with aiosmtpd_server(provider) as server:
        ready.settings.smtp_url = SecretStr(f"smtp://127.0.0.1:{server.port}?starttls=never")
        page.goto(PAGE)
        page.get_by_role("link", name="现在发送").press("Enter")
        page.get_by_role("button", name="开始发送").press("Enter")
        expect(page.get_by_role("status")).to_have_text("已开始发送。")
        with sending_beside(ready, Post(ready)):
            expect(page.locator(".bar .state")).to_have_text("已发送", timeout=30_000)
    expect(page.locator(".send-total strong")).to_have_text("100 %")
    assert len(provider.taken) == READERS


def test_a_page_that_waits_for_its_time_notices_that_it_began(ready: Newsletter, page: Page) -> None:
    page.goto(PAGE)
    page.get_by_role("button", name="定时").press("Enter")
    expect(page.get_by_text("自动发送（Asia/Shanghai）")).to_be_visible()
    sending.start(ready, SLUG)
    expect(page.locator(".bar .state")).to_have_text("发送中")
