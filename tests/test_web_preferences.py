"""The preferences page: looking changes nothing, mistakes lose nothing, and nobody else is shown."""

import re
from typing import Any
from urllib.parse import unquote_plus

import pytest
from reader_samples import CHOICES, WEN, add, everything, find, letters, link
from sending import SLUG, Clock
from starlette.testclient import TestClient
from web_samples import SCRIPT, add_issue, far

from newsletter.app import Newsletter
from newsletter.archive.publishing import publish
from newsletter.editorial.approval import approve
from newsletter.readers import preferences
from newsletter.readers.models import LetterKind
from newsletter.render.recipient import INERT_TOKEN
from subscribers.models import State, Subscriber
from subscribers.preference_columns import preferences_of
from subscribers.preferences import Frequency, Preferences
from subscribers.tokens import Purpose

ORDER = ["policy", "models", "products", "funding", "industry"]
FORM = {
    "order": ORDER,
    "topics": ["policy", "models"],
    "most": "5",
    "follow": "潮汐",
    "mute": "裁员",
    "format": "html",
    "mail": "zh",
    "until": "",
}


@pytest.fixture
def clock(newsletter: Newsletter) -> Clock:
    """The newsletter's clock from now on."""
    clock = newsletter.clock = Clock()
    return clock


@pytest.fixture
def page(newsletter: Newsletter, clock: Clock) -> str:
    """The address of a reader's preferences."""
    return f"/preferences/{link(newsletter, Purpose.PREFERENCES, add(newsletter, name='文心'))}"


@pytest.fixture
def published(newsletter: Newsletter, clock: Clock) -> None:
    """An issue in the archive."""
    add_issue(newsletter)
    approve(newsletter, SLUG)
    with newsletter.session() as session:
        publish(session, newsletter.issues(session).find(SLUG).issue_id, newsletter.clock())


def post(newsletter: Newsletter, address: str, **changes: object) -> tuple[TestClient, str, int]:
    client = far(newsletter)
    answer = client.post(address, data={**FORM, **changes}, follow_redirects=False)
    return client, answer.text or answer.headers.get("location", ""), answer.status_code


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("part", ["", "/look", "/mail?topics=models", "?do=resume&done=saved"])
def test_safe_methods_change_nothing(newsletter: Newsletter, page: str, method: str, part: str) -> None:
    before = everything(newsletter)
    far(newsletter).request(method, page + part, headers={"sec-purpose": "prefetch"})
    assert everything(newsletter) == before


def test_the_page_shows_choices_and_no_more_of_a_person_than_a_masked_address(
    newsletter: Newsletter, page: str
) -> None:
    text = far(newsletter).get(page).text
    assert "w***@example.com" in text
    assert WEN not in text
    assert "文心" not in text
    assert re.search(r'value="models" checked', text)
    assert re.search(r">\n潮汐</textarea>", text)


def test_saving_keeps_everything_and_comes_back_with_a_word(newsletter: Newsletter, page: str) -> None:
    changes = {"topics": ["models", "funding"], "order": ["funding", "models"], "follow": "芯片，机器人\n a b "}
    others = {"mute": "", "most": "", "format": "text", "mail": "en", "until": "2026-04-01"}
    _, location, status = post(newsletter, page, **changes, **others)
    assert (status, location) == (303, f"{page}?done=saved")
    assert preferences_of(find(newsletter)) == Preferences(
        topics=("funding", "models"), follow=("芯片", "机器人", "a b"), format="text", language="en"
    )
    assert find(newsletter).state is State.PAUSED
    assert "已保存" in far(newsletter).get(location).text


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"topics": [], "follow": ""}, "请至少选一个主题"),
        ({"topics": ["no such topic"], "follow": ""}, "请至少选一个主题"),
        ({"most": "0"}, "1 到 1000"),
        ({"most": "1e3"}, "1 到 1000"),
        ({"most": "٣"}, "1 到 1000"),
        ({"follow": "x" * 81}, "最多 80 个字符"),
        ({"mute": "a\x00b"}, "最多 80 个字符"),
        ({"follow": "\n".join(map(str, range(51)))}, "最多 50 个"),
        ({"until": "2026-03-09"}, "明天起"),
        ({"until": "2027-03-11"}, "明天起"),
        ({"until": "2026-02-30"}, "明天起"),
        ({"until": "soon"}, "明天起"),
    ],
)
def test_a_mistake_changes_nothing_and_loses_nothing_typed(
    newsletter: Newsletter, page: str, changes: dict[str, object], word: str
) -> None:
    before = everything(newsletter)
    _, text, status = post(newsletter, page, **{"mute": "我打的字", **changes})
    assert status == 422
    assert word in text
    assert "mute" in changes or "我打的字</textarea>" in text
    assert everything(newsletter) == before


