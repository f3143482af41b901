"""The sample is what a mail of these preferences would be, is compiled once, and says why each story is in it."""

import pytest
from sign_up_samples import publish_issue
from web_samples import SLUG, add_issue

from newsletter.app import Newsletter
from newsletter.archive.reading import Archive
from newsletter.editorial.preview import preview_topics
from newsletter.readers import sample as samples
from newsletter.readers.sample import Sampler
from subscribers.preferences import Frequency, Preferences

ECHO = "山谷团队开源语音模型 Echo-2"
RULES = "岬角市发布公共数据细则"


@pytest.fixture
def sampler(newsletter: Newsletter) -> Sampler:
    return Sampler(newsletter, Archive(newsletter))


def test_nothing_is_shown_before_an_issue_was_published(newsletter: Newsletter, sampler: Sampler) -> None:
    add_issue(newsletter)
    assert sampler.sample(Preferences(topics=("models",)), "zh") is None


def test_preferences_that_nothing_matches_get_nothing(newsletter: Newsletter, sampler: Sampler) -> None:
    publish_issue(newsletter)
    assert sampler.sample(Preferences(topics=("funding",)), "zh") is None
    assert sampler.sample(Preferences(topics=()), "zh") is None


def test_each_story_says_which_topic_or_keyword_brought_it(newsletter: Newsletter, sampler: Sampler) -> None:
    publish_issue(newsletter)
    found = sampler.sample(Preferences(topics=("policy",), follow=("nothing", "ｅｃｈｏ")), "zh")
    assert found is not None
    assert found.stories == ((ECHO, None, "ｅｃｈｏ"), (RULES, "政策与监管", None))


def test_order_cap_and_mute_are_those_of_a_mail(newsletter: Newsletter, sampler: Sampler) -> None:
    publish_issue(newsletter)
    found = sampler.sample(Preferences(topics=("policy", "models"), most=2, mute=("潮汐",)), "en")
    assert found is not None
    assert [(story.title, story.topic) for story in found.stories] == [
        (RULES, "Policy & Regulation"),
        (ECHO, "Models & Research"),
    ]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_html_is_that_of_the_mail(newsletter: Newsletter, sampler: Sampler, language: str) -> None:
    publish_issue(newsletter)
    found = sampler.sample(Preferences(topics=("models", "policy")), language)
    made = preview_topics(newsletter, SLUG, ("models", "policy"), language)
    assert found is not None
    assert found.html == made.html
    assert found.text == made.text


def test_asking_again_compiles_nothing(
    newsletter: Newsletter, sampler: Sampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_issue(newsletter)
    sampler.sample(Preferences(topics=("models",)), "zh")
    monkeypatch.setattr(samples, "compile_issue", None)
    assert sampler.sample(Preferences(topics=("policy",)), "zh") is not None


def test_a_new_revision_and_a_new_name_of_a_topic_show_at_once(newsletter: Newsletter, sampler: Sampler) -> None:
    publish_issue(newsletter)
    sampler.sample(Preferences(topics=("models",)), "zh")
    publish_issue(newsletter, title="另一个标题")
    found = sampler.sample(Preferences(topics=("models",)), "zh")
    assert found is not None
    assert [story.title for story in found.stories][1] == "另一个标题"
    with newsletter.session() as session:
        newsletter.topics(session).add("chips", "芯片", "Chips")
    assert sampler.sample(Preferences(topics=("models",)), "zh") is not None


def test_its_personal_links_open_nothing(newsletter: Newsletter, sampler: Sampler) -> None:
    publish_issue(newsletter)
    found = sampler.sample(Preferences(topics=("models",)), "zh")
    assert found is not None
    assert "/unsubscribe/preview" in found.html


def test_who_reads_weekly_is_shown_what_a_digest_would_hold(newsletter: Newsletter, sampler: Sampler) -> None:
    publish_issue(newsletter)
    found = sampler.sample(Preferences(topics=("policy",), frequency=Frequency.WEEKLY), "zh")
    assert found is not None
    assert found.is_digest
    assert [story.title for story in found.stories] == [RULES]
    assert "/archive/2026-03-09/" in found.text


def test_what_comes_weekly_is_not_in_a_sample_of_the_daily_mail(newsletter: Newsletter, sampler: Sampler) -> None:
    publish_issue(newsletter)
    both = Preferences(topics=("policy", "models"), frequencies=(("models", Frequency.WEEKLY),))
    found = sampler.sample(both, "zh")
    assert found is not None
    assert not found.is_digest
    assert [story.title for story in found.stories] == [RULES]
