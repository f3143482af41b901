"""Join the fragments of a compiled issue for one edition: everything of a message that many readers share."""

from dataclasses import dataclass
from functools import lru_cache, partial

from newsletter.compose.edition import FOLLOWED, Edition
from newsletter.render.compiled import LINKS, PERSONAL, TAIL, CompiledIssue
from newsletter.render.fragment import Piece
from newsletter.render.headers import text_header
from newsletter.render.letterhead import Letterhead, letterhead
from newsletter.render.outline import Places, outline, shows_topics_in_contents
from newsletter.render.spans import markup
from newsletter.render.transfer import (
    LINE_BYTES,
    Encoding,
    base64_lines,
    decoded,
    is_seven_bit,
    quoted_lines,
    quoted_size,
    smaller,
    wire,
)
from newsletter.render.wording import EditionLines, edition_lines, reason_line


@dataclass(frozen=True, slots=True)
class Assembled:
    """All but the personal fragments of a message.

    `html_front` and `html_tail`, before and behind the personal fragment, are encoded in `html_encoding`; the pieces of
    `html_front` belong to the compiled issue and are joined only in a message, so an edition takes little memory.
    `text_front` is the encoded text in `text_encoding`, without the `text_rest` that did not fill a line of base64;
    `text_plain` is the text as it would go unencoded, None when it cannot. The text is kept in no other form: hundreds
    of these are in memory at once.
    """

    compiled: CompiledIssue
    letterhead: Letterhead
    subject: str
    subject_header: str
    preheader: str
    pieces: tuple[Piece, ...]
    html_encoding: Encoding
    html_front: tuple[bytes, ...]
    html_tail: bytes
    text_encoding: Encoding
    text_front: bytes
    text_rest: bytes
    text_plain: bytes | None

    @property
    def text(self) -> str:
        """The text up to the personal end; its line ends are LF."""
        return decoded(self.text_encoding, self.text_front, self.text_rest)


def assemble(compiled: CompiledIssue, edition: Edition) -> Assembled:
    """Join an edition.

    Raises ValueError when it is empty or names a story or heading that the issue does not have, and `MessageRefused`
    for a publication that no message can be made for.
    """
    groups = places(compiled, edition)
    names = list(outline(groups, shows_topics_in_contents(compiled.html)))
    lines = lines_of(compiled, edition, groups)
    pieces = _pieces(compiled, names, lines)
    typical = _typical_values(compiled, edition)
    html_end = compiled.html[PERSONAL].fill({name: markup(value) for name, value in typical.items()})
    html_encoding, html_front, html_tail = _encoded_html(pieces, html_end, compiled.html[TAIL].literals[0])
    text = _text(compiled, names, lines)
    text_end = compiled.text[PERSONAL].fill(typical) + compiled.text[TAIL].literals[0]
    text_encoding, text_front, text_rest = _encoded_text(text, text_end)
    return Assembled(
        compiled=compiled,
        letterhead=letterhead(compiled.publication),
        subject=lines.subject,
        subject_header=text_header("Subject", lines.subject),
        preheader=lines.preheader,
        pieces=pieces,
        html_encoding=html_encoding,
        html_front=html_front,
        html_tail=html_tail,
        text_encoding=text_encoding,
        text_front=text_front,
        text_rest=text_rest,
        text_plain=wire(text) if is_seven_bit(text) else None,
    )


class Assembler:
    """Assembled editions of one compiled issue, the least recently used given up beyond `capacity` of them."""

    def __init__(self, compiled: CompiledIssue, capacity: int = 1024) -> None:
        self.compiled = compiled
        self._kept = lru_cache(capacity)(partial(assemble, compiled))  # an assembled edition takes some 30 kB

    def __call__(self, edition: Edition) -> Assembled:
        """The assembled edition, kept or made now; raises ValueError as `assemble` does."""
        return self._kept(edition)


