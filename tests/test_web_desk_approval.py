"""The desk's pages about approval, test sends and their lists."""

import re
from collections.abc import Iterator
from email import message_from_bytes, policy

import pytest
from desk_samples import add_staff, at_desk
from mail_servers import aiosmtpd_server
from pydantic import SecretStr
from starlette.testclient import TestClient
from test_cli_control import Provider
from web_samples import ISSUE, SCRIPT, SLUG, add_issue

from newsletter.app import Newsletter
from newsletter.editorial.approval import approve, approved
from newsletter.editorial.intake import read, take_in
from newsletter.editorial.test_lists import all_lists, keep
from newsletter.review.report import review
from newsletter.review.verdicts import Check, Verdict
from newsletter.staff import accounts
from newsletter.staff.audit import Action, entries
from newsletter.staff.rights import Role
from newsletter.storage.models import RevisionRow
from newsletter.web.desk.trial_results import TrialResult, TrialResults

PAGE = f"/desk/issues/{SLUG}/sending"


@pytest.fixture
def desk(newsletter: Newsletter) -> TestClient:
    add_issue(newsletter)
    return at_desk(newsletter, Role.EDITOR)


@pytest.fixture
def provider(newsletter: Newsletter) -> Iterator[Provider]:
    provider = Provider()
    with aiosmtpd_server(provider) as server:
        newsletter.settings.smtp_url = SecretStr(f"smtp://127.0.0.1:{server.port}?starttls=never")
        yield provider


def seen(page: str) -> str:
    """The digest that the page would approve."""
    found = re.search(r'name="seen" value="(\w+)"', page)
    assert found
    return found[1]


def test_what_was_looked_at_is_approved_and_who_did_it_is_shown(newsletter: Newsletter, desk: TestClient) -> None:
    answer = desk.post(f"/desk/issues/{SLUG}/approval", data={"seen": seen(desk.get(PAGE).text)})
    assert answer.status_code == 200
    assert answer.url.path == PAGE
    assert "chen · " in answer.text
    assert approved(newsletter, SLUG).revision_id


def test_a_text_that_was_changed_meanwhile_is_not_approved(newsletter: Newsletter, desk: TestClient) -> None:
    looked_at = seen(desk.get(PAGE).text)
    add_issue(newsletter, title="另一个标题，刚刚改的")
    answer = desk.post(f"/desk/issues/{SLUG}/approval", data={"seen": looked_at})
    assert (answer.status_code, "你打开这一页之后内容又有改动" in answer.text) == (409, True)
    assert "已批准" not in answer.text


def test_the_writer_is_told_that_somebody_else_has_to(newsletter: Newsletter, desk: TestClient) -> None:
    newsletter.settings.approval = "second"
    with newsletter.session() as session:
        saved = newsletter.issues(session).find(SLUG)
        chen = accounts.find(session, "chen@example.org").id
        session.get_one(RevisionRow, saved.revision_id).saved_by = chen
    page = desk.get(PAGE).text
    assert "由另一位同事批准" in page
    assert 'name="seen"' not in page
    answer = desk.post(f"/desk/issues/{SLUG}/approval")
    assert (answer.status_code, "需要由另一位同事批准" in answer.text) == (409, True)
    colleague = at_desk(newsletter, Role.EDITOR, address="li@example.org")
    assert colleague.post(f"/desk/issues/{SLUG}/approval").status_code == 200


def test_a_question_is_mailed_to_the_staff_with_the_way_there(
    newsletter: Newsletter, desk: TestClient, provider: Provider
) -> None:
    newsletter.settings.staff = ("boss@example.org",)
    answer = desk.post(f"/desk/issues/{SLUG}/ask")
    assert "chen" in answer.text
    assert "等待批准" in answer.text
    ((address, data),) = provider.taken
    assert address == "boss@example.org"
    text = message_from_bytes(data, policy=policy.default).get_content()  # type: ignore[attr-defined]  # by that policy
    assert f"https://news.example.org{PAGE}" in text


