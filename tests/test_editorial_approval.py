"""Approval by whom, of what, and what voids it."""

from pathlib import Path

import pytest
from command import Command
from desk_samples import add_staff
from sending import ISSUE, SLUG, Clock, add_readers
from sqlmodel import select

from newsletter.app import Newsletter
from newsletter.delivery.models import Delivery, Mailing
from newsletter.editorial import sending
from newsletter.editorial.approval import NotReady, approve, approved, ask
from newsletter.editorial.dispatch import plan_mailing
from newsletter.editorial.intake import read, take_in
from newsletter.editorial.release import release
from newsletter.settings import PREFIX
from newsletter.staff.audit import Action, entries
from newsletter.staff.rights import COMMAND_LINE, Actor, Role
from newsletter.storage.models import RevisionRow

pytestmark = pytest.mark.both_databases


def write(newsletter: Newsletter, text: str = ISSUE, by: Actor = COMMAND_LINE) -> None:
    """A revision that somebody saved."""
    data = text.encode()
    saved, _ = take_in(newsletter, read(newsletter, data), data, draft=True)
    with newsletter.session() as session:
        session.get_one(RevisionRow, saved.revision_id).saved_by = by.id


@pytest.fixture
def ready(newsletter: Newsletter) -> Newsletter:
    newsletter.clock = Clock()
    add_readers(newsletter, 2)
    return newsletter


@pytest.fixture
def chen(ready: Newsletter) -> Actor:
    return add_staff(ready, "chen@example.org", Role.EDITOR, name="陈编辑")


@pytest.fixture
def li(ready: Newsletter) -> Actor:
    return add_staff(ready, "li@example.org", Role.EDITOR, name="李主编")


def code_of(refusal: pytest.ExceptionInfo[NotReady]) -> str:
    return refusal.value.code


def test_anyone_may_approve_their_own_text_unless_set_otherwise(ready: Newsletter, chen: Actor) -> None:
    write(ready, by=chen)
    approve(ready, SLUG, chen)
    assert release(ready, SLUG, chen).approved_by == "陈编辑"


def test_with_second_the_writer_is_refused_and_somebody_else_is_not(ready: Newsletter, chen: Actor, li: Actor) -> None:
    ready.settings.approval = "second"
    write(ready, by=chen)
    with pytest.raises(NotReady) as refusal:
        approve(ready, SLUG, chen)
    assert code_of(refusal) == "own-text"
    with pytest.raises(NotReady):
        approved(ready, SLUG)
    approve(ready, SLUG, li)
    assert approved(ready, SLUG).revision_id


def test_with_second_the_command_line_is_one_person_of_its_own(ready: Newsletter, chen: Actor) -> None:
    ready.settings.approval = "second"
    write(ready)
    with pytest.raises(NotReady):
        approve(ready, SLUG)
    approve(ready, SLUG, chen)
    write(ready, ISSUE.replace("写明", "说明"), by=chen)
    approve(ready, SLUG)


def test_an_edit_voids_an_approval_for_the_command_line_and_the_desk_alike(ready: Newsletter, chen: Actor) -> None:
    write(ready)
    approve(ready, SLUG)
    write(ready, ISSUE.replace("写明", "说明"), by=chen)
    with pytest.raises(NotReady, match="newsletter issue approve") as refusal:
        sending.start(ready, SLUG, chen)
    assert code_of(refusal) == "not-approved"


def test_a_change_of_the_settings_that_show_voids_it(ready: Newsletter) -> None:
    write(ready)
    approve(ready, SLUG)
    ready.settings.postal_address = "另一个地址"
    with pytest.raises(NotReady) as refusal:
        sending.start(ready, SLUG)
    assert code_of(refusal) == "void"


def test_a_text_that_changed_since_it_was_looked_at_is_not_approved(ready: Newsletter) -> None:
    write(ready)
    with pytest.raises(NotReady) as refusal:
        approve(ready, SLUG, seen="0" * 64)
    assert code_of(refusal) == "changed"
    assert not release(ready, SLUG, COMMAND_LINE).saved.approved_hash


def test_errors_block_it_and_are_named_with_their_line(ready: Newsletter) -> None:
    write(ready, ISSUE.replace("https://data.example.org/rules", "javascript:alert(1)"))
    with pytest.raises(NotReady) as refusal:
        approve(ready, SLUG)
    assert code_of(refusal) == "errors"
    assert refusal.value.facts["line"] == 7


