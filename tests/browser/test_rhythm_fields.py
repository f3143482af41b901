"""How often and when mail comes, in a real browser: short at first, the device's own zone, and without a script."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pages.site import open_tour
from pages.tour import Tour
from playwright.sync_api import Browser, Page, expect

from subscribers.tokens import Purpose

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def tour() -> Iterator[Tour]:
    with open_tour() as opened:
        yield opened


@contextmanager
def visit(
    browser: Browser, tour: Tour, *, zone: str = "Europe/Berlin", scripts: bool = True, width: int = 1280
) -> Iterator[Page]:
    context = browser.new_context(
        locale="zh-CN",
        base_url=tour.address,
        timezone_id=zone,
        java_script_enabled=scripts,
        viewport={"width": width, "height": 900},
        reduced_motion="reduce",
    )
    yield context.new_page()
    context.close()


def chosen(page: Page, name: str) -> str:
    return str(page.locator(f"[name={name}]").evaluate("select => select.selectedOptions[0].text"))


def test_the_sign_up_page_begins_without_any_of_it(browser: Browser, tour: Tour) -> None:
    with visit(browser, tour) as page:
        page.goto("/")
        page.get_by_role("checkbox", name="政策与监管").check()
        expect(page.locator("[name=hour], .own").locator("visible=true")).to_have_count(0)


def test_fields_come_with_the_choice_that_gives_them_a_meaning(browser: Browser, tour: Tour) -> None:
    with visit(browser, tour) as page:
        page.goto("/")
        page.get_by_text("频率与时间").click()
        page.get_by_role("checkbox", name="政策与监管").check()
        expect(page.locator(".own").locator("visible=true")).to_have_count(1)
        for field, trigger, value in (("zone", "[name=hour]", "7"), ("day", ".own:visible", "policy=weekly")):
            expect(page.locator(f"[name={field}]")).to_be_hidden()
            page.locator(trigger).select_option(value)
            expect(page.locator(f"[name={field}]")).to_be_visible()


@pytest.mark.parametrize(("zone", "shown"), [("Europe/Berlin", "你的设备：柏林（UTC"), ("Asia/Calcutta", "你的设备：")])
def test_the_zone_of_the_device_is_offered_by_whatever_name_it_has(
    browser: Browser, tour: Tour, zone: str, shown: str
) -> None:
    with visit(browser, tour, zone=zone) as page:
        page.goto("/")
        expect(page.locator("[name=zone]")).to_have_value(zone)
        assert chosen(page, "zone").startswith(shown)


@pytest.mark.parametrize("scripts", [True, False], ids=["script", "no-script"])
@pytest.mark.parametrize("width", [375, 1280])
def test_what_is_chosen_on_the_preferences_page_is_kept_and_said(
    browser: Browser, tour: Tour, scripts: bool, width: int
) -> None:
    with visit(browser, tour, scripts=scripts, width=width) as page:
        page.goto(f"/preferences/{tour.guests.link(Purpose.PREFERENCES)}")
        page.get_by_label("“模型与技术进展”的频率").select_option("models=weekly")
        page.get_by_label("几点寄到").select_option("7")
        if not scripts:
            page.get_by_label("时区", exact=True).select_option("Europe/Berlin")
        page.get_by_label("汇总在哪天寄").select_option("mon")
        page.locator("#choices .primary").click()
        expect(page.get_by_text("已保存")).to_be_visible()
        expect(page.locator("#said")).to_contain_text("每天 07:00（柏林）收到日报；模型与技术进展每周一汇总。")
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_sentence_follows_what_is_chosen_before_it_is_saved(browser: Browser, tour: Tour) -> None:
    with visit(browser, tour) as page:
        page.goto(f"/preferences/{tour.guests.link(Purpose.PREFERENCES)}")
        page.get_by_label("只收重要的", exact=True).check(force=True)
        expect(page.locator("#said")).to_contain_text("有重要内容时")
        expect(page.get_by_text("改动还没有保存")).to_be_visible()


def test_a_topic_that_is_moved_keeps_its_own_frequency(browser: Browser, tour: Tour) -> None:
    with visit(browser, tour) as page:
        page.goto(f"/preferences/{tour.guests.link(Purpose.PREFERENCES)}")
        page.get_by_label("“模型与技术进展”的频率").select_option("models=weekly")
        page.locator("#down-models").click()
        expect(page.locator("[name=order]").first).to_have_value("policy")
        expect(page.get_by_label("“模型与技术进展”的频率")).to_have_value("models=weekly")
