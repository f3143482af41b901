"""The sign-up page: it shows what one would get, works without a script, and tells nobody who reads this newsletter."""

import hashlib
import json
import re
from pathlib import Path

import pytest
from sign_up_samples import (
    ADDRESS,
    LIMIT_OF_A_VISITOR,
    Clock,
    asked,
    dump,
    filled,
    letters,
    post,
    publish_issue,
    stop_clock,
    token_in,
)
from web_samples import SCRIPT, add_reader, far, near

from newsletter.app import Newsletter
from newsletter.web.pages import Pages
from newsletter.web.sign_up import often
from subscribers.preferences import Frequency, Preferences
from subscribers.sign_ups import preferences_asked

HOME = "Asia/Shanghai"
STATIC = Path(__file__).resolve().parent.parent / "newsletter" / "web" / "static"


@pytest.fixture
def clock(newsletter: Newsletter) -> Clock:
    return stop_clock(newsletter)


def test_the_page_offers_each_topic_with_what_it_is_about_how_often_it_comes_and_a_story(
    newsletter: Newsletter, clock: Clock
) -> None:
    publish_issue(newsletter)
    page = far(newsletter).get("/").text
    assert page.count('name="topics"') == 5
    assert "法律法规、政府规划、标准与国际规则" in page
    assert "约每周 2 条 · 例：<span" in page
    assert "岬角市发布公共数据细则" in page


def test_the_frame_shows_the_newest_mail_for_what_is_ticked(newsletter: Newsletter, clock: Clock) -> None:
    publish_issue(newsletter)
    client = far(newsletter)
    page = client.get("/?topics=policy").text
    assert 'value="policy" aria-describedby="about-policy" checked' in page
    assert "今天会收到 1 条" in page
    (address,) = re.findall(r'<iframe src="([^"]+)"', page)
    mail = client.get(address.replace("&amp;", "&"))
    assert "岬角市" in mail.text
    assert "山谷团队" not in mail.text
    assert mail.headers["content-security-policy"].startswith("sandbox allow-popups ")
    assert "allow-scripts" not in mail.headers["content-security-policy"]


def test_a_topic_without_a_story_today_says_that_no_mail_would_come(newsletter: Newsletter, clock: Clock) -> None:
    publish_issue(newsletter)
    page = far(newsletter).get("/?topics=funding").text
    assert "<iframe" not in page
    assert "最近一期没有你选的主题" in page


def test_the_caption_tells_what_comes_in_the_digest(newsletter: Newsletter, clock: Clock) -> None:
    publish_issue(newsletter)
    client = far(newsletter)
    assert "有 1 条会在每周五的汇总里寄来" in client.get("/?topics=policy&frequency=weekly").text
    both = client.get("/?topics=policy&topics=models&own=models%3Dweekly").text
    assert "今天会收到 1 条；模型与技术进展在每周五的汇总里寄" in both


def test_before_the_first_issue_the_page_is_there(newsletter: Newsletter) -> None:
    page = far(newsletter).get("/")
    assert page.status_code == 200
    assert "第一期还没有寄出" in page.text
    assert far(newsletter).get("/sample").status_code == 404


def test_the_button_beside_the_preview_updates_it_and_keeps_what_was_typed(
    newsletter: Newsletter, clock: Clock
) -> None:
    publish_issue(newsletter)
    before = dump(newsletter)
    fields = {"address": "we", "topics": ["policy"], "most": "3", "mails": "en", "format": "text", "update": "1"}
    page = post(far(newsletter), fields)
    assert page.status_code == 200
    assert "今天会收到 1 条" in page.text
    assert 'value="we"' in page.text
    for kept in ('value="3" selected', 'value="en" selected', 'value="text" selected', 'about-policy" checked'):
        assert kept in page.text
    assert "mistake" not in page.text
    assert dump(newsletter) == before


