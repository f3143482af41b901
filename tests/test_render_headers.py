"""Header lines."""

import email
import email.header
import email.policy
from datetime import datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from newsletter.render.headers import MessageRefused, date_header, header, mailbox_header, text_header

letters = st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])
words = st.text(letters, max_size=120).map(lambda text: " ".join(text.split())) | st.lists(
    st.sampled_from(["汉字", "👩\u200d🚀", "=?utf-8?q?a?=", "plain", 'quo"te', "back\\slash", "a" * 90, "c,d;e@f"])
).map(" ".join)


def parsed(line: str) -> email.message.EmailMessage:
    return email.message_from_bytes(line.encode("ascii") + b"\r\n", policy=email.policy.default)


def assert_shape(line: str) -> None:
    """Lines of at most 78 characters, encoded words of at most 75 that decode alone."""
    assert line.endswith("\r\n")
    for part in line.removesuffix("\r\n").split("\r\n"):
        assert len(part) <= 78
        for word in part.split():
            if word.startswith("=?utf-8?"):
                assert len(word) <= 75
                assert len(part) <= 76
                str(email.header.make_header(email.header.decode_header(word)))  # raises on half a character


@given(words)
def test_a_subject_survives(text: str) -> None:
    line = text_header("Subject", text)
    assert_shape(line)
    assert not parsed(line)["Subject"].defects
    assert parsed(line)["Subject"] == text


@given(words)
def test_a_display_name_survives(name: str) -> None:
    line = mailbox_header("To", name, "chen@example.com")
    assert_shape(line)
    (address,) = parsed(line)["To"].addresses
    assert address.addr_spec == "chen@example.com"
    assert not parsed(line)["To"].defects
    if "=?utf-8" in line:  # the library's address parser puts a blank between encoded words, its decoder does not
        phrase = line.removeprefix("To: ").rpartition("<")[0].strip().replace("\r\n", "")
        assert str(email.header.make_header(email.header.decode_header(phrase))) == name
    else:
        assert address.display_name == name


@given(st.datetimes(timezones=st.timezones()))
def test_a_date_keeps_its_moment_and_its_zone(date: datetime) -> None:
    offset = date.utcoffset()
    assume(offset is not None and offset.seconds % 60 == 0 and date.year >= 1900)
    read = parsed(date_header(date))["Date"].datetime
    assert (read.replace(tzinfo=None), read.utcoffset()) == (date.replace(microsecond=0, tzinfo=None), offset)


def test_ascii_is_not_encoded() -> None:
    assert text_header("Subject", "Two stories, one reader") == "Subject: Two stories, one reader\r\n"
    assert mailbox_header("To", "Chen Xiao", "c@example.com") == "To: Chen Xiao <c@example.com>\r\n"
    assert mailbox_header("To", "Chen, Xiao", "c@example.com") == 'To: "Chen, Xiao" <c@example.com>\r\n'


def test_the_shorter_of_b_and_q_is_taken() -> None:
    assert "=?utf-8?b?" in text_header("Subject", "汉字标题")
    assert "=?utf-8?q?" in text_header("Subject", "A long English title with one é in it")


@pytest.mark.parametrize("bad", ["a\r\nb", "a\nb", "a\x00", "a\x0b", "a\x0c", "a\x85", "a\u2028", "a\u2029", "\ud800"])
def test_control_characters_are_refused(bad: str) -> None:
    with pytest.raises(MessageRefused, match="Subject"):
        text_header("Subject", bad)
    with pytest.raises(MessageRefused, match="To"):
        mailbox_header("To", bad, "c@example.com")


def test_a_line_over_998_characters_is_refused() -> None:
    with pytest.raises(MessageRefused, match="998"):
        header("List-Unsubscribe", "x" * 999)
