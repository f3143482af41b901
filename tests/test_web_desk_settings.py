"""The settings page: what may be changed is, by those who may, and nothing wrong gets in."""

import re
import tomllib

import pytest
from desk_samples import at_desk
from sqlmodel import col, select

from newsletter.app import Newsletter
from newsletter.render.theme import templates_dir
from newsletter.settings import CHOOSABLE
from newsletter.staff.models import AuditEntry
from newsletter.staff.rights import Role


def audited(newsletter: Newsletter) -> list[tuple[str, str, str]]:
    with newsletter.reading() as session:
        rows = session.exec(select(AuditEntry).order_by(col(AuditEntry.id))).all()
    return [(row.subject, row.details.get("before", ""), row.details.get("after", "")) for row in rows]


def test_a_setting_is_changed_at_once_and_written_down(newsletter: Newsletter) -> None:
    page = at_desk(newsletter).post("/desk/settings", data={"slot": "mon-fri 08:00", "canary": "50"})
    assert "已保存" in page.text
    assert (newsletter.settings.slot, newsletter.settings.canary) == ("mon-fri 08:00", 50)
    assert audited(newsletter) == [("SLOT", "", "mon-fri 08:00"), ("CANARY", "0", "50")]


def test_several_addresses_become_a_list(newsletter: Newsletter) -> None:
    at_desk(newsletter).post("/desk/settings", data={"staff": "an@example.org, bo@example.org"})
    assert newsletter.settings.staff == ("an@example.org", "bo@example.org")


def test_days_off_become_a_list_with_or_without_blanks_about_their_dots(newsletter: Newsletter) -> None:
    page = at_desk(newsletter).post("/desk/settings", data={"days_off": "2026-10-01 .. 2026-10-07, 12-25"})
    assert newsletter.settings.days_off == ("2026-10-01..2026-10-07", "12-25")
    assert 'value="2026-10-01..2026-10-07, 12-25"' in page.text


@pytest.mark.parametrize("between", [",", "，", "、 ", ";", "；", "\r\n", " "])
def test_a_list_may_be_written_with_commas_of_any_width_and_line_ends(newsletter: Newsletter, between: str) -> None:
    typed = {"days_off": f"2026-10-01{between}12-25", "staff": f"an@example.org{between}bo@example.org"}
    at_desk(newsletter).post("/desk/settings", data=typed)
    assert newsletter.settings.days_off == ("2026-10-01", "12-25")
    assert newsletter.settings.staff == ("an@example.org", "bo@example.org")


@pytest.mark.parametrize(("language", "day"), [("zh", "星期日"), ("en", "Sunday")])
def test_the_day_of_the_digest_is_chosen_from_the_days_of_the_week(
    newsletter: Newsletter, language: str, day: str
) -> None:
    desk = at_desk(newsletter)
    desk.post("/desk/settings", data={"weekly_day": "sun"})
    page = desk.get(f"/desk/settings?language={language}").text
    assert f'<option value="sun" selected>{day}</option>' in page
    assert newsletter.settings.weekly_day == "sun"


def test_an_emptied_field_is_the_default_again(newsletter: Newsletter) -> None:
    client = at_desk(newsletter)
    client.post("/desk/settings", data={"canary": "50"})
    client.post("/desk/settings", data={"canary": ""})
    assert newsletter.settings.canary == 0


def test_one_wrong_value_changes_nothing_and_keeps_what_was_typed(newsletter: Newsletter) -> None:
    page = at_desk(newsletter).post("/desk/settings", data={"slot": "sometimes", "about": "新的介绍"})
    assert page.status_code == 422
    assert 'value="sometimes"' in page.text
    assert "新的介绍" in page.text
    assert 'aria-invalid="true"' in page.text
    assert newsletter.settings.about == ""
    assert audited(newsletter) == []


