"""Tokens of links: only what was made with a key of ours, for this purpose, is read."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from subscribers.models import new_public_id
from subscribers.tokens import Purpose, Tokens

OLD, NEW = b"an old key of the tests" * 2, b"a new key of the tests!" * 2
SUBJECT = "0123456789abcdef01234567"
subjects = st.text("abcXYZ019_-", min_size=1, max_size=32)


@given(subjects, st.sampled_from(Purpose))
def test_a_token_gives_its_subject_back_for_its_purpose(subject: str, purpose: Purpose) -> None:
    tokens = Tokens([NEW])
    assert tokens.read(purpose, tokens.make(purpose, subject)) == subject


@given(st.text() | st.text("AaBb01_-", max_size=60))
@example("\ud800" * 40)
@example("")
def test_no_string_is_read_that_was_not_made(token: str) -> None:
    assert Tokens([NEW, OLD]).read(Purpose.UNSUBSCRIBE, token) is None


@given(subjects, st.integers(min_value=0, max_value=57), st.characters())
def test_a_token_with_one_character_changed_is_refused(subject: str, at: int, character: str) -> None:
    token = Tokens([NEW]).make(Purpose.UNSUBSCRIBE, subject)
    at %= len(token)
    damaged = token[:at] + character + token[at + 1 :]
    assert damaged == token or Tokens([NEW]).read(Purpose.UNSUBSCRIBE, damaged) is None


@given(subjects, st.integers(min_value=0, max_value=57))
def test_a_token_cut_short_is_refused(subject: str, length: int) -> None:
    token = Tokens([NEW]).make(Purpose.UNSUBSCRIBE, subject)
    assert Tokens([NEW]).read(Purpose.UNSUBSCRIBE, token[: length % len(token)]) is None


@given(st.sampled_from(Purpose), st.sampled_from(Purpose))
def test_a_token_of_another_purpose_is_refused(made: Purpose, read: Purpose) -> None:
    tokens = Tokens([NEW])
    assert (tokens.read(read, tokens.make(made, SUBJECT)) == SUBJECT) == (made is read)


def test_the_first_key_signs_and_a_former_one_still_verifies() -> None:
    before, after = Tokens([OLD]), Tokens([NEW, OLD])
    assert after.read(Purpose.UNSUBSCRIBE, before.make(Purpose.UNSUBSCRIBE, SUBJECT)) == SUBJECT
    assert after.make(Purpose.UNSUBSCRIBE, SUBJECT) == Tokens([NEW]).make(Purpose.UNSUBSCRIBE, SUBJECT)


def test_a_key_that_was_given_up_verifies_no_more() -> None:
    assert Tokens([NEW]).read(Purpose.UNSUBSCRIBE, Tokens([OLD]).make(Purpose.UNSUBSCRIBE, SUBJECT)) is None


def test_a_token_is_short_fit_for_a_link_and_always_the_same() -> None:
    token = Tokens([NEW]).make(Purpose.UNSUBSCRIBE, new_public_id())
    assert len(token) < 60
    assert token.replace("-", "").replace("_", "").isalnum()
    assert Tokens([NEW]).make(Purpose.UNSUBSCRIBE, SUBJECT) == Tokens([NEW]).make(Purpose.UNSUBSCRIBE, SUBJECT)


@pytest.mark.parametrize("subject", ["", "a b", "a@x.org", "a/b", "张", "a" * 129, "a\n"])
def test_a_subject_that_no_link_can_carry_is_not_signed(subject: str) -> None:
    with pytest.raises(ValueError, match="subject"):
        Tokens([NEW]).make(Purpose.UNSUBSCRIBE, subject)


@pytest.mark.parametrize("keys", [[], [b""], [NEW, b"short"]])
def test_tokens_without_a_good_key_are_not_to_be_had(keys: list[bytes]) -> None:
    with pytest.raises(ValueError, match="key"):
        Tokens(keys)


def test_opaque_ids_have_96_random_bits() -> None:
    ids = {new_public_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert {len(bytes.fromhex(one)) for one in ids} == {12}
