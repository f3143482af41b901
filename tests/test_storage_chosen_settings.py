"""Settings chosen in the browser: they count where nothing else says otherwise, and nothing wrong gets in."""

import pytest

from newsletter.app import Newsletter
from newsletter.settings import CHOOSABLE, Settings, SettingsRefused

pytestmark = pytest.mark.both_databases


def choose(newsletter: Newsletter, **values: object) -> None:
    with newsletter.session() as session:
        newsletter.choose_settings(session, values)


def another(newsletter: Newsletter, **more: int) -> Newsletter:
    """The same newsletter in another process, with more of it written down."""
    same = {name: getattr(newsletter.settings, name) for name in newsletter.fixed_settings()}
    return Newsletter(Settings(**same, **more))


def seen(newsletter: Newsletter) -> Settings:
    with newsletter.reading():
        return newsletter.settings


def test_a_chosen_setting_counts_at_once_and_in_the_next_process(newsletter: Newsletter) -> None:
    choose(newsletter, slot="mon-fri 08:00", canary=50)
    assert (seen(newsletter).slot, seen(newsletter).canary) == ("mon-fri 08:00", 50)
    assert seen(another(newsletter)).canary == 50


def test_given_back_it_is_the_default_again(newsletter: Newsletter) -> None:
    choose(newsletter, canary=50)
    choose(newsletter, canary=None)
    assert seen(newsletter).canary == 0


@pytest.mark.parametrize(
    ("name", "value"), [("slot", "sometimes"), ("canary", -1), ("unknown", "burn"), ("reply_to", "a\r\nBcc: b@c.d")]
)
def test_a_value_that_cannot_be_is_refused_by_name_and_changes_nothing(
    newsletter: Newsletter, name: str, value: object
) -> None:
    before = seen(newsletter)
    with pytest.raises(SettingsRefused, match=name.upper()):
        choose(newsletter, about="新的介绍", **{name: value})
    assert seen(newsletter) == before


def test_what_leads_mail_elsewhere_cannot_be_chosen(newsletter: Newsletter) -> None:
    for name in sorted(set(Settings.model_fields) - set(CHOOSABLE)):
        with pytest.raises(SettingsRefused, match=name.upper()):
            choose(newsletter, **{name: "x"})


def test_environment_and_file_win_and_say_so(newsletter: Newsletter) -> None:
    choose(newsletter, canary=50)
    fixed = another(newsletter, canary=7)
    assert seen(fixed).canary == 7
    assert "canary" in fixed.fixed_settings()
    with pytest.raises(SettingsRefused, match="CANARY"):
        choose(fixed, canary=9)
