"""The desk by keyboard alone: Tab, Enter, Space and arrows lead through a day, and one always sees where one is."""

from collections.abc import Iterator

import pytest
from by_keyboard import MOST_STOPS, go_to, press, stops
from desk_samples import add_staff
from editing import is_saved
from mail_servers import aiosmtpd_server
from pages.newsroom import PASSWORD, Provider
from pages.site import served
from playwright.sync_api import Browser, Page, expect
from pydantic import SecretStr
from web_samples import ISSUE, SLUG, add_reader

from newsletter.app import Newsletter
from newsletter.editorial import sending
from newsletter.editorial.station import sending_beside
from newsletter.editorial.writing import text_of
from newsletter.readers.post import Post
from newsletter.staff import accounts, passwords

pytestmark = pytest.mark.browser
READERS = 3
TEXT = ISSUE.format(title="山谷团队开源语音模型 Echo-2").replace("https://project.example.org/", "project.example.org")


@pytest.fixture
def page(browser: Browser, newsletter: Newsletter) -> Iterator[Page]:
    """A browser before the login of somebody with every role; there are readers and a server that takes mail."""
    add_staff(newsletter)
    with newsletter.session() as session:
        accounts.find(session, "chen@example.org").password_hash = passwords.keep(PASSWORD)
    for number in range(READERS):
        add_reader(newsletter, f"reader{number}@example.com", "models", "policy")
    with aiosmtpd_server(Provider()) as server, served(newsletter) as address:
        newsletter.settings.smtp_url = SecretStr(f"smtp://127.0.0.1:{server.port}?starttls=never")
        context = browser.new_context(locale="zh-CN", base_url=address, reduced_motion="reduce")
        yield context.new_page()
        context.close()


def log_in(page: Page, on: str = "/desk") -> None:
    page.goto(on)
    for field, text in (("#address", "chen@example.org"), ("#password", PASSWORD)):
        if not page.evaluate("(field) => document.activeElement.matches(field)", field):
            go_to(page, field)
        page.keyboard.type(text)
    press(page)


def begin_issue(page: Page) -> None:
    """Log in and begin an issue with the text."""
    log_in(page, "/desk/issues/new")
    go_to(page, "[name=how]")
    page.keyboard.press("ArrowDown")
    go_to(page, "#text")
    page.keyboard.insert_text(TEXT)
    go_to(page, "main form .primary")
    press(page)
    expect(page.locator("#editor")).to_be_visible()


def test_one_logs_in(page: Page) -> None:
    log_in(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("概览")


def test_one_begins_an_issue_finds_a_mistake_and_mends_it(page: Page, newsletter: Newsletter) -> None:
    begin_issue(page)
    go_to(page, ".findings button.place")
    page.keyboard.press("Enter")
    chosen = "() => { const t = document.activeElement; return t.value.slice(t.selectionStart, t.selectionEnd) }"
    assert "project.example.org" in page.evaluate(chosen)
    go_to(page, ".findings [data-mend-line]")
    page.keyboard.press("Enter")
    expect(page.locator(".findings .error")).to_have_count(0, timeout=15_000)
    is_saved(page)
    assert "](https://project.example.org)" in text_of(newsletter, SLUG)[1]


def test_one_writes_and_leaves_the_text_again(page: Page, newsletter: Newsletter) -> None:
    begin_issue(page)
    go_to(page, "#text")
    page.keyboard.press("Control+End")
    page.keyboard.type("  ")
    page.keyboard.insert_text("背景：后来加的一句。")
    go_to(page, "[data-save], .tools button")  # Tab leaves the text: it is no trap
    is_saved(page)
    assert "后来加的一句" in text_of(newsletter, SLUG)[1]


def test_one_moves_a_story_and_stays_at_it(page: Page, newsletter: Newsletter) -> None:
    begin_issue(page)
    go_to(page, "[data-show=outline]")
    page.keyboard.press("Enter")
    go_to(page, "[aria-label='下移“群岛实验室公开潮汐预报模型”']")
    page.keyboard.press("Enter")
    expect(page.locator(".story .title").first).to_contain_text("山谷团队", timeout=15_000)
    expect(page.get_by_role("button", name="下移“群岛实验室公开潮汐预报模型”")).to_be_focused()
    assert text_of(newsletter, SLUG)[0].issue.stories[1].title == "群岛实验室公开潮汐预报模型"


def test_one_looks_at_the_mail_in_another_way(page: Page) -> None:
    begin_issue(page)
    go_to(page, ".tabs a[href$='/preview']")
    press(page)
    go_to(page, "a[href*='view=phone']")
    page.keyboard.press("Enter")
    expect(page.locator(".stage.phone iframe")).to_be_visible()


def test_one_approves_sends_pauses_and_finds_it_in_the_log(page: Page, newsletter: Newsletter) -> None:
    log_in(page, "/desk/issues/new")
    go_to(page, "#text")
    page.keyboard.insert_text(TEXT.replace("(project", "(https://project"))
    go_to(page, "main form .primary")
    press(page)
    for selector in (
        ".tabs a[href$='/sending']",
        "form[action$='/approval'] button",
        "a[href$='/sending/start']",
        "form[action$='/start'] .primary",
        "form[action$='/pause'] button",
    ):
        go_to(page, selector)
        press(page)
    expect(page.locator(".bar .state")).to_have_text("已暂停")
    assert sending.resume(newsletter, SLUG)
    with sending_beside(newsletter, Post(newsletter)):
        expect(page.locator(".bar .state")).to_have_text("已发送", timeout=30_000)
    go_to(page, ".top a[href='/desk/log']")
    press(page)
    go_to(page, "#q")
    page.keyboard.type("reader1")
    press(page)
    go_to(page, "main table a[href^='/desk/log/']")
    press(page)
    expect(page.locator("main")).to_contain_text("250")


PAGES = (
    "",
    "/issues",
    f"/issues/{SLUG}",
    f"/issues/{SLUG}/preview",
    f"/issues/{SLUG}/checks",
    f"/issues/{SLUG}/sending",
    f"/issues/{SLUG}/test",
    f"/issues/{SLUG}/history",
    "/images",
    "/readers",
    "/readers/add",
    "/readers/import",
    "/suppression",
    "/topics",
    "/topics/policy",
    "/log",
    "/settings",
    "/staff",
    "/audit",
    "/account",
    "/account/second-factor",
)


@pytest.mark.parametrize("width", [768, 1280])
def test_one_sees_every_stop_of_every_page_and_comes_to_its_end(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    begin_issue(page)
    is_lost = []
    for path in PAGES:
        page.goto(f"/desk{path}")
        page.evaluate("document.querySelectorAll('iframe').forEach((frame) => frame.remove())")  # mails have many
        is_lost += [path] if len(stops(page)) == MOST_STOPS else []
    assert is_lost == []
