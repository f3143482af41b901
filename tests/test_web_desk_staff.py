"""The staff page and the audit log: who there is, as what, and what they did."""

import re
import tomllib
from pathlib import Path

import pytest
from desk_samples import at_desk
from reader_samples import everything
from staff_samples import CHEN, LI, actor, join, row_of, sessions_of
from starlette.testclient import TestClient
from web_samples import near

from newsletter.app import Newsletter
from newsletter.staff.audit import Action, record
from newsletter.staff.rights import COMMAND_LINE, Role

WORDS = Path(__file__).parents[1] / "templates" / "web" / "words"


@pytest.fixture
def desk(newsletter: Newsletter) -> TestClient:
    """Chen, who has every role and a password, is signed in."""
    join(newsletter)
    return at_desk(newsletter)


def links(page: str) -> list[str]:
    return re.findall(r"https://news\.example\.org(/desk/welcome/[\w-]+)", page)


def invite(desk: TestClient, address: str = LI, *roles: str, name: str = "李娜") -> str:
    """The path of a new invitation's link."""
    answer = desk.post("/desk/staff", data={"address": address, "name": name, "role": roles or ("editor",)})
    assert answer.status_code == 200
    (link,) = links(answer.text)
    return link


def test_an_invitation_shows_its_link_once_and_it_opens(newsletter: Newsletter, desk: TestClient) -> None:
    link = invite(desk)
    assert near(newsletter).get(link).status_code == 200
    path = f"/desk/staff/{row_of(newsletter, LI).public_id}"
    assert links(desk.get("/desk/staff").text + desk.get(path).text + desk.get("/desk/audit").text) == []
    assert row_of(newsletter, LI).roles == ["editor"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"address": "no address", "role": "editor"}, "这个地址写得不对"),
        ({"address": LI}, "至少要选一个角色"),
        ({"address": LI, "role": "owner"}, "至少要选一个角色"),
        ({"address": CHEN, "role": "editor"}, "已经在工作人员里"),
        ({"address": LI, "role": "editor", "name": "x" * 201}, "姓名太长"),
        ({}, "这个地址写得不对"),
    ],
)
def test_what_cannot_be_an_account_is_said_and_what_was_typed_stays(
    newsletter: Newsletter, desk: TestClient, fields: dict[str, str], words: str
) -> None:
    before = everything(newsletter)
    answer = desk.post("/desk/staff", data=fields)
    assert answer.status_code == 422
    assert words in answer.text
    assert fields.get("address", "") in answer.text
    assert everything(newsletter) == before


def test_roles_are_changed_on_the_page_of_somebody(newsletter: Newsletter, desk: TestClient) -> None:
    join(newsletter, LI, Role.EDITOR)
    path = f"/desk/staff/{row_of(newsletter, LI).public_id}"
    assert desk.post(f"{path}/roles", data={"role": ["sender", "admin"]}, follow_redirects=False).status_code == 303
    assert row_of(newsletter, LI).roles == ["admin", "sender"]
    assert re.search(r'value="sender" checked', desk.get(path).text)


def test_a_new_link_is_shown_once_and_ends_what_was(newsletter: Newsletter, desk: TestClient) -> None:
    join(newsletter, LI, Role.EDITOR)
    (link,) = links(desk.post(f"/desk/staff/{row_of(newsletter, LI).public_id}/link").text)
    assert (sessions_of(newsletter, LI), row_of(newsletter, LI).password_hash) == ([], None)
    assert near(newsletter).get(link).status_code == 200


def test_sessions_are_ended_and_people_removed(newsletter: Newsletter, desk: TestClient) -> None:
    join(newsletter, LI, Role.EDITOR)
    path = f"/desk/staff/{row_of(newsletter, LI).public_id}"
    assert "Firefox · Linux" in desk.get(path).text
    desk.post(f"{path}/sessions")
    assert sessions_of(newsletter, LI) == []
    assert desk.post(f"{path}/remove", follow_redirects=False).headers["location"] == "/desk/staff?done=removed"
    assert row_of(newsletter, LI).removed_at
    assert LI not in desk.get("/desk/staff").text


