"""Going on after a restore: what is shown, what counts as sent elsewhere, and what nobody may begin meanwhile."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest
from command import Command
from desk_samples import at_desk
from moments import at, clock, states
from sending import SLUG, Clock, Hand, add_readers, plan, take_in_issue
from sqlmodel import col, select, update

from newsletter.app import Newsletter
from newsletter.delivery.control import MailingState
from newsletter.delivery.counts import Counts
from newsletter.delivery.models import Appointment, Delivery, Mailing
from newsletter.delivery.outcome import Outcome, Stage, Verdict
from newsletter.editorial.appointments import appoint, keep_appointments
from newsletter.editorial.approval import NotReady, approve
from newsletter.editorial.dispatch import begin
from newsletter.editorial.going_on import Come, Left, Ready, Skipped, go_on, standstill
from newsletter.editorial.outbox import open_outbox
from newsletter.editorial.overview import overview
from newsletter.editorial.rehearsal import rehearse
from newsletter.staff.audit import Action, entries
from newsletter.staff.rights import Role
from newsletter.storage.models import WitnessRow
from newsletter.storage.witness import Held, Why, held
from newsletter.storage.witness_file import Mark, WitnessTrouble, read_mark, witness_file, write_mark

READERS = 4


@pytest.fixture
def ready(newsletter: Newsletter) -> Newsletter:
    """It is eight in the morning of the issue's day."""
    newsletter.clock = Clock()
    add_readers(newsletter, READERS)
    take_in_issue(newsletter)
    return newsletter


def hold(newsletter: Newsletter) -> None:
    """Let the witness have seen more than the database."""
    assert newsletter.database_file is not None
    with newsletter.session() as session:
        session.add(WitnessRow(id=1, name="this one", sequence=3, held=Why.AHEAD))
    write_mark(witness_file(newsletter.database_file), Mark("this one", 9))


def counts(newsletter: Newsletter) -> Counts:
    return plan(newsletter, SLUG).counts()


def mailing_state(newsletter: Newsletter) -> str:
    with newsletter.reading() as session:
        return session.exec(select(Mailing.state)).one()


def code(newsletter: Newsletter) -> str:
    with newsletter.reading() as session:
        return held(session)


def let_some_wait(newsletter: Newsletter, many: int, **by: float) -> None:
    """The last so many readers of the mailing have an hour of their own, this much later."""
    with newsletter.session() as session:
        last = select(Delivery.id).order_by(col(Delivery.id).desc()).limit(many)
        later = newsletter.clock() + timedelta(**by)
        session.execute(update(Delivery).where(col(Delivery.id).in_(last)).values(due=later, next_at=later))


def test_no_outbox_opens_while_it_is_held(ready: Newsletter) -> None:
    hold(ready)
    with pytest.raises(Held, match="older than its witness"), open_outbox(ready):
        raise AssertionError("it opened")


def test_no_mailing_begins_while_it_is_held(ready: Newsletter) -> None:
    hold(ready)
    with pytest.raises(NotReady) as refused:
        begin(ready, SLUG)
    assert refused.value.code == "held"
    with ready.reading() as session:
        assert session.exec(select(Mailing)).all() == []


def test_it_shows_what_would_be_sent_now_and_changes_nothing(ready: Newsletter) -> None:
    plan(ready, SLUG)
    let_some_wait(ready, 1, hours=3)
    ready.settings.slot = "08:00"
    hold(ready)
    stands = standstill(ready)
    assert (stands.why, stands.mailings) == (Why.AHEAD, (Left(SLUG, MailingState.RUNNING, READERS - 1, 1, True),))
    assert stands.moments == (Come(at(8)), Come(at(8), is_digest=True))
    assert (states(ready), code(ready)) == ([], Why.AHEAD)


def test_who_waits_and_whose_hour_has_come_counts_as_sent_elsewhere_and_the_others_wait_on(ready: Newsletter) -> None:
    plan(ready, SLUG)
    let_some_wait(ready, 1, hours=3)
    hold(ready)
    assert go_on(ready, skip_due=True) == Skipped(READERS - 1, 0)
    stands = counts(ready)
    assert (stands.excluded, stands.queued) == (READERS - 1, 1)
    assert mailing_state(ready) == MailingState.RUNNING


def test_a_mailing_of_which_all_was_due_is_finished(ready: Newsletter) -> None:
    plan(ready, SLUG)
    hold(ready)
    go_on(ready, skip_due=True)
    assert mailing_state(ready) == MailingState.FINISHED


