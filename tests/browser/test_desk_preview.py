"""The preview and the log at the desk in a real browser: without reloads, by keyboard, and nothing of a mail runs."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from desk_samples import add_staff
from pages.site import served
from playwright.sync_api import Browser, Page, expect
from pydantic import SecretStr
from sending import plan
from web_samples import SLUG, add_issue, add_reader

from newsletter.app import Newsletter
from newsletter.editorial.approval import approve
from newsletter.editorial.preview import preview_for
from newsletter.settings import Settings
from newsletter.staff import accounts, sessions
from newsletter.storage.engine import open_engine
from newsletter.storage.migrate import migrate
from newsletter.web.desk.seat import COOKIES

pytestmark = pytest.mark.browser
ATTACK = "<script>alert(1)</script><img src=x onerror=alert(2)>"
PAGE = f"/desk/issues/{SLUG}/preview"


@pytest.fixture(scope="module")
def newsletter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsletter]:
    """An issue with hostile text that is planned for three readers, one with a hostile name."""
    settings = Settings(
        database_url=f"sqlite:///{tmp_path_factory.mktemp('desk') / 'newsletter.db'}",
        secret_key=SecretStr("a key that is only used in these tests"),
        sender="AI 行业动态 <daily@example.org>",
    )
    migrate(open_engine(settings.database_url))
    made = Newsletter(settings)
    with made.session() as session:
        made.topics(session).seed()
    add_issue(made, title=ATTACK)
    add_reader(made, "bo@example.com", "models", name=ATTACK)
    add_reader(made, "chen@example.com", "models", name="陈")
    add_reader(made, "wen@example.com", "policy", name="文")
    approve(made, SLUG)
    plan(made, SLUG)
    yield made
    made.engine.dispose()


@pytest.fixture(scope="module")
def address(newsletter: Newsletter) -> Iterator[str]:
    with served(newsletter) as address:
        yield address


@pytest.fixture(scope="module")
def token(newsletter: Newsletter) -> str:
    add_staff(newsletter)
    with newsletter.session() as session:
        row = accounts.find(session, "chen@example.org")
        return sessions.begin(session, row, datetime.now(UTC), origin="127.0.0.1", browser="test")


@pytest.fixture
def page(browser: Browser, address: str, token: str) -> Iterator[Page]:
    """A signed-in page; at the end no dialog was opened and the console holds no complaint."""
    context = browser.new_context(locale="zh-CN", base_url=address, viewport={"width": 1280, "height": 900})
    context.add_cookies([{"name": COOKIES[1], "value": token, "url": address}])
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("dialog", lambda dialog: (complaints.append(f"dialog {dialog.message}"), dialog.dismiss()))
    opened.goto(PAGE)
    opened.evaluate("window.stayed = true")
    yield opened
    opened.wait_for_load_state("networkidle")
    assert complaints == []
    context.close()


def test_the_arrow_keys_page_through_the_editions(page: Page) -> None:
    page.get_by_role("link", name="按版本").click()
    expect(page.get_by_text("第 1 版，共 2 版")).to_be_visible()
    mail = page.frame_locator("iframe")
    expect(mail.get_by_role("heading", name="群岛实验室公开潮汐预报模型")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("第 2 版，共 2 版")).to_be_visible()
    expect(mail.get_by_role("heading", name="岬角市发布公共数据细则")).to_be_visible()
    expect(mail.get_by_role("heading", name="群岛实验室公开潮汐预报模型")).to_have_count(0)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_text("第 1 版，共 2 版")).to_be_visible()
    assert page.evaluate("window.stayed")


def test_the_arrow_keys_leave_a_search_field_alone(page: Page) -> None:
    page.goto(f"{PAGE}?by=reader")
    search = page.get_by_role("searchbox")
    search.fill("wen")
    search.press("ArrowLeft")
    expect(search).to_be_focused()
    expect(page.locator(".readers a")).to_have_count(1)
    expect(page.get_by_role("link", name="按读者")).to_have_attribute("aria-current", "true")


def test_every_view_shows_the_mail_its_own_way(page: Page) -> None:
    page.goto(f"{PAGE}?reader=wen@example.com")
    body = page.frame_locator("iframe").locator("body")
    views = page.get_by_role("navigation", name="显示方式")
    views.get_by_role("link", name="深色").click()
    expect(body).to_have_css("background-color", "rgb(17, 20, 24)")
    views.get_by_role("link", name="无样式").click()
    expect(page.frame_locator("iframe").locator("style")).to_have_count(0)
    views.get_by_role("link", name="手机").click()
    expect(page.locator(".stage.phone iframe")).to_be_visible()
    assert page.locator("iframe").evaluate("frame => frame.clientWidth") == 375
    views.get_by_role("link", name="收件箱").click()
    expect(page.locator(".lists figure")).to_have_count(4)
    views.get_by_role("link", name="源码").click()
    expect(page.locator("pre")).to_contain_text("Content-Transfer-Encoding: base64")
    page.get_by_role("link", name="解码").click()
    expect(page.locator("pre")).to_contain_text("── text/plain ──")
    expect(views.get_by_role("link", name="源码")).to_have_attribute("aria-current", "true")


def test_on_a_dark_screen_the_light_views_stay_light(page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    page.reload()
    expect(page.frame_locator("iframe").locator("body")).to_have_css("background-color", "rgb(246, 247, 249)")


def test_the_downloaded_file_is_the_message(page: Page, newsletter: Newsletter) -> None:
    page.goto(f"{PAGE}?reader=wen@example.com")
    with page.expect_download() as download:
        page.get_by_role("link", name="下载 .eml").click()
    assert Path(download.value.path()).read_bytes() == preview_for(newsletter, SLUG, "wen@example.com").message.data


def test_a_colleague_opens_the_link_without_an_account(page: Page, browser: Browser, address: str) -> None:
    page.get_by_role("button", name="生成链接").click()
    link = page.get_by_label("链接", exact=True).input_value()
    context = browser.new_context(locale="en-GB", java_script_enabled=False)
    other = context.new_page()
    answer = other.goto(link.replace("http://127.0.0.1:8000", address))
    assert answer
    assert answer.status == 200
    other.get_by_role("link", name="Phone").click()
    expect(other.locator(".stage.phone iframe")).to_be_visible()
    expect(other.frame_locator("iframe").get_by_role("heading", name="岬角市发布公共数据细则")).to_be_visible()
    context.close()


def test_a_reader_is_found_in_the_log_and_their_message_seen(page: Page) -> None:
    page.get_by_role("link", name="投递记录").click()
    page.get_by_label("读者").fill("wen@")
    page.get_by_role("button", name="搜索").click()
    page.get_by_role("link", name="wen@example.com").click()
    expect(page.frame_locator("iframe").get_by_role("heading", name="岬角市发布公共数据细则")).to_be_visible()
    expect(page.get_by_text("订阅了“政策与监管”")).to_be_visible()
    page.get_by_role("link", name="源码").click()
    expect(page.locator("pre")).to_contain_text("Message-ID:")


def test_nothing_of_an_issue_or_a_name_runs(page: Page) -> None:
    hostile = "script, [onerror], a[href^='javascript']"
    for view in ("desktop", "images", "style", "inbox", "text", "source", "decoded"):
        page.goto(f"{PAGE}?reader=bo@example.com&view={view}")
        expect(page.get_by_text("<script>alert(1)</script>").first).to_be_visible()
        assert page.locator("script:not([src]), [onerror]").count() == 0
        if page.locator("iframe").count():
            assert page.frame_locator("iframe").locator(hostile).count() == 0


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}?by=edition&view=inbox", "/desk/log", "/desk/log/1", "/desk/log/3"])
def test_pages_fit_a_screen_of_320_pixels(page: Page, path: str) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_the_pages_work_without_scripts(browser: Browser, address: str, token: str) -> None:
    context = browser.new_context(java_script_enabled=False, locale="zh-CN", base_url=address)
    context.add_cookies([{"name": COOKIES[1], "value": token, "url": address}])
    page = context.new_page()
    page.goto(f"{PAGE}?by=edition")
    page.get_by_role("link", name="下一版").click()
    expect(page.get_by_text("第 2 版，共 2 版")).to_be_visible()
    page.get_by_role("link", name="手机").click()
    expect(page.locator("iframe")).to_have_attribute("src", re.compile(r"reader=wen%40example\.com$"))
    context.close()
