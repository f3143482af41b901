"""Whatever a query or a form of the desk holds, the answer is a page: never a failure of ours."""

import random
from collections.abc import Iterator, Mapping

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
    "%", "%%", "_", "\\", "'", "{n}", "{0.__class__}", "<script>alert(1)</script>",
    "../../etc/passwd", "//evil.example",
    "0001-01-01", "9999-12-31", "0001-01-01T00:00", "9999-12-31T23:59+00:00", "2026-02-30", "2026-03-10T08:00-23:59",
    "a@b", "wen@example.com", "\"a b\"@[127.0.0.1]", "accepted", "admin", "save", "remove", "reader", "edition",
    "models", SLUG,
)  # fmt: skip
QUIET = {"/desk/logout", "/desk/issues/{slug}/checks", "/desk/issues/{slug}/test", "/desk/issues/{slug}/ask"}
"""What ends the session, or asks other machines."""


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


def requests(parts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Every page and form, with these things in its path."""
    for path, rights in TABLE.items():
        for method, right in zip(("GET", "POST"), rights, strict=True):
            if right and not (method == "POST" and path in QUIET):
                yield method, path.format_map(Parts(parts))


def failures(browser: TestClient, parts: Mapping[str, str], chance: random.Random) -> list[tuple[str, str, int]]:
    """The pages and forms that fail when odd things are said to them, in an order of their own."""
    found = []
    for method, path in chance.sample([*requests(parts)], k=len([*requests(parts)])):
        said = odd(chance)
        fields = {name: [value for one, value in said if one == name] for name, _ in said}
        answer = browser.request(
            method, path, params=said[:20], data=fields if method == "POST" else None, follow_redirects=False
        )
        found += [(method, path, answer.status_code)] if answer.status_code >= 500 else []
    return found


@pytest.mark.both_databases
def test_no_odd_query_or_form_makes_a_page_fail(browser: TestClient) -> None:
    assert failures(browser, PARTS, random.Random(2026)) == []


@pytest.mark.both_databases
@pytest.mark.parametrize("part", ["9" * 20, "%00", "٣"])
def test_no_odd_path_makes_a_page_fail(browser: TestClient, part: str) -> None:
    paths = requests(dict.fromkeys((*PARTS, "number", "entry"), part))
    fields = {"name": "a name", "addresses": "wen@example.com", "deed": "remove"}
    statuses = {
        (method, path): browser.request(
            method, path, data=fields if method == "POST" else None, follow_redirects=False
        ).status_code
        for method, path in paths
        if part in path
    }
    assert {request: status for request, status in statuses.items() if status >= 500} == {}


@pytest.mark.parametrize("charset", ["undefined", "idna", "punycode", "unicode_escape", "utf-16", "utf-7", "hex"])
@pytest.mark.parametrize("path", ["/desk/issues", "/desk/images", "/desk/readers/import"])
def test_no_charset_that_a_form_claims_makes_a_page_fail(browser: TestClient, path: str, charset: str) -> None:
    parts = [f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\nxn--\\ud800' for name in FIELDS[:20]]
    headers = {"content-type": f"multipart/form-data; boundary=b; Charset={charset}"}
    answer = browser.post(path, content="\r\n".join([*parts, "--b--\r\n"]).encode(), headers=headers)
    assert answer.status_code in (400, 422)