def test_saving_what_stands_there_changes_nothing(newsletter: Newsletter) -> None:
    client = at_desk(newsletter)
    client.post("/desk/settings", data={"canary": "50"})
    client.post("/desk/settings", data={"canary": "50", "slot": ""})
    assert len(audited(newsletter)) == 1


@pytest.mark.parametrize("role", [Role.EDITOR, Role.SENDER])
def test_others_see_it_and_cannot_change_it(newsletter: Newsletter, role: Role) -> None:
    client = at_desk(newsletter, role)
    assert client.get("/desk/settings").status_code == 200
    assert client.post("/desk/settings", data={"canary": "50"}).status_code == 403
    assert newsletter.settings.canary == 0


def test_what_is_written_in_the_file_says_so_and_stays(newsletter: Newsletter) -> None:
    fixed = sorted(newsletter.fixed_settings() & set(CHOOSABLE))
    assert fixed, "the samples write none of them down"
    client, before = at_desk(newsletter), getattr(newsletter.settings, fixed[0])
    assert fixed[0].upper() in client.get("/desk/settings").text
    client.post("/desk/settings", data={fixed[0]: "77"})
    assert getattr(newsletter.settings, fixed[0]) == before


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_setting_has_words(newsletter: Newsletter, language: str) -> None:
    page = at_desk(newsletter).get(f"/desk/settings?language={language}").text
    assert all(f'name="{name}"' in page for name in CHOOSABLE)


def test_no_secret_is_shown(newsletter: Newsletter) -> None:
    page = at_desk(newsletter).get("/desk/settings").text
    assert newsletter.settings.secret_key.get_secret_value() not in page


@pytest.mark.parametrize(
    ("name", "value", "zh", "en"),
    [
        ("slot", "sometimes", "要写成 mon-fri 08:00", "Days and an hour such as mon-fri 08:00"),
        ("staff", "nobody", "每个都要是", "Each is an address"),
        ("reply_to", "nobody", "地址用英文字母", "A mailbox such as"),
        ("canary", "-1", "0 到 1000000", "from 0 to 1000000"),
        ("days_off", "2026-02-29", "并且日历上有", "a day of the calendar"),
        ("days_off", "2026-10-07..2026-10-01", "并且日历上有", "a day of the calendar"),
        ("weekly_day", "someday", "请从列表里选一个", "Choose one of the list"),
        ("too_late_minutes", "0", "1 到 1440", "from 1 to 1440"),
        ("too_late_minutes", "100000000000", "1 到 1440", "from 1 to 1440"),
        ("too_late_minutes", "1.5", "1 到 1440", "from 1 to 1440"),
        ("canary", "1000001", "0 到 1000000", "from 0 to 1000000"),
        ("sign_ups_per_hour", "x", "1 到 1000000", "from 1 to 1000000"),
        ("days_off", "2026-10-01，13-32", "“13-32”", "“13-32”"),
        ("staff", "an@example.org；nobody", "“nobody”", "“nobody”"),
        ("about", "a\nb", "300 个字符", "300 characters"),
        ("approval", "x", "请从列表里选一个", "Choose one of the list"),
    ],
)
def test_a_wrong_value_is_told_in_the_page_s_language(
    newsletter: Newsletter, name: str, value: str, zh: str, en: str
) -> None:
    desk = at_desk(newsletter)
    for language, said in (("zh", zh), ("en", en)):
        page = desk.post("/desk/settings", data={name: value}, headers={"accept-language": language})
        assert page.status_code == 422
        error = "".join(re.findall(r'<p class="error"[^>]*>(.*?)</p>', page.text))
        assert said in error
        assert "should be" not in error


def test_every_setting_that_may_be_changed_has_words_for_a_wrong_value() -> None:
    words = tomllib.loads((templates_dir() / "web/words/desk_settings.toml").read_text("utf-8"))
    assert {f"desk_settings_wrong_{name}" for name in CHOOSABLE} <= words["zh"].keys() & words["en"].keys()
