"""A reader's whole way in a real browser, with real mail: sign up, confirm, choose, receive what fits, leave.

On a phone and on a desk, with JavaScript and without. With NEWSLETTER_PICTURES, a folder, what is seen is kept there.
"""

import os
import queue
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, cast

import pytest
from mail_servers import aiosmtpd_server, free_port
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser
PATIENCE_SECONDS = 60
SHORTEST_VISIT_MS = 2100
"""A form that comes back sooner was not filled by a person; here it is one that waits, so the test has to."""
ISSUE = """# AI 行业动态 (2026-03-{day:02})

**模型与技术进展**

- **群岛实验室公开第 {day} 版潮汐预报模型**
  说明：实验室公布了第 {day} 版训练所用的观测数据。
  来源出处：[群岛实验室](https://lab.example.org/tides/{day})

**政策与监管**

- **岬角市发布第 {day} 份公共数据细则**
  说明：第 {day} 份细则写明哪些数据可以授权。
  来源出处：[岬角市](https://city.example.org/data/{day})
"""


class Mailbox:
    """Every mail that arrives, by reader."""

    def __init__(self) -> None:
        self._arrived: queue.Queue[tuple[str, bytes]] = queue.Queue()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """Keep a message."""
        self._arrived.put((envelope.rcpt_tos[0], cast(bytes, envelope.original_content)))
        return "250 2.0.0 kept"

    def next_to(self, address: str) -> EmailMessage:
        """The next mail to an address; others that come before it were for those who have left."""
        while True:
            to, raw = self._arrived.get(timeout=PATIENCE_SECONDS)
            if to == address:
                return message_from_bytes(raw, policy=default)


