"""View in browser: every reader sees the mail that they got, and nothing else opens it."""

from email import message_from_bytes, policy

import pytest
from sending import ISSUE, SLUG, add_readers, plan, take_in_issue
from sqlalchemy import update
from sqlmodel import select

from newsletter.app import Newsletter
from newsletter.delivery.history import forget_reader
from newsletter.delivery.models import Delivery
from newsletter.delivery.outcome import Reason, State
from newsletter.editorial.preview import preview_for
from newsletter.readers.viewing import view
from newsletter.render.compiled import FORM
from newsletter.render.recipient import INERT_TOKEN
from newsletter.storage.models import CompiledRow
from subscribers.preferences import Preferences
from subscribers.tokens import Purpose

pytestmark = pytest.mark.both_databases
ADDRESS = "reader0@example.org"
MODELS = """
**模型与技术进展**

- **群岛实验室公开潮汐预报模型**
  说明：实验室公布了训练所用的观测数据。
"""


@pytest.fixture
def planned(newsletter: Newsletter) -> Newsletter:
    """An issue of two topics, planned for two readers of one, and one of the other."""
    take_in_issue(newsletter, ISSUE + MODELS)
    add_readers(newsletter, 2)
    with newsletter.session() as session:
        newsletter.people(session).add("models@example.org", Preferences(topics=("models",)))
    plan(newsletter, SLUG)
    return newsletter


def token_of(newsletter: Newsletter, address: str = ADDRESS) -> str:
    with newsletter.reading() as session:
        row = session.exec(select(Delivery).where(Delivery.address == address)).one()
    return str(row.slots["view_token"])


def test_it_is_the_html_of_the_message_itself(planned: Newsletter) -> None:
    message = message_from_bytes(preview_for(planned, SLUG, ADDRESS).message.data, policy=policy.default)
    html = message.get_body(("html",))  # type: ignore[attr-defined]  # that policy makes an EmailMessage
    assert view(planned, token_of(planned)) == html.get_content().replace("\r\n", "\n")


def test_each_reader_sees_their_own_edition(planned: Newsletter) -> None:
    theirs, others = (view(planned, token_of(planned, one)) or "" for one in ("models@example.org", ADDRESS))
    assert ("潮汐预报模型" in theirs, "公布数据细则" in theirs) == (True, False)
    assert ("潮汐预报模型" in others, "公布数据细则" in others) == (False, True)


@pytest.mark.parametrize("purpose", [purpose for purpose in Purpose if purpose is not Purpose.VIEW])
def test_a_token_for_another_purpose_opens_nothing(planned: Newsletter, purpose: Purpose) -> None:
    subject = planned.tokens.read(Purpose.VIEW, token_of(planned))
    assert subject
    assert view(planned, planned.tokens.make(purpose, subject)) is None


@pytest.mark.parametrize("subject", ["1", "-", "x-y", "99-0123456789abcdef01234567", "1-nobody", "²-a"])
def test_a_subject_that_is_no_mail_opens_nothing(planned: Newsletter, subject: str) -> None:
    token = planned.tokens.make(Purpose.VIEW, subject) if subject.isascii() else subject
    assert view(planned, token) is None


def test_a_forged_token_opens_nothing(planned: Newsletter) -> None:
    token = token_of(planned)
    for forged in ("", INERT_TOKEN, token[:-1], token + "0", token[:4] + "A" * 22 + token[26:], "a" * 5000):
        assert view(planned, forged) is None


def test_a_forgotten_reader_has_nothing_to_look_at(planned: Newsletter) -> None:
    token = token_of(planned)
    with planned.session() as session:
        people = planned.people(session)
        person = people.get(ADDRESS)
        assert person is not None
        forget_reader(session, person.id or 0)
        people.forget(person)
    assert view(planned, token) is None


def test_who_was_left_out_in_the_end_has_nothing_to_look_at(planned: Newsletter) -> None:
    token = token_of(planned)
    with planned.session() as session:
        session.execute(update(Delivery).values(state=State.EXCLUDED, reason=Reason.CANCELLED))
    assert view(planned, token) is None


def test_a_mail_that_another_version_made_is_not_shown(planned: Newsletter) -> None:
    token = token_of(planned)
    with planned.session() as session:
        for row in session.exec(select(CompiledRow)):
            row.document = row.document.replace(f'"form":{FORM}', f'"form":{FORM - 1}')
            session.add(row)
    assert view(planned, token) is None
