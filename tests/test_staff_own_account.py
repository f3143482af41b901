"""One's own account: password, second factor and browsers, guarded against a borrowed browser."""

import pytest
from reader_samples import everything
from sending import Clock
from staff_samples import CHEN, HERE, LI, PASSWORD, actor, code, done, join, row_of, sessions_of, turn_on_codes

from newsletter.app import Newsletter
from newsletter.staff import own_account, second_factor, throttle
from newsletter.staff.logins import LoginRefused, sign_in
from newsletter.staff.own_account import CodeRefused
from newsletter.staff.passwords import PasswordRefused
from newsletter.staff.throttle import TooManyTries

pytestmark = pytest.mark.both_databases
ANOTHER = "another long password"


@pytest.fixture
def house(newsletter: Newsletter) -> Newsletter:
    """Chen works here; the clock stands."""
    newsletter.clock = Clock()
    join(newsletter)
    return newsletter


def change(newsletter: Newsletter, old: str, new: str, again: str = "", here: int | None = None) -> None:
    own_account.change_password(newsletter, actor(newsletter), old, new, again or new, origin="", here=here)


def test_another_password_ends_all_sessions_but_the_one_that_asks(house: Newsletter) -> None:
    sign_in(house, CHEN, PASSWORD, HERE)
    here = sessions_of(house)[-1]
    change(house, PASSWORD, ANOTHER, here=here)
    assert sessions_of(house) == [here]
    assert sign_in(house, CHEN, ANOTHER, HERE).session_token
    with pytest.raises(LoginRefused):
        sign_in(house, CHEN, PASSWORD, HERE)
    assert ("chen", "password set", CHEN) in done(house)


def test_without_the_present_password_nothing_changes(house: Newsletter) -> None:
    before = row_of(house).password_hash, sessions_of(house)
    with pytest.raises(LoginRefused):
        change(house, "wrong", ANOTHER)
    assert (row_of(house).password_hash, sessions_of(house)) == before


def test_a_new_password_that_cannot_be_one_is_refused_before_anything_is_tried(house: Newsletter) -> None:
    before = everything(house)
    with pytest.raises(PasswordRefused):
        change(house, "wrong", "short")
    assert everything(house) == before


def test_guessing_the_present_password_is_slowed_down_like_the_login(house: Newsletter) -> None:
    secret = turn_on_codes(house)
    for _ in range(throttle.PER_NAME):
        throttle.count(house, CHEN, "")
    with pytest.raises(TooManyTries):
        change(house, PASSWORD, ANOTHER)
    with pytest.raises(TooManyTries):
        own_account.turn_off(house, actor(house), PASSWORD, origin="")
    assert row_of(house).totp_secret == secret


def test_a_right_password_leaves_no_failure_behind(house: Newsletter) -> None:
    turn_on_codes(house)
    own_account.turn_off(house, actor(house), PASSWORD, origin="")
    assert "failed_login: []" in everything(house)


def test_the_second_factor_is_on_once_a_code_of_its_secret_has_come(house: Newsletter) -> None:
    secret = turn_on_codes(house)
    assert row_of(house).totp_secret == secret
    assert done(house)[-1] == ("chen", "second factor on", CHEN)


def test_a_code_of_another_secret_turns_nothing_on(house: Newsletter) -> None:
    before, secret = everything(house), second_factor.new_secret()
    for given, shown in ((secret, code(house, second_factor.new_secret())), ("nonsense", "000000"), (secret, "")):
        with pytest.raises(CodeRefused):
            own_account.turn_on(house, actor(house), given, shown)
    assert everything(house) == before


def test_a_second_factor_that_is_on_is_not_replaced_unasked(house: Newsletter) -> None:
    secret = turn_on_codes(house)
    turn_on_codes(house)
    assert row_of(house).totp_secret == secret


def test_the_second_factor_is_turned_off_with_the_password_alone(house: Newsletter) -> None:
    secret = turn_on_codes(house)
    with pytest.raises(LoginRefused):
        own_account.turn_off(house, actor(house), "wrong", origin="")
    assert row_of(house).totp_secret == secret
    own_account.turn_off(house, actor(house), PASSWORD, origin="")
    assert row_of(house).totp_secret is None
    assert done(house)[-1] == ("chen", "second factor off", CHEN)


def test_one_ends_sessions_of_ones_own_and_nobody_elses(house: Newsletter) -> None:
    join(house, LI)
    sign_in(house, CHEN, PASSWORD, HERE)
    first, second = sessions_of(house)
    (theirs,) = sessions_of(house, LI)
    for session_id in (theirs, first, 999_999):
        own_account.end_session(house, actor(house), session_id)
    assert (sessions_of(house), sessions_of(house, LI)) == ([second], [theirs])
    assert [what for _, what, _ in done(house)].count("session ended") == 1


def test_one_ends_all_others_of_ones_own_at_once(house: Newsletter) -> None:
    join(house, LI)
    for _ in range(2):
        sign_in(house, CHEN, PASSWORD, HERE)
    here = sessions_of(house)[1]
    own_account.end_other_sessions(house, actor(house), here)
    assert (sessions_of(house), len(sessions_of(house, LI))) == ([here], 1)
