"""A change of address during a mailing: what waits goes to the new address, what was sent keeps the one it went to."""

import pytest
from reader_samples import WEN, add, address_link, data_link, meanwhile
from sending import SLUG, Clock, Hand, plan, take_in_issue
from sqlmodel import col, select

from newsletter.app import Newsletter
from newsletter.delivery import plan as planning
from newsletter.delivery.models import Delivery
from newsletter.delivery.outcome import Outcome, Stage, Verdict
from newsletter.readers import new_address
from newsletter.readers.new_address import Standing
from subscribers.preferences import Preferences

pytestmark = pytest.mark.both_databases

NEW = "wen@例子.中国"
NEW_ASCII = "wen@xn--fsqu00a.xn--fiqs8s"
POLICY = Preferences(("policy",))


@pytest.fixture
def moving(newsletter: Newsletter) -> str:
    """The token that confirms a reader's new address; beside them there is another reader."""
    newsletter.clock = Clock()
    take_in_issue(newsletter)
    wen = add(newsletter, WEN, POLICY)
    add(newsletter, "li@example.com", POLICY)
    new_address.ask(newsletter, data_link(newsletter, wen), NEW)
    return address_link(newsletter)


def addresses(newsletter: Newsletter) -> list[str | None]:
    with newsletter.reading() as session:
        return [*session.exec(select(Delivery.address).order_by(col(Delivery.id)))]


def confirm(newsletter: Newsletter, token: str) -> None:
    moved = new_address.confirm(newsletter, token)
    assert moved is not None and moved.state is Standing.DONE


def test_what_waits_goes_to_the_new_address(newsletter: Newsletter, moving: str) -> None:
    plan(newsletter, SLUG)
    confirm(newsletter, moving)
    assert addresses(newsletter) == [NEW_ASCII, "li@example.com"]


@pytest.mark.parametrize(("verdict", "address"), [(Verdict.LATER, NEW_ASCII), (Verdict.ACCEPTED, WEN)])
def test_what_was_put_off_goes_to_the_new_address_and_what_was_sent_does_not(
    newsletter: Newsletter, moving: str, verdict: Verdict, address: str
) -> None:
    plan(newsletter, SLUG)
    hand = Hand(newsletter)
    code = 250 if verdict is Verdict.ACCEPTED else 451
    hand.settle(hand.take(1)[0], Outcome(verdict, Stage.RCPT, code, "said"))
    hand.seat.leave()
    confirm(newsletter, moving)
    assert addresses(newsletter) == [address, "li@example.com"]


def test_who_moves_while_a_mailing_is_planned_gets_it_at_the_new_address(
    newsletter: Newsletter, moving: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The planner has read the former address, and has not written it down yet."""
    with meanwhile(lambda: confirm(newsletter, moving)) as begin:
        real = planning._row
        monkeypatch.setattr(planning, "_row", lambda *of: (begin(), real(*of))[1])
        plan(newsletter, SLUG)
    assert addresses(newsletter) == [NEW_ASCII, "li@example.com"]
