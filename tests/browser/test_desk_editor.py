"""The editor in a real browser: what is typed is saved by itself, mended by a click, and never lost."""

import re
from collections.abc import Iterator

import pytest
from desk_samples import at_desk
from editing import is_saved
from pages.site import served
from playwright.sync_api import Browser, Page, expect
from test_web_desk_issues import picture
from web_samples import ISSUE, SLUG, add_issue, add_reader

from newsletter.app import Newsletter
from newsletter.editorial.approval import approve
from newsletter.editorial.writing import text_of
from newsletter.staff.rights import Role
from newsletter.web.desk.seat import COOKIES

pytestmark = pytest.mark.browser
TEXT = ISSUE.format(title="山谷团队开源语音模型 Echo-2")
LONG = 1_000_000
_TIMED = """() => new Promise((done) => {
    const area = document.getElementById('text');
    area.focus(); area.setSelectionRange(2000, 2000);
    const times = [];
    const type = () => {
        if (times.length === 12) return done(times.sort((a, b) => a - b)[6]);
        const began = performance.now();
        area.dispatchEvent(new Event('input', { bubbles: true }));
        times.push(performance.now() - began);
        setTimeout(type, 30);
    };
    type();
})"""


@pytest.fixture
def address(newsletter: Newsletter) -> Iterator[str]:
    add_issue(newsletter)
    add_reader(newsletter, "bo@example.com", "policy")
    with served(newsletter) as address:
        yield address


@pytest.fixture
def page(browser: Browser, newsletter: Newsletter, address: str) -> Iterator[Page]:
    yield from opened(browser, newsletter, address, "chen@example.org")


@pytest.fixture
def other_page(browser: Browser, newsletter: Newsletter, address: str) -> Iterator[Page]:
    yield from opened(browser, newsletter, address, "li@example.org")


def opened(browser: Browser, newsletter: Newsletter, address: str, who: str) -> Iterator[Page]:
    token = at_desk(newsletter, Role.EDITOR, address=who).cookies[COOKIES[1]]
    context = browser.new_context(locale="zh-CN", viewport={"width": 1280, "height": 900})
    context.add_cookies([{"name": COOKIES[1], "value": token, "url": address}])
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.goto(f"{address}/desk/issues/{SLUG}")
    yield page
    context.close()
    assert faults == []


def type_at_end(page: Page, text: str) -> None:
    page.locator("#text").press("Control+End")
    page.keyboard.insert_text(text)


def test_what_is_typed_is_saved_and_seen_in_the_mail(page: Page, newsletter: Newsletter) -> None:
    type_at_end(page, "\n- **灯塔公司发布海图助手**\n  说明：一句话。\n  来源出处：[灯塔](https://light.example.org)\n")
    expect(page.locator("#issue-saved")).to_contain_text("已自动保存", timeout=15_000)
    is_saved(page)
    assert "灯塔公司发布海图助手" in text_of(newsletter, SLUG)[1]
    expect(page.frame_locator("[data-stage] iframe").last.get_by_text("灯塔公司发布海图助手").first).to_be_attached()
    expect(page.locator("[data-part=counts]")).to_contain_text("2 个主题、4 条")


def test_a_click_mends_a_finding(page: Page, newsletter: Newsletter) -> None:
    page.locator("#text").fill(TEXT.replace("https://project.example.org/", "project.example.org"))
    page.locator("[data-new*='https://project']").click()
    expect(page.locator(".findings .error")).to_have_count(0, timeout=15_000)
    is_saved(page)
    assert "](https://project.example.org)" in text_of(newsletter, SLUG)[1]


def test_a_finding_leads_to_its_line(page: Page) -> None:
    page.locator("#text").fill(TEXT.replace("**政策与监管**", "**航天**"))
    page.locator(".findings button.place").first.click()
    selected = (
        "() => { const t = document.getElementById('text'); return t.value.slice(t.selectionStart, t.selectionEnd) }"
    )
    assert page.evaluate(selected) == "**航天**"


