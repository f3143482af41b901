"""Sessions in words: which browser, since when, from where."""

from collections.abc import Iterable
from dataclasses import dataclass

from fastapi import Request

from newsletter.staff import sessions
from newsletter.staff.models import StaffSession
from newsletter.web.desk.moments import moment


@dataclass(frozen=True, slots=True)
class SessionLine:
    """One browser that somebody is signed in with; `here` is the one that asks."""

    id: int
    browser: str
    origin: str
    since: str
    here: bool


def lines(request: Request, rows: Iterable[StaffSession], here: int | None) -> list[SessionLine]:
    """The sessions of somebody; `here` is the id of the one that asks."""
    return [
        SessionLine(
            row.id or 0, sessions.in_words(row.browser), row.origin, moment(request, row.created_at), row.id == here
        )
        for row in rows
    ]