@dataclass
class House:
    """A newsletter that is served and sends, its mailbox, and its command."""

    address: str
    mailbox: Mailbox
    environment: dict[str, str]
    folder: Path
    days: Iterator[int] = field(default_factory=lambda: iter(range(9, 30)))

    def run(self, *words: str) -> str:
        """Run one command of the newsletter."""
        command = [sys.executable, "-m", "newsletter", *words]
        done = subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True, encoding="utf-8")
        assert done.returncode == 0, done.stderr
        return done.stdout

    def send_issue(self) -> int:
        """Take in, approve and send the issue of the next day; which day."""
        day = next(self.days)
        file = self.folder / f"{day}.md"
        file.write_text(ISSUE.format(day=day), encoding="utf-8")
        self.run("issue", "import", str(file))
        self.run("issue", "approve", f"2026-03-{day:02}")
        self.run("issue", "send", f"2026-03-{day:02}")
        return day


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A newsletter behind `newsletter serve`, which also sends, with one issue in its archive."""
    folder, port, mailbox = tmp_path_factory.mktemp("journey"), free_port(), Mailbox()
    with aiosmtpd_server(mailbox) as server:
        environment = {
            **os.environ,
            "NEWSLETTER_DATABASE_URL": f"sqlite:///{folder / 'newsletter.db'}",
            "NEWSLETTER_SECRET_KEY": "a key that is only used in these tests",
            "NEWSLETTER_SENDER": "AI 行业动态 <daily@example.org>",
            "NEWSLETTER_POSTAL_ADDRESS": "示例新闻社 · 北京市海淀区示例路 1 号",
            "NEWSLETTER_SMTP_URL": f"smtp://127.0.0.1:{server.port}?starttls=never",
            "NEWSLETTER_BASE_URL": f"http://127.0.0.1:{port}",
            "PYTHONUTF8": "1",
        }
        made = House(f"http://127.0.0.1:{port}", mailbox, environment, folder)
        made.run("init")
        made.run("subscriber", "add", "first@example.com", "--topics", "models,policy")
        made.send_issue()
        command = [sys.executable, "-u", "-m", "newsletter", "serve", "--port", str(port)]
        with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as serving:
            assert serving.stdout
            serving.stdout.readline()
            try:
                yield made
            finally:
                serving.terminate()


@contextmanager
def visit(browser: Browser, house: House, width: int, *, scripts: bool) -> Iterator[Page]:
    """A page of a Chinese browser; at the end the console holds no complaint and no dialog was opened."""
    context = browser.new_context(
        locale="zh-CN",
        base_url=house.address,
        viewport={"width": width, "height": 900 if width > 600 else 812},
        java_script_enabled=scripts,
        reduced_motion="reduce",
    )
    page, complaints = context.new_page(), list[str]()
    page.on("console", lambda said: complaints.append(f"{said.text} {said.location}") if said.type == "error" else None)
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    yield page
    assert complaints == []
    context.close()


def keep_picture(page: Page, name: str) -> None:
    """Keep what is seen, where somebody asked for it; it never scrolls sideways."""
    wide = page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert wide, f"{name} scrolls sideways"
    if folder := os.environ.get("NEWSLETTER_PICTURES"):
        page.wait_for_load_state("networkidle")
        page.screenshot(path=Path(folder, f"{name}.png"), full_page=True)


def link_in(mail: EmailMessage, page: str) -> str:
    """The address of one of our pages in the text of a mail."""
    part = mail.get_body(("plain",))
    assert part is not None
    found = re.search(rf"http://\S+/{page}/\S+", part.get_content())
    assert found, part.get_content()
    return found[0]


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


@pytest.mark.parametrize("scripts", [True, False], ids=["script", "no-script"])
@pytest.mark.parametrize("width", [375, 1280])
def test_a_reader_signs_up_chooses_receives_what_fits_and_leaves(
    browser: Browser, house: House, width: int, scripts: bool
) -> None:
    address, shown = f"wen.{width}.{scripts}@example.com".lower(), f"{width}{'' if scripts else '-no-script'}"
    with visit(browser, house, width, scripts=scripts) as page:
        page.goto("/")
        page.locator("label", has_text="政策与监管").click()
        if not scripts:
            page.get_by_role("button", name="更新预览").click()
        frame = page.frame_locator("iframe")
        expect(frame.get_by_role("heading", name="岬角市发布")).to_be_visible()
        expect(frame.get_by_role("heading", name="群岛实验室")).to_have_count(0)
        expect(page.get_by_role("checkbox", name="政策与监管")).to_be_checked()
        page.get_by_label("邮箱地址").fill(address)
        keep_picture(page, f"sign-up-{shown}")
        page.wait_for_timeout(SHORTEST_VISIT_MS)
        page.get_by_role("button", name="订阅", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text("一封确认信正在路上")
        keep_picture(page, f"sent-{shown}")

        page.goto(link_in(house.mailbox.next_to(address), "confirm"))
        keep_picture(page, f"confirm-{shown}")
        page.get_by_role("button", name="确认订阅").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("订阅成功")
        keep_picture(page, f"confirmed-{shown}")
        welcome = house.mailbox.next_to(address)
        assert "政策与监管" in text_of(welcome)

        page.get_by_role("link", name="调整偏好").click()
        page.get_by_role("checkbox", name="政策与监管").uncheck()
        page.get_by_role("checkbox", name="模型与技术进展").check()
        page.get_by_role("button", name="保存").click()
        expect(page.get_by_text("已保存")).to_be_visible()
        keep_picture(page, f"preferences-{shown}")

        day = house.send_issue()
        issue = house.mailbox.next_to(address)
        assert f"第 {day} 版潮汐预报模型" in text_of(issue)
        assert "公共数据细则" not in text_of(issue)

        page.goto(link_in(issue, "view"))
        expect(page.get_by_text(f"第 {day} 版潮汐预报模型").first).to_be_visible()
        if scripts:  # as a mail service does it
            address_of_leaving = re.findall(r"<(http[^>]+)>", issue["List-Unsubscribe"])[0]
            with urllib.request.urlopen(address_of_leaving, b"List-Unsubscribe=One-Click") as answer:
                assert (answer.status, answer.url) == (200, address_of_leaving)
        page.goto(link_in(issue, "unsubscribe"))
        if not scripts:  # as a person does it
            keep_picture(page, f"leave-{shown}")
            page.get_by_role("button", name="确认退订").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("你已退订")
        keep_picture(page, f"left-{shown}")
    assert '"unsubscribed"' in house.run("subscriber", "show", address, "--json")


def test_a_link_that_a_scanner_opens_in_every_way_confirms_and_ends_nothing(browser: Browser, house: House) -> None:
    address = "scanned@example.com"
    house.run("subscriber", "add", address, "--topics", "models")
    house.send_issue()
    issue = house.mailbox.next_to(address)
    before = house.run("subscriber", "show", address, "--json")
    with visit(browser, house, 1280, scripts=True) as page:
        for kind in ("unsubscribe", "preferences", "view"):
            for method in ("GET", "HEAD", "OPTIONS"):
                page.request.fetch(link_in(issue, kind), method=method, headers={"purpose": "prefetch"})
            page.goto(link_in(issue, kind))
            page.wait_for_load_state("networkidle")
    assert house.run("subscriber", "show", address, "--json") == before