def test_an_address_leads_to_its_line(page: Page, address: str) -> None:
    page.goto(f"{address}/desk/issues")
    page.goto(f"{address}/desk/issues/{SLUG}#line-16")
    expect(page.locator("#text")).to_be_focused()
    place = "() => document.getElementById('text').value.slice(0, document.getElementById('text').selectionStart)"
    assert page.evaluate(place).count("\n") == 15
    page.set_viewport_size({"width": 1280, "height": 600})
    page.evaluate("() => { location.hash = 'line-1' }")
    page.wait_for_function("() => document.getElementById('text').selectionStart === 0")
    page.evaluate("() => { location.hash = 'line-16' }")
    page.wait_for_function("() => document.querySelector('.write').scrollTop > 0")
    seen = "() => document.querySelectorAll('.layer > div')[15].getBoundingClientRect()"
    row, box = page.evaluate(seen), page.locator(".write").bounding_box()
    assert box and box["y"] <= row["y"] <= box["y"] + box["height"] - row["height"]
    page.evaluate("() => { location.hash = 'line-999999' }")
    page.wait_for_function(f"() => document.getElementById('text').selectionEnd === {len(TEXT)}")


def test_an_edit_after_approval_is_told_in_the_head_at_once(page: Page, newsletter: Newsletter) -> None:
    approve(newsletter, SLUG)
    page.reload()
    expect(page.locator(".bar .state")).to_have_text("已批准")
    type_at_end(page, "\n")
    expect(page.locator(".bar .state")).to_have_text("草稿 · 未批准", timeout=15_000)
    expect(page.locator(".bar .actions .primary")).to_be_visible()


@pytest.mark.parametrize("height", [720, 900, 1200])
def test_the_page_is_as_tall_as_the_window_from_its_first_moment_on(page: Page, address: str, height: int) -> None:
    tall = "() => document.documentElement.scrollHeight"
    page.set_viewport_size({"width": 1280, "height": height})
    page.route("**/desk_editor.js", lambda route: route.abort())
    page.reload()
    assert page.evaluate(tall) == height
    page.unroute("**/desk_editor.js")
    page.reload()
    expect(page.locator("[data-figure=coverage] .note")).to_contain_text("3 条以上", timeout=15_000)
    assert page.evaluate(tall) == height


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("place", ["issues", "staff"])
def test_the_head_of_the_desk_is_one_line_on_a_tablet(page: Page, address: str, language: str, place: str) -> None:
    page.set_viewport_size({"width": 768, "height": 1024})
    page.goto(f"{address}/desk/{place}?language={language}")
    top = page.locator(".top").bounding_box()
    assert top and top["height"] < 60
    assert page.evaluate("() => document.documentElement.scrollWidth") == 768


def test_a_problem_of_the_desk_stands_apart_from_the_head_on_a_phone(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 375, "height": 700})
    page.goto(f"{address}/desk/staff")
    top, panel = page.locator(".top").bounding_box(), page.locator(".panel").bounding_box()
    assert top and panel
    assert panel["y"] - (top["y"] + top["height"]) == 24
    assert page.evaluate("() => document.documentElement.scrollWidth") == 375


def test_the_layer_has_the_lines_of_the_text_whatever_is_typed(page: Page) -> None:
    area = page.locator("#text")
    for keys in ("Control+Home", "Enter", "Backspace", "Control+a", "ArrowUp", "Delete", "Control+z", "Control+End"):
        area.press(keys)
        page.keyboard.insert_text("一\n二")
        same = "() => [...document.querySelectorAll('.layer > div')].map((row) => row.textContent).join('\\n')"
        assert page.evaluate(same) == area.input_value()


def test_the_text_lies_on_its_layer(page: Page) -> None:
    page.locator("#text").fill("很长的一行，" * 80 + "\n第二行\n")
    heights = page.evaluate(
        "() => [document.getElementById('text').scrollHeight, document.querySelector('.layer').offsetHeight]"
    )
    box = page.locator(".write").bounding_box()
    assert box
    assert abs(heights[0] - max(heights[1], box["height"])) <= 1


