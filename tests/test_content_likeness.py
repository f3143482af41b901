"""Likeness of stories: an edited text is found, another is not, and what comes again each week is no repeat."""

import random
from dataclasses import replace
from datetime import date
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.content.issue import Code, Paragraph, Source, Story
from newsletter.content.likeness import (
    ALIKE,
    KEPT,
    LEAST,
    SOUGHT,
    Case,
    from_bytes,
    likeness,
    page_key,
    retells,
    sketch,
    to_bytes,
    traits_of,
)
from newsletter.editorial.intake import check
from subscribers.topics import Catalogue

SEEDS = sorted((Path(__file__).parents[2] / "shared" / "seeds").glob("*.txt"))
TOLD = {
    "zh tides": (
        "群岛实验室昨日公开了潮汐预报模型的全部训练数据，覆盖十二个港口近三十年的逐时潮位。数据附有清洗脚本与"
        "评测说明，第三方可以据此核对论文中的结论。实验室表示，今后每季度更新一次，并接受外部提交的观测记录。"
    ),
    "zh speech": (
        "山谷团队发布离线语音识别模型，安装包不到四十兆，可在三年前的手机上实时转写普通话与四种方言。团队称，"
        "录音不会离开设备，模型以宽松许可证开放下载，企业可以商用。"
    ),
    "zh harbour": (
        "群岛实验室与港务集团签署合作协议，双方将在六个码头试用潮汐预报模型，为期一年。港务集团提供船舶进出港"
        "记录，实验室负责部署与培训，试用结束后公布评估报告。"
    ),
    "en tides": (
        "The Harbour Institute has published every reading its tide model was trained on: hourly levels from "
        "twelve ports over thirty years. Scripts for cleaning and a description of the tests come with it, "
        "so that others can check what the paper claims. New readings are to follow each quarter."
    ),
    "en speech": (
        "Valley Speech has released a recogniser that runs without a network. The package takes less than "
        "forty megabytes and keeps up with speech on phones that are three years old; recordings never leave "
        "the device, and companies may use it under a permissive licence."
    ),
    "en harbour": (
        "The Harbour Institute and the Port Company will try the tide model at six quays for one year. The "
        "company provides records of ships that come and go, the institute installs the model and trains "
        "the staff, and both will publish a report at the end."
    ),
}
EDITED = {
    "zh tides": (
        "群岛实验室周二公开了潮汐预报模型的全部训练数据，覆盖十二个港口近三十年的逐时潮位。数据附带清洗脚本与"
        "评测说明，任何人都可以据此核对论文的结论。实验室称，今后每季度更新一次，也接受外部提交的观测记录。"
    ),
    "en tides": (
        "The Harbour Institute on Tuesday published every reading its tide model was trained on: hourly water "
        "levels from twelve ports over thirty years. Scripts for cleaning and a description of the tests "
        "come along, so that anybody can check what the paper claims. New readings will follow each quarter."
    ),
}
IN_OTHER_WORDS = (
    "一支研究海洋的团队把自己的潮汐模型所用的数据放到了网上：三十年间十二座港口每小时的水位都在其中，外界可以重算。"
)
PAGE = "https://lab.example.org/news/2026/tides"


def story(summary: str = TOLD["zh tides"], title: str = "群岛实验室公开潮汐数据", url: str = PAGE) -> Story:
    return Story(title, summary=summary, source=Source("群岛实验室", url) if url else None)


def told(new: Story, earlier: Story) -> Case | None:
    found = retells(traits_of(new), traits_of(earlier))
    return found.case if found else None


@pytest.mark.parametrize("name", EDITED)
def test_an_edited_text_is_the_same_story_under_another_title_and_link(name: str) -> None:
    assert told(story(EDITED[name], "新的题目", ""), story(TOLD[name])) is Case.TEXT


@pytest.mark.parametrize(("one", "other"), list(combinations(TOLD, 2)))
def test_stories_on_one_subject_are_not_alike(one: str, other: str) -> None:
    assert likeness(sketch(TOLD[one]), sketch(TOLD[other])) < 0.1


def test_a_heading_that_comes_every_week_with_another_text_is_no_repeat() -> None:
    weekly = story(title="本周数据", url="https://lab.example.org/weekly")
    assert told(replace(weekly, summary=TOLD["zh speech"]), weekly) is None


def test_the_same_title_over_a_story_without_text_is_a_repeat() -> None:
    assert told(story(url=""), story("", url="")) is Case.TITLE


def test_the_heading_of_a_column_over_links_to_two_articles_is_no_repeat() -> None:
    papers = story("两篇。", "每日论文", "https://lab.example.org/papers/20260309")
    assert told(replace(papers, source=Source("lab", "https://lab.example.org/papers/20260310")), papers) is None


def test_titles_are_compared_without_marks_width_and_case() -> None:
    assert told(story("", "**GPT－6** 发布！", ""), story("", "gpt-6发布", "")) is Case.TITLE


def test_the_same_page_and_a_text_that_is_not_wholly_other_is_a_repeat() -> None:
    half = TOLD["zh tides"][:60] + TOLD["zh speech"]
    assert told(story(half, "新的题目"), story()) is Case.LINK


def test_the_same_article_in_other_words_may_be_a_repeat() -> None:
    found = retells(traits_of(story(IN_OTHER_WORDS, "海洋团队开放数据")), traits_of(story()))
    assert found is not None
    assert (found.case, found.is_sure) == (Case.PAGE, False)


@pytest.mark.parametrize(
    "url", ["https://lab.example.org/", "https://lab.example.org/zh-cn/", "https://lab.example.org/index.html", ""]
)
def test_the_front_page_of_a_site_says_nothing(url: str) -> None:
    assert page_key(url) == ""
    assert told(story("", "一条", url), story("", "另一条", url)) is None


