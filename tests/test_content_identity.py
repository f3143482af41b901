"""A story's id: unique in its issue, and the same after every edit that leaves it the same story."""

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from newsletter.content.identity import identify, title_key, url_key
from newsletter.content.issue import Issue, Mark, Paragraph, Section, Source, Story


def issue(*sections):
    return Issue(
        "示例日报",
        None,
        tuple(Section(f"栏目{n}", tuple(stories), topic=f"topic-{n}") for n, stories in enumerate(sections)),
    )


def story(title, url="", **more):
    return Story(title, source=Source("示例报", url) if url else None, **more)


def ids(found):
    return [one.id for one in found.stories]


TITLES = st.sampled_from(["云帆发布推理引擎", "星河开源调度系统", "北岸发放算力券", "X", "", "!!"])
URLS = st.sampled_from(["", "https://example.org/a", "https://example.org/b", "https://example.org/c?page=2"])
STORIES = st.builds(story, TITLES, URLS, summary=st.sampled_from(["", "一", "二"]))
ISSUES = st.lists(st.lists(STORIES, max_size=6), max_size=4).map(lambda sections: issue(*sections))


@given(ISSUES)
def test_every_id_is_ten_url_safe_characters_and_stands_once(found):
    made = ids(identify(found))
    assert all(re.fullmatch(r"[a-z0-9]{10}", one) for one in made)
    assert len(set(made)) == len(made)


@given(ISSUES, ISSUES)
def test_ids_stand_once_after_a_revision_too(before, after):
    made = ids(identify(after, identify(before)))
    assert all(made) and len(set(made)) == len(made)


@given(ISSUES)
def test_identifying_changes_nothing_but_the_ids(found):
    named = identify(found)
    bare = [replace(section, stories=tuple(replace(s, id="") for s in section.stories)) for section in named.sections]
    assert replace(named, sections=tuple(bare)) == found


def by_content(found):
    return sorted((section.topic, repr(replace(s, id="")), s.id) for section in found.sections for s in section.stories)


@given(ISSUES, st.randoms(use_true_random=False))
def test_ids_do_not_depend_on_the_order_of_a_revision(before, random):
    named = identify(before)
    sections = [replace(s, stories=tuple(random.sample(s.stories, len(s.stories)))) for s in before.sections]
    random.shuffle(sections)
    assert by_content(identify(replace(before, sections=tuple(sections)), named)) == by_content(named)


UNIQUE = st.lists(STORIES, max_size=8, unique_by=lambda s: repr(s))


@given(UNIQUE, st.randoms(use_true_random=False))
def test_first_ids_of_different_stories_do_not_depend_on_their_order(stories, random):
    shuffled = random.sample(stories, len(stories))
    first, second = identify(issue(stories)), identify(issue(shuffled))
    assert by_content(first) == by_content(second)


@given(UNIQUE, st.lists(STORIES, max_size=5), st.data())
def test_an_unchanged_story_keeps_its_id_whatever_happens_to_the_others(stories, added, data):
    before = identify(issue(stories))
    kept = data.draw(st.lists(st.sampled_from(range(len(stories))), unique=True)) if stories else []
    mixed = data.draw(st.permutations([*(stories[place] for place in kept), *added]))
    after = identify(issue(mixed), before)
    later = {repr(replace(one, id="")): one.id for one in reversed(after.stories)}
    held = {one.id for one in after.stories}
    for place in kept:
        assert before.stories[place].id in held
        if stories[place] not in added:
            assert later[repr(stories[place])] == before.stories[place].id


def revised(old, new):
    before = identify(issue([old, story("无关的另一条", "https://example.org/other")]))
    after = identify(issue([story("新加的一条", "https://example.org/new"), new]), before)
    return before.stories[0].id == after.stories[1].id


MARKS = st.sampled_from([(), (Mark.IMPORTANT,), (Mark.FOLLOW_UP,), (Mark.IMPORTANT, Mark.NEW)])


def marked(found, data):
    sections = [
        replace(s, stories=tuple(replace(one, marks=data.draw(MARKS)) for one in s.stories)) for s in found.sections
    ]
    return replace(found, sections=tuple(sections))


@given(ISSUES, st.data())
def test_a_mark_is_no_part_of_a_first_id(found, data):
    assert ids(identify(marked(found, data))) == ids(identify(found))


@given(ISSUES, st.data())
def test_setting_marks_changes_no_id(found, data):
    before = identify(found)
    assert ids(identify(marked(found, data), before)) == ids(before)


def test_ids_are_what_they_were_before_there_were_marks():
    """Two stories alike in link and title get their ids from all of their text, by the form it had then."""
    page = "https://example.org/roundup"
    assert ids(identify(issue([story("乙", page, summary="一"), story("乙", page)]))) == ["xmzkwqf3ck", "rrmkrngkpm"]


def test_a_new_title_keeps_the_id_when_the_link_stays():
    assert revised(story("云帆发布引擎", "https://example.org/a"), story("完全不同的说法", "https://example.org/a"))


def test_a_new_link_keeps_the_id_when_the_title_stays():
    assert revised(story("云帆发布引擎", "https://example.org/a"), story("云帆 发布引擎！", "https://example.org/z"))


def test_a_title_edited_a_little_keeps_the_id():
    assert revised(story("云帆科技发布新推理引擎"), story("云帆科技正式发布推理引擎"))


def test_a_new_title_over_the_same_text_keeps_the_id():
    text = (Paragraph("云帆科技周一发布了新的推理引擎，单价下降一半。"),)
    assert revised(story("云帆新品", body=text), story("推理降价", body=text))


def test_another_story_gets_another_id():
    assert not revised(story("云帆发布引擎", "https://example.org/a"), story("北岸发放算力券", "https://example.org/b"))


def test_a_like_title_with_another_link_is_another_story():
    old = story("云帆科技完成A轮融资", "https://example.org/a")
    assert not revised(old, story("星海科技完成B轮融资", "https://example.org/b"))


def test_a_story_taken_out_and_put_back_has_its_first_id():
    first = identify(issue([story("甲事件", "https://example.org/a"), story("乙事件", "https://example.org/b")]))
    without = identify(issue([story("乙事件", "https://example.org/b")]), first)
    again = identify(
        issue([story("甲事件", "https://example.org/a"), story("乙事件", "https://example.org/b")]), without
    )
    assert ids(again) == ids(first)


def test_two_stories_from_one_page_have_different_ids():
    page = "https://example.org/roundup"
    assert len(set(ids(identify(issue([story("甲", page), story("乙", page), story("乙", page)]))))) == 3


def test_addresses_of_one_page_have_one_key():
    pages = ["https://www.example.org/a/", "http://example.org/a?utm_source=mail", "HTTPS://EXAMPLE.org/a#top"]
    assert {url_key(page) for page in pages} == {"example.org/a"}


def test_addresses_that_differ_in_their_query_have_different_keys():
    assert url_key("https://example.org/a?id=1") != url_key("https://example.org/a?id=2")


@given(st.text())
def test_no_address_is_too_strange(text):
    assert isinstance(url_key(f"https://{text}"), str)


def test_titles_are_equal_without_width_case_and_punctuation():
    assert title_key("ＡＩ “黑科技” HUGS！") == title_key("ai“黑科技”hugs")


def test_the_largest_issue_rewritten_throughout_still_has_different_ids():
    before = identify(issue([story(f"第{n}条旧消息", f"https://example.org/{n}") for n in range(2_000)]))
    after = identify(issue([story(f"另{n}则新闻", f"https://example.net/{n}") for n in range(2_000)]), before)
    assert len(set(ids(after))) == 2_000
