"""The records of the sending domain, asked of a real name server on loopback: each one missing or wrong in turn."""

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from name_server import ROOT, NameServer
from pydantic import SecretStr

from newsletter.checkup.dkim import Signing, signings_of
from newsletter.checkup.dns_records import Names
from newsletter.checkup.findings import Finding, Verdict
from newsletter.checkup.sending_domain import domain_records, sending_domains
from newsletter.checkup.spf import _taken_apart
from newsletter.checkup.tag_list import tags
from newsletter.settings import Settings

Records = dict[tuple[str, str], Sequence[str]]
Look = Callable[..., dict[str, Finding]]
SENDER, ENVELOPE = "news.tidewater.example", "bounce.tidewater.example"
SIGNING = Signing("tidewater.example", "s1", "v=DKIM1; k=rsa; p=" + "MIIBIjANBgkq" * 30)
SPF, DKIM, DMARC = (ENVELOPE, "TXT"), (SIGNING.place, "TXT"), ("_dmarc.tidewater.example", "TXT")
GOOD: Records = {
    **ROOT,
    SPF: ["v=spf1 include:_spf.relay.example ~all", "another=text"],
    ("_spf.relay.example", "TXT"): ["v=spf1 ip4:192.0.2.0/24 -all"],
    DKIM: [SIGNING.record],
    DMARC: ["v=DMARC1; p=none; rua=mailto:dmarc@tidewater.example"],
    (SENDER, "MX"): ["10 mx.tidewater.example."],
    (ENVELOPE, "A"): ["192.0.2.5"],
}


@pytest.fixture
def look() -> Iterator[Look]:
    """Checks the domains against a name server with these records."""
    with ExitStack() as stack:

        def ask(
            records: Mapping[tuple[str, str], Sequence[str]],
            *,
            sender: str = SENDER,
            envelope: str = ENVELOPE,
            signings: Sequence[Signing] = (SIGNING,),
            fails: frozenset[str] = frozenset(),
        ) -> dict[str, Finding]:
            server = stack.enter_context(NameServer(records, fails=fails))
            names = Names("127.0.0.1", server.port)
            return {finding.name: finding for finding in domain_records(names, sender, envelope, signings)}

        yield ask


def without(*keys: tuple[str, str]) -> Records:
    return {key: value for key, value in GOOD.items() if key not in keys}


def test_a_domain_with_all_its_records_is_well(look: Look) -> None:
    found = look(GOOD)
    assert {finding.verdict for name, finding in found.items() if name != "PTR"} == {Verdict.OK}
    assert list(found) == ["SPF", "DKIM s1", "PTR", "DMARC", "alignment", "replies", "bounces"]


@pytest.mark.parametrize(
    ("missing", "name"),
    [(SPF, "SPF"), (DKIM, "DKIM s1"), (DMARC, "DMARC"), ((SENDER, "MX"), "replies")],
)
def test_each_record_that_is_missing_is_wrong_and_the_others_are_not(
    look: Look, missing: tuple[str, str], name: str
) -> None:
    found = look(without(missing))
    bad = [one for one in found.values() if one.verdict is Verdict.WRONG]
    assert [one.name for one in bad if one.name != "alignment"] == [name]
    assert bad[0].advice


@pytest.mark.parametrize(
    ("record", "verdict", "says"),
    [
        ("v=spf1 +all", Verdict.WRONG, "everybody"),
        ("v=spf1 all", Verdict.WRONG, "everybody"),
        ("v=spf1 ip4:192.0.2.1 ?all", Verdict.WARNING, "says nothing"),
        ("v=spf1 ip4:192.0.2.1", Verdict.WARNING, "says nothing"),
        ("v=spf1 ipv4:192.0.2.1 -all", Verdict.WRONG, "does not know"),
        ("v=spf1 include:nowhere.example -all", Verdict.WRONG, "nowhere.example"),
        ("v=spf1 include:loop.example -all", Verdict.WRONG, "10 look-ups"),
        ("v=spf1 a mx a:b.example " + "exists:c.example " * 8 + "-all", Verdict.WRONG, "10 look-ups"),
        ("v=spf1 redirect=_spf.relay.example", Verdict.OK, "redirect"),
        ("v=spf1 redirect=open.example", Verdict.WRONG, "everybody"),
        ("v=spf1 include:open.example -all", Verdict.OK, "-all"),
        ("v=spf1 exists:%{i}._spf.relay.example exp=why.example -all", Verdict.OK, "exists"),
        ("V=SPF1 A/24 -ALL", Verdict.OK, "ALL"),
    ],
)
def test_an_spf_record_is_read_as_a_receiver_reads_it(look: Look, record: str, verdict: Verdict, says: str) -> None:
    more = {("loop.example", "TXT"): ["v=spf1 include:loop.example"], ("open.example", "TXT"): ["v=spf1 +all"]}
    found = look({**GOOD, **more, SPF: [record]})["SPF"]
    assert (found.verdict, says in found.what) == (verdict, True), found


