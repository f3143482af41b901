"""Reading a daily digest: sections by topic, stories with labelled lines (说明 背景 要点 来源出处)."""

from collections.abc import Sequence

from newsletter.content.dates import find_date
from newsletter.content.drafts import IssueDraft, Resolve, SectionDraft, StoryDraft, take_heading, take_name
from newsletter.content.fields import Field, Labelled, unplaced
from newsletter.content.inline import plain
from newsletter.content.reading import Reading
from newsletter.content.rows import Look, Row, read_rows
from newsletter.content.story_marks import may_be_marks

_OF_A_STORY = frozenset({Field.SUMMARY, Field.BACKGROUND, Field.POINTS, Field.SOURCE, Field.TAGS})
_LONGEST_BARE_HEADING = 40
_TELLING = frozenset({Field.SUMMARY, Field.BACKGROUND, Field.POINTS})


def looks_like_daily(lines: Sequence[str], resolve: Resolve) -> bool:
    """Whether any line carries a label of a story, or a bold line alone names a topic."""
    rows = read_rows(lines)
    labels = [row.label for row in rows if row.label]
    told = any(label.field in _TELLING for label in labels)
    sourced = any(label.field is Field.SOURCE for label in labels) and any(row.look is Look.BOLD for row in rows)
    return told or sourced or any(row.look is Look.BOLD and resolve(plain(row.text)) for row in rows)


def read_daily(lines: Sequence[str], resolve: Resolve) -> Reading:
    """Read a daily digest; `resolve` gives the topic's slug that a section heading means.

    Text in a story under no label is its body; text that stands in no story becomes a diagnostic.
    """
    return _Daily(read_rows(lines), resolve).read()


