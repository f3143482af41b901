"""`newsletter schedule show` and `set`: what comes next, and choosing it from the command line."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from command import Command
from sending import Clock

from newsletter.app import Newsletter
from newsletter.cli import schedule
from newsletter.editorial.moments import limit_of
from newsletter.settings import load
from newsletter.staff.audit import Action, entries
from newsletter.storage.chosen_settings import choose as keep


def opened() -> Newsletter:
    """The newsletter of the present folder, at seven in the morning of a Monday in March 2026."""
    clock = Clock()
    clock.move(hours=-1)
    return Newsletter(load(), clock)


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    monkeypatch.chdir(tmp_path)
    made = Command(monkeypatch, capsys)
    assert made("init").code == 0
    monkeypatch.setattr(schedule, "open_newsletter", opened)
    return made


def changed() -> list[tuple[str, str, str]]:
    newsletter = opened()
    with newsletter.reading() as session:
        found = entries(session, action=Action.SETTING_CHANGED)
    return sorted((one.subject, one.details["before"], one.details["after"]) for one in found)


def test_without_a_slot_it_says_how_to_set_one(command: Command) -> None:
    said = command("schedule", "show").out
    assert "No slot is set" in said
    assert "newsletter schedule set" in said


def test_what_was_set_is_shown_and_counts_for_every_process(command: Command) -> None:
    words = ("mon-fri 08:00", "--days-off", "2026-03-10, 12-25", "--weekly-day", "sun", "--limit", "90")
    said = command("schedule", "set", *words)
    assert (said.code, said.err) == (0, "")
    assert "The next one: 2026-03-09 08:00, no issue of that day yet." in said.out
    settings = opened().settings
    assert (settings.slot, settings.days_off) == ("mon-fri 08:00", ("2026-03-10", "12-25"))
    assert (settings.weekly_day, settings.too_late_minutes) == ("sun", 90)
    shown = command("schedule", "show").out
    for line in (
        "Slot: mon-fri 08:00 (Asia/Shanghai)",
        "Days off within a year: 2026-03-10, 2026-12-25",
        "Weekly digest, for whoever chose no day: sun",
        "Limit: 90 min",
        "Active readers: 0 at the slot, 0 at an hour of their own",
    ):
        assert line in shown


def test_programs_get_it_as_one_object(command: Command) -> None:
    command("schedule", "set", "mon-fri 08:00", "--days-off", "2026-03-10..2026-03-11")
    seen = json.loads(command("schedule", "show", "--json").out)
    assert [moment["at"] for moment in seen["next"]] == [
        "2026-03-09T08:00:00+08:00",
        "2026-03-12T08:00:00+08:00",
        "2026-03-13T08:00:00+08:00",
    ]
    assert seen["days_off"] == [{"first": "2026-03-10", "last": "2026-03-11"}]
    assert {name: seen[name] for name in ("slot", "zone", "weekly_day", "limit_minutes", "held", "waiting")} == {
        "slot": "mon-fri 08:00",
        "zone": "Asia/Shanghai",
        "weekly_day": "fri",
        "limit_minutes": 120,
        "held": "",
        "waiting": None,
    }
    assert seen["readers"] == {"at_slot": 0, "at_own_hour": 0}


def test_a_moment_of_today_that_is_within_the_limit_is_said_at_once(command: Command) -> None:
    said = command("schedule", "set", "06:30").out
    assert "The slot of 06:30 has come and waits until 08:30: no issue of that day yet." in said


def test_an_empty_text_takes_slot_and_days_off_back(command: Command) -> None:
    command("schedule", "set", "08:00", "--days-off", "12-25")
    said = command("schedule", "set", "", "--days-off", "")
    assert (said.code, "Nothing goes out by itself." in said.out) == (0, True)
    assert (opened().settings.slot, opened().settings.days_off) == ("", ())


def test_days_off_may_stand_with_commas_of_any_width(command: Command) -> None:
    command("schedule", "set", "08:00", "--days-off", "2026-10-01，12-25、01-01")
    assert opened().settings.days_off == ("2026-10-01", "12-25", "01-01")


def test_a_limit_that_was_kept_before_it_had_a_bound_counts_as_none_and_can_be_mended(command: Command) -> None:
    newsletter = opened()
    with newsletter.session() as session:
        keep(session, {"too_late_minutes": 1e11, "slot": "06:30"}, newsletter.clock())
    assert "Limit: 120 min" in command("schedule", "show").out
    assert command("schedule", "set", "--limit", "60").code == 0
    assert opened().settings.too_late_minutes == 60


def test_a_limit_out_of_bounds_is_a_day(command: Command) -> None:
    newsletter = opened()
    newsletter.settings.too_late_minutes = 10**11
    assert limit_of(newsletter, newsletter.clock()) - newsletter.clock() == timedelta(days=1)


def test_what_was_changed_stands_in_the_audit_log_and_what_stayed_does_not(command: Command) -> None:
    command("schedule", "set", "08:00", "--weekly-day", "fri")
    command("schedule", "set", "08:00", "--days-off", "12-25")
    assert changed() == [("DAYS_OFF", "", "12-25"), ("SLOT", "", "08:00")]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("sometimes",), "newsletter: the slot 'sometimes': should be days and an hour"),
        (("08:00", "--days-off", "02-30"), "newsletter: --days-off: has the day '02-30', which no year has."),
        (("08:00", "--days-off", "12-25,2026-10-07..2026-10-01"), "which ends before it begins"),
        (("08:00", "--weekly-day", "friday"), "newsletter: --weekly-day 'friday': should be 'mon'"),
        (("08:00", "--limit", "0"), "newsletter: --limit 0: should be greater than or equal to 1."),
        (
            ("08:00", "--limit", "100000000000"),
            "newsletter: --limit 100000000000: should be less than or equal to 1440.",
        ),
    ],
)
def test_one_wrong_value_is_refused_with_the_reason_and_changes_nothing(
    command: Command, words: tuple[str, ...], why: str
) -> None:
    said = command("schedule", "set", *words)
    assert said.code == 1
    assert why in said.err
    assert (opened().settings.slot, changed()) == ("", [])


def test_what_the_file_names_is_refused_with_the_reason(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "newsletter.toml"
    file.write_text(file.read_text("utf-8") + 'slot = "07:00"\n', "utf-8")
    said = command("schedule", "set", "08:00", "--weekly-day", "sun")
    assert said.code == 1
    assert "NEWSLETTER_SLOT cannot be changed here: the environment or newsletter.toml names it" in said.err
    assert opened().settings.weekly_day == "fri"


def test_nothing_to_set_is_wrong_usage(command: Command) -> None:
    assert command("schedule", "set").code == 2
