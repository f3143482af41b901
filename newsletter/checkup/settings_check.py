"""The settings: whether they load, who may read their file, and what in them is unfit for mail to real readers."""

import stat
from collections.abc import Iterator
from urllib.parse import urlsplit

from newsletter.app import Newsletter
from newsletter.checkup.findings import Finding, not_checked, ok, warning, wrong
from newsletter.editorial.approval import unfit_for_real_mail
from newsletter.setting_values import is_loopback
from newsletter.settings import TOML, Settings, SettingsRefused, load

REFERENCE = "docs/reference/settings.md says what it should be."


def read_settings() -> tuple[Settings | None, list[Finding]]:
    """The settings, or None with a finding for each one that is refused."""
    try:
        settings = load()
    except SettingsRefused as refused:
        return None, [_refused(line) for line in str(refused).splitlines()]
    except OSError as trouble:
        advice = "Run it as the user the file belongs to."
        return None, [wrong(str(trouble.filename or TOML), f"cannot be read: {trouble.strerror}", advice)]
    source = f"{TOML} and the environment" if TOML.exists() else f"the environment; there is no {TOML} in this folder"
    given = len(settings.model_fields_set)
    return settings, [ok("load", f"{given} set, the rest as by default, from {source}"), *_file_mode()]


def _refused(line: str) -> Finding:
    """A finding from a line such as `NEWSLETTER_ZONE: should be …` or `NEWSLETTER_SECRET_KEY is not set. Run …`."""
    name, separator, why = line.partition(": ")
    if not separator:
        name, _, why = line.partition(" ")
    what, _, advice = why.removesuffix(".").replace("; ", ". ").partition(". ")
    return wrong(name.removeprefix("NEWSLETTER_"), what, f"{advice}." if advice else REFERENCE)


def _file_mode() -> Iterator[Finding]:
    """The file holds the secret key, and perhaps the mail server's password."""
    if not TOML.exists():
        return
    mode = stat.S_IMODE(TOML.stat().st_mode)
    if mode & (stat.S_IRGRP | stat.S_IROTH):
        who = "everybody" if mode & stat.S_IROTH else "its group"
        advice = f"chmod 600 {TOML}; where another user runs the newsletter, make the file that user's own."
        yield warning("secrecy", f"{TOML} holds secrets and can be read by {who} on this machine", advice)
    else:
        yield ok("secrecy", f"{TOML} can be read by its owner alone")


def fitness(newsletter: Newsletter | None) -> Iterator[Finding]:
    """What is unfit for mail to real readers; not to be told without a newsletter that opens."""
    if newsletter is None:
        yield not_checked("fit for real mail", "the newsletter does not open; mend the database first")
        return
    settings = newsletter.settings
    unfit = list(unfit_for_real_mail(newsletter))
    parts = urlsplit(settings.base_url)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        unfit.append("BASE_URL is not https, which one-click unsubscribing asks for (RFC 8058 §3.1)")
    if parts.scheme == "https" and not settings.trusted_proxies:
        unfit.append(
            "TRUSTED_PROXIES is empty, though https means that a proxy stands before the pages: all visitors seem to "
            "come from it, and share the limit of one"
        )
    for name, _, what in (words.partition(" ") for words in unfit):
        yield warning(name, what, f"Set it before real readers get mail; {REFERENCE}")
    if not unfit:
        yield ok("fit for real mail", f"from {settings.sender}, links to {settings.base_url}")