@pytest.mark.parametrize("url", [PAGE, "https://lab.example.org/blog", "https://lab.example.org/?id=3"])
def test_a_page_of_its_own_has_a_key(url: str) -> None:
    assert page_key(url + ("&" if "?" in url else "?") + "utm_source=mail") == page_key(url) != ""


def test_a_page_that_lists_others_tells_nothing_over_another_text() -> None:
    one = story(url="https://lab.example.org/blog")
    assert told(replace(one, title="另一条", summary=TOLD["zh speech"]), one) is None


def test_a_few_words_in_common_do_not_speak_for_themselves() -> None:
    short = "详情请见链接。"
    assert len(sketch(short)) < LEAST
    assert told(story(short, "一条", ""), story(short, "另一条", "")) is None


def test_marks_and_addresses_are_no_text() -> None:
    marked = TOLD["en tides"].replace("Harbour Institute", "**[Harbour Institute](https://harbour.example.org/about)**")
    assert traits_of(story(marked)).sketch == traits_of(story(TOLD["en tides"])).sketch


def test_what_stands_in_a_body_counts_as_text() -> None:
    in_body = Story("题目", body=(Paragraph(TOLD["zh tides"]), Code("print('潮汐')")))
    assert told(in_body, story(url="")) is Case.TEXT


def test_long_titles_and_links_have_keys_of_their_own_that_an_index_takes() -> None:
    one, other = (traits_of(story("", "长" * 5_000 + end, PAGE + "x" * 5_000 + end)) for end in ("甲", "乙"))
    assert one.title_key != other.title_key
    assert one.url_key != other.url_key
    assert max(len(one.title_key), len(one.url_key)) < 200


def test_a_sketch_is_the_same_in_every_process() -> None:
    assert sketch("潮汐 Model-2") == (3460988411341119851, 8665695225093220466)  # as databases hold it


TEXT = st.text(max_size=400)
TOKENS = st.lists(st.sampled_from([*"的一是在不了有和人这中大为上个国我以要他", "model", "data", "2026"]), max_size=300)


@given(TEXT)
def test_a_text_is_wholly_like_itself(text: str) -> None:
    assert likeness(sketch(text), sketch(text)) == float(bool(sketch(text)))


@given(TEXT, TEXT)
def test_likeness_is_the_same_from_either_side(one: str, other: str) -> None:
    assert likeness(sketch(one), sketch(other)) == likeness(sketch(other), sketch(one))


@given(TEXT)
def test_a_sketch_is_short_sorted_and_kept_byte_for_byte(text: str) -> None:
    hashes = sketch(text)
    assert len(hashes) <= KEPT
    assert list(hashes) == sorted(set(hashes))
    assert all(-(2**63) <= value < 2**63 for value in hashes)
    assert from_bytes(to_bytes(hashes)) == hashes


def numbered(seed: int, many: int) -> list[str]:
    """So many tokens, of which a run of three hardly comes twice; no other seed has the same."""
    chance = random.Random(seed)
    return [chr(0x4E00 + chance.randrange(6_000)) for _ in range(many)]


@given(st.integers(0, 10_000), st.integers(30, 900), st.randoms(use_true_random=False))
def test_every_tenth_token_edited_is_found(seed: int, many: int, chance: random.Random) -> None:
    tokens = numbered(seed, many)
    edited = list(tokens)
    for place in chance.sample(range(many), many // 10):
        edited[place] = chance.choice(["", "新x", f"改{tokens[place]}"])
    one, other = (traits_of(Story("题", summary="".join(text))) for text in (tokens, edited))
    assert retells(one, other) is not None
    assert set(one.sought) & set(other.sought)


@given(st.integers(0, 10_000), st.integers(20, 600), st.integers(20, 600))
def test_texts_that_have_nothing_in_common_are_not_alike(seed: int, many: int, more: int) -> None:
    one, other = sketch("".join(numbered(seed, many))), sketch("".join(numbered(seed + 20_000, more)))
    assert likeness(one, other) < 0.05


@given(TOKENS, TOKENS)
def test_an_estimate_of_short_texts_is_the_share_itself(one: list[str], other: list[str]) -> None:
    def runs(tokens: list[str]) -> set[tuple[str, ...]]:
        return {tuple(tokens[at : at + 3]) for at in range(max(len(tokens) - 2, bool(tokens)))}

    ours, theirs = runs(one), runs(other)
    if len(ours | theirs) <= KEPT:
        share = len(ours & theirs) / len(ours | theirs) if ours | theirs else 0
        assert likeness(sketch(" ".join(one)), sketch(" ".join(other))) == pytest.approx(share)


def test_half_alike_texts_share_a_hash_that_is_looked_for() -> None:
    missed = 0
    for seed in range(300):
        tokens = numbered(seed, 300)
        one, other = sketch("".join(tokens)), sketch("".join(tokens[:225] + numbered(seed + 1_000, 75)))
        missed += likeness(one, other) >= ALIKE and not set(one[:SOUGHT]) & set(other[:SOUGHT])
    assert missed <= 3


@pytest.mark.skipif(not SEEDS, reason="the seed documents are not beside the checkout")
def test_no_two_stories_of_the_seeds_tell_each_other_again() -> None:
    issues = [check(file.read_bytes(), date(2026, 2, 5), Catalogue()).issue for file in SEEDS]
    pairs = [
        (a, b) for one, other in combinations(issues, 2) if one and other for a in one.stories for b in other.stories
    ]
    assert [(a.title, b.title) for a, b in pairs if retells(traits_of(a), traits_of(b))] == []
