"""The sender in its thread, seen from the threads that use it."""

from threading import Thread

import pytest
from sending import SLUG, add_readers, plan, take_in_issue

from newsletter.app import Newsletter
from newsletter.delivery.sender import Worked
from newsletter.editorial.dispatch import Dispatch, whole
from newsletter.editorial.outbox import open_outbox


@pytest.fixture
def planned(newsletter: Newsletter) -> Dispatch:
    add_readers(newsletter, 2)
    take_in_issue(newsletter)
    return plan(newsletter, SLUG)


def test_work_asked_of_a_sender_that_was_stopped_ends_at_once(newsletter: Newsletter, planned: Dispatch) -> None:
    with open_outbox(newsletter) as outbox:
        outbox.stop()
        outbox.join()
        ended: list[Worked] = []
        part = whole(newsletter, planned.mailing_id)
        asking = Thread(target=lambda: ended.append(outbox.work(part)), daemon=True)
        asking.start()
        asking.join(10)
    assert ended == [Worked(stopped=True)]
