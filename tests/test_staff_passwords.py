"""Which passwords are taken, and that trying one costs the same whether or not there is one."""

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from newsletter.staff import passwords
from newsletter.staff.passwords import PasswordRefused, attempt, check, keep

ADDRESS = "chen.bianji@example.org"


@pytest.mark.parametrize(
    ("password", "again", "why"),
    [
        ("nine char", "nine char", "short"),
        ("x" * 1001, "x" * 1001, "long"),
        ("Chen.Bianji@example.org ", "Chen.Bianji@example.org ", "address"),
        ("a long password", "a long passwort", "differs"),
    ],
)
def test_what_cannot_be_a_password_is_refused_with_the_reason(password: str, again: str, why: str) -> None:
    with pytest.raises(PasswordRefused) as refused:
        check(password, again, ADDRESS)
    assert refused.value.why == why


@pytest.mark.parametrize("password", ["ten chars!", "x" * 1000, "一句只有自己知道的中文话", " " * 10 + "?"])
def test_anything_long_enough_is_taken(password: str) -> None:
    check(password, password, ADDRESS)


def test_a_kept_password_is_right_and_another_is_wrong_and_neither_is_in_the_hash() -> None:
    kept = keep("a long password")
    assert "a long password" not in kept
    assert kept.startswith("$argon2id$")
    assert attempt("a long password", kept).right
    assert not attempt("a long passwort", kept).right


def test_the_same_characters_typed_on_another_keyboard_are_the_same_password() -> None:
    assert attempt("Cafe\u0301 und Brot", keep("Caf\u00e9 und Brot")).right


def test_a_hash_of_weaker_parameters_is_made_anew_when_the_password_is_right() -> None:
    weak = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8_192),)).hash("a long password")
    tried = attempt("a long password", weak)
    assert tried.right
    assert tried.new_hash
    assert attempt("a long password", tried.new_hash) == passwords.Trial(right=True)


@pytest.mark.parametrize("kept", [None, "nonsense"])
def test_without_a_hash_to_try_no_password_is_right_not_even_an_empty_one(kept: str | None) -> None:
    assert not attempt("", kept).right
    assert not attempt("a long password", kept).right


def test_a_trial_takes_one_round_of_argon2_whether_or_not_there_is_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: list[str] = []
    real = Argon2Hasher.verify
    kept = keep("a long password")
    attempt("warm up", None)
    monkeypatch.setattr(Argon2Hasher, "verify", lambda self, *given: rounds.append(given[1]) or real(self, *given))
    spent = []
    for password, there in (("a long passwort", kept), ("a long passwort", None), ("x" * 5000, kept)):
        rounds.clear()
        attempt(password, there)
        spent.append([one.split("$")[1:4] for one in rounds])  # the algorithm and its parameters
    assert spent[0] == spent[1] == spent[2]
    assert len(spent[0]) == 1
