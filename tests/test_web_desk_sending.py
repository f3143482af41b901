"""Sending from the desk: begin, watch, pause, settle; who may, and what a second press does."""

import asyncio
from collections.abc import Iterator

import httpx2
import pytest
from desk_samples import at_desk
from mail_servers import aiosmtpd_server
from pages.site import served
from pydantic import SecretStr
from sending import ISSUE, SLUG, Clock, add_readers, hand_over, plan, settle, take_in_issue
from sqlmodel import delete, update
from starlette.testclient import TestClient
from test_cli_control import Provider

from newsletter.app import Newsletter
from newsletter.delivery.outcome import Outcome, Stage, Verdict
from newsletter.editorial import sending
from newsletter.editorial.appointments import keep_appointments
from newsletter.editorial.approval import approve
from newsletter.editorial.dispatch import standing
from newsletter.editorial.intake import read, take_in
from newsletter.editorial.progress import progress
from newsletter.editorial.station import sending_beside
from newsletter.readers.post import Post
from newsletter.staff.audit import Action, entries
from newsletter.staff.models import StaffSession
from newsletter.staff.rights import Role
from newsletter.web.desk.events import Shown, follow
from subscribers.models import State, Subscriber

PAGE = f"/desk/issues/{SLUG}/sending"
READERS = 3
ORDERS = ("start", "schedule", "unschedule", "pause", "resume", "cancel", "again", "unknown")
BROKEN = Outcome(Verdict.UNKNOWN, Stage.DOT, 0, "the line broke")
GONE = Outcome(Verdict.REFUSED, Stage.RCPT, 550, "5.1.1 no such user")
LATER = Outcome(Verdict.LATER, Stage.RCPT, 452, "4.2.2 mailbox full")
REFUSED = Outcome(Verdict.REFUSED, Stage.RCPT, 554, "no")


@pytest.fixture
def ready(newsletter: Newsletter) -> Newsletter:
    """An approved issue and three readers of it."""
    newsletter.clock = Clock()
    add_readers(newsletter, READERS)
    take_in_issue(newsletter)
    return newsletter


@pytest.fixture
def desk(ready: Newsletter) -> TestClient:
    return at_desk(ready, Role.SENDER)


@pytest.fixture
def begun(ready: Newsletter) -> Newsletter:
    """The same, begun, with all rows waiting."""
    plan(ready, SLUG)
    return ready


@pytest.fixture
def provider(ready: Newsletter) -> Iterator[Provider]:
    provider = Provider()
    with aiosmtpd_server(provider) as server:
        ready.settings.smtp_url = SecretStr(f"smtp://127.0.0.1:{server.port}?starttls=never")
        yield provider


def state(newsletter: Newsletter) -> str:
    with newsletter.reading() as session:
        return standing(newsletter, newsletter.issues(session).find(SLUG)).state


def deeds(newsletter: Newsletter) -> list[str]:
    with newsletter.reading() as session:
        return [entry.action for entry in entries(session, subject=SLUG) if entry.staff_id]


def seen(newsletter: Newsletter) -> str:
    with newsletter.reading() as session:
        return newsletter.issues(session).find(SLUG).approved_hash


def test_from_the_button_to_received_mail(ready: Newsletter, desk: TestClient, provider: Provider) -> None:
    asked = desk.get(f"{PAGE}/start").text
    assert "位读者会收到这一期" in asked
    assert f"<strong>{READERS}</strong>" in asked
    assert "示例市公布数据细则" in asked
    begun = desk.post(f"{PAGE}/start", data={"seen": seen(ready), "canary": "0"})
    assert "已开始发送" in begun.text
    with sending_beside(ready, Post(ready)), desk.stream("GET", f"{PAGE}/events") as stream:
        list(stream.iter_lines())  # which ends by itself, and so gives the sender its time
        for _ in range(6):
            if state(ready) == "sent":
                break
            list(desk.get(f"{PAGE}/events").iter_lines())
    assert sorted(address for address, _ in provider.taken) == [f"reader{n}@example.org" for n in range(READERS)]
    page = desk.get(f"{PAGE}?done=started").text
    assert "100 %" in page
    assert "data-events" not in page


