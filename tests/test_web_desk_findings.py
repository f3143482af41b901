"""Diagnostics in the words of the desk: each code has sentences of its own in both languages, with what they quote."""

import json
import re
import tomllib
from datetime import UTC, datetime

import pytest
from desk_samples import at_desk
from test_docs_diagnostics import documented
from test_review_diagnostics import ARTICLE, BRINGS, BYLINE, HEAD, STORY, WHOLE, front, titled

from newsletter.app import Newsletter
from newsletter.content.as_json import reading_to_document
from newsletter.content.diagnostics import Diagnostic, Severity
from newsletter.content.findings import warning
from newsletter.content.issue import Source, Story
from newsletter.content.story_checks import check_story
from newsletter.editorial.intake import read, take_in
from newsletter.render.theme import templates_dir
from newsletter.storage.issues import Saved, diagnostics_in
from newsletter.storage.models import RevisionRow
from newsletter.web.desk.finding_words import said_of

WORDS = tomllib.loads((templates_dir() / "web" / "words" / "desk_editor.toml").read_text("utf-8"))
LANGUAGES = ("zh", "en")
LONG = "实验室公布了训练潮汐预报模型所用的观测数据，覆盖十二个港口三十年的逐时潮位，任何人都可以核对论文的结论。"
SOURCE = "来源出处：[项目主页](https://project.example.org/)"
CANONICAL = "---\ncanonical: daily\ndate: 2026-03-09\n---\n# 动态\n\n## 模型\n主题：models\n\n"
PAGE = "- **网页上的一条**\n  说明：实验室公布了观测数据。\n  来源出处：[群岛](https://long.example.org/2026/tides)\n"
MORE = {
    "date_impossible_far": WHOLE.replace("2026-03-09", "1999-03-09"),
    "date_impossible_time": ARTICLE + "\n群岛实验室公开潮汐预报模型\n示例日报·2026-13-08 20:28",
    "front_matter_unclosed": "---\ntitle: 早报\n" + WHOLE,
    "front_matter_deep": front(title="[" * 3000),
    "front_matter_long": "---\ntitle: 早报\n" + "x: y\n" * 2000 + "---\n" + WHOLE,
    "front_matter_twice": "---\ntitle: 早报\ntitle: 晚报\n---\n" + WHOLE,
    "front_matter_plain": front(title="{a: b}"),
    "front_matter_canonical": front(canonical="weekly"),
    "link_scheme_to": WHOLE.replace("https://project.example.org/", "ftp://project.example.org/"),
    "source_missing_link": WHOLE.replace(SOURCE, "来源出处：项目主页"),
    "source_missing_all": re.sub("  来源出处.*\n", "", WHOLE),
    "story_earlier_link": titled("另一个标题"),
    "story_earlier_page": titled("另一个标题").replace("实验室公布了观测数据", "有人把模型放到了网上").replace(
        "lab.example.org/tides", "long.example.org/2026/tides"
    ),
    "story_earlier_text": titled("另一个标题").replace("实验室公布了观测数据。", LONG),
    "story_repeated_link": WHOLE + STORY.replace("群岛实验室公开", "另一个标题："),
    "text_long_summary": WHOLE.replace("可以离线识别", "长" * 601),
    "text_long_background": WHOLE.replace("可以离线识别。", "短。\n  背景：" + "长" * 601),
    "text_long_point": WHOLE.replace("可以离线识别。", "短。\n  要点：\n  - " + "长" * 601),
    "topic_unknown_nameless": HEAD.partition("**")[0] + STORY,
    "title_missing_story": CANONICAL + "### &nbsp;\n说明：文\n",
    "topic_unknown_known": CANONICAL.replace("models", "zephyr") + "### 题目\n说明：文\n",
    "topic_unknown_word": front(topics="zephyr"),
    "unplaced_below": ARTICLE + BYLINE + "\n多出来的一行",
    "unplaced_setting": front(colour="blue"),
    "unplaced_link": WHOLE + "\n[没用到]: https://unused.example.org/\n",
    "unplaced_source": WHOLE.replace(SOURCE, SOURCE + "、[另一处](https://other.example.org/)"),
    "unplaced_time": HEAD + STORY + "  发布时间：某一天\n",
    "unplaced_title": "---\ntitle: 早报\n---\n" + WHOLE,
}  # fmt: skip
"""Other ways in which a code comes up, by the sentence that they get."""

