"""What the checks say beside their verdict: limits to the letter, lines, and what of a review is kept."""

import time
from pathlib import Path

import pytest
from review_samples import ISSUE, LINKS, NOW, Bench
from sqlalchemy import Engine

from newsletter.review.mail_checks import most_read, sizes
from newsletter.review.readership import topics_reached
from newsletter.review.report import SLOW, review, summary
from newsletter.review.subjects import shouts
from newsletter.review.verdicts import MOST_PLACES, Check, Place, Verdict
from newsletter.settings import Settings
from newsletter.storage.issues import IssueRefused


@pytest.fixture
def bench(settings: Settings, engine: Engine, tmp_path: Path) -> Bench:
    return Bench(settings, engine, tmp_path)


def stories(count: int) -> str:
    return "# AI 行业动态 (2026-03-09)\n\n**模型与技术进展**\n\n" + "\n".join(
        f"- **第 {number} 条：潮汐预报模型**\n  说明：实验室公布了数据，见 [页](https://lab.example.org/n)。\n"
        f"  来源出处：[群岛实验室](https://lab.example.org/{number})\n"
        for number in range(count)
    )


@pytest.mark.parametrize(
    ("without", "reached", "verdict"),
    [(1, 4, Verdict.OK), (2, 7, Verdict.WARNING), (3, 0, Verdict.ERROR)],
)
def test_many_with_nothing_is_more_than_one_in_five(bench: Bench, without: int, reached: int, verdict: Verdict) -> None:
    bench.readers(without, "funding")
    bench.readers(reached, "models")
    check = bench.checks()["readers-without"]
    assert (check.verdict, check.values["without"]) == (verdict, without)


def test_without_readers_nobody_is_missing(bench: Bench) -> None:
    assert bench.checks()["readers-without"].verdict is Verdict.NOT_CHECKED


def test_readers_are_counted_by_topic_as_they_want_it_and_as_they_get_it(bench: Bench) -> None:
    bench.readers(2, "models", "funding")
    bench.readers(1, "funding")
    reached = {topic.slug: topic for topic in topics_reached(bench.specimen())}
    assert (reached["models"].subscribed, reached["models"].reached, reached["models"].stories) == (2, 2, 2)
    assert (reached["funding"].subscribed, reached["funding"].reached, reached["funding"].stories) == (3, 0, 0)


def test_a_large_mail_is_a_warning_before_it_is_an_error_and_names_its_heaviest_stories(bench: Bench) -> None:
    check = bench.checks(stories(90))["size"]
    assert check.verdict is Verdict.WARNING
    assert len(check.places) == 5
    assert check.places[0].line > 0
    assert bench.checks(stories(110))["size"].verdict is Verdict.ERROR


def test_sizes_are_those_of_either_language_and_of_what_most_readers_get(bench: Bench) -> None:
    bench.readers(3, "models")
    specimen = bench.specimen()
    readers, common = most_read(specimen)
    assert set(sizes(specimen)) == {"zh", "en"}
    assert readers == 3
    assert 0 < common <= max(sizes(specimen).values()) + 500


def test_a_place_says_the_line_where_it_stands(bench: Bench) -> None:
    check = bench.checks(ISSUE.replace("https://lab.example.org/notes", "http://lab.example.org/notes"))
    [place] = check["links-insecure"].places
    assert (place.line, place.story) == (6, "群岛实验室公开潮汐预报模型")
    assert ISSUE.splitlines()[place.line - 1].strip().startswith("说明")


def test_many_places_are_counted_and_the_first_are_named(bench: Bench) -> None:
    check = bench.checks(stories(40).replace("https://", "http://"))["links-insecure"]
    assert check.values["n"] == 80
    assert len(check.places) == MOST_PLACES


def test_a_link_that_gave_no_clear_answer_is_not_called_broken(bench: Bench) -> None:
    bench.know(dict.fromkeys(LINKS, "ok"))
    bench.know({LINKS[0]: "unreachable"}, "503")
    check = bench.checks()["links-broken"]
    assert (check.verdict, check.case, check.places[0].note) == (Verdict.NOT_CHECKED, "unsure", "503")


