"""The watch: what is not to be believed pauses a mailing, whatever the settings say."""

from datetime import UTC, datetime

import pytest

from newsletter.delivery.claims import Claimed, Range
from newsletter.delivery.outcome import Outcome, Stage, Verdict
from newsletter.delivery.watch import Watch

NOW = datetime(2026, 3, 9, 8, tzinfo=UTC)
ACCEPTED = Outcome(Verdict.ACCEPTED, Stage.DONE, 250, "ok")
VANISHED = Outcome(Verdict.REFUSED, Stage.RCPT, 550, "5.1.1 no such user")
BROKEN = Outcome(Verdict.UNKNOWN, Stage.DOT, 0, "the connection was lost")
FAULT = Outcome(Verdict.FAULT, Stage.WRITE, 0, "KeyError: no such story")
BLOCKED = Outcome(Verdict.REFUSED, Stage.DOT, 554, "5.7.1 spam")


def seen(*outcomes: Outcome) -> dict[int, str]:
    """What is to be paused after these outcomes, in their order."""
    watch = Watch((), error_share=0)
    for number, outcome in enumerate(outcomes):
        row = Claimed(Range(1, 1, 99), number, number, 1, 0, f"reader{number}@example.org", NOW, NOW, "zh", [], {})
        watch.taken(row)
        watch.given_back(row, outcome, NOW)
    return watch.to_pause


@pytest.mark.parametrize("strange", [VANISHED, BROKEN, FAULT])
def test_a_mailing_is_paused_when_nearly_everybody_vanishes_every_line_breaks_or_no_message_can_be_made(
    strange: Outcome,
) -> None:
    assert list(seen(*[strange] * 15)) == [1]


@pytest.mark.parametrize("strange", [VANISHED, BROKEN])
def test_it_is_noticed_in_the_middle_of_a_long_mailing_too(strange: Outcome) -> None:
    assert list(seen(*[ACCEPTED] * 1000, *[strange] * 15)) == [1]


def test_an_old_list_with_many_addresses_that_are_gone_is_believed() -> None:
    assert seen(*[ACCEPTED, VANISHED, VANISHED] * 100) == {}


def test_a_server_that_takes_everything_for_spam_is_left_to_the_setting() -> None:
    assert seen(*[BLOCKED] * 100) == {}
