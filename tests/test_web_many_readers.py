"""With more readers than a page looks at: it looks at the first, and says so, in either language."""

import tomllib
from typing import Any

import pytest
from desk_samples import at_desk
from web_samples import SLUG, add_issue, add_reader

from newsletter.app import Newsletter
from newsletter.editorial import readership
from newsletter.editorial.approval import approve
from newsletter.render.theme import templates_dir

FIRST = 2
DESK = f"/desk/issues/{SLUG}"
WORDS: dict[str, dict[str, str]] = {"zh": {}, "en": {}}
for file in (templates_dir() / "web" / "words").glob("*.toml"):
    for language, words in tomllib.loads(file.read_text("utf-8")).items():
        WORDS[language] |= words
PAGES = {
    f"{DESK}/checks": ("checks_first", "checks_readers_get_first"),
    f"{DESK}?figures=1": ("checks_first", "checks_readers_get_first"),
    f"{DESK}/figures?part=reach": ("checks_readers_get_first",),
    f"{DESK}/figures?part=checks": ("checks_first",),
    f"{DESK}/sending": ("checks_first",),
    f"{DESK}/preview?by=edition": ("preview_edition_readers_first",),
    f"/preview/{SLUG}?by=edition": ("preview_edition_readers_first",),
}
"""Every page that looks at readers, with what it says when these are not all."""


@pytest.fixture
def ready(newsletter: Newsletter, monkeypatch: pytest.MonkeyPatch) -> Newsletter:
    """An issue and as many readers as a page looks at."""
    monkeypatch.setattr(readership, "MOST_COUNTED", FIRST)
    add_issue(newsletter)
    for number in range(FIRST):
        add_reader(newsletter, f"reader{number}@example.com", "models")
    return newsletter


@pytest.fixture
def crowd(ready: Newsletter) -> Newsletter:
    """The same and one more, with an edition of their own."""
    add_reader(ready, "late@example.com", "policy")
    return ready


def said(language: str, key: str) -> str:
    return WORDS[language][key].format(n=FIRST, first=FIRST)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_page_that_looked_at_the_first_readers_says_so(crowd: Newsletter, path: str, language: str) -> None:
    page = at_desk(crowd).get(path, headers={"accept-language": language}).text
    assert [key for key in PAGES[path] if said(language, key) not in page] == []


@pytest.mark.parametrize("path", PAGES)
def test_a_page_that_looked_at_all_readers_says_nothing_of_first_ones(ready: Newsletter, path: str) -> None:
    answer = at_desk(ready).get(path)
    assert answer.status_code == 200
    assert [key for key in PAGES[path] if said("zh", key) in answer.text] == []


@pytest.mark.parametrize("path", PAGES)
def test_a_page_reads_no_more_readers_than_it_says(
    crowd: Newsletter, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    seen: set[str] = set()
    audience_page = readership.audience_page

    def watched(*asked: Any) -> Any:
        page = audience_page(*asked)
        seen.update(member.ascii_address for member in page)
        return page

    monkeypatch.setattr(readership, "audience_page", watched)
    at_desk(crowd).get(path)
    assert seen == {"reader0@example.com", "reader1@example.com"}


def test_the_editor_does_not_tell_the_editions_of_some_as_those_of_all(ready: Newsletter) -> None:
    path = f"{DESK}/figures?part=reach"
    assert 'data-editions="1"' in at_desk(ready).get(path).text
    add_reader(ready, "late@example.com", "policy")
    assert "data-editions" not in at_desk(ready).get(path).text


def test_where_none_of_the_first_readers_gets_anything_the_preview_does_not_say_that_nobody_does(
    newsletter: Newsletter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readership, "MOST_COUNTED", FIRST)
    add_issue(newsletter)
    for name, topic in (("a", "funding"), ("b", "funding"), ("c", "models")):
        add_reader(newsletter, f"{name}@example.com", topic)
    page = at_desk(newsletter).get(f"{DESK}/preview?by=edition").text
    assert said("zh", "preview_no_editions_first") in page
    assert WORDS["zh"]["preview_no_editions"] not in page


def test_before_a_send_the_first_readers_are_not_told_as_all_who_get_it(crowd: Newsletter) -> None:
    approve(crowd, SLUG)
    page = at_desk(crowd).get(f"{DESK}/sending/start").text
    assert f"<strong>3</strong> <span>{WORDS['zh']['sending_start_up_to']}</span>" in page
