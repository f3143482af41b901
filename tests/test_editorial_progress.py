"""How far a mailing is: counts that add up, a rate from what was seen, domains and reasons, and few questions asked."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sending import SLUG, Clock, add_readers, plan, settle, take_in_issue
from sqlalchemy import event
from web_samples import add_reader

from newsletter.app import Newsletter
from newsletter.delivery.counts import Ahead, ahead
from newsletter.delivery.outcome import Outcome, Stage, Verdict
from newsletter.editorial import progress as progress_of
from newsletter.editorial import sending
from newsletter.editorial.outcomes import DOMAINS, DomainLine
from newsletter.editorial.progress import Watch, progress
from newsletter.storage.issues import IssueRefused
from subscribers.preferences import Preferences

pytestmark = pytest.mark.both_databases
TAKEN = Outcome(Verdict.ACCEPTED, Stage.DONE, 250, "taken")
REFUSED = Outcome(Verdict.REFUSED, Stage.RCPT, 554, "no")
LATER = Outcome(Verdict.LATER, Stage.RCPT, 451, "later")
BROKEN = Outcome(Verdict.UNKNOWN, Stage.DOT, 0, "the line broke")


class Seconds:
    """The clock of a process, moved by the test."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def running(newsletter: Newsletter) -> Newsletter:
    """A mailing with six readers at one domain, two at another and one who wants other topics."""
    newsletter.clock = Clock()
    add_readers(newsletter, 6)
    add_readers(newsletter, 2, "reader{}@Example.NET")
    add_reader(newsletter, "other@example.com", "funding")
    take_in_issue(newsletter)
    plan(newsletter, SLUG)
    return newsletter


def asked(newsletter: Newsletter, do: Callable[[], object]) -> int:
    """How many statements something sends to the database."""
    seen: list[str] = []
    listen = lambda *of: seen.append(of[2])  # noqa: E731 - a name for it would say no more
    event.listen(newsletter.engine, "before_cursor_execute", listen)
    try:
        do()
    finally:
        event.remove(newsletter.engine, "before_cursor_execute", listen)
    return len(seen)


def test_the_counts_add_up_to_the_candidates(running: Newsletter) -> None:
    settle(running, TAKEN, REFUSED, LATER, BROKEN)
    counts = progress(running, SLUG).counts
    parts = (counts.accepted, counts.queued, counts.deferred, counts.failed, counts.unknown, counts.excluded)
    assert parts == (1, 4, 1, 1, 1, 1)
    assert sum(parts) == counts.candidates


def test_domains_are_counted_whatever_the_case_and_without_who_is_excluded(running: Newsletter) -> None:
    settle(running, TAKEN, REFUSED)
    assert progress(running, SLUG).details.domains == (
        DomainLine("example.org", 6, 1, 4, 0, 1, 0),
        DomainLine("example.net", 2, 0, 2, 0, 0, 0),
    )


def test_only_the_largest_domains_are_listed(newsletter: Newsletter) -> None:
    for number in range(DOMAINS + 3):
        add_readers(newsletter, 1 + number % 2, f"reader{{}}@d{number}.example")
    take_in_issue(newsletter)
    plan(newsletter, SLUG)
    lines = progress(newsletter, SLUG).details.domains
    assert [line.readers for line in lines] == sorted((line.readers for line in lines), reverse=True)
    assert len(lines) == DOMAINS


def test_reasons_are_told_by_state(running: Newsletter) -> None:
    settle(running, REFUSED, REFUSED, BROKEN)
    reasons = progress(running, SLUG).details.reasons
    assert reasons == (
        ("excluded", "no match", 1),
        ("failed", "refused", 2),
        ("unknown", "line broke after the message", 1),
    )


def test_the_unknown_ones_are_listed_with_whose_they_are(running: Newsletter) -> None:
    settle(running, BROKEN)
    (row,) = progress(running, SLUG).details.unknown
    assert (row.address, row.reason) == ("reader0@example.org", "line broke after the message")


def test_the_rate_is_the_difference_over_the_last_minute_and_tells_what_is_left(running: Newsletter) -> None:
    seconds = Seconds()
    watch = Watch(running, seconds)
    assert watch.look(SLUG).rate is None  # nothing to compare with yet, as after a restart
    settle(running, TAKEN, TAKEN)
    seconds.now += 4
    found = watch.look(SLUG)
    assert (found.rate, found.seconds_left) == (0.5, 12)
    seconds.now += 100
    assert watch.look(SLUG).rate is None  # what was seen before is older than a minute


def test_the_time_left_is_of_what_is_queued_and_what_waits_is_told_apart(running: Newsletter) -> None:
    seconds = Seconds()
    watch = Watch(running, seconds)
    watch.look(SLUG)
    settle(running, TAKEN, TAKEN, *[LATER] * 6)
    seconds.now += 4
    found = watch.look(SLUG, fresh=True)
    assert (found.counts.queued, found.counts.deferred, found.rate, found.seconds_left) == (0, 6, 0.5, None)
    assert found.details.deferred_until
    assert found.details.deferred_until > running.clock()


def with_hours(newsletter: Newsletter) -> None:
    """Four readers without an hour, two whose own is noon in Shanghai, and one in the evening."""
    newsletter.clock = Clock()
    add_readers(newsletter, 4)
    with newsletter.session() as session:
        for number, hour in enumerate((12, 12, 20)):
            own = Preferences(topics=("policy",), zone="Asia/Shanghai", hour=hour)
            newsletter.people(session).add(f"own{number}@example.org", own)
    take_in_issue(newsletter)
    plan(newsletter, SLUG)


