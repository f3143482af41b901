"""Codes of the second factor (RFC 6238), and the square that hands the secret over."""

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.staff.second_factor import is_secret, new_secret, square, step_of

RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
NOW = datetime(2026, 3, 9, 8, 0, 10, tzinfo=UTC)


@pytest.mark.parametrize(("seconds", "code"), [(59, "287082"), (1111111109, "081804"), (20000000000, "353130")])
def test_the_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    assert step_of(RFC_SECRET, code, at) == seconds // 30


@pytest.mark.parametrize(("off", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_holds_one_step_before_and_after_its_own(off: int, *, taken: bool) -> None:
    secret = new_secret()
    code = pyotp.TOTP(secret).at(NOW + timedelta(seconds=30 * off))
    assert (step_of(secret, code, NOW) is not None) == taken


def test_blanks_in_a_code_are_forgiven() -> None:
    code = pyotp.TOTP(RFC_SECRET).at(NOW)
    assert step_of(RFC_SECRET, f" {code[:3]} {code[3:]} ", NOW)


@given(st.text(max_size=12))
def test_what_is_no_code_is_none(text: str) -> None:
    codes = {pyotp.TOTP(RFC_SECRET).at(NOW + timedelta(seconds=30 * off)) for off in (-1, 0, 1)}
    assert step_of(RFC_SECRET, text, NOW) is None or "".join(text.split()) in codes


def test_a_secret_has_160_bits_and_is_new_every_time() -> None:
    made = {new_secret() for _ in range(20)}
    assert len(made) == 20
    assert all(is_secret(secret) and len(base64.b32decode(secret)) == 20 for secret in made)


@pytest.mark.parametrize("text", ["", "A" * 31, "A" * 33, "a" * 32, "A" * 31 + "1", "令" * 32])
def test_what_could_not_be_a_secret_of_ours_is_none(text: str) -> None:
    assert not is_secret(text)


def test_the_square_is_a_picture_without_anything_to_fetch() -> None:
    picture = square(new_secret(), "chen@example.org", "AI 行业动态: daily")
    assert picture.startswith("data:image/svg+xml")
    assert "<svg" in unquote(picture)
    assert "script" not in unquote(picture)
