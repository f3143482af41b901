"""A newsletter in a temporary folder whose pages are judged: two issues sent, one reader, links of every kind."""

import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from pydantic import SecretStr
from sqlmodel import select

from newsletter.app import Newsletter
from newsletter.editorial.approval import approve
from newsletter.editorial.dispatch import begin, plan_mailing
from newsletter.editorial.intake import read, take_in
from newsletter.readers.letters import write
from newsletter.readers.models import LetterKind
from newsletter.readers.sign_up import Asked, ask
from newsletter.settings import Settings
from newsletter.storage.engine import open_engine
from newsletter.storage.key import remember_key
from newsletter.storage.migrate import migrate
from newsletter.web.application import build
from newsletter.web.server import listen
from pages.view import View
from subscribers.models import SignUp, Subscriber
from subscribers.preferences import Preferences
from subscribers.tokens import Purpose

_EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
_LANGUAGES = ("zh-CN", "en")


@contextmanager
def open_site() -> Iterator[list[View]]:
    """The pages that readers see, served for the length of a block."""
    with tempfile.TemporaryDirectory(prefix="newsletter-pages-") as folder:
        newsletter = _newsletter(Path(folder))
        slug, story = _publish(newsletter)
        paths = _paths(newsletter, slug, story)
        with served(newsletter) as address:
            yield [_view(name, f"{address}{path}") for name, path in paths.items()]
        newsletter.engine.dispose()


@contextmanager
def served(newsletter: Newsletter) -> Iterator[str]:
    """The pages of a newsletter on a port of this machine."""
    bound = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(build(newsletter), log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def _newsletter(folder: Path) -> Newsletter:
    settings = Settings(
        database_url=f"sqlite:///{folder / 'newsletter.db'}",
        secret_key=SecretStr("a key that only opens sample pages"),
        sender="AI 行业动态 <daily@example.org>",
        postal_address="示例新闻社 · 北京市海淀区示例路 1 号",
        base_url="https://news.example.org",
    )
    migrate(open_engine(settings.database_url))
    newsletter = Newsletter(settings)
    with newsletter.session() as session:
        remember_key(session, newsletter.address_key)
        newsletter.topics(session).seed()
        newsletter.people(session).add("wen@example.com", Preferences(topics=("models", "policy")), name="文")
    return newsletter


def _publish(newsletter: Newsletter) -> tuple[str, str]:
    """Take in and begin every example issue that can be sent; the slug of the last and the id of its first story."""
    saved = None
    for path in sorted(_EXAMPLES.rglob("*.md")):
        text = path.read_bytes()
        reading = read(newsletter, text)
        if reading.issue is None or reading.issue.date is None:
            continue
        saved, _ = take_in(newsletter, reading, text)
        approve(newsletter, saved.slug)
        list(plan_mailing(newsletter, begin(newsletter, saved.slug)))
    assert saved is not None
    return saved.slug, saved.issue.stories[0].id


def _paths(newsletter: Newsletter, slug: str, story: str) -> dict[str, str]:
    ask(newsletter, Asked("lin@example.com", Preferences(topics=("models",)), "page", "寄给我", ""))
    with newsletter.session() as session:
        person = session.exec(select(Subscriber)).one()
        sign_up = session.exec(select(SignUp)).one()
        assert person.address_hash and person.ascii_address
        letter = write(
            session,
            LetterKind.DATA,
            person.ascii_address,
            person.address_hash,
            "zh",
            newsletter.clock(),
            subscriber_id=person.id,
        )
        assert letter is not None
        letter_id = letter.public_id
    token = newsletter.tokens.make
    return {
        "sign-up": "/",
        "sign-up, two topics": "/?topics=models&topics=policy",
        "sign-up sent": "/subscribe/sent",
        "confirm": f"/confirm/{token(Purpose.CONFIRM, sign_up.public_id)}",
        "confirm, unknown": "/confirm/nothing",
        "embed": "/embed",
        "ask for a link": "/preferences",
        "preferences": f"/preferences/{token(Purpose.PREFERENCES, person.public_id)}",
        "preferences, unknown": "/preferences/nothing",
        "preferences, test mail": "/preferences/preview",
        "own data": f"/data/{token(Purpose.DATA, letter_id)}",
        "leave": f"/unsubscribe/{token(Purpose.UNSUBSCRIBE, person.public_id)}",
        "leave, unknown": "/unsubscribe/nothing",
        "archive": "/archive",
        "search": "/archive?q=%E6%A8%A1%E5%9E%8B",
        "search, nothing": "/archive?q=%E7%8C%AB%E5%92%AA",
        "issue": f"/archive/{slug}",
        "story": f"/archive/{slug}/{story}",
        "topic": "/topic/models",
        "view, unknown": "/view/nothing",
        "no such page": "/nothing",
    }


def _view(name: str, url: str) -> View:
    answers = {language: _fetched(url, language) for language in _LANGUAGES}
    found = all(status == 200 for status, _ in answers.values())
    return View(name, url, found, {language: html for language, (_, html) in answers.items()})


def _fetched(url: str, language: str) -> tuple[int, str]:
    """The status and the text of a page."""
    wish = urllib.request.Request(url, headers={"accept": "text/html", "accept-language": language})
    try:
        with urllib.request.urlopen(wish) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()