@pytest.mark.parametrize(("deed", "fields"), [("remove", {}), ("roles", {"role": "editor"}), ("link", {})])
def test_the_last_admin_cannot_lock_the_desk(
    newsletter: Newsletter, desk: TestClient, deed: str, fields: dict[str, str]
) -> None:
    before = everything(newsletter)
    answer = desk.post(f"/desk/staff/{row_of(newsletter).public_id}/{deed}", data=fields)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert everything(newsletter) == before


def test_who_removes_themselves_is_out(newsletter: Newsletter, desk: TestClient) -> None:
    join(newsletter, LI, Role.ADMIN)
    desk.post(f"/desk/staff/{row_of(newsletter).public_id}/remove")
    assert desk.get("/desk/account", follow_redirects=False).status_code == 303


@pytest.mark.parametrize("path", ["nobody", "%00", "令牌"])
def test_an_account_that_is_not_there_is_not_found_and_nothing_changes(
    newsletter: Newsletter, desk: TestClient, path: str
) -> None:
    before = everything(newsletter)
    wrong = [desk.get(f"/desk/staff/{path}").status_code]
    wrong += [
        desk.post(f"/desk/staff/{path}/{deed}", data={"role": "editor"}).status_code for deed in ("roles", "remove")
    ]
    assert wrong == [404, 404, 404]
    assert everything(newsletter) == before


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_action_has_a_word_of_its_own(language: str) -> None:
    words = tomllib.loads((WORDS / "desk_staff.toml").read_text("utf-8"))[language]
    said = [words[f"audit_{action.name.lower()}"] for action in Action]
    assert len({*said}) == len(Action)


def test_the_audit_log_says_who_did_what_to_what(newsletter: Newsletter, desk: TestClient) -> None:
    with newsletter.session() as session:
        record(session, actor(newsletter), Action.ISSUE_APPROVED, "2026-03-09", newsletter.clock(), revision=7)
        record(session, COMMAND_LINE, Action.READERS_EXPORTED, "all", newsletter.clock())
    page = " ".join(re.sub(r"<[^>]+>", " ", desk.get("/desk/audit").text).split())
    assert "chen 批准 2026-03-09 修订 7" in page
    assert "命令行 导出读者 all" in page


def test_the_audit_log_is_narrowed_to_a_person_and_an_action(newsletter: Newsletter, desk: TestClient) -> None:
    with newsletter.session() as session:
        for who in (actor(newsletter), COMMAND_LINE):
            for action in (Action.TOPIC_CHANGED, Action.SUPPRESSED):
                subject = f"{who.name.partition(' ')[0]}-{action.name}"
                record(session, who, action, subject, newsletter.clock())
    me = actor(newsletter).id

    def found(**query: object) -> set[str]:
        return {*re.findall(r"(?:chen|command)-[A-Z_]+", desk.get("/desk/audit", params=query).text)}

    assert found(who=me, action="topic changed") == {"chen-TOPIC_CHANGED"}
    assert found(who=0) == {"command-TOPIC_CHANGED", "command-SUPPRESSED"}
    assert found(action="address suppressed") == {"chen-SUPPRESSED", "command-SUPPRESSED"}
    assert len(found(who="nobody", action="nonsense", before="x")) == 4


def test_the_audit_log_is_read_page_by_page_to_its_end(newsletter: Newsletter, desk: TestClient) -> None:
    with newsletter.session() as session:
        for number in range(120):
            record(session, COMMAND_LINE, Action.TOPIC_CHANGED, f"topic-{number:03}", newsletter.clock())
    seen, path = [], "/desk/audit?action=topic+changed"
    while path:
        page = desk.get(path).text
        seen += re.findall(r"topic-\d+", page)
        older = re.search(r'href="([^"]+)" rel="next"', page)
        path = older[1].replace("&amp;", "&") if older else ""
    assert seen == [f"topic-{number:03}" for number in reversed(range(120))]


def test_with_nothing_found_the_log_says_so(desk: TestClient) -> None:
    assert "没有符合条件的记录" in desk.get("/desk/audit", params={"action": "sent again"}).text
