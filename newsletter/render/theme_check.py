"""Try a theme: look over its files, make sample mails with it, and look over those."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from newsletter.content.diagnostics import Severity
from newsletter.content.issue import Issue
from newsletter.render.allowed import not_allowed
from newsletter.render.assemble import assemble
from newsletter.render.columns import beside_each_other
from newsletter.render.compile import compile_issue
from newsletter.render.compiled import CompiledIssue
from newsletter.render.contrast import HEADLINE, Faint, faint_texts, hardly_seen
from newsletter.render.message import html_of, text_of
from newsletter.render.pipeline import render_edition
from newsletter.render.size import full_edition, largest_html_bytes
from newsletter.render.theme import MAIL, TEXT, Theme, ThemeError, load_theme
from newsletter.render.theme_sample import PUBLICATION, READER, TITLE, sample_digest, sample_editions, sample_issue
from newsletter.render.theme_sources import Fault, likely_malformed, places, source_faults
from subscribers.preferences import LANGUAGES
from subscribers.topics import Catalogue

MOST_HTML_BYTES = {10: 30_000, 30: 80_000}
"""How large the HTML of so many stories with all four labels and no body should be at most (1 kB = 1,000 bytes)."""

_STORIES = 10
_TOPICS = Catalogue()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a theme's trial showed; `html_bytes` are the sizes of sample mails by their number of stories."""

    name: str
    faults: tuple[Fault, ...]
    html_bytes: dict[int, int] = field(default_factory=dict)

    @property
    def is_usable(self) -> bool:
        """Whether there is no error; warnings may remain."""
        return not _has_errors(self.faults)


def check_theme(name: str, themes: Path | None = None) -> Verdict:
    """Try the theme of a name, from the folder `themes` or from those that ship. Never raises for what is in it."""
    try:
        theme = load_theme(name, themes)
    except ThemeError as error:
        return Verdict(name, (Fault(Severity.ERROR, error.file, error.line, error.what),))
    faults = list(source_faults(theme))
    if _has_errors(faults):
        return Verdict(name, tuple(faults))  # what is made of these would only say the same again, in other words
    sizes: dict[int, int] = {}
    try:
        for language in LANGUAGES:
            for issue in (sample_issue(_STORIES, bodies=True), sample_digest(_STORIES)):
                faults += _tried(theme, issue, language)
                if _has_errors(faults):
                    return Verdict(name, tuple(faults))  # the others would only repeat them
        faults += _not_the_same(theme, sample_issue(_STORIES, bodies=True))
        faults += [] if _has_errors(faults) else _not_the_same(theme, sample_digest(_STORIES))
        sizes = {stories: largest_html_bytes(_compiled(theme, sample_issue(stories))) for stories in MOST_HTML_BYTES}
    except ThemeError as error:
        place = likely_malformed(theme) if not error.file else None
        faults.append(place or Fault(Severity.ERROR, _path(theme, error.file), error.line, error.what))
    return Verdict(name, (*faults, *_too_large(theme, sizes)), sizes)


def _has_errors(faults: Iterable[Fault]) -> bool:
    return any(fault.severity is Severity.ERROR for fault in faults)


def _tried(theme: Theme, issue: Issue, language: str) -> Iterator[Fault]:
    """What is wrong with the mail of a sample issue in one language."""
    compiled = _compiled(theme, issue, language)
    assembled = assemble(compiled, full_edition(compiled))
    html, text = html_of(assembled, READER), text_of(assembled, READER)
    yield from _lacking(theme, issue, compiled, html, MAIL)
    yield from _lacking(theme, issue, compiled, text, TEXT)
    if f'style="{HEADLINE}">{TITLE}<' not in html:
        yield _error(theme, MAIL, f'the title has to stand in an element with style="{HEADLINE}", to the letter')
    for words, said in (*not_allowed(html, PUBLICATION.base_url), *hardly_seen(html)):
        yield _where(theme, words, said)
    for what in dict.fromkeys(beside_each_other(html)):
        yield _error(theme, MAIL, f"without its style blocks the mail is not a single column: {what}")
    for faint in faint_texts(html):
        yield _too_faint(theme, faint)