SAMPLES: dict[str, str | bytes] = {**BRINGS, **MORE}
USUAL = {
    f"finding_{name}"
    for name in (
        "date_impossible_day", "front_matter_yaml", "source_missing_of", "story_earlier_title",
        "story_repeated_title", "text_long_title", "title_missing_issue", "topic_unknown_section", "unplaced_text",
    )
}  # fmt: skip
"""Of the codes that have several sentences, those that the first sample of the code gets."""

ENGLISH = re.compile(r"[A-Za-z]{2,}(?: [A-Za-z]{2,}){3,}")
"""Four words in a row: a sentence, not a name or a setting."""

BY_HAND = {"finding_link_scheme_of"}
"""A net below the readers, which no text falls into."""

HELP = {"finding_or", "finding_nameless"}
NAMES = {key: key for key in WORDS["en"]}
"""Words that say by which name they were asked for."""


@pytest.fixture
def ours(newsletter: Newsletter) -> Newsletter:
    """A newsletter with fixed time that has had an issue the day before."""
    newsletter.clock = lambda: datetime(2026, 3, 9, 6, 0, tzinfo=UTC)
    earlier = WHOLE.replace("2026-03-09", "2026-03-08").replace("山谷团队开源语音模型", "另一条").encode()
    take_in(newsletter, read(newsletter, earlier), earlier, draft=True)
    longer = titled("很早的一条").replace("实验室公布了观测数据。", LONG).replace("tides", "early")
    longer = longer.replace("2026-03-09", "2026-03-07").replace("山谷团队开源语音模型", "第三条") + PAGE
    take_in(newsletter, read(newsletter, longer.encode()), longer.encode(), draft=True)
    return newsletter


def found(newsletter: Newsletter, text: str | bytes) -> tuple[Diagnostic, ...]:
    return read(newsletter, text if isinstance(text, bytes) else text.encode()).diagnostics


def sentences(language: str) -> set[str]:
    return {key for key in WORDS[language] if key.startswith("finding_")} - HELP


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_words(language: str) -> None:
    lacking = [code for code in documented() if not any(_is_of(key, code) for key in sentences(language))]
    assert lacking == []


def _is_of(key: str, code: str) -> bool:
    name = f"finding_{code.replace('-', '_')}"
    return key == name or key.startswith(f"{name}_")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_comes_up_in_a_sample(language: str) -> None:
    codes = {f"finding_{code.replace('-', '_')}" for code in BRINGS}
    assert {
        key for key in sentences(language) if key not in codes and key.removeprefix("finding_") not in MORE
    } <= USUAL | BY_HAND


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_sentences_read_alike(language: str) -> None:
    said = [WORDS[language][key] for key in sentences(language) - {"finding_topic_unknown_known"}]
    assert len(set(said)) == len(said)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_finding_is_said_whole_in_both_languages(ours: Newsletter, name: str) -> None:
    for one in found(ours, SAMPLES[name]):
        zh, en = said_of(one, WORDS["zh"]), said_of(one, WORDS["en"])
        assert not zh.in_english and not en.in_english
        for said in (zh.text, en.text):
            assert not re.search(r"[{}]|“”", said)
        assert zh.text.endswith("。") and en.text.endswith(".")
        assert not ENGLISH.search(zh.text)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_what_a_sentence_quotes_stands_in_the_message_too(ours: Newsletter, name: str) -> None:
    for one in found(ours, SAMPLES[name]):
        for fact in (fact for key, fact in one.pairs if key != "case"):
            parts = str(fact).split(", ") if isinstance(fact, str) else [str(fact), f"{fact:,}"]
            assert any(part[:40] in one.message for part in parts)


@pytest.mark.parametrize("name", sorted(MORE))
def test_each_way_that_a_code_comes_up_has_its_sentence(ours: Newsletter, name: str) -> None:
    assert f"finding_{name}" in {said_of(one, NAMES).text for one in found(ours, MORE[name])}


@pytest.mark.parametrize("key", sorted(USUAL))
def test_the_usual_way_that_a_code_comes_up_has_its_sentence(ours: Newsletter, key: str) -> None:
    code = next(code for code in BRINGS if _is_of(key, code))
    assert key in {said_of(one, NAMES).text for one in found(ours, BRINGS[code])}


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_facts_are_kept_with_a_revision(ours: Newsletter, name: str) -> None:
    data = SAMPLES[name]
    reading = read(ours, data if isinstance(data, bytes) else data.encode())
    assert diagnostics_in(json.loads(json.dumps(reading_to_document(reading)))) == reading.diagnostics