def test_a_mail_server_that_is_away_keeps_nobody_from_asking_and_stands_in_the_log(
    newsletter: Newsletter, desk: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    newsletter.settings.staff = ("boss@example.org",)
    newsletter.settings.smtp_url = SecretStr("smtp://127.0.0.1:1?starttls=never")
    assert "等待批准" in desk.post(f"/desk/issues/{SLUG}/ask").text
    assert f"{SLUG} waits for approval" in caplog.text


def test_without_staff_to_mail_the_page_does_not_say_that_somebody_was_mailed(
    newsletter: Newsletter, desk: TestClient
) -> None:
    page = desk.post(f"/desk/issues/{SLUG}/ask").text
    assert ("并发邮件通知了" in page, "所以没有发邮件通知" in page) == (False, True)
    assert '<a href="/desk/settings">' in page.partition('role="status"')[2].partition("</p>")[0]


def test_an_approval_that_an_edit_voided_is_said_with_the_way_to_what_changed(
    newsletter: Newsletter, desk: TestClient
) -> None:
    approve(newsletter, SLUG, add_staff(newsletter, "wen@example.org", name="闻编辑"))
    add_issue(newsletter, title="另一个标题，刚刚改的")
    page = desk.get(PAGE).text
    assert "修订 1 由 闻编辑 在" in page
    link = f"/desk/issues/{SLUG}/history/2?since=1"
    assert f'href="{link}"' in page
    assert "另一个标题" in desk.get(link).text
    assert "批准过" in desk.get(f"/desk/issues/{SLUG}/history").text
    approve(newsletter, SLUG)
    assert "闻编辑 在" not in desk.get(PAGE).text
    assert "批准过" in desk.get(f"/desk/issues/{SLUG}/history").text


def test_checks_that_nobody_had_made_are_offered_before_approval_and_named_before_a_send(
    newsletter: Newsletter, desk: TestClient
) -> None:
    page = desk.get(PAGE).text
    assert 'name="back" value="sending"' in page
    approve(newsletter, SLUG)
    confirm = at_desk(newsletter, Role.SENDER, address="wen@example.org").get(f"{PAGE}/start").text
    assert "还没有做这些检查：链接" in confirm
    kept = desk.app.state.slow_checks  # type: ignore[attr-defined]  # starlette's test client has it as an ASGI app
    kept.keep(review(newsletter, SLUG).with_earlier([Check("theme", Verdict.OK, at=newsletter.clock())]))
    assert 'name="back" value="sending"' not in desk.get(PAGE).text
    assert "还没有做这些检查" not in desk.get(f"{PAGE}/start").text


def test_errors_are_shown_and_nothing_can_be_approved(newsletter: Newsletter) -> None:
    text = ISSUE.format(title=SCRIPT).replace("https://project.example.org/", "javascript:alert(1)").encode()
    take_in(newsletter, read(newsletter, text), text, draft=True)
    page = at_desk(newsletter).get(PAGE).text
    assert "有错误，不能批准" in page
    assert 'name="seen"' not in page
    assert SCRIPT not in page


@pytest.mark.parametrize("path", ["approval", "ask"])
def test_the_address_of_a_form_leads_back_to_the_page(desk: TestClient, path: str) -> None:
    assert desk.get(f"/desk/issues/{SLUG}/{path}").url.path == PAGE


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["sending", "approval", "ask", "test"])
def test_an_issue_that_there_is_not_is_a_page_that_says_so(desk: TestClient, path: str, method: str) -> None:
    if (path, method) != ("sending", "POST"):
        assert desk.request(method, f"/desk/issues/2020-01-01/{path}").status_code == 404


def test_a_test_goes_to_a_list_and_to_what_was_typed_and_each_reply_is_shown(
    newsletter: Newsletter, desk: TestClient, provider: Provider
) -> None:
    chen = add_staff(newsletter, "li@example.org")
    kept = keep(newsletter, chen, "编辑部", "a@example.org b@example.org")
    provider.answers = {"c@example.org": "554 5.7.1 not you"}
    answer = desk.post(f"/desk/issues/{SLUG}/test", data={"list": kept.id, "addresses": "A@example.org,c@example.org"})
    assert [address for address, _ in provider.taken] == ["a@example.org", "b@example.org"]
    assert "554 5.7.1 not you" in answer.text
    assert "2 / 3 封被接收" in answer.text
    with newsletter.reading() as session:
        (entry,) = entries(session, action=Action.TEST_SENT)
    assert entry.details == {"addresses": 3, "accepted": 2}