def test_who_waits_for_an_hour_is_told_apart(newsletter: Newsletter) -> None:
    with_hours(newsletter)
    found = progress(newsletter, SLUG)
    noon, evening = newsletter.clock() + timedelta(hours=4), newsletter.clock() + timedelta(hours=12)
    assert found.details.ahead == Ahead(3, noon, 2, evening)
    assert (found.counts.queued, found.due_now) == (7, 4)


def test_the_time_left_is_of_those_who_are_due_now(newsletter: Newsletter) -> None:
    with_hours(newsletter)
    seconds = Seconds()
    watch = Watch(newsletter, seconds)
    watch.look(SLUG)
    settle(newsletter, TAKEN, TAKEN)
    seconds.now += 4
    found = watch.look(SLUG)
    assert (found.rate, found.due_now, found.seconds_left) == (0.5, 2, 4)


def test_an_hour_that_comes_is_seen_at_once(newsletter: Newsletter) -> None:
    with_hours(newsletter)
    seconds = Seconds()
    watch = Watch(newsletter, seconds)
    settle(newsletter, *[TAKEN] * 4)
    assert watch.look(SLUG).due_now == 0
    newsletter.clock.move(hours=4)  # type: ignore[attr-defined]  # the clock of this test
    seconds.now += progress_of.LOOK_SECONDS
    found = watch.look(SLUG)
    assert (found.due_now, found.details.ahead.readers) == (2, 1)


def test_while_only_hours_to_come_are_left_few_questions_are_asked(newsletter: Newsletter) -> None:
    with_hours(newsletter)
    seconds = Seconds()
    watch = Watch(newsletter, seconds)
    settle(newsletter, *[TAKEN] * 4)
    watch.look(SLUG)
    seconds.now += 5
    assert asked(newsletter, lambda: watch.look(SLUG)) == 0


def test_who_waits_is_counted_in_the_index_alone(newsletter: Newsletter) -> None:
    with_hours(newsletter)
    if newsletter.engine.dialect.name != "sqlite":
        return  # its planner reads a table of seven rows whole, whatever index there is
    seen: list[tuple[str, Any]] = []
    listen = lambda *of: seen.append((of[2], of[3]))  # noqa: E731 - a name for it would say no more
    event.listen(newsletter.engine, "before_cursor_execute", listen)
    with newsletter.reading() as session:
        ahead(session, 1, newsletter.clock())
    event.remove(newsletter.engine, "before_cursor_execute", listen)
    with newsletter.engine.connect() as connection:
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", of).all() for text, of in seen]
    details = [row[3] for plan_of in plans for row in plan_of]
    assert len(details) == 2
    assert all("COVERING INDEX ix_delivery_left (mailing_id=? AND state=? AND next_at" in one for one in details)


def test_a_pause_ends_the_rate(running: Newsletter) -> None:
    seconds = Seconds()
    watch = Watch(running, seconds)
    watch.look(SLUG)
    settle(running, TAKEN, TAKEN)
    sending.pause(running, SLUG)
    seconds.now += 4
    assert watch.look(SLUG).rate is None


def test_whoever_looks_within_the_same_second_asks_nothing(running: Newsletter) -> None:
    watch = Watch(running, Seconds())
    watch.look(SLUG)
    assert asked(running, lambda: [watch.look(SLUG) for _ in range(100)]) == 0


def test_reasons_and_domains_are_asked_for_more_seldom_than_counts(running: Newsletter) -> None:
    seconds = Seconds()
    watch = Watch(running, seconds)
    first = asked(running, lambda: watch.look(SLUG))
    seconds.now += progress_of.LOOK_SECONDS
    assert 0 < asked(running, lambda: watch.look(SLUG)) < first
    settle(running, TAKEN)
    seconds.now += progress_of.LOOK_SECONDS
    assert watch.look(SLUG).details.domains[0].accepted == 0
    seconds.now += 60
    assert watch.look(SLUG).details.domains[0].accepted == 1


def test_what_becomes_unknown_and_what_changes_the_state_is_told_at_once(running: Newsletter) -> None:
    seconds = Seconds()
    watch = Watch(running, seconds)
    watch.look(SLUG)
    settle(running, BROKEN)
    seconds.now += progress_of.LOOK_SECONDS
    assert len(watch.look(SLUG).details.unknown) == 1
    sending.cancel(running, SLUG)
    seconds.now += progress_of.LOOK_SECONDS
    assert ("excluded", "cancelled", 7) in watch.look(SLUG).details.reasons


def test_an_issue_that_was_not_begun_has_nothing_to_count(newsletter: Newsletter) -> None:
    take_in_issue(newsletter)
    found = Watch(newsletter).look(SLUG)
    assert (found.state, found.is_begun, found.counts.candidates) == ("approved", False, 0)


def test_a_slug_that_there_is_not_is_refused_and_not_kept(newsletter: Newsletter) -> None:
    watch = Watch(newsletter)
    with pytest.raises(IssueRefused):
        watch.look("2020-01-01")
    assert watch._seen == {}


def test_whoever_looks_while_another_asks_is_told_what_was_seen_last(running: Newsletter) -> None:
    seconds = Seconds()
    watch = Watch(running, seconds)
    before = watch.look(SLUG)
    seconds.now += 60
    with watch._seen[SLUG].lock:
        assert watch.look(SLUG) is before