def test_whoever_was_not_planned_in_the_copy_is_not_forgotten_by_it(ready: Newsletter) -> None:
    begin(ready, SLUG)
    hold(ready)
    assert go_on(ready, skip_due=True) == Skipped(READERS, 0)
    assert counts(ready).excluded == READERS


@pytest.mark.parametrize(("policy", "unknown", "accepted"), [("hold", 2, 0), ("resend", 0, 2)])
def test_what_is_in_hand_or_unknown_in_the_copy_is_not_sent_again_by_itself(
    ready: Newsletter, policy: Literal["hold", "resend"], unknown: int, accepted: int
) -> None:
    plan(ready, SLUG)
    hand = Hand(ready)
    first, _ = hand.take(2)
    hand.settle(first, Outcome(Verdict.UNKNOWN, Stage.DATA, 0, "line broke"))
    hand.seat.leave()
    ready.settings.unknown = policy
    hold(ready)
    go_on(ready, skip_due=True)
    with open_outbox(ready):  # which declares unknown what was in hand
        pass
    stands = counts(ready)
    assert (stands.unknown, stands.accepted, stands.queued) == (unknown, accepted, 0)


def test_moments_that_have_come_are_called_off_and_those_to_come_are_kept(ready: Newsletter) -> None:
    ready.settings.slot = "08:00"
    appoint(ready, SLUG, at(8.5))
    clock(ready).move(hours=1)
    hold(ready)
    assert go_on(ready, skip_due=True) == Skipped(0, 3, (Ready(SLUG),))
    keep_appointments(ready)
    with ready.reading() as session:
        found = dict(session.exec(select(Appointment.is_digest, Appointment.state)).all())
        assert session.exec(select(Mailing)).all() == []
    assert found == {False: "cancelled", True: "nothing"}
    clock(ready).move(hours=23)
    keep_appointments(ready)
    assert states(ready).count("waiting") == 1


def test_what_was_approved_and_not_begun_does_not_go_out_at_its_slot_until_it_is_approved_again(
    ready: Newsletter,
) -> None:
    clock(ready).move(hours=-1)
    ready.settings.slot = "08:00"
    hold(ready)
    assert standstill(ready).ready == (Ready(SLUG, at(8)),)
    assert go_on(ready, skip_due=True) == Skipped(0, 0, (Ready(SLUG, at(8)),))
    clock(ready).move(hours=1)
    keep_appointments(ready)
    with ready.reading() as session:
        assert session.exec(select(Mailing)).all() == []
    approve(ready, SLUG)
    keep_appointments(ready)
    with ready.reading() as session:
        assert len(session.exec(select(Mailing)).all()) == 1


def test_a_time_of_its_own_that_is_to_come_is_called_off_and_no_approval_brings_it_back(ready: Newsletter) -> None:
    appoint(ready, SLUG, at(9))
    hold(ready)
    assert go_on(ready, skip_due=True) == Skipped(0, 0, (Ready(SLUG, at(9)),))
    approve(ready, SLUG)
    clock(ready).move(hours=2)
    keep_appointments(ready)
    assert states(ready) == ["cancelled"]


def test_it_is_written_down_at_the_issue_that_its_approval_is_void(ready: Newsletter) -> None:
    appoint(ready, SLUG, at(9))
    hold(ready)
    go_on(ready, skip_due=True)
    with ready.reading() as session:
        of_issue = [entry.action for entry in entries(session, subject=SLUG)]
    assert of_issue[:2] == [Action.APPROVAL_VOIDED, Action.SEND_UNSCHEDULED]


def test_what_was_begun_keeps_its_approval(ready: Newsletter) -> None:
    plan(ready, SLUG)
    hold(ready)
    assert (standstill(ready).ready, go_on(ready, skip_due=True)) == ((), Skipped(READERS, 0))
    with ready.reading() as session:
        assert ready.issues(session).find(SLUG).approved_hash


def test_without_skipping_an_approval_holds(ready: Newsletter) -> None:
    hold(ready)
    go_on(ready, skip_due=False)
    with ready.reading() as session:
        assert ready.issues(session).find(SLUG).approved_hash


def test_the_page_says_which_issues_have_to_be_approved_again(ready: Newsletter) -> None:
    appoint(ready, SLUG, at(9))
    hold(ready)
    client = at_desk(ready)
    client.headers["accept-language"] = "en"
    page = client.get("/desk/restored").text
    assert "09:00: was it sent since?" in page
    assert "Approvals that become void: 1." in page


def test_the_page_says_so_where_nothing_waits(newsletter: Newsletter) -> None:
    hold(newsletter)
    client = at_desk(newsletter)
    client.headers["accept-language"] = "en"
    page = client.get("/desk/restored").text
    assert "Nothing waits to be sent" in page
    assert "Nothing goes out now" in page


