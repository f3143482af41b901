"""Newsletters in temporary folders whose pages are judged, served: one for its readers, and one for its staff."""

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from mail_servers import aiosmtpd_server
from pydantic import SecretStr

from newsletter.app import Newsletter
from newsletter.editorial.approval import approve
from newsletter.editorial.dispatch import begin, plan_mailing
from newsletter.editorial.intake import read, take_in
from newsletter.settings import Settings
from newsletter.storage.engine import open_engine
from newsletter.storage.key import remember_key
from newsletter.storage.migrate import migrate
from newsletter.web.application import build
from newsletter.web.server import listen
from pages.desk_tour import DeskTour
from pages.guests import Guests
from pages.newsroom import Newsroom, Provider
from pages.tour import Tour
from pages.view import View

_EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@contextmanager
def open_site() -> Iterator[list[View]]:
    """All pages, served for the length of a block."""
    with open_tour() as tour, open_desk() as desk:
        yield [*tour.views(), *desk.views()]


@contextmanager
def open_desk() -> Iterator[DeskTour]:
    """The pages that the staff see, of a newsletter with a mail server that refuses some addresses."""
    with tempfile.TemporaryDirectory(prefix="newsletter-desk-") as folder, aiosmtpd_server(Provider()) as server:
        newsletter = _newsletter(Path(folder))
        newsletter.settings.smtp_url = SecretStr(f"smtp://127.0.0.1:{server.port}?starttls=never")
        newsroom = Newsroom(newsletter)
        with served(newsletter) as address:
            yield DeskTour(address, newsroom)
        newsletter.engine.dispose()


@contextmanager
def open_tour() -> Iterator[Tour]:
    """The pages that readers see, as a tour: its address, and guests to visit it."""
    with tempfile.TemporaryDirectory(prefix="newsletter-pages-") as folder:
        newsletter = _newsletter(Path(folder))
        slug, story = _publish(newsletter)
        with served(newsletter) as address:
            yield Tour(address, Guests(newsletter), slug, story)
        newsletter.engine.dispose()


@contextmanager
def served(newsletter: Newsletter) -> Iterator[str]:
    """The pages of a newsletter on a port of this machine."""
    bound = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(build(newsletter), log_level="warning", lifespan="on"))
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
        sign_ups_per_hour=10_000,
    )
    migrate(open_engine(settings.database_url))
    newsletter = Newsletter(settings)
    with newsletter.session() as session:
        remember_key(session, newsletter.address_key)
        newsletter.topics(session).seed()
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
