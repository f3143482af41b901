"""Bytes to text: the encodings editors' tools write, and what is no text."""

import pytest

from newsletter.content.encoding import decode

TEXT = "# AI 行业动态 (2026-02-04)\r\n\r\n**政策与监管**\n说明：北辰实验室发布新模型 “星河”，参数 3.5B。\n"


@pytest.mark.parametrize("name", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "gbk", "utf-32"])
def test_chinese_text_is_read_in_every_usual_encoding(name: str) -> None:
    data = TEXT.encode(name)
    if name == "utf-32":
        assert data.startswith(b"\xff\xfe\x00\x00")
    assert decode(data) == TEXT


@pytest.mark.parametrize("name", ["utf-16-le", "utf-16-be"])
def test_chinese_alone_in_utf_16_without_a_mark_is_told_from_gb18030(name: str) -> None:
    assert decode("北辰实验室发布新模型参数规模创新高".encode(name)) == "北辰实验室发布新模型参数规模创新高"


def test_rare_characters_of_gb18030_survive() -> None:
    assert decode("𠮷野家与龘字，还有常用的字和标点。".encode("gb18030")) == "𠮷野家与龘字，还有常用的字和标点。"


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)),
        bytes(range(256)) * 20,
        b"PK\x03\x04" + b"\x00\x14\x08" * 50,
    ],
)
def test_binary_is_no_text(data: bytes) -> None:
    assert decode(data) is None


def test_latin_1_is_refused_rather_than_guessed() -> None:
    assert decode("café à la carte, déjà vu".encode("latin-1")) is None


def test_a_cut_utf_8_file_is_not_taken_for_another_encoding() -> None:
    assert decode(TEXT.encode()[:-1] + b"\xe4\xb8") is None


def test_one_stray_control_character_does_not_make_a_text_binary() -> None:
    assert decode((TEXT + "\x00").encode()) == TEXT + "\x00"
