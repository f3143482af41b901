"""What every test may use: a database as `newsletter init` makes it, and the rule that a complete run skips nothing."""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from newsletter.app import Newsletter
from newsletter.settings import Settings
from newsletter.storage.engine import open_engine
from newsletter.storage.migrate import migrate

# a busy machine is no fault of the code, so no example is timed; on CI the examples are the same every time
hypothesis.settings.register_profile(
    "newsletter", hypothesis.settings.get_profile("ci" if os.environ.get("CI") else "default"), deadline=None
)
hypothesis.settings.load_profile("newsletter")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a newsletter of its own in the test's folder."""
    return Settings(
        database_url=f"sqlite:///{tmp_path / 'newsletter.db'}",
        secret_key=SecretStr("a key that is only used in these tests"),
        sender="AI 行业动态 <daily@example.org>",
        inbound_address="leave@example.org",
        postal_address="示例新闻社 · 北京市海淀区示例路 1 号",
        base_url="https://news.example.org",
    )


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    """A migrated database."""
    engine = open_engine(settings.database_url)
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def newsletter(settings: Settings, engine: Engine) -> Newsletter:
    """A newsletter with the topics that ship and nothing else."""
    made = Newsletter(settings)
    with made.session() as session:
        made.topics(session).seed()
    return made


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail a complete run that skipped anything."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = len(reporter.stats.get("skipped", [])) if reporter else 0
    if os.environ.get("NEWSLETTER_TESTS_COMPLETE") and skipped:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