def test_two_spf_records_are_as_good_as_none(look: Look) -> None:
    found = look({**GOOD, SPF: ["v=spf1 ~all", "v=spf1 mx ~all"]})["SPF"]
    assert found.verdict is Verdict.WRONG
    assert "2 SPF records" in found.what


@pytest.mark.parametrize(
    ("records", "verdict", "says"),
    [
        (["v=DKIM1; k=rsa; p=MIIBanother"], Verdict.WRONG, "not that of the private key"),
        (["v=DKIM1; k=rsa; p="], Verdict.WRONG, "revoked"),
        ([SIGNING.record, "v=DKIM1; p=MIIBformer"], Verdict.WRONG, "2 records"),
        ([SIGNING.record.replace("k=rsa", "k=ed25519")], Verdict.WRONG, "not that of the private key"),
        ([SIGNING.record + "; t=s:y"], Verdict.WARNING, "testing"),
        ([SIGNING.record.replace("k=rsa; ", "").replace("BIj", "BIj ")], Verdict.OK, "holds the public key"),
    ],
)
def test_the_published_key_is_compared_with_the_one_in_use(
    look: Look, records: list[str], verdict: Verdict, says: str
) -> None:
    found = look({**GOOD, DKIM: records})["DKIM s1"]
    assert (found.verdict, says in found.what) == (verdict, True), found


@pytest.mark.parametrize(
    ("record", "verdict", "says"),
    [
        ("v=DMARC1; p=reject; sp=none", Verdict.OK, "sp=none"),
        ("v=DMARC1; rua=mailto:d@tidewater.example", Verdict.WARNING, "no p="),
        ("v=DMARC1; p=maybe", Verdict.WARNING, "p=maybe"),
        ("v=dmarc1; p=none", Verdict.WRONG, "neither"),
    ],
)
def test_the_policy_of_the_domain_above_applies(look: Look, record: str, verdict: Verdict, says: str) -> None:
    found = look({**GOOD, DMARC: [record]})["DMARC"]
    assert (found.verdict, says in found.what) == (verdict, True), found


def test_several_dmarc_records_at_one_name_are_wrong(look: Look) -> None:
    assert look({**GOOD, DMARC: ["v=DMARC1; p=none", "v=DMARC1; p=reject"]})["DMARC"].verdict is Verdict.WRONG


def test_domains_under_a_public_suffix_do_not_belong_together(look: Look) -> None:
    records = {**GOOD, ("_dmarc.example", "TXT"): ["v=DMARC1; p=none; psd=y"]}
    stranger = look(records, envelope="bounce.elsewhere.example", signings=())["alignment"]
    sibling = look(records, envelope=ENVELOPE, signings=())["alignment"]
    assert (stranger.verdict, sibling.verdict) == (Verdict.WARNING, Verdict.OK)


def test_a_domain_that_says_psd_n_stands_alone(look: Look) -> None:
    records = {**GOOD, (f"_dmarc.{SENDER}", "TXT"): ["v=DMARC1; p=none; psd=n"]}
    assert look(records, signings=())["alignment"].verdict is Verdict.WARNING