def _compiled(theme: Theme, issue: Issue, language: str = LANGUAGES[0]) -> CompiledIssue:
    return compile_issue(issue, theme=theme, language=language, topics=_TOPICS, publication=PUBLICATION)


def _lacking(theme: Theme, issue: Issue, compiled: CompiledIssue, page: str, name: str) -> Iterator[Fault]:
    """What every mail has to show and this one does not; a digest may show its stories in short."""
    labels = () if issue.is_digest else ("Summary", "Background", "Key points")
    words = [compiled.labels.gettext(word) for word in (*labels, "Source")]
    parts = {
        "the issue's title ({{ sheet.title }})": TITLE,
        "the link to unsubscribe ({{ filling.unsubscribe }})": READER.unsubscribe_token,
        "the link to change topics ({{ filling.preferences }})": READER.preferences_token,
        "the reason why it came ({{ filling.reason }})": "r***@example.com",
        "the postal address ({{ sheet.postal_address }})": PUBLICATION.postal_address,
        **{f"the label {word}": word for word in words},
        **{f"the story {story.name!r}": story.name for story in compiled.stories},
        **{f"the topic {compiled.names[topic]!r}": compiled.names[topic] for topic in compiled.headings[1:]},
    }
    for what, shown in parts.items():
        if shown not in page and escape(shown, quote=False) not in page:
            yield _error(theme, name, f"the mail does not show {what}: put it into the template")


def _too_faint(theme: Theme, faint: Faint) -> Fault:
    when = "in the dark" if faint.dark else "by daylight"
    if not faint.ratio:
        said = (
            f"the colours of {faint.text[:20]!r} {when}, {faint.ink} on {faint.ground}, should be written like #1f2329"
        )
    else:
        said = (
            f"{faint.text[:20]!r} is hard to read {when}: {faint.ink} on {faint.ground} has a contrast of "
            f"{faint.ratio:.1f} : 1 and needs 4.5 : 1 (3 : 1 in large type)"
        )
    return _where(theme, faint.ink if places(theme, faint.ink) else faint.ground, said)


def _not_the_same(theme: Theme, issue: Issue) -> Iterator[Fault]:
    """Whether editions joined from parts are what the templates make of the same stories in one go."""
    compiled = _compiled(theme, issue)
    for edition in sample_editions(issue):
        assembled = assemble(compiled, edition)
        html, text, _ = render_edition(
            issue,
            edition,
            theme=theme,
            language=compiled.language,
            topics=_TOPICS,
            publication=PUBLICATION,
            recipient=READER,
        )
        pairs = ((MAIL, html_of(assembled, READER), html), (TEXT, text_of(assembled, READER), text))
        for name, joined, whole in pairs:
            if joined != whole:
                yield _error(theme, name, f"a part depends on what stands beside it, near {_differs(joined, whole)!r}")
                return


def _differs(one: str, other: str) -> str:
    """The text around the first place where two pages differ."""
    places = zip(one, other, strict=False)
    at = next((at for at, (left, right) in enumerate(places) if left != right), min(len(one), len(other)))
    return other[max(at - 20, 0) : at + 20]


def _too_large(theme: Theme, sizes: dict[int, int]) -> Iterator[Fault]:
    for stories, size in sizes.items():
        if size > (most := MOST_HTML_BYTES[stories]):
            said = (
                f"{stories} stories with all four labels and no body make {size:,} bytes of HTML; "
                f"at most {most:,} keep clear of Gmail's clip"
            )
            yield Fault(Severity.WARNING, _path(theme, MAIL), 0, said)


def _where(theme: Theme, words: str, said: str) -> Fault:
    """A fault at the first place where the theme writes these words, else without a line."""
    found = places(theme, words)
    file, _, line = found[0].rpartition(":") if found else (_path(theme, MAIL), "", "0")
    return Fault(Severity.ERROR, file, int(line), said)


def _error(theme: Theme, name: str, message: str) -> Fault:
    return Fault(Severity.ERROR, _path(theme, name), 0, message)


def _path(theme: Theme, name: str) -> str:
    """Where a file of the theme lies; what is none of its files stays as it is."""
    return str(theme.paths.get(name, name))
