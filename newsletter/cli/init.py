"""`newsletter init`."""

from newsletter.app import Newsletter
from newsletter.cli.output import console, error_console
from newsletter.editorial.opening import know_stories, publish_missing
from newsletter.settings import TOML, load, write_first_settings
from newsletter.storage.engine import open_engine
from newsletter.storage.key import remember_key
from newsletter.storage.migrate import migrate
from newsletter.storage.trouble import describe
from newsletter.storage.witness import Held, require_not_held
from newsletter.storage.witness_file import WitnessTrouble


def command() -> None:
    """Create the database with the topics that ship, or bring it up to date; write settings where there are none."""
    out = console()
    if write_first_settings():
        out.print(f"{TOML}: holds a fresh secret key now. docs/reference/settings.md says what else it may hold.")
    settings = load()
    engine = open_engine(settings.database_url)
    changed = migrate(engine)
    newsletter = Newsletter(settings)
    with newsletter.session() as session:
        remember_key(session, newsletter.address_key)
        newsletter.topics(session).seed()
        names = ", ".join(f"{topic.slug} {topic.zh}" for topic in newsletter.topics(session).all())
    publish_missing(newsletter)
    know_stories(newsletter)
    where = describe(engine)
    out.print(f"{where}: {'ready' if changed else 'already up to date'}. Topics: {names}.")
    try:
        require_not_held(newsletter.engine, newsletter.database_file)
    except (Held, WitnessTrouble) as trouble:  # the database is ready all the same
        error_console().print(f"newsletter: {trouble}")
