"""Settings are refused with their name and what they should be, and every one of them is documented."""

import re
import stat
from pathlib import Path

import pytest

from newsletter.settings import PREFIX, Settings, SettingsRefused, load, write_first_settings

DOCS = (Path(__file__).resolve().parent.parent / "docs" / "reference" / "settings.md").read_text("utf-8")


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(f"{PREFIX}SECRET_KEY", "0123456789" * 4)


def test_every_setting_is_in_the_reference_and_no_other() -> None:
    documented = set(re.findall(r"^\| `([A-Z0-9_]+)` \|", DOCS, re.MULTILINE))
    assert documented == {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("SMTP_URL", "mail.example.org", "smtp://user:password@host:port"),
        ("SMTP_URL", "smtp://h?starttls=maybe", "required, optional or never"),
        ("SENDER", "nobody", "should be a mailbox"),
        ("SENDER", "A <a@example.org>\r\nBcc: b@example.org", "control characters"),
        ("LIST_ID", "daily", "<daily.example.org>"),
        ("BASE_URL", "javascript:alert(1)", "https://news.example.org"),
        ("ZONE", "Beijing", "Asia/Shanghai"),
        ("CONNECTIONS", "0", "greater than or equal to 1"),
        ("CONNECTIONS", "many", "integer"),
        ("SECRET_KEY", "short", "at least 32 characters"),
        ("ENVELOPE_SENDER", "nonsense", "bare address"),
        ("REPLY_TO", "not an address", "should be a mailbox"),
        ("BASE_URL", "https://新闻.example.org", "in ASCII"),
        ("FORMER_SECRET_KEYS", "short", "at least 32 characters"),
        ("GIVE_UP_HOURS", "121", "less than or equal to 120"),
        ("SLOT", "daily at eight", "mon-fri 08:00"),
        ("SLOT", "mon-someday 08:00", "knows the days"),
        ("STAFF", "editor@example.org, nobody", "bare address"),
        ("TOO_LATE_MINUTES", "0", "greater than or equal to 1"),
        ("TOO_LATE_MINUTES", "1441", "less than or equal to 1440"),
        ("TOO_LATE_MINUTES", "1.5", "integer"),
        ("CANARY", "1000001", "less than or equal to 1000000"),
        ("SIGN_UPS_PER_HOUR", "1000001", "less than or equal to 1000000"),
        ("REPLY_TO", "x yBcc: a@b.c", "should be a mailbox"),
        ("REPLY_TO", "a@example.org, b@example.org", "should be a mailbox"),
        ("REPLY_TO", "A <a@example.org> b@example.org", "should be a mailbox"),
        ("UNKNOWN", "guess", "'hold' or 'resend'"),
        ("ERROR_SHARE", "1", "less than 1"),
        ("MESSAGES_PER_SECOND", "0", "greater than 0"),
    ],
)
def test_a_wrong_value_is_refused_by_name_with_advice(
    name: str, value: str, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(SettingsRefused, match=re.escape(advice)) as refused:
        load()
    assert f"{PREFIX}{name}" in str(refused.value)


@pytest.mark.parametrize(
    "mailbox",
    [
        "a@example.org",
        "<a@example.org>",
        "AI 行业动态<a@example.org>",
        '"A, B" <a@example.org>',
        '"A \\" B" <a@example.org>',
    ],
)
def test_a_mailbox_may_be_written_in_each_way_that_reads_back_the_same(
    mailbox: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{PREFIX}REPLY_TO", mailbox)
    assert load().reply_to == mailbox


def test_a_refusal_does_not_repeat_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}SMTP_URL", "ftp://user:hunter2@host")
    with pytest.raises(SettingsRefused) as refused:
        load()
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("url", ["smtp://user:hunter2/word@host", "smtp://user:hunter2@host:port"])
def test_a_refusal_does_not_repeat_a_part_of_a_password(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}SMTP_URL", url)
    with pytest.raises(SettingsRefused, match="%2F") as refused:
        load()
    assert "hunter2" not in str(refused.value)


def test_former_keys_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}FORMER_SECRET_KEYS", f"{'a' * 32}, {'b' * 32}")
    assert load().keys[1:] == (b"a" * 32, b"b" * 32)


def test_a_key_is_written_into_a_file_that_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(f"{PREFIX}SECRET_KEY")
    Path("newsletter.toml").write_text("connections = 3\n", "utf-8")
    assert write_first_settings()
    assert (load().connections, len(load().keys[0])) == (3, 64)


def test_a_missing_key_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(f"{PREFIX}SECRET_KEY")
    with pytest.raises(SettingsRefused, match="newsletter init"):
        load()


def test_the_environment_beats_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("newsletter.toml").write_text('zone = "Europe/Berlin"\nconnections = 3\n', "utf-8")
    monkeypatch.setenv(f"{PREFIX}ZONE", "UTC")
    assert (load().zone, load().connections) == ("UTC", 3)


