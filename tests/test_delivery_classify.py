"""What a reply means for its reader: one line per reply as the receivers word it, and the laws behind the table."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.delivery.classify import RULES, Class, Rule, classify, is_worth_retrying, words
from newsletter.delivery.outcome import Stage

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "replies.md"
HARD, SOFT, BLOCK, UNCLASSIFIED = Class.HARD, Class.SOFT, Class.BLOCK, Class.UNCLASSIFIED

AT_RCPT = [
    # Gmail
    (HARD, 550, "5.1.1 The email account that you tried to reach does not exist. Please try\n5.1.1 double-checking the "
                "recipient's email address for typos or unnecessary spaces.\n"
                "5.1.1 https://support.google.com/mail/?p=NoSuchUser ab12-20si - gsmtp"),
    (HARD, 550, "5.0.0 The email account that you tried to reach does\n5.0.0 not exist. - gsmtp"),
    (HARD, 550, "5.2.1 The email account that you tried to reach is inactive. ab12 - gsmtp"),
    (SOFT, 550, "5.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional "
                "messages from being delivered. - gsmtp"),
    (SOFT, 552, "5.2.2 The recipient's inbox is out of storage space. ab12 - gsmtp"),
    (SOFT, 550, "5.4.5 Daily user sending limit exceeded. - gsmtp"),
    # Outlook.com and Exchange
    (HARD, 550, "5.5.0 Requested action not taken: mailbox unavailable (S2017062302). [AB1EUR01FT020.example]"),
    (HARD, 550, "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient anna@example.org not found by SMTP address lookup"),
    (HARD, 550, "5.1.1 RESOLVER.ADR.RecipNotFound; not found"),
    (HARD, 550, "RESOLVER.ADR.ExRecipNotFound; not found"),
    (BLOCK, 550, "5.7.515 Access denied, sending domain example.org does not meet the required authentication level."),
    (BLOCK, 550, "5.7.1 RESOLVER.RST.AuthRequired; authentication required"),
    (BLOCK, 550, "5.7.606 Access denied, banned sending IP [192.0.2.1]"),
    (UNCLASSIFIED, 550, "5.4.1 Recipient address rejected: Access denied. [AB1PEPF0000EE3C.example]"),
    (UNCLASSIFIED, 550, "Requested action not taken: mailbox unavailable"),
    # QQ
    (HARD, 550, "Mailbox not found. http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=20022&&no=1000728"),
    (SOFT, 550, "Ip frequency limited. http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=20022&&no=1000725"),
    (SOFT, 550, "Connection frequency limited. http://service.mail.qq.com/cgi-bin/help?id=20022"),
    (SOFT, 550, "Domain frequency limited [example.org]"),
    (SOFT, 550, "Sender frequency limited"),
    (SOFT, 550, "Mailbox unavailable or access denied"),
    (BLOCK, 550, "SPF check failed"),
    (BLOCK, 550, "DMARC check failed"),
    (BLOCK, 550, "Domain may not exist or DNS check failed"),
    (BLOCK, 550, "Suspected spam sender"),
    (UNCLASSIFIED, 550, "Mail is rejected by recipients"),
    (UNCLASSIFIED, 501, "Bad address syntax. http://service.mail.qq.com/cgi-bin/help?id=20022&&no=1000730"),
    # NetEase, Alibaba, Sina
    (HARD, 550, "User not found: wang@163.example"),
    (HARD, 550, "Invalid User"),
    (HARD, 554, "RCPT (wang@example.org) dosn't exist"),
    (SOFT, 554, "MI:SFQ 163 smtp10,xyz"),
    (SOFT, 550, "HL:IFC 163 smtp11,xyz"),
    (SOFT, 550, "RP:DRC 163 smtp11"),
    (BLOCK, 554, "DT:SPM 163 smtp13,xyz"),
    (BLOCK, 554, "HL:REP 163 smtp13"),
    (UNCLASSIFIED, 550, "User suspended"),
    # Yahoo, iCloud, Yandex
    (HARD, 554, "delivery error: dd This user doesn't have a yahoo.com account (anna@yahoo.example) [0]"),
    (SOFT, 554, "delivery error: dd Sorry, your message to anna@yahoo.example cannot be delivered. This account is "
                "over quota."),
    (BLOCK, 553, "5.7.1 [BL21] Connections not accepted from this address"),
    (HARD, 550, "5.1.1 <anna@icloud.example>: user does not exist"),
    (UNCLASSIFIED, 550, "5.1.1 <anna@icloud.example>: inactive email address"),
    (BLOCK, 550, "5.7.1 [CS01] Message rejected due to local policy."),
    (HARD, 550, "5.7.1 No such user!"),
    # Postfix, Exim, Sendmail, qmail
    (HARD, 550, "5.1.1 <anna@example.org>: Recipient address rejected: User unknown in local recipient table"),
    (HARD, 550, "<anna@example.org>: Recipient address rejected: User unknown in virtual mailbox table"),
    (HARD, 550, "Unrouteable address"),
    (HARD, 550, "No Such User Here"),
    (HARD, 550, "sorry, no mailbox here by that name. (#5.1.1)"),
    (HARD, 550, "5.2.1 <anna@example.org>... Mailbox disabled for this recipient"),
    (HARD, 550, "<anna@nowhere.example>: Recipient address rejected: Domain not found"),
    (HARD, 556, "5.1.10 <anna@example.org>: Recipient address rejected: Domain example.org does not accept mail "
                "(nullMX)"),
    (HARD, 556, "Domain does not accept mail"),
    (UNCLASSIFIED, 556, "remote ip check error"),
    (SOFT, 550, "5.2.2 <anna@example.org>: mailbox full"),
    (SOFT, 552, "Requested mail action aborted: exceeded storage allocation"),
    (SOFT, 552, "no"),
    (SOFT, 550, "Greylisted, see http://greylist.example/help"),
    (SOFT, 554, "5.3.2 system not accepting network messages"),
    (SOFT, 550, "5.1.1 User unknown: account temporarily disabled"),
    (BLOCK, 554, "5.7.1 <anna@example.org>: Relay access denied"),
    (BLOCK, 554, "<anna@example.org>: Relay access denied"),
    (BLOCK, 550, "relay not permitted"),
    (BLOCK, 550, "Verification failed for <news@example.org>\nNo Such User Here\nSender verify failed"),
    (BLOCK, 553, "5.1.8 Domain of sender address news@example.org does not exist"),
    (BLOCK, 550, "<mx.example.org>: Helo command rejected: Host not found"),
    (BLOCK, 530, "5.5.1 Authentication Required."),
    (BLOCK, 503, "5.5.1 Bad sequence of commands"),
    (BLOCK, 552, "5.3.4 Message size exceeds fixed limit"),
    # what a name says is not what the server says
    (HARD, 550, "5.1.1 <spam.policy@example.org>: Recipient address rejected: User unknown"),
    (UNCLASSIFIED, 550, "no.such.user@example.org was refused"),
    (UNCLASSIFIED, 550, "refused by gateway 5.1.1 of ours"),
    (UNCLASSIFIED, 550, "4.1.1 refused"),
    (UNCLASSIFIED, 550, ""),
    (UNCLASSIFIED, 550, "5.0.0 no"),
]  # fmt: skip

AFTER_MESSAGE = [
    (BLOCK, 550, "5.7.26 This mail has been blocked because the sender is unauthenticated. - gsmtp"),
    (BLOCK, 550, "Mail content denied. http://service.mail.qq.com/cgi-bin/help?no=1000726"),
    (BLOCK, 554, "5.7.1 spam"),
    (BLOCK, 554, "5.6.0 Message content not accepted"),
    (BLOCK, 554, "Transaction failed"),
    (BLOCK, 552, "message rejected by anti-spam engine"),
    (SOFT, 552, "5.2.2 over quota"),
    (HARD, 550, "5.1.1 User unknown"),
    (HARD, 550, "5.1.10 RESOLVER.ADR.RecipientNotFound; not found"),
    (HARD, 550, "5.2.1 The email account that you tried to reach is disabled. - gsmtp"),
    (HARD, 554, "delivery error: dd This user doesn't have a yahoo.com account (anna@yahoo.example) [0]"),
    (HARD, 552, "1 Requested mail action aborted, mailbox not found"),
    (HARD, 554, "30 Sorry, your message to anna@yahoo.example cannot be delivered. This mailbox is disabled (554.30)."),
    (UNCLASSIFIED, 550, "User unknown"),
    (UNCLASSIFIED, 550, "Mailbox not found"),
    (UNCLASSIFIED, 550, "5.5.0 Requested action not taken: mailbox unavailable (S2017062302)"),
]

TEMPORARY = [
    (SOFT, 450, "4.2.1 The user you are trying to contact is receiving mail too quickly. - gsmtp"),
    (SOFT, 452, "4.2.2 The email account that you tried to reach is over quota. - gsmtp"),
    (SOFT, 450, "4.1.1 <anna@example.org>: Recipient address rejected: User unknown"),
    (SOFT, 450, "4.7.1 <anna@example.org>: Recipient address rejected: Greylisted, see http://policy.example/"),
    (SOFT, 421, "4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user "
                "complaints - 4.16.55.1; see https://postmaster.yahooinc.example/error-codes"),
    (SOFT, 421, "HL:ICC 163 smtp1"),
    (SOFT, 450, "MI:DMC 163 smtp1"),
    (SOFT, 451, "MI:SFQ 163 smtp1"),
    (SOFT, 451, "something nobody has ever said"),
    (BLOCK, 421, "4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your IP address."),
    (BLOCK, 421, "4.7.26 Your email has been rate limited because it is unauthenticated."),
    (BLOCK, 451, "4.7.651 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation."),
    (BLOCK, 451, "DT:SPM, please try again"),
    (BLOCK, 421, "HL:REP 163 smtp1"),
]  # fmt: skip

RETRIED = [
    (550, "Ip frequency limited. http://service.mail.qq.com/cgi-bin/help?id=20022"),
    (550, "Mailbox unavailable or access denied"),
    (550, "DT:SPM 163 smtp1"),
    (554, "MI:SFQ 163 smtp1"),
    (550, "HL:REP 163 smtp1"),
    (552, "5.2.2 mailbox full"),
    (503, "bad sequence of commands"),
]

NOT_RETRIED = [
    (550, "5.1.1 User unknown"),
    (550, "Mailbox not found"),
    (550, "Mail content denied"),
    (554, "5.7.1 Relay access denied"),
    (554, "HL:IPB 163 smtp1"),
    (550, "what is this"),
    (250, "2.0.0 ok"),
    (0, "connection lost, try again later"),
]

codes = st.one_of(st.integers(), st.integers(min_value=400, max_value=599))
known = st.sampled_from([text for _, _, text in (*AT_RCPT, *AFTER_MESSAGE, *TEMPORARY)])
phrases = st.lists(st.sampled_from([phrase for rule in RULES for phrase in rule.texts]), max_size=3).map(" ".join)
statuses = st.sampled_from(["", "5.1.1 ", "4.2.2 ", "5.7.1 ", "5.2.1 ", "(#5.1.1) "])
texts = st.one_of(st.text(), known, st.tuples(statuses, phrases, st.text(max_size=8)).map("".join))
stages = st.sampled_from(Stage)


@pytest.mark.parametrize(("meaning", "code", "text"), AT_RCPT)
def test_a_reply_to_the_recipient_means(meaning: Class, code: int, text: str) -> None:
    assert classify(code, text, Stage.RCPT) is meaning


@pytest.mark.parametrize(("meaning", "code", "text"), AFTER_MESSAGE)
def test_a_reply_to_the_message_means(meaning: Class, code: int, text: str) -> None:
    assert classify(code, text, Stage.DOT) is meaning


@pytest.mark.parametrize(("meaning", "code", "text"), TEMPORARY)
def test_a_temporary_reply_means(meaning: Class, code: int, text: str) -> None:
    assert classify(code, text, Stage.RCPT) is meaning


@pytest.mark.parametrize(("code", "text"), RETRIED)
def test_a_permanent_refusal_known_to_pass_is_worth_retrying(code: int, text: str) -> None:
    assert is_worth_retrying(code, text, Stage.RCPT)


@pytest.mark.parametrize(("code", "text"), NOT_RETRIED)
def test_any_other_refusal_is_not_worth_retrying(code: int, text: str) -> None:
    assert not is_worth_retrying(code, text, Stage.RCPT)


@pytest.mark.parametrize("stage", [Stage.WRITE, Stage.MAIL, Stage.DONE])
def test_a_reply_that_names_no_reader_is_never_hard(stage: Stage) -> None:
    assert classify(550, "5.1.1 User unknown", stage) is not HARD


@given(codes, texts, stages)
@settings(deadline=None)
def test_any_reply_has_a_class_and_an_answer_to_whether_it_is_worth_retrying(
    code: int, text: str, stage: Stage
) -> None:
    assert isinstance(classify(code, text, stage), Class)
    assert isinstance(is_worth_retrying(code, text, stage), bool)


@given(st.integers(min_value=400, max_value=499), texts, stages)
@settings(deadline=None)
def test_a_temporary_reply_is_never_hard_and_always_worth_retrying(code: int, text: str, stage: Stage) -> None:
    assert classify(code, text, stage) in (SOFT, BLOCK)
    assert is_worth_retrying(code, text, stage)


@given(st.integers(min_value=500, max_value=599), texts, stages)
@settings(deadline=None)
def test_a_permanent_reply_is_retried_when_soft_and_never_when_hard(code: int, text: str, stage: Stage) -> None:
    meaning = classify(code, text, stage)
    if meaning in (HARD, SOFT):
        assert is_worth_retrying(code, text, stage) is (meaning is SOFT)


@given(
    codes, texts, stages, st.sampled_from(["spam@example.org", "<user.unknown@example.org>", "http://x.example/spf"])
)
@settings(deadline=None)
def test_an_address_or_a_link_in_a_reply_changes_nothing(code: int, text: str, stage: Stage, quoted: str) -> None:
    assert classify(code, f"{text} {quoted}", stage) is classify(code, text, stage)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.source)
def test_every_phrase_is_written_as_the_replies_are_read(rule: Rule) -> None:
    assert [phrase for phrase in rule.texts if phrase != words(phrase)] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.source)
def test_every_phrase_is_reached_past_the_rules_above_it(rule: Rule) -> None:
    code = rule.codes[0] if rule.codes else 550
    for status in rule.statuses or ("",):
        for phrase in rule.texts or ("",):
            whole = status if status.count(".") != 1 else f"{status}.0"
            first = next(each for each in RULES if each.fits(code, whole, f" {phrase} "))
            assert first.meaning is rule.meaning, f"{status} {phrase!r} is taken by {first.source}"


@pytest.mark.parametrize("piece", ["<", "a", "a@", "5.1.1 ", "user ", "mailbox is ", "'", ".", "\u0130", "\n", ">"])
def test_a_reply_of_a_million_characters_is_read_piece_by_piece(piece: str) -> None:
    """Quadratic work on this many characters would take hours, not a part of a second."""
    assert classify(550, piece * (1_000_000 // len(piece)), Stage.RCPT) in Class


def row(rule: Rule) -> str:
    """A rule as its line in the page."""
    cells = (
        rule.meaning.value,
        rule.source,
        ", ".join(f"`{phrase}`" for phrase in rule.texts),
        ", ".join(map(str, rule.codes)),
        ", ".join(rule.statuses),
        "yes" if rule.is_retried else "no",
    )
    return f"| {' | '.join(cells)} |"


def test_the_page_shows_every_rule_in_order_and_no_other() -> None:
    shown = [line for line in PAGE.read_text("utf-8").splitlines() if line.count(" | ") == 5][1:]
    assert shown == [row(rule) for rule in RULES]


def test_the_page_explains_every_class() -> None:
    assert [each for each in Class if f"| **{each.value}** |" not in PAGE.read_text("utf-8")] == []