def test_a_question_is_shown_until_the_text_changes(ready: Newsletter, chen: Actor, li: Actor) -> None:
    write(ready, by=chen)
    ask(ready, SLUG, chen)
    seen = release(ready, SLUG, li)
    assert (seen.asked_by, seen.asked_at) == ("陈编辑", ready.clock())
    write(ready, ISSUE.replace("写明", "说明"), by=li)
    assert release(ready, SLUG, li).asked_by == ""


def test_approvals_and_questions_are_written_down_with_who_did_it(ready: Newsletter, chen: Actor, li: Actor) -> None:
    write(ready, by=chen)
    ask(ready, SLUG, chen)
    approve(ready, SLUG, li)
    with ready.reading() as session:
        found = [(entry.action, entry.who, entry.details["revision"]) for entry in entries(session, subject=SLUG)]
    assert found == [(Action.ISSUE_APPROVED, "李主编", 1), (Action.APPROVAL_ASKED, "陈编辑", 1)]


@pytest.mark.both_databases(False)
def test_the_command_line_approves_as_a_member_of_the_staff(
    ready: Newsletter,
    chen: Actor,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("database_url", "sender", "postal_address", "base_url"):
        monkeypatch.setenv(f"{PREFIX}{name.upper()}", str(getattr(ready.settings, name)))
    monkeypatch.setenv(f"{PREFIX}SECRET_KEY", ready.settings.secret_key.get_secret_value())
    monkeypatch.setenv(f"{PREFIX}APPROVAL", "second")
    write(ready)
    add_staff(ready, "wang@example.org", Role.SENDER)
    command = Command(monkeypatch, capsys)
    refused = command("issue", "approve", SLUG)
    assert (refused.code, "--as ADDRESS" in refused.err) == (1, True)
    assert command("issue", "approve", SLUG, "--as", "wang@example.org").code == 1
    assert command("issue", "approve", SLUG, "--as", "nobody@example.org").code == 1
    assert command("issue", "approve", SLUG, "--as", "chen@example.org").code == 0
    with ready.reading() as session:
        assert [entry.who for entry in entries(session, action=Action.ISSUE_APPROVED)] == [chen.name]
    write(ready, ISSUE.replace("写明", "说明"), by=chen)
    sent = command("issue", "send", SLUG)
    assert (sent.code, f"newsletter issue approve {SLUG}" in sent.err) == (1, True)


def test_everything_that_is_ordered_about_a_mailing_is_written_down_once(ready: Newsletter, chen: Actor) -> None:
    write(ready)
    approve(ready, SLUG)
    sending.start(ready, SLUG, chen, canary=1)
    with pytest.raises(NotReady):
        sending.start(ready, SLUG, chen)
    assert [sending.pause(ready, SLUG, chen), sending.pause(ready, SLUG, chen)] == [True, False]
    assert [sending.resume(ready, SLUG, chen), sending.resume(ready, SLUG, chen)] == [True, False]
    assert sending.send_again(ready, SLUG, chen) == 0
    assert sending.settle_unknown(ready, SLUG, chen, accepted=True) == 0
    sending.cancel(ready, SLUG, chen)
    sending.cancel(ready, SLUG, chen)
    with ready.reading() as session:
        found = [entry for entry in entries(session, subject=SLUG) if entry.staff_id == chen.id]
    expected = [Action.SEND_CANCELLED, Action.SEND_RESUMED, Action.SEND_PAUSED, Action.SEND_BEGUN]
    assert [entry.action for entry in found] == expected
    assert found[-1].details == {"revision": 1, "readers": 2, "canary": 1}


def test_sending_again_to_nobody_leaves_a_paused_mailing_paused(ready: Newsletter) -> None:
    write(ready)
    approve(ready, SLUG)
    sending.start(ready, SLUG)
    sending.pause(ready, SLUG)
    assert sending.send_again(ready, SLUG) == 0
    assert sending.pause(ready, SLUG) is False


def test_the_canary_of_a_mailing_beats_that_of_the_settings(ready: Newsletter) -> None:
    from_settings = 2
    ready.settings.canary = from_settings
    write(ready)
    approve(ready, SLUG)
    mailing_id = sending.start(ready, SLUG, canary=1)
    list(plan_mailing(ready, mailing_id))
    with ready.reading() as session:
        first = session.exec(select(Delivery.id).order_by(Delivery.id)).first()
        assert session.get_one(Mailing, mailing_id).canary_through == first