def test_an_unknown_name_in_the_file_is_refused() -> None:
    Path("newsletter.toml").write_text("conections = 3\n", "utf-8")
    with pytest.raises(SettingsRefused, match="no setting conections"):
        load()


def test_a_broken_file_is_refused_with_its_name() -> None:
    Path("newsletter.toml").write_text("zone = \n", "utf-8")
    with pytest.raises(SettingsRefused, match=r"newsletter\.toml"):
        load()


def test_a_secret_can_come_from_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(f"{PREFIX}SECRET_KEY")
    Path("key").write_text("k" * 40 + "\n", "utf-8")
    monkeypatch.setenv(f"{PREFIX}SECRET_KEY_FILE", "key")
    assert load().keys == (b"k" * 40,)


def test_the_first_settings_hold_a_fresh_key_that_only_its_owner_can_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(f"{PREFIX}SECRET_KEY")
    assert write_first_settings()
    assert not write_first_settings()
    assert stat.S_IMODE(Path("newsletter.toml").stat().st_mode) == 0o600
    assert len(load().keys[0]) == 64


def test_starttls_is_required_except_on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}SMTP_URL", "smtp://mail.example.org")
    assert load().smtp_servers[0].smtp.starttls == "required"
    monkeypatch.setenv(f"{PREFIX}SMTP_URL", "smtp://127.0.0.1:2525")
    assert load().smtp_servers[0].smtp.starttls == "optional"


def test_list_id_and_return_path_derive_from_the_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}SENDER", "AI 行业动态 <daily@example.org>")
    publication = load().publication
    assert (publication.list_id, publication.envelope_sender) == ("<daily.example.org>", "daily@example.org")


def examples() -> list[str]:
    """The pieces of a `newsletter.toml` that the documentation shows."""
    pages = (Path(__file__).resolve().parent.parent / "docs").rglob("*.md")
    return [text for page in pages for text in re.findall(r"```toml\n(.*?)```", page.read_text("utf-8"), re.DOTALL)]


@pytest.mark.parametrize("example", [text for text in examples() if "…" not in text])
def test_every_example_in_the_documentation_loads(example: str) -> None:
    Path("newsletter.toml").write_text(example, "utf-8")
    assert isinstance(load(), Settings)


SERVERS = """
[[servers]]
name = "large"
url = "smtp://user:hunter2@mail.example.org:587"
weight = 3
connections = 20
messages_per_second = 50
messages_per_connection = 500

[[servers]]
url = "smtps://other.example.org"
"""


def test_several_servers_take_the_place_of_the_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}SMTP_URL", "smtp://127.0.0.1")
    Path("newsletter.toml").write_text(SERVERS, "utf-8")
    large, other = load().smtp_servers
    assert (large.label, large.weight, large.connections, large.smtp.port) == ("large", 3, 20, 587)
    assert (other.label, other.weight, other.connections) == ("other.example.org:465", 1, None)


def test_one_server_has_the_limits_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}MESSAGES_PER_SECOND", "7.5")
    (server,) = load().smtp_servers
    assert (server.messages_per_second, server.messages_per_connection) == (7.5, None)


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        (("weight = 3", "weight = 0"), "greater than 0"),
        (("weight = 3", "wait = 3"), "[[servers]] no. 1: there is no wait"),
        (('url = "smtps://other.example.org"', 'name = "other"'), "[[servers]] no. 2: url is missing"),
        (("smtps://other", "ftp://user:hunter2@other"), "smtp://user:password@host:port"),
        (('url = "smtps', 'name = "large"\nurl = "smtps'), "'large' twice"),
    ],
)
def test_a_wrong_server_is_refused_with_advice_and_without_its_password(change: tuple[str, str], advice: str) -> None:
    Path("newsletter.toml").write_text(SERVERS.replace(*change), "utf-8")
    with pytest.raises(SettingsRefused, match=re.escape(advice)) as refused:
        load()
    assert "hunter2" not in str(refused.value)


def test_a_wrong_domain_is_refused_by_its_place_in_the_file() -> None:
    Path("newsletter.toml").write_text('[[domains]]\nnames = ["ann@qq.com"]\n', "utf-8")
    with pytest.raises(SettingsRefused, match=re.escape("[[domains]] no. 1: names: should be the domain")):
        load()


def test_limits_for_domains_are_read_in_any_case_and_with_the_sign_before_them() -> None:
    Path("newsletter.toml").write_text('[[domains]]\nnames = ["QQ.com", "@foxmail.com"]\nconnections = 2\n', "utf-8")
    (rule,) = load().domains
    assert (rule.names, rule.connections, rule.messages_per_second) == (("qq.com", "foxmail.com"), 2, None)


def test_limits_for_no_domain_are_refused() -> None:
    Path("newsletter.toml").write_text("[[domains]]\nnames = []\n", "utf-8")
    with pytest.raises(SettingsRefused, match=re.escape("[[domains]] no. 1: names: needs at least one")):
        load()