def test_neither_signature_nor_return_path_of_the_domain_is_wrong(look: Look) -> None:
    elsewhere = Signing("relay.example", "s1", SIGNING.record)
    found = look(
        {**GOOD, ("_dmarc.relay.example", "TXT"): ["v=DMARC1; p=none"]}, envelope="relay.example", signings=[elsewhere]
    )
    assert found["alignment"].verdict is Verdict.WRONG


def test_strict_alignment_asks_for_the_same_domain(look: Look) -> None:
    strict = {**GOOD, DMARC: ["v=DMARC1; p=none; adkim=s; aspf=s"]}
    assert look(strict)["alignment"].verdict is Verdict.WRONG
    assert look(strict, envelope=SENDER)["alignment"].verdict is Verdict.OK


def test_a_long_name_is_walked_in_eight_questions() -> None:
    deep = ".".join("abcdefghijkl") + ".example"
    with NameServer({**ROOT}) as server:
        list(domain_records(Names("127.0.0.1", server.port), deep, deep, ()))
    walked = [name for name in server.asked if name.startswith("_dmarc.")]
    assert walked[:2] == [f"_dmarc.{deep}", "_dmarc.g.h.i.j.k.l.example"]
    assert len(walked) == 8


def test_a_domain_that_takes_no_mail_cannot_be_answered(look: Look) -> None:
    found = look({**GOOD, (SENDER, "MX"): ["0 ."]})["replies"]
    assert (found.verdict, "takes no mail" in found.what) == (Verdict.WRONG, True)


def test_a_name_that_the_server_fails_on_is_not_checked_and_the_others_are(look: Look) -> None:
    found = look(GOOD, fails=frozenset({SIGNING.place}))
    assert found["DKIM s1"].verdict is Verdict.NOT_CHECKED
    assert found["SPF"].verdict is Verdict.OK


def test_a_silent_name_server_is_asked_once_and_nothing_is_checked(settings: Settings) -> None:
    began = time.monotonic()
    with NameServer(GOOD, silent=True) as server:
        found = list(sending_domains(settings, Names("127.0.0.1", server.port, question_seconds=0.2)))
    assert [one.verdict for one in found] == [Verdict.NOT_CHECKED]
    assert time.monotonic() - began < 3
    assert set(server.asked) == {""}


def test_a_name_server_without_the_root_is_not_believed(settings: Settings) -> None:
    with NameServer({}) as server:
        found = list(sending_domains(settings, Names("127.0.0.1", server.port)))
    assert [one.verdict for one in found] == [Verdict.NOT_CHECKED]


def test_no_domain_is_asked_for_while_the_sender_is_the_default(settings: Settings) -> None:
    bare = Settings(secret_key=settings.secret_key)
    with NameServer(GOOD) as server:
        found = list(sending_domains(bare, Names("127.0.0.1", server.port)))
    assert (found[0].verdict, server.asked) == (Verdict.NOT_CHECKED, [])


def test_the_records_of_the_keys_in_the_settings_are_compared(settings: Settings) -> None:
    key = subprocess.run(["openssl", "genrsa", "2048"], check=True, capture_output=True, text=True).stdout
    signed = settings.model_copy(
        update={"dkim_domain": "example.org", "dkim_selector": "s1", "dkim_key": SecretStr(key)}
    )
    (signing,) = signings_of(signed)
    with NameServer({**ROOT, ("s1._domainkey.example.org", "TXT"): [signing.record]}) as server:
        found = {one.name: one for one in sending_domains(signed, Names("127.0.0.1", server.port))}
    assert found["DKIM s1"].verdict is found["alignment"].verdict is Verdict.OK


def test_a_key_that_is_none_is_wrong_and_is_not_shown(settings: Settings) -> None:
    update = {"dkim_domain": "example.org", "dkim_selector": "s1", "dkim_key": SecretStr("a secret word")}
    with NameServer({**ROOT}) as server:
        found = list(sending_domains(settings.model_copy(update=update), Names("127.0.0.1", server.port)))
    assert (found[0].name, found[0].verdict) == ("DKIM key", Verdict.WRONG)
    assert "secret" not in str(found)


@given(st.text(max_size=80))
def test_any_record_is_taken_apart(text: str) -> None:
    assert all("=" not in name for name in tags(text))
    assert all(len(_taken_apart(term)) == 3 for term in text.split())
