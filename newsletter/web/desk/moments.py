"""Moments at the desk: the newsletter's own time, the date in the page's language."""

from datetime import datetime

from fastapi import Request

from newsletter.web.archive_view import labels
from newsletter.web.pages import newsletter_of
from newsletter.web.visitor import language_of


def moment(request: Request, at: datetime | None) -> str:
    """A moment as people say it, to the minute; the year only where it is another one; nothing for none."""
    if at is None:
        return ""
    newsletter = newsletter_of(request)
    local = at.astimezone(newsletter.settings.time_zone)
    return f"{labels(language_of(request)).short_date(local.date(), newsletter.today())} {local:%H:%M}"
