"""The whole check-up, and `newsletter doctor`: in order, never raising, never telling a secret."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiosmtpd.handlers import Sink
from command import Command
from mail_servers import aiosmtpd_server
from name_server import ROOT, NameServer

from newsletter.checkup import examination
from newsletter.checkup.dns_records import Names
from newsletter.checkup.examination import examine
from newsletter.checkup.findings import Finding, Section, Verdict, ok, wrong
from newsletter.checkup.templates import templates
from newsletter.settings import Settings

KEY = "a key that is only used in these tests"
SUBJECTS = ["Settings", "Database", "Mail server", "Sending domain", "Templates", "Machine"]
RECORDS = {
    **ROOT,
    ("tidewater.example", "TXT"): ["v=spf1 mx -all"],
    ("_dmarc.tidewater.example", "TXT"): ["v=DMARC1; p=none"],
    ("tidewater.example", "MX"): ["10 mx.tidewater.example."],
}


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(monkeypatch, capsys)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command) -> Iterator[Path]:
    """A working folder with settings, a database, and a mail server that wants a password."""
    monkeypatch.chdir(tmp_path)
    with aiosmtpd_server(Sink()) as server:
        lines = {
            "secret_key": KEY,
            "sender": "AI 行业动态 <daily@tidewater.example>",
            "postal_address": "示例路 1 号",
            "smtp_url": f"smtp://127.0.0.1:{server.port}",
            "base_url": "https://news.tidewater.example",
            "trusted_proxies": "127.0.0.1",
        }
        file = tmp_path / "newsletter.toml"
        file.touch(0o600)
        file.write_text("".join(f'{name} = "{value}"\n' for name, value in lines.items()), "utf-8")
        assert command("init").code == 0
        yield tmp_path


def look(now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> list[Section]:
    with NameServer(RECORDS) as server:
        return list(examine(Names("127.0.0.1", server.port), now))


def verdicts(sections: list[Section]) -> dict[str, Verdict]:
    return {f"{section.subject}: {one.name}": one.verdict for section in sections for one in section.findings}


def test_a_newsletter_that_is_well_has_nothing_wrong_and_no_warning(folder: Path) -> None:
    sections = look()
    assert [section.subject.partition(" smtp")[0] for section in sections] == SUBJECTS
    bad = {name: verdict for name, verdict in verdicts(sections).items() if verdict in (Verdict.WRONG, Verdict.WARNING)}
    assert set(bad) <= {"Machine: disk", "Machine: clock set by NTP"}  # what the machine of the tests may lack


def test_each_setting_that_is_refused_is_named(folder: Path) -> None:
    with (folder / "newsletter.toml").open("a") as file:
        file.write('zone = "Mars"\nconnections = 0\n')
    sections = look()
    assert [(one.name, one.verdict) for one in sections[0].findings] == [
        ("ZONE", Verdict.WRONG),
        ("CONNECTIONS", Verdict.WRONG),
    ]
    assert all(one.verdict is Verdict.NOT_CHECKED for one in sections[1].findings)


def test_a_settings_file_that_others_can_read_is_a_warning(folder: Path) -> None:
    (folder / "newsletter.toml").chmod(0o644)
    assert verdicts(look())["Settings: secrecy"] is Verdict.WARNING


def test_settings_unfit_for_real_mail_are_warnings_by_name(folder: Path) -> None:
    (folder / "newsletter.toml").write_text(f'secret_key = "{KEY}"\n')
    found = verdicts(look())
    assert found["Settings: SENDER"] is found["Settings: POSTAL_ADDRESS"] is Verdict.WARNING
    assert found["Sending domain: records"] is Verdict.NOT_CHECKED


def test_links_that_are_not_https_are_a_warning(folder: Path) -> None:
    text = (folder / "newsletter.toml").read_text("utf-8")
    (folder / "newsletter.toml").write_text(text.replace("https://", "http://"), "utf-8")
    assert verdicts(look())["Settings: BASE_URL"] is Verdict.WARNING


def test_https_without_a_trusted_proxy_is_a_warning_since_all_visitors_look_like_one(folder: Path) -> None:
    text = (folder / "newsletter.toml").read_text("utf-8")
    (folder / "newsletter.toml").write_text(text.replace('trusted_proxies = "127.0.0.1"\n', ""), "utf-8")
    assert verdicts(look())["Settings: TRUSTED_PROXIES"] is Verdict.WARNING


def test_a_settings_file_that_cannot_be_read_is_a_finding(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSLETTER_SECRET_KEY_FILE", str(folder))
    assert [section.findings[0].verdict for section in look()] == [Verdict.WRONG, Verdict.NOT_CHECKED]


def test_without_a_database_all_else_is_still_checked(folder: Path) -> None:
    (folder / "newsletter.db").unlink()
    found = verdicts(look())
    assert found["Database: file"] is Verdict.WRONG
    assert found["Settings: fit for real mail"] is Verdict.NOT_CHECKED
    assert found["Templates: theme"] is found["Sending domain: SPF"] is Verdict.OK


def test_a_clock_that_was_set_back_is_wrong(folder: Path) -> None:
    found = verdicts(look(lambda: datetime.now(UTC) - timedelta(days=30)))
    assert found["Machine: clock"] is Verdict.WRONG


def test_a_check_that_breaks_is_a_finding_and_what_it_found_before_is_kept() -> None:
    def breaks() -> Iterator[Finding]:
        yield ok("first", "well")
        raise RuntimeError("a bug")

    section = examination.section("Machine", breaks)
    assert [one.verdict for one in section.findings] == [Verdict.OK, Verdict.WRONG]


def test_a_publication_that_no_message_can_be_made_for_is_wrong(settings: Settings) -> None:
    impossible = settings.model_copy(update={"inbound_address": "nobody"})
    found = [one.verdict for one in templates(impossible, datetime(2026, 3, 9, tzinfo=UTC))]
    assert found == [Verdict.OK, Verdict.WRONG, Verdict.WRONG] * 3  # the theme, and those of reports and digests


def test_doctor_prints_every_subject_and_advice_below_what_is_wrong(folder: Path, command: Command) -> None:
    (folder / "newsletter.db").unlink()
    said = command("doctor")
    assert said.code == 1
    places = [said.out.index(f"\n{subject}") for subject in SUBJECTS[1:]]
    assert places == sorted(places)
    wrong_line, advice_line = said.out.split("Database\n")[1].splitlines()[:2]
    assert wrong_line.split()[:2] == ["wrong", "file"]
    assert "→" in said.out
    assert advice_line
    assert "1 wrong" in said.out.splitlines()[-1]


def test_doctor_ends_well_when_nothing_is_wrong(folder: Path, command: Command) -> None:
    said = command("doctor")
    assert (said.code, "wrong" in said.out, said.err) == (0, False, "")


def test_doctor_prints_an_array_for_programs(folder: Path, command: Command) -> None:
    said = command("doctor", "--json")
    found = json.loads(said.out)
    assert [set(one) for one in found] == [{"subject", "name", "verdict", "what", "advice"}] * len(found)
    assert {one["verdict"] for one in found} <= set(Verdict)


def test_doctor_tells_no_secret(folder: Path, command: Command) -> None:
    with (folder / "newsletter.toml").open("a") as file:
        file.write('database_url = "postgresql://daily:a%20secret%20word@127.0.0.1:1/news"\n')
    text = (folder / "newsletter.toml").read_text("utf-8")
    (folder / "newsletter.toml").write_text(text.replace("smtp://", "smtp://daily:another%20secret@"), "utf-8")
    for words in (("doctor",), ("doctor", "--json")):
        said = command(*words)
        assert said.code == 1
        assert not [secret for secret in (KEY, "secret%20", "secret word", "another secret") if secret in said.out]


def test_a_finding_that_is_wrong_always_has_advice() -> None:
    assert wrong("file", "gone", "make one").advice