def test_signing_up_writes_one_letter_and_keeps_what_was_agreed_to(newsletter: Newsletter, clock: Clock) -> None:
    fields = filled(newsletter, clock, topics=["models", "policy"], most="5", mails="en", format="text")
    answer = post(far(newsletter), fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/subscribe/sent")
    assert letters(newsletter) == [("confirm", ADDRESS)]
    (row,) = asked(newsletter)
    assert row.preferences["topics"] == ["policy", "models"]
    assert (row.preferences["most"], row.preferences["language"], row.preferences["format"]) == (5, "en", "text")
    assert (row.source, row.origin) == ("page", "203.0.113.7")
    assert row.wording in far(newsletter).get("/").text


WHEN: dict[str, str | list[str]] = {
    "frequency": "daily",
    "own": ["", "models=weekly", "policy=hourly"],
    "day": "mon",
    "hour": "7",
    "zone": "Europe/Berlin",
}


def test_signing_up_keeps_how_often_and_when(newsletter: Newsletter, clock: Clock) -> None:
    post(far(newsletter), filled(newsletter, clock, topics=["models", "policy"], **WHEN))
    (row,) = asked(newsletter)
    assert preferences_asked(row) == Preferences(
        ("policy", "models"), hour=7, zone="Europe/Berlin", day=0, frequencies=(("models", Frequency.WEEKLY),)
    )


def test_an_hour_alone_is_one_of_the_newsletters_zone(newsletter: Newsletter, clock: Clock) -> None:
    post(far(newsletter), filled(newsletter, clock, **WHEN | {"zone": ""}))
    (row,) = asked(newsletter)
    assert row.preferences["zone"] == "Asia/Shanghai"


def test_who_says_nothing_of_it_gets_the_daily_mail_as_soon_as_it_is_out(newsletter: Newsletter, clock: Clock) -> None:
    silent: dict[str, str | list[str]] = {"frequency": "daily", "own": "", "day": "", "hour": "", "zone": HOME}
    post(far(newsletter), filled(newsletter, clock, **silent))
    (row,) = asked(newsletter)
    assert preferences_asked(row) == Preferences(("models",))


@pytest.mark.parametrize(("field", "value", "said"), [("hour", "25", "选一个整点"), ("zone", "Mars/X", "没有这个时区")])
def test_a_wrong_hour_or_zone_is_said_in_words_and_shown(
    newsletter: Newsletter, clock: Clock, field: str, value: str, said: str
) -> None:
    page = post(far(newsletter), filled(newsletter, clock, **WHEN | {field: value}))
    assert page.status_code == 422
    assert f'<a href="#{field}">' in page.text
    assert said in page.text
    assert '<details class="when" open>' in page.text
    assert letters(newsletter) == []


def test_the_page_begins_short_with_the_choices_of_time_folded_away(newsletter: Newsletter) -> None:
    page = far(newsletter).get("/").text
    assert '<details class="when">' in page
    assert page.count('<select class="own"') == 5
    assert len(re.findall(r'<option value="\d+">\d\d:00</option>', page)) == 24


def test_the_answer_is_the_same_whoever_the_address_belongs_to(newsletter: Newsletter, clock: Clock) -> None:
    add_reader(newsletter, "reader@example.com")
    with newsletter.session() as session:
        newsletter.suppression(session).add("gone@example.com", "bounce")
    answers = []
    for address in ("new@example.com", "reader@example.com", "gone@example.com", "new@example.com"):
        answer = post(far(newsletter), filled(newsletter, clock, address=address))
        answers.append((answer.status_code, sorted(answer.headers.items()), answer.content))
    assert answers.count(answers[0]) == len(answers)


def test_a_program_that_fills_the_hidden_field_gets_the_same_answer_and_nothing_happens(
    newsletter: Newsletter, clock: Clock
) -> None:
    fields = filled(newsletter, clock)
    before = dump(newsletter)
    answer = post(far(newsletter), {**fields, "website": "https://spam.example/"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/subscribe/sent")
    assert dump(newsletter) == before


def test_people_do_not_meet_the_hidden_field(newsletter: Newsletter) -> None:
    page = far(newsletter).get("/").text
    assert re.search(r'<div class="unseen" aria-hidden="true">\s*<label.*\s*<input[^>]* tabindex="-1"', page)
    assert re.search(r"\.unseen \{ position: absolute; left: -10000px", (STATIC / "sign_up.css").read_text())


@pytest.mark.parametrize(
    ("seconds", "why"), [(0, "为防机器人"), (1.5, "为防机器人"), (86_400, "打开得太久"), (1e6, "打开得太久")]
)
def test_a_form_sent_too_soon_or_too_late_says_why_and_asks_to_press_once_more(
    newsletter: Newsletter, clock: Clock, seconds: float, why: str
) -> None:
    client = far(newsletter)
    fields = {"form": token_in(client.get("/").text), "address": ADDRESS, "topics": ["models"]}
    clock.wait(seconds=seconds)
    page = post(client, fields)
    assert page.status_code == 422
    assert re.search(rf'<p class="remark"[^>]* role="status"[^>]*>[^<]*{why}[^<]*再按一次“订阅”', page.text)
    assert 'role="alert"' not in page.text
    assert f'value="{ADDRESS}"' in page.text
    assert letters(newsletter) == []
    clock.wait(seconds=3)
    assert post(client, {**fields, "form": token_in(page.text)}).status_code == 303
    assert letters(newsletter) == [("confirm", ADDRESS)]


def test_a_form_sent_too_soon_with_a_mistake_in_it_names_the_mistake_alone(newsletter: Newsletter) -> None:
    client = far(newsletter)
    page = post(client, {"form": token_in(client.get("/").text), "address": "wen@", "topics": ["models"]})
    assert (page.status_code, "这个地址寄不到信" in page.text) == (422, True)
    assert "为防机器人" not in page.text


def test_a_topic_of_which_nothing_is_said_points_to_no_description(newsletter: Newsletter) -> None:
    with newsletter.session() as session:
        newsletter.topics(session).add("chips", "芯片与算力", "Chips")
    page = far(newsletter).get("/").text
    assert 'value="chips"' in page
    assert "about-chips" not in page


@pytest.mark.parametrize("token", ["", "x", "\x00", "a" * 500])
def test_a_form_that_was_never_shown_is_refused(newsletter: Newsletter, clock: Clock, token: str) -> None:
    assert post(far(newsletter), filled(newsletter, clock, form=token)).status_code == 422
    assert letters(newsletter) == []


def test_mistakes_stand_beside_their_fields_and_nothing_typed_is_lost(newsletter: Newsletter, clock: Clock) -> None:
    before = dump(newsletter)
    page = post(far(newsletter), filled(newsletter, clock, address="wen@", topics=[], most="10"))
    assert page.status_code == 422
    assert '<div class="mistakes" id="mistakes" role="alert" tabindex="-1" autofocus>' in page.text
    assert '<a href="#address">' in page.text
    assert '<a href="#topics">' in page.text
    assert 'value="wen@" aria-invalid="true" aria-describedby="address-mistake"' in page.text
    assert 'id="topics-mistake"' in page.text
    assert 'value="10" selected' in page.text
    assert dump(newsletter) == before


@pytest.mark.parametrize(
    "address",
    [SCRIPT, f'"{SCRIPT}"@example.com', "a@b.example\r\nBcc: c@example.com", "\x00", "汉字@example.com", "x" * 999],
)
def test_a_hostile_address_is_refused_and_shown_escaped(newsletter: Newsletter, clock: Clock, address: str) -> None:
    page = post(far(newsletter), filled(newsletter, clock, address=address))
    assert page.status_code == 422
    assert SCRIPT not in page.text
    assert letters(newsletter) == []


def test_topics_that_are_not_offered_are_not_asked_for(newsletter: Newsletter, clock: Clock) -> None:
    page = post(far(newsletter), filled(newsletter, clock, topics=["weather", SCRIPT, "\x00"]))
    assert page.status_code == 422
    assert "请至少选一个主题" in page.text
    assert SCRIPT not in page.text


def test_stored_markup_in_topics_and_stories_is_shown_as_text(newsletter: Newsletter, clock: Clock) -> None:
    with newsletter.session() as session:
        topics = newsletter.topics(session)
        topics.add("chips", f"芯片{SCRIPT}", f"Chips {SCRIPT}")
        topics.describe("chips", SCRIPT, SCRIPT)
        topics.describe("models", f"“{SCRIPT}”", SCRIPT)
    publish_issue(newsletter, title=SCRIPT.replace("<", "\\<"))
    client = far(newsletter)
    for path in ("/", "/?topics=models", "/sample?topics=models", "/embed", f"/?topics={SCRIPT}"):
        assert SCRIPT not in client.get(path).text


def test_a_visitor_who_asks_too_often_is_told_when_to_come_back(newsletter: Newsletter, clock: Clock) -> None:
    client = far(newsletter)
    for number in range(LIMIT_OF_A_VISITOR):
        assert post(client, filled(newsletter, clock, address=f"a{number}@example.com")).status_code == 303
    page = post(far(newsletter), filled(newsletter, clock))
    assert (page.status_code, page.headers["retry-after"]) == (429, "3600")
    assert f'value="{ADDRESS}"' in page.text
    assert "一小时后再试" in page.text


def test_one_victim_gets_three_letters_a_day_however_many_forms_are_sent(newsletter: Newsletter, clock: Clock) -> None:
    client = far(newsletter)
    for _ in range(40):
        answer = post(client, filled(newsletter, clock))
        assert (answer.status_code, answer.headers["location"]) == (303, "/subscribe/sent")
        clock.wait(minutes=30)
    assert 1 < len(letters(newsletter)) <= 3


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_looking_changes_nothing(newsletter: Newsletter, clock: Clock, method: str) -> None:
    publish_issue(newsletter)
    before = dump(newsletter)
    client = far(newsletter)
    for path in ("/", "/?topics=models&update=1", "/subscribe", "/subscribe/sent", "/sample", "/embed"):
        client.request(method, path, headers={"sec-purpose": "prefetch"})
    assert dump(newsletter) == before


def test_a_form_from_another_site_is_refused(newsletter: Newsletter, clock: Clock) -> None:
    fields, headers = filled(newsletter, clock), {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}
    assert far(newsletter).post("/subscribe", data=fields, headers=headers).status_code == 403
    assert letters(newsletter) == []


def test_a_body_without_end_is_refused(newsletter: Newsletter) -> None:
    page = post(far(newsletter), {"address": "x" * 100_000})
    assert (page.status_code, "太长" in page.text, "64,000 字节" in page.text) == (413, True, True)


def test_the_page_speaks_english_and_the_mails_do_by_default(newsletter: Newsletter) -> None:
    page = far(newsletter).get("/", headers={"accept-language": "en"}).text
    assert "Only the news you care about" in page
    assert '<option value="en" selected>' in page


def test_what_the_newsletter_is_comes_from_its_settings(newsletter: Newsletter) -> None:
    newsletter.settings.about, newsletter.settings.about_en = "只讲港口。", "Ports & nothing else."
    client = far(newsletter)
    assert '<p class="lead">只讲港口。</p>' in client.get("/").text
    assert '<p class="lead">Ports &amp; nothing else.</p>' in client.get("/?language=en").text


def test_only_people_at_this_machine_are_shown_the_way_to_the_previews(newsletter: Newsletter) -> None:
    assert 'href="/preview/"' in near(newsletter).get("/").text
    assert 'href="/preview/"' not in far(newsletter).get("/").text


@pytest.mark.parametrize(
    ("per_week", "said"),
    [
        (21, "约每天 3 条"),
        (7, "约每天 1 条"),
        (6.4, "约每周 6 条"),
        (1, "约每周 1 条"),
        (0.5, "约每月 2 条"),
        (0.01, "约每月 1 条"),
    ],
)
def test_how_often_is_said_by_the_unit_that_fits(newsletter: Newsletter, per_week: float, said: str) -> None:
    assert often(per_week, Pages(newsletter).words["zh"]) == said


def test_vendored_files_are_those_of_their_lock() -> None:
    lock = json.loads((STATIC / "vendor.lock.json").read_text())
    listed = {path: digest for package in lock for path, digest in package["files"].items()}
    there = {str(file.relative_to(STATIC / "vendor")) for file in (STATIC / "vendor").rglob("*") if file.is_file()}
    assert there == set(listed)
    for path, digest in listed.items():
        assert hashlib.sha512((STATIC / "vendor" / path).read_bytes()).hexdigest() == digest


def test_nothing_on_the_page_is_inline_or_from_elsewhere(newsletter: Newsletter, clock: Clock) -> None:
    publish_issue(newsletter)
    page = far(newsletter).get("/?topics=models").text
    assert re.findall(r"<script[^>]*>", page) == [
        '<script src="/static/vendor/htmx/htmx.min.js" defer>',
        '<script src="/static/zone.js" defer>',
    ]
    assert "<style" not in page
    assert not re.search(r'\s(style|on\w+)="', page)
    assert not re.search(r'(src|action)="(https?:)?//', page)
