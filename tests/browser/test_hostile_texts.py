"""No page runs what somebody wrote into any field: every page, in a real browser, with script in every field."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hostile_desk import DESK_PAGES
from hostile_house import ALL, EVALUATED, QUOTED, SEPARATORS, SHORT, TYPED, fill, hostile_settings
from playwright.sync_api import Browser, BrowserContext, Page

from newsletter.settings import Settings
from newsletter.web.desk.seat import COOKIES

pytestmark = pytest.mark.browser
HOSTILE = (
    "script:not([src]), iframe[srcdoc], [onerror], [onload], [onfocus], [onclick], [href^='javascript' i], "
    "[src^='javascript' i], [action^='javascript' i]"
)
"""What none of our pages and none of our mails has."""


@dataclass(frozen=True, slots=True)
class House:
    """Where the pages are, and what stands in their addresses."""

    address: str
    parts: dict[str, str]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return hostile_settings(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def house(settings: Settings) -> Iterator[House]:
    """`newsletter serve` with script in every field of its database."""
    parts = fill(settings)
    environment = {
        **os.environ,
        "NEWSLETTER_DATABASE_URL": settings.database_url,
        "NEWSLETTER_SECRET_KEY": settings.secret_key.get_secret_value(),
        "NEWSLETTER_SENDER": settings.sender,
        "NEWSLETTER_POSTAL_ADDRESS": settings.postal_address,
        "NEWSLETTER_ABOUT": settings.about,
        "NEWSLETTER_ABOUT_EN": settings.about_en,
        "NEWSLETTER_BASE_URL": settings.base_url,
        "PYTHONUTF8": "1",
    }
    port = settings.base_url.rpartition(":")[2]
    command = [sys.executable, "-u", "-m", "newsletter", "serve", "--port", port]
    folder = Path(settings.database_url.removeprefix("sqlite:///")).parent
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as serving:
        assert serving.stdout
        serving.stdout.readline()
        try:
            yield House(settings.base_url, parts)
        finally:
            serving.terminate()


@pytest.fixture(scope="module")
def context(browser: Browser, house: House) -> Iterator[BrowserContext]:
    """A Chinese browser that knows no other host than ours."""
    opened = browser.new_context(locale="zh-CN", base_url=house.address, service_workers="block")
    yield opened
    opened.close()


@dataclass(frozen=True, slots=True)
class Watched:
    """A page of the browser, and everything it complained of."""

    page: Page
    complaints: list[str]

    def judge(self, *, status: int, typed: bool) -> None:
        """Assert that nothing ran and nothing of what was typed became more than text, in the page and its frames."""
        texts = []
        for frame in self.page.frames:
            frame.wait_for_load_state()
            assert frame.locator(HOSTILE).evaluate_all("found => found.map(one => one.outerHTML)") == [], frame.url
            assert frame.evaluate("typeof ran") == "undefined", frame.url
            texts.append(frame.locator(":root").evaluate(VISIBLE))
        expected = f"the server responded with a status of {status}" if status >= 400 else "/favicon.ico"
        assert [complaint for complaint in self.complaints if expected not in complaint] == []
        assert not any(EVALUATED in text for text in texts)
        assert any(TYPED in text for text in texts) or not typed


VISIBLE = """root => [
    root.innerText || root.textContent, ...[...root.querySelectorAll("input, textarea")].map(field => field.value)
].join("\\n")"""
"""The text of a page, that in its fields too."""


@pytest.fixture
def watched(context: BrowserContext, house: House) -> Iterator[Watched]:
    """A new page that writes down every complaint, every dialog, and every request to another host."""
    page, complaints = context.new_page(), list[str]()

    def note(request: Any) -> None:
        if not request.url.startswith((house.address, "data:", "about:")):
            complaints.append(f"another host: {request.url}")

    page.on("console", lambda said: complaints.append(f"{said.text} {said.location}") if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: (complaints.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.on("request", note)
    yield Watched(page, complaints)
    page.close()


# The export is a file to keep, and the sitemap holds nothing that anybody typed.
PAGES = {
    "sign-up": "/",
    "sign-up in English": "/?language=en&topics=hostile",
    "sign-up, query": "/?topics={all}&most={all}&mails={all}&language={all}&{all}={all}",
    "sign-up, text": "/?topics=hostile&format=text",
    "sent": "/subscribe/sent?{all}",
    "embed": "/embed?topics=hostile",
    "embed, query": "/embed?topics={all}&language={all}",
    "sample": "/sample?topics=hostile",
    "sample, text": "/sample?topics=hostile&format=text&language=en",
    "confirm": "/confirm/{confirm}",
    "address": "/address/{address}",
    "preferences": "/preferences/{preferences0}",
    "preferences, done": "/preferences/{preferences0}?done={all}",
    "preferences in English": "/preferences/{preferences0}?language=en",
    "preferences, mail": "/preferences/{preferences0}/mail?topics=hostile&follow={short}&mute=nothing",
    "preferences, text": "/preferences/{preferences0}/mail?topics=hostile&format=text",
    "ask for a link": "/preferences?{all}={all}",
    "data": "/data/{data}",
    "erase": "/data/{data}/erase",
    "leave": "/unsubscribe/{leave0}?{all}",
    "archive": "/archive",
    "search": "/archive?q={short}",
    "search, found": "/archive?q=alert&page=1",
    "search, everything": "/archive?q={all}",
    "issue": "/archive/2026-03-09",
    "issue, article": "/archive/2026-03-08",
    "story": "/archive/2026-03-09/{story}",
    "other story": "/archive/2026-03-09/{other_story}",
    "story, article": "/archive/2026-03-08/{article_story}",
    "topic": "/topic/hostile",
    "topic in English": "/topic/hostile?language=en",
    "view": "/view/{view}",
    "view, article": "/view/{article_view}",
    "feed": "/feed.xml",
    "feed of a topic": "/feed/hostile.xml",
    "own feed": "/feed/my/{feed}.xml",
    "feed, JSON": "/feed.json",
    "previews": "/preview/",
    "preview": "/preview/2026-03-09",
    "preview, draft": "/preview/2026-03-07",
    "preview, article": "/preview/2026-03-08?language=en&view=dark",
    "preview, text": "/preview/2026-03-09?view=text",
    "preview by reader": "/preview/2026-03-09?by=reader&reader=wen1%40example.com",
    "preview, query": "/preview/2026-03-09?by=reader&q={all}&reader={all}&topics={all}&view={all}",
    "preview, mail": "/preview/2026-03-09/mail?reader=wen1%40example.com",
}
NO_PAGES = {
    "no page": "/{all}",
    "no issue": "/archive/{all}",
    "no story": "/archive/2026-03-09/{all}",
    "no topic": "/topic/{all}",
    "no feed": "/feed/{all}.xml",
    "no mail": "/view/{all}",
    "no link to confirm": "/confirm/{all}",
    "no link to an address": "/address/{all}",
    "no link to data": "/data/{all}",
    "no link to preferences": "/preferences/{all}",
    "no link to leave": "/unsubscribe/{all}",
    "no preview": "/preview/{all}",
}
POSTS: dict[str, tuple[str, dict[str, str], int]] = {
    "sign-up, mistakes": ("/subscribe", {"address": ALL, "topics": ALL, "most": ALL, "mails": ALL, "form": ALL}, 422),
    "sign-up, no form": ("/subscribe", {"address": "a@example.com", "topics": "hostile", "form": ALL}, 422),
    "sign-up, preview": ("/subscribe", {"address": ALL, "topics": "hostile", "update": ALL, "form": ALL}, 200),
    "embed, mistakes": ("/embed", {"address": ALL, "topics": ALL, "form": "{form}"}, 422),
    "ask for a link, mistakes": ("/preferences", {"address": ALL, "form": "{form}"}, 422),
    "preferences, mistakes": (
        "/preferences/{preferences1}",
        {"topics": ALL, "follow": ALL * 2, "mute": ALL * 2, "most": SHORT, "until": SHORT, "format": ALL, "mail": ALL},
        422,
    ),
    "preferences, tried": (
        "/preferences/{preferences1}/look",
        {"topics": "hostile", "follow": SHORT, "mute": QUOTED, "most": "5", "order": ALL, "move": ALL},
        200,
    ),
    "preferences, saved": ("/preferences/{preferences2}", {"topics": "hostile", "follow": SHORT, "mute": QUOTED}, 200),
    "data, mistakes": ("/data/{data}/address", {"address": ALL}, 422),
    "leave a topic, mistakes": ("/unsubscribe/{leave1}", {"do": "topics", "topics": ALL, "reason": ALL}, 422),
    "left": ("/unsubscribe/{leave3}", {"reason": ALL + SEPARATORS}, 200),
    "left, reason": ("/goodbye/{leave3}", {"reason": ALL + SEPARATORS}, 200),
    "back": ("/goodbye/{leave3}", {"do": "back", "reason": ALL}, 200),
}
SUBMIT = """([path, fields]) => {
    const form = Object.assign(document.createElement("form"), {method: "post", action: path});
    for (const [name, value] of Object.entries(fields))
        form.append(Object.assign(document.createElement("textarea"), {name, value}));
    document.body.append(form);
    form.submit();
}"""


@pytest.mark.parametrize("name", PAGES)
def test_nothing_runs_on(watched: Watched, house: House, name: str) -> None:
    answer = watched.page.goto(PAGES[name].format_map(house.parts))
    assert answer is not None
    assert answer.status == 200
    watched.judge(status=200, typed=True)


@pytest.mark.parametrize("name", NO_PAGES)
def test_nothing_runs_where_there_is(watched: Watched, house: House, name: str) -> None:
    answer = watched.page.goto(NO_PAGES[name].format_map(house.parts))
    assert answer is not None
    assert answer.status == 404
    watched.judge(status=404, typed=False)


@pytest.mark.parametrize("name", POSTS)
def test_nothing_runs_after_posting(watched: Watched, house: House, name: str) -> None:
    path, fields, status = POSTS[name]
    fields = {key: house.parts["form"] if value == "{form}" else value for key, value in fields.items()}
    watched.page.goto("/subscribe/sent")
    with watched.page.expect_navigation() as answer:
        watched.page.evaluate(SUBMIT, [path.format_map(house.parts), fields])
    assert answer.value.status == status
    watched.judge(status=status, typed=True)


@pytest.mark.parametrize("name", DESK_PAGES)
def test_nothing_runs_at_the_desk_on(watched: Watched, house: House, name: str) -> None:
    watched.page.context.add_cookies([{"name": COOKIES[1], "value": house.parts["desk"], "url": house.address}])
    answer = watched.page.goto(DESK_PAGES[name].format_map(house.parts))
    assert answer is not None
    assert answer.status == 200
    watched.judge(status=200, typed=True)