def test_an_edit_after_approval_blocks_the_send_and_says_what_to_do(ready: Newsletter, desk: TestClient) -> None:
    text = ISSUE.replace("写明", "说明").encode()
    take_in(ready, read(ready, text), text)
    for answer in (desk.get(f"{PAGE}/start"), desk.post(f"{PAGE}/start")):
        assert (answer.status_code, "还没有批准。请先批准" in answer.text) == (409, True)
    assert state(ready) == "draft"


def test_what_was_approved_anew_since_the_question_is_not_sent(ready: Newsletter, desk: TestClient) -> None:
    answer = desk.post(f"{PAGE}/start", data={"seen": "0" * 64})
    assert (answer.status_code, "又有改动" in answer.text) == (409, True)
    assert state(ready) == "approved"


def test_nobody_to_send_to_is_said(newsletter: Newsletter) -> None:
    newsletter.clock = Clock()
    take_in_issue(newsletter)
    answer = at_desk(newsletter, Role.SENDER).post(f"{PAGE}/start")
    assert (answer.status_code, "还没有读者" in answer.text) == (409, True)
    assert state(newsletter) == "approved"


def test_that_all_have_paused_is_said(ready: Newsletter, desk: TestClient) -> None:
    with ready.session() as session:
        session.execute(update(Subscriber).values(state=State.PAUSED))
    answer = desk.post(f"{PAGE}/start")
    assert (answer.status_code, "还没有读者" in answer.text, "都暂停了" in answer.text) == (409, False, True)
    assert state(ready) == "approved"


def test_a_second_press_begins_nothing_again(ready: Newsletter, desk: TestClient) -> None:
    desk.post(f"{PAGE}/start", data={"canary": ""})
    assert "没有再发一次" in desk.post(f"{PAGE}/start").text
    assert deeds(ready) == [Action.SEND_BEGUN]


@pytest.mark.parametrize("typed", ["-1", "many", "1e9", "9" * 20, "１"])
def test_a_number_of_first_readers_that_is_none_is_said_and_nothing_begins(
    ready: Newsletter, desk: TestClient, typed: str
) -> None:
    answer = desk.post(f"{PAGE}/start", data={"canary": typed})
    assert (answer.status_code, f'value="{typed}"' in answer.text) == (422, True)
    assert state(ready) == "approved"


def test_pressing_long_after_the_page_was_made_begins_nothing_and_names_the_present_moment(
    ready: Newsletter, desk: TestClient
) -> None:
    assert isinstance(ready.clock, Clock)
    assert 'name="at" value="2026-03-09T00:00:00Z"' in desk.get(f"{PAGE}/start").text
    ready.clock.move(minutes=10, seconds=1)
    late = desk.post(f"{PAGE}/start", data={"at": "2026-03-09T00:00:00Z", "canary": "2"})
    assert (late.status_code, "没有发送" in late.text, state(ready)) == (409, True, "approved")
    assert 'name="at" value="2026-03-09T00:10:01Z"' in late.text
    assert 'name="canary" inputmode="numeric" value="2"' in late.text
    assert "已开始发送" in desk.post(f"{PAGE}/start", data={"at": "2026-03-09T00:10:01Z"}).text


@pytest.mark.parametrize("at", ["", "soon", "2026-03-09T00:11:00Z", "0001-01-01T00:00Z", "9998-12-31T23:59-23:59"])
def test_a_moment_that_is_not_now_begins_nothing(ready: Newsletter, desk: TestClient, at: str) -> None:
    answer = desk.post(f"{PAGE}/start", data={"at": at})
    assert (answer.status_code, "没有发送" in answer.text, state(ready)) == (409, True, "approved")


