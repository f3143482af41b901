"""Long bodies cut at the end of a sentence, so that a mail stays a digest and under the size that Gmail clips."""

import re
from collections.abc import Sequence
from dataclasses import replace

from newsletter.content.spans import Text, plain
from newsletter.render.blocks import BlockView
from newsletter.render.spans import Spans, first_characters
from newsletter.render.widths import cut_to_columns, whole_characters

BODY_CHARACTERS = 600
"""How much of a body stands in the mail when the rest can be read elsewhere."""

BRIEF_COLUMNS = 240
"""How much of a story a digest tells: 120 Chinese characters, which are as wide as 240 letters and say as much."""

TITLE_COLUMNS = 160
"""How much of a title stands above a story of a digest: more than editors write, unless a text was taken for one."""

ENTRY_COLUMNS = 80
"""How much of a title stands in a digest's contents: a line on a large screen, two on a telephone."""

_SENTENCE_END = re.compile(r"[。！？!?…][”’』」）)]*|\.[\"”')]*(?=\s|$)")


def shortened(blocks: Sequence[BlockView], most: int = BODY_CHARACTERS) -> tuple[tuple[BlockView, ...], bool]:
    """The first blocks that fit into `most` visible characters, and whether anything was cut.

    A paragraph is cut behind its last whole sentence; of lists, quotes, code and tables the first rows are kept.
    """
    kept: list[BlockView] = []
    room = most
    for block in blocks:
        if block.size > room:
            kept.extend(_first_part(block, room))
            return tuple(kept), True
        kept.append(block)
        room -= block.size
    return tuple(kept), False


def _first_part(block: BlockView, room: int) -> tuple[BlockView, ...]:
    """What of a block fits: a paragraph's first sentences, or the first rows of anything else; perhaps nothing."""
    if block.kind == "paragraph":
        sentences = whole_sentences(block.rows[0][0], room)
        return (replace(block, rows=((sentences,),)),) if sentences else ()
    fitting = 0
    for size in block.row_sizes:
        if size > room:
            break
        room -= size
        fitting += 1
    return (replace(block, rows=block.rows[:fitting]),) if fitting else ()


def brief(spans: Spans) -> Spans:
    """The first sentences that fit into `BRIEF_COLUMNS`; of one overlong sentence its first words with an ellipsis."""
    text = plain(spans)
    fitting = cut_to_columns(text, BRIEF_COLUMNS)
    if fitting == text:
        return spans
    kept = len(fitting) - 1
    end = max((found.end() for found in _SENTENCE_END.finditer(text, 0, kept)), default=0)
    return first_characters(spans, end) if end else (*first_characters(spans, kept), Text("…"))


def headline(spans: Spans) -> Spans:
    """A title; of one that is wider than `TITLE_COLUMNS` the first words with an ellipsis."""
    text = plain(spans)
    fitting = cut_to_columns(text, TITLE_COLUMNS)
    return spans if fitting == text else (*first_characters(spans, len(fitting) - 1), Text("…"))


def whole_sentences(spans: Spans, most: int) -> Spans:
    """The sentences that fit into `most` characters; of one overlong sentence its beginning with an ellipsis."""
    text = plain(spans)
    if len(text) <= most:
        return spans
    end = max((found.end() for found in _SENTENCE_END.finditer(text, 0, most)), default=0)
    if end:
        return first_characters(spans, end)
    kept = whole_characters(text, most - 1)
    return (*first_characters(spans, kept), Text("…")) if kept else ()
