"""Transfer encodings in pieces."""

import base64
import quopri

from hypothesis import given
from hypothesis import strategies as st

from newsletter.render.fragment import Piece
from newsletter.render.transfer import base64_lines, is_seven_bit, padded, quoted_lines, quoted_size, wire

lines = st.text(alphabet=st.sampled_from("ab.= \t\n中é😀"), max_size=400)


def assert_lines(encoded: bytes) -> None:
    for line in encoded.split(b"\r\n"):
        assert len(line) <= 76
        assert not line.startswith(b".")
        assert not line.endswith((b" ", b"\t"))


@given(lines)
def test_quoted_printable_decodes_to_what_went_in(text: str) -> None:
    encoded = quoted_lines(wire(text))
    assert quopri.decodestring(encoded) == wire(text)
    assert_lines(encoded)


@given(lines)
def test_base64_decodes_to_what_went_in(text: str) -> None:
    encoded = base64_lines(wire(text))
    assert base64.b64decode(encoded) == wire(text)
    assert_lines(encoded)


@given(st.lists(lines, min_size=1, max_size=5))
def test_pieces_join_in_either_encoding(texts: list[str]) -> None:
    pieces = [Piece.of(text) for text in texts]
    whole = wire("".join(piece.html for piece in pieces))
    assert quopri.decodestring(b"".join(piece.quoted for piece in pieces)) == whole
    assert base64.b64decode(b"".join(piece.base64 for piece in pieces), validate=False) == whole
    assert_lines(b"".join(piece.quoted for piece in pieces))
    assert_lines(b"".join(piece.base64 for piece in pieces))


@given(lines)
def test_padding_adds_blanks_up_to_whole_lines(text: str) -> None:
    assert padded(text).rstrip(" ") == text.rstrip(" ")
    assert len(wire(padded(text))) % 57 == 0
    assert len(padded(text)) - len(text) < 57


@given(st.text(alphabet="abc 中文é=", min_size=200, max_size=600))
def test_the_size_of_quoted_printable_is_foretold(text: str) -> None:
    data = wire(text)
    assert abs(quoted_size(data) - len(quoted_lines(data))) <= 0.05 * len(quoted_lines(data))


def test_text_is_sent_as_it_is_only_when_short_ascii_lines_allow_it() -> None:
    assert is_seven_bit("a" * 78 + "\n")
    assert not is_seven_bit("a" * 79)
    assert not is_seven_bit("first\n.second")
    assert not is_seven_bit("é")
