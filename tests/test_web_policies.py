"""The rules that every route keeps, today's and tomorrow's: these tests walk the routes that the application has."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from desk_samples import add_staff, at_desk
from fastapi.routing import iter_route_contexts
from httpx2 import Response
from PIL import Image
from reader_samples import CHOICES, WEN, add, data_link, everything, link
from sending import ISSUE, SLUG, Clock, take_in_issue
from sqlmodel import select
from staff_samples import invited, row_of
from starlette.testclient import TestClient
from web_samples import far, near

from newsletter.app import Newsletter
from newsletter.delivery.models import Delivery
from newsletter.editorial import test_lists
from newsletter.editorial.dispatch import begin, plan_mailing
from newsletter.editorial.look import DAYS_BY_DEFAULT, share
from newsletter.editorial.pictures import keep_picture
from newsletter.readers import reader_lists
from newsletter.readers.new_address import ask as ask_move
from newsletter.readers.sign_up import Asked, ask
from newsletter.staff.rights import Actor
from newsletter.web.application import build
from newsletter.web.desk import events
from newsletter.web.desk.seat import COOKIES
from newsletter.web.sign_up_form import fresh_token
from subscribers.models import SignUp, State
from subscribers.preferences import Preferences
from subscribers.tokens import Purpose, Tokens

READS = ("GET", "HEAD", "OPTIONS")
ELSEWHERE = (
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "cross-site", "origin": "https://news.example.org"},
    {"origin": "https://elsewhere.example"},
    {"origin": "https://news.example.org:8443"},
    {"origin": "https://news.example.org.elsewhere.example"},
    {"origin": "null"},
)
PREFETCH = (
    {},
    {"purpose": "prefetch"},
    {"sec-purpose": "prefetch;prerender", "sec-fetch-dest": "document", "sec-fetch-mode": "navigate"},
    {"x-moz": "prefetch", "x-http-method-override": "POST"},
)
PURPOSES = {
    "confirm": Purpose.CONFIRM,
    "address": Purpose.ADDRESS,
    "data": Purpose.DATA,
    "preferences": Purpose.PREFERENCES,
    "unsubscribe": Purpose.UNSUBSCRIBE,
    "goodbye": Purpose.UNSUBSCRIBE,
    "view": Purpose.VIEW,
    "feed": Purpose.FEED,
    "look": Purpose.LOOK,
    "desk": Purpose.INVITATION,
}
"""By the first part of a route's path, what its token is for."""
ORIGINS = {"'none'", "'self'"}
FROM_ANYWHERE = ("/unsubscribe/{token}", "/api/subscribe")
SAID = {
    "address": "new@example.org",
    "topics": "funding",
    "mail": "en",
    "mails": "en",
    "most": "3",
    "reason": "too much",
    "do": "back",
    "List-Unsubscribe": "One-Click",
}
"""What the forms hold, all at once."""


@dataclass(frozen=True, slots=True)
class Route:
    """A path as the application has it, with one method."""

    method: str
    path: str

    @property
    def purpose(self) -> Purpose:
        """What the token in its path is for."""
        return PURPOSES[self.path.split("/")[1]]


@dataclass(frozen=True, slots=True)
class House:
    """A newsletter with something behind every link: tokens, by purpose, all good, and values of the other parts."""

    newsletter: Newsletter
    tokens: dict[Purpose, str]
    parts: dict[str, str]
    routes: tuple[Route, ...]
    far: TestClient
    near: TestClient
    session_token: str
    """Of somebody of the staff who may do everything."""

    def client_for(self, route: Route) -> TestClient:
        """A browser that may see the page, and that was never here: previews are for this machine alone."""
        client = self.near if route.path.split("/")[1] == "preview" else self.far
        client.cookies.clear()
        if route.path.startswith("/desk"):
            client.cookies.set(COOKIES[0], self.session_token)
        return client

    def fill(self, route: Route, token: str = "", ending: str = "xml") -> str:
        """The path of a route with real values in it; with this token instead of the good one."""
        parts = {**self.parts, "ending": ending}
        if "{token}" in route.path:
            parts["token"] = token or self.tokens[route.purpose]
        if route.path.startswith(("/topic/", "/feed/", "/desk/topics/")):
            parts["slug"] = "policy"
        if route.path.startswith("/desk/staff/"):
            parts["public_id"] = parts["staff_id"]
        return route.path.format_map(parts)

    def reading(self) -> Iterator[Route]:
        """The routes that are looked at."""
        return (route for route in self.routes if route.method in READS)

    def writing(self) -> Iterator[Route]:
        """The routes that may change something."""
        return (route for route in self.routes if route.method not in READS)

    def with_token(self) -> Iterator[Route]:
        """The routes behind a link of somebody's own."""
        return (route for route in self.routes if "{token}" in route.path)


