"""A reader's days at the desk, why a message came at its hour, and readers' own hours while a send runs."""

import tomllib
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from desk_samples import at_desk
from sending import SLUG, Clock, plan, settle, take_in_issue
from sqlmodel import select

from newsletter.app import Newsletter
from newsletter.delivery.models import Delivery, Mailing
from newsletter.delivery.outcome import Outcome, Reason, Stage, Verdict
from newsletter.editorial.answers import Absent
from newsletter.editorial.arrival import Hour, Late
from newsletter.editorial.silence import Silence, What
from newsletter.render.theme import templates_dir
from newsletter.web.desk.reader_days import SHOWN
from subscribers.preferences import Preferences

TAKEN = Outcome(Verdict.ACCEPTED, Stage.DONE, 250, "taken")
RELEASE = datetime(2026, 3, 9, tzinfo=UTC)


@pytest.fixture
def clock(newsletter: Newsletter) -> Clock:
    newsletter.clock = clock = Clock()
    clock.move(days=-30)
    return clock


def add(newsletter: Newsletter, address: str, **choices: Any) -> str:
    """Add a reader of the issue's topic and give their public id."""
    with newsletter.session() as session:
        return newsletter.people(session).add(address, Preferences(("policy",), **choices)).public_id


def released(newsletter: Newsletter, clock: Clock) -> None:
    take_in_issue(newsletter)
    clock.now = RELEASE
    plan(newsletter, SLUG)


def page(newsletter: Newsletter, path: str, **query: str) -> str:
    return unescape(at_desk(newsletter).get(path, params={"language": "en", **query}).text)


def test_a_reader_page_has_a_line_for_each_of_the_last_days(newsletter: Newsletter, clock: Clock) -> None:
    reader = add(newsletter, "bo@example.org", zone="Europe/Berlin", hour=7)
    released(newsletter, clock)
    shown = page(newsletter, f"/desk/readers/{reader}")
    table = shown.partition('class="list days stacked"')[2].partition("</table>")[0]
    assert table.count("<tr>") == SHOWN + 1
    assert "waits until 9 March 14:00" in table
    assert "Their own hour, Berlin 07:00." in table


def test_a_line_leads_to_the_entry_of_the_log_which_says_why_then(newsletter: Newsletter, clock: Clock) -> None:
    reader = add(newsletter, "bo@example.org", zone="Europe/Berlin", hour=7)
    released(newsletter, clock)
    with newsletter.reading() as session:
        (row,) = session.exec(select(Delivery)).all()
    assert f'<a href="/desk/log/{row.id}">{SLUG}</a>' in page(newsletter, f"/desk/readers/{reader}")
    assert "Why then: Their own hour, Berlin 07:00." in page(newsletter, f"/desk/log/{row.id}")


def test_any_day_can_be_asked_for(newsletter: Newsletter, clock: Clock) -> None:
    reader = add(newsletter, "bo@example.org", zone="Asia/Shanghai", hour=7)
    released(newsletter, clock)
    shown = page(newsletter, f"/desk/readers/{reader}", day="2026-03-10")
    assert "Released 9 March 08:00." in shown
    assert "waits until 10 March 07:00" in shown
    assert "there is no daily slot" in page(newsletter, f"/desk/readers/{reader}", day="2026-03-11")
    assert "They joined only later, on" in page(newsletter, f"/desk/readers/{reader}", day="2024-01-01")


@pytest.mark.parametrize("typed", ["monday", "2026-02-30", "<script>", "0001-01-01", "9999-12-31"])
def test_what_is_no_day_is_told(newsletter: Newsletter, clock: Clock, typed: str) -> None:
    reader = add(newsletter, "bo@example.org")
    assert "Give a date such as 2026-03-09." in page(newsletter, f"/desk/readers/{reader}", day=typed)


@pytest.mark.parametrize("day", ["1971-01-01", "9998-12-31"])
def test_the_ends_of_the_calendar_are_days_like_others(newsletter: Newsletter, clock: Clock, day: str) -> None:
    reader = add(newsletter, "bo@example.org")
    assert at_desk(newsletter).get(f"/desk/readers/{reader}", params={"day": day}).status_code == 200


def test_who_joined_lately_has_no_days_before(newsletter: Newsletter, clock: Clock) -> None:
    clock.now = RELEASE
    reader = add(newsletter, "bo@example.org")
    shown = page(newsletter, f"/desk/readers/{reader}")
    table = shown.partition('class="list days stacked"')[2].partition("</table>")[0]
    assert table.count("<tr>") == 2


def test_a_running_send_tells_who_waits_for_their_hour(newsletter: Newsletter, clock: Clock) -> None:
    add(newsletter, "now@example.org")
    for number, hour in enumerate((12, 12, 20)):
        add(newsletter, f"own{number}@example.org", zone="Asia/Shanghai", hour=hour)
    released(newsletter, clock)
    shown = page(newsletter, f"/desk/issues/{SLUG}/sending")
    assert (
        "Of the queued ones 3 wait for their own hour: the next on 9 March 12:00 (2), the last on 9 March 20:00."
        in shown
    )
    settle(newsletter, TAKEN)
    later = page(newsletter, f"/desk/issues/{SLUG}/sending", done="resumed")
    assert "nothing is due before 9 March 12:00" in later
    assert "the own hour of 2 readers" in later


def test_the_form_asks_about_hours_where_somebody_chose_one(newsletter: Newsletter, clock: Clock) -> None:
    add(newsletter, "now@example.org")
    take_in_issue(newsletter)
    path = f"/desk/issues/{SLUG}/sending/start"
    assert 'name="hours"' not in page(newsletter, path)
    add(newsletter, "own@example.org", zone="Asia/Shanghai", hour=12)
    assert "At each reader's own hour: 1 chose one" in page(newsletter, path)


@pytest.mark.parametrize(("hours", "at_once"), [("now", True), ("own", False), ("", False)])
def test_everybody_now_is_a_choice_of_whoever_sends(
    newsletter: Newsletter, clock: Clock, hours: str, at_once: bool
) -> None:
    add(newsletter, "own@example.org", zone="Asia/Shanghai", hour=12)
    take_in_issue(newsletter)
    at_desk(newsletter).post(f"/desk/issues/{SLUG}/sending/start", data={"hours": hours})
    with newsletter.reading() as session:
        assert session.exec(select(Mailing.at_once)).one() is at_once


def test_a_choice_stays_when_the_form_comes_back(newsletter: Newsletter, clock: Clock) -> None:
    add(newsletter, "own@example.org", zone="Asia/Shanghai", hour=12)
    take_in_issue(newsletter)
    answer = at_desk(newsletter).post(
        f"/desk/issues/{SLUG}/sending/start", data={"hours": "now", "canary": "a few", "seen": ""}
    )
    assert answer.status_code == 422
    assert 'value="now" checked' in answer.text


_REASONS = ("log_reason", "readers_why", "sending_reason")


def keys() -> set[str]:
    return {
        *(f"days_hour_{one.replace(' ', '_')}" for one in Hour),
        *(f"days_late_{one}" for one in Late),
        *(f"days_absent_{one.replace(' ', '_')}" for one in Absent),
        *(f"days_silent_{one.replace(' ', '_')}" for one in Silence),
        *(f"days_what_{one}" for one in What),
        *(f"{begin}_{one.replace(' ', '_')}" for one in Reason for begin in _REASONS),
    }


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_answer_has_its_words(language: str) -> None:
    folder = templates_dir() / "web" / "words"
    files = [tomllib.loads(file.read_text("utf-8"))[language] for file in folder.glob("*.toml")]
    assert keys() <= {key for words in files for key in words}