@pytest.mark.parametrize("field", ["follow", "mute", "most", "until", "order", "topics", "move"])
def test_script_in_a_field_is_shown_as_text(newsletter: Newsletter, page: str, published: None, field: str) -> None:
    for address in (page, f"{page}/look"):
        _, text, _ = post(newsletter, address, **{field: f'"{SCRIPT}'})
        assert SCRIPT not in text
    assert SCRIPT not in far(newsletter).get(page).text


def test_a_keyword_with_a_comma_that_was_kept_stays_one(newsletter: Newsletter, clock: Clock) -> None:
    person = add(newsletter, WEN, Preferences(topics=("models",), follow=("A, B",)))
    page = f"/preferences/{link(newsletter, Purpose.PREFERENCES, person)}"
    post(newsletter, page, follow="A, B\nC, D")
    assert find(newsletter).follow == ["A, B", "C", "D"]


def test_buttons_move_a_topic_on_the_page_alone(newsletter: Newsletter, page: str) -> None:
    before = everything(newsletter)
    _, text, status = post(newsletter, f"{page}/look", move="down policy")
    assert status == 200
    assert re.findall(r'name="order" value="(\w+)"', text)[:2] == ["models", "policy"]
    assert "还没有保存" in text
    assert everything(newsletter) == before


@pytest.mark.parametrize("move", ["up policy", "down industry", "up nothing", "sideways models", "", "up"])
def test_a_move_to_nowhere_moves_nothing(newsletter: Newsletter, page: str, move: str) -> None:
    _, text, _ = post(newsletter, f"{page}/look", move=move)
    assert re.findall(r'name="order" value="(\w+)"', text) == ORDER


def test_the_preview_tells_the_stories_and_why(newsletter: Newsletter, page: str, published: None) -> None:
    text = far(newsletter).get(page).text
    assert "你关注了“潮汐”" in text
    assert "你选了主题“政策与监管”" in text
    _, text, _ = post(newsletter, f"{page}/look", topics=["funding"], follow="")
    assert "没有符合这些选择的内容" in text


def test_the_frame_shows_the_mail_of_choices_not_kept_yet(newsletter: Newsletter, page: str, published: None) -> None:
    _, text, _ = post(newsletter, f"{page}/look", topics=["policy"], follow="", most="1")
    (frame,) = re.findall(r'<iframe[^>]* src="([^"]*)"', text)
    answer = far(newsletter).get(frame.replace("&amp;", "&"))
    assert answer.status_code == 200
    assert "岬角市" in answer.text
    assert "潮汐预报" not in answer.text
    assert "潮汐" not in unquote_plus(frame)
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "script" not in answer.headers["content-security-policy"]


def test_a_pause_ends_by_its_button(newsletter: Newsletter, page: str) -> None:
    post(newsletter, page, until="2026-04-01")
    assert "2026" in far(newsletter).get(page).text
    _, location, _ = post(newsletter, page, do="resume")
    assert find(newsletter).state is State.ACTIVE
    assert "已恢复" in far(newsletter).get(location).text


def test_somebody_who_left_is_shown_the_way_back_and_changes_nothing(newsletter: Newsletter, page: str) -> None:
    with newsletter.session() as session:
        people = newsletter.people(session)
        person = people.get(WEN)
        assert person is not None
        people.unsubscribe(person, "page")
    before = everything(newsletter)
    for text in (far(newsletter).get(page).text, post(newsletter, page)[1], post(newsletter, f"{page}/look")[1]):
        assert "你已退订" in text
        assert 'href="/"' in text
    assert everything(newsletter) == before


@pytest.mark.parametrize("purpose", [Purpose.UNSUBSCRIBE, Purpose.FEED, Purpose.DATA])
def test_a_foreign_or_forged_link_is_a_polite_404(newsletter: Newsletter, page: str, purpose: Purpose) -> None:
    before = everything(newsletter)
    for wrong in (link(newsletter, purpose, find(newsletter)), page[-40:], "x", "%00", "a" * 3000):
        for part in ("", "/look", "/data"):
            answer = far(newsletter).post(f"/preferences/{wrong}{part}", data=FORM)
            assert answer.status_code == 404
            assert "打不开订阅偏好" in answer.text
        assert far(newsletter).get(f"/preferences/{wrong}/mail").status_code == 404
    assert everything(newsletter) == before


def test_the_link_of_a_test_mail_says_so(newsletter: Newsletter) -> None:
    answer = far(newsletter).get(f"/preferences/{INERT_TOKEN}")
    assert answer.status_code == 200
    assert "测试邮件" in answer.text


def test_another_site_cannot_save(newsletter: Newsletter, page: str) -> None:
    headers = {"origin": "https://evil.example.net", "sec-fetch-site": "cross-site"}
    assert far(newsletter).post(page, data=FORM, headers=headers).status_code == 403
    assert preferences_of(find(newsletter)) == CHOICES


