"""DKIM signatures hold with verifiers that share no code with ours, and stop holding when a letter is changed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from dkim_verifiers import DKIMPY, MAIL_DKIM, OPENDKIM, Held, Verifier, altered
from hypothesis import given, settings
from hypothesis import strategies as st
from render_samples import EDITION, PUBLICATION, READER, compiled

from newsletter.render.assemble import assemble
from newsletter.render.dkim import KeyRefused, Signer
from newsletter.render.headers import MessageRefused
from newsletter.render.message import fill

RSA_ALONE, ED25519_ALONE, NOTHING = frozenset({"rsa"}), frozenset({"ed25519"}), Held()
RSA_AND_ED25519 = RSA_ALONE | ED25519_ALONE

PrivateKey = rsa.RSAPrivateKey | Ed25519PrivateKey | ec.EllipticCurvePrivateKey


def pem(key: PrivateKey, encryption: KeySerializationEncryption | None = None) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()).decode()


RSA = rsa.generate_private_key(65537, 2048)
ED25519 = Ed25519PrivateKey.generate()
AT = datetime(2026, 3, 9, 0, 0, tzinfo=UTC)
SIGNER = Signer.load("example.org", "s1", pem(RSA))
BOTH = Signer.load("example.org", "s1", pem(RSA), "e1", pem(ED25519))
ASSEMBLED = assemble(compiled(), EDITION)
MAIL = fill(ASSEMBLED, READER).data
HEADERS = re.findall(rb"^([A-Za-z-]+): ", MAIL.partition(b"\r\n\r\n")[0], re.MULTILINE)

# Real messages and odd ones; the odd ones are whole, since SMTP ends every line with CRLF.
SHAPES = {
    "html": MAIL,
    "text": fill(ASSEMBLED, replace(READER, format="text")).data,
    "plain": b"From: a@example.org\r\nSubject: Hi\r\n\r\nOne line of text.\r\n",
    "blanks in headers": b"FROM:\t a@example.org \r\nSubject:  A \t b\r\n\tand  c \r\nTo:b@example.com\r\n\r\n-\r\n",
    "blanks in the body": b"From: a@example.org\r\n\r\n  two  \t three\t\r\n \t \r\nend   \r\n",
    "empty lines at the end": b"From: a@example.org\r\n\r\nHi\r\n\r\n \r\n\r\n",
    "empty body": b"From: a@example.org\r\nSubject: Hi\r\n\r\n",
    "body of empty lines": b"From: a@example.org\r\n\r\n\r\n\r\n",
    "two of one header": b"List-Id: <a.example.org>\r\nFrom: a@example.org\r\nList-Id: <b.example.org>\r\n\r\nHi\r\n",
}


@dataclass(frozen=True)
class Asked:
    """A verifier of this machine, and a folder for what it reads."""

    verifier: Verifier
    folder: Path

    def held(self, mails: Sequence[bytes], signer: Signer) -> list[Held]:
        """The algorithms of each mail's signatures that hold."""
        return self.verifier.verify(mails, signer.records(), self.folder)


@pytest.fixture(params=[DKIMPY, MAIL_DKIM, OPENDKIM], ids=lambda verifier: verifier.name)
def asked(request: pytest.FixtureRequest, tmp_path: Path) -> Asked:
    verifier: Verifier = request.param
    if lack := verifier.lack():
        pytest.skip(lack)
    return Asked(verifier, tmp_path)


def signed(data: bytes, signer: Signer = SIGNER) -> bytes:
    return signer.sign(data, AT) + data


def test_signatures_hold_for_messages_of_every_shape(asked: Asked) -> None:
    held = asked.held([signed(data) for data in SHAPES.values()], SIGNER)
    assert dict(zip(SHAPES, held, strict=True)) == dict.fromkeys(SHAPES, RSA_ALONE)


def test_one_changed_letter_breaks_the_signature_wherever_it_stands(asked: Asked) -> None:
    mail = signed(MAIL)
    places = [b"\r\n" + name + b": " for name in HEADERS] + [b"\r\n\r\n", b"text/html; charset=utf-8\r\n"]
    held = asked.held([mail, *(altered(mail, place) for place in places)], SIGNER)
    assert held == [RSA_ALONE, *[NOTHING] * len(places)]
    assert len(places) >= 12


@pytest.mark.parametrize("where", ["above", "below"])
def test_a_second_header_of_a_sealed_name_breaks_the_signature(asked: Asked, where: str) -> None:
    mail = signed(MAIL)
    more = [b"From: other@example.net\r\n", b"Subject: Another\r\n", b"Reply-To: other@example.net\r\n"]
    changed = [
        one + mail if where == "above" else mail.replace(b"\r\n\r\n", b"\r\n" + one + b"\r\n", 1) for one in more
    ]
    assert asked.held(changed, SIGNER) == [NOTHING] * len(more)