@pytest.fixture
def house(newsletter: Newsletter, monkeypatch: pytest.MonkeyPatch) -> House:
    """An issue that was sent to a reader who has paused, and links of every kind that wait to be followed.

    At the desk somebody is signed in, and there is something on every page: a picture, a test list, a reader list.
    """
    monkeypatch.setattr(events, "LASTS_SECONDS", 0)
    clock = newsletter.clock = Clock()
    person = add(newsletter, WEN, CHOICES)
    take_in_issue(newsletter, ISSUE)
    list(plan_mailing(newsletter, begin(newsletter, SLUG)))
    with newsletter.session() as session:
        people = newsletter.people(session)
        people.pause(people.list()[0], clock.now + timedelta(days=9), "page")
        view = str(session.exec(select(Delivery)).one().slots["view_token"])
        story = newsletter.issues(session).find(SLUG).issue.stories[0].id
    data = data_link(newsletter, person)
    ask_move(newsletter, data, "moved@example.org")
    ask(newsletter, Asked("an@example.org", Preferences(("models",)), "page", "", ""))
    with newsletter.reading() as session:
        sign_up = session.exec(select(SignUp).where(SignUp.address == "an@example.org")).one().public_id
    tokens = {
        Purpose.CONFIRM: newsletter.tokens.make(Purpose.CONFIRM, sign_up),
        Purpose.ADDRESS: _address_link(newsletter),
        Purpose.DATA: data,
        Purpose.VIEW: view,
        **{purpose: link(newsletter, purpose, person) for purpose in (Purpose.PREFERENCES, Purpose.FEED)},
        Purpose.UNSUBSCRIBE: link(newsletter, Purpose.UNSUBSCRIBE, person),
    }
    me = add_staff(newsletter)
    tokens[Purpose.LOOK], _ = share(newsletter, me, SLUG, ("policy",), "zh", DAYS_BY_DEFAULT)
    tokens[Purpose.INVITATION] = invited(newsletter, "ye@example.org")
    session_token = at_desk(newsletter).cookies[COOKIES[1]]
    parts = {"slug": SLUG, "story_id": story, "public_id": person.public_id, **_of_the_desk(newsletter, me)}
    return House(newsletter, tokens, parts, _routes(newsletter), far(newsletter), near(newsletter), session_token)


def _of_the_desk(newsletter: Newsletter, me: Actor) -> dict[str, str]:
    """The parts of the desk's paths, each with something behind it."""
    picture = io.BytesIO()
    Image.new("RGB", (60, 30), "navy").save(picture, "PNG")
    kept = keep_picture(newsletter, me, "map.png", picture.getvalue(), "地图")
    test_lists.keep(newsletter, me, "editors", "chen@example.org")
    with newsletter.session() as session:
        newsletter.suppression(session).add("gone@example.org")
    return {
        "number": "1",
        "entry": "1",
        "name": kept.url.rpartition("/")[2],
        "key": reader_lists.keep(newsletter, me, "list.csv", io.BytesIO(b"address\nnew@example.org\n"), State.ACTIVE),
        "staff_id": row_of(newsletter).public_id,
    }


def _address_link(newsletter: Newsletter) -> str:
    with newsletter.reading() as session:
        row = session.exec(select(SignUp).where(SignUp.address == "moved@example.org")).one()
    return newsletter.tokens.make(Purpose.ADDRESS, row.public_id)