def test_more_than_any_form_holds_is_refused(newsletter: Newsletter, page: str) -> None:
    before = everything(newsletter)
    assert far(newsletter).post(page, content=b"follow=" + b"x" * 100_000).status_code == 413
    assert everything(newsletter) == before


def ask(newsletter: Newsletter, clock: Clock, address: str, **more: str) -> tuple[int, str]:
    """Ask for the link as a person does, some seconds after the form was shown."""
    client = far(newsletter)
    (token,) = re.findall(r'name="form" value="([^"]*)"', client.get("/preferences").text)
    clock.move(seconds=5)
    answer = client.post("/preferences", data={"address": address, "form": token, **more})
    return answer.status_code, re.sub(r'name="form" value="[^"]*"', "", answer.text)


def test_asking_for_the_link_answers_the_same_whether_or_not_the_address_is_known(
    newsletter: Newsletter, clock: Clock
) -> None:
    add(newsletter)
    answers = [ask(newsletter, clock, address) for address in (WEN, WEN, "nobody@example.com")]
    assert answers == [answers[0]] * 3
    assert "请查收邮件" in answers[0][1]
    assert [one.address for one in letters(newsletter, LetterKind.PREFERENCES)] == [WEN, ""]


def test_robots_get_the_same_answer_and_send_nothing(newsletter: Newsletter, clock: Clock) -> None:
    add(newsletter)
    assert "请查收邮件" in ask(newsletter, clock, WEN, website="https://spam.example.net")[1]
    assert letters(newsletter) == []


@pytest.mark.parametrize(("address", "said"), [(WEN, "为防机器人"), ("wen@", "这个地址写得不对")])
def test_asking_at_once_is_put_off_with_the_reason_unless_the_address_is_wrong(
    newsletter: Newsletter, clock: Clock, address: str, said: str
) -> None:
    client = far(newsletter)
    form = re.search('name="form" value="([^"]+)"', client.get("/preferences").text)
    assert form
    page = client.post("/preferences", data={"form": form[1], "address": address})
    told = [reason for reason in ("为防机器人", "这个地址写得不对") if reason in page.text]
    assert (page.status_code, told) == (422, [said])
    assert letters(newsletter, LetterKind.PREFERENCES) == []


@pytest.mark.parametrize("token", ["", "x", "forged" * 6])
def test_a_form_that_was_never_shown_sends_nothing(newsletter: Newsletter, clock: Clock, token: str) -> None:
    add(newsletter)
    answer = far(newsletter).post("/preferences", data={"address": WEN, "form": token})
    assert (answer.status_code, WEN in answer.text) == (422, True)
    assert letters(newsletter) == []


def test_a_wrong_address_is_said_and_kept_in_the_field(newsletter: Newsletter, clock: Clock) -> None:
    status, text = ask(newsletter, clock, f"wen@{SCRIPT}")
    assert status == 422
    assert "写得不对" in text
    assert SCRIPT not in text
    assert "wen@&lt;script&gt;" in text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_is_in_either_language_without_inline_script_or_style(
    newsletter: Newsletter, page: str, published: None, language: str
) -> None:
    client = far(newsletter)
    for address in (page, "/preferences", "/preferences?sent=1", "/preferences/x", f"/preferences/{INERT_TOKEN}"):
        answer = client.get(address, params={"language": language})
        assert f'<html lang="{"en" if language == "en" else "zh-CN"}"' in answer.text
        assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", answer.text)


@pytest.mark.parametrize(("reason", "again"), [("bounce", True), ("complaint", False), ("manual", False)])
@pytest.mark.parametrize("left", [False, True])
def test_signing_up_again_is_offered_where_it_helps_and_else_the_publishers_address(
    newsletter: Newsletter, page: str, reason: str, again: bool, left: bool
) -> None:
    newsletter.settings.reply_to = "编辑部 <desk@example.org>"
    with newsletter.session() as session:
        newsletter.suppression(session).add(WEN, reason)
        people = newsletter.people(session)
        person = people.get(WEN)
        assert person is not None
        if left:
            people.unsubscribe(person, "page")
    text = far(newsletter).get(page).text
    assert ('href="/">重新订阅' in text) == again
    assert ("请写信给 desk@example.org" in text) != again


WHEN = {"frequency": "daily", "own": ["", "models=weekly"], "day": "mon", "hour": "7", "zone": "Europe/Berlin"}