class _Daily:
    """Goes down the rows once, and remembers in which story and under which label it stands."""

    def __init__(self, rows: Sequence[Row], resolve: Resolve) -> None:
        self.rows = rows
        self.resolve = resolve
        self.issue = IssueDraft()
        self.story: StoryDraft | None = None
        self.story_list: tuple[str, int] | None = None  # the list whose items are stories
        self.point_list: tuple[str, int] | None = None  # the list whose items are this story's points
        self.label_lists: set[tuple[str, int]] = set()  # the lists whose items are labelled lines
        self.section_level = 0
        self.mode: Field | None = None
        self.after_blank = False
        self.below = self._rows_below()

    def _rows_below(self) -> list[Row | None]:
        """For each row the next one that is not blank."""
        result: list[Row | None] = []
        below: Row | None = None
        for row in reversed(self.rows):
            result.append(below)
            below = below if row.look in (Look.BLANK, Look.RULE) else row
        return result[::-1]

    def read(self) -> Reading:
        for index, row in enumerate(self.rows):
            self._take(row, self.below[index])
            self.after_blank = row.look is Look.BLANK
        return self.issue.reading("daily", self.resolve)

    def _take(self, row: Row, below: Row | None) -> None:
        if row.label and self._is_label(row):
            self._take_label(row, row.label)
        elif row.look is Look.STYLED and not self.story:
            self.issue.take_title(row.text, row.number)
        elif self._is_structure(row):
            self._take_heading(row, below)
        elif row.look is Look.ITEM and self._starts_story(row, below):
            self._open_story(row)
            self.story_list = row.list_key
        else:
            self._take_text(row)

    # headings

    def _is_structure(self, row: Row) -> bool:
        """Whether a line is the heading of something."""
        if row.look is Look.BOLD:
            return not (self.story and self.story_list and row.indent > self.story_list[1])
        return row.look is Look.HEADING or (row.look is Look.TEXT and self._is_bare_heading(row))

    def _is_bare_heading(self, row: Row) -> bool:
        """Whether a plain line between blank lines is the issue's title with its date, or the name of a topic."""
        beside = [*self.rows[max(0, row.number - 2) : row.number - 1], *self.rows[row.number : row.number + 1]]
        if len(row.text) > _LONGEST_BARE_HEADING or any(other.look is not Look.BLANK for other in beside):
            return False
        first = not self.issue.sections and not self.issue.title
        return bool(self._topic(row)) or (first and bool(find_date(row.text).written))

    def _take_heading(self, row: Row, below: Row | None) -> None:
        if self._is_title(row):
            self.issue.take_title(row.text, row.number)
        elif self._is_story(row, below):
            self._open_story(row)
        elif below is None and row.look is Look.BOLD and not self._topic(row):
            self._take_text(row)
        else:
            title = take_name(row.text.rstrip("：: "), row.number, self.issue.findings)
            self.issue.sections.append(SectionDraft(title, row.number, self._topic(row)))
            self.section_level = row.level
            self.story, self.story_list, self.mode = None, None, None

    def _topic(self, row: Row) -> str:
        return self.resolve(plain(row.text).rstrip("：: ")) or ""

    def _is_title(self, row: Row) -> bool:
        if self.issue.sections or self._topic(row):
            return False
        dated = bool(find_date(row.text).written)
        return row.level == 1 or (dated and not (self.issue.title and self.issue.dated))

    def _is_story(self, row: Row, below: Row | None) -> bool:
        label = below.label.field if below and below.label else None
        if label in _OF_A_STORY or (label is Field.MARKS and not self._topic(row)):
            return True
        if self._topic(row) or below is None:
            return False
        if row.look is Look.HEADING and self.issue.sections and row.level <= self.section_level:
            return False
        deeper = below.look is Look.HEADING and row.look is Look.HEADING and below.level > row.level
        if row.look is Look.HEADING and below.look is Look.HEADING and not deeper:
            return bool(self.section_level)
        return not (deeper or below.bold or below.look in (Look.BOLD, Look.HEADING) or self._is_plain_story(below))

    def _is_plain_story(self, row: Row) -> bool:
        """Whether a list item that is not bold is a story by the label below it."""
        below = self.below[row.number - 1]
        return row.look is Look.ITEM and bool(below and below.label and below.label.field in _TELLING)

    # stories

    def _starts_story(self, row: Row, below: Row | None) -> bool:
        if self.story is None:
            return bool(self.issue.sections) or row.bold or self._is_plain_story(row)
        label = below.label.field if below and below.label else None
        if row.bold and label in _TELLING and row.indent <= (self.story_list or row.list_key)[1]:
            return True
        if self.story_list is None or row.mark != self.story_list[0] or row.indent > self.story_list[1]:
            return False
        in_points = self.mode is Field.POINTS and self.point_list in (None, row.list_key)
        return row.bold or not in_points or (label in _TELLING and label in self.story.fields)

    def _open_story(self, row: Row) -> None:
        if not self.issue.sections:
            self.issue.sections.append(SectionDraft("", row.number))
        heading = take_heading(row.text.rstrip("：: "), row.number, self.issue.findings)
        self.story = StoryDraft(heading, row.number)
        if heading.rest:
            self.story.body.append((row.number, heading.rest))
        self.issue.sections[-1].stories.append(self.story)
        self.story_list, self.point_list, self.mode = None, None, None
        self.label_lists.clear()

    # what stands in a story

    def _is_label(self, row: Row) -> bool:
        if row.look is Look.LABEL or self.mode is not Field.POINTS:
            return True
        return self.point_list != row.list_key or row.list_key in self.label_lists

    def _take_label(self, row: Row, label: Labelled) -> None:
        section = self.issue.sections[-1] if self.issue.sections else None
        if self.story is None:
            topic = self.resolve(label.text) if label.field is Field.TOPICS else None
            if section and topic:
                section.topic = topic
            else:
                self._report(row)
            return
        if row.look is Look.ITEM:
            self.label_lists.add(row.list_key)
        if label.field in (Field.BODY, Field.PATH):
            self.mode = None
            self.story.body.append((row.number, label.text if label.field is Field.BODY else row.text))
            return
        self.mode = label.field
        self.story.fields.setdefault(label.field, [])
        if label.text and label.field is Field.POINTS:
            self.story.points.append([(row.number, label.text)])
        elif label.text:
            self.story.fields[label.field].append((row.number, label.text))

    def _take_text(self, row: Row) -> None:
        if self.story is None:
            self._report(row)
        elif self.mode is Field.POINTS and row.look is Look.ITEM and row.text:
            self.point_list = self.point_list or row.list_key
            self.story.points.append([(row.number, row.text)])
        elif row.look is Look.BLANK and self.mode:
            return
        elif self.mode and self._continues(row):
            self._continue(row)
        else:
            self.mode = None
            self.story.body.append((row.number, row.raw))

    def _continues(self, row: Row) -> bool:
        """Whether a line still belongs to the label above it."""
        assert self.story  # noqa: S101 (asked only inside a story)
        if row.look not in (Look.TEXT, Look.BOLD):
            return False
        if self.mode is Field.POINTS:
            return not self.story.points or not self.after_blank
        if self.mode in (Field.SUMMARY, Field.BACKGROUND):
            return not self.after_blank or not self.story.fields[self.mode]
        if self.mode is Field.MARKS and not may_be_marks(row.text):
            return False
        return not (self.mode and self.story.fields[self.mode])

    def _continue(self, row: Row) -> None:
        assert self.story and self.mode  # noqa: S101 (asked only under a label)
        if self.mode is not Field.POINTS:
            self.story.fields[self.mode].append((row.number, row.text))
        elif self.point_list and self.story.points:
            self.story.points[-1].append((row.number, row.text))
        else:
            self.story.points.append([(row.number, row.text)])

    def _report(self, row: Row) -> None:
        if row.look not in (Look.BLANK, Look.RULE):
            advice = "this text belongs to no story; put it under a story's title"
            self.issue.findings.append(unplaced(row.raw, row.number, advice))