def _routes(newsletter: Newsletter) -> tuple[Route, ...]:
    """Every route; what is mounted as a folder has no methods and goes by a file in it."""
    found = []
    for route in iter_route_contexts(build(newsletter).routes):
        path = route.path or ""
        if route.methods is None:
            assert path == "/static", path
            path, methods = "/static/site.css", {"GET", "HEAD"}
        else:
            methods = route.methods
        found += [Route(method, path) for method in sorted(methods)]
    return tuple(found)


def send(house: House, route: Route, path: str = "", **more: object) -> Response:
    """Ask for a route, posting something to those that take it."""
    client, path = house.client_for(route), path or house.fill(route)
    if route.method in READS:
        return client.request(route.method, path, follow_redirects=False, **more)
    if route.path.startswith("/api/"):
        body = {"address": "flood@example.org", "topics": ["models"]}
        return client.request(route.method, path, json=body, follow_redirects=False, **more)
    fields = {**SAID, "form": _waited(house.newsletter)}
    return client.request(route.method, path, data=fields, follow_redirects=False, **more)


def _waited(newsletter: Newsletter) -> str:
    """The token of a form that was shown a minute ago."""
    shown = newsletter.clock()
    assert isinstance(newsletter.clock, Clock)
    newsletter.clock.now = shown - timedelta(minutes=1)
    token = fresh_token(newsletter)
    newsletter.clock.now = shown
    return token


def _faults_of_policy(answer: Response, *, framed_anywhere: bool) -> Iterator[str]:
    """What is wrong with the headers of an answer."""
    headers = answer.headers
    rules = [rule.split() for rule in headers.get("content-security-policy", "").split(";") if rule.strip()]
    policy = {name: set(values) for name, *values in rules}
    if policy.get("default-src") != {"'none'"}:
        yield "default-src"
    for name, values in policy.items():
        allowed = ORIGINS | {"style-src": {"'unsafe-inline'"}, "img-src": {"data:"}}.get(name, set())
        if name != "sandbox" and not (values <= allowed or (name == "frame-ancestors" and framed_anywhere)):
            yield f"{name} {values}"
    if "frame-ancestors" not in policy or (framed_anywhere and policy["frame-ancestors"] != {"*"}):
        yield "frame-ancestors"
    if policy.get("sandbox", set()) & {"allow-scripts"}:
        yield "sandbox"
    if headers.get("x-content-type-options") != "nosniff":
        yield "nosniff"
    if headers.get("referrer-policy") not in ("same-origin", "no-referrer"):
        yield "referrer-policy"


def test_the_samples_open_every_page(house: House) -> None:
    refused = {route: send(house, route, params={"topics": "policy"}).status_code for route in house.reading()}
    refused = {route: status for route, status in refused.items() if status >= 400}
    assert refused == {}


def test_every_answer_of_every_route_has_a_strict_policy(house: House) -> None:
    faults = []
    for route in house.routes:
        variants: list[dict[str, object]] = [{}, {"headers": {"accept": "*/*", "sec-fetch-site": "cross-site"}}]
        variants += [{"path": house.fill(route, token="forged")}] if "{token}" in route.path else []
        variants += [{"path": "/nowhere"}, {"headers": {"if-none-match": "*"}}]
        for more in variants:
            answer = send(house, route, **more)
            anywhere = route.path == "/embed" and answer.status_code in (200, 422) and "path" not in more
            found = [*_faults_of_policy(answer, framed_anywhere=anywhere)]
            faults += [(route, more, answer.status_code, found)] if found else []
    assert faults == []


def test_no_route_that_changes_something_takes_a_post_of_another_site(house: House) -> None:
    before, taken = everything(house.newsletter), []
    for route in house.writing():
        if route.path not in FROM_ANYWHERE:
            answers = {str(headers): send(house, route, headers=headers).status_code for headers in ELSEWHERE}
            taken += [(route, headers, status) for headers, status in answers.items() if status != 403]
    assert taken == []
    assert everything(house.newsletter) == before


def test_the_same_posts_of_our_own_site_are_taken(house: House) -> None:
    own = {"sec-fetch-site": "same-origin", "origin": "https://news.example.org"}
    answers = {route: send(house, route, headers=own).status_code for route in house.writing()}
    assert {route: status for route, status in answers.items() if status in (403, 405) or status >= 500} == {}


