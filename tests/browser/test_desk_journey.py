"""An editor's whole way in a real browser, from an empty database to one reader's message in the log, with real mail.

With NEWSLETTER_PICTURES, a folder, what is seen is kept there.
"""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from mail_servers import aiosmtpd_server, free_port
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser
PATIENCE_MS = 30_000
CHEN, PASSWORD = "chen@example.org", "群岛的潮汐有一百年的记录"
SEED = Path(__file__).resolve().parents[3] / "shared" / "seeds" / "000_edcf4d99eb27c909.txt"
OWN = """# AI 行业动态 (2026-02-04)

**政策与监管**

- **岬角市发布公共数据细则**
  说明：细则写明哪些数据可以授权。
  来源出处：[岬角市](https://city.example.org/data)

**模型与技术进展**

- **群岛实验室公开潮汐预报模型**
  说明：实验室公布了训练所用的观测数据。
  来源出处：[群岛实验室](https://lab.example.org/tides)
"""


class Mailbox:
    """The bytes of every message that arrives, by reader; waiting for one ends the moment it comes."""

    def __init__(self) -> None:
        self.arrived: dict[str, list[bytes]] = {}
        self._came = threading.Condition()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """Keep a message."""
        with self._came:
            self.arrived.setdefault(envelope.rcpt_tos[0], []).append(cast(bytes, envelope.original_content))
            self._came.notify_all()
        return "250 2.0.0 kept"

    def only_to(self, address: str) -> bytes:
        """The one message to a reader."""
        with self._came:
            assert self._came.wait_for(lambda: address in self.arrived, PATIENCE_MS / 1000), f"no mail to {address}"
            (message,) = self.arrived[address]
            return message


@dataclass
class House:
    """A newsletter that is served and sends, its mailbox, and its command."""

    address: str
    mailbox: Mailbox
    environment: dict[str, str]
    folder: Path

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run one command of the newsletter."""
        command = [sys.executable, "-m", "newsletter", *words]
        return subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True, encoding="utf-8")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A newsletter with an empty database behind `newsletter serve`, which also sends."""
    port, mailbox = free_port(), Mailbox()
    with aiosmtpd_server(mailbox) as server:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")},
            "NEWSLETTER_DATABASE_URL": f"sqlite:///{tmp_path / 'newsletter.db'}",
            "NEWSLETTER_SECRET_KEY": "a key that is only used in these tests",
            "NEWSLETTER_SENDER": "AI 行业动态 <daily@example.org>",
            "NEWSLETTER_POSTAL_ADDRESS": "示例新闻社 · 云州市示例路 1 号",
            "NEWSLETTER_SMTP_URL": f"smtp://127.0.0.1:{server.port}?starttls=never",
            "NEWSLETTER_BASE_URL": f"http://127.0.0.1:{port}",
            "PYTHONUTF8": "1",
        }
        made = House(f"http://127.0.0.1:{port}", mailbox, environment, tmp_path)
        assert made.run("init").returncode == 0
        command = [sys.executable, "-u", "-m", "newsletter", "serve", "--port", str(port)]
        with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as serving:
            assert serving.stdout
            serving.stdout.readline()
            try:
                yield made
            finally:
                serving.terminate()


