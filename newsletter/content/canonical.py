"""Reading canonical Markdown, the form that `newsletter.content.export` writes: every field has its line and label."""

from collections.abc import Sequence
from datetime import datetime

from newsletter.content.body import read_body
from newsletter.content.diagnostics import Diagnostic
from newsletter.content.drafts import Numbered, Resolve, joined
from newsletter.content.fields import LABELS, Field, Labelled, match_label, read_text, unplaced
from newsletter.content.inline import plain, spans
from newsletter.content.issue import Issue, Section, Source, Story
from newsletter.content.lines import in_fences
from newsletter.content.reading import Reading
from newsletter.content.spans import Link
from newsletter.content.spans import plain as shown
from newsletter.content.story_marks import read_marks

FORMATS = ("daily", "report", "article", "general")
_WRITTEN = {words[0]: field for field, words in LABELS.items()}


def read_canonical(lines: Sequence[str], resolve: Resolve, name: str) -> Reading:
    """Read canonical Markdown of the format that its front matter names.

    Topics that `resolve` does not know are kept as they are, for the judge to report. A line that has neither a place
    nor a label becomes a diagnostic.
    """
    reader = _Canonical(resolve)
    for number, (line, fenced) in enumerate(zip(lines, in_fences(lines), strict=True), 1):
        reader.take(number, line, fenced)
    return reader.reading(name)


def _labelled(line: str) -> Labelled | None:
    word, colon, rest = line.partition("：")
    if colon and word in _WRITTEN:
        return Labelled(_WRITTEN[word], rest)
    return match_label(line)


def _source(text: str) -> Source | None:
    found = spans(text)
    if len(found) == 1 and isinstance(found[0], Link):
        name = shown(found[0].spans)
        return Source("" if name == found[0].url else name, found[0].url)
    return Source(shown(found), "") if found else None


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for part in text.split("、") if (word := plain(part)))


class _Part:
    """A section or a story: its heading and the labelled lines below."""

    def __init__(self, title: str, line: int) -> None:
        self.title = title
        self.line = line
        self.fields: dict[Field, Numbered] = {}
        self.points: Numbered = []
        self.body: Numbered = []
        self.stories: list[_Part] = []

    def one(self, field: Field) -> str:
        return joined(self.fields.get(field, []))

    def text(self, field: Field, findings: list[Diagnostic]) -> str:
        lines = self.fields.get(field)
        return read_text(joined(lines), lines[0][0], findings) if lines else ""


class _Canonical:
    def __init__(self, resolve: Resolve) -> None:
        self.resolve = resolve
        self.title = ""
        self.title_line = 0
        self.sections: list[_Part] = []
        self.part: _Part | None = None
        self.field: Field | None = None
        self.findings: list[Diagnostic] = []

    def take(self, number: int, line: str, fenced: bool) -> None:
        mark, _, rest = line.partition(" ")
        if not fenced and mark in ("#", "##", "###"):
            self._take_heading(mark, rest, number)
        elif self.field is Field.BODY and self.part:
            self.part.body.append((number, line))
        elif not line.strip():
            return
        elif self.part and (found := _labelled(line)):
            self.field = found.field
            entry = self.part.fields.setdefault(found.field, [])
            if found.text:
                entry.append((number, found.text))
        elif self.part and self.field is Field.POINTS and mark in "-*+":
            self.part.points.append((number, rest))
        elif self.part and self.field in (Field.SUMMARY, Field.BACKGROUND):
            self.part.fields[self.field].append((number, line))
        else:
            self.findings.append(unplaced(line, number, "this line has no label; put it below 正文： of a story"))

    def _take_heading(self, mark: str, rest: str, number: int) -> None:
        title = read_text(rest, number, self.findings)
        self.field = None
        if mark == "#":
            if self.title or self.sections:
                self.findings.append(unplaced(rest, number, "the issue has a title already", "title"))
            if title and not self.title:
                self.title, self.title_line = title, number
            return
        self.part = _Part(title, number)
        if mark == "##" or not self.sections:
            self.sections.append(self.part if mark == "##" else _Part("", number))
        if mark == "###":
            self.sections[-1].stories.append(self.part)

    def reading(self, name: str) -> Reading:
        sections = tuple(self._section(part) for part in self.sections)
        return Reading(
            Issue(self.title, None, sections, name),
            tuple(sorted(self.findings, key=lambda finding: finding.line)),
            tuple(part.line for part in self.sections),
            tuple(story.line for part in self.sections for story in part.stories),
            self.title_line,
        )

    def _section(self, part: _Part) -> Section:
        topic = next(iter(self._topics(part)), "")
        levels = tuple(read_text(text, line, self.findings) for line, text in part.fields.get(Field.PATH, []))
        path = levels if Field.PATH in part.fields else ((part.title,) if part.title else ())
        for line, text in part.fields.get(Field.MARKS, []):
            self.findings.append(unplaced(text, line, "marks belong to a story; put them below its title"))
        stories = tuple(self._story(story, (topic,) if topic else ()) for story in part.stories)
        return Section(part.title, stories, path, topic)

    def _topics(self, part: _Part) -> tuple[str, ...]:
        return tuple(self.resolve(word) or word for word in _words(part.one(Field.TOPICS)))

    def _story(self, part: _Part, inherited: tuple[str, ...]) -> Story:
        return Story(
            part.title,
            part.text(Field.SUMMARY, self.findings),
            part.text(Field.BACKGROUND, self.findings),
            tuple(read_text(text, line, self.findings) for line, text in part.points),
            _source(part.text(Field.SOURCE, self.findings)),
            self._topics(part) if Field.TOPICS in part.fields else inherited,
            _words(part.one(Field.TAGS)),
            self._published(part),
            read_body(part.body, self.findings),
            marks=read_marks(part.fields.get(Field.MARKS, []), self.findings),
        )

    def _published(self, part: _Part) -> datetime | None:
        lines = part.fields.get(Field.PUBLISHED)
        if not lines:
            return None
        try:
            return datetime.fromisoformat(lines[0][1].strip())
        except ValueError:
            advice = "no time can be read here; write 2026-02-04T08:30"
            self.findings.append(unplaced(lines[0][1], lines[0][0], advice, "time"))
            return None