def test_a_link_that_no_reader_would_let_through_has_its_sentence() -> None:
    story = Story(title="一条", source=Source("项目", "ftp://project.example.org/"))
    (one,) = check_story(3, story, own_host="")
    assert said_of(one, WORDS["zh"]).text.startswith("“一条”里的链接“ftp://project.example.org/”不是网址")
    assert said_of(one, NAMES).text in BY_HAND


def test_a_finding_of_an_older_revision_is_said_in_its_own_english_words() -> None:
    kept = {"severity": "warning", "line": 3, "code": "source-missing", "message": "“一” names no source"}
    (one,) = diagnostics_in({"diagnostics": [kept]})
    said = said_of(one, WORDS["zh"])
    assert (said.text, said.in_english) == ("“一” names no source", True)


def keep_draft(newsletter: Newsletter, text: str) -> Saved:
    data = text.encode()
    return take_in(newsletter, read(newsletter, data), data, draft=True)[0]


def test_a_kept_revision_says_its_findings_in_the_language_of_the_page(ours: Newsletter) -> None:
    saved = keep_draft(ours, MORE["topic_unknown_word"])
    browser = at_desk(ours)
    assert "没有“zephyr”这个主题" in browser.get(f"/desk/issues/{saved.slug}/checks").text
    assert "没有“zephyr”这个主题" in browser.get(f"/desk/issues/{saved.slug}/sending").text


def test_a_revision_kept_without_facts_says_its_findings_in_english_marked_as_such(ours: Newsletter) -> None:
    saved = keep_draft(ours, MORE["topic_unknown_word"])
    with ours.session() as session:
        row = session.get_one(RevisionRow, saved.revision_id)
        older = [{key: one[key] for key in one if key != "facts"} for one in row.document["diagnostics"]]
        row.document = row.document | {"diagnostics": older}
    page = at_desk(ours).get(f"/desk/issues/{saved.slug}/checks").text
    assert re.search(r'lang="en">there is no topic &#39;zephyr&#39;', page)


def test_facts_that_lack_for_a_sentence_leave_the_message() -> None:
    one = Diagnostic(Severity.WARNING, 0, "date-old", "the issue's date 2026-01-01 was 67 days ago")
    assert said_of(one, WORDS["zh"]).in_english


def test_an_unknown_code_says_its_message() -> None:
    assert said_of(warning(0, "of-tomorrow", "there is {a brace}"), WORDS["zh"]).text == "there is {a brace}"


def test_a_quoted_text_may_hold_quotes_braces_and_line_ends() -> None:
    one = warning(3, "source-missing", "…", case="of", of="《“人工智能+制造”意见》 {0}\n二")
    assert said_of(one, WORDS["zh"]).text.startswith("“《“人工智能+制造”意见》 {0} 二”没有来源出处")


def test_a_fact_holds_nothing_that_a_database_refuses() -> None:
    assert warning(0, "unplaced", "…", what="a\x00b\ud800c").facts["what"] == "abc"


def test_a_story_without_a_title_is_called_untitled() -> None:
    assert "“（无标题）”" in said_of(warning(3, "source-missing", "…", case="of", of=""), WORDS["zh"]).text


def test_a_source_that_does_not_fit_reads_otherwise_than_one_that_lacks(ours: Newsletter) -> None:
    said = {one.code: said_of(one, WORDS["zh"]).text for one in found(ours, BRINGS["source-mismatch"])}
    assert "新华网" in said["source-mismatch"]
    assert "project.example.org" in said["source-mismatch"]
    assert "没有来源" not in said["source-mismatch"]


def test_a_story_of_an_earlier_issue_is_marked_by_a_button_at_its_finding(ours: Newsletter) -> None:
    saved = keep_draft(ours, WHOLE)
    browser = at_desk(ours)
    page = browser.get(f"/desk/issues/{saved.slug}").text
    assert re.search(r'name="mend" value="\d+\.0"[^>]*>加上 标记：后续</button>', page)
    assert re.search(r'name="mend" value="\d+\.1"[^>]*>加上 标记：新</button>', page)
