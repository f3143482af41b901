"""What one keystroke in the editor costs: the text saved and answered, and the mail made again, beside one compile."""

import asyncio
import json
import tempfile
from collections.abc import MutableMapping
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from pydantic import SecretStr

from benchmarks.measure import Result, cpu_seconds, paired
from benchmarks.sample import markdown
from newsletter.app import Newsletter
from newsletter.editorial import writing
from newsletter.render.compile import compile_issue
from newsletter.settings import Settings
from newsletter.staff import accounts, sessions
from newsletter.staff.rights import Role
from newsletter.storage.engine import open_engine
from newsletter.storage.migrate import migrate
from newsletter.web.application import build
from newsletter.web.desk.seat import COOKIES

TIMES = 5
BAR = 2
STORIES = 10
_NOW = datetime(2026, 3, 9, tzinfo=UTC)


def keystroke() -> Result:
    """How many times one compilation the answer to a key costs, through the whole application."""
    with tempfile.TemporaryDirectory(prefix="newsletter-keystroke-") as folder:
        newsletter = _newsletter(Path(folder))
        desk = _Desk(newsletter)
        issue = writing.text_of(newsletter, desk.slug)[0].issue
        with newsletter.reading() as session:
            topics = newsletter.topics(session).catalogue()
        theme, publication = newsletter.theme_for(issue), newsletter.settings.publication

        def compile_once() -> object:
            return compile_issue(issue, theme=theme, language="zh", topics=topics, publication=publication)

        desk.press()
        share, ours, one = paired(
            lambda: cpu_seconds(lambda: [desk.press() for _ in range(TIMES)]),
            lambda: cpu_seconds(lambda: [compile_once() for _ in range(TIMES)]),
        )
        desk.loop.close()
        newsletter.engine.dispose()
    detail = (
        f"{ours / TIMES * 1000:.1f} ms to save, judge and show the mail, {one / TIMES * 1000:.1f} ms to compile, "
        f"{STORIES} stories, CPU time"
    )
    return Result("a keystroke in the editor", 1 / share, f"at most {BAR} compilations", 1 / share <= BAR, detail)


class _Desk:
    """Somebody who writes an issue, asking the application itself: no client's time is measured."""

    def __init__(self, newsletter: Newsletter) -> None:
        with newsletter.session() as session:
            row = accounts.invite(session, "editor@example.org", "Editor", (Role.EDITOR,), _NOW)
            self._token = sessions.begin(session, row, _NOW, origin="127.0.0.1", browser="measuring")
            actor = accounts.actor_of(row)
        saved = writing.create(newsletter, actor, date(2026, 3, 9), markdown(STORIES).decode())
        self.slug = saved.slug
        self.loop = asyncio.new_event_loop()
        self._application = build(newsletter)
        self._stand = {"base": saved.number, "seen": saved.fingerprint}
        self._text, self._numbers = markdown(STORIES).decode(), count()

    def press(self) -> None:
        """One key: the text is saved and judged, and the frame beside it loads."""
        typed = self._text.replace("据此核对结论", f"核对第 {next(self._numbers)} 号试验", 1)  # never compiled before
        answer = json.loads(self._ask("POST", "text", urlencode(self._stand), typed.encode()))
        self._stand = {name: answer[name] for name in self._stand}
        assert "号试验".encode() in self._ask("GET", "frame")

    def _ask(self, method: str, page: str, query: str = "", body: bytes = b"") -> bytes:
        path = f"/desk/issues/{self.slug}/{page}"
        cookie = f"{COOKIES[1]}={self._token}".encode()
        scope = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": query.encode(),
            "root_path": "", "scheme": "http", "http_version": "1.1", "server": ("127.0.0.1", 8000),
            "client": ("127.0.0.1", 50000), "headers": [(b"host", b"127.0.0.1:8000"), (b"cookie", cookie)],
        }  # fmt: skip
        said: list[bytes] = []

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": body}

        async def send(message: MutableMapping[str, Any]) -> None:
            assert message.get("status", 200) == 200, message
            said.append(message.get("body", b""))

        self.loop.run_until_complete(self._application(scope, receive, send))
        return b"".join(said)


def _newsletter(folder: Path) -> Newsletter:
    url = f"sqlite:///{folder / 'newsletter.db'}"
    migrate(open_engine(url))
    settings = Settings(database_url=url, secret_key=SecretStr("a key for measuring with, nothing else"))
    newsletter = Newsletter(settings, clock=lambda: _NOW)
    with newsletter.session() as session:
        newsletter.topics(session).seed()
    return newsletter
