"""Reading the digests that people publish: sections as headings, stories as sub-headings, link lines or prose."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from newsletter.content.blocks import Node, read_blocks
from newsletter.content.body import BodyReader, unused_definitions
from newsletter.content.dates import find_date
from newsletter.content.diagnostics import Diagnostic
from newsletter.content.drafts import IssueDraft, Resolve, SectionDraft, take_heading, take_name
from newsletter.content.fields import Field, match_label, read_source, unplaced
from newsletter.content.inline import canonical, host, plain
from newsletter.content.issue import Paragraph, Source, Story
from newsletter.content.lines import in_fences, loosened
from newsletter.content.mark_lines import Numbered, by_story, without_marks
from newsletter.content.reading import Reading
from newsletter.content.rows import is_bold, without_style
from newsletter.content.source_links import (
    Linked,
    closing_source,
    first_sentence,
    is_link_line,
    leading_link,
    trailing_link,
)
from newsletter.content.story_marks import read_marks


def read_general(lines: Sequence[str], resolve: Resolve) -> Reading:
    """Read a published digest; `resolve` gives the topic's slug that a section heading means.

    A story's link becomes its source and is not repeated in the body. Prose before the first section belongs to no
    story and becomes a diagnostic; where there is no section at all, it is a story.
    """
    return _General(lines, resolve).read()


@dataclass(slots=True)
class _Draft:
    """A story being read: its heading, its link, and the blocks below."""

    title: str
    line: int
    reader: BodyReader
    source: Source | None = None
    level: int = 0  # of its heading; 0 when it has none
    lead: list[str] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    marked: Numbered = field(default_factory=list)

    def story(self, topic: str, resolve: Resolve, findings: list[Diagnostic]) -> Story:
        """Make the value; a source that stands at the end of the body is taken from there."""
        if self.source is None and self.nodes and self.nodes[-1].kind == "paragraph":
            self.nodes[-1:] = self._take_source(self.nodes[-1], findings)
        lead = tuple(Paragraph(text) for text in self.lead if text)
        return Story(
            self.title,
            source=self.source,
            topics=(topic,) if topic else (),
            body=lead + self.reader.blocks(self.nodes),
            marks=read_marks(self.marked, findings),
        )

    def _take_source(self, node: Node, findings: list[Diagnostic]) -> list[Node]:
        above, _, last = node.text.rpartition("\n")
        label = match_label(last)
        rest = node.text
        if label and label.field is Field.SOURCE:
            name, url = read_source(label.text, node.line, findings)
            rest, self.source = above, Source(name, url) if name or url else None
        elif found := closing_source(canonical(last, self.reader.references)):
            self.source = Source(found.name, found.url)
            rest = f"{above}\n{found.rest}"
        return [Node("paragraph", node.line, rest)] if rest.strip() else []


class _General:
    """Goes down the blocks once, and remembers the section and the story it stands in."""

    def __init__(self, lines: Sequence[str], resolve: Resolve) -> None:
        numbered, self.marked = _taken_apart(loosened(lines))
        document = read_blocks(numbered)
        self.lines = lines
        self.resolve = resolve
        self.nodes = document.nodes
        self.issue = IssueDraft(findings=[*document.findings, *unused_definitions(document, numbered)])
        self.reader = BodyReader(document.references, self.issue.findings)
        self.path: list[tuple[int, str]] = []
        self.story: _Draft | None = None
        self.drafts: dict[int, _Draft] = {}  # by their lines
        self.sections: list[int] = []  # the lines of all their headings
        self.start = self._take_title()
        self.levels = [node.level for node in self.nodes[self.start :] if node.kind == "heading"]
        self.top = min(self.levels, default=0)

    def read(self) -> Reading:
        for index in range(self.start, len(self.nodes)):
            node = self.nodes[index]
            if node.kind == "heading":
                self._take_heading(node, self.nodes[index + 1] if index + 1 < len(self.nodes) else None)
            elif node.kind == "list" and self._is_story_list(node):
                for item in node.children:
                    self._take_item(item)
            elif node.kind == "paragraph" and self._is_link_line(node):
                if self._closes_prose(index):
                    self._take_block(node, index)
                else:
                    self._open_linked(node, [])
            elif node.kind == "paragraph" and self._is_bold_title(node):
                self._take_bold_title(node)
            elif node.kind != "rule":
                self._take_block(node, index)
        self._hand_out_marks()
        return self.issue.reading("general", self.resolve)

    def _text(self, node: Node) -> str:
        return canonical(node.text, self.reader.references)

    def _resolved(self, node: Node) -> str:
        return self.resolve(plain(self._text(node))) or ""

    # the title

    def _take_title(self) -> int:
        """Take the issue's title from the first blocks; the index of the first block below it."""
        index = 0
        while index < len(self.nodes) and self._is_title(self.nodes[index]):
            node = self.nodes[index]
            self.issue.take_title(without_style(node.text) or node.text, node.line)
            index += 1
        return index

    def _is_title(self, node: Node) -> bool:
        if "\n" in node.text or node.kind not in ("heading", "paragraph") or self._resolved(node):
            return False
        first = not self.issue.title
        dated = bool(find_date(node.text).written)
        if node.kind == "heading":
            return (first and (node.level == 1 or dated)) or (dated and not self.issue.dated)
        short = len(node.text) < 80 and "](" not in node.text
        return bool(without_style(node.text)) or (dated and short and (first or not self.issue.dated))

    # headings

    def _take_heading(self, node: Node, below: Node | None) -> None:
        while self.path and self.path[-1][0] >= node.level:
            self.path.pop()
        if self.story and self.story.level and node.level > self.story.level:
            self.story.nodes.append(node)
        elif self._is_section(node, below):
            title = take_name(node.text, node.line, self.issue.findings, self.reader.references)
            self.path.append((node.level, title))
            path = tuple(title for _, title in self.path)
            self._open_section(SectionDraft(title, node.line, self._resolved(node), path))
        else:
            heading = take_heading(node.text, node.line, self.issue.findings, self.reader.references)
            source = Source(host(heading.url), heading.url) if heading.url else None
            self._open_story(_Draft(heading.title, node.line, self.reader, source, node.level, [heading.rest]))

    def _is_section(self, node: Node, below: Node | None) -> bool:
        if self._resolved(node) or (below and below.kind == "heading" and below.level > node.level):
            return True
        if is_link_line(self._text(node)):
            return False
        return node.level == self.top or bool(below and below.kind == "list" and self._has_links(below))

    def _open_section(self, section: SectionDraft) -> None:
        last = self.issue.sections[-1] if self.issue.sections else None
        if last and not last.stories and len(section.path) > len(last.path):
            section.topic = section.topic or last.topic
            self.issue.sections.pop()  # a heading that only holds sections lives on in their paths
        self.issue.sections.append(section)
        self.sections.append(section.line)
        self.story = None

    def _open_story(self, draft: _Draft) -> None:
        if not self.issue.sections:
            self.issue.sections.append(SectionDraft("", draft.line))
        self.issue.sections[-1].stories.append(draft)
        self.drafts[draft.line] = self.story = draft

    # stories without a heading

    def _linked(self, text: str) -> Linked | None:
        return leading_link(text) or trailing_link(text)

    def _has_links(self, node: Node) -> bool:
        return any(
            self._linked(self._text(child)) for item in node.children for child in item.children[:1] if child.text
        )

    def _is_story_list(self, node: Node) -> bool:
        return not (self.story and self.story.level) and self._has_links(node)

    def _take_item(self, item: Node) -> None:
        first = item.children[0] if item.children else None
        if first is None:
            return
        body = item.children[1:]
        if first.kind not in ("paragraph", "heading"):
            first, body = Node("paragraph", item.line), item.children
        self._open_linked(first, body)

    def _open_linked(self, node: Node, body: Sequence[Node]) -> None:
        text = self.reader.text(node)
        linked = self._linked(text)
        if linked:
            draft = _Draft(linked.title, node.line, self.reader, Source(linked.name, linked.url), lead=[linked.rest])
        else:
            title, rest = first_sentence(text)
            draft = _Draft(title, node.line, self.reader, lead=[rest])
        draft.nodes += body
        self._open_story(draft)

    def _is_link_line(self, node: Node) -> bool:
        return not (self.story and self.story.level) and is_link_line(self._text(node))

    def _closes_prose(self, index: int) -> bool:
        """Whether a link below the prose of a section is where that prose comes from: nothing else follows it."""
        last = index + 1 == len(self.nodes) or self.nodes[index + 1].kind in ("heading", "rule")
        prose = self.story and self.story.title and self.story.title == self.issue.sections[-1].title
        return bool(last and prose)

    def _is_bold_title(self, node: Node) -> bool:
        """Whether a paragraph in a section is, or begins with, a bold line alone."""
        inside = self.issue.sections and not (self.story and self.story.level)
        return bool(inside) and is_bold(node.text.partition("\n")[0].strip())

    def _take_bold_title(self, node: Node) -> None:
        first, _, rest = node.text.partition("\n")
        heading = take_heading(first.rstrip("：: "), node.line, self.issue.findings, self.reader.references)
        source = Source(host(heading.url), heading.url) if heading.url else None
        self._open_story(_Draft(heading.title, node.line, self.reader, source))
        if rest.strip() and self.story:
            self.story.nodes.append(Node("paragraph", node.line + 1, rest))

    # everything else

    def _hand_out_marks(self) -> None:
        for line, marks in by_story(self.marked, list(self.drafts), self.sections, self.issue.findings).items():
            self.drafts[line].marked = marks

    def _take_block(self, node: Node, index: int) -> None:
        if self.story is None and not self.issue.sections and self.levels:
            self._report(node, index)
            return
        if self.story is None:
            self._open_story(self._prose_story(node))
            if node.kind == "paragraph" and not self.issue.sections[-1].title:
                return
        assert self.story  # noqa: S101 (opened above)
        self.story.nodes.append(node)

    def _prose_story(self, node: Node) -> _Draft:
        """A story of the section's name, or where the section has none, of the first sentence."""
        title = self.issue.sections[-1].title if self.issue.sections else ""
        if title or node.kind != "paragraph":
            return _Draft(title or self.issue.title, node.line, self.reader)
        title, rest = first_sentence(self.reader.text(node))
        return _Draft(title, node.line, self.reader, lead=[rest])

    def _report(self, node: Node, index: int) -> None:
        below = self.nodes[index + 1].line - 1 if index + 1 < len(self.nodes) else len(self.lines)
        text = "\n".join(self.lines[node.line - 1 : below])
        advice = "this text stands before the first section and belongs to no story; put it under a heading"
        self.issue.findings.append(unplaced(text, node.line, advice))


def _taken_apart(lines: Sequence[str]) -> tuple[Numbered, Numbered]:
    """Numbered lines without those of marks, and those; what stands in a block of code is neither's to judge."""
    rows = list(zip(enumerate(lines, 1), in_fences(lines), strict=True))
    open_rows, marked = without_marks(row for row, fenced in rows if not fenced)
    return sorted([*open_rows, *(row for row, fenced in rows if fenced)]), marked