def test_nothing_is_saved_while_an_input_method_composes(page: Page, newsletter: Newsletter) -> None:
    area = page.locator("#text")
    area.dispatch_event("compositionstart")
    type_at_end(page, "pinyin")
    page.wait_for_function("() => document.querySelector('.layer').textContent.includes('pinyin')")
    expect(page.locator("#editor")).not_to_have_attribute("data-state", "typing")
    area.dispatch_event("compositionend")
    is_saved(page)
    assert text_of(newsletter, SLUG)[1].endswith("pinyin")


def test_two_people_are_told_and_may_choose(page: Page, other_page: Page, newsletter: Newsletter) -> None:
    type_at_end(other_page, "\n对方的一行\n")
    is_saved(other_page)
    type_at_end(page, "\n我的一行\n")
    expect(page.locator("[data-conflict]")).to_be_visible(timeout=15_000)
    assert "我的一行" not in text_of(newsletter, SLUG)[1]
    page.locator("[data-keep-mine]").click()
    is_saved(page)
    assert "我的一行" in text_of(newsletter, SLUG)[1]


def test_taking_theirs_shows_what_they_wrote(page: Page, other_page: Page) -> None:
    type_at_end(other_page, "\n对方的一行\n")
    is_saved(other_page)
    type_at_end(page, "\n我的一行\n")
    page.locator("[data-take-theirs]").click()
    expect(page.locator("#text")).to_have_value(TEXT + "\n对方的一行\n")
    expect(page.locator(".kept")).to_be_hidden()


def test_what_could_not_be_saved_is_offered_after_a_reload(page: Page, newsletter: Newsletter) -> None:
    page.route("**/text?*", lambda route: route.abort())
    type_at_end(page, "\n断网时写的\n")
    expect(page.locator("#editor[data-state=failed]")).to_be_attached(timeout=15_000)
    page.reload()
    page.unroute("**/text?*")
    page.locator("[data-kept-take]").click()
    is_saved(page)
    assert "断网时写的" in text_of(newsletter, SLUG)[1]


def test_who_is_signed_out_meanwhile_is_told_and_loses_nothing(page: Page) -> None:
    page.context.clear_cookies()
    type_at_end(page, "\n登录过期后写的\n")
    expect(page.locator("#issue-saved a")).to_have_attribute("href", "/desk/login", timeout=15_000)
    assert page.locator("#text").input_value().endswith("登录过期后写的\n")


def test_a_story_is_moved_with_the_keyboard_and_keeps_the_focus(page: Page, newsletter: Newsletter) -> None:
    page.locator("[data-show=outline]").click()
    page.get_by_role("button", name="下移“群岛实验室公开潮汐预报模型”").press("Enter")
    expect(page.locator(".story .title").first).to_have_text("山谷团队开源语音模型 Echo-2", timeout=15_000)
    expect(page.get_by_role("button", name="下移“群岛实验室公开潮汐预报模型”")).to_be_focused()
    assert text_of(newsletter, SLUG)[0].issue.stories[1].title == "群岛实验室公开潮汐预报模型"


def test_the_mail_of_another_reader_and_another_view(page: Page) -> None:
    page.locator("#reader").fill("bo@example.com")
    page.locator("#reader").press("Enter")
    expect(page.locator("[data-part=inbox]")).to_contain_text("岬角市", timeout=15_000)
    expect(page.locator("[name=topics][value=policy]")).to_be_checked()
    page.locator("[data-view=text]").click()
    expect(page.frame_locator("[data-stage] iframe").last.locator("body")).to_contain_text("岬角市发布公共数据细则")


