"""The log at the desk: found by address, issue and state; every entry explained, its message built again."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from desk_samples import at_desk
from mail_servers import aiosmtpd_server
from pydantic import SecretStr
from sending import Clock, Hand, hand_over, plan
from sqlmodel import select
from starlette.testclient import TestClient
from web_samples import ISSUE, SCRIPT, SLUG, add_issue, near

from newsletter.app import Newsletter
from newsletter.delivery.models import Delivery
from newsletter.delivery.outcome import Outcome, Reason, Stage, State, Verdict
from newsletter.editorial.approval import approve
from newsletter.editorial.intake import read, take_in
from newsletter.editorial.log_entry import tell
from newsletter.editorial.sending import settle_unknown
from newsletter.readers.forgetting import forget
from newsletter.staff.rights import Role
from newsletter.web.desk.log import ENTRIES
from subscribers.preferences import Preferences

BOTH = pytest.mark.both_databases
NEXT = ISSUE.replace("2026-03-09", "2026-03-10")
VOICE, TIDES, RULES = "山谷团队开源语音模型 Echo-2", "群岛实验室公开潮汐预报模型", "岬角市发布公共数据细则"


class Mailbox:
    """Refuses `gone`, puts `full` off, and keeps what it takes by address."""

    def __init__(self) -> None:
        self.received: dict[str, bytes] = {}

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        if address.startswith("gone"):
            return f"550 5.1.1 <{SCRIPT}>: no such user"
        if address.startswith("full"):
            return "452 4.2.2 mailbox full"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        (address,) = envelope.rcpt_tos
        self.received[address] = envelope.content
        return f"250 2.0.0 queued as {len(self.received)}"


@pytest.fixture
def mailbox(newsletter: Newsletter) -> Iterator[Mailbox]:
    mailbox = Mailbox()
    with aiosmtpd_server(mailbox) as server:
        newsletter.settings.smtp_url = SecretStr(f"smtp://127.0.0.1:{server.port}?starttls=never")
        yield mailbox


def add(newsletter: Newsletter, address: str, *topics: str, **choices: Any) -> str:
    """Add a reader with choices and give their public id."""
    with newsletter.session() as session:
        person = newsletter.people(session).add(f"{address}@example.org", Preferences(topics, **choices), name="读者")
        return person.public_id


@pytest.fixture
def ready(newsletter: Newsletter) -> Newsletter:
    """An approved issue of three stories in two topics."""
    newsletter.clock = Clock()
    add_issue(newsletter)
    approve(newsletter, SLUG)
    return newsletter


@pytest.fixture
def sent(ready: Newsletter, mailbox: Mailbox) -> Newsletter:
    """It went to two readers; one was refused, one put off, and one wants nothing of it."""
    for address, topic in (("bo", "models"), ("wen", "policy"), ("gone", "models"), ("full", "models")):
        add(ready, address, topic)
    add(ready, "quiet", "funding")
    hand_over(ready, SLUG)
    return ready


def row_of(newsletter: Newsletter, address: str, issue: int = 0) -> Delivery:
    with newsletter.reading() as session:
        query = select(Delivery).where(Delivery.address == f"{address}@example.org").order_by("id")
        return session.exec(query).all()[issue]


def entry(newsletter: Newsletter, address: str, issue: int = 0) -> str:
    """The address of an entry's page."""
    return f"/desk/log/{row_of(newsletter, address, issue).id}"


def found(client: TestClient, **query: str) -> set[str]:
    """The readers whose entries a search gives."""
    page = client.get("/desk/log", params=query).text
    return set(re.findall(r'<td class="who"><a href="[^"]+">(\w+)@example', page))


def test_before_anything_was_sent_the_log_says_so(newsletter: Newsletter) -> None:
    assert "还没有投递记录" in at_desk(newsletter).get("/desk/log").text


@BOTH
def test_an_entry_is_found_by_address_by_a_part_of_it_by_issue_and_by_state(sent: Newsletter) -> None:
    client, everybody = at_desk(sent), {"bo", "wen", "gone", "full", "quiet"}
    assert found(client) == found(client, issue=SLUG) == found(client, q="EXAMPLE.org") == everybody
    assert found(client, q="bo@example.org") == found(client, q="BO@") == {"bo"}
    assert found(client, issue="2020-01-01") == found(client, q="%") == found(client, q="nobody@example.org") == set()
    assert found(client, state="failed") == {"gone"}
    assert found(client, state="excluded", q="example") == {"quiet"}
    assert found(client, state="nonsense") == everybody


def test_an_address_that_is_one_finds_that_reader_alone(sent: Newsletter) -> None:
    add(sent, "xbo", "models")
    assert found(at_desk(sent), q="bo@example.org") == {"bo"}


def test_the_list_shows_state_and_reply_in_short(sent: Newsletter) -> None:
    page = unescape(at_desk(sent).get("/desk/log").text)
    assert "2.0.0 queued as" in page
    assert "5.1.1" in page
    assert "这一期没有这位读者要看的条目。" in page


