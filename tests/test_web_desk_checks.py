"""The page of an issue's checks: what it says in both languages, and what its button does."""

import re
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from desk_samples import at_desk
from web_samples import ISSUE, SCRIPT, SLUG, add_issue, add_reader, near

from newsletter.app import Newsletter
from newsletter.editorial.intake import read, take_in
from newsletter.render.theme import templates_dir
from newsletter.review.report import Review, review
from newsletter.review.verdicts import Check, Place, Verdict
from newsletter.staff.rights import Role
from newsletter.web.desk.slow_checks import PAUSE_SECONDS, SlowChecks

PAGE = f"/desk/issues/{SLUG}/checks"
WORDS = tomllib.loads((templates_dir() / "web" / "words" / "desk_checks.toml").read_text("utf-8"))


@pytest.fixture
def ours(newsletter: Newsletter) -> Newsletter:
    """A newsletter with the sample issue and fixed time."""
    newsletter.clock = lambda: datetime(2026, 3, 9, 6, 0, tzinfo=UTC)
    add_issue(newsletter)
    return newsletter


@pytest.mark.parametrize("role", Role)
def test_everybody_at_the_desk_sees_the_checks(ours: Newsletter, role: Role) -> None:
    answer = at_desk(ours, role).get(PAGE)
    assert answer.status_code == 200
    assert "邮件大小" in answer.text


def test_nobody_else_does(ours: Newsletter) -> None:
    assert near(ours).get(PAGE, follow_redirects=False).status_code == 303
    assert near(ours).post(PAGE, follow_redirects=False).status_code == 401


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_issue_is_a_polite_page(ours: Newsletter, method: str) -> None:
    assert at_desk(ours).request(method, "/desk/issues/2020-01-01/checks").status_code == 404


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_check_is_said_in_the_page_s_language(ours: Newsletter, language: str) -> None:
    page = at_desk(ours).get(PAGE, headers={"accept-language": language}).text
    words = WORDS[language[:2]]
    for check in review(ours, SLUG).checks:
        assert f'id="check-{check.name}"' in page
        assert words[f"checks_{check.name.replace('-', '_')}"] in page


def test_an_http_link_is_named_with_line_story_and_mend(ours: Newsletter) -> None:
    add_issue(ours, title="不加密的一条** [页](http://plain.example.org/) **")
    page = at_desk(ours).get(PAGE).text
    assert "http://plain.example.org/" in page
    assert WORDS["zh"]["checks_links_insecure_mend"] in page
    assert re.search(rf'href="/desk/issues/{SLUG}#line-9"', page)


def test_readers_are_counted_by_stories_and_by_topic(ours: Newsletter) -> None:
    add_reader(ours, "a@example.com", "models")
    add_reader(ours, "b@example.com", "funding")
    page = at_desk(ours).get(PAGE).text
    assert "投融资" in page
    assert '<progress value="1" max="2" aria-label="2 条"></progress>' in page
    assert WORDS["zh"]["checks_stories_none"] in page


def test_without_readers_the_page_says_so(ours: Newsletter) -> None:
    assert WORDS["zh"]["checks_readers_none_yet"] in at_desk(ours).get(PAGE).text


def test_the_slow_checks_are_remembered_with_their_time_and_only_for_this_revision(ours: Newsletter) -> None:
    browser = at_desk(ours)
    kept = browser.app.state.slow_checks  # type: ignore[attr-defined]  # starlette's test client has it as an ASGI app
    made = review(ours, SLUG)
    slow = Check(
        "spam-score", Verdict.WARNING, values={"score": 3.1, "limit": 5.0}, places=(Place("RULE"),), at=ours.clock()
    )
    kept.keep(made.with_earlier([slow]))
    page = browser.get(PAGE).text
    assert "3.1" in page
    assert re.search(r"检查于 3 月 9 日 14:00", page)
    add_issue(ours, title="改过的一条")
    assert "3.1" not in browser.get(PAGE).text


def test_saving_over_a_revision_takes_what_was_found_of_it_away(ours: Newsletter) -> None:
    kept, made = SlowChecks(), review(ours, SLUG)
    kept.keep(made.with_earlier([Check("theme", Verdict.OK, values={"theme": "daily"}, at=ours.clock())]))
    assert kept.of(made.saved)
    assert kept.of(replace(made.saved, saved_at=ours.clock() + timedelta(minutes=1))) == ()


def test_the_button_runs_the_slow_checks_and_comes_back(newsletter: Newsletter) -> None:
    newsletter.settings = newsletter.settings.model_copy(update={"base_url": "http://127.0.0.1:8000"})
    text = re.sub(r"https://[a-z.]+/", "http://192.0.2.7/", ISSUE.format(title="一条")).encode()  # asks no name server
    take_in(newsletter, read(newsletter, text), text, draft=True)
    browser = at_desk(newsletter)
    answer = browser.post(PAGE, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
    page = browser.get(PAGE).text
    assert WORDS["zh"]["checks_slow_again"] in page
    assert WORDS["zh"]["checks_theme_later"] not in page


def test_the_button_on_the_page_about_sending_leads_back_there(ours: Newsletter) -> None:
    browser = at_desk(ours)
    browser.app.state.slow_checks.make = lambda made_by: True  # type: ignore[attr-defined]  # asks nobody's servers
    answer = browser.post(PAGE, data={"back": "sending"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/desk/issues/{SLUG}/sending")


def test_the_slow_checks_are_made_for_one_at_a_time_with_a_pause(ours: Newsletter) -> None:
    seconds, browser = [100.0], at_desk(ours)
    slow = SlowChecks(lambda: seconds[0])
    browser.app.state.slow_checks = slow  # type: ignore[attr-defined]  # as above
    made, meanwhile = review(ours, SLUG), []

    def while_they_are_made() -> Review:
        meanwhile.append(browser.post(PAGE, follow_redirects=False))
        return made

    assert slow.make(while_they_are_made)
    assert [answer.status_code for answer in meanwhile] == [429]
    assert WORDS["zh"]["checks_slow_crowded"] in meanwhile[0].text
    assert not slow.make(lambda: made)
    seconds[0] += PAUSE_SECONDS
    assert slow.make(lambda: made)


def test_slow_checks_that_fail_leave_the_turn_to_the_next(ours: Newsletter) -> None:
    slow = SlowChecks()
    with pytest.raises(ZeroDivisionError):
        slow.make(lambda: 1 // 0)  # type: ignore[arg-type,return-value]  # whatever goes wrong
    assert slow.make(lambda: review(ours, SLUG))


def test_a_script_in_the_text_stays_text(ours: Newsletter) -> None:
    add_issue(ours, title=f"{SCRIPT} [页](http://x.example.org/{SCRIPT})")
    page = at_desk(ours).get(PAGE).text
    assert SCRIPT not in page
    assert not re.search(r'\sstyle="', page)


def test_the_words_of_every_ending_take_the_values_they_get() -> None:
    sample = dict.fromkeys(("n", "links", "unasked", "readers", "without", "share", "bytes", "kilobytes"), 1)
    sample |= dict.fromkeys(("warn", "most", "clients", "updated", "least", "score", "limit", "subjects"), 2)
    sample |= dict.fromkeys(("at", "note", "theme", "host", "pictures"), 3)
    for words in WORDS.values():
        assert all(word.format(**sample) for word in words.values())
    assert WORDS["zh"].keys() == WORDS["en"].keys()
