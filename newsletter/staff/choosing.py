"""Choosing settings while everything runs, and writing down who did: the same through either door."""

from collections.abc import Mapping
from typing import Any

from newsletter.app import Newsletter
from newsletter.settings import Settings
from newsletter.staff.audit import Action, record
from newsletter.staff.rights import Actor


def choose(newsletter: Newsletter, actor: Actor, values: Mapping[str, Any]) -> None:
    """Keep these settings, all or none; None, an empty one or the default gives a setting back to its default.

    Raises `SettingsRefused` for a value that cannot be, and for a setting that is none to be chosen or that environment
    or file name.
    """
    before = {name: as_text(getattr(newsletter.settings, name)) for name in values}
    after = {name: default_of(name) if value in (None, "", []) else as_text(value) for name, value in values.items()}
    kept = {name: None if after[name] == default_of(name) else value for name, value in values.items()}
    with newsletter.session() as session:
        newsletter.choose_settings(session, kept)
        now = newsletter.clock()
        for name in values:
            if before[name] != after[name]:
                about = {"before": before[name], "after": after[name]}
                record(session, actor, Action.SETTING_CHANGED, name.upper(), now, **about)


def default_of(name: str) -> str:
    """What a setting is when nobody chooses it, as people write it."""
    return as_text(Settings.model_fields[name].default)


def as_text(value: Any) -> str:
    """A setting's value as people write it: lists with commas, numbers without a needless fraction."""
    if isinstance(value, list | tuple):
        return ", ".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