def test_ed25519_beside_rsa_holds_by_itself_where_it_is_known(asked: Asked) -> None:
    both = BOTH.sign(MAIL, AT)
    first, second = re.findall(rb"DKIM-Signature: .*?\r\n(?! )", both, re.DOTALL)
    assert b"a=rsa-sha256; " in first and b"a=ed25519-sha256; " in second and first + second == both
    mails = [both + MAIL, second + MAIL, altered(second + MAIL, b"\r\nSubject: "), altered(second + MAIL, b"\r\n\r\n")]
    knows = asked.verifier.knows
    assert asked.held(mails, BOTH) == [RSA_AND_ED25519 & knows, ED25519_ALONE & knows, NOTHING, NOTHING]


def test_the_rsa_signature_is_the_same_with_and_without_ed25519() -> None:
    assert BOTH.sign(MAIL, AT).startswith(SIGNER.sign(MAIL, AT))


def test_the_same_message_and_time_give_the_same_bytes_from_a_new_signer() -> None:
    again = Signer.load("example.org", "s1", pem(RSA), "e1", pem(ED25519))
    assert again.sign(MAIL, AT) == BOTH.sign(MAIL, AT) == BOTH.sign(MAIL, AT.astimezone(READER.date.tzinfo))


BLANKS = st.sampled_from([" ", "\t", "  ", " \t ", "\r\n ", "\r\n\t", " \r\n  "])
WORDS = st.sampled_from(["a", "Bc", "=?utf-8?q?x?=", "<n@example.org>", ":", ";", "d: e"])
VALUES = st.lists(st.one_of(WORDS, BLANKS), max_size=8).map(lambda parts: "".join(["x", *parts]))
NAMES = st.sampled_from(["To", "SUBJECT", "Date", "Message-ID", "list-id", "Feedback-ID", "X-Other"])
FIELDS = st.lists(st.builds("{}:{}\r\n".format, NAMES, VALUES), max_size=6)
LINES = st.lists(st.sampled_from([" ", "\t", "a", "b c", "=", "."]), max_size=6).map("".join)
BODIES = st.lists(st.one_of(LINES, st.just("")), max_size=8).map(lambda lines: "".join(f"{line}\r\n" for line in lines))


@settings(deadline=None)
@given(FIELDS, FIELDS, BODIES)
def test_whatever_the_blanks_the_signature_holds(above: list[str], below: list[str], body: str) -> None:
    data = "".join([*above, "From: a@example.org\r\n", *below, "\r\n", body]).encode()
    assert DKIMPY.verify([signed(data)], SIGNER.records(), Path()) == [RSA_ALONE]


@given(BODIES, st.integers(0, 5))
def test_blanks_that_relays_add_or_drop_change_nothing(body: str, many: int) -> None:
    head = "From: a@example.org\r\nSubject: Hi\r\n\r\n"
    relayed = re.sub(r"[ \t]+\r\n", "\r\n", body).replace(" ", " \t ") + "\r\n" * many
    assert SIGNER.sign((head + relayed).encode(), AT) == SIGNER.sign((head + body).encode(), AT)


def tags(lines: bytes) -> dict[str, str]:
    """The tags of the first signature, without any blanks."""
    value = re.sub(r"\s", "", lines.decode().removeprefix("DKIM-Signature:"))
    return dict(tag.split("=", 1) for tag in value.split(";"))


def test_the_signature_says_what_it_covers() -> None:
    said = tags(SIGNER.sign(MAIL, AT))
    assert {name: said[name] for name in "vacdst"} == {
        "v": "1",
        "a": "rsa-sha256",
        "c": "relaxed/relaxed",
        "d": "example.org",
        "s": "s1",
        "t": "1773014400",
    }
    assert "l" not in said
    listed = said["h"].split(":")
    assert {name.decode().lower() for name in HEADERS} <= set(listed)
    assert [listed.count(name) for name in ("from", "to", "subject", "date", "content-type")] == [2] * 5


def test_an_absent_reply_to_is_sealed_and_an_absent_list_header_is_not_named() -> None:
    without = fill(assemble(compiled(publication=replace(PUBLICATION, reply_to="")), EDITION), READER).data
    listed = tags(SIGNER.sign(without, AT))["h"].split(":")
    assert b"\r\nReply-To:" not in without and listed.count("reply-to") == 1
    assert "feedback-id" not in listed and "list-help" not in listed
    more = tags(SIGNER.sign(b"Feedback-ID: 1:2:3:x\r\nList-Help: <https://example.org>\r\n" + without, AT))["h"].split(
        ":"
    )
    assert "feedback-id" in more and "list-help" in more


