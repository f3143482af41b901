"""What reading a text gives: the issue, where its parts stood, and the findings so far."""

from dataclasses import dataclass

from newsletter.content.diagnostics import Diagnostic, Severity
from newsletter.content.issue import Issue


@dataclass(frozen=True, slots=True)
class Reading:
    """An issue (None when the text cannot be read at all) with its diagnostics in the order of their lines.

    `section_lines` and `story_lines` hold the line (first = 1) of each section's heading and each story's title, in the
    order of `issue.sections` and `issue.stories`, so that later checks can point at the place; `title_line` that of the
    issue's title, 0 when the text has none.
    """

    issue: Issue | None
    diagnostics: tuple[Diagnostic, ...] = ()
    section_lines: tuple[int, ...] = ()
    story_lines: tuple[int, ...] = ()
    title_line: int = 0

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The findings that block import and approval."""
        return tuple(finding for finding in self.diagnostics if finding.severity is Severity.ERROR)
