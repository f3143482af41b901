"""Readers at the desk: found, looked at, changed with care, forgotten; suppression; what the audit log has of it."""

import csv
import html
import io
import re

import pytest
from desk_samples import at_desk
from starlette.testclient import TestClient
from web_samples import SCRIPT, add_reader, state_of

from newsletter.app import Newsletter
from newsletter.staff import audit
from newsletter.staff.rights import Role
from subscribers.addresses import parse_address
from subscribers.models import Consent, State, Subscriber
from subscribers.preference_columns import preferences_of
from subscribers.preferences import Frequency, Preferences
from subscribers.sign_ups import SignUpStore

AN = "an@example.org"


@pytest.fixture
def desk(newsletter: Newsletter) -> TestClient:
    """The browser of somebody who may change readers."""
    return at_desk(newsletter, Role.ADMIN)


@pytest.fixture
def reader(newsletter: Newsletter) -> str:
    """The address of a reader's page."""
    add_reader(newsletter, AN, "policy", "models", name="安娜")
    return f"/desk/readers/{person(newsletter).public_id}"


def person(newsletter: Newsletter, address: str = AN) -> Subscriber:
    """The reader of an address."""
    with newsletter.reading() as session:
        found = newsletter.people(session).get(address)
    assert found is not None
    return found


def consents(newsletter: Newsletter, address: str = AN) -> tuple[Consent, ...]:
    """What was said about writing to them."""
    with newsletter.reading() as session:
        return newsletter.people(session).consents(person(newsletter, address))


def done(newsletter: Newsletter) -> list[tuple[str, str, dict[str, object]]]:
    """The audit log, newest first."""
    with newsletter.reading() as session:
        return [(row.action, row.subject, row.details) for row in audit.entries(session)]


def choices(**others: object) -> dict[str, object]:
    """The form of one reader, filled as the page fills it."""
    filled = {"name": "安娜", "order": ["policy", "models"], "topics": ["policy", "models"], "format": "html"}
    return filled | {"mail": "zh", "follow": "", "mute": "", "most": ""} | others


@pytest.mark.both_databases
def test_the_list_shows_counts_and_finds_by_name(newsletter: Newsletter, desk: TestClient, reader: str) -> None:
    add_reader(newsletter, "bo@example.org", "models", name="Bo")
    assert "共 2 位" in desk.get("/desk/readers").text
    found = desk.get("/desk/readers", params={"q": "安"}).text
    assert (AN in found, "bo@example.org" in found, "找到 1 位读者" in found) == (True, False, True)


WHEN = {"frequency": "weekly", "own": ["", "models=daily"], "day": "mon", "hour": "7", "zone": "Europe/Berlin"}


def test_the_staff_choose_how_often_and_when_for_a_reader(
    newsletter: Newsletter, desk: TestClient, reader: str
) -> None:
    assert desk.post(reader, data=choices(**WHEN), follow_redirects=False).status_code == 303
    kept = preferences_of(person(newsletter))
    assert (kept.frequency, kept.day, kept.hour, kept.zone) == (Frequency.WEEKLY, 0, 7, "Europe/Berlin")
    assert kept.frequencies == (("models", Frequency.DAILY),)
    assert "每周一 07:00（柏林）收到一周汇总；模型与技术进展每天都收。" in desk.get(reader).text
    assert done(newsletter)[0][2]["fields"] == ["frequency", "zone", "hour", "day", "frequencies"]
    assert "各主题的频率" in desk.get("/desk/audit").text


def test_another_name_leaves_the_zone_of_a_reader_without_an_hour(newsletter: Newsletter, desk: TestClient) -> None:
    with newsletter.session() as session:
        newsletter.people(session).add(AN, Preferences(("policy",), zone="Asia/Tokyo"))
    here = f"/desk/readers/{person(newsletter).public_id}"
    desk.post(here, data=choices(topics=["policy"], name="安", hour="", zone="", frequency="daily"))
    assert done(newsletter)[0][2]["fields"] == ["name"]


@pytest.mark.parametrize(("field", "value", "said"), [("hour", "25", "选一个整点"), ("zone", "Mars/X", "没有这个时区")])
def test_a_wrong_hour_or_zone_is_refused_in_words(
    newsletter: Newsletter, desk: TestClient, reader: str, field: str, value: str, said: str
) -> None:
    answer = desk.post(reader, data=choices(**WHEN | {field: value}))
    assert (answer.status_code, said in answer.text) == (422, True)
    assert preferences_of(person(newsletter)) == Preferences(("policy", "models"))


