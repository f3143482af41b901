"""The issues at the desk: the list, a new one, the history, the pictures; each page for those who may."""

import re
from datetime import date
from io import BytesIO

import pytest
from desk_samples import add_staff, at_desk
from PIL import Image
from sqlalchemy import event
from starlette.testclient import TestClient
from test_editorial_writing import DAY, SLUG, TEXT, Hands
from web_samples import SCRIPT, far

from newsletter.app import Newsletter
from newsletter.content.document import MAX_BYTES
from newsletter.editorial import writing
from newsletter.editorial.approval import approve
from newsletter.editorial.dispatch import begin
from newsletter.editorial.pictures import MOST_BYTES_IN, pictures
from newsletter.staff.rights import Actor, Role

FORM = {"date": "2026-03-09", "how": "nothing", "text": ""}


@pytest.fixture
def chen(newsletter: Newsletter) -> Actor:
    newsletter.clock = Hands()
    return add_staff(newsletter)


@pytest.fixture
def desk(newsletter: Newsletter, chen: Actor) -> TestClient:
    return at_desk(newsletter)


def make(client: TestClient, file: tuple[str, bytes] | None = None, **fields: str) -> object:
    files = {"file": file} if file else {"file": ("", b"")}
    return client.post("/desk/issues", data=FORM | fields, files=files, follow_redirects=False)


def picture(width: int = 60, height: int = 30) -> bytes:
    out = BytesIO()
    Image.new("RGB", (width, height), "navy").save(out, "PNG")
    return out.getvalue()


def upload(client: TestClient, data: bytes | None = None, alt: str = "海图", name: str = "") -> object:
    file = ("map.png", picture() if data is None else data)
    return client.post("/desk/images", data={"alt": alt, "name": name}, files={"file": file}, follow_redirects=False)


def test_without_issues_the_list_offers_the_first(desk: TestClient) -> None:
    assert "写新的一期" in desk.get("/desk/issues").text


def test_a_sender_is_offered_no_writing(newsletter: Newsletter) -> None:
    client = at_desk(newsletter, Role.SENDER)
    assert "/desk/issues/new" not in client.get("/desk/issues").text
    assert client.get("/desk/issues/new").status_code == 403
    assert make(client).status_code == 403
    assert upload(client).status_code == 403
    assert 'type="file"' not in client.get("/desk/images").text


def test_the_list_has_thirty_on_a_page_the_latest_first(newsletter: Newsletter, chen: Actor, desk: TestClient) -> None:
    for day in range(1, 32):
        writing.create(newsletter, chen, date(2026, 3, day))
    first, second = desk.get("/desk/issues").text, desk.get("/desk/issues?page=2").text
    assert re.findall(r'href="/desk/issues/(2026[^"]*)"', first) == [f"2026-03-{day:02}" for day in range(31, 1, -1)]
    assert re.findall(r'href="/desk/issues/(2026[^"]*)"', second) == ["2026-03-01"]
    assert desk.get("/desk/issues?page=999").text.count("2026-03-01") > 0
    assert desk.get("/desk/issues?page=x").status_code == 200


@pytest.mark.both_databases
def test_the_list_is_narrowed_by_words_and_by_state(newsletter: Newsletter, chen: Actor, desk: TestClient) -> None:
    writing.create(newsletter, chen, DAY, TEXT)
    writing.create(newsletter, chen, date(2026, 3, 10))
    writing.create(newsletter, chen, DAY, TEXT.replace("03-09", "03-11"))
    approve(newsletter, "2026-03-11")
    writing.create(newsletter, chen, DAY, TEXT.replace("03-09", "03-12"))
    approve(newsletter, "2026-03-12")
    begin(newsletter, "2026-03-12")

    def found(query: str) -> list[str]:
        return re.findall(r'href="/desk/issues/(2026[^"]*)"', desk.get(f"/desk/issues?{query}").text)

    assert found("q=翻译") == ["2026-03-12", "2026-03-11", "2026-03-09"]
    assert found("q=03-10") == ["2026-03-10"]
    assert found("q=%25") == []
    assert found("q=%00") == found("")
    assert found("state=draft") == ["2026-03-10", "2026-03-09"]
    assert found("state=approved") == ["2026-03-11"]
    assert found("state=mailed") == ["2026-03-12"]
    assert found("state=asked") == []