def test_a_witness_that_is_a_folder_is_to_be_moved_away(ready: Newsletter) -> None:
    assert ready.database_file is not None
    witness_file(ready.database_file).mkdir()
    with pytest.raises(WitnessTrouble, match="is a folder: move it away"):
        read_mark(witness_file(ready.database_file))


def test_going_on_with_everything_leaves_rows_and_moments_as_they_are(ready: Newsletter) -> None:
    plan(ready, SLUG)
    hold(ready)
    assert go_on(ready, skip_due=False) == Skipped()
    assert counts(ready).queued == READERS


def test_after_it_the_witness_is_that_of_this_database_and_further_than_both_were(ready: Newsletter) -> None:
    hold(ready)
    go_on(ready, skip_due=False)
    assert ready.database_file is not None
    assert (code(ready), read_mark(witness_file(ready.database_file))) == ("", Mark("this one", 10))


def test_the_second_who_says_so_changes_nothing(ready: Newsletter) -> None:
    hold(ready)
    go_on(ready, skip_due=False)
    plan(ready, SLUG)
    assert go_on(ready, skip_due=True) is None
    assert counts(ready).queued == READERS


def test_it_is_written_down_who_went_on_and_how(ready: Newsletter) -> None:
    plan(ready, SLUG)
    hold(ready)
    go_on(ready, skip_due=True)
    with ready.reading() as session:
        (entry,) = entries(session, action=Action.WENT_ON)
    assert (entry.who, entry.subject) == ("command line", Why.AHEAD)
    assert entry.details == {"skipped": True, "readers": READERS, "moments": 0}


def test_a_witness_that_cannot_be_written_leaves_it_held(ready: Newsletter, monkeypatch: pytest.MonkeyPatch) -> None:
    hold(ready)
    client = at_desk(ready)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("newsletter.storage.witness_file.os.fsync", full)
    assert client.post("/desk/restored", data={"choice": "skip"}).status_code == 409
    assert code(ready) == Why.AHEAD


def test_a_dry_run_goes_its_way_whatever_the_real_mail_has_come_to(ready: Newsletter, tmp_path: Path) -> None:
    hold(ready)
    assert rehearse(ready, SLUG, tmp_path / "mails").counts.accepted == READERS


def test_the_overview_says_so_first_and_only_then(ready: Newsletter) -> None:
    begin(ready, SLUG)
    plan(ready, SLUG)
    assert "held" not in [problem.kind for problem in overview(ready).problems]
    with ready.session() as session:
        session.add(WitnessRow(id=1, name="this one", sequence=3, held=Why.AHEAD))
    kinds = [problem.kind for problem in overview(ready).problems]
    assert (kinds[0], "nobody-sends" in kinds) == ("held", False)


@pytest.mark.parametrize(("role", "there"), [(Role.SENDER, True), (Role.ADMIN, False)])
def test_who_may_send_is_led_from_the_overview_to_the_page_that_asks(
    ready: Newsletter, role: Role, there: bool
) -> None:
    hold(ready)
    assert ('href="/desk/restored"' in at_desk(ready, role).get("/desk").text) == there


@pytest.mark.parametrize(("choice", "queued", "says"), [("skip", 0, "4"), ("all", READERS, "Sending goes on.")])
def test_the_page_shows_what_waits_and_goes_on_as_told(ready: Newsletter, choice: str, queued: int, says: str) -> None:
    plan(ready, SLUG)
    hold(ready)
    client = at_desk(ready)
    client.headers["accept-language"] = "en"
    page = client.get("/desk/restored").text
    assert f"<strong>{READERS}</strong> <span>mails go out now</span>" in page
    assert "older than the witness" in page
    done = client.post("/desk/restored", data={"choice": choice}).text
    assert says in done
    assert "Nothing is held back" in done
    assert (counts(ready).queued, code(ready)) == (queued, "")


def test_a_form_that_says_neither_changes_nothing(ready: Newsletter) -> None:
    hold(ready)
    assert at_desk(ready).post("/desk/restored", data={"choice": "?"}).status_code == 422
    assert code(ready) == Why.AHEAD


def test_on_postgresql_nothing_is_held_and_the_command_says_so(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NEWSLETTER_DATABASE_URL", postgres_url)
    monkeypatch.setenv("NEWSLETTER_SECRET_KEY", "a key that is only used in these tests")
    said = Command(monkeypatch, capsys)("schedule", "resume", "--skip-due")
    assert (said.code, "there is no witness of a PostgreSQL database" in said.out) == (0, True)