def test_at_a_time_in_the_newsletters_zone_and_withdrawn(ready: Newsletter, desk: TestClient) -> None:
    page = desk.post(f"{PAGE}/schedule", data={"at": "2026-03-09T18:30"}).text
    assert "18:30" in page
    assert "Asia/Shanghai" in page
    assert "已撤销" in desk.post(f"{PAGE}/unschedule").text
    assert "没有要撤销的定时" in desk.post(f"{PAGE}/unschedule").text
    assert deeds(ready) == [Action.SEND_UNSCHEDULED, Action.SEND_SCHEDULED]


def test_what_was_scheduled_goes_out_at_its_time_and_the_calendar_did_it(ready: Newsletter, desk: TestClient) -> None:
    desk.post(f"{PAGE}/schedule", data={"at": "2026-03-09T08:30"})
    assert isinstance(ready.clock, Clock)
    ready.clock.move(minutes=31)
    keep_appointments(ready)
    assert state(ready) == "sending"
    with ready.reading() as session:
        (entry,) = entries(session, action=Action.SEND_BEGUN)
    assert entry.who == "calendar"


def edit(newsletter: Newsletter) -> None:
    """Another revision of the text."""
    text = ISSUE.replace("写明", "说明").encode()
    take_in(newsletter, read(newsletter, text), text)


def test_a_timed_issue_that_was_changed_says_that_it_needs_another_approval_and_keeps_its_time(
    ready: Newsletter, desk: TestClient
) -> None:
    desk.post(f"{PAGE}/schedule", data={"at": "2026-03-09T18:30"})
    edit(ready)
    page = desk.get(PAGE).text
    assert ("在那之前重新批准" in page, "18:30 自动发送" in page) == (True, False)
    approve(ready, SLUG)
    page = desk.get(PAGE).text
    assert ("在那之前重新批准" in page, "18:30 自动发送" in page, "仍定在" in page) == (False, True, True)


@pytest.mark.parametrize(("minutes", "why"), [(31, "还没有重新批准"), (300, "那时没有发送进程")])
def test_what_did_not_go_out_in_time_is_said_on_its_own_page_until_a_new_time_is_set(
    ready: Newsletter, desk: TestClient, minutes: int, why: str
) -> None:
    desk.post(f"{PAGE}/schedule", data={"at": "2026-03-09T08:30"})
    edit(ready)
    assert isinstance(ready.clock, Clock)
    ready.clock.move(minutes=minutes)
    keep_appointments(ready)
    page = desk.get(PAGE).text
    assert (why in page, "没有发送，原定" in page) == (True, True)
    approve(ready, SLUG)
    desk.post(f"{PAGE}/schedule", data={"at": "2026-03-09T18:30"})
    assert why not in desk.get(PAGE).text


def test_of_the_slot_and_its_own_time_the_page_says_the_one_that_holds(ready: Newsletter, desk: TestClient) -> None:
    ready.settings.slot = "09:00"
    assert "随每日定时自动发送" in desk.get(PAGE).text
    page = desk.post(f"{PAGE}/schedule", data={"at": "2026-03-09T18:30"}).text
    assert ("随每日定时自动发送" in page, "每日定时不会发送它" in page) == (False, True)


def test_of_two_issues_of_a_day_the_second_is_told_which_one_the_slot_sends(
    ready: Newsletter, desk: TestClient
) -> None:
    ready.settings.slot = "09:00"
    data = ISSUE.replace("# ", "# 另一份", 1).encode()
    second, _ = take_in(ready, read(ready, data), data)
    page = desk.get(f"/desk/issues/{second.slug}/sending").text
    assert ("一天只发一期" in page, "它的日期已过" in page) == (True, False)
    assert "随每日定时自动发送" in desk.get(PAGE).text


def test_while_the_slot_waits_the_page_says_that_an_approval_sends_at_once(ready: Newsletter, desk: TestClient) -> None:
    ready.settings.slot = "07:00"
    data = ISSUE.replace("细则写明", "细则没有写明").encode()
    take_in(ready, read(ready, data), data)
    keep_appointments(ready)
    page = desk.get(PAGE).text
    assert ("之前一批准就发出" in page, "不会发送这一期" in page) == (True, False)
    assert "批准后立即" in desk.get(f"/desk/issues/{SLUG}?figures=1").text


