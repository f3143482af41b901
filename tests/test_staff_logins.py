"""The login: the same for known and unknown names, slowed down for whoever guesses, with a code if one is asked for."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from reader_samples import everything
from sending import Clock
from sqlmodel import select
from staff_samples import CHEN, HERE, LI, PASSWORD, actor, code, done, join, row_of, sessions_of, turn_on_codes

from newsletter.app import Newsletter
from newsletter.staff import logins, membership, own_account, sessions, throttle
from newsletter.staff.logins import LoginRefused, ProofOver, Visitor, bring_code, sign_in
from newsletter.staff.models import FailedLogin, Staff, StaffSession
from newsletter.staff.rights import COMMAND_LINE
from newsletter.staff.throttle import TooManyTries
from subscribers.tokens import Purpose

pytestmark = pytest.mark.both_databases
ELSEWHERE = Visitor("198.51.100.4", "other")


@pytest.fixture
def house(newsletter: Newsletter) -> Newsletter:
    """Chen works here; the clock stands."""
    newsletter.clock = Clock()
    join(newsletter)
    return newsletter


def later(newsletter: Newsletter, **time: float) -> None:
    clock = newsletter.clock
    assert isinstance(clock, Clock)
    clock.now += timedelta(**time)


def guess(newsletter: Newsletter, times: int, address: str = CHEN, visitor: Visitor = HERE) -> None:
    """Write so many wrong logins down, without the work of trying them."""
    for _ in range(times):
        throttle.count(newsletter, address, visitor.origin)


def failures(newsletter: Newsletter) -> int:
    with newsletter.reading() as session:
        return len(session.exec(select(FailedLogin)).all())


def test_the_right_password_begins_a_session_whose_token_is_nowhere_in_the_database(house: Newsletter) -> None:
    passed = sign_in(house, " Chen@Example.org", PASSWORD, HERE)
    assert passed.session_token
    assert passed.session_token not in everything(house)
    with house.reading() as session:
        assert sessions.who(session, passed.session_token, house.clock()) == actor(house)


def test_every_login_begins_a_session_of_its_own(house: Newsletter) -> None:
    assert sign_in(house, CHEN, PASSWORD, HERE) != sign_in(house, CHEN, PASSWORD, HERE)
    assert len(sessions_of(house)) == 3


def test_a_wrong_password_an_unknown_name_and_one_who_was_removed_are_refused_alike(house: Newsletter) -> None:
    join(house, LI)
    membership.remove(house, COMMAND_LINE, row_of(house, LI).public_id)
    for address, password in ((CHEN, "wrong"), ("nobody@example.org", PASSWORD), (LI, PASSWORD), ("", ""), ("\0", "")):
        with pytest.raises(LoginRefused) as refused:
            sign_in(house, address, password, HERE)
        assert refused.value.args == ()
    assert failures(house) == 5


def test_a_known_and_an_unknown_name_cost_the_same_trial(house: Newsletter, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: list[str] = []
    real = Argon2Hasher.verify
    monkeypatch.setattr(Argon2Hasher, "verify", lambda self, *given: rounds.append("") or real(self, *given))
    spent = []
    for address in (CHEN, "nobody@example.org"):
        rounds.clear()
        with pytest.raises(LoginRefused):
            sign_in(house, address, "wrong", HERE)
        spent.append(len(rounds))
    assert spent == [1, 1]


@pytest.mark.parametrize("address", [CHEN, "nobody@example.org"])
def test_after_five_failures_a_name_has_to_wait_whether_or_not_it_exists(house: Newsletter, address: str) -> None:
    guess(house, throttle.PER_NAME, address)
    later(house, minutes=5)
    with pytest.raises(TooManyTries) as waits:
        sign_in(house, address, PASSWORD, ELSEWHERE)
    assert waits.value.seconds == 601
    assert failures(house) == throttle.PER_NAME


def test_a_right_password_is_refused_while_the_name_has_to_wait_and_taken_afterwards(house: Newsletter) -> None:
    guess(house, throttle.PER_NAME)
    with pytest.raises(TooManyTries):
        sign_in(house, CHEN, PASSWORD, HERE)
    later(house, minutes=15)
    assert sign_in(house, CHEN, PASSWORD, HERE).session_token
    assert failures(house) == 0


def test_a_browser_that_is_signed_in_stays_so_while_others_guess(house: Newsletter) -> None:
    token = sign_in(house, CHEN, PASSWORD, HERE).session_token
    guess(house, throttle.PER_NAME, visitor=ELSEWHERE)
    with house.reading() as session:
        assert sessions.who(session, token, house.clock())


def test_after_thirty_failures_from_one_place_no_name_can_be_tried_there(house: Newsletter) -> None:
    for number in range(throttle.PER_ORIGIN):
        guess(house, 1, f"name{number}@example.org")
    with pytest.raises(TooManyTries):
        sign_in(house, CHEN, PASSWORD, HERE)
    assert sign_in(house, CHEN, PASSWORD, ELSEWHERE).session_token


def test_nobody_can_clear_the_count_of_their_place_with_an_account_of_their_own(house: Newsletter) -> None:
    for number in range(throttle.PER_ORIGIN - 1):
        guess(house, 1, f"name{number}@example.org")
    sign_in(house, CHEN, PASSWORD, HERE)
    guess(house, 1, LI)
    with pytest.raises(TooManyTries):
        guess(house, 1, LI)


def test_many_guesses_at_once_are_all_counted(house: Newsletter) -> None:
    def one(_: int) -> str:
        try:
            guess(house, 1)
        except TooManyTries:
            return "waits"
        return "tried"

    with ThreadPoolExecutor(8) as threads:
        said = sorted(threads.map(one, range(16)))
    assert said.count("tried") == throttle.PER_NAME


def test_what_was_typed_as_a_name_is_kept_only_as_a_keyed_hash(house: Newsletter) -> None:
    guess(house, 1, "my password by mistake")
    assert "my password by mistake" not in everything(house)


def test_an_old_hash_is_made_anew_at_the_login(house: Newsletter) -> None:
    weak = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8_192),)).hash(PASSWORD)
    with house.session() as session:
        session.get_one(Staff, row_of(house).id).password_hash = weak
    sign_in(house, CHEN, PASSWORD, HERE)
    assert row_of(house).password_hash != weak
    assert sign_in(house, CHEN, PASSWORD, HERE).session_token


def test_with_a_second_factor_the_password_alone_begins_no_session(house: Newsletter) -> None:
    turn_on_codes(house)
    before = sessions_of(house)
    passed = sign_in(house, CHEN, PASSWORD, HERE)
    assert (passed.session_token, sessions_of(house)) == ("", before)
    assert PASSWORD not in passed.proof


def test_the_code_after_the_password_begins_a_session(house: Newsletter) -> None:
    secret = turn_on_codes(house)
    later(house, seconds=30)
    proof = sign_in(house, CHEN, PASSWORD, HERE).proof
    token = bring_code(house, proof, code(house, secret), HERE)
    with house.reading() as session:
        assert sessions.who(session, token, house.clock()) == actor(house)


def test_no_code_works_twice_not_even_the_one_that_turned_it_on(house: Newsletter) -> None:
    secret = turn_on_codes(house)
    proof = sign_in(house, CHEN, PASSWORD, HERE).proof
    with pytest.raises(LoginRefused):
        bring_code(house, proof, code(house, secret), HERE)
    later(house, seconds=30)
    bring_code(house, proof, code(house, secret), HERE)
    with pytest.raises(LoginRefused):
        bring_code(house, proof, code(house, secret), HERE)


def test_of_two_who_bring_the_same_code_at_once_one_is_let_in(house: Newsletter) -> None:
    secret = turn_on_codes(house)
    later(house, seconds=30)
    proof, shown = sign_in(house, CHEN, PASSWORD, HERE).proof, code(house, secret)

    def one(_: int) -> bool:
        try:
            return bool(bring_code(house, proof, shown, HERE))
        except LoginRefused:
            return False

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(one, range(4))) == 1


def test_a_code_older_than_one_that_was_used_works_no_more(house: Newsletter) -> None:
    secret = turn_on_codes(house)
    old = code(house, secret)
    later(house, seconds=30)
    proof = sign_in(house, CHEN, PASSWORD, HERE).proof
    bring_code(house, proof, code(house, secret), HERE)
    with pytest.raises(LoginRefused):
        bring_code(house, proof, old, HERE)


def test_wrong_codes_count_as_failures_and_the_password_does_not_take_them_back(house: Newsletter) -> None:
    turn_on_codes(house)
    for _ in range(throttle.PER_NAME - 1):
        proof = sign_in(house, CHEN, PASSWORD, HERE).proof
        with pytest.raises(LoginRefused):
            bring_code(house, proof, "000000", HERE)
    with pytest.raises(LoginRefused):
        bring_code(house, proof, "", HERE)
    with pytest.raises(TooManyTries):
        bring_code(house, proof, "000000", HERE)
    with pytest.raises(TooManyTries):
        sign_in(house, CHEN, PASSWORD, HERE)


def test_the_code_must_come_within_five_minutes(house: Newsletter) -> None:
    secret = turn_on_codes(house)
    proof = sign_in(house, CHEN, PASSWORD, HERE).proof
    later(house, minutes=5, seconds=1)
    with pytest.raises(ProofOver):
        bring_code(house, proof, code(house, secret), HERE)


def test_a_proof_is_over_when_the_password_was_changed_since(house: Newsletter) -> None:
    secret = turn_on_codes(house)
    proof = sign_in(house, CHEN, PASSWORD, HERE).proof
    another = "another long password"
    own_account.change_password(house, actor(house), PASSWORD, another, another, origin="", here=None)
    later(house, seconds=30)
    with pytest.raises(ProofOver):
        bring_code(house, proof, code(house, secret), HERE)


def test_no_other_token_passes_for_a_proof(house: Newsletter) -> None:
    secret = turn_on_codes(house)
    later(house, seconds=30)
    subject = house.tokens.read(Purpose.SECOND_FACTOR, sign_in(house, CHEN, PASSWORD, HERE).proof)
    assert subject
    head = subject.rpartition("-")[0]
    forged = [house.tokens.make(other, subject) for other in Purpose if other is not Purpose.SECOND_FACTOR]
    forged += [house.tokens.make(Purpose.SECOND_FACTOR, text) for text in (head, f"{head}-0", "nobody", "a-b-c", "-")]
    for proof in ("", "nonsense", *forged):
        with pytest.raises(ProofOver):
            bring_code(house, proof, code(house, secret), HERE)


def test_a_fortnight_later_a_session_is_over_and_the_next_login_clears_it_away(house: Newsletter) -> None:
    token = sign_in(house, CHEN, PASSWORD, HERE).session_token
    later(house, days=14, seconds=1)
    with house.reading() as session:
        assert sessions.who(session, token, house.clock()) is None
    sign_in(house, CHEN, PASSWORD, HERE)
    assert len(sessions_of(house)) == 1


def test_signing_out_ends_this_session_and_no_other(house: Newsletter) -> None:
    tokens = [sign_in(house, CHEN, PASSWORD, HERE).session_token for _ in range(2)]
    logins.sign_out(house, tokens[0])
    logins.sign_out(house, "nobody's token")
    with house.reading() as session:
        known = [sessions.who(session, token, house.clock()) is not None for token in tokens]
    assert known == [False, True]


def test_signing_in_and_out_is_written_down(house: Newsletter) -> None:
    logins.sign_out(house, sign_in(house, CHEN, PASSWORD, HERE).session_token)
    assert done(house)[-2:] == [("chen", "signed in", CHEN), ("chen", "signed out", CHEN)]


@pytest.mark.both_databases(False)
@pytest.mark.parametrize(
    ("browser", "words"),
    [
        (HERE.browser, "Firefox · Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0", "Edge · Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605 Version/17.5 Safari/605", "Safari · macOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Safari/604.1", "Safari · iPhone"),
        ("Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126.0 Mobile", "Chrome · Android"),
        ("curl/8.9", "curl/8.9"),
        ("", ""),
    ],
)
def test_a_browser_is_named_in_words(browser: str, words: str) -> None:
    assert sessions.in_words(browser) == words


def test_a_browser_that_calls_itself_by_control_characters_does_no_harm(house: Newsletter) -> None:
    sign_in(house, CHEN, PASSWORD, Visitor("", "\x1b[31m" + "x" * 500 + "\n"))
    with house.reading() as session:
        kept = session.get_one(StaffSession, sessions_of(house)[-1]).browser
    assert kept.isprintable()
    assert len(kept) == 200
