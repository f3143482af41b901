"""The database: made by migrations that agree with the models, and opened with the promises that sending needs."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, text
from sqlmodel import SQLModel

import newsletter.delivery.models
import newsletter.storage.models  # noqa: F401 - fills the metadata
import subscribers.models  # noqa: F401 - fills the metadata
from newsletter.app import Newsletter
from newsletter.editorial.intake import read, take_in
from newsletter.settings import Settings
from newsletter.storage.engine import DatabaseRefused, open_engine
from newsletter.storage.migrate import migrate


def test_migrations_and_models_agree(engine: Engine) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []


def test_migrating_again_changes_nothing(engine: Engine) -> None:
    assert migrate(engine) is False


@pytest.mark.parametrize(("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)])
def test_every_connection_has_the_pragmas_that_the_promises_need(engine: Engine, pragma: str, value: object) -> None:
    with engine.connect() as connection:
        assert connection.execute(text(f"PRAGMA {pragma}")).scalar() == value


def test_a_missing_database_is_refused_and_not_made(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(DatabaseRefused, match="newsletter init"):
        Newsletter(settings)
    assert not list(tmp_path.glob("*.db"))


def test_a_database_without_tables_is_refused(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "newsletter.db").touch()
    with pytest.raises(DatabaseRefused, match="no tables yet"):
        Newsletter(settings)


@pytest.mark.parametrize("url", ["nonsense", "mysql://localhost/x"])
def test_a_url_that_means_nothing_is_refused_by_name(url: str) -> None:
    with pytest.raises(DatabaseRefused, match="DATABASE_URL"):
        open_engine(url)


def test_the_same_issue_again_is_no_revision_whatever_the_day_and_the_lines(newsletter: Newsletter) -> None:
    text = "# 示例日报 (2026-03-09)\n\n**政策与监管**\n\n- **示例市公布数据细则**\n  说明：细则。\n"
    first, new = take_in(newsletter, read(newsletter, text.encode()), text.encode())
    assert new
    moved = text.replace("\n\n", "\n\n\n\n").encode()
    later, new = take_in(newsletter, read(newsletter, moved), moved)
    assert (later.revision_id, new) == (first.revision_id, False)
    assert [finding.line for finding in later.diagnostics] != [finding.line for finding in first.diagnostics]