def test_an_issue_of_a_day_off_says_that_the_slot_sends_nothing_then(ready: Newsletter, desk: TestClient) -> None:
    ready.settings.slot, ready.settings.days_off = "09:00", (SLUG,)
    assert "这一期的日期是休刊日" in desk.get(PAGE).text
    assert "休刊日" in desk.get(f"/desk/issues/{SLUG}?figures=1").text


@pytest.mark.parametrize(
    ("at", "status"), [("2026-03-09T07:59", 409), ("", 422), ("tomorrow", 422), ("0001-01-01T00:00", 422)]
)
def test_a_time_that_is_past_or_none_is_refused(ready: Newsletter, desk: TestClient, at: str, status: int) -> None:
    answer = desk.post(f"{PAGE}/schedule", data={"at": at})
    assert answer.status_code == status
    assert deeds(ready) == []


def test_pausing_twice_and_resuming_twice_changes_once(begun: Newsletter, desk: TestClient) -> None:
    assert "已暂停。正在交出" in desk.post(f"{PAGE}/pause").text
    assert "之前已经暂停" in desk.post(f"{PAGE}/pause").text
    assert state(begun) == "paused"
    assert "继续发送。" in desk.post(f"{PAGE}/resume").text
    assert "本来就没有暂停" in desk.post(f"{PAGE}/resume").text
    assert deeds(begun) == [Action.SEND_RESUMED, Action.SEND_PAUSED]


def test_a_cancel_says_how_many_get_nothing_before_and_after(begun: Newsletter, desk: TestClient) -> None:
    assert f"<strong>{READERS}</strong>" in desk.get(f"{PAGE}/cancel").text
    assert f"已取消，{READERS} 位读者" in desk.post(f"{PAGE}/cancel").text
    assert desk.get(f"{PAGE}/cancel").url.path == PAGE


@pytest.mark.parametrize("order", ["pause", "resume", "again"])
def test_what_comes_too_late_is_answered_politely_and_changes_nothing(
    begun: Newsletter, desk: TestClient, order: str
) -> None:
    sending.cancel(begun, SLUG)
    answer = desk.post(f"{PAGE}/{order}")
    assert (answer.status_code, "你的操作没有执行" in answer.text) == (409, True)
    assert (state(begun), deeds(begun)) == ("cancelled", [])


@pytest.mark.parametrize("order", ["pause", "resume", "cancel", "again", "unknown"])
def test_what_was_not_begun_cannot_be_controlled(ready: Newsletter, desk: TestClient, order: str) -> None:
    answer = desk.post(f"{PAGE}/{order}", data={"choice": "resend"})
    assert (answer.status_code, "还没有开始发送" in answer.text) == (409, True)
    assert state(ready) == "approved"


def test_the_unknown_ones_are_listed_with_two_choices(begun: Newsletter, desk: TestClient) -> None:
    settle(begun, BROKEN)
    page = desk.get(PAGE).text
    assert "reader0@example.org" in page
    assert "26 分钟" in page
    assert desk.post(f"{PAGE}/unknown").status_code == 422
    assert "1 封当作已收到" in desk.post(f"{PAGE}/unknown", data={"choice": "accepted"}).text
    assert "没有去向不明的邮件了" in desk.post(f"{PAGE}/unknown", data={"choice": "resend"}).text
    assert progress(begun, SLUG).counts.accepted == 1
    assert deeds(begun) == [Action.UNKNOWN_SETTLED]