@pytest.fixture
def page(browser: Browser, house: House) -> Iterator[Page]:
    """A page of a Chinese browser; at the end no script has failed and no dialog was opened."""
    context = browser.new_context(locale="zh-CN", base_url=house.address, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    page, trouble = context.new_page(), list[str]()
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("dialog", lambda dialog: trouble.append(dialog.message))
    yield page
    context.close()
    assert trouble == []


def keep_picture(page: Page, name: str) -> None:
    if folder := os.environ.get("NEWSLETTER_PICTURES"):
        page.screenshot(path=str(Path(folder) / f"desk-{name}.png"), full_page=True)


def create_account(page: Page, house: House) -> None:
    """The first account: its link by command, its password in the browser."""
    told = house.run("staff", "add", CHEN, "--name", "陈编辑").stdout
    link = re.search(r"http://\S+/desk/welcome/\S+", told)
    assert link, told
    page.goto(link[0])
    for field in page.locator('input[autocomplete="new-password"]').all():
        field.fill(PASSWORD)
    page.locator("main form button.primary").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("概览")


def add_reader(page: Page, address: str, topic: str) -> None:
    page.goto("/desk/readers/add")
    page.get_by_label("地址").first.fill(address)
    page.get_by_role("checkbox", name=topic).check()
    page.locator('[name="agreed"]').fill("在开放日的登记表上签了名")
    page.locator("main form button.primary").click()
    expect(page.locator("main")).to_contain_text(address)


def test_an_editor_writes_mends_looks_approves_sends_watches_and_finds_one_message(page: Page, house: House) -> None:
    create_account(page, house)
    add_reader(page, "policy@example.com", "政策与监管")
    add_reader(page, "models@example.com", "模型与技术进展")

    # a document is pasted, one of its links without its scheme
    text = SEED.read_text("utf-8") if SEED.exists() else OWN
    broken = re.sub(r"\]\(https?://", "](", text, count=1)
    page.goto("/desk/issues/new")
    page.locator('[name="text"]').fill(broken)
    page.locator("main form button.primary").click()
    expect(page).to_have_url(f"{house.address}/desk/issues/2026-02-04")
    expect(page.locator(".counts")).to_contain_text("1 个错误")
    keep_picture(page, "editor-error")

    # its finding is mended by its button, and saved by itself
    page.locator('[data-part="findings"] li.error').get_by_role("button", name=re.compile("替换|Replace")).first.click()
    expect(page.locator(".counts")).not_to_contain_text("个错误")
    assert re.search(r"\]\(https?://", page.locator("#text").input_value())
    keep_picture(page, "editor")

    # two readers with different topics see different stories
    seen = {}
    for address in ("policy@example.com", "models@example.com"):
        page.goto(f"/desk/issues/2026-02-04/preview?reader={address}")
        seen[address] = page.frame_locator("iframe").first.locator("body").inner_text()
        keep_picture(page, f"preview-{address.partition('@')[0]}")
    assert seen["policy@example.com"] != seen["models@example.com"]
    assert "政策与监管" in seen["policy@example.com"]
    assert "政策与监管" not in seen["models@example.com"]

    # nothing goes out before it is approved, by neither door
    refused = house.run("issue", "send", "2026-02-04")
    assert refused.returncode == 1
    assert "approve" in refused.stderr
    page.goto("/desk/issues/2026-02-04/checks")
    keep_picture(page, "checks")
    page.goto("/desk/issues/2026-02-04/sending")
    page.get_by_role("button", name=re.compile("^批准")).click()
    expect(page.locator("main")).to_contain_text("已批准")
    keep_picture(page, "approved")

    # it is sent, and watched until it has gone
    page.locator("a[href$='/sending/start']").first.click()
    page.locator("#exact").fill("policy@example.com")
    keep_picture(page, "send")
    with page.expect_download() as told:
        page.locator("form[action$='/message.eml'] button").click()
    before = Path(told.value.path()).read_bytes()
    page.locator("form[action$='/sending/start'] button.primary").click()
    expect(page.locator('[data-live="figures"]')).to_contain_text("100 %", timeout=PATIENCE_MS)
    expect(page.locator(".bar")).to_contain_text("已发送", timeout=PATIENCE_MS)
    keep_picture(page, "sent")

    # what was received is the file that was fetched before, byte for byte
    received = house.mailbox.only_to("policy@example.com")
    assert before == received

    # one reader's message is found in the log, and it is what was received; so is the preview's
    page.goto("/desk/log")
    page.locator("#q").fill("policy@example.com")
    page.locator("#q").press("Enter")
    page.get_by_role("link", name="policy@example.com").first.click()
    expect(page.locator("main")).to_contain_text("250")
    keep_picture(page, "log-entry")
    for link in (f"{page.url}/message.eml", "/desk/issues/2026-02-04/preview/message.eml?reader=policy@example.com"):
        assert page.request.get(link).body() == received
    assert sorted(house.mailbox.arrived) == ["models@example.com", "policy@example.com"]


def test_an_edit_after_approval_blocks_the_send_by_either_door(page: Page, house: House) -> None:
    create_account(page, house)
    add_reader(page, "policy@example.com", "政策与监管")
    page.goto("/desk/issues/new")
    page.locator('[name="text"]').fill(OWN)
    page.locator("main form button.primary").click()
    page.goto("/desk/issues/2026-02-04/sending")
    page.get_by_role("button", name=re.compile("^批准")).click()
    expect(page.locator("main")).to_contain_text("已批准")
    page.goto("/desk/issues/2026-02-04/sending/start")  # a tab that is left open
    fields = page.locator("form[action$='/sending/start'] input").all()
    form = {field.get_attribute("name") or "": field.input_value() for field in fields}
    assert form["seen"]

    page.goto("/desk/issues/2026-02-04")
    expect(page.locator(".bar .state")).to_have_text("已批准")
    page.locator("#text").press("Control+End")
    page.locator("#text").press_sequentially("  背景：后来加的一句。")
    expect(page.locator(".bar .state")).to_contain_text("草稿")
    expect(page.locator(".bar .actions")).to_contain_text("批准")
    refused = house.run("issue", "send", "2026-02-04")
    assert refused.returncode == 1
    assert "approve" in refused.stderr
    page.goto("/desk/issues/2026-02-04/sending/start")
    assert page.locator("form[action$='/sending/start'] button.primary").count() == 0
    for sent in (form, {}):
        headers = {"origin": house.address}
        answer = page.request.post("/desk/issues/2026-02-04/sending/start", headers=headers, form=dict(sent))
        assert answer.status == 409
    status = json.loads(house.run("issue", "status", "2026-02-04", "--json").stdout)
    assert (status["state"], status["candidates"]) == ("draft", 0)
    page.goto("/desk/log")
    expect(page.locator("main")).not_to_contain_text("policy@example.com")
