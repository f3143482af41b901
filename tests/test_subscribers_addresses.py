"""Addresses and names: what is let in can stand in an envelope and in a header."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from subscribers.addresses import (
    AddressRefused,
    NameRefused,
    clean_name,
    hash_address,
    hash_mailbox,
    parse_address,
    without_addresses,
)

KEY = b"a key of the tests, long enough."
LINE_BREAKERS = ["\r", "\n", "\0", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029"]


def _writable(text: str) -> bool:
    return all(unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp") for character in text)


@given(st.text() | st.text("ab.@>< \r\n\x85\u2028＠-xorg", max_size=20).map(lambda text: f"{text}@example.org{text}"))
@example("a@x.org\r\nDATA")
@example("a@x.org>\r\nRCPT TO:<b@x.org>")
def test_no_text_ever_yields_an_address_that_could_break_a_line_or_an_envelope(text: str) -> None:
    try:
        address = parse_address(text)
    except AddressRefused as refused:
        assert _writable(str(refused))
        return
    assert _writable(address.display)
    assert address.ascii.isascii()
    assert not set(address.ascii) & set("<> ,;\t")


@pytest.mark.parametrize("breaker", LINE_BREAKERS)
@pytest.mark.parametrize("shape", ["{}a@x.org", "a{}@x.org", "a@x{}.org", "a@x.org{}"])
def test_a_line_breaker_anywhere_refuses_the_address(breaker: str, shape: str) -> None:
    with pytest.raises(AddressRefused, match="line break"):
        parse_address(shape.format(breaker))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("张三@example.org", "SMTPUTF8"),
        ("ａｎ@example.org", "SMTPUTF8"),
        ("a" * 250 + "@example.org", "254"),
        ("an@localhost", "period"),
        ("an@test", "period"),
        ("an@mail.localhost", "special-use"),
        ("An <an@example.org>", "angle brackets"),
        ("an@[192.0.2.1]", "bracketed"),
        ('"an na"@example.org', "Quoting"),
        ("  ", "empty"),
        ("an.example.org", "@"),
        ("an@example.org@example.org", "@"),
    ],
)
def test_an_impossible_address_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        parse_address(text)
    assert reason in refused.value.reason


def test_a_refusal_names_the_address_it_is_about() -> None:
    with pytest.raises(AddressRefused, match=r"^an@\.org cannot be written to: "):
        parse_address("an@.org")


@pytest.mark.parametrize("domain", ["example.org", "example.com", "example.net", "demo.test", "news.example"])
def test_domains_of_rehearsals_are_let_in(domain: str) -> None:
    assert parse_address(f"an@{domain}").ascii == f"an@{domain}"


@pytest.mark.parametrize("text", ["  an@example.org\t", "\u3000an@example.org", "an＠example.org", "an@EXAMPLE.org"])
def test_blanks_around_and_a_full_width_at_sign_are_forgiven(text: str) -> None:
    assert parse_address(text).ascii == "an@example.org"


def test_case_does_not_make_another_person_but_the_local_part_is_written_as_given() -> None:
    loud, quiet = parse_address("An.Li@Example.ORG"), parse_address("an.li@example.org")
    assert loud.key == quiet.key
    assert loud.ascii == "An.Li@example.org"


def test_a_chinese_domain_travels_as_a_labels_and_both_spellings_are_one_person() -> None:
    address = parse_address("an@例子.中国")
    assert address.ascii == "an@xn--fsqu00a.xn--fiqs8s"
    assert address.display == "an@例子.中国"
    assert parse_address(address.ascii).key == address.key


def test_the_keyed_hash_follows_identity_and_depends_on_the_key() -> None:
    one, other = parse_address("An@example.org"), parse_address("an@example.org")
    assert hash_address(one, KEY) == hash_address(other, KEY)
    assert hash_address(one, KEY) != hash_address(one, KEY[::-1])


@pytest.mark.parametrize("breaker", LINE_BREAKERS)
def test_a_line_breaker_refuses_a_name(breaker: str) -> None:
    with pytest.raises(NameRefused, match="line break"):
        clean_name(f"张{breaker}三")


def test_a_name_keeps_everything_but_the_blanks_around_it() -> None:
    assert clean_name("\u3000<张> {{ 三 }} 👩‍👩‍👧 ") == "<张> {{ 三 }} 👩‍👩‍👧"


def test_a_name_of_endless_length_is_refused() -> None:
    with pytest.raises(NameRefused, match="200"):
        clean_name("名" * 201)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("I, jane@corp.example, agree", "I, … agree"),
        ("我（jane@corp.example）同意", "我（…）同意"),
        ("写信到 文＠示例.中国。谢谢", "写信到 …。谢谢"),
        ("a@b@c.example", "…"),
        ("one @ two, and @ alone", "one @ two, and @ alone"),
    ],
)
def test_a_text_is_kept_without_what_may_be_an_address(text: str, kept: str) -> None:
    assert without_addresses(text) == kept


def test_a_long_text_is_searched_for_addresses_in_no_time() -> None:
    assert without_addresses("x" * 1_000_000) == "x" * 1_000_000


@pytest.mark.parametrize(
    ("text", "mailbox"),
    [
        ("Li+News@Example.org", "li@example.org"),
        ("li+a+b@example.org", "li@example.org"),
        ("li@example.org", "li@example.org"),
        ("+li@example.org", "+li@example.org"),
        ("li-news@example.org", "li-news@example.org"),
    ],
)
def test_a_tag_is_no_part_of_a_mailbox(text: str, mailbox: str) -> None:
    assert parse_address(text).mailbox == mailbox


def test_a_tag_makes_another_address_and_the_same_mailbox() -> None:
    plain, tagged = parse_address("li@example.org"), parse_address("li+a@example.org")
    assert hash_address(plain, KEY) != hash_address(tagged, KEY)
    assert hash_mailbox(plain, KEY) == hash_mailbox(tagged, KEY)
    assert hash_mailbox(plain, KEY) != hash_address(plain, KEY)
