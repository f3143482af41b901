"""The YAML block above an issue."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.content.front_matter import FrontMatter, read_front_matter, write_front_matter


def test_the_known_keys_are_read() -> None:
    front = read_front_matter(
        [
            "---",
            "title: 早报",
            "date: 2026-02-04",
            "subject: 今日三条",
            "preheader: 先睹",
            "topics: [policy, models]",
            "---",
            "x",
        ]
    )
    assert (front.title, front.date, front.subject, front.preheader) == ("早报", "2026-02-04", "今日三条", "先睹")
    assert front.topics == ("policy", "models")
    assert front.lines == 7


def test_topics_may_be_one_line() -> None:
    assert read_front_matter(["---", "topics: 政策、模型, funding", "---"]).topics == ("政策", "模型", "funding")


def test_values_stay_the_text_that_was_written() -> None:
    front = read_front_matter(["---", "title: no", "subject: 007", "date: 2026-02-31", "---"])
    assert (front.title, front.subject, front.date) == ("no", "007", "2026-02-31")
    assert not front.diagnostics


def test_broken_yaml_is_an_error_with_its_line() -> None:
    front = read_front_matter(["", "---", "date: 2026-02-04", "title: a: b", "---", "text"])
    assert [(found.code, found.line, found.severity) for found in front.diagnostics] == [("front-matter", 4, "error")]
    assert front.lines == 5


@pytest.mark.parametrize("second", ["title: B", "Title : B", "title:"])
def test_a_key_that_stands_twice_is_an_error_at_its_second_line(second: str) -> None:
    (found,) = read_front_matter(["---", "title: A", "date: 2026-02-04", second, "---"]).diagnostics
    assert (found.code, found.line, found.severity) == ("front-matter", 4, "error")
    assert "'title' stands twice" in found.message


def test_a_block_without_its_end_is_an_error() -> None:
    assert [found.code for found in read_front_matter(["---", "title: x", "", "text"]).diagnostics] == ["front-matter"]


def test_a_rule_at_the_top_is_no_front_matter() -> None:
    assert read_front_matter(["---", "Only prose here", "---", "more"]).lines == 0
    assert read_front_matter(["---", "Only prose here", "more"]).diagnostics == ()


@pytest.mark.parametrize(
    "first", ["# AI 早报", "**重点**：一项", "说明: 一句", "Two words: prose", "https://a.example", "- a: b", "---"]
)
def test_what_does_not_begin_with_a_key_is_text(first: str) -> None:
    assert read_front_matter(["---", "", first, "title: a: b", "---", "more"]) == FrontMatter()


def test_blank_lines_may_stand_above_the_first_key_and_comments_below_it() -> None:
    front = read_front_matter(["---", "", "  title: 早报", "  # a comment", "  date: 2026-02-04", "---"])
    assert (front.title, front.date, front.lines, front.diagnostics) == ("早报", "2026-02-04", 6, ())


def test_an_unknown_key_is_a_warning_that_quotes_its_value() -> None:
    (found,) = read_front_matter(["---", "title: x", "author: 王晓", "---"]).diagnostics
    assert (found.code, found.line, found.severity) == ("unplaced", 3, "warning")
    assert "author" in found.message
    assert "王晓" in found.message


def test_an_unknown_value_is_quoted_to_its_end() -> None:
    (found,) = read_front_matter(["---", "author: " + "王" * 1000, "---"]).diagnostics
    assert "王" * 1000 in found.message


def test_nested_values_and_deep_yaml_are_errors_and_no_exceptions() -> None:
    assert read_front_matter(["---", "title: {a: b}", "---"]).diagnostics[0].line == 2
    assert read_front_matter(["---", "title: " + "[" * 3000, "---"]).diagnostics
    aliases = [
        "---",
        "a: &a [x, x]",
        *(f"{c}: &{c} [*{p}, *{p}, *{p}]" for p, c in zip("abcdefgh", "bcdefghi", strict=True)),
        "---",
    ]
    assert len(str(read_front_matter(aliases).diagnostics)) < 5_000


@given(
    st.dictionaries(
        st.sampled_from(["title", "subject", "preheader"]), st.text("ab:#\"'\\{}[]中😀-&*!|>%@` ", min_size=1)
    )
)
def test_what_is_written_reads_back(values: dict[str, str]) -> None:
    tidy = {key: " ".join(value.split()) for key, value in values.items()}
    front = read_front_matter(write_front_matter(tidy).split("\n"))
    assert {key: getattr(front, key) for key in tidy} == tidy