def test_a_reader_is_added_with_their_hour_and_zone(newsletter: Newsletter, desk: TestClient) -> None:
    desk.post("/desk/readers/add", data=choices(address=AN, agreed="本人来信", **WHEN | {"zone": ""}))
    kept = person(newsletter)
    assert (kept.hour, kept.zone) == (7, "Asia/Shanghai")


def test_the_list_can_be_narrowed_to_who_reads_weekly(newsletter: Newsletter, desk: TestClient, reader: str) -> None:
    add_reader(newsletter, "bo@example.org", "models")
    desk.post(reader, data=choices(**WHEN))
    text = desk.get("/desk/readers?often=weekly").text
    assert (AN in text, "bo@example.org" in text, '"weekly" selected' in text) == (True, False, True)


def test_pages_of_the_list_have_everybody_once(newsletter: Newsletter, desk: TestClient) -> None:
    for number in range(120):
        add_reader(newsletter, f"r{number:03}@example.org")
    seen, address = [], "/desk/readers?q=example"
    while address:
        text = desk.get(address).text
        seen += re.findall(r">(r\d{3})@", text)
        older = re.search(r'href="([^"]+)" rel="next"', text)
        address = html.unescape(older[1]) if older else ""
    assert len(seen) == 120
    assert len(set(seen)) == 120


@pytest.mark.both_databases
@pytest.mark.parametrize("query", ["before=x", "after=-1", "before=9" * 30, "state=no", "topic=%00", "q=%00", "q=%25"])
def test_whatever_stands_in_the_address_the_list_is_a_page(desk: TestClient, reader: str, query: str) -> None:
    assert desk.get(f"/desk/readers?{query}").status_code == 200


def test_an_empty_list_says_what_to_do(desk: TestClient) -> None:
    assert "还没有读者" in desk.get("/desk/readers").text
    assert "没有找到" not in desk.get("/desk/readers").text


def test_an_address_that_waits_for_its_owner_is_said_to_wait(
    newsletter: Newsletter, desk: TestClient, reader: str
) -> None:
    with newsletter.session() as session:
        asked = SignUpStore(session, newsletter.clock)
        asked.add(parse_address("new@example.org"), Preferences(topics=()), source="page", wording="", origin="")
    assert "这个地址还没有确认" in desk.get("/desk/readers?q=New@example.org").text
    assert "没有找到" in desk.get("/desk/readers?q=nobody@example.org").text


def test_growth_has_a_row_for_each_day_of_the_quarter(desk: TestClient, reader: str) -> None:
    text = desk.get("/desk/readers/growth?by=day").text
    assert text.count("<tr><th") == 91
    assert 'data-chart="line"' in text
    assert '<td class="number" data-value="1">1</td>' in text


@pytest.mark.both_databases
def test_a_reader_is_added_with_how_they_agreed(newsletter: Newsletter, desk: TestClient) -> None:
    form = choices(address="bo@example.org", name="波", agreed="签了登记表，见 bo@example.org 的来信", state="pending")
    answer = desk.post("/desk/readers/add", data=form, follow_redirects=False)
    added = person(newsletter, "bo@example.org")
    assert answer.headers["location"] == f"/desk/readers/{added.public_id}?done=added"
    assert (added.state, added.topics) == (State.PENDING, ["policy", "models"])
    (said,) = consents(newsletter, "bo@example.org")
    assert (said.kind, said.detail, said.source) == ("staff", "pending", "staff")
    assert "签了登记表" in said.wording
    assert "@" not in said.wording
    expected = ("reader changed", f"reader {added.public_id}", {"what": "added", "state": "pending"})
    assert done(newsletter)[0] == expected


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"address": "bo@"}, "这个地址写得不对"),
        ({"address": "AN@example.org"}, "这个地址已经在名单里"),
        ({"agreed": " "}, "请写明对方是怎样同意的"),
        ({"name": "a\nb"}, "不能换行"),
        ({"most": "0"}, "1 到 1000"),
    ],
)
def test_a_wrong_field_is_said_and_what_was_typed_is_kept(
    newsletter: Newsletter, desk: TestClient, reader: str, form: dict[str, str], said: str
) -> None:
    filled = choices(address="bo@example.org", agreed="当面说的", follow="独一无二的词") | form
    answer = desk.post("/desk/readers/add", data=filled)
    assert answer.status_code == 422
    assert said in answer.text
    assert "独一无二的词" in answer.text
    with newsletter.reading() as session:
        assert sum(newsletter.people(session).count_by_state().values()) == 1


def test_a_suppressed_address_cannot_be_added(newsletter: Newsletter, desk: TestClient) -> None:
    desk.post("/desk/suppression", data={"addresses": "bo@example.org"})
    answer = desk.post("/desk/readers/add", data=choices(address="bo@example.org", agreed="当面说的"))
    assert answer.status_code == 422
    assert "在停发名单上" in answer.text