def test_a_reload_after_a_test_shows_its_outcomes_again_and_sends_nothing(
    newsletter: Newsletter, desk: TestClient, provider: Provider
) -> None:
    path = f"/desk/issues/{SLUG}/test"
    answer = desk.post(path, data={"addresses": "a@example.org"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path}?done=1")
    for _ in range(2):
        assert "1 / 1 封被接收" in desk.get(f"{path}?done=1").text
    assert len(provider.taken) == 1
    assert "封被接收" not in desk.get(path).text
    somebody_else = at_desk(newsletter, Role.EDITOR, address="li@example.org").get(f"{path}?done=1").text
    assert ("a@example.org" in somebody_else, "已经不在了" in somebody_else) == (False, True)


def test_only_so_many_outcomes_are_kept_and_the_oldest_go_first() -> None:
    kept = TrialResults()
    for number in range(60):
        kept.keep(number, SLUG, TrialResult(None, "", ()))
    assert [number for number in range(60) if kept.of(number, SLUG)] == list(range(10, 60))


def test_test_lists_stand_among_the_settings(desk: TestClient) -> None:
    page = desk.get("/desk/test-lists").text
    assert re.search(r'href="/desk/test-lists" aria-current="page"', page)
    assert re.search(r'href="/desk/settings"[^>]*aria-current', page)
    assert not re.search(r'href="/desk/issues"[^>]*aria-current', page)


def test_a_test_needs_no_approval_and_counts_as_no_delivery(
    newsletter: Newsletter, desk: TestClient, provider: Provider
) -> None:
    desk.post(f"/desk/issues/{SLUG}/test", data={"addresses": "a@example.org"})
    ((_, data),) = provider.taken
    assert b"Subject: =?utf-8?" in data or "[测试]".encode() in data
    assert "开始于" not in desk.get(PAGE).text


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "至少一个地址"),
        ("nobody", "不是可用的邮箱地址"),
        (" ".join(f"a{n}@example.org" for n in range(21)), "最多 20 个"),
        (SCRIPT, "不是可用的邮箱地址"),
    ],
)
def test_addresses_that_cannot_be_are_said_and_stay_in_the_field(
    desk: TestClient, provider: Provider, typed: str, said: str
) -> None:
    answer = desk.post(f"/desk/issues/{SLUG}/test", data={"addresses": typed})
    assert (answer.status_code, said in answer.text) == (422, True)
    assert SCRIPT not in answer.text
    assert typed[:20].split("<")[0] in answer.text
    assert provider.taken == []


def test_a_mail_server_that_is_away_is_a_page_and_loses_no_address(newsletter: Newsletter, desk: TestClient) -> None:
    newsletter.settings.smtp_url = SecretStr("smtp://user:hunter2@127.0.0.1:1?starttls=never")
    answer = desk.post(f"/desk/issues/{SLUG}/test", data={"addresses": "a@example.org"})
    assert (answer.status_code, "127.0.0.1:1" in answer.text) == (503, True)
    assert "hunter2" not in answer.text
    assert ">a@example.org</textarea>" in answer.text


def test_lists_are_added_changed_and_deleted(newsletter: Newsletter, desk: TestClient) -> None:
    assert "编辑部" in desk.post("/desk/test-lists", data={"name": "编辑部", "addresses": "a@example.org"}).text
    (kept,) = all_lists(newsletter)
    desk.post(f"/desk/test-lists/{kept.id}", data={"name": "编辑部", "addresses": "b@example.org"})
    assert all_lists(newsletter)[0].addresses == ("b@example.org",)
    assert "名单已删除" in desk.post(f"/desk/test-lists/{kept.id}/delete").text
    assert "之前已经删除" in desk.post(f"/desk/test-lists/{kept.id}/delete").text


def test_a_list_that_is_refused_is_shown_again_as_it_was_typed(newsletter: Newsletter, desk: TestClient) -> None:
    kept = keep(newsletter, add_staff(newsletter, "li@example.org"), "编辑部", "a@example.org")
    for path in ("/desk/test-lists", f"/desk/test-lists/{kept.id}"):
        answer = desk.post(path, data={"name": SCRIPT, "addresses": "no-address"})
        assert (answer.status_code, "no-address</textarea>" in answer.text, SCRIPT in answer.text) == (422, True, False)
    assert all_lists(newsletter) == (kept,)


def test_only_who_may_write_sends_tests_and_sees_lists(newsletter: Newsletter) -> None:
    add_issue(newsletter)
    approve(newsletter, SLUG)
    sender = at_desk(newsletter, Role.SENDER, address="wang@example.org")
    answers = [
        sender.get(f"/desk/issues/{SLUG}/test"),
        sender.post(f"/desk/issues/{SLUG}/test"),
        sender.post(f"/desk/issues/{SLUG}/ask"),
        sender.post(f"/desk/issues/{SLUG}/approval"),
        *(sender.request(method, "/desk/test-lists") for method in ("GET", "POST")),
        *(sender.request(method, "/desk/test-lists/1") for method in ("GET", "POST")),
        sender.post("/desk/test-lists/1/delete"),
    ]
    assert {answer.status_code for answer in answers} == {403}