def test_looking_at_every_route_in_every_way_changes_nothing(house: House) -> None:
    before, failed = everything(house.newsletter), []
    acting = {**SAID, "_method": "POST", "confirm": "1"}
    queries = ("", "", urlencode({**acting, "do": "back"}), urlencode({**acting, "do": "resume"}))
    ways = [*zip((house.far, house.near, house.far, house.near), queries, PREFETCH, strict=True)]
    for path in {house.fill(route, ending=ending) for route in house.routes for ending in ("xml", "json")}:
        for method in READS:
            for client, query, headers in ways:
                client.cookies.set(COOKIES[0], house.session_token)
                answer = client.request(method, f"{path}?{query}", headers=headers)
                failed += [(method, path, query, answer.status_code)] if answer.status_code >= 500 else []
    assert failed == []
    assert everything(house.newsletter) == before


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_every_cookie_is_for_us_alone(house: House, scheme: str) -> None:
    house.newsletter.settings.base_url = f"{scheme}://news.example.org"
    faults, seen = [], 0
    for route in house.routes:
        answer = send(house, route, params={"language": "en"})
        for cookie in answer.headers.get_list("set-cookie"):
            seen += 1
            (name, _, _), *attributes = [part.strip().partition("=") for part in cookie.split(";")]
            said = {key.casefold(): value.casefold() for key, _, value in attributes}
            strict = "httponly" in said and said.get("samesite") in ("lax", "strict") and "domain" not in said
            own = name.startswith("__Host-") and "secure" in said and said.get("path") == "/"
            faults += [] if strict and (own or scheme == "http") else [(route, cookie)]
    assert seen > 5
    assert faults == []


def _wrong_tokens(house: House, purpose: Purpose) -> dict[str, str]:
    """Tokens that open nothing: forged, made with a key that is no longer known, made for something else."""
    good = house.tokens[purpose]
    subject = house.newsletter.tokens.read(purpose, good)
    assert subject
    old = Tokens((b"a key of the year before last, long gone",))
    turned = "B" if good[10] == "A" else "A"
    return {
        "word": "nothing",
        "signature": good[:10] + turned + good[11:],
        "subject": good[:-1] + ("B" if good[-1] == "A" else "A"),
        "short": good[:-1],
        "long": good + "A" * 3000,
        "other characters": "令牌%00%0d%0a%2e%2e",
        "markup": "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "unknown subject": house.newsletter.tokens.make(purpose, "nobody"),
        "old": old.make(purpose, subject),
        **{f"for {other}": house.newsletter.tokens.make(other, subject) for other in Purpose if other is not purpose},
    }


@pytest.mark.parametrize(("language", "lang"), [("zh", "zh-CN"), ("en", "en")])
def test_a_token_that_is_not_the_right_one_is_a_polite_page_and_changes_nothing(
    house: House, language: str, lang: str
) -> None:
    before, faults = everything(house.newsletter), []
    for route in house.with_token():
        headers = {"accept": "text/html", "accept-language": language, "sec-fetch-site": "same-origin"}
        for name, token in _wrong_tokens(house, route.purpose).items():
            fields = {} if route.method in READS else {"data": {key: SAID[key] for key in ("do", "topics", "reason")}}
            answer = house.client_for(route).request(
                route.method, house.fill(route, token=token), headers=headers, **fields
            )
            page = route.method == "HEAD" or (f'<html lang="{lang}">' in answer.text and "<h1" in answer.text)
            right = answer.status_code in (404, 410) and page and "alert(1)" not in answer.text
            faults += [] if right else [(route, name, answer.status_code, answer.text[:80])]
    assert faults == []
    assert everything(house.newsletter) == before


def test_a_one_click_post_with_a_wrong_token_changes_nothing(house: House) -> None:
    before = everything(house.newsletter)
    for token in _wrong_tokens(house, Purpose.UNSUBSCRIBE).values():
        answer = house.far.post(f"/unsubscribe/{token}", data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 404
    assert everything(house.newsletter) == before