def test_the_frame_keeps_its_place_when_the_mail_is_made_again(page: Page) -> None:
    scrolled = "() => document.querySelector('[data-stage] iframe').contentWindow.scrollY"
    page.wait_for_function(
        "() => document.querySelector('[data-stage] iframe').contentDocument?.body?.scrollHeight > 400"
    )
    page.evaluate("() => document.querySelector('[data-stage] iframe').contentWindow.scrollTo(0, 120)")
    before = page.evaluate(scrolled)
    type_at_end(page, "\n- **又一条**\n  说明：一句话。\n")
    expect(page.frame_locator("[data-stage] iframe").last.get_by_text("又一条").first).to_be_attached(timeout=15_000)
    page.wait_for_function("() => document.querySelectorAll('[data-stage] iframe').length === 1")
    assert before > 0
    assert page.evaluate(scrolled) == before


def test_a_file_in_an_old_encoding_is_taken_in(page: Page, newsletter: Newsletter) -> None:
    page.locator("#text").fill("")
    dropped = """(bytes) => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(bytes)], '周报.txt', { type: 'text/plain' }));
        document.getElementById('text').dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true }));
    }"""
    page.evaluate(dropped, list(TEXT.encode("gb18030")))
    expect(page.locator("#text")).to_have_value(TEXT)
    is_saved(page)
    assert text_of(newsletter, SLUG)[1] == TEXT


