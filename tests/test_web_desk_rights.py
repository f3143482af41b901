"""Who may do what at the desk: one table of all its routes, held against the application's own."""

from collections.abc import Iterator
from itertools import chain, combinations

import pytest
from desk_samples import at_desk
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from reader_samples import everything
from sqlmodel import select, update
from web_samples import SLUG, add_issue, add_reader, near

from newsletter.app import Newsletter
from newsletter.delivery.models import Appointment, Attempt, Delivery, Mailing
from newsletter.editorial.approval import approve
from newsletter.staff.models import Staff
from newsletter.staff.rights import RIGHTS, Right, Role
from newsletter.web.application import build
from newsletter.web.desk import events

ANYBODY = "anybody"
TABLE = {
    # path: (the right to look at it, the right to post to it); empty where it cannot be done at all
    "/desk": ("look", ""),
    "/desk/account": ("look", ""),
    "/desk/account/password": ("", "look"),
    "/desk/account/second-factor": ("look", "look"),
    "/desk/account/second-factor/off": ("", "look"),
    "/desk/account/sessions": ("", "look"),
    "/desk/audit": ("manage", ""),
    "/desk/images": ("look", "write"),
    "/desk/issues": ("look", "write"),
    "/desk/issues/new": ("write", ""),
    "/desk/issues/{slug}": ("look", "write"),
    "/desk/issues/{slug}/approval": ("approve", "approve"),
    "/desk/issues/{slug}/ask": ("write", "write"),
    "/desk/issues/{slug}/checks": ("look", "look"),
    "/desk/issues/{slug}/figures": ("look", ""),
    "/desk/issues/{slug}/frame": ("look", ""),
    "/desk/issues/{slug}/history": ("look", ""),
    "/desk/issues/{slug}/history/{number}": ("look", "write"),
    "/desk/issues/{slug}/move": ("", "write"),
    "/desk/issues/{slug}/preview": ("look", ""),
    "/desk/issues/{slug}/preview/mail": ("look", ""),
    "/desk/issues/{slug}/preview/message.eml": ("look", ""),
    "/desk/issues/{slug}/readers": ("look", ""),
    "/desk/issues/{slug}/sending": ("look", ""),
    "/desk/issues/{slug}/sending/again": ("send", "send"),
    "/desk/issues/{slug}/sending/cancel": ("send", "send"),
    "/desk/issues/{slug}/sending/events": ("look", ""),
    "/desk/issues/{slug}/sending/pause": ("send", "send"),
    "/desk/issues/{slug}/sending/resume": ("send", "send"),
    "/desk/issues/{slug}/sending/schedule": ("send", "send"),
    "/desk/issues/{slug}/sending/start": ("send", "send"),
    "/desk/issues/{slug}/sending/unknown": ("send", "send"),
    "/desk/issues/{slug}/sending/unschedule": ("send", "send"),
    "/desk/issues/{slug}/share": ("look", "write"),
    "/desk/issues/{slug}/share/end": ("", "write"),
    "/desk/issues/{slug}/test": ("write", "write"),
    "/desk/issues/{slug}/text": ("", "write"),
    "/desk/log": ("look", ""),
    "/desk/log/{entry}": ("look", ""),
    "/desk/log/{entry}/mail": ("look", ""),
    "/desk/log/{entry}/message.eml": ("look", ""),
    "/desk/login": (ANYBODY, ANYBODY),
    "/desk/logout": ("", ANYBODY),
    "/desk/readers": ("readers", ""),
    "/desk/readers/add": ("readers", "readers"),
    "/desk/readers/export": ("", "readers"),
    "/desk/readers/growth": ("readers", ""),
    "/desk/readers/import": ("readers", "readers"),
    "/desk/readers/import/{key}": ("readers", "readers"),
    "/desk/readers/import/{key}/drop": ("", "readers"),
    "/desk/readers/import/{key}/lines.csv": ("readers", ""),
    "/desk/readers/{public_id}": ("readers", "readers"),
    "/desk/readers/{public_id}/forget": ("readers", "readers"),
    "/desk/restored": ("send", "send"),
    "/desk/settings": ("look", "manage"),
    "/desk/staff": ("manage", "manage"),
    "/desk/staff/{public_id}": ("manage", ""),
    "/desk/staff/{public_id}/link": ("", "manage"),
    "/desk/staff/{public_id}/remove": ("", "manage"),
    "/desk/staff/{public_id}/roles": ("", "manage"),
    "/desk/staff/{public_id}/sessions": ("", "manage"),
    "/desk/suppression": ("readers", "readers"),
    "/desk/suppression/{number}/lift": ("readers", "readers"),
    "/desk/test-lists": ("write", "write"),
    "/desk/test-lists/{number}": ("write", "write"),
    "/desk/test-lists/{number}/delete": ("write", "write"),
    "/desk/topics": ("look", "manage"),
    "/desk/topics/add": ("manage", "manage"),
    "/desk/topics/{slug}": ("look", "manage"),
    "/desk/welcome/{token}": (ANYBODY, ANYBODY),
    "/image/{name}": (ANYBODY, ""),
    "/look/{token}": (ANYBODY, ""),
    "/look/{token}/mail": (ANYBODY, ""),
}
"""Sorted by path. `look` is what everybody of the staff may; `anybody` needs no account."""