@BOTH
def test_pages_lead_on_and_back_and_show_every_entry_once(ready: Newsletter) -> None:
    with ready.session() as session:
        for number in range(2 * ENTRIES + 7):
            ready.people(session).add(f"r{number}@example.org", Preferences(("models",)))
    plan(ready, SLUG)
    client, path, pages = at_desk(ready), "/desk/log?state=queued", list[list[str]]()
    while path:
        page = client.get(path).text
        pages.append(re.findall(r'<td class="who"><a href="/desk/log/(\d+)">', page))
        following = re.search(r'rel="next" href="([^"]+)"', page)
        path = unescape(following[1]) if following else ""
    assert [len(one) for one in pages] == [ENTRIES, ENTRIES, 7]
    numbers = [int(number) for one in pages for number in one]
    assert numbers == sorted(set(numbers), reverse=True)
    back = re.search(r'rel="prev" href="([^"]+)"', page)
    assert back
    assert re.findall(r'<td class="who"><a href="/desk/log/(\d+)">', client.get(unescape(back[1])).text) == pages[1]


def test_numbers_that_are_none_count_as_not_said(sent: Newsletter) -> None:
    client = at_desk(sent)
    for number in ("-1", "x", "1.5", "9" * 30, "²", ""):
        assert client.get("/desk/log", params={"before": number, "after": number}).status_code == 200


@BOTH
def test_an_entry_that_is_none_is_a_404(newsletter: Newsletter) -> None:
    client = at_desk(newsletter)
    for path in ("0", "-1", "x", "999999", "9" * 18, "9" * 30, "²", SCRIPT):
        for part in ("", "/mail", "/message.eml"):
            answer = client.get(f"/desk/log/{path}{part}")
            assert answer.status_code == 404
            assert SCRIPT not in answer.text


@BOTH
def test_what_no_database_looks_for_is_left_out_of_a_search(newsletter: Newsletter) -> None:
    client = at_desk(newsletter)
    for text in ("a\0b", "\0", "a" * 5000, "\u2028"):
        answer = client.get("/desk/log", params={"q": text, "issue": text})
        assert answer.status_code == 200


def test_every_attempt_is_told_with_reply_stage_server_and_size(sent: Newsletter) -> None:
    page = unescape(at_desk(sent).get(entry(sent, "gone")).text)
    row = row_of(sent, "gone")
    assert f"<{SCRIPT}>: no such user" in page
    for word in ("550", "报出收件人", "拒收", row.server, f"{(row.size_bytes or 0) / 1000:.1f} kB"):
        assert word in page


@BOTH
def test_earlier_attempts_stand_with_the_last(ready: Newsletter) -> None:
    add(ready, "bo", "models")
    plan(ready, SLUG)
    hand = Hand(ready)
    replies = (
        Outcome(Verdict.LATER, Stage.RCPT, 451, "4.7.1 greylisted"),
        Outcome(Verdict.ACCEPTED, Stage.DONE, 250, "2.0.0 taken"),
    )
    for reply in replies:
        (row,) = hand.take(1)
        hand.settle(row, reply)
        assert isinstance(ready.clock, Clock)
        ready.clock.move(hours=1)
    page = at_desk(ready).get(entry(ready, "bo")).text
    assert page.index("2.0.0 taken") < page.index("4.7.1 greylisted")


@BOTH
def test_the_file_is_what_the_server_received(sent: Newsletter, mailbox: Mailbox) -> None:
    assert set(mailbox.received) == {"bo@example.org", "wen@example.org"}
    client = at_desk(sent)
    for address, data in mailbox.received.items():
        path = entry(sent, address.partition("@")[0])
        answer = client.get(f"{path}/message.eml")
        assert answer.content == data
        assert answer.headers["content-type"] == "message/rfc822"
        assert "按投递记录重建，与寄出的字节完全一致" in client.get(path).text


def test_the_frame_shows_that_message_and_runs_nothing(sent: Newsletter) -> None:
    answer = at_desk(sent).get(f"{entry(sent, 'bo')}/mail")
    assert TIDES in answer.text
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "allow-scripts" not in answer.headers["content-security-policy"]


def told(newsletter: Newsletter, address: str, issue: int = 0) -> tuple[list[tuple[str, str, str]], ...]:
    """What was chosen for a reader and what was left out, with the reasons."""
    found = tell(newsletter, row_of(newsletter, address, issue).id or 0)
    assert found
    return tuple([(line.title, line.why, line.detail) for line in lines] for lines in (found.got, found.missed))


def test_a_story_is_there_because_of_its_topic_or_a_followed_keyword(ready: Newsletter) -> None:
    add(ready, "bo", "models", follow=("岬角",))
    plan(ready, SLUG)
    assert told(ready, "bo") == (
        [(RULES, "followed", "岬角"), (TIDES, "topic", "models"), (VOICE, "topic", "models")],
        [],
    )