def test_a_megabyte_keeps_the_keys_quick(page: Page) -> None:
    page.locator("#text").evaluate("(area, text) => { area.value = text }", TEXT * (LONG // len(TEXT.encode())))
    page.locator("#text").dispatch_event("input")
    assert page.evaluate(_TIMED) < 50
    assert page.locator(".layer > div").count() < 100


def place_caret(page: Page, behind: str) -> None:
    at = page.locator("#text").input_value().index(behind) + len(behind)
    page.locator("#text").evaluate("(area, at) => { area.focus(); area.setSelectionRange(at, at) }", at)


def chosen(page: Page) -> str:
    return page.evaluate(
        "() => { const t = document.getElementById('text'); return t.value.slice(t.selectionStart, t.selectionEnd) }"
    )


SKELETON = "- **标题**\n  说明：\n  背景：\n  要点：\n  - \n  来源出处：\n"
SECTION_END = "[项目主页](https://project.example.org/)\n"
FIRST_END = "[群岛实验室](https://lab.example.org/tides)\n"


@pytest.mark.parametrize(
    ("behind", "above"),
    [
        ("**群岛实验", FIRST_END),
        ("所用的观", FIRST_END),
        ("# AI 行", SECTION_END),
        ("**模型与技", SECTION_END),
        ("岬角市发布公", "[岬角市](https://city.example.org/data)\n"),
    ],
)
def test_a_story_goes_behind_the_one_with_the_caret_on_lines_of_its_own(page: Page, behind: str, above: str) -> None:
    place_caret(page, behind)
    page.locator(".tools [data-insert-story]").click()
    below = TEXT.partition(above)[2]
    assert page.locator("#text").input_value() == TEXT.partition(above)[0] + above + "\n" + SKELETON + below
    assert chosen(page) == "标题"
    is_saved(page)
    expect(page.locator("[data-part=counts]")).to_contain_text("4 条")
    expect(page.locator(".findings .error")).to_have_count(0)
    page.locator("#text").press("Control+z")
    expect(page.locator("#text")).to_have_value(TEXT)


@pytest.mark.parametrize(("behind", "depth"), [("所用的观", 2), ("**群岛实验", 2), ("**模型与技", 0)])
def test_a_picture_goes_on_a_line_of_its_own_below_that_of_the_caret(page: Page, behind: str, depth: int) -> None:
    place_caret(page, behind)
    page.locator("[data-insert-picture]").click()
    page.locator("#picture-file").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": picture()})
    page.locator("#picture-alt").fill("海图")
    page.locator("[data-picture] [type=submit]").click()
    expect(page.locator("#text")).to_have_value(re.compile(r"!\[海图\]"), timeout=15_000)
    lines = page.locator("#text").input_value().split("\n")
    at = next(at for at, line in enumerate(lines) if line.startswith(" " * depth + "![海图]("))
    above = at - 1 if depth else at - 2
    assert behind in lines[above]
    assert lines[above] in TEXT.split("\n")
    page.locator("#text").press("Control+z")
    expect(page.locator("#text")).to_have_value(TEXT)


def test_the_place_of_the_mail_says_what_to_do_until_there_is_one(page: Page) -> None:
    said: list[str] = []
    page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    page.locator("#text").fill("# AI 行业动态 (2026-03-09)\n\n**模型与技术进展**\n")
    expect(page.locator("[data-part=empty]")).to_contain_text("还没有条目", timeout=15_000)
    expect(page.locator("[data-stage] iframe")).to_be_hidden()
    page.locator("[data-part=empty] [data-insert-story]").click()
    page.keyboard.insert_text("灯塔公司发布海图助手")
    expect(page.frame_locator("[data-stage] iframe").last.get_by_text("灯塔公司发布海图助手").first).to_be_visible(
        timeout=15_000
    )
    expect(page.locator("[data-part=empty]")).to_be_hidden()
    assert said == []


def test_a_mail_on_its_way_is_told_softly_and_the_old_one_stays(page: Page) -> None:
    expect(page.frame_locator("[data-stage] iframe").get_by_text("群岛实验室公开").first).to_be_attached()
    waiting = []
    page.route("**/frame*", lambda route: waiting.append(route))
    type_at_end(page, "\n- **又一条**\n  说明：一句话。\n")
    expect(page.locator("[data-stage][aria-busy=true]")).to_be_attached(timeout=15_000)
    expect(page.locator("[data-stage] iframe").first).to_be_visible()
    page.wait_for_function("() => getComputedStyle(document.querySelector('[data-stage] iframe')).opacity === '0.6'")
    waiting[0].continue_()
    expect(page.locator("[data-stage][aria-busy]")).to_have_count(0, timeout=15_000)
    expect(page.frame_locator("[data-stage] iframe").last.get_by_text("又一条").first).to_be_attached()


def test_a_thousand_stories_keep_the_keys_quick_and_their_mail_waits_to_be_asked_for(
    page: Page, newsletter: Newsletter
) -> None:
    story = "- **消息第 {n} 号**\n  说明：第 {n} 段。\n  来源出处：[实验室](https://lab.example.org/{n})\n\n"
    text = "# AI 行业动态 (2026-03-09)\n\n**模型与技术进展**\n\n" + "".join(story.format(n=n) for n in range(1_000))
    page.locator("#text").evaluate("(area, text) => { area.value = text }", text)
    page.locator("#text").dispatch_event("input")
    expect(page.locator("[data-part=counts]")).to_contain_text("1000 条", timeout=30_000)
    is_saved(page)
    assert len(text_of(newsletter, SLUG)[0].issue.stories) == 1_000
    assert page.evaluate(_TIMED) < 50
    page.reload()
    expect(page.locator("[data-part=empty]")).to_contain_text("这一期有 1,000 条")
    assert page.locator(".story").count() == 300
    assert page.evaluate(_TIMED) < 50
    page.locator("[data-ask-mail]").click()
    mail = page.frame_locator("[data-stage] iframe").last
    expect(mail.get_by_text("消息第 7 号").first).to_be_attached(timeout=60_000)


def test_without_script_the_page_saves_and_mends(browser: Browser, newsletter: Newsletter, address: str) -> None:
    token = at_desk(newsletter, Role.EDITOR).cookies[COOKIES[1]]
    context = browser.new_context(locale="zh-CN", java_script_enabled=False)
    context.add_cookies([{"name": COOKIES[1], "value": token, "url": address}])
    page = context.new_page()
    page.goto(f"{address}/desk/issues/{SLUG}")
    page.locator("#text").fill(TEXT.replace("https://project.example.org/", "project.example.org"))
    page.get_by_role("button", name="保存").click()
    page.locator("button[name=mend]").first.click()
    assert "](https://project.example.org)" in text_of(newsletter, SLUG)[1]
    context.close()
