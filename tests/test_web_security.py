"""Headers on every answer, previews for this machine alone, no writing for other sites, decent words for failures."""

import tomllib
from collections.abc import Iterator

import pytest
from fastapi import APIRouter
from sqlalchemy import text
from starlette.testclient import TestClient
from web_samples import SLUG, add_issue, add_reader, far, near

from newsletter.app import Newsletter
from newsletter.render.theme import templates_dir
from newsletter.web.application import build

WANTED = ("content-security-policy", "x-content-type-options", "referrer-policy", "cache-control")


@pytest.fixture
def broken(newsletter: Newsletter) -> Iterator[TestClient]:
    """A client of an application with one page that takes forms and one that fails."""
    router = APIRouter()
    router.add_api_route("/form", lambda: "taken", methods=["POST"])
    router.add_api_route("/broken", lambda: 1 / 0)
    application = build(newsletter, extra_routers=[router])
    yield TestClient(application, base_url="http://news.example.org", raise_server_exceptions=False)


def test_every_answer_carries_the_security_headers(newsletter: Newsletter, broken: TestClient) -> None:
    add_issue(newsletter)
    token = add_reader(newsletter, "a@example.com")
    client = near(newsletter)
    paths = ("/", "/healthz", "/preview/", f"/preview/{SLUG}", f"/preview/{SLUG}/mail", f"/preview/{SLUG}/message.eml")
    answers = [client.get(path) for path in (*paths, f"/unsubscribe/{token}", "/static/site.css", "/nowhere")]
    answers += [client.put("/"), broken.get("/broken"), broken.post("/form", headers={"sec-fetch-site": "cross-site"})]
    for answer in answers:
        assert all(name in answer.headers for name in WANTED), (answer.url, answer.headers)
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "unsafe" not in answer.headers["content-security-policy"] or answer.url.path.endswith("/mail")


def test_only_the_framed_mail_may_be_framed_and_nothing_runs_in_it(newsletter: Newsletter) -> None:
    add_issue(newsletter)
    client = near(newsletter)
    page = client.get(f"/preview/{SLUG}").headers["content-security-policy"]
    mail = client.get(f"/preview/{SLUG}/mail").headers["content-security-policy"]
    assert "frame-ancestors 'none'" in page
    assert "sandbox" in mail
    assert "allow-scripts" not in mail
    assert "script-src" not in mail
    assert "default-src 'none'" in mail


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "https://elsewhere.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"origin": "http://news.example.org"}, 200),
        ({}, 200),
    ],
)
def test_forms_are_taken_from_the_own_site_only(broken: TestClient, headers: dict[str, str], status: int) -> None:
    assert broken.post("/form", headers=headers).status_code == status


@pytest.mark.parametrize("path", ["", SLUG, f"{SLUG}/mail", f"{SLUG}/message.eml"])
def test_previews_are_not_served_elsewhere(newsletter: Newsletter, path: str) -> None:
    add_issue(newsletter)
    for answer in (
        far(newsletter).get(f"/preview/{path}"),
        far(newsletter).get(f"/preview/{path}", headers={"host": "127.0.0.1:8000"}),
        near(newsletter).get(f"/preview/{path}", headers={"host": "rebound.example:8000"}),
        near(newsletter).get(f"/preview/{path}", headers={"host": "127.0.0.1.example.org"}),
        near(newsletter).get(f"/preview/{path}", headers={"x-forwarded-for": "127.0.0.1"}),
    ):
        assert answer.status_code == 403
        assert "ssh -L" in answer.text
        assert "群岛实验室" not in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8000", "[::1]:8000", "127.8.8.8:80"])
def test_previews_are_served_under_every_loopback_name(newsletter: Newsletter, host: str) -> None:
    assert near(newsletter).get("/preview/", headers={"host": host}).status_code == 200


def test_the_start_page_leads_to_the_previews_at_this_machine_only(newsletter: Newsletter) -> None:
    assert "/preview/" in near(newsletter).get("/").text
    assert "/preview/" not in far(newsletter).get("/").text


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("DELETE", "/", 405)])
def test_refusals_are_pages_for_browsers_and_lines_for_programs(
    newsletter: Newsletter, method: str, path: str, status: int
) -> None:
    page = far(newsletter).request(method, path)
    line = far(newsletter).request(method, path, headers={"accept": "*/*"})
    assert page.status_code == line.status_code == status
    assert page.text.startswith("<!doctype html>")
    assert line.headers["content-type"].startswith("text/plain")
    assert line.text.count("\n") == 1


def test_a_failure_is_a_page_without_a_traceback(broken: TestClient) -> None:
    answer = broken.get("/broken", headers={"accept": "text/html"})
    assert answer.status_code == 500
    assert "<h1>" in answer.text
    assert "ZeroDivisionError" not in answer.text


def test_healthz_is_ok_while_the_database_is_and_says_so_when_not(newsletter: Newsletter) -> None:
    assert far(newsletter).get("/healthz").json() == {"status": "ok"}
    with newsletter.session() as session:
        session.execute(text("UPDATE alembic_version SET version_num = 'another'"))
    answer = far(newsletter).get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["reason"]
    assert "newsletter.db" not in answer.text


def test_a_broken_database_is_said_with_a_time_to_come_back(newsletter: Newsletter) -> None:
    with newsletter.session() as session:
        session.execute(text("ALTER TABLE topic RENAME TO gone"))
    answer = far(newsletter).get("/")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert "gone" not in answer.text


def test_both_languages_have_the_same_words_and_no_two_files_the_same() -> None:
    files = [tomllib.loads(path.read_text("utf-8")) for path in (templates_dir() / "web" / "words").glob("*.toml")]
    assert all(words["zh"].keys() == words["en"].keys() for words in files)
    keys = [key for words in files for key in words["zh"]]
    assert sorted(set(keys)) == sorted(keys)
