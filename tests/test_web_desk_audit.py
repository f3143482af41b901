"""The audit log's words: every detail that code writes down is said in the page's language, and nothing raw is left."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk_samples import at_desk
from fastapi.testclient import TestClient

from newsletter.app import Newsletter
from newsletter.staff.audit import Action, record
from newsletter.staff.rights import COMMAND_LINE, Role
from newsletter.web.desk.audit_words import INTERNAL

ROOT = Path(__file__).parents[1]
WORDS = tomllib.loads((ROOT / "templates/web/words/desk_staff.toml").read_text("utf-8"))


def details_in_the_code() -> set[str]:
    """The names of all details that are passed to `record`, by keyword or in a dictionary."""
    found: set[str] = set()
    for path in (ROOT / "newsletter").rglob("*.py"):
        text = path.read_text("utf-8")
        if "staff.audit import" in text or "staff import audit" in text:
            for function in ast.walk(ast.parse(text)):
                if isinstance(function, ast.FunctionDef):
                    found.update(_details(function))
    return found


def _details(function: ast.FunctionDef) -> Iterator[str]:
    for call in ast.walk(function):
        if isinstance(call, ast.Call) and ast.unparse(call.func).rpartition(".")[2] in ("record", "_record"):
            for keyword in call.keywords:
                yield from [keyword.arg] if keyword.arg else _assigned(function, ast.unparse(keyword.value))


def _assigned(function: ast.FunctionDef, name: str) -> Iterator[str]:
    """The keys of a dictionary that a function makes: all words of the statements that write to it."""
    for one in ast.walk(function):
        if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]).partition("[")[0] == name:
            keys = [one.targets[0], *(one.value.keys if isinstance(one.value, ast.Dict) else [one.value])]
            for part in (part for key in keys if key for part in ast.walk(key)):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value


def shown(desk: TestClient, language: str) -> str:
    page = desk.get("/desk/audit", headers={"accept-language": language}).text
    table = page.partition("<tbody>")[2].partition("</tbody>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", table).split())


@pytest.fixture
def desk(newsletter: Newsletter) -> TestClient:
    return at_desk(newsletter, Role.ADMIN)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_detail_that_is_written_down_has_a_word(language: str) -> None:
    details = details_in_the_code()
    assert {"revision", "canary", "heading", "added", "until", "bytes", "fields", "state"} <= details
    missing = {name for name in details - INTERNAL if f"audit_detail_{name}" not in WORDS[language]}
    assert not missing


@pytest.mark.parametrize(
    ("action", "subject", "details", "zh", "en"),
    [
        ("unknown settled", "2026-03-09", {"readers": 2, "accepted": True}, "已接收 是", "accepted yes"),
        (
            "address suppressed",
            "suppression list",
            {"addresses": 3},
            "停发名单 地址数 3",
            "suppression list addresses 3",
        ),
        (
            "suppression lifted",
            "suppression 4",
            {"reason": "bounce"},
            "停发名单第 4 条 原因 退信",
            "entry 4 reason Bounce",
        ),
        ("reader changed", "reader ab12", {"what": "added", "state": "pending"}, "读者 ab12", "state Pending"),
        ("reader changed", "reader ab12", {"what": "paused", "until": "2027-01-05"}, "2027年1月5日", "5 January 2027"),
        ("reader changed", "reader ab12", {"what": "changed", "fields": ["name"]}, "改了 姓名", "changed name"),
        ("topic changed", "models", {"what": "alias added", "heading": "x"}, "变动 加上栏目名", "change heading added"),
        ("picture added", "k3y", {"name": "a.png", "bytes": 271485}, "a.png 大小 271.5 kB", "a.png size 271.5 kB"),
        ("staff changed", "chen", {"before": ["editor", "admin"]}, "原为 编辑、管理", "before Editor, Admin"),
        ("setting changed", "SLOT", {"before": "", "after": "08:00"}, "原为 无 改为 08:00", "before none after 08:00"),
        ("link shared", "s", {"until": "2027-11-29T12:55:04+00:00", "topics": []}, "到 2027年11月29日", "topics none"),
        (
            "not sent in time",
            "2026-03-09",
            {"at": "2026-03-09T00:00:00+00:00", "reason": "not-approved", "revision": 3},
            "修订 3 还没有批准",
            "Revision 3 is not approved",
        ),
    ],
)
def test_details_are_said_in_words(
    newsletter: Newsletter,
    desk: TestClient,
    action: str,
    subject: str,
    details: dict[str, object],
    zh: str,
    en: str,
) -> None:
    with newsletter.session() as session:
        record(session, COMMAND_LINE, Action(action), subject, newsletter.clock(), **details)
    assert zh in shown(desk, "zh").replace(" 年 ", "年").replace(" 月 ", "月").replace(" 日", "日")
    assert en in shown(desk, "en")


def test_what_only_a_database_asks_for_is_not_shown(newsletter: Newsletter, desk: TestClient) -> None:
    with newsletter.session() as session:
        now = newsletter.clock()
        record(session, COMMAND_LINE, Action.ISSUE_APPROVED, "2026-03-09", now, revision=3, digest="0132abcd0132")
    assert "2026-03-09 修订 3" in shown(desk, "zh")
    assert "0132abcd" not in shown(desk, "zh")
