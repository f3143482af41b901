"""The form of every message, and that the judges of form see what is wrong with a bad one."""

from dataclasses import replace
from itertools import islice

import pytest
from inbox.judges.form import JUDGES, FormJudge, good, spoilt
from inbox.messages import Meant, messages
from inbox.rules import offences, shortest
from inbox.samples import samples
from inbox.spoilt import SPOILT, UNSEEN

MESSAGES = 60


def by_name(judge: FormJudge) -> str:
    return judge.name


def present(judge: FormJudge) -> FormJudge:
    """The judge, where this machine has it."""
    if lack := judge.lack():
        pytest.skip(lack)
    return judge


@pytest.fixture(scope="module")
def written() -> list[Meant]:
    """The first of the generated messages, and every sample edition."""
    return [*islice(messages(), MESSAGES), *(Meant(sample) for sample in samples())]


def test_the_generated_messages_are_the_same_every_time(written: list[Meant]) -> None:
    again = list(islice(messages(), 10))
    assert again == written[:10]
    assert [meant.sample.data for meant in messages(10, seed=1)] != [meant.sample.data for meant in again]


@pytest.mark.parametrize("judge", JUDGES, ids=by_name)
def test_no_judge_of_form_finds_a_defect(judge: FormJudge, written: list[Meant]) -> None:
    found = present(judge).complaints(written)
    assert {meant.sample.name: said for meant, said in zip(written, found, strict=True) if said} == {}


@pytest.mark.parametrize("judge", JUDGES, ids=by_name)
def test_a_judge_of_form_notices_each_way_to_spoil_a_message(judge: FormJudge) -> None:
    assert present(judge).complaints([good()]) == [[]]
    said = judge.complaints([spoilt(way) for way in judge.bad])
    assert [way for way, found in zip(judge.bad, said, strict=True) if not found] == []


def test_every_way_to_spoil_a_message_is_noticed_by_a_judge() -> None:
    assert set(SPOILT) == {way for judge in JUDGES for way in judge.bad}
    assert {way for way in SPOILT if not offences(spoilt(way).sample.data)} == UNSEEN


def test_a_parser_that_reads_another_name_is_noticed() -> None:
    judge = present(next(judge for judge in JUDGES if judge.name.startswith("Email::MIME")))
    for name in ("subject", "from", "to", "address"):
        meant = replace(good(), headers=good().headers | {name: "other@example.com"})
        (said,) = judge.complaints([meant])
        assert [text.partition(" ")[0] for text in said] == [name]


@pytest.mark.parametrize(
    ("plain", "size"), [(b"abc", 3), ("汉字".encode() * 30, 248), (b"a\r\nb", 4), (b"x" * 100, 103)]
)
def test_the_shorter_encoding_is_reckoned_as_it_is_written(plain: bytes, size: int) -> None:
    assert shortest(plain) == size
