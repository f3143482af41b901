"""The editor page: saves whatever is typed, says what is wrong and mends it, never writes over what others wrote."""

import json
import re
from datetime import UTC, datetime
from html import unescape

import pytest
from desk_samples import at_desk
from httpx2 import Response
from starlette.testclient import TestClient
from web_samples import ISSUE, SLUG, add_issue, add_reader, near

from newsletter.app import Newsletter
from newsletter.editorial.approval import approve
from newsletter.editorial.writing import text_of
from newsletter.staff.rights import Role

AT = f"/desk/issues/{SLUG}"
TEXT = ISSUE.format(title="山谷团队开源语音模型 Echo-2")
BROKEN = TEXT.replace("https://project.example.org/", "project.example.org")
ATTACK = "</textarea><script>alert(1)</script>"
NOW = datetime(2026, 3, 9, 1, tzinfo=UTC)

pytestmark = pytest.mark.both_databases


@pytest.fixture
def desk(newsletter: Newsletter) -> TestClient:
    newsletter.clock = lambda: NOW
    add_issue(newsletter)
    add_reader(newsletter, "bo@example.com", "policy")
    return at_desk(newsletter, Role.EDITOR)


def typed(desk: TestClient, text: str, base: int = 1, seen: str = "", **query: str) -> Response:
    asked = {"base": str(base), "seen": seen, **query}
    return desk.post(f"{AT}/text", params=asked, content=text.encode(), headers={"accept": "application/json"})


def kept(newsletter: Newsletter) -> str:
    return text_of(newsletter, SLUG)[1]


def test_the_page_has_the_text_in_a_textarea_and_the_mail_in_a_frame(desk: TestClient) -> None:
    page = desk.get(AT)
    assert page.status_code == 200
    assert re.search(r"<textarea[^>]*>\n# AI 行业动态", page.text)
    assert f'src="{AT}/frame"' in page.text


def test_nothing_in_the_page_is_inline(desk: TestClient) -> None:
    page = desk.get(AT).text
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*src=)", page)


def test_a_text_never_leaves_its_textarea(desk: TestClient, newsletter: Newsletter) -> None:
    answer = typed(desk, TEXT + f"\n- **{ATTACK}**\n  说明：{ATTACK}\n")
    assert "<script>" not in json.dumps(answer.json()["parts"], ensure_ascii=False)
    page = desk.get(AT).text
    assert ATTACK not in page
    assert kept(newsletter).count(ATTACK) == 2


def test_a_text_that_begins_with_an_empty_line_keeps_it(desk: TestClient) -> None:
    typed(desk, "\n\n" + TEXT)
    assert re.search(r"<textarea[^>]*>\n\n\n# AI", desk.get(AT).text)


def test_what_is_typed_is_saved_and_answered_with_what_depends_on_it(desk: TestClient, newsletter: Newsletter) -> None:
    said = typed(desk, BROKEN).json()
    assert kept(newsletter) == BROKEN
    assert [kind for _, kind in said["marks"] if kind == "error"] == ["error"]
    assert said["headings"] == [3, 13]
    assert "https://project.example.org" in said["parts"]["findings"]
    assert "山谷团队开源语音模型 Echo-2" in said["parts"]["outline"]


def test_a_card_shows_what_the_editor_says_of_its_story(desk: TestClient) -> None:
    marked = TEXT.replace("  来源出处", "  标记：重要、新\n  来源出处", 1)
    assert marked != TEXT
    outline = typed(desk, marked).json()["parts"]["outline"]
    assert re.findall(r'class="chip on">(重要|后续|新)<', outline) == ["重要", "新"]


def test_the_answer_is_the_base_of_the_next_one(desk: TestClient, newsletter: Newsletter) -> None:
    said = typed(desk, TEXT + "\n")
    for number in range(3):
        answer = said.json()
        said = typed(desk, f"{TEXT}\n{number}\n", answer["base"], answer["seen"])
        assert said.status_code == 200
    assert kept(newsletter).endswith("\n2\n")


def test_a_text_that_cannot_be_read_is_saved_all_the_same(desk: TestClient, newsletter: Newsletter) -> None:
    for text in ("", "---\ntitle: [", "零\0字", "# (2026-99-99)"):
        newest = text_of(newsletter, SLUG)[0]
        assert typed(desk, text, newest.number, newest.fingerprint).status_code == 200
        assert kept(newsletter) == text.replace("\0", "\ufffd")


def test_somebody_elses_revision_is_not_written_over(desk: TestClient, newsletter: Newsletter) -> None:
    other = at_desk(newsletter, Role.EDITOR, address="li@example.org")
    assert typed(other, TEXT + "\n他人的一行\n").status_code == 200
    answer = typed(desk, TEXT + "\n我的一行\n")
    assert answer.status_code == 409
    assert "他人的一行" in kept(newsletter)
    assert "data-keep-mine" in answer.json()["parts"]["conflict"]
    mine = typed(desk, TEXT + "\n我的一行\n", answer.json()["base"], answer.json()["seen"])
    assert mine.status_code == 200
    assert "我的一行" in kept(newsletter)


