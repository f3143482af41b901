"""A weekly digest on the pages: at the desk like an issue, but not edited; in no archive; shown to its readers."""

from datetime import date

import pytest
from desk_samples import at_desk
from sending import Clock
from sqlmodel import select
from starlette.testclient import TestClient
from web_samples import far
from week_samples import day, issue, keep, reader, sent

from newsletter.app import Newsletter
from newsletter.archive.reading import Archive
from newsletter.delivery.models import Delivery
from newsletter.editorial.approval import approve
from newsletter.editorial.digest import build
from newsletter.editorial.listing import issues, to_go_on_with
from newsletter.editorial.opening import publish_missing
from newsletter.editorial.overview import overview
from newsletter.editorial.preview import OTHER_DAY, NoMail, preview_for, preview_topics
from newsletter.editorial.readership import count_candidates, coverage, editions
from newsletter.readers.topic_changes import uses
from newsletter.storage.models import IssueRow
from subscribers.preferences import Frequency, Preferences

SLUG = "digest-2026-03-13"
HOME = f"/desk/issues/{SLUG}"
DAY = date(2026, 3, 13)


@pytest.fixture
def weekly(newsletter: Newsletter) -> Newsletter:
    """It is Friday at eight; two issues went out in the week; one reader reads on Fridays and one every day."""
    newsletter.clock = Clock()
    newsletter.settings.slot = "mon-fri 08:00"
    reader(newsletter, "friday")
    reader(newsletter, "daily", Preferences(topics=("policy",)))
    sent(newsletter, 11)
    sent(newsletter, 12)
    day(newsletter, 13)
    return newsletter


@pytest.fixture
def begun(weekly: Newsletter) -> Newsletter:
    """Its digest went out."""
    keep(weekly)
    return weekly


@pytest.fixture
def desk(weekly: Newsletter) -> TestClient:
    return at_desk(weekly)


# at the desk


def test_it_is_listed_as_a_digest(weekly: Newsletter, desk: TestClient) -> None:
    build(weekly, DAY)
    assert next((one.slug, one.is_digest) for one in issues(weekly).entries) == (SLUG, True)
    page = desk.get("/desk/issues").text
    assert page.count("每周汇总") == 1


def test_its_page_shows_what_is_in_it_and_says_why_it_is_not_edited(weekly: Newsletter, desk: TestClient) -> None:
    build(weekly, DAY)
    page = desk.get(HOME).text
    assert "不在这里修改" in page
    assert "newsletter issue digest 2026-03-13" in page
    assert 'href="/desk/issues/2026-03-12"' in page
    assert "三月12日" in page
    assert "<textarea" not in page


@pytest.mark.parametrize(
    ("path", "data", "code"),
    [("", {"text": "# x", "base": "1"}, 409), ("/move", {"to": "0 0 1", "base": "1"}, 409), ("/history/1", {}, 404)],
)
def test_no_way_of_the_desk_changes_it(
    weekly: Newsletter, desk: TestClient, path: str, data: dict[str, str], code: int
) -> None:
    saved = build(weekly, DAY).saved
    assert desk.post(f"{HOME}{path}", data=data).status_code == code
    assert desk.post(f"{HOME}/text?base=1", content=b"# x").status_code == 400
    with weekly.reading() as session:
        assert weekly.issues(session).find(SLUG) == saved


@pytest.mark.parametrize(
    "path", ["/preview", "/checks", "/sending", "/history", "/preview/mail?topics=policy", "/test"]
)
def test_its_other_pages_are_those_of_an_issue(weekly: Newsletter, desk: TestClient, path: str) -> None:
    build(weekly, DAY)
    assert desk.get(f"{HOME}{path}").status_code == 200


def test_one_that_was_begun_is_not_to_be_built_anew(begun: Newsletter, desk: TestClient) -> None:
    page = desk.get(HOME).text
    assert "已经开始发送" in page
    assert "newsletter issue digest" not in page


