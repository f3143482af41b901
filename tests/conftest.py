"""What every test may use: a database as `newsletter init` makes it, and the rule that a complete run skips nothing."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from postgres import Server, find_programs, running_server
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlmodel import Session

from newsletter.app import Newsletter
from newsletter.settings import Settings
from newsletter.storage.engine import open_engine, sqlite_file
from newsletter.storage.migrate import migrate

# a busy machine is no fault of the code, so no example is timed; on CI the examples are the same every time
hypothesis.settings.register_profile(
    "newsletter", hypothesis.settings.get_profile("ci" if os.environ.get("CI") else "default"), deadline=None
)
hypothesis.settings.load_profile("newsletter")


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker of the tests that run on either database."""
    config.addinivalue_line("markers", "both_databases: runs on SQLite and on PostgreSQL (False: not this one)")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what is marked `both_databases` on either, as far as it uses one."""
    marker = metafunc.definition.get_closest_marker("both_databases")  # the test's own before its module's
    if "database" in metafunc.fixturenames and marker and marker.args != (False,):
        metafunc.parametrize("database", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server for all tests; one that wants to stop it starts its own with `running_server`."""
    if find_programs() is None:
        pytest.skip("PostgreSQL is not installed: `make system` brings it")
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: Server) -> str:
    """A migrated database to copy; nobody may be connected to it."""
    name = postgres.create_database()
    engine = open_engine(postgres.url(name))
    migrate(engine)
    engine.dispose()
    return name


@pytest.fixture(scope="session")
def postgres_shared(postgres: Server, postgres_template: str) -> tuple[str, frozenset[str]]:
    """A migrated database that tests use one after the other, because making one takes a quarter of a second."""
    name = postgres.create_database(postgres_template)
    return name, postgres.empty_database(name)


@pytest.fixture
def postgres_url(
    postgres: Server, postgres_template: str, postgres_shared: tuple[str, frozenset[str]]
) -> Iterator[str]:
    """The URL of a migrated PostgreSQL database without rows; others have it afterwards."""
    name, schema = postgres_shared
    yield postgres.url(name)
    if postgres.empty_database(name) != schema:  # the test changed that too
        postgres.drop_database(name)
        postgres.create_database(postgres_template, name)


@pytest.fixture
def own_postgres_url(postgres: Server, postgres_template: str) -> Iterator[str]:
    """The URL of a migrated PostgreSQL database made for this test, for what leaves processes or schemas behind."""
    name = postgres.create_database(postgres_template)
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "newsletter.db"
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()
    return path


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database of the test's own: an SQLite file not made yet, or where marked also PostgreSQL."""
    if getattr(request, "param", "sqlite") == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path / 'newsletter.db'}"


@pytest.fixture
def settings(database: str) -> Settings:
    """Settings of a newsletter of its own in the test's folder."""
    return Settings(
        database_url=database,
        secret_key=SecretStr("a key that is only used in these tests"),
        sender="AI 行业动态 <daily@example.org>",
        inbound_address="leave@example.org",
        postal_address="示例新闻社 · 北京市海淀区示例路 1 号",
        base_url="https://news.example.org",
    )


@pytest.fixture
def engine(database: str, sqlite_template: Path) -> Iterator[Engine]:
    """A migrated database."""
    file = sqlite_file(database)
    if file:
        shutil.copyfile(sqlite_template, file)
    engine = open_engine(database)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session in a migrated database without rows."""
    with Session(engine) as session:
        yield session


@pytest.fixture
def newsletter(settings: Settings, engine: Engine) -> Iterator[Newsletter]:
    """A newsletter with the topics that ship and nothing else."""
    made = Newsletter(settings)
    with made.session() as session:
        made.topics(session).seed()
    yield made
    made.engine.dispose()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail a complete run that skipped anything."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = len(reporter.stats.get("skipped", [])) if reporter else 0
    if os.environ.get("NEWSLETTER_TESTS_COMPLETE") and skipped:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
