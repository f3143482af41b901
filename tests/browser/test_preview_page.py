"""The preview page in a real browser: every control works without a reload, nothing from an issue ever runs."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from pydantic import SecretStr
from web_samples import SLUG, add_issue, add_reader

from newsletter.app import Newsletter
from newsletter.settings import Settings
from newsletter.storage.engine import open_engine
from newsletter.storage.migrate import migrate

pytestmark = pytest.mark.browser
ATTACK = "<script>alert(1)</script><img src=x onerror=alert(2)> [x](javascript:alert(3))"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where `newsletter serve` serves an issue with hostile text in it, and readers of whom one has a hostile name."""
    settings = Settings(
        database_url=f"sqlite:///{tmp_path_factory.mktemp('browser') / 'newsletter.db'}",
        secret_key=SecretStr("a key that is only used in these tests"),
        sender="AI 行业动态 <daily@example.org>",
    )
    migrate(open_engine(settings.database_url))
    newsletter = Newsletter(settings)
    with newsletter.session() as session:
        newsletter.topics(session).seed()
        newsletter.topics(session).add("markup", ATTACK[:60], "Markup")
    add_issue(newsletter, title=ATTACK)
    add_reader(newsletter, "bo@example.com", "policy", name=ATTACK)
    add_reader(newsletter, "chen@example.com", "models", name="陈")
    environment = {
        **os.environ,
        "NEWSLETTER_DATABASE_URL": settings.database_url,
        "NEWSLETTER_SECRET_KEY": settings.secret_key.get_secret_value(),
        "NEWSLETTER_SENDER": settings.sender,
    }
    command = [sys.executable, "-u", "-m", "newsletter", "serve", "--port", "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        try:
            yield server.stdout.readline().split("/ ")[0]
        finally:
            server.terminate()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The preview page; at the end no dialog was opened and the console holds no complaint."""
    context = browser.new_context(locale="zh-CN", base_url=address, viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("dialog", lambda dialog: (complaints.append(f"dialog {dialog.message}"), dialog.dismiss()))
    opened.goto(f"/preview/{SLUG}")
    opened.evaluate("window.stayed = true")
    yield opened
    opened.wait_for_load_state("networkidle")
    assert complaints == []
    context.close()


def test_choosing_topics_changes_the_mail_without_a_reload(page: Page) -> None:
    mail = page.frame_locator("iframe")
    expect(mail.get_by_role("heading", name="群岛实验室公开潮汐预报模型")).to_be_visible()
    page.get_by_role("checkbox", name="政策与监管").check()
    expect(mail.get_by_role("heading", name="岬角市发布公共数据细则")).to_be_visible()
    expect(mail.get_by_role("heading", name="群岛实验室公开潮汐预报模型")).to_have_count(0)
    page.get_by_role("radio", name="English").check()
    expect(mail.get_by_text("Policy & Regulation").first).to_be_visible()
    assert page.url.endswith(f"/preview/{SLUG}?topics=policy&labels=en")
    assert page.evaluate("window.stayed")


def test_the_views_are_a_desktop_a_phone_a_dark_screen_and_text(page: Page) -> None:
    frame = page.locator("iframe")
    body = page.frame_locator("iframe").locator("body")
    width = frame.evaluate("frame => frame.clientWidth")
    assert width > 640
    page.get_by_role("link", name="手机").click()
    expect(page.locator(".stage.phone iframe")).to_be_visible()
    assert frame.evaluate("frame => frame.clientWidth") == 375
    expect(body).to_have_css("background-color", "rgb(246, 247, 249)")
    page.get_by_role("link", name="深色").click()
    expect(body).to_have_css("background-color", "rgb(17, 20, 24)")
    page.get_by_role("link", name="纯文本").click()
    expect(page.locator("pre")).to_contain_text("群岛实验室公开潮汐预报模型")
    expect(page.locator("pre")).to_contain_text("<script>")
    assert page.evaluate("window.stayed")


def test_on_a_dark_screen_the_light_views_stay_light(page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    page.reload()
    expect(page.frame_locator("iframe").locator("body")).to_have_css("background-color", "rgb(246, 247, 249)")


def test_a_reader_is_found_by_typing_and_shown_by_clicking(page: Page) -> None:
    page.get_by_role("link", name="按读者").click()
    search = page.get_by_role("searchbox")
    search.press_sequentially("chen")
    expect(page.locator(".readers a")).to_have_count(1)
    expect(search).to_be_focused()
    expect(search).to_have_value("chen")
    expect(page.frame_locator("iframe").get_by_text("c***@example.com")).to_be_visible()
    search.fill("")
    page.get_by_role("link", name="bo@example.com").click()
    expect(page.frame_locator("iframe").get_by_text("b***@example.com")).to_be_visible()
    expect(page).to_have_url(re.compile(r"reader=bo%40example\.com"))
    assert page.evaluate("window.stayed")


def test_nothing_of_an_issue_or_a_name_runs(page: Page) -> None:
    heading = page.frame_locator("iframe").get_by_role("heading", name="<script>alert(1)</script>").first
    expect(heading).to_be_visible()
    assert page.frame_locator("iframe").locator("script, [onerror], a[href^='javascript']").count() == 0
    page.get_by_role("link", name="按读者").click()
    expect(page.get_by_text("<script>alert(1)</script>").first).to_be_visible()


def test_a_link_in_the_mail_opens_in_a_tab_of_its_own(page: Page) -> None:
    page.context.route("https://lab.example.org/**", lambda route: route.fulfill(body="the laboratory"))
    with page.context.expect_page() as opened:
        page.frame_locator("iframe").get_by_role("link", name="群岛实验室").last.click()
    assert opened.value.url == "https://lab.example.org/tides"
    expect(page.frame_locator("iframe").get_by_role("heading", name="群岛实验室公开潮汐预报模型")).to_be_visible()


def test_the_preview_works_without_scripts(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False, locale="zh-CN", base_url=address)
    page = context.new_page()
    page.goto(f"/preview/{SLUG}")
    page.get_by_role("checkbox", name="政策与监管").check()
    page.get_by_role("button", name="更新预览").click()
    expect(page.locator("iframe")).to_have_attribute("src", re.compile(r"\?topics=policy$"))
    page.get_by_role("link", name="按读者").click()
    page.get_by_role("searchbox").fill("chen")
    page.get_by_role("button", name="搜索").click()
    expect(page.locator("iframe")).to_have_attribute("src", re.compile(r"\?reader=chen%40example\.com$"))
    context.close()


@pytest.mark.parametrize("path", ["/", "/preview/", f"/preview/{SLUG}", f"/preview/{SLUG}?by=reader&view=phone", "/x"])
def test_pages_fit_a_screen_of_320_pixels(browser: Browser, address: str, path: str) -> None:
    page = browser.new_page(base_url=address, viewport={"width": 320, "height": 640})
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    page.close()