@pytest.mark.both_databases
def test_name_and_choices_are_kept_and_the_log_says_which(
    newsletter: Newsletter, desk: TestClient, reader: str
) -> None:
    form = choices(name="安", order=["models", "policy"], topics=["models", "policy"], most="3", mail="en")
    assert desk.post(reader, data=form, follow_redirects=False).headers["location"].endswith("done=saved")
    changed = person(newsletter)
    preferences = preferences_of(changed)
    assert (changed.name, preferences.topics, preferences.most, preferences.language) == (
        "安",
        ("models", "policy"),
        3,
        "en",
    )
    assert consents(newsletter)[-1].source == "staff"
    ((action, subject, details), *_) = done(newsletter)
    assert (action, subject) == ("reader changed", f"reader {changed.public_id}")
    assert details == {"what": "changed", "fields": ["name", "topics", "language", "most"]}


def test_saving_the_same_changes_and_records_nothing(newsletter: Newsletter, desk: TestClient, reader: str) -> None:
    before = consents(newsletter), done(newsletter)
    assert desk.post(reader, data=choices(), follow_redirects=False).headers["location"].endswith("done=same")
    assert (consents(newsletter), done(newsletter)) == before


def test_moving_a_topic_keeps_nothing_yet(newsletter: Newsletter, desk: TestClient, reader: str) -> None:
    text = desk.post(reader, data=choices(move="down policy", name="改了")).text
    assert text.index('name="topics" value="models"') < text.index('name="topics" value="policy"')
    assert "改动还没有保存" in text
    assert 'value="改了"' in text
    assert person(newsletter).name == "安娜"


@pytest.mark.parametrize(
    ("deed", "state"), [("pause", State.PAUSED), ("unsubscribe", State.UNSUBSCRIBED), ("resume", State.ACTIVE)]
)
def test_a_deed_is_done_recorded_and_in_the_log(
    newsletter: Newsletter, desk: TestClient, reader: str, deed: str, state: State
) -> None:
    if deed == "resume":
        desk.post(reader, data={"deed": "pause"})
    desk.post(reader, data={"deed": deed, "until": ""})
    assert state_of(newsletter, AN) is state
    assert (consents(newsletter)[-1].kind, consents(newsletter)[-1].source) == (deed, "staff")
    assert done(newsletter)[0][2]["what"] == {"pause": "paused", "resume": "resumed"}.get(deed, "unsubscribed")


@pytest.mark.parametrize("state", ["unsubscribed", "pending"])
def test_nobody_who_left_or_never_confirmed_is_brought_back(
    newsletter: Newsletter, desk: TestClient, reader: str, state: str
) -> None:
    with newsletter.session() as session:
        session.merge(person(newsletter)).state = State(state)
    text = desk.get(reader).text
    assert 'value="resume"' not in text
    assert "不能从这里" in text
    answer = desk.post(reader, data={"deed": "resume"})
    assert (answer.status_code, state_of(newsletter, AN)) == (422, State(state))
    assert done(newsletter) == []


def test_a_pause_into_the_past_is_refused_with_the_form(newsletter: Newsletter, desk: TestClient, reader: str) -> None:
    for until in ("2020-01-01", "tomorrow"):
        answer = desk.post(reader, data={"deed": "pause", "until": until})
        assert (answer.status_code, "请选明天起一年以内的日期" in answer.text) == (422, True)
    assert state_of(newsletter, AN) is State.ACTIVE


@pytest.mark.both_databases
def test_forgetting_takes_a_page_that_says_what_stays(newsletter: Newsletter, desk: TestClient, reader: str) -> None:
    public_id = person(newsletter).public_id
    asked = desk.get(f"{reader}/forget").text
    assert "会留下" in asked
    assert state_of(newsletter, AN) is State.ACTIVE
    assert "已经遗忘" in desk.post(f"{reader}/forget").text
    assert desk.get(reader).status_code == 404
    assert desk.post(f"{reader}/forget").status_code == 404
    assert done(newsletter) == [("reader changed", f"reader {public_id}", {"what": "forgotten"})]


def test_the_log_never_has_an_address(newsletter: Newsletter, desk: TestClient, reader: str) -> None:
    desk.post(reader, data=choices(name="新名字"))
    desk.post(reader, data={"deed": "suppress", "note": "来信要求"})
    desk.post("/desk/suppression", data={"addresses": "bo@example.org"})
    assert len(done(newsletter)) == 3
    assert "@" not in repr(done(newsletter))
    assert "新名字" not in repr(done(newsletter))


