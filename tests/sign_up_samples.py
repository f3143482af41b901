"""What the tests of signing up share: a published issue, a clock moved by hand, and the whole database as text."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from httpx2 import Response
from sqlmodel import SQLModel, select
from starlette.testclient import TestClient
from web_samples import SLUG, add_issue

from newsletter.app import Newsletter
from newsletter.archive.publishing import publish
from newsletter.editorial.approval import approve
from newsletter.readers.models import Letter
from newsletter.web.sign_up_form import fresh_token
from subscribers.models import SignUp
from subscribers.tokens import Purpose

ADDRESS = "wen@example.com"
LIMIT_OF_A_VISITOR = 10


class Clock:
    """The time of one newsletter."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 9, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        """What it shows."""
        return self.now

    def wait(self, **time: float) -> None:
        """Move it on."""
        self.now += timedelta(**time)


def stop_clock(newsletter: Newsletter) -> Clock:
    """Give a newsletter a clock that stands still."""
    clock = Clock()
    newsletter.clock = clock
    return clock


def publish_issue(newsletter: Newsletter, title: str = "山谷团队开源语音模型 Echo-2") -> None:
    """Put the sample issue into the archive."""
    add_issue(newsletter, title)
    saved, _ = approve(newsletter, SLUG)
    with newsletter.session() as session:
        publish(session, saved.issue_id, newsletter.clock())


def dump(newsletter: Newsletter) -> list[str]:
    """Every row of every table."""
    with newsletter.reading() as session:
        return [
            f"{table.name} {tuple(row)}"
            for table in SQLModel.metadata.sorted_tables
            for row in session.execute(table.select())
        ]


def token_in(page: str) -> str:
    """The token of the form on a page."""
    found = re.search(r'name="form" value="([^"]+)"', page)
    assert found
    return found[1]


def filled(newsletter: Newsletter, clock: Clock, **changes: str | list[str]) -> dict[str, str | list[str]]:
    """The fields of a form that was shown and filled in at a person's pace."""
    token = fresh_token(newsletter)
    clock.wait(seconds=5)
    fields = {"form": token, "address": ADDRESS, "topics": ["models"], "mails": "zh", "website": ""}
    return {**fields, **changes}


def post(client: TestClient, fields: dict[str, str | list[str]], path: str = "/subscribe") -> Response:
    """Send the form as a browser does."""
    return client.post(path, data=fields, headers={"sec-fetch-site": "same-origin"}, follow_redirects=False)


def letters(newsletter: Newsletter) -> list[tuple[str, str]]:
    """The letters that were written: kind and address."""
    with newsletter.reading() as session:
        return [(letter.kind, letter.address) for letter in session.exec(select(Letter))]


def asked(newsletter: Newsletter) -> Iterator[SignUp]:
    """What was asked for."""
    with newsletter.reading() as session:
        yield from session.exec(select(SignUp))


def confirm_link(newsletter: Newsletter) -> str:
    """The path in the last confirmation letter."""
    *_, last = asked(newsletter)
    return "/confirm/" + newsletter.tokens.make(Purpose.CONFIRM, last.public_id)