def test_a_story_is_left_out_for_its_topic_a_muted_keyword_or_the_limit(ready: Newsletter) -> None:
    add(ready, "topic", "policy")
    add(ready, "mute", "models", "policy", mute=("语音",))
    add(ready, "most", "models", "policy", most=2)
    plan(ready, SLUG)
    assert told(ready, "topic")[1] == [(TIDES, "topic", ""), (VOICE, "topic", "")]
    assert told(ready, "mute")[1] == [(VOICE, "muted", "语音")]
    assert told(ready, "most")[1] == [(VOICE, "most", "2")]


@BOTH
def test_a_story_is_left_out_that_was_had_from_an_earlier_issue(ready: Newsletter, mailbox: Mailbox) -> None:
    add(ready, "bo", "models")
    hand_over(ready, SLUG)
    assert isinstance(ready.clock, Clock)
    ready.clock.move(days=1)
    text = (
        NEXT.replace("https://project.example.org/", "https://iris.example.org/")
        .format(title="三角洲团队开源视觉模型 Iris-1")
        .encode()
    )
    saved, _ = take_in(ready, read(ready, text), text, draft=True)
    approve(ready, saved.slug)
    plan(ready, saved.slug)
    assert told(ready, "bo", 1) == (
        [("三角洲团队开源视觉模型 Iris-1", "topic", "models")],
        [(TIDES, "had", SLUG), (RULES, "topic", "")],
    )


@BOTH
def test_choices_that_changed_since_are_not_made_up(ready: Newsletter) -> None:
    add(ready, "bo", "models", most=1)
    plan(ready, SLUG)
    with ready.session() as session:
        people = ready.people(session)
        person = people.get("bo@example.org")
        assert person
        people.change(person, Preferences(("models",)), source="command")
    assert told(ready, "bo") == ([(TIDES, "topic", "models")], [(VOICE, "changed", ""), (RULES, "topic", "")])


def test_nothing_has_its_reason_in_words_and_no_message(sent: Newsletter) -> None:
    page = at_desk(sent).get(entry(sent, "quiet")).text
    assert "这一期没有这位读者要看的条目。" in page
    assert "排定时就没有给这位读者的信。" in page
    assert told(sent, "quiet")[0] == []
    assert [why for _, why, _ in told(sent, "quiet")[1]] == ["topic"] * 3
    assert at_desk(sent).get(f"{entry(sent, 'quiet')}/message.eml").status_code == 404


@BOTH
def test_a_forgotten_reader_is_said_to_be_that(ready: Newsletter) -> None:
    public_id = add(ready, "bo", "models")
    plan(ready, SLUG)
    path = entry(ready, "bo")
    forget(ready, public_id, "command")
    page = at_desk(ready).get(path).text
    assert "这位读者要求抹除自己的资料" in page
    assert "读者已被抹除。" in page
    assert "bo@example.org" not in page
    assert at_desk(ready).get(f"{path}/message.eml").status_code == 404
    assert "（已抹除的读者）" in at_desk(ready).get("/desk/log").text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_state_reason_stage_and_verdict_has_its_words(ready: Newsletter, language: str) -> None:
    words = at_desk(ready).app.state.pages.words[language]  # type: ignore[attr-defined]  # the application of ours
    for prefix, names in (("state", State), ("reason", Reason), ("stage", Stage), ("verdict", Verdict)):
        for name in names:
            assert words[f"log_{prefix}_{name.replace(' ', '_')}"]


@pytest.mark.parametrize("role", list(Role))
def test_everybody_of_the_staff_may_look_and_nobody_else(sent: Newsletter, role: Role) -> None:
    paths = ("/desk/log", entry(sent, "bo"), f"{entry(sent, 'bo')}/mail", f"{entry(sent, 'bo')}/message.eml")
    client, nobody = at_desk(sent, role, address=f"{role}@example.org"), near(sent)
    for path in paths:
        assert client.get(path).status_code == 200
        assert nobody.get(path, follow_redirects=False).status_code == 303


def test_replies_names_and_queries_are_text(sent: Newsletter) -> None:
    client = at_desk(sent)
    for path in ("/desk/log", entry(sent, "gone"), f"/desk/log?q={SCRIPT}&issue={SCRIPT}&state={SCRIPT}"):
        assert SCRIPT not in client.get(path).text


def test_the_time_that_a_person_took_to_settle_it_is_not_the_server_s(ready: Newsletter) -> None:
    add(ready, "bo", "models")
    plan(ready, SLUG)
    hand = Hand(ready)
    (row,) = hand.take(1)
    hand.settle(row, Outcome(Verdict.UNKNOWN, Stage.DOT, 0, "the connection was lost"))
    desk = at_desk(ready)
    assert "用时" in desk.get(entry(ready, "bo")).text
    assert isinstance(ready.clock, Clock)
    ready.clock.move(hours=1)
    settle_unknown(ready, SLUG, accepted=True)
    page = desk.get(entry(ready, "bo")).text
    assert "用时" not in page
    assert "连接中断，没有等到答复" in page
