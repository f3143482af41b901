"""Whatever a query or a form of the desk holds, the answer is a page: never a failure of ours."""

import random
from collections.abc import Iterator

import pytest
from desk_samples import at_desk
from starlette.testclient import TestClient
from test_web_desk_rights import PARTS, TABLE, Parts
from web_samples import SLUG, add_issue, add_reader

from newsletter.app import Newsletter
from newsletter.editorial.approval import approve
from newsletter.web.desk import events

FIELDS = (
    "action", "added", "address", "addresses", "after", "agreed", "alt", "at", "base", "before", "by", "canary",
    "choice", "code", "date", "days", "deed", "done", "edition", "end", "format", "heading", "how", "issue", "labels",
    "language", "list", "mend", "name", "next", "note", "old", "page", "part", "password", "proof", "q", "reader",
    "reads", "reason", "role", "secret", "seen", "since", "slug", "slot", "state", "text", "to", "topic", "topics",
    "until", "view", "who", "zh",
)  # fmt: skip
"""What the pages and forms of the desk read, by the names they give it."""
ODD = (
    "", "0", "-1", "1", "007", "٣", "²", "1e400", "nan", "2147483648", "9" * 18, "9" * 30, "1.5", "1 1 1", "-1 0 0",
    "\0", "a\0b", "\ufeff", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "🙂" * 400, "x" * 5_000,
    "%", "%%", "_", "\\", "'", "{n}", "{0.__class__}", "<script>alert(1)</script>", "../../etc/passwd", "//evil.example",
    "0001-01-01", "9999-12-31", "0001-01-01T00:00", "9999-12-31T23:59+00:00", "2026-02-30", "2026-03-10T08:00-23:59",
    "a@b", "wen@example.com", "\"a b\"@[127.0.0.1]", "accepted", "admin", "save", "remove", "reader", "edition",
    "models", SLUG,
)  # fmt: skip
QUIET = {"/desk/logout", "/desk/issues/{slug}/checks", "/desk/issues/{slug}/test", "/desk/issues/{slug}/ask"}
"""What ends the session, or asks other machines."""
ROUNDS = 3


@pytest.fixture
def browser(newsletter: Newsletter, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """Somebody who may do everything, with an approved issue and a reader; nobody watches for longer than a look."""
    monkeypatch.setattr(events, "LASTS_SECONDS", 0)
    add_issue(newsletter)
    add_reader(newsletter, "wen@example.com")
    approve(newsletter, SLUG)
    return at_desk(newsletter)


def odd(chance: random.Random) -> list[tuple[str, str]]:
    """Most fields once, some twice, some not at all."""
    return [(name, chance.choice(ODD)) for name in chance.choices(FIELDS, k=len(FIELDS))]


def requests(chance: random.Random) -> Iterator[tuple[str, str]]:
    """Every page and form, in an order that changes, with what there is in its path, and with odd things."""
    found = [
        (method, path.format_map(Parts(parts)))
        for path, rights in TABLE.items()
        for method, right in zip(("GET", "POST"), rights, strict=True)
        for parts in (PARTS, dict.fromkeys((*PARTS, "number", "entry"), chance.choice(["9" * 30, "-1", "%00", "%ED%A0%80", "٣"])))
        if right and not (method == "POST" and path in QUIET)
    ]
    chance.shuffle(found)
    yield from found


@pytest.mark.both_databases
def test_no_odd_query_or_form_makes_a_page_fail(browser: TestClient) -> None:
    chance, failed = random.Random(2026), []  # noqa: S311 - the same odd requests each time
    for _ in range(ROUNDS):
        for method, path in requests(chance):
            said = odd(chance)
            fields = {name: [value for one, value in said if one == name] for name, _ in said}
            answer = browser.request(
                method, path, params=said[:20], data=fields if method == "POST" else None, follow_redirects=False
            )
            failed += [(method, path, answer.status_code)] if answer.status_code >= 500 else []
    assert failed == []