def places(compiled: CompiledIssue, edition: Edition) -> Places:
    """Where the groups of an edition stand in the issue; raises ValueError as `assemble` does."""
    if not edition:
        raise ValueError("the edition is empty: there is nothing to send")
    stories = {story.id: index for index, story in enumerate(compiled.stories)}
    headings = {topic: index for index, topic in enumerate(compiled.headings)}
    try:
        return [(headings[group.topic], [stories[story] for story in group.stories]) for group in edition.groups]
    except KeyError as error:
        raise ValueError(f"the edition names {error}, which is no story or heading of the compiled issue") from error


def lines_of(compiled: CompiledIssue, edition: Edition, groups: Places) -> EditionLines:
    """How an edition is announced."""
    stories = [compiled.stories[story] for _, chosen in groups for story in chosen]
    followed = any(group.topic == FOLLOWED for group in edition.groups)
    topics = len(groups) - followed
    return edition_lines(
        compiled.labels, compiled.subject, compiled.preheader, stories, topics, followed, compiled.prefix
    )


def _pieces(compiled: CompiledIssue, names: list[str], lines: EditionLines) -> tuple[Piece, ...]:
    values = shared_values(lines)
    return tuple([compiled.pieces.get(name) or Piece.of(compiled.html[name].fill(values)) for name in names])


def shared_values(lines: EditionLines) -> dict[str, str]:
    """The slots of the HTML that all readers of an edition share, escaped."""
    return {"preheader": markup(lines.preheader), "lang": lines.lang, "count": markup(lines.count)}


def _text(compiled: CompiledIssue, names: list[str], lines: EditionLines) -> str:
    """The text up to the personal fragment; numbers count anew in the contents and in the stories."""
    parts = []
    values = {"preheader": lines.preheader, "count": lines.count}
    numbers = {"entry": 0, "story": 0}
    for name in names:
        kind = name.partition(".")[0]
        if kind in numbers:
            numbers[kind] += 1
            values["number"] = str(numbers[kind])
        parts.append(compiled.text[name].fill(values))
    return "".join(parts)


def _encoded_html(pieces: tuple[Piece, ...], end: str, tail: str) -> tuple[Encoding, tuple[bytes, ...], bytes]:
    """The smaller encoding, and what stands before and behind the personal fragment in it; `end` is a typical one."""
    quoted, base64 = tuple(piece.quoted for piece in pieces), tuple(piece.base64 for piece in pieces)
    data = wire(end)
    quoted_all, base64_all = sum(map(len, quoted)) + quoted_size(data), sum(map(len, base64)) + _base64_size(data)
    if smaller(quoted_all, base64_all) is Encoding.QUOTED:
        return Encoding.QUOTED, quoted, quoted_lines(wire(tail))
    return Encoding.BASE64, base64, base64_lines(wire(tail))


def _typical_values(compiled: CompiledIssue, edition: Edition) -> dict[str, str]:
    """What a reader's own end holds, to reckon with when encodings are chosen: this one has the edition's topics."""
    names = [compiled.names[group.topic] for group in edition.groups if group.topic != FOLLOWED]
    return {
        "reason": reason_line(compiled.labels, "reader@example.org", names),
        **{name: f"{compiled.publication.base_url}/{name}/{'x' * 50}" for name in LINKS},
    }


def _base64_size(data: bytes) -> int:
    return len(data) * 78 // LINE_BYTES  # a line of 76 characters and its end


def _encoded_text(text: str, end: str) -> tuple[Encoding, bytes, bytes]:
    """The smaller encoding, the encoded text, and what is left over for the personal end."""
    data, whole_part = wire(text), wire(text + end)
    # every byte beyond ASCII is three times as long when quoted: with so many of them there is nothing to measure
    mostly_beyond_ascii = 4 * (len(whole_part) - len(text) - len(end)) > len(whole_part)
    if not mostly_beyond_ascii and smaller(quoted_size(whole_part), _base64_size(whole_part)) is Encoding.QUOTED:
        return Encoding.QUOTED, quoted_lines(data), b""
    whole = len(data) - len(data) % LINE_BYTES
    return Encoding.BASE64, base64_lines(data[:whole]), data[whole:]