def test_how_often_and_when_are_kept_and_said_in_a_sentence(newsletter: Newsletter, page: str) -> None:
    assert post(newsletter, page, **WHEN)[2] == 303
    kept = preferences_of(find(newsletter))
    assert (kept.hour, kept.zone, kept.day) == (7, "Europe/Berlin", 0)
    assert kept.frequencies == (("models", Frequency.WEEKLY),)
    text = far(newsletter).get(page).text
    assert "每天 07:00（柏林）收到日报；模型与技术进展每周一汇总。" in text
    for chosen in ('value="7" selected', 'value="Europe/Berlin" selected', 'value="models=weekly" selected'):
        assert chosen in text


def test_an_hour_alone_is_one_of_the_newsletters_zone(newsletter: Newsletter, page: str) -> None:
    post(newsletter, page, **WHEN | {"zone": ""})
    assert find(newsletter).zone == "Asia/Shanghai"


def test_who_drops_a_topic_drops_how_often_it_comes(newsletter: Newsletter, page: str) -> None:
    post(newsletter, page, **WHEN)
    post(newsletter, page, **WHEN, topics=["policy"])
    assert preferences_of(find(newsletter)).frequencies == ()


@pytest.mark.parametrize(
    ("field", "value", "said"), [("hour", "25", "选一个整点"), ("zone", "Mars/Olympus", "没有这个时区")]
)
def test_a_wrong_hour_or_zone_is_said_and_nothing_is_kept(
    newsletter: Newsletter, page: str, field: str, value: str, said: str
) -> None:
    before = everything(newsletter)
    _, text, status = post(newsletter, page, **WHEN | {field: value})
    assert (status, everything(newsletter)) == (422, before)
    assert said in text
    assert f'id="{field}" name="{field}" aria-describedby="{field}-mistake' in text
    assert f'value="{value}" selected' in text


def test_the_device_is_asked_for_its_zone_only_where_nobody_chose_one(newsletter: Newsletter, page: str) -> None:
    assert " data-zone=" in far(newsletter).get(page).text
    post(newsletter, page, **WHEN)
    assert " data-zone=" not in far(newsletter).get(page).text


@pytest.mark.usefixtures("published")
def test_a_weekly_reader_sees_what_the_digest_would_hold(newsletter: Newsletter, page: str) -> None:
    text = post(newsletter, f"{page}/look", frequency="weekly")[1]
    assert "群岛实验室公开潮汐预报模型" in text
    assert "每周五收到一周汇总。" in text
    assert "最近一期里，这些会在每周五的汇总里寄给你" in text


@pytest.mark.usefixtures("published")
def test_a_topic_that_comes_weekly_is_named_and_not_in_the_preview(newsletter: Newsletter, page: str) -> None:
    text = post(newsletter, f"{page}/look", own=["policy=weekly"], follow="")[1]
    preview = text.partition('id="preview"')[2]
    assert "政策与监管在每周五的汇总里寄，不在这封信里。" in preview
    assert "群岛实验室公开潮汐预报模型" in preview
    assert "岬角市发布公共数据细则" not in preview


@pytest.mark.usefixtures("published")
def test_of_a_topic_that_only_matters_now_and_then_the_preview_has_nothing_else(
    newsletter: Newsletter, page: str
) -> None:
    text = post(newsletter, f"{page}/look", own=["policy=important"], follow="")[1]
    assert "群岛实验室公开潮汐预报模型" in text
    assert "岬角市发布公共数据细则" not in text


@pytest.mark.parametrize("fields", [{}, {"do": "resume"}])
def test_who_left_while_they_pressed_a_button_is_told_so(
    newsletter: Newsletter, page: str, monkeypatch: pytest.MonkeyPatch, fields: dict[str, str]
) -> None:
    left = f"/unsubscribe/{link(newsletter, Purpose.UNSUBSCRIBE, find(newsletter))}"
    real = preferences.reader_of
    begun: list[int] = []

    def leave_first(*of: Any) -> Subscriber | None:
        if not begun:
            begun.append(far(newsletter).post(left, data={"List-Unsubscribe": "One-Click"}).status_code)
        return real(*of)

    monkeypatch.setattr(preferences, "reader_of", leave_first)
    _, text, status = post(newsletter, page, **fields)
    assert (begun, status, "你已退订" in text) == ([200], 200, True)


def test_who_saves_from_an_older_page_is_told_and_may_save_all_the_same(newsletter: Newsletter, page: str) -> None:
    older = re.findall(r'name="seen" value="([^"]+)"', far(newsletter).get(page).text)[0]
    post(newsletter, page, follow="甲")
    _, text, status = post(newsletter, page, mute="乙", seen=older)
    kept = preferences_of(find(newsletter))
    assert (status, kept.follow, kept.mute) == (409, ("甲",), CHOICES.mute)
    assert "乙" in text
    newer = re.findall(r'name="seen" value="([^"]+)"', text)[0]
    post(newsletter, page, mute="乙", seen=newer)
    assert preferences_of(find(newsletter)).mute == ("乙",)