def test_of_two_unknown_ones_each_is_settled_alone_and_who_did_it_is_written_down(
    begun: Newsletter, desk: TestClient
) -> None:
    settle(begun, BROKEN, BROKEN)
    first, second = (row.delivery_id for row in progress(begun, SLUG).details.unknown)
    page = desk.get(PAGE).text
    assert all(f'name="delivery" value="{number}"' in page for number in (first, second))
    assert "1 封当作已收到" in desk.post(f"{PAGE}/unknown", data={"choice": "accepted", "delivery": second}).text
    (left,) = progress(begun, SLUG).details.unknown
    assert left.delivery_id == first
    with begun.reading() as session:
        (entry,) = entries(session, action=Action.UNKNOWN_SETTLED)
    assert entry.details == {"readers": 1, "accepted": True, "deliveries": [second]}


@pytest.mark.parametrize("named", ["", "all", "-1", "9" * 19])
def test_a_delivery_that_is_none_settles_nothing(begun: Newsletter, desk: TestClient, named: str) -> None:
    settle(begun, BROKEN)
    assert desk.post(f"{PAGE}/unknown", data={"choice": "accepted", "delivery": named}).status_code == 422
    assert (progress(begun, SLUG).counts.unknown, deeds(begun)) == (1, [])


def test_the_delivery_of_another_issue_is_left_alone(begun: Newsletter, desk: TestClient) -> None:
    settle(begun, BROKEN)
    take_in_issue(begun, ISSUE.replace("2026-03-09", "2026-03-10"))
    plan(begun, "2026-03-10")
    (row,) = progress(begun, SLUG).details.unknown
    elsewhere = "/desk/issues/2026-03-10/sending/unknown"
    answer = desk.post(elsewhere, data={"choice": "accepted", "delivery": row.delivery_id})
    assert "没有去向不明的邮件了" in answer.text
    assert progress(begun, SLUG).counts.unknown == 1


def test_an_unknown_one_is_settled_on_its_page_in_the_log_too(begun: Newsletter, desk: TestClient) -> None:
    settle(begun, BROKEN)
    (row,) = progress(begun, SLUG).details.unknown
    page = f"/desk/log/{row.delivery_id}"
    assert f'action="{PAGE}/unknown"' in desk.get(page).text
    assert f'action="{PAGE}/unknown"' not in at_desk(begun, Role.EDITOR, address="li@example.org").get(page).text
    form = {"choice": "accepted", "delivery": row.delivery_id, "back": "log"}
    answer = desk.post(f"{PAGE}/unknown", data=form)
    assert (answer.url.path, f'action="{PAGE}/unknown"' in answer.text) == (page, False)
    assert progress(begun, SLUG).counts.accepted == 1


@pytest.mark.parametrize(("last", "offered"), [(GONE, False), (REFUSED, True)])
def test_trying_again_is_offered_only_where_it_would_do_something(
    begun: Newsletter, desk: TestClient, last: Outcome, *, offered: bool
) -> None:
    settle(begun, GONE, GONE, last)
    assert (f"{PAGE}/again" in desk.get(PAGE).text) == offered


def test_who_is_put_off_is_told_apart_from_the_end(begun: Newsletter, desk: TestClient) -> None:
    settle(begun, *[LATER] * READERS)
    page = desk.get(PAGE).text
    assert ("只剩 3 封稍后再试的" in page, "左右结束" in page) == (True, False)


def test_what_is_paused_while_the_readers_are_listed_says_paused(ready: Newsletter, desk: TestClient) -> None:
    sending.start(ready, SLUG)
    assert "正在准备名单" in desk.get(PAGE).text
    page = desk.post(f"{PAGE}/pause").text
    assert ("正在准备名单" in page, '<span class="state paused">' in page) == (False, True)


def test_an_unknown_one_that_is_sent_again_waits(begun: Newsletter, desk: TestClient) -> None:
    settle(begun, BROKEN)
    desk.post(f"{PAGE}/unknown", data={"choice": "resend"})
    assert progress(begun, SLUG).counts.queued == READERS


def test_who_was_not_reached_is_tried_again(begun: Newsletter, desk: TestClient) -> None:
    settle(begun, REFUSED, REFUSED)
    assert "2 位读者会再试一次" in desk.post(f"{PAGE}/again").text
    assert progress(begun, SLUG).counts.queued == READERS
    assert "没有可以再试的读者" in desk.post(f"{PAGE}/again").text


