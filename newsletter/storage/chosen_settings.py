"""Settings that were chosen in the browser, as rows, so that every process of the newsletter sees them."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, func, select

from newsletter.storage.models import ChosenSetting


def chosen(session: Session) -> dict[str, Any]:
    """All of them by name, as JSON values."""
    return {row.name: row.value for row in session.exec(select(ChosenSetting))}


def changed_at(session: Session, names: Collection[str]) -> datetime | None:
    """When one of these was chosen last; None where none of them is."""
    return session.exec(select(func.max(ChosenSetting.changed_at)).where(col(ChosenSetting.name).in_(names))).one()


def choose(session: Session, values: Mapping[str, Any], now: datetime) -> None:
    """Keep these values; None gives a setting back to its default. The caller commits."""
    for name, value in values.items():
        row = session.get(ChosenSetting, name)
        if value is None:
            if row:
                session.delete(row)
            continue
        row = row or ChosenSetting(name=name, value=value, changed_at=now)
        row.value, row.changed_at = value, now
        session.add(row)