PLACES = ("/desk", "/look/", "/image/")
READS = {"GET", "HEAD"}
ROLE_SETS = [frozenset(some) for some in chain.from_iterable(combinations(Role, n) for n in range(len(Role) + 1))]
PARTS = {"slug": SLUG, "token": "nothing", "public_id": "nobody", "key": "nothing.png", "ending": "png"}
"""What stands in a path; the other parts are numbers, and 1 is one."""
FIELDS = {
    "text": "# AI 行业动态 (2026-03-09)\n",
    "base": "1",
    "date": "2026-03-10",
    "on": "2026-03-10",
    "at": "2026-03-10T08:00",
    "when": "2026-03-10T08:00",
    "address": "wen@example.com",
    "addresses": "chen@example.org",
    "name": "a name",
    "confirm": "1",
    "mode": "now",
    "how": "resend",
    "do": "resend",
    "canary": "1",
}
"""Something for every form that would send, whatever it calls its fields."""


class Parts(dict[str, str]):
    """The parts of a path; what nobody named is 1."""

    def __missing__(self, name: str) -> str:
        return "1"


def asked(dependant: Dependant) -> Iterator[Right]:
    """The rights that a route asks for, however deep."""
    for one in dependant.dependencies:
        right = getattr(one.call, "right", None)
        if right is not None:
            yield right
        yield from asked(one)


def in_a_word(rights: set[Right]) -> str:
    """The right that tells who gets in: everybody of the staff has `look`."""
    told = rights - {Right.LOOK} or rights
    return "+".join(sorted(told)) or ANYBODY


def routes(newsletter: Newsletter) -> dict[str, tuple[str, str]]:
    """The routes of the desk as the application has them, in the form of the table."""
    found: dict[str, tuple[str, str]] = {}
    for route in iter_route_contexts(build(newsletter).routes):
        path = route.path or ""
        if path.startswith(PLACES) and route.methods:
            right = in_a_word({*asked(route.dependant)})
            reading, writing = found.get(path, ("", ""))
            methods = set(route.methods)
            found[path] = (right if methods & READS else reading, right if methods - READS else writing)
            assert methods <= {*READS, "POST"}, path
    return found


def requests() -> Iterator[tuple[str, str, str]]:
    """Method, a path with something in every part, and the right it takes; of all that take one."""
    for path, rights in TABLE.items():
        for methods, right in zip((("GET", "HEAD"), ("POST",)), rights, strict=True):
            if right not in ("", ANYBODY):
                streams = path.endswith("/events")  # which have nothing to say to HEAD
                given = [method for method in methods if not (streams and method == "HEAD")]
                yield from ((method, path.format_map(Parts(PARTS)), right) for method in given)


def may(roles: frozenset[Role], right: str) -> bool:
    return any(right in RIGHTS[role] for role in roles)


@pytest.fixture
def house(newsletter: Newsletter, monkeypatch: pytest.MonkeyPatch) -> Newsletter:
    """An approved issue that only waits to be sent, with a reader for it; nobody watches for longer than a look."""
    monkeypatch.setattr(events, "LASTS_SECONDS", 0)
    add_issue(newsletter)
    add_reader(newsletter, "wen@example.com")
    approve(newsletter, SLUG)
    return newsletter


def test_every_route_of_the_desk_is_in_the_table_with_the_right_it_asks_for(newsletter: Newsletter) -> None:
    assert routes(newsletter) == TABLE
    assert [*TABLE] == sorted(TABLE)


@pytest.mark.parametrize("roles", ROLE_SETS, ids=lambda roles: "+".join(sorted(roles)) or "none")
def test_without_the_right_nothing_is_shown_and_nothing_changes(house: Newsletter, roles: frozenset[Role]) -> None:
    client = at_desk(house, Role.EDITOR)
    with house.session() as session:
        session.exec(update(Staff).values(roles=sorted(roles)))
    before = everything(house)
    answers = {
        (method, path): client.request(method, path, data=FIELDS if method == "POST" else None).status_code
        for method, path, right in requests()
        if not may(roles, right)
    }
    assert {request: status for request, status in answers.items() if status != 403} == {}
    assert everything(house) == before


def test_who_is_not_signed_in_is_sent_to_the_login_and_changes_nothing(house: Newsletter) -> None:
    client, before, wrong = near(house), everything(house), []
    for method, path, _ in requests():
        answer = client.request(method, path, data=FIELDS if method == "POST" else None, follow_redirects=False)
        to_login = answer.status_code == 303 and answer.headers["location"].startswith("/desk/login?next=%2Fdesk")
        if not (answer.status_code == 401 if method == "POST" else to_login):
            wrong.append((method, path, answer.status_code))
    assert wrong == []
    assert everything(house) == before


@pytest.mark.parametrize("token", ["", "nobody's token", "é"])
def test_a_cookie_of_nobody_opens_nothing(house: Newsletter, token: str) -> None:
    for name in ("desk", "__Host-desk"):
        headers = [(b"cookie", f"{name}={token}".encode()), (b"accept", b"text/html")]
        assert near(house).get("/desk", headers=headers, follow_redirects=False).status_code == 303


def test_with_the_right_every_page_is_answered(house: Newsletter) -> None:
    client, refused = at_desk(house), []
    for method, path, _ in requests():
        if method != "POST":
            status = client.request(method, path, follow_redirects=False).status_code
            refused += [(method, path, status)] if status in (401, 403, 405) or status >= 500 else []
    assert refused == []


def test_who_may_do_everything_but_send_cannot_send_by_any_route(house: Newsletter) -> None:
    client, failed = at_desk(house, Role.EDITOR, Role.ADMIN), []
    for method, path, right in requests():
        if method == "POST":
            status = client.post(path, data=FIELDS, follow_redirects=False).status_code
            failed += [(path, status)] if status >= 500 or (status == 403) != (right == Right.SEND) else []
    assert failed == []
    with house.reading() as session:
        sent = [row for table in (Mailing, Delivery, Attempt, Appointment) for row in session.exec(select(table))]
    assert sent == []