def test_two_tabs_of_one_person_do_not_write_over_each_other(desk: TestClient) -> None:
    first = typed(desk, TEXT + "\n第一个标签页\n").json()
    assert typed(desk, TEXT + "\n第一个标签页，又一句\n", first["base"], first["seen"]).status_code == 200
    assert typed(desk, TEXT + "\n第二个标签页\n", first["base"], first["seen"]).status_code == 409


def test_whose_mail_is_looked_at_goes_with_what_is_typed(desk: TestClient) -> None:
    inbox = typed(desk, TEXT, reader="bo@example.com", line="1").json()["parts"]["inbox"]
    assert "岬角市" in inbox and "山谷" not in inbox


def test_who_is_signed_out_is_told_so_and_nothing_is_saved(desk: TestClient, newsletter: Newsletter) -> None:
    assert typed(near(newsletter), TEXT + "\n不该存\n").status_code == 401
    assert kept(newsletter) == TEXT


@pytest.mark.parametrize("role", [Role.SENDER, Role.ADMIN])
def test_who_may_not_write_reads_only(desk: TestClient, newsletter: Newsletter, role: Role) -> None:
    reader = at_desk(newsletter, role, address="reads@example.org")
    page = reader.get(AT).text
    assert re.search(r"<textarea[^>]* readonly", page)
    assert "data-mend-line" not in page and 'name="to"' not in page
    assert typed(reader, TEXT + "\n不该存\n").status_code == 403
    assert reader.post(AT, data={"text": "x", "base": "1"}).status_code == 403
    assert reader.post(f"{AT}/move", data={"to": "0 1 0", "base": "1"}).status_code == 403
    assert kept(newsletter) == TEXT


def test_without_script_the_button_saves_and_the_page_comes_back(desk: TestClient, newsletter: Newsletter) -> None:
    sent = {"text": BROKEN.replace("\n", "\r\n"), "base": "1"}
    answer = desk.post(AT, data=sent, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, AT)
    assert kept(newsletter) == BROKEN


def test_without_script_the_button_of_a_mend_mends(desk: TestClient, newsletter: Newsletter) -> None:
    desk.post(AT, data={"text": BROKEN, "base": "1"})
    button = re.search(r'name="mend" value="([\d.]+)"[^>]*data-new="[^"]*https://project', desk.get(AT).text)
    assert button
    newest = text_of(newsletter, SLUG)[0]
    desk.post(AT, data={"text": BROKEN, "base": str(newest.number), "mend": button[1]})
    assert kept(newsletter) == BROKEN.replace("(project.example.org)", "(https://project.example.org)")


@pytest.mark.parametrize("mend", ["", "x", "99.0", "0.99", "-1.0", "1", "9" * 5000])
def test_a_button_that_was_never_there_mends_nothing(desk: TestClient, newsletter: Newsletter, mend: str) -> None:
    assert desk.post(AT, data={"text": BROKEN, "base": "1", "mend": mend}, follow_redirects=False).status_code == 303
    assert kept(newsletter) == BROKEN


def test_without_script_a_conflict_keeps_both_texts(desk: TestClient, newsletter: Newsletter) -> None:
    other = at_desk(newsletter, Role.EDITOR, address="li@example.org")
    typed(other, TEXT + "\n他人的一行\n")
    page = desk.post(AT, data={"text": TEXT + "\n我的一行\n", "base": "1"})
    assert page.status_code == 409
    assert "我的一行" in page.text and "他人的一行" in kept(newsletter)
    fields = dict(re.findall(r'name="(base|seen)" value="([^"]*)"', page.text))
    assert desk.post(AT, data={"text": TEXT + "\n我的一行\n", **fields}).status_code == 200
    assert "我的一行" in kept(newsletter)


def test_a_story_moves_to_another_section(desk: TestClient, newsletter: Newsletter) -> None:
    desk.post(f"{AT}/move", data={"to": "1 1 0", "base": "1"})
    saved, _ = text_of(newsletter, SLUG)
    assert [[story.title[:2] for story in section.stories] for section in saved.issue.sections] == [
        ["群岛"],
        ["山谷", "岬角"],
    ]
    assert saved.issue.stories[1].topics == ("policy",)


@pytest.mark.parametrize("to", ["", "x", "0 0", "9 0 0", "0 9 0", "1 2 3 4", "-1 0 0"])
def test_a_move_that_cannot_be_is_refused(desk: TestClient, newsletter: Newsletter, to: str) -> None:
    assert desk.post(f"{AT}/move", data={"to": to, "base": "1"}).status_code == 400
    assert kept(newsletter) == TEXT