@given(st.integers(1, 60), st.integers(1, 60))
def test_no_line_is_longer_than_78(domain: int, selector: int) -> None:
    signer = replace(SIGNER, domain="d" * domain, keys=(replace(SIGNER.keys[0], selector="s" * selector),))
    lines = signer.sign(MAIL, AT)
    assert lines.endswith(b"\r\n") and b"\n" not in lines.replace(b"\r\n", b"")
    assert max(map(len, lines.split(b"\r\n"))) <= 78


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(MessageRefused, match="no zone"):
        SIGNER.sign(MAIL, AT.replace(tzinfo=None))


def test_the_record_of_a_known_ed25519_key_is_that_of_rfc_8463() -> None:
    # The key pair of its appendix A, which is the first one of RFC 8032 section 7.1.
    private = Ed25519PrivateKey.from_private_bytes(
        bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    )
    records = Signer.load("football.example.com", "test", pem(RSA), "brisbane", pem(private)).records()
    assert records["brisbane._domainkey.football.example.com"] == (
        "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    )
    assert records["test._domainkey.football.example.com"].startswith("v=DKIM1; k=rsa; p=MII")


def long_key() -> rsa.RSAPrivateKey:
    """A key of 4484 bits out of two Mersenne primes, at once instead of in seconds."""
    p, q, e = 2**2281 - 1, 2**2203 - 1, 65537
    d = pow(e, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q), rsa.RSAPublicNumbers(e, p * q)
    )
    return numbers.private_key()


GOOD, OTHER = pem(RSA), pem(ED25519)
PUBLIC = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
REFUSED = {
    "empty": (("example.org", "s1", ""), "DKIM_KEY is not a PEM private key.*DKIM_KEY_FILE"),
    "no PEM": (("example.org", "s1", "s3cret words"), "DKIM_KEY is not a PEM private key"),
    "on one line": (
        ("example.org", "s1", GOOD.replace("\n", "\\n")),
        "DKIM_KEY is not a PEM private key.*several lines",
    ),
    "not text": (("example.org", "s1", "\udcff" + "密钥"), "DKIM_KEY is not a PEM private key"),
    "public": (("example.org", "s1", PUBLIC), "DKIM_KEY holds a public key"),
    "encrypted": (
        ("example.org", "s1", pem(RSA, BestAvailableEncryption(b"word"))),
        "DKIM_KEY is encrypted.*openssl pkey",
    ),
    "Ed25519 for RSA": (("example.org", "s1", OTHER), "DKIM_KEY is not an RSA key.*openssl"),
    "too short": (("example.org", "s1", pem(rsa.generate_private_key(65537, 1024))), "DKIM_KEY .* 1024 bits.*2048"),
    "too long": (("example.org", "s1", pem(long_key())), "DKIM_KEY .* 4484 bits.*4096"),
    "RSA for Ed25519": (("example.org", "s1", GOOD, "e1", GOOD), "DKIM_ED25519_KEY is not an Ed25519 key"),
    "EC for Ed25519": (
        ("example.org", "s1", GOOD, "e1", pem(ec.generate_private_key(ec.SECP256R1()))),
        "DKIM_ED25519_KEY is not an Ed25519 key",
    ),
    "Ed25519 selector alone": (("example.org", "s1", GOOD, "e1", ""), "DKIM_ED25519_KEY is not a PEM"),
    "Ed25519 key alone": (("example.org", "s1", GOOD, "", OTHER), "DKIM_ED25519_SELECTOR is ''"),
    "one selector twice": (("example.org", "s1", GOOD, "S1", OTHER), "DKIM_ED25519_SELECTOR is the same"),
    "domain that breaks out": (("example.org;\r\n x", "s1", GOOD), "DKIM_DOMAIN is .*DNS name"),
    "domain outside ASCII": (("例子.example", "s1", GOOD), "DKIM_DOMAIN is .*ASCII"),
    "no selector": (("example.org", "", GOOD), "DKIM_SELECTOR is ''"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_sign_is_refused_with_the_setting_and_what_to_do(case: str) -> None:
    arguments, words = REFUSED[case]
    with pytest.raises(KeyRefused, match=words) as refused:
        Signer.load(*arguments)
    secrets = [line for text in arguments[2::2] for line in text.splitlines() if line and not line.startswith("-----")]
    assert not [line for line in secrets if line in str(refused.value)]


def test_a_signer_shown_in_a_log_shows_no_key() -> None:
    assert "PRIVATE" not in repr(BOTH) and GOOD.splitlines()[1] not in repr(BOTH)