@pytest.mark.parametrize("missing", range(len(LINKS)))
def test_one_link_that_was_not_opened_keeps_all_from_being_well(bench: Bench, missing: int) -> None:
    bench.know({url: "ok" for place, url in enumerate(LINKS) if place != missing})
    check = bench.checks()["links-broken"]
    assert (check.verdict, check.values["unasked"]) == (Verdict.NOT_CHECKED, 1)


@pytest.mark.parametrize(
    ("subject", "shouted"),
    [
        ("FREE MODELS TODAY", True),
        ("FREE MODELS 今天 TODAY", True),
        ("GPT-6 API", False),
        ("INTERNATIONALLY", False),
        ("Free MODELS TODAY", False),
        ("今天的要闻", False),
    ],
)
def test_what_counts_as_capitals(subject: str, shouted: bool) -> None:
    assert shouts(subject) is shouted


def test_an_issue_without_a_story_is_checked_as_far_as_it_goes(bench: Bench) -> None:
    checks = bench.checks("# AI 行业动态 (2026-03-09)\n")
    assert checks["text-errors"].verdict is Verdict.ERROR
    assert checks["mail-made"].case == "no_story"
    assert checks["subject-long"].verdict is checks["parts-links"].verdict is Verdict.NOT_CHECKED


def test_a_theme_that_makes_no_mail_is_an_error_and_nothing_breaks(bench: Bench) -> None:
    bench.theme("mail.mjml.j2", "{{ group.name }}", "{{ group.nmae }}")
    checks = bench.checks()
    assert checks["mail-made"].verdict is Verdict.ERROR
    assert checks["size"].verdict is Verdict.NOT_CHECKED


def test_where_base_url_is_this_machine_neither_one_click_nor_records_are_asked_for(bench: Bench) -> None:
    bench.set(base_url="http://127.0.0.1:8000")
    checks = bench.checks()
    assert (checks["one-click"].verdict, checks["one-click"].case) == (Verdict.NOT_CHECKED, "local")


def test_what_was_made_before_stands_where_nothing_is_made_now(bench: Bench) -> None:
    made = review(bench.newsletter, bench.keep(ISSUE).slug)
    earlier = Check("spam-score", Verdict.ERROR, values={"score": 7.0, "limit": 5.0}, places=(Place("X"),), at=NOW)
    later = made.with_earlier([earlier])
    assert later.checks[0] == earlier
    assert later.summary.errors == made.summary.errors + 1
    assert later.summary.not_checked == made.summary.not_checked - 1


def test_the_severest_come_first(bench: Bench) -> None:
    made = review(bench.newsletter, bench.keep(stories(110)).slug)
    order = [Verdict.ERROR, Verdict.WARNING, Verdict.NOT_CHECKED, Verdict.OK]
    assert [check.verdict for check in made.checks] == sorted((c.verdict for c in made.checks), key=order.index)


def test_the_summary_counts_every_check_once(bench: Bench) -> None:
    slug = bench.keep(ISSUE).slug
    counted = summary(bench.newsletter, slug)
    total = counted.passed + counted.warnings + counted.errors + counted.not_checked
    assert total == len(review(bench.newsletter, slug).checks)


def test_an_unknown_issue_is_refused(bench: Bench) -> None:
    with pytest.raises(IssueRefused):
        summary(bench.newsletter, "2020-01-01")


def test_the_slow_checks_are_made_when_asked_for(bench: Bench) -> None:
    bench.set(base_url="http://127.0.0.1:8000")
    slug = bench.keep("# 动态 (2026-03-09)\n\n**模型与技术进展**\n\n- **一条**\n  说明：[页](http://192.0.2.7/)\n").slug
    made = {check.name: check for check in review(bench.newsletter, slug, slow=True).checks}
    assert made["links-broken"].verdict is Verdict.WARNING
    assert made["theme"].verdict is Verdict.OK
    assert {made[name].case for name in SLOW}.isdisjoint({"later"})
    assert all(made[name].at == NOW for name in SLOW[1:])


def test_a_thousand_stories_take_a_few_seconds_at_most(bench: Bench) -> None:
    slug = bench.keep(stories(1000)).slug
    began = time.process_time()
    review(bench.newsletter, slug)
    assert time.process_time() - began < 10