def test_an_edit_voids_the_approval(desk: TestClient, newsletter: Newsletter) -> None:
    approve(newsletter, SLUG)
    typed(desk, TEXT.replace("第二条", "第三条"))
    assert text_of(newsletter, SLUG)[0].approved_hash == ""


def test_the_frame_runs_nothing_and_shows_what_the_preview_shows(desk: TestClient) -> None:
    frame = desk.get(f"{AT}/frame", params={"reader": "bo@example.com"})
    assert frame.headers["content-security-policy"].startswith("sandbox allow-same-origin allow-popups")
    assert "allow-scripts" not in frame.headers["content-security-policy"]
    shown = desk.get(f"{AT}/preview/mail", params={"reader": "bo@example.com"}).text
    assert re.sub(r'<meta name="inbox-line" content="[^"]*">', "", frame.text) == shown


def test_the_frame_tells_how_its_mail_is_announced(desk: TestClient) -> None:
    told = re.search(r'<meta name="inbox-line" content="([^"]*)">', desk.get(f"{AT}/frame").text)
    assert told and "群岛实验室公开潮汐预报模型" in told[1]
    assert "<meta" not in desk.get(f"{AT}/frame", params={"format": "text"}).text


def test_the_figures_count_readers_by_their_stories(desk: TestClient, newsletter: Newsletter) -> None:
    add_reader(newsletter, "cy@example.com", "models")
    add_reader(newsletter, "di@example.com", "funding")
    add_reader(newsletter, "ed@example.com", "models", "policy")
    page = desk.get(f"{AT}/figures", params={"part": "reach"}).text
    assert "0 条 1 · 1–2 条 2 · 3 条以上 1" in page
    assert 'data-editions="3"' in page


def test_a_reader_is_found_by_a_part_of_the_address(desk: TestClient) -> None:
    assert desk.get(f"{AT}/readers", params={"q": "bo@"}).json() == ["bo@example.com"]
    assert desk.get(f"{AT}/readers", params={"q": "nobody"}).json() == []


@pytest.mark.parametrize("path", ["", "/frame", "/figures", "/readers"])
def test_an_issue_that_is_not_there_is_not_found(desk: TestClient, path: str) -> None:
    assert desk.get(f"/desk/issues/2020-01-01{path}").status_code == 404


@pytest.mark.parametrize("path", ["", "/text", "/move"])
def test_what_is_sent_for_an_issue_that_is_not_there_is_refused(desk: TestClient, path: str) -> None:
    assert desk.post(f"/desk/issues/2020-01-01{path}", content="to=0 0 0").status_code in (400, 404)


def test_a_text_that_is_too_long_is_refused_with_its_limit(desk: TestClient, newsletter: Newsletter) -> None:
    answer = typed(desk, "字" * 1_700_000)
    assert answer.status_code == 413
    assert "5,000,000" in answer.json()["why"]
    assert kept(newsletter) == TEXT


def test_a_megabyte_of_chinese_is_saved_by_the_form_without_script(desk: TestClient, newsletter: Newsletter) -> None:
    text = TEXT + "字" * 350_000
    assert desk.post(AT, data={"text": text, "base": "1"}, follow_redirects=False).status_code == 303
    assert kept(newsletter) == text


def test_a_finding_is_told_in_the_page_s_words(desk: TestClient) -> None:
    said = typed(desk, BROKEN).json()["parts"]["findings"]
    assert "链接“project.example.org”不是网址" in said


def test_an_edit_after_approval_says_how_the_issue_stands_now(desk: TestClient, newsletter: Newsletter) -> None:
    approve(newsletter, SLUG)
    page = desk.get(AT).text
    assert "已批准" in page and f'href="{AT}/sending">批准' not in page
    said = typed(desk, TEXT.replace("第二条", "第三条")).json()["parts"]
    assert "草稿" in said["issue_state"]
    assert f'href="{AT}/sending">批准' in said["editor_actions"]


def test_the_same_revision_saved_again_does_not_draw_the_head_anew(desk: TestClient) -> None:
    said = typed(desk, TEXT + "\n").json()
    again = typed(desk, TEXT + "\n\n", said["base"], said["seen"]).json()
    assert again["base"] == said["base"]
    assert "issue_state" not in again["parts"]


def test_a_heading_that_means_no_topic_leads_to_the_page_that_gives_it_one(
    desk: TestClient, newsletter: Newsletter
) -> None:
    manager = at_desk(newsletter, Role.EDITOR, Role.ADMIN, address="manages@example.org")
    said = typed(manager, TEXT.replace("**政策与监管**", "**航天 & 深海**")).json()["parts"]["findings"]
    link = re.search(r'href="(/desk/topics[^"#]*)#loose"', said)
    assert link
    page = manager.get(unescape(link[1])).text
    wanted = page.partition('class="wanted"')[2]
    assert wanted.startswith("><span><b>航天 &amp; 深海</b>")