def test_it_is_watched_and_logged_like_an_issue(begun: Newsletter, desk: TestClient) -> None:
    assert desk.get(f"{HOME}/sending").status_code == 200
    assert "friday@example.org" in desk.get(f"/desk/log?issue={SLUG}").text


def test_it_is_none_of_the_issues_to_come_and_none_to_go_on_with(weekly: Newsletter) -> None:
    build(weekly, DAY)
    assert SLUG not in [one.saved.slug for one in overview(weekly).coming]
    assert to_go_on_with(weekly) == "2026-03-12"


def test_it_keeps_no_topic_from_being_removed(weekly: Newsletter) -> None:
    build(weekly, DAY)
    assert uses(weekly, "policy").drafts == ()


# whose it is


def test_a_preview_is_the_mail_of_a_reader_whose_day_it_is(weekly: Newsletter) -> None:
    build(weekly, DAY)
    preview = preview_for(weekly, SLUG, "friday@example.org")
    assert (preview.subject, preview.left_out) == ("一周精选：三月12日等 2 条", "")


def test_a_reader_of_another_day_sees_their_mail_and_that_they_do_not_get_it(weekly: Newsletter) -> None:
    reader(weekly, "monday", Preferences(topics=("policy",), frequency=Frequency.WEEKLY, day=0))
    build(weekly, DAY)
    assert preview_for(weekly, SLUG, "monday@example.org").left_out == OTHER_DAY


def test_who_reads_daily_has_no_mail_of_it(weekly: Newsletter) -> None:
    build(weekly, DAY)
    with pytest.raises(NoMail):
        preview_for(weekly, SLUG, "daily@example.org")


def test_a_preview_of_topics_brings_its_stories(weekly: Newsletter) -> None:
    build(weekly, DAY)
    assert len(preview_topics(weekly, SLUG, ("policy",)).edition.stories) == 2


def test_only_those_whose_day_it_is_are_counted(weekly: Newsletter) -> None:
    reader(weekly, "monday", Preferences(topics=("policy",), frequency=Frequency.WEEKLY, day=0))
    build(weekly, DAY)
    covered, left_out, _ = coverage(weekly, SLUG)
    assert (count_candidates(weekly, SLUG), covered.by_stories, left_out) == (1, {2: 1}, {})
    assert [(one.readers, one.address) for one in editions(weekly, SLUG)] == [(1, "friday@example.org")]


# in public


def test_no_archive_shows_it(begun: Newsletter) -> None:
    archive = Archive(begun)
    assert [line.slug for line in archive.issues(1).items] == ["2026-03-12", "2026-03-11"]
    assert archive.issue(SLUG) is None
    assert archive.search("三月12日", 1).total == 1
    with begun.reading() as session:
        assert session.exec(select(IssueRow.published_at).where(IssueRow.slug == SLUG)).one() is None


@pytest.mark.parametrize("path", ["/archive", "/feed.xml", "/feed.json", "/sitemap.xml"])
def test_no_page_that_everybody_sees_names_it(begun: Newsletter, path: str) -> None:
    assert SLUG not in far(begun).get(path).text


def test_approving_it_again_publishes_nothing(begun: Newsletter) -> None:
    approve(begun, SLUG)
    publish_missing(begun)
    assert Archive(begun).issue(SLUG) is None


def test_its_reader_sees_it_in_the_browser(begun: Newsletter) -> None:
    with begun.reading() as session:
        row = session.exec(select(Delivery).where(Delivery.address == "friday@example.org").order_by("id")).all()[-1]
    page = far(begun).get(f"/view/{row.slots['view_token']}")
    assert page.status_code == 200
    assert "一周精选" in page.text


def test_its_stories_lead_to_their_pages_in_the_archive(begun: Newsletter) -> None:
    html = preview_for(begun, SLUG, "friday@example.org").html
    path = Archive(begun).search("三月12日", 1).items[0].path
    assert f'href="https://news.example.org{path}"' in html
    assert far(begun).get(path).status_code == 200


def test_an_issue_of_the_day_that_comes_later_is_an_issue_of_its_own(begun: Newsletter) -> None:
    assert issue(begun, 13) == "2026-03-13"