def test_the_list_asks_the_database_as_often_for_thirty_as_for_one(
    newsletter: Newsletter, chen: Actor, desk: TestClient
) -> None:
    asked: list[str] = []
    event.listen(newsletter.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    writing.create(newsletter, chen, DAY)
    asked.clear()
    desk.get("/desk/issues")
    once = len(asked)
    for day in range(10, 31):
        writing.create(newsletter, chen, date(2026, 3, day))
    asked.clear()
    desk.get("/desk/issues")
    assert len(asked) == once


def test_a_new_issue_is_dated_the_next_free_day(newsletter: Newsletter, chen: Actor, desk: TestClient) -> None:
    writing.create(newsletter, chen, DAY)
    assert 'value="2026-03-10"' in desk.get("/desk/issues/new").text


def test_an_issue_begins_from_nothing(newsletter: Newsletter, desk: TestClient) -> None:
    response = make(desk)
    assert (response.status_code, response.headers["location"]) == (303, "/desk/issues/2026-03-09")
    assert writing.text_of(newsletter, SLUG)[1] == "# AI 行业动态 (2026-03-09)\n"


def test_an_issue_begins_from_pasted_text(newsletter: Newsletter, desk: TestClient) -> None:
    make(desk, text=TEXT.replace("\n", "\r\n"), how="earlier")
    assert writing.text_of(newsletter, SLUG)[1] == TEXT


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_an_issue_begins_from_a_file_in_any_encoding(newsletter: Newsletter, desk: TestClient, encoding: str) -> None:
    make(desk, ("日报.md", TEXT.encode(encoding)), text="and a text")
    assert writing.text_of(newsletter, SLUG)[1].lstrip("\ufeff") == TEXT


def test_an_issue_begins_with_the_sections_of_the_newest(newsletter: Newsletter, chen: Actor, desk: TestClient) -> None:
    writing.create(newsletter, chen, DAY, TEXT)
    make(desk, date="2026-03-10", how="earlier")
    assert [one.title for one in writing.text_of(newsletter, "2026-03-10")[0].issue.sections] == ["模型与技术进展"]


REPORT = "---\ncanonical: report\n---\n\n# 周报 (2026-03-10)\n\n## 深度\n\n### 一条长文\n说明：一句话。\n"


def test_a_daily_begins_with_the_sections_of_the_newest_daily_though_a_report_came_after_it(
    newsletter: Newsletter, chen: Actor, desk: TestClient
) -> None:
    writing.create(newsletter, chen, DAY, TEXT)
    report = writing.create(newsletter, chen, date(2026, 3, 10), REPORT)
    assert report.issue.format == "report"
    assert f"沿用 {SLUG} 的栏目" in desk.get("/desk/issues/new").text
    make(desk, date="2026-03-11", how="earlier")
    made = writing.text_of(newsletter, "2026-03-11")[0]
    assert made.issue.format == "daily"
    assert [one.title for one in made.issue.sections] == ["模型与技术进展"]
    assert [found.code for found in made.diagnostics] == ["no-story"]


def test_where_all_issues_are_reports_the_newest_lends_its_sections(
    newsletter: Newsletter, chen: Actor, desk: TestClient
) -> None:
    writing.create(newsletter, chen, date(2026, 3, 10), REPORT)
    assert "沿用 2026-03-10 的栏目" in desk.get("/desk/issues/new").text


def test_an_issue_without_headings_lends_nothing(newsletter: Newsletter, chen: Actor, desk: TestClient) -> None:
    writing.create(newsletter, chen, DAY)
    assert "沿用" not in desk.get("/desk/issues/new").text


@pytest.mark.parametrize(
    ("fields", "file", "said"),
    [
        ({"date": "gestern"}, None, "2026-03-09 这样"),
        ({"date": ""}, None, "2026-03-09 这样"),
        ({}, ("a.md", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9), "不是文本"),
        ({}, ("a.md", b" \n \n"), "是空的"),
        ({}, ("a.md", b"x" * (MAX_BYTES + 1)), "最多 5 MB"),
    ],
)
def test_what_was_typed_is_kept_when_it_is_refused(
    newsletter: Newsletter, desk: TestClient, fields: dict[str, str], file: tuple[str, bytes] | None, said: str
) -> None:
    response = make(desk, file, text="半句 <b>话", **fields)
    assert response.status_code == 400
    assert said in response.text
    assert "半句 &lt;b&gt;话</textarea>" in response.text
    assert "写新的一期" in desk.get("/desk/issues").text


def test_a_form_over_size_and_one_that_is_none_are_refused(desk: TestClient) -> None:
    assert make(desk, ("a.md", b"x" * (2 * MAX_BYTES + 200_000))).status_code == 413
    assert desk.post("/desk/issues", content=b"x", headers={"content-type": "text/plain"}).status_code == 400
    assert desk.post("/desk/issues", content=b"x", headers={"content-type": "multipart/form-data"}).status_code == 400


def test_the_history_tells_who_wrote_when_and_what_it_was_used_for(
    newsletter: Newsletter, chen: Actor, desk: TestClient
) -> None:
    writing.create(newsletter, chen, DAY, TEXT)
    approve(newsletter, SLUG)
    writing.save(newsletter, chen, SLUG, TEXT.replace("两亿", "三亿"), 1)
    text = desk.get(f"/desk/issues/{SLUG}/history").text
    assert text.index("修订 2") < text.index("修订 1")
    assert "陈编辑" in text
    assert ">批准过<" in text


def test_a_difference_marks_the_words_that_changed(newsletter: Newsletter, chen: Actor, desk: TestClient) -> None:
    writing.create(newsletter, chen, DAY, TEXT)
    approve(newsletter, SLUG)
    writing.save(newsletter, chen, SLUG, TEXT.replace("两亿", "三亿"), 1)
    text = desk.get(f"/desk/issues/{SLUG}/history/2").text
    assert "参数量为<mark>两</mark>亿" in text
    assert "参数量为<mark>三</mark>亿" in text
    assert "行没有变化" in text
    assert "港湾研究所公开" not in text
    assert "港湾研究所公开" in desk.get(f"/desk/issues/{SLUG}/history/2?whole=1").text


def test_a_revision_is_brought_back_as_a_new_one(newsletter: Newsletter, chen: Actor, desk: TestClient) -> None:
    writing.create(newsletter, chen, DAY, TEXT)
    approve(newsletter, SLUG)
    newest = writing.save(newsletter, chen, SLUG, "# oops (2026-03-09)", 1)
    form = {"base": str(newest.number), "seen": newest.fingerprint}
    response = desk.post(f"/desk/issues/{SLUG}/history/1", data=form, follow_redirects=False)
    assert response.headers["location"] == f"/desk/issues/{SLUG}/history"
    saved, text = writing.text_of(newsletter, SLUG)
    assert (saved.number, text) == (3, TEXT)
    assert writing.revision_text(newsletter, SLUG, 2) == "# oops (2026-03-09)"


def test_nothing_is_brought_back_over_what_somebody_saved_since(
    newsletter: Newsletter, chen: Actor, desk: TestClient
) -> None:
    writing.create(newsletter, chen, DAY, TEXT)
    approve(newsletter, SLUG)
    writing.save(newsletter, chen, SLUG, "# new (2026-03-09)", 1)
    response = desk.post(f"/desk/issues/{SLUG}/history/1", data={"base": "1"})
    assert response.status_code == 409
    assert "没有恢复" in response.text
    assert writing.text_of(newsletter, SLUG)[1] == "# new (2026-03-09)"


@pytest.mark.parametrize("path", ["/history/9", "/history/x", "/history/1?since=9", "/history/99999999999999999999"])
def test_a_revision_that_is_not_there_is_not_found(
    newsletter: Newsletter, chen: Actor, desk: TestClient, path: str
) -> None:
    writing.create(newsletter, chen, DAY, TEXT)
    assert desk.get(f"/desk/issues/{SLUG}{path}").status_code == 404
    assert desk.post(f"/desk/issues/{SLUG}/history/9", data={}).status_code == 404
    assert desk.get("/desk/issues/2020-01-01/history").status_code == 404


def test_a_picture_is_added_and_its_markdown_offered(newsletter: Newsletter, desk: TestClient) -> None:
    response = upload(desk, name="潮汐")
    assert response.status_code == 303
    ((kept,), total) = pictures(newsletter)
    page = desk.get(response.headers["location"]).text
    assert total == 1
    assert f"![海图]({kept.url})" in page
    assert "图片已经保存" in page
    assert "潮汐" in page


@pytest.mark.parametrize(
    ("data", "alt", "said"),
    [
        (b"", "海图", "请选择一个文件"),
        (None, "  ", "说明图上有什么"),
        (b"<svg/>", "海图 <b>", "不是完整的"),
        (bytes(MOST_BYTES_IN + 1), "海图", "图片太大"),
    ],
)
def test_a_picture_that_is_refused_leaves_what_was_typed(
    newsletter: Newsletter, desk: TestClient, data: bytes | None, alt: str, said: str
) -> None:
    response = upload(desk, data, alt, name="潮汐")
    assert response.status_code == 400
    assert said in response.text
    assert 'value="潮汐"' in response.text
    assert alt.replace("<b>", "&lt;b&gt;") + "</textarea>" in response.text
    assert pictures(newsletter) == ([], 0)


def test_a_picture_too_large_to_be_read_is_refused(newsletter: Newsletter, desk: TestClient) -> None:
    assert upload(desk, bytes(MOST_BYTES_IN + 200_000)).status_code == 413
    assert pictures(newsletter) == ([], 0)


def test_everybody_gets_a_picture_and_may_keep_it_for_ever(newsletter: Newsletter, desk: TestClient) -> None:
    upload(desk)
    path = pictures(newsletter)[0][0].kept.path
    for response in (far(newsletter).get(path), far(newsletter).head(path)):
        assert response.status_code == 200
        assert response.headers["content-type"] == "image/png"
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert response.headers["cross-origin-resource-policy"] == "cross-origin"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in response.headers
    assert Image.open(BytesIO(far(newsletter).get(path).content)).size == (60, 30)


def test_no_other_name_is_a_picture(newsletter: Newsletter, desk: TestClient) -> None:
    upload(desk)
    key = pictures(newsletter)[0][0].kept.key
    for name in (f"{key}.jpg", f"{key}.gif", key, "x.png", "..%2f..%2fetc.png", "%00.png", ".png", f"{key}.png/x"):
        assert far(newsletter).get(f"/image/{name}").status_code == 404


def test_script_in_any_field_stays_text(newsletter: Newsletter, chen: Actor, desk: TestClient) -> None:
    writing.create(newsletter, chen, DAY, f"# {SCRIPT} (2026-03-09)\n\n- **{SCRIPT}**\n")
    approve_free = writing.save(newsletter, chen, SLUG, f"# {SCRIPT} (2026-03-09)\n\n- **x{SCRIPT}**\n", 1)
    assert approve_free.number == 1
    upload(desk, alt=SCRIPT, name=SCRIPT)
    for path in ("", f"/{SLUG}/history", f"/{SLUG}/history/1", f"?q={SCRIPT}"):
        assert SCRIPT not in desk.get(f"/desk/issues{path}").text
    assert SCRIPT not in desk.get("/desk/images").text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_is_there_in_both_languages(
    newsletter: Newsletter, chen: Actor, desk: TestClient, language: str
) -> None:
    writing.create(newsletter, chen, DAY, TEXT)
    upload(desk)
    for path in ("/issues", "/issues/new", f"/issues/{SLUG}/history", f"/issues/{SLUG}/history/1", "/images"):
        response = desk.get(f"/desk{path}?lang={language}")
        assert response.status_code == 200
        assert "style=" not in response.text