def test_an_editor_may_watch_and_order_nothing(begun: Newsletter) -> None:
    editor = at_desk(begun, Role.EDITOR, Role.ADMIN, address="li@example.org")
    page = editor.get(PAGE)
    assert page.status_code == 200
    assert "<form" not in page.text.partition("<main")[2]
    answers = [editor.request(method, f"{PAGE}/{order}") for order in ORDERS for method in ("GET", "POST")]
    assert {answer.status_code for answer in answers} == {403}
    assert (state(begun), deeds(begun)) == ("sending", [])


@pytest.mark.parametrize("order", ORDERS)
def test_looking_at_an_order_changes_nothing(begun: Newsletter, desk: TestClient, order: str) -> None:
    assert desk.get(f"{PAGE}/{order}").status_code == 200
    assert (state(begun), deeds(begun)) == ("sending", [])


def test_the_page_says_the_same_without_a_script(begun: Newsletter, desk: TestClient) -> None:
    settle(begun, REFUSED)
    page = desk.get(PAGE).text
    assert "33 %" in page
    assert "刷新数字" in page
    assert "服务器拒收" in page


def events_of(lines: list[str]) -> list[str]:
    return [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]


def test_the_stream_of_a_finished_send_tells_it_and_ends(
    ready: Newsletter, desk: TestClient, provider: Provider
) -> None:
    hand_over(ready, SLUG)
    answer = desk.get(f"{PAGE}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert events_of(answer.text.splitlines()) == ["state", "figures", "controls", "end"]
    assert "100 %" in answer.text


def test_nobody_hears_a_stream_without_a_session(begun: Newsletter, desk: TestClient) -> None:
    with begun.session() as session:
        session.execute(delete(StaffSession))
    answer = desk.get(f"{PAGE}/events", headers={"accept": "text/event-stream"})
    assert answer.status_code == 401


def test_the_stream_of_an_issue_that_there_is_not_is_a_404(desk: TestClient) -> None:
    assert desk.get("/desk/issues/2020-01-01/sending/events").status_code == 404


def test_whoever_leaves_a_stream_holds_nothing_up(begun: Newsletter, desk: TestClient) -> None:
    """The server ends at once, which it does not while an answer is under way."""
    cookies = {name: str(desk.cookies.get(name)) for name in ("desk",)}
    with (
        served(begun) as address,
        httpx2.stream("GET", f"{address}{PAGE}/events", cookies=cookies, timeout=20) as stream,
    ):
        first = next(stream.iter_lines())
    assert first == "event: state"


class Watched:
    """A send that a test lets go on, and the time that a stream waits."""

    def __init__(self, *shown: Shown) -> None:
        self.shown = list(shown)
        self.waited: list[float] = []

    async def look(self) -> Shown:
        return self.shown.pop(0) if len(self.shown) > 1 else self.shown[0]

    async def wait(self, seconds: float) -> None:
        self.waited.append(seconds)

    def events(self) -> list[str]:
        async def all_of_them() -> list[str]:
            return [str(event.event) async for event in follow(self.look, self.wait)]

        return asyncio.run(all_of_them())


RUNNING = Shown("sending", "40 %", "pause", over=False)


def test_a_stream_tells_what_changed_and_nothing_else() -> None:
    watched = Watched(
        RUNNING, RUNNING, Shown("sending", "50 %", "pause", over=False), Shown("sent", "100 %", "", over=True)
    )
    assert watched.events() == ["state", "figures", "controls"] * 3 + ["end"]


def test_a_stream_ends_after_ten_seconds_so_that_the_session_is_looked_at_again() -> None:
    watched = Watched(RUNNING)
    watched.events()
    assert watched.waited == [1.0] * 10


def test_a_stream_looks_more_seldom_while_nothing_goes_on() -> None:
    watched = Watched(Shown("paused", "40 %", "resume", over=False))
    watched.events()
    assert watched.waited == [3.0] * 3