def test_hostile_names_are_only_text(newsletter: Newsletter, desk: TestClient) -> None:
    add_reader(newsletter, AN, "models", name=SCRIPT)
    for page in ("/desk/readers", "/desk/readers?q=script", f"/desk/readers/{person(newsletter).public_id}"):
        text = desk.get(page).text
        assert SCRIPT not in text
        assert "&lt;script&gt;" in text
    assert SCRIPT not in desk.get("/desk/readers", params={"q": SCRIPT}).text


@pytest.mark.both_databases
def test_the_copy_has_everybody_and_no_formula_and_is_written_down(
    newsletter: Newsletter, desk: TestClient, reader: str
) -> None:
    add_reader(newsletter, "bo@example.org", name="=cmd()")
    answer = desk.post("/desk/readers/export")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(row["address"], row["name"]) for row in rows] == [(AN, "安娜"), ("bo@example.org", "'=cmd()")]
    assert done(newsletter)[0][0] == "readers exported"
    assert desk.get("/desk/readers/export").status_code == 404


@pytest.mark.both_databases
def test_many_are_suppressed_at_once_and_said(newsletter: Newsletter, desk: TestClient, reader: str) -> None:
    text = desk.post("/desk/suppression", data={"addresses": f"{AN}, bo@example.org;\ncy@example.org {AN}"}).text
    assert "新增 3 个，0 个原来就在名单上" in text
    assert "新增 0 个，1 个原来就在名单上" in desk.post("/desk/suppression", data={"addresses": AN}).text
    assert done(newsletter) == [("address suppressed", "suppression list", {"addresses": 3})]


def test_one_wrong_address_adds_none_and_keeps_the_text(newsletter: Newsletter, desk: TestClient) -> None:
    answer = desk.post("/desk/suppression", data={"addresses": f"bo@example.org\n{SCRIPT}", "note": "备注在此"})
    assert answer.status_code == 422
    assert "bo@example.org" in answer.text
    assert "备注在此" in answer.text
    assert SCRIPT not in answer.text
    with newsletter.reading() as session:
        assert newsletter.suppression(session).list() == ()


def test_a_forgotten_address_is_found_only_whole(newsletter: Newsletter, desk: TestClient, reader: str) -> None:
    desk.post(f"{reader}/forget")
    assert "已遗忘" in desk.get("/desk/suppression", params={"q": AN.upper()}).text
    assert "解除</a>" not in desk.get("/desk/suppression").text
    assert "这不是一个地址" in desk.get("/desk/suppression?q=an").text
    assert "不在停发名单上" in desk.get("/desk/suppression?q=bo@example.org").text


@pytest.mark.both_databases
def test_lifting_takes_a_page_and_revives_nobody(newsletter: Newsletter, desk: TestClient, reader: str) -> None:
    desk.post(reader, data={"deed": "unsubscribe"})
    desk.post(reader, data={"deed": "suppress", "note": ""})
    with newsletter.reading() as session:
        (row,) = newsletter.suppression(session).list()
    asked = desk.get(f"/desk/suppression/{row.id}/lift").text
    assert "对应的读者已退订，解除后也不会收到信" in asked
    assert "已解除" in desk.post(f"/desk/suppression/{row.id}/lift").text
    assert state_of(newsletter, AN) is State.UNSUBSCRIBED
    assert done(newsletter)[0] == ("suppression lifted", f"suppression {row.id}", {"reason": "staff"})
    assert desk.post(f"/desk/suppression/{row.id}/lift").status_code == 404


@pytest.mark.parametrize("role", [Role.EDITOR, Role.SENDER])
def test_who_may_not_see_readers_sees_none(newsletter: Newsletter, reader: str, role: Role) -> None:
    other = at_desk(newsletter, role, address=f"{role}@example.org")
    for path in ("/desk/readers", reader, "/desk/readers/import", "/desk/readers/growth", "/desk/suppression"):
        answer = other.get(path)
        assert (answer.status_code, AN in answer.text) == (403, False)
    for path in (reader, "/desk/readers/export", "/desk/suppression", f"{reader}/forget", "/desk/readers/import"):
        assert other.post(path, data={"deed": "unsubscribe"}).status_code == 403
    assert state_of(newsletter, AN) is State.ACTIVE


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_looking_changes_nothing(newsletter: Newsletter, desk: TestClient, reader: str, method: str) -> None:
    before = person(newsletter), consents(newsletter)
    for path in ("/desk/readers", reader, f"{reader}/forget", "/desk/readers/export", "/desk/suppression"):
        desk.request(method, path)
    assert (person(newsletter), consents(newsletter)) == before
    assert done(newsletter) == []
