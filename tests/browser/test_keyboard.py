"""The keyboard alone is enough: to sign up, to choose, to leave, to search; and one always sees where one is."""

from collections.abc import Iterator

import pytest
from by_keyboard import MOST_STOPS, go_to, press, stops
from pages.site import open_tour
from pages.tour import Tour
from playwright.sync_api import Browser, Page, expect

from subscribers.tokens import Purpose

pytestmark = pytest.mark.browser
SHORTEST_VISIT_MS = 2100
"""A form that comes back sooner was not filled by a person; here it is one that waits, so the test has to."""


@pytest.fixture(scope="module")
def tour() -> Iterator[Tour]:
    with open_tour() as opened:
        yield opened


@pytest.fixture(params=[True, False], ids=["script", "no-script"])
def page(browser: Browser, tour: Tour, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(
        locale="zh-CN", base_url=tour.address, java_script_enabled=request.param, reduced_motion="reduce"
    )
    yield context.new_page()
    context.close()


def test_one_signs_up(page: Page, tour: Tour) -> None:
    page.goto("/")
    go_to(page, "[name=topics]")
    page.keyboard.press("Space")
    go_to(page, "[name=address]")
    page.keyboard.type(tour.guests.address())
    page.wait_for_timeout(SHORTEST_VISIT_MS)
    press(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("一封确认信正在路上")


def test_one_puts_topics_into_another_order_and_saves_that(page: Page, tour: Tour) -> None:
    def first() -> str | None:
        return page.locator("[name=order]").first.get_attribute("value")

    page.goto(f"/preferences/{tour.guests.link(Purpose.PREFERENCES)}")
    assert first() == "models"
    go_to(page, "#down-models")
    page.keyboard.press("Enter")
    expect(page.locator("[name=order]").first).to_have_value("policy")
    go_to(page, "#choices .primary")
    press(page)
    expect(page.get_by_text("已保存")).to_be_visible()
    assert first() == "policy"


@pytest.mark.parametrize("page", [True], ids=["script"], indirect=True)  # without one, a whole page comes anew
def test_one_stays_at_the_button_that_moves_a_topic(page: Page, tour: Tour) -> None:
    page.goto(f"/preferences/{tour.guests.link(Purpose.PREFERENCES)}")
    go_to(page, "#down-models")
    for place in (1, 2):
        page.keyboard.press("Enter")
        expect(page.locator("[name=order]").nth(place)).to_have_value("models")
        expect(page.locator("#down-models")).to_be_focused()


def test_one_leaves(page: Page, tour: Tour) -> None:
    page.goto(f"/unsubscribe/{tour.guests.link(Purpose.UNSUBSCRIBE)}")
    go_to(page, "main .primary")
    press(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("你已退订")


def test_one_searches_the_archive_and_opens_what_is_found(page: Page) -> None:
    page.goto("/archive")
    go_to(page, "[name=q]")
    page.keyboard.type("模型")
    press(page)
    go_to(page, ".stories a")
    title = page.evaluate("document.activeElement.textContent.trim()")
    press(page)
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def test_what_is_there_for_robots_alone_is_not_reached(page: Page) -> None:
    page.goto("/")
    reached = stops(page)
    assert "INPUT address" in reached
    assert "INPUT website" not in reached


def test_one_sees_every_stop_of_every_kind_of_page_and_comes_to_its_end(browser: Browser, tour: Tour) -> None:
    context = browser.new_context(locale="zh-CN", viewport={"width": 375, "height": 812}, reduced_motion="reduce")
    page = context.new_page()
    for view in tour.views():
        if view.scored:
            page.goto(view.url)
            page.evaluate("document.querySelectorAll('iframe').forEach((frame) => frame.remove())")  # mails have many
            assert len(stops(page)) < MOST_STOPS, view.name
    context.close()
