"""The words that texts are found by: Chinese in pairs, everything else as it is written, whatever is typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.archive.words import MOST_BYTES, WORD_CHARACTERS, wanted, words

CHINESE = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=2, max_size=12)
ANYTHING = st.text(st.sampled_from("融资轮数据细则ABCxyz019 ，。、-_'\"*()\n\0😀éß々カナ한글"), max_size=30)


def finds(query: str, text: str) -> bool:
    """What a database does with the words: every one that is wanted is there."""
    asked = wanted(query)
    return bool(asked) and set(asked) <= set(words(text))


@given(ANYTHING, CHINESE, ANYTHING, st.data())
def test_every_piece_of_two_or_more_chinese_characters_is_found(
    before: str, run: str, after: str, data: st.DataObject
) -> None:
    first = data.draw(st.integers(0, len(run) - 2))
    last = data.draw(st.integers(first + 2, len(run)))
    assert finds(run[first:last], before + run + after)


@given(ANYTHING, st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), ANYTHING)
def test_a_single_chinese_character_is_found_wherever_it_stands(before: str, one: str, after: str) -> None:
    assert finds(one, before + one + after)


@given(st.text())
def test_words_hold_letters_and_digits_alone(text: str) -> None:
    assert all(word.isalnum() for word in words(text))
    assert all(word.isalnum() for word in wanted(text))


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("融资", "完成B轮融资轮次"),
        ("人工智能", "人工智能"),
        ("ＧＰＴ", "gpt-4 发布"),
        ("GPT-4", "gpt-4 发布"),
        ("cafe", "Café 开业"),
        ("STRASSE", "Straße"),
        ("10亿 融资", "获10亿元融资"),
        ("カメラ", "新しいカメラ"),
        ("한국", "한국어"),
        ("細", "⼀細則"),
    ],
)
def test_a_reader_finds(query: str, text: str) -> None:
    assert finds(query, text)


@pytest.mark.parametrize(
    ("query", "text"),
    [("融资", "资金融通"), ("融资", "融，资"), ("数据 细则", "数据"), ("art", "start"), ("资", "融金"), ("a 资", "资")],
)
def test_a_reader_does_not_find(query: str, text: str) -> None:
    assert not finds(query, text)


@pytest.mark.parametrize("query", ["", " ", "😀", "***", '"', "\0", "_", "，。", "\ud800"])
def test_what_holds_no_word_asks_for_nothing(query: str) -> None:
    assert wanted(query) == ()


def test_ten_thousand_characters_ask_for_a_few_words() -> None:
    assert len(wanted("".join(chr(0x4E00 + number) for number in range(10_000)))) == 32
    assert wanted("a" * 10_000) == ("a" * WORD_CHARACTERS,)


def test_a_text_without_end_keeps_no_more_than_a_database_takes() -> None:
    kept = words(" ".join(f"{number:040}" for number in range(50_000)))
    assert MOST_BYTES - 40 <= sum(map(len, kept)) <= MOST_BYTES
