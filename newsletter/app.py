"""Where the parts are joined: one object with everything a front door needs, built once and handed over."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from email.utils import parseaddr
from typing import Any

from sqlmodel import Session

from newsletter.content.issue import DIGEST, Issue
from newsletter.render.keeping import Compilations
from newsletter.render.theme import Theme, ThemeError, load_theme
from newsletter.settings import Settings
from newsletter.storage.chosen_settings import choose, chosen
from newsletter.storage.engine import open_engine, require_file, sqlite_file
from newsletter.storage.issues import IssueRefused, IssueStore
from newsletter.storage.key import require_key
from newsletter.storage.schema import require_present_schema
from subscribers.people import SubscriberStore
from subscribers.suppression import SuppressionStore
from subscribers.tokens import Tokens
from subscribers.topic_store import TopicStore

_SETTINGS_SECONDS = 3


def theme_setting(issue: Issue) -> str:
    """The setting that names the theme of an issue."""
    return {"report": "report_theme", DIGEST: "weekly_theme"}.get(issue.format, "theme")


class Newsletter:
    """The parts of one newsletter. Making it opens the database, which must exist and have the present schema.

    Raises `DatabaseRefused` when it has not. `clock` gives aware moments. `settings` are those of environment and file,
    and where these say nothing, what was chosen in the browser.
    """

    def __init__(self, settings: Settings, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.settings = self._written_settings = settings
        self._chosen: dict[str, Any] = {}
        self._chosen_at = -math.inf
        self.clock = clock
        self.database_file = sqlite_file(settings.database_url)
        require_file(self.database_file)
        self.engine = open_engine(settings.database_url)
        require_present_schema(self.engine)
        with self.reading() as session:
            require_key(session, self.address_key)
        self.tokens = Tokens(settings.keys)
        self.compilations = Compilations()
        self._themes: dict[str, Theme] = {}
        self.signer = settings.signer

    @contextmanager
    def session(self) -> Iterator[Session]:
        """One transaction: committed when the block ends, rolled back when it raises; its rows stay readable after."""
        with Session(self.engine, expire_on_commit=False) as session:
            self._see_settings(session)
            yield session
            session.commit()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A look at one moment of the database, which waits for nobody who writes; nothing is written in it."""
        engine = self.engine.execution_options(read_only=True)
        with Session(engine, expire_on_commit=False) as session:
            self._see_settings(session)
            yield session

    def issues(self, session: Session) -> IssueStore:
        """The issues, in this session."""
        return IssueStore(session)

    def topics(self, session: Session) -> TopicStore:
        """The topics, in this session."""
        return TopicStore(session)

    def people(self, session: Session) -> SubscriberStore:
        """The subscribers, in this session."""
        return SubscriberStore(session, self.address_key, self.clock)

    def suppression(self, session: Session) -> SuppressionStore:
        """The suppressed addresses, in this session."""
        return SuppressionStore(session, self.address_key, self.clock)

    def theme_for(self, issue: Issue) -> Theme:
        """The theme that an issue is set in: reports, which are long, and weekly digests have one of their own.

        Raises `IssueRefused` when that theme cannot be used; whatever needs no theme goes on without it.
        """
        setting = theme_setting(issue)
        if setting not in self._themes:
            self._themes[setting] = self._load_theme(setting)
        return self._themes[setting]

    @property
    def name(self) -> str:
        """What the newsletter is called: the sender's display name, else the address."""
        display, address = parseaddr(self.settings.sender)
        return display or address

    def today(self) -> date:
        """The date in the newsletter's own zone."""
        return self.now().date()

    def now(self) -> datetime:
        """The moment in the newsletter's own zone, in the whole seconds that a Date header can hold."""
        return self.clock().astimezone(self.settings.time_zone).replace(microsecond=0)

    @property
    def address_key(self) -> bytes:
        """What keys the hashes of addresses: the oldest secret, so that they outlive a change of the key that signs."""
        return self.settings.keys[-1]

    def choose_settings(self, session: Session, values: Mapping[str, Any]) -> None:
        """Keep settings chosen in the browser, None giving one back to its default; the caller commits.

        They count as soon as it is committed, in other processes within seconds. Raises `SettingsRefused` for a value
        that cannot be, and for a setting that environment or file name or that is none to be changed meanwhile.
        """
        wanted = {name: value for name, value in {**chosen(session), **values}.items() if value is not None}
        self._written_settings.with_chosen(wanted, refusing=values)
        choose(session, values, self.clock())
        self._chosen_at = -math.inf

    def fixed_settings(self) -> frozenset[str]:
        """The names of settings that environment or file give a value."""
        return frozenset(self._written_settings.model_fields_set)

    def _see_settings(self, session: Session) -> None:
        """Look every few seconds whether other settings were chosen, perhaps by another process."""
        now = time.monotonic()
        if now - self._chosen_at < _SETTINGS_SECONDS:
            return
        self._chosen_at = now
        found = chosen(session)
        if found != self._chosen:
            self._chosen = found
            self.settings = self._written_settings.with_chosen(found)

    def _load_theme(self, setting: str) -> Theme:
        try:
            return load_theme(getattr(self.settings, setting), self.settings.themes)
        except ThemeError as error:
            raise IssueRefused(
                f"the theme of the setting {setting} cannot be used: {error}. Mend it, or name another one and approve "
                "the issue anew."
            ) from error
